//! Keys out of a pasted list: a line each, which is the key and perhaps its name, or the columns
//! `name,key,weight,tags`. Pure.

use admin_templates::form::FieldError;
use shared::link::connectors::SecretRule;
use shared::link::rules::Broken;
use shared::link::{KeyTerms, NewProviderKey, rules};

use super::super::super::form::FieldProblem;
use super::form;

/// One of them.
#[derive(Debug)]
pub(super) struct PastedKey {
    /// Its line, from 1.
    pub(super) number: u64,
    /// As far as it was read.
    pub(super) label: String,
    /// How its secret ends.
    pub(super) last4: String,
    /// The key, or what is wrong with the line.
    pub(super) read: Result<NewProviderKey, FieldProblem>,
}

/// What all of them have, unless their line says otherwise.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) rule: SecretRule,
    pub(super) weight: u32,
    pub(super) terms: KeyTerms,
}

/// The parts of a line.
struct Columns<'a> {
    label: &'a str,
    secret: &'a str,
    weight: &'a str,
    tags: &'a str,
}

/// A field of a table without the quotes that spreadsheets put around some.
fn unquoted(field: &str) -> &str {
    let field = field.trim();
    let inner = field
        .strip_prefix('"')
        .and_then(|field| field.strip_suffix('"'));
    inner.unwrap_or(field)
}

fn columns(line: &str, rule: SecretRule) -> Result<Columns<'_>, FieldProblem> {
    // A file of a key is full of commas.
    if line.starts_with('{') || !line.contains(',') {
        let (secret, label) = rules::first_secret(line, rule);
        return Ok(Columns {
            label,
            secret,
            weight: "",
            tags: "",
        });
    }
    let mut fields = line.split(',').map(unquoted);
    let mut next = || fields.next().unwrap_or_default();
    let columns = Columns {
        label: next(),
        secret: next(),
        weight: next(),
        tags: next(),
    };
    if fields.next().is_some() {
        return Err(("secrets", FieldError::KeyColumns));
    }
    Ok(columns)
}

fn key(columns: &Columns<'_>, common: &Common) -> Result<NewProviderKey, FieldProblem> {
    let secret = form::secret(columns.secret, common.rule)?;
    let label = form::label(columns.label)?;
    let weight = match columns.weight {
        "" => common.weight,
        text => {
            let weight: u32 = text
                .parse()
                .map_err(|_| ("weight", FieldError::NotANumber))?;
            rules::weight(weight).map_err(|broken| form::wrong("weight", broken))?;
            weight
        }
    };
    let mut terms = common.terms.clone();
    let own = columns.tags.split([';', '|', '；']).map(str::trim);
    for tag in own.filter(|tag| !tag.is_empty()) {
        if !terms.tags.iter().any(|known| known == tag) {
            terms.tags.push(tag.to_owned());
        }
    }
    rules::tags(&terms.tags).map_err(|broken| form::wrong("tags", broken))?;
    Ok(NewProviderKey {
        secret,
        label,
        weight,
        terms,
    })
}

/// Whether a name looks like the secret, and the secret like a name: pasted in the other order, the secret
/// would be shown and kept as it is.
fn are_swapped(columns: &Columns<'_>) -> bool {
    let may_be = rules::may_be_secret(columns.label);
    let is_longer = columns.label.len() > columns.secret.len();
    rules::label(columns.label) == Err(Broken::ASecret) || (may_be && is_longer)
}

/// Whether it is the line above a table.
fn is_head(line: &str) -> bool {
    let small = line.to_ascii_lowercase();
    let mut names = small.split(',').map(unquoted);
    (names.next(), names.next()) == (Some("name"), Some("key"))
}

