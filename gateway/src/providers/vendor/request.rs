//! The request that goes to a provider, and what of it to send otherwise when the provider refuses a field
//! by name. What of a tenant's bytes changes is its dialect's to say.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::request::Builder;
use http::{HeaderValue, Request};
use http_body_util::Full;
use shared::dialect::body::{Body, Form, FormPart, PartEdit};
use shared::dialect::{Dialect, EndUserField, Forward, Maximum, Quirks, Told};
use shared::fault::{Fault, FaultKind};
use shared::json::{self, Edit};
use shared::link::options::ProviderOptions;

use super::Way;
use super::doors::{Asked, Door, Fitted, Worded};
use crate::providers::spoken::{says_all, unsaid};
use crate::providers::{Refusal, Route, Spoken};

const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";
const STREAM_OPTIONS: &str = "stream_options";
const RESPONSE_FORMAT: &str = "response_format";

/// Built from nothing: no header of the tenant goes to a provider but those that its dialect knows.
pub(super) async fn request(
    door: &impl Door,
    asked: &Asked<'_>,
    route: Route<'_>,
) -> Result<Request<Full<Bytes>>, Fault> {
    let accept = if asked.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let request = Request::builder()
        .method(asked.method.clone())
        .uri(format!("{}{}", door.base(route), asked.path))
        .header(CONTENT_TYPE, asked.content_type)
        .header(ACCEPT, HeaderValue::from_static(accept))
        // Without it a provider may pack as it likes (RFC 9110, 12.5.3).
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .header(USER_AGENT, HeaderValue::from_static("waule"));
    let request = if door.has_headers() {
        of_dialect(request, asked, route)
    } else {
        request
    };
    let own = route.options.headers.iter();
    let request = own.fold(request, |request, header| {
        request.header(&header.name, &header.value)
    });
    let request = door.open(request, asked, route).await?;
    let wrong = |_| Fault::new(FaultKind::Internal, "the provider's address is not a URL");
    let mut request = request.body(Full::new(asked.body.clone())).map_err(wrong)?;
    for (name, value) in route.headers {
        // What the connector says itself is not taken out of its mouth.
        let entry = request.headers_mut().entry(name);
        entry.or_insert_with(|| value.clone());
    }
    Ok(request)
}

const ANTHROPIC_VERSION: &str = "anthropic-version";
/// Takes all that a translated request says.
const ANTHROPIC_VERSION_USUAL: &str = "2023-06-01";

