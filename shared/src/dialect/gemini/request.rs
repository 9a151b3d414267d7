//! The request that goes to a provider: the tenant's bytes, with another maximum where one is set. The model
//! goes into the provider's path, and so a body that names one loses it.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::fields::CONFIG;
use crate::dialect::{BadBody, Maxima};
use crate::json::{self, Edit};

/// The body with the maximum of output tokens set to `tokens`.
pub(super) fn with_maximum(body: &Bytes, maxima: &Maxima, tokens: u64) -> Bytes {
    let json = tokens.to_string();
    let edits = match maxima.kept_and_others() {
        Some((kept, others)) => {
            let removed = others.map(|at| Edit::remove(body, at));
            let mut edits: Vec<Edit> = removed.collect();
            edits.push(Edit::replace(kept, json));
            edits
        }
        None => vec![added(body, &json)],
    };
    json::apply(body, edits)
}

/// Puts the maximum into the object that holds it, which may not be there yet.
fn added(body: &Bytes, tokens: &str) -> Edit {
    let field = format!("\"maxOutputTokens\":{tokens}");
    let found = json::fields(body, [CONFIG, "generation_config"]);
    let config = found
        .ok()
        .and_then(|found| found.into_iter().flatten().next());
    let Some(config) = config else {
        return Edit::insert(body, CONFIG, &format!("{{{field}}}"));
    };
    let at = json::span(body, config);
    match config.get().strip_prefix('{') {
        None => Edit::replace(at, format!("{{{field}}}")),
        Some(inside) => {
            let comma = if inside.trim_start().starts_with('}') {
                ""
            } else {
                ","
            };
            Edit::replace(at.start..at.start + 1, format!("{{{field}{comma}"))
        }
    }
}

/// The tenant's bytes for a provider.
pub(super) fn forwarded(body: &Bytes) -> Result<Bytes, BadBody> {
    let [model] =
        json::fields(body, ["model"]).map_err(|error| BadBody::whole(error.to_string()))?;
    let remove = |model: &RawValue| Edit::remove(body, &json::span(body, model));
    Ok(json::apply(body, model.map(remove).into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::body::Body;
    use crate::dialect::gemini::GEMINI;
    use crate::dialect::{Dialect, Head};

    fn lowered(json: &str) -> String {
        let head = Head {
            model: Some("m".to_owned()),
            ..Head::default()
        };
        let asked = GEMINI.read(&head, &Body::of_json(json)).expect("read");
        let body = Bytes::copy_from_slice(json.as_bytes());
        let lowered = GEMINI.with_maximum(&body, &asked, 9);
        String::from_utf8(lowered.to_vec()).expect("UTF-8")
    }

    #[test]
    fn a_maximum_is_put_where_it_belongs() {
        let contents = r#""contents":[{"parts":[{"text":"generationConfig"}]}]"#;
        for (from, to) in [
            (
                format!("{{{contents}}}"),
                format!("{{\"generationConfig\":{{\"maxOutputTokens\":9}},{contents}}}"),
            ),
            (
                format!(
                    "{{{contents},\"generationConfig\":{{\"topK\":1,\"maxOutputTokens\": 70}}}}"
                ),
                format!(
                    "{{{contents},\"generationConfig\":{{\"topK\":1,\"maxOutputTokens\": 9}}}}"
                ),
            ),
            (
                format!("{{{contents},\"generation_config\":{{ \"max_output_tokens\":null}}}}"),
                format!("{{{contents},\"generation_config\":{{ \"max_output_tokens\":9}}}}"),
            ),
            (
                format!("{{{contents},\"generation_config\":{{ \"topK\":1}}}}"),
                format!(
                    "{{{contents},\"generation_config\":{{\"maxOutputTokens\":9, \"topK\":1}}}}"
                ),
            ),
            (
                format!("{{{contents},\"generationConfig\":{{ }}}}"),
                format!("{{{contents},\"generationConfig\":{{\"maxOutputTokens\":9 }}}}"),
            ),
            (
                format!("{{\"generationConfig\":null,{contents}}}"),
                format!("{{\"generationConfig\":{{\"maxOutputTokens\":9}},{contents}}}"),
            ),
        ] {
            assert_eq!(lowered(&from), to);
            let _: serde_json::Value = serde_json::from_str(&to).expect("JSON");
        }
    }

    #[test]
    fn a_body_passes_as_it_is_but_for_the_name_of_its_model() {
        let same =
            Bytes::from_static(b"{\"contents\":[ {\"parts\":[{\"text\":\"\\ud800\"}]}],\"x\":1}");
        assert_eq!(forwarded(&same), Ok(same.clone()));
        let named = Bytes::from_static(b"{\"model\":\"models/m\",\"contents\":[]}");
        assert_eq!(
            forwarded(&named),
            Ok(Bytes::from_static(b"{\"contents\":[]}"))
        );
        assert!(forwarded(&Bytes::from_static(b"[]")).is_err());
    }
}