/// Each line that is not empty; a first one that names the columns is left out.
pub(super) fn pasted(text: &str, common: &Common) -> Vec<PastedKey> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = (1..).zip(text.lines().map(str::trim));
    let mut lines = lines.filter(|(_, line)| !line.is_empty()).peekable();
    if lines.peek().is_some_and(|(_, line)| is_head(line)) {
        lines.next();
    }
    let read = |(number, line)| {
        let parts = columns(line, common.rule).and_then(|parts| {
            let is_wrong = are_swapped(&parts);
            let wrong = form::wrong("label", Broken::ASecret);
            if is_wrong { Err(wrong) } else { Ok(parts) }
        });
        let (label, last4) = match &parts {
            Ok(parts) => (parts.label.to_owned(), form::last4(parts.secret)),
            Err(_) => (String::new(), String::new()),
        };
        PastedKey {
            number,
            label,
            last4,
            read: parts.and_then(|parts| key(&parts, common)),
        }
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common() -> Common {
        Common {
            rule: SecretRule {
                is_json: true,
                ..SecretRule::IN_A_HEADER
            },
            weight: 3,
            terms: KeyTerms {
                tags: vec!["all".to_owned()],
                ..KeyTerms::default()
            },
        }
    }

    #[test]
    fn lines_are_keys_with_names_or_rows_of_a_table() {
        let text = "\u{feff}name,key,weight,tags\r\n\r\nsk-0123456789ab\n sk-1123456789ab the second \n\
                    third,sk-2123456789ab,7,eu; new|all\n\"fourth\",\"sk-3123456789ab\"\n\
                    {\"private_key_id\":\"0123456789ab\",\"a\":1} fifth\n";
        let keys = pasted(text, &common());
        let told: Vec<_> = keys
            .iter()
            .map(|key| {
                let read = key.read.as_ref().expect("a key");
                (
                    key.number,
                    read.label.as_str(),
                    read.weight,
                    read.terms.tags.join("+"),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (3, "", 3, "all".to_owned()),
                (4, "the second", 3, "all".to_owned()),
                (5, "third", 7, "all+eu+new".to_owned()),
                (6, "fourth", 3, "all".to_owned()),
                (7, "fifth", 3, "all".to_owned()),
            ]
        );
        assert_eq!(keys[2].last4, "89ab");
    }

    #[test]
    fn a_secret_that_stands_where_names_do_is_refused_and_not_shown() {
        for (line, is_fine) in [
            ("prod-1 sk-live-0123456789abcdef", false),
            ("sk-live-0123456789abcdef,prod-1,1", false),
            ("prod-1 the AIzaSy0123456789abcdef", false),
            ("prod-1 7f3a9c0d1e2b4f5a6b7c", false),
            (
                "7f3a9c0d1e2b4f5a6b7c7f3a9c0d1e2b prod-eu-west-1-team-7",
                true,
            ),
            ("sk-0123456789ab sk-team", true),
            ("sk-0123456789ab the second one of 2026", true),
        ] {
            let [key] = <[PastedKey; 1]>::try_from(pasted(line, &common())).expect("one");
            assert_eq!(key.read.is_ok(), is_fine, "{line}");
            if !is_fine {
                assert_eq!((key.label.as_str(), key.last4.as_str()), ("", ""), "{line}");
            }
        }
    }

    #[test]
    fn a_line_that_is_wrong_says_so_under_its_number() {
        let long = "a".repeat(rules::LABEL_CHARS_MAX + 1);
        let text = format!(
            "ok,sk-0123456789ab\na,b,1,c,d\nx,sk-ü\ny,,1\nz,sk-1123456789ab,0\nw,sk-2123456789ab,many\n\
             {long},sk-3123456789ab\nv,sk-4123456789ab,1,{long}"
        );
        let wrong: Vec<_> = pasted(&text, &common())
            .into_iter()
            .filter_map(|key| Some((key.number, key.read.err()?.0)))
            .collect();
        assert_eq!(
            wrong,
            [
                (2, "secrets"),
                (3, "secret"),
                (4, "secret"),
                (5, "weight"),
                (6, "weight"),
                (7, "label"),
                (8, "tags")
            ]
        );
    }
}