/// What a dialect wants to be told in headers: the tenant's own words where it speaks that dialect, and
/// nothing that the operator says otherwise.
fn of_dialect(request: Builder, asked: &Asked<'_>, route: Route<'_>) -> Builder {
    let is_anthropics = |dialect: &dyn Dialect| dialect.headers().contains(&ANTHROPIC_VERSION);
    if !asked.dialect.is_some_and(is_anthropics) {
        return request;
    }
    let told = |name: &str| asked.headers.iter().any(|(known, _)| known == name);
    let own = |name: &str| route.options.headers.iter().any(|pair| pair.name == name);
    let request = if told(ANTHROPIC_VERSION) || own(ANTHROPIC_VERSION) {
        request
    } else {
        request.header(ANTHROPIC_VERSION, ANTHROPIC_VERSION_USUAL)
    };
    let headers = asked.headers.iter().filter(|(name, _)| !own(name));
    headers.fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

/// The tenant's request as `way` says it, to a model that differs by `quirks`.
pub(super) fn spoken(door: &impl Door, way: &Way<'_>, quirks: Quirks) -> Result<Spoken, Refusal> {
    let to = Forward {
        model: way.route.model,
        asks_usage: way.adds_usage(),
        quirks,
        end_user: way.call.end_user.as_deref(),
    };
    let mut spoken = Spoken::of((way.call, way.fetched), way.dialect, to)?;
    let worded = Worded {
        dialect: way.dialect,
        model: way.route.model,
        headers: way.headers(),
        body: &spoken.body,
    };
    let Fitted { body, dropped } = door.fitted(worded).map_err(|error| unsaid(&error))?;
    spoken.body = body;
    spoken.dropped.extend(dropped);
    says_all(way.call, &spoken.dropped)?;
    let options = way.route.options;
    if !options.leave_out.is_empty() || !options.rename.is_empty() {
        let (body, left_out) = match Body::of(Some(&spoken.content_type), spoken.body.clone()) {
            Ok(Body::Form(form)) => fitted_form(&form, options),
            Ok(_) | Err(_) => fitted(&spoken.body, options)?,
        };
        says_all(way.call, &left_out)?;
        spoken.body = body;
    }
    Ok(spoken)
}

/// A body without the fields that a provider does not take, and with the names that it has for others; and
/// the tenant's fields that it went without.
fn fitted(body: &Bytes, options: &ProviderOptions) -> Result<(Bytes, Vec<String>), Fault> {
    let (mut edits, mut left_out) = (Vec::new(), Vec::new());
    let read = json::each_field(body, |name, value| {
        let at = json::span(body, value);
        if options.leave_out.iter().any(|out| out == name) {
            // That one is ours as often as not.
            if name != STREAM_OPTIONS {
                left_out.push(name.to_owned());
            }
            edits.push(Edit::remove(body, &at));
        } else if let Some(pair) = options.rename.iter().find(|pair| pair.name == name) {
            edits.push(Edit::rename(body, &at, &pair.value));
        }
        Ok(())
    });
    read.map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
    Ok((json::apply(body, edits), left_out))
}

/// The same of a form.
fn fitted_form(form: &Form, options: &ProviderOptions) -> (Bytes, Vec<String>) {
    let is_out = |part: &FormPart| options.leave_out.contains(&part.name);
    let edit = |part: &FormPart| {
        let mut renames = options.rename.iter();
        match renames.find(|pair| pair.name == part.name) {
            _ if is_out(part) => PartEdit::Remove,
            Some(pair) => PartEdit::Name(&pair.value),
            None => PartEdit::Keep,
        }
    };
    let out = form.parts().iter().filter(|part| is_out(part));
    let left_out = out.map(|part| part.name.clone()).collect();
    (form.edited(edit, &[]), left_out)
}

/// Words of a refusal that does not know a field, and not only its value.
const UNKNOWN: [&str; 11] = [
    "unsupported",
    "not supported",
    "unrecognized",
    "unknown",
    "unexpected",
    "extra inputs",
    "extra fields",
    "not permitted",
    "not allowed",
    "instead",
    "deprecated",
];

/// How to send it again, when the refusal names a field that we added or that has another name there.
pub(super) fn otherwise(way: &Way<'_>, fault: &Fault, told: &Told) -> Option<Quirks> {
    if !matches!(fault.upstream_status, Some(400 | 422)) {
        return None;
    }
    let quirks = way.quirks;
    let message = told.message.to_lowercase();
    let is_unknown = is_unknown(told, &message);
    if is_unknown && refuses_end_user(way, told, &message) {
        return Some(Quirks {
            end_user: EndUserField::Nowhere,
            ..quirks
        });
    }
    let names = |field: &str| told.param.as_deref() == Some(field) || message.contains(field);
    let is_picture = way.dialect.picture_task().is_some();
    if is_picture && is_unknown && !quirks.no_response_format && names(RESPONSE_FORMAT) {
        return Some(Quirks {
            no_response_format: true,
            ..quirks
        });
    }
    if !way.dialect.has_openai_maxima() {
        return None;
    }
    let added_options = way.adds_usage() && !quirks.no_usage_option;
    if added_options && names(STREAM_OPTIONS) {
        return Some(Quirks {
            no_usage_option: true,
            ..quirks
        });
    }
    if !is_unknown {
        return None;
    }
    let wants = |maximum| {
        Some(Quirks { maximum, ..quirks }).filter(|other| other.maximum != quirks.maximum)
    };
    // `max_tokens` stands in no longer name.
    match told.param.as_deref() {
        Some(MAX_TOKENS) => return wants(Maximum::MaxCompletionTokens),
        Some(MAX_COMPLETION_TOKENS) => return wants(Maximum::MaxTokens),
        _ => {}
    }
    let first = |field: &str| message.find(field).unwrap_or(usize::MAX);
    match (first(MAX_TOKENS), first(MAX_COMPLETION_TOKENS)) {
        (usize::MAX, usize::MAX) => None,
        // The one that is named first is the one that is refused.
        (max, completion) if max < completion => wants(Maximum::MaxCompletionTokens),
        _ => wants(Maximum::MaxTokens),
    }
}

/// Whether a refusal, of which this is the message in small letters, says that it does not know a field.
fn is_unknown(told: &Told, message: &str) -> bool {
    let code = told.code.as_deref().unwrap_or_default();
    let kind = told.kind.as_deref().unwrap_or_default();
    UNKNOWN.iter().any(|word| message.contains(word))
        || ["unsupported_parameter", "unknown_parameter"].contains(&code)
        || kind == "extra_forbidden"
}

/// Fields that name an end user, of which we add one.
const END_USER: [&str; 4] = ["safety_identifier", "user_id", "metadata", "user"];

/// Whether a refusal names the field of the end user: as its `param`, or in quotes, since a message may
/// speak of users in many ways.
fn refuses_end_user(way: &Way<'_>, told: &Told, message: &str) -> bool {
    if way.call.end_user.is_none() || way.quirks.end_user == EndUserField::Nowhere {
        return false;
    }
    // Some name the whole way to a field: `body.user`, `metadata.user_id`.
    let is_of_param = |field: &str| {
        let mut parts = told.param.as_deref().unwrap_or_default().split('.');
        parts.find(|part| *part != "body") == Some(field)
    };
    let quoted = |field: &str| {
        let marks = [("'", "'"), ("\"", "\""), ("`", "`"), ("", ":")];
        let stands = |(before, after): (&str, &str)| {
            let word = format!("{before}{field}{after}");
            match before {
                // Without a quote in front it must be how the message begins (Anthropic: `metadata: ..`).
                "" => message.starts_with(&word),
                _ => message.contains(&word),
            }
        };
        let is_last = message
            .trim_end_matches('.')
            .ends_with(&format!(": {field}"));
        is_last || marks.into_iter().any(stands)
    };
    END_USER
        .iter()
        .any(|field| is_of_param(field) || quoted(field))
}

#[cfg(test)]
mod tests;
