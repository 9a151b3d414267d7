//! Versions of the format and what each door to its models target: the header `anthropic-version`, flags of
//! `anthropic-beta`, and fields that are known at one door and refused at another. Sends nothing: whoever
//! calls a door asks here what fits it.
//!
//! Facts: platform.claude.com, "Versions", as of 2026-10; for Bedrock "Anthropic Claude Messages API" of
//! its user guide and for Vertex what others found refused, as of 2026-11.

use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::models::Takes;
use crate::dialect::{BadBody, Head};
use crate::json::{self, Edit};

/// The header that names the version.
pub(super) const VERSION: &str = "anthropic-version";
/// The header that turns on what is being tried out.
pub(super) const BETA: &str = "anthropic-beta";

/// A version of the format, the older before the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// Of 2023-06-01; what a request is that names none.
    #[default]
    Of2023,
    /// Of 2026-10-21: how words are chosen is the model's own matter.
    Of2026,
}

impl Version {
    /// As the header says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Of2023 => "2023-06-01",
            Self::Of2026 => "2026-10-21",
        }
    }

    /// The version that a request names.
    pub fn of(head: &Head) -> Result<Self, BadBody> {
        let Some(word) = head.header(VERSION) else {
            return Ok(Self::default());
        };
        let word = word.trim();
        let known = [Self::Of2023, Self::Of2026];
        let found = known.into_iter().find(|version| version.word() == word);
        found.ok_or_else(|| {
            let message = "The header `anthropic-version` names no known version; it may be \
                           `2023-06-01` or `2026-10-21`.";
            BadBody::of(VERSION, message)
        })
    }

    /// Whether a request may say how words are chosen.
    pub(super) fn has_sampling(self) -> bool {
        self == Self::Of2023
    }
}

/// The flags of an `anthropic-beta` header that are `known`, as a header, and those that are not. Doors
/// that know only some refuse a request for any other.
pub fn fitted_beta(value: &str, known: &[&str]) -> (String, Vec<String>) {
    let mut kept: Vec<&str> = Vec::new();
    let mut dropped: Vec<String> = Vec::new();
    for flag in value.split(',').map(str::trim) {
        if flag.is_empty() || kept.contains(&flag) {
            continue;
        }
        if known.contains(&flag) {
            kept.push(flag);
        } else if !dropped.iter().any(|other| other == flag) {
            dropped.push(flag.to_owned());
        }
    }
    (kept.join(","), dropped)
}

/// A way to Anthropic's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Anthropic's own.
    Anthropic,
    /// Amazon Bedrock's `invoke`.
    Bedrock,
    /// Google Vertex AI's `rawPredict`.
    Vertex,
}

/// What a target target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionTarget {
    /// Through which door it is called.
    pub door: Door,
    /// The newest version that it knows; models before 4.7 know only the older one at Bedrock.
    pub newest: Version,
    /// Whether the model lets a request say how words are chosen.
    pub sampling: bool,
    /// Whether the model knows `output_config`.
    pub output_config: bool,
}

impl VersionTarget {
    /// Of a model behind a door, by its name there. Other doors than Anthropic's own know the newer
    /// version for models from 4.7 on (for Vertex that is not confirmed), which are those that let nobody
    /// choose words.
    pub fn of(door: Door, model: &str) -> Self {
        let takes = Takes::of(model);
        let is_own = door == Door::Anthropic;
        let newest = if is_own || !takes.sampling {
            Version::Of2026
        } else {
            Version::Of2023
        };
        Self {
            door,
            newest,
            sampling: takes.sampling,
            output_config: is_own || takes.adaptive,
        }
    }
}

/// How a request fits a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fit {
    /// The version to call it with.
    pub version: Version,
    /// Fields that it refuses and that are no part of the meaning: their names, and where their values
    /// stand.
    pub unfit: Vec<(&'static str, Range<usize>)>,
}

impl Fit {
    /// The body without what does not fit.
    pub fn apply(&self, body: &Bytes) -> Bytes {
        let mut body = body.clone();
        // From the last on, so that places before stay where they are. One at a time: of neighbours both
        // would take the comma between them.
        let mut places: Vec<&Range<usize>> = self.unfit.iter().map(|(_, at)| at).collect();
        places.sort_unstable_by_key(|at| std::cmp::Reverse(at.start));
        for at in places {
            let edit = Edit::remove(&body, at);
            body = json::apply(&body, vec![edit]);
        }
        body
    }
}

/// Where a field is known.
struct Row {
    name: &'static str,
    /// Whether a target target it.
    fits: fn(&VersionTarget) -> bool,
    /// Whether a request without it still says what it said.
    is_advice: fn(&RawValue) -> bool,
}

