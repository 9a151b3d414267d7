//! How a provider differs from its kind: out of a form, into a form, and as it is read. Pure; what may be
//! kept, the shared rules say.

use admin_templates::admin::providers::{OptionsShown, SettingsChoices};
use admin_templates::form::{FieldError, Form};
use shared::link::connectors::{ConnectorFacts, Speaks};
use shared::link::options::{KeyHeader, MaximumField, Pair, ProviderOptions};

use super::super::super::form::{FieldProblem, FormData, ticked};
use super::super::form_errors::FormErrors;
use super::super::length;
use super::form::wrong;

/// The fields of a form that hold them.
pub(super) const NAMES: [&str; 10] = [
    "dialects",
    "key_header",
    "key_prefix",
    "headers",
    "api_version",
    "region",
    "leave_out",
    "rename",
    "no_usage_option",
    "maximum",
];

/// The words of the maximum's field, as gateways and forms write them.
const MAXIMA: [(&str, MaximumField); 2] = [
    ("max_tokens", MaximumField::MaxTokens),
    ("max_completion_tokens", MaximumField::MaxCompletionTokens),
];

/// What a kind speaks where nobody says otherwise.
fn usual(connector: Option<&ConnectorFacts>) -> Vec<String> {
    let speaks = connector.map_or(&[][..], |facts| &facts.speaks);
    let mut usual: Vec<String> = Vec::new();
    for one in speaks.iter().filter(|one| one.is_usual) {
        // One format may serve several operations.
        if !usual.iter().any(|known| *known == one.dialect) {
            usual.push(one.dialect.to_string());
        }
    }
    usual
}

/// In which formats a provider is asked.
pub(super) fn spoken(options: &ProviderOptions, connector: Option<&ConnectorFacts>) -> Vec<String> {
    if options.dialects.is_empty() {
        usual(connector)
    } else {
        options.dialects.clone()
    }
}

/// The formats to choose from: those that are ticked in their order, then the others of the kind.
/// Boxes are sent in the order of the page, so the preferred one stays the first.
pub(super) fn choices(form: &Form, connector: Option<&ConnectorFacts>) -> Vec<String> {
    let ticked = form.values.get("dialects").map_or("", String::as_str);
    let speaks = connector.map_or(&[][..], |facts| &facts.speaks);
    let all = speaks.iter().map(|one| &*one.dialect);
    let mut choices: Vec<String> = Vec::new();
    for code in ticked.split_whitespace().chain(all) {
        if !choices.iter().any(|known| known == code) {
            choices.push(code.to_owned());
        }
    }
    choices
}

/// The choices of a form that began with `begin`; open where something else is set, or wrong.
pub(super) fn settings(
    form: &Form,
    begin: &ProviderOptions,
    connector: Option<&ConnectorFacts>,
) -> SettingsChoices {
    let value = |name: &str| form.values.get(name).map_or("", String::as_str);
    let is_set = |name: &&str| match *name {
        "dialects" => value(name) != spoken(begin, connector).join(" "),
        name => !value(name).is_empty() || form.errors.contains_key(name),
    };
    SettingsChoices {
        dialects: choices(form, connector),
        is_open: form.errors.contains_key("dialects") || NAMES.iter().any(is_set),
    }
}

/// Fills a form.
pub(super) fn fill(form: &mut Form, options: &ProviderOptions, connector: Option<&ConnectorFacts>) {
    let header = options.key_header.as_ref();
    let maximum = MAXIMA
        .into_iter()
        .find(|(_, one)| options.maximum == Some(*one));
    let values = [
        ("dialects", spoken(options, connector).join(" ")),
        ("key_header", header.map_or("", |one| &one.name).to_owned()),
        (
            "key_prefix",
            header.map_or("", |one| &one.prefix).to_owned(),
        ),
        ("headers", lines(&options.headers, ": ")),
        (
            "api_version",
            options.api_version.clone().unwrap_or_default(),
        ),
        ("region", options.region.clone().unwrap_or_default()),
        ("leave_out", options.leave_out.join(", ")),
        ("rename", lines(&options.rename, " -> ")),
        (
            "no_usage_option",
            ticked(options.no_usage_option).to_owned(),
        ),
        ("maximum", maximum.map_or("", |(word, _)| word).to_owned()),
    ];
    let named = values.map(|(name, value)| (name.to_owned(), value));
    form.values.extend(named);
}

