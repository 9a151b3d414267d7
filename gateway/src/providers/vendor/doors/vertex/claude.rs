//! A request in Anthropic's format as Vertex takes it: the model stands in the path, the version and what is
//! tried out stand in the body.

use shared::dialect::anthropic_messages::version::{
    Door, Version, VersionTarget, fit_version, fitted_beta,
};
use shared::dialect::{BadBody, Head};
use shared::json::{self, Edit, JsonError};

use super::super::{Fitted, Worded};

const BETA: &str = "anthropic-beta";
/// The only version that is documented.
const VERSION: &str = "\"vertex-2023-10-16\"";

/// What others found taken there as of 2026-11; a request with any other is refused.
const BETAS: [&str; 8] = [
    "compact-2026-01-12",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "interleaved-thinking-2025-05-14",
    "thinking-binding-controls-2026-08-01",
    "tool-search-tool-2025-10-19",
    "web-search-2025-03-05",
];

/// The body as it is taken there.
pub(super) fn fitted(worded: Worded<'_>) -> Result<Fitted, BadBody> {
    let head = Head {
        headers: worded.headers.to_vec(),
        ..Head::default()
    };
    let target = VersionTarget::of(Door::Vertex, worded.model);
    let fit = fit_version(Version::of(&head)?, worded.body, &target)?;
    let mut dropped: Vec<String> = fit.unfit.iter().map(|(name, _)| (*name).into()).collect();
    let mut body = fit.apply(worded.body);
    let broken = |error: JsonError| BadBody::whole(error.to_string());
    for name in ["model", "anthropic_version", "anthropic_beta"] {
        if let Some((_, without)) = json::take(&body, name).map_err(broken)? {
            body = without;
        }
    }
    let (betas, unknown) = fitted_beta(head.header(BETA).unwrap_or_default(), &BETAS);
    if !unknown.is_empty() {
        dropped.push(BETA.to_owned());
    }
    let mut edits = vec![Edit::insert(&body, "anthropic_version", VERSION)];
    if !betas.is_empty() {
        let betas: Vec<&str> = betas.split(',').collect();
        let list = serde_json::Value::from(betas).to_string();
        edits.push(Edit::insert(&body, "anthropic_beta", &list));
    }
    let body = json::apply(&body, edits);
    Ok(Fitted { body, dropped })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use shared::dialect::anthropic_messages::ANTHROPIC_MESSAGES;

    use super::*;

    fn fit(model: &str, body: &'static str, headers: &[(&str, &str)]) -> Result<Fitted, BadBody> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<(String, String)> = headers.iter().map(pair).collect();
        fitted(Worded {
            dialect: &ANTHROPIC_MESSAGES,
            model,
            headers: &headers,
            body: &Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn the_version_and_the_flags_go_into_the_body_and_the_model_out_of_it() {
        for (body, headers, sent, dropped) in [
            (
                r#"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[]}"#,
                &[][..],
                r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":1,"messages":[]}"#,
                &[][..],
            ),
            (
                r#"{"messages":[],"stream":true,"model":"m"}"#,
                &[
                    ("anthropic-version", "2026-10-21"),
                    (
                        BETA,
                        "effort-2025-11-24, context-1m-2025-08-07,interleaved-thinking-2025-05-14",
                    ),
                ],
                r#"{"anthropic_version":"vertex-2023-10-16","anthropic_beta":["context-1m-2025-08-07","interleaved-thinking-2025-05-14"],"messages":[],"stream":true}"#,
                &["anthropic-beta"],
            ),
            (
                r#"{"anthropic_version":"x","anthropic_beta":["y"],"model":"m"}"#,
                &[],
                r#"{"anthropic_version":"vertex-2023-10-16"}"#,
                &[],
            ),
            (
                r#"{"service_tier":"auto","model":"m","cache_control":{"type":"ephemeral"}}"#,
                &[],
                r#"{"anthropic_version":"vertex-2023-10-16"}"#,
                &["cache_control", "service_tier"],
            ),
        ] {
            let fitted = fit("claude-haiku-4-5@20251001", body, headers).expect("it fits");
            assert_eq!(fitted.body, sent);
            assert_eq!(fitted.dropped, dropped, "{body}");
        }
    }

    #[test]
    fn what_a_model_does_not_take_goes_and_what_it_must_know_is_refused() {
        let body = r#"{"model":"m","temperature":1,"output_config":{"effort":"low"}}"#;
        let fitted = fit("claude-opus-5-5", body, &[]).expect("it fits");
        let sent = r#"{"anthropic_version":"vertex-2023-10-16","output_config":{"effort":"low"}}"#;
        assert_eq!(fitted.body, sent);
        assert_eq!(fitted.dropped, ["temperature"]);
        let formed = r#"{"output_config":{"format":{"type":"json_schema","schema":{}}}}"#;
        assert!(fit("claude-haiku-4-5", formed, &[]).is_err());
        assert!(fit("claude-haiku-4-5", "{}", &[("anthropic-version", "1")]).is_err());
        assert!(fit("claude-haiku-4-5", r#"{"model":1,"model":2}"#, &[]).is_err());
    }
}