/// The fields that not every target target. What is not named here fits everywhere, or changes the bill and
/// was refused before.
const ROWS: [Row; 9] = {
    const fn own(name: &'static str) -> Row {
        Row {
            name,
            fits: |target| matches!(target.door, Door::Anthropic),
            is_advice: |_| true,
        }
    }
    const fn sampling(name: &'static str) -> Row {
        Row {
            name,
            fits: |target| target.sampling,
            is_advice: |_| true,
        }
    }
    [
        own("cache_control"),
        own("context_management"),
        own("diagnostics"),
        own("service_tier"),
        own("speed"),
        sampling("temperature"),
        sampling("top_k"),
        sampling("top_p"),
        Row {
            name: "output_config",
            fits: |target| target.output_config,
            // An effort is advice, a format is not.
            is_advice: |value| {
                let found = json::fields(value.get().as_bytes(), ["format"]);
                matches!(found, Ok([format]) if format.is_none_or(|raw| raw.get() == "null"))
            },
        },
    ]
};

/// What of a request of version `tenant` does not fit a target, and with which version it is called; `Err`
/// where something does not fit without which the request would mean something else.
pub fn fit_version(tenant: Version, body: &[u8], target: &VersionTarget) -> Result<Fit, BadBody> {
    let names = ROWS.map(|row| row.name);
    let found = json::fields(body, names).map_err(|error| BadBody::whole(error.to_string()))?;
    let mut fit = Fit {
        version: tenant.min(target.newest),
        unfit: Vec::new(),
    };
    for (row, value) in ROWS.iter().zip(found) {
        let Some(value) = value.filter(|_| !(row.fits)(target)) else {
            continue;
        };
        if !(row.is_advice)(value) {
            let name = row.name;
            let message = format!("This model's provider does not take `{name}` with a `format`.");
            return Err(BadBody::of(name, message));
        }
        fit.unfit.push((row.name, json::span(body, value)));
    }
    Ok(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(version: &str) -> Head {
        Head {
            headers: vec![(VERSION.to_owned(), version.to_owned())],
            ..Head::default()
        }
    }

    #[test]
    fn a_version_is_one_of_two_and_the_older_where_none_is_named() {
        assert_eq!(Version::of(&Head::default()), Ok(Version::Of2023));
        for version in [Version::Of2023, Version::Of2026] {
            assert_eq!(Version::of(&head(version.word())), Ok(version));
        }
        for unknown in ["2023-01-01", "", "latest", "2026-10-21,2023-06-01"] {
            let wrong = Version::of(&head(unknown)).expect_err(unknown);
            assert_eq!(wrong.param, Some(VERSION));
            assert!(wrong.message.contains("2023-06-01") && wrong.message.contains("2026-10-21"));
        }
    }

    #[test]
    fn flags_that_are_not_known_are_dropped_by_name() {
        let known = ["interleaved-thinking-2025-05-14", "context-1m-2025-08-07"];
        let (kept, dropped) = fitted_beta(
            "context-1m-2025-08-07, advisor-tool-2026-03-01,,interleaved-thinking-2025-05-14,\
             context-1m-2025-08-07,advisor-tool-2026-03-01",
            &known,
        );
        assert_eq!(
            kept,
            "context-1m-2025-08-07,interleaved-thinking-2025-05-14"
        );
        assert_eq!(dropped, ["advisor-tool-2026-03-01"]);
        assert_eq!(fitted_beta("", &known), (String::new(), Vec::new()));
        assert_eq!(fitted_beta("a", &[]), (String::new(), vec!["a".to_owned()]));
    }

    #[test]
    fn a_request_is_fitted_to_a_door_without_losing_its_meaning() {
        let old = VersionTarget::of(Door::Bedrock, "us.anthropic.claude-haiku-4-5-20251001-v1:0");
        let new = VersionTarget::of(Door::Anthropic, "claude-opus-5-5");
        assert_eq!(
            VersionTarget::of(Door::Vertex, "claude-sonnet-5").newest,
            Version::Of2026
        );
        let body = Bytes::from_static(
            br#"{"model":"m","service_tier":"auto","cache_control":{"type":"ephemeral"},"temperature":1,"top_p":0.9,"output_config":{"effort":"low"},"messages":[]}"#,
        );
        for (target, version, left) in [
            (
                old,
                Version::Of2023,
                r#"{"model":"m","temperature":1,"top_p":0.9,"messages":[]}"#,
            ),
            (
                new,
                Version::Of2026,
                r#"{"model":"m","service_tier":"auto","cache_control":{"type":"ephemeral"},"output_config":{"effort":"low"},"messages":[]}"#,
            ),
        ] {
            let fit = fit_version(Version::Of2026, &body, &target).expect("it fits");
            assert_eq!(fit.version, version);
            assert_eq!(fit.apply(&body), Bytes::from_static(left.as_bytes()));
        }
        let fit = fit_version(Version::Of2023, &body, &new).expect("it fits");
        assert_eq!(fit.version, Version::Of2023, "what the tenant named");
        let all = Bytes::from_static(br#"{"speed":null,"service_tier":"auto"}"#);
        let fit = fit_version(Version::Of2023, &all, &old).expect("it fits");
        assert_eq!(fit.apply(&all), Bytes::from_static(b"{}"));
        let formed = br#"{"output_config":{"format":{"type":"json_schema","schema":{}}}}"#;
        let wrong = fit_version(Version::Of2023, formed, &old).expect_err("it is no advice");
        assert_eq!(wrong.param, Some("output_config"));
        assert!(fit_version(Version::Of2023, b"[", &old).is_err());
    }
}