fn lines(pairs: &[Pair], between: &str) -> String {
    let line = |pair: &Pair| format!("{}{between}{}", pair.name, pair.value);
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// As it is read.
pub(super) fn shown(options: &ProviderOptions) -> OptionsShown {
    let header = options.key_header.as_ref();
    let maximum = MAXIMA
        .into_iter()
        .find(|(_, one)| options.maximum == Some(*one));
    let said = |pairs: &[Pair], between: &str| {
        let line = |pair: &Pair| format!("{}{between}{}", pair.name, pair.value);
        pairs.iter().map(line).collect()
    };
    OptionsShown {
        key_header: header.map_or_else(String::new, |one| format!("{}: {}…", one.name, one.prefix)),
        headers: said(&options.headers, ": "),
        api_version: options.api_version.clone().unwrap_or_default(),
        region: options.region.clone().unwrap_or_default(),
        leave_out: options.leave_out.clone(),
        rename: said(&options.rename, " → "),
        no_usage_option: options.no_usage_option,
        maximum: maximum.map_or("", |(word, _)| word).to_owned(),
    }
}

/// What was ticked, where the kind speaks it; nothing where it is the usual.
fn dialects(
    posted: &FormData,
    connector: Option<&ConnectorFacts>,
) -> Result<Vec<String>, FieldProblem> {
    let ticked = posted.several("dialects").to_vec();
    if let Some(facts) = connector {
        let can = |code: &String| facts.speaks.iter().any(|one: &Speaks| one.dialect == *code);
        if !ticked.iter().all(can) {
            return Err(("dialects", FieldError::Unknown));
        }
        if ticked == usual(connector) {
            return Ok(Vec::new());
        }
    }
    Ok(ticked)
}

/// The header that holds the key, where it is another one.
fn key_header(posted: &FormData) -> Result<Option<KeyHeader>, FieldProblem> {
    let name = posted.text("key_header").to_ascii_lowercase();
    let mut prefix = posted.as_typed("key_prefix").trim_start().to_owned();
    if name.is_empty() {
        let is_alone = !prefix.is_empty();
        let missing = Err(("key_header", FieldError::Required));
        return if is_alone { missing } else { Ok(None) };
    }
    // `Bearer` is typed more often than the blank behind it.
    if prefix.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        prefix.push(' ');
    }
    Ok(Some(KeyHeader { name, prefix }))
}

/// A name and a value on each line that is not empty.
fn pairs(
    posted: &FormData,
    field: &'static str,
    between: &[&str],
) -> Result<Vec<Pair>, FieldProblem> {
    let mut pairs = Vec::new();
    for (at, line) in posted.as_typed(field).lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let split = between.iter().find_map(|word| line.split_once(word));
        let Some((name, value)) = split else {
            let number = length(at).saturating_add(1);
            return Err((field, FieldError::Line(number)));
        };
        pairs.push(Pair {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        });
    }
    Ok(pairs)
}

fn maximum(posted: &FormData) -> Result<Option<MaximumField>, FieldProblem> {
    let Some(word) = posted.optional("maximum") else {
        return Ok(None);
    };
    let known = MAXIMA.into_iter().find(|(code, _)| *code == word);
    let (_, field) = known.ok_or(("maximum", FieldError::Unknown))?;
    Ok(Some(field))
}

/// Out of a form, or all that is wrong with it.
pub(super) fn drafted(
    posted: &FormData,
    connector: Option<&ConnectorFacts>,
) -> Result<ProviderOptions, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let dialects = errors.take(dialects(posted, connector));
    let key_header = errors.take(key_header(posted));
    let headers = errors.take(pairs(posted, "headers", &[":"]));
    let rename = errors.take(pairs(posted, "rename", &["->", "→"]));
    let maximum = errors.take(maximum(posted));
    let left_out = posted
        .text("leave_out")
        .split(|c: char| c == ',' || c == '，' || c.is_whitespace());
    let small = |pair: Pair| Pair {
        name: pair.name.to_ascii_lowercase(),
        ..pair
    };
    let options = ProviderOptions {
        dialects: dialects.unwrap_or_default(),
        key_header: key_header.flatten(),
        headers: headers.unwrap_or_default().into_iter().map(small).collect(),
        api_version: posted.optional("api_version").map(str::to_owned),
        region: posted.optional("region").map(str::to_owned),
        leave_out: left_out
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        rename: rename.unwrap_or_default(),
        no_usage_option: posted.is_ticked("no_usage_option"),
        maximum: maximum.flatten(),
    };
    // One by one, so that all that is wrong is told at once.
    for part in parts(&options) {
        errors.take(
            part.checked()
                .map_err(|(field, broken)| wrong(field, broken)),
        );
    }
    errors.unless(Some(options))
}

/// Options with one thing set each.
fn parts(options: &ProviderOptions) -> Vec<ProviderOptions> {
    let none = ProviderOptions::default;
    vec![
        ProviderOptions {
            dialects: options.dialects.clone(),
            ..none()
        },
        ProviderOptions {
            key_header: options.key_header.clone(),
            ..none()
        },
        ProviderOptions {
            headers: options.headers.clone(),
            ..none()
        },
        ProviderOptions {
            api_version: options.api_version.clone(),
            ..none()
        },
        ProviderOptions {
            region: options.region.clone(),
            ..none()
        },
        ProviderOptions {
            leave_out: options.leave_out.clone(),
            ..none()
        },
        ProviderOptions {
            rename: options.rename.clone(),
            ..none()
        },
    ]
}

#[cfg(test)]
mod tests;
