//! Reads the fields of a request beside its messages and tools.

use std::str::FromStr;

use super::super::raw::Raw;
use super::{Given, KNOWN};
use crate::dialect::BadBody;
use crate::dialect::neutral::{Effort, Format, Json, Reasoning, Sampling, unsaid};

/// What a schema is called that has no name.
const SCHEMA_NAME: &str = "response";

impl Given<'_> {
    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, BadBody> {
        let Some(raw) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || BadBody::of(name, format!("`{name}` must be true or false."));
        raw.flag().map(Some).ok_or_else(wrong)
    }

    pub(super) fn number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, BadBody> {
        let Some(raw) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || BadBody::of(name, format!("`{name}` is not a number as it may be."));
        raw.number().map(Some).ok_or_else(wrong)
    }

    /// The first of these fields that is a text and says something.
    pub(super) fn words<const N: usize>(&self, names: [&str; N]) -> Option<String> {
        let found = names.into_iter().find_map(|name| self.get(name)?.words());
        found.map(std::borrow::Cow::into_owned)
    }

    /// The larger of both maxima, which is what is held for.
    pub(super) fn output_max(&self) -> Result<Option<u64>, BadBody> {
        let older: Option<u64> = self.number("max_tokens")?;
        Ok(older.max(self.number("max_completion_tokens")?))
    }

    pub(super) fn sampling(&self) -> Result<Sampling, BadBody> {
        // vLLM and its like write that all are candidates as -1.
        let top_k: Option<i64> = self.number("top_k")?;
        Ok(Sampling {
            temperature: self.number("temperature")?,
            top_p: self.number("top_p")?,
            top_k: top_k.and_then(|top_k| u64::try_from(top_k).ok()),
            seed: self.number("seed")?,
            frequency_penalty: self.number("frequency_penalty")?,
            presence_penalty: self.number("presence_penalty")?,
        })
    }

    pub(super) fn stop(&self) -> Result<Vec<String>, BadBody> {
        let mut texts = Vec::new();
        let Some(raw) = self.get("stop") else {
            return Ok(texts);
        };
        let wrong = || BadBody::of("stop", "`stop` must be a text or an array of texts.");
        if raw.is_list() {
            raw.try_each(|_, entry| {
                texts.push(entry.text().ok_or_else(wrong)?.into_owned());
                Ok(())
            })?;
        } else {
            texts.push(raw.text().ok_or_else(wrong)?.into_owned());
        }
        texts.retain(|text| !text.is_empty());
        Ok(texts)
    }

    pub(super) fn format(&self) -> Result<Option<Format>, BadBody> {
        const NAME: &str = "response_format";
        let Some(raw) = self.get(NAME) else {
            return Ok(None);
        };
        let [kind, held, schema] = raw.pick(["type", "json_schema", "schema"]);
        let kind = kind.and_then(Raw::words).unwrap_or_default();
        Ok(Some(match &*kind {
            "text" => Format::Text,
            // Together and Fireworks put a schema beside it.
            "json_object" => match schema.filter(|schema| schema.is_object()) {
                Some(schema) => json_schema(None, schema)?,
                None => Format::JsonObject,
            },
            "json_schema" => {
                let missing =
                    || BadBody::of(NAME, "`response_format.json_schema` has no `schema`.");
                let held = held.ok_or_else(missing)?;
                json_schema(Some(held), held.get("schema").ok_or_else(missing)?)?
            }
            other => {
                let other: String = other.chars().take(40).collect();
                let message = format!(
                    "`response_format` of the type `{other}` can't be asked of the model's \
                     provider; use `json_schema`, `json_object` or `text`."
                );
                return Err(BadBody::of(NAME, message));
            }
        }))
    }

    /// How much is to be thought, by any of the names for it; OpenAI's own counts before others.
    pub(super) fn reasoning(&self) -> Result<Option<Reasoning>, BadBody> {
        let mut read = Reasoning::default();
        let mut is_on = None;
        if let Some(raw) = self.get("reasoning") {
            let [effort, budget, exclude, enabled] =
                raw.pick(["effort", "max_tokens", "exclude", "enabled"]);
            read.effort = effort
                .map(|raw| effort_of("reasoning", raw))
                .transpose()?
                .flatten();
            read.budget = budget.and_then(Raw::number);
            read.shows = exclude.and_then(Raw::flag).map(|exclude| !exclude);
            is_on = enabled.and_then(Raw::flag);
        }
        if let Some(raw) = self.get("thinking") {
            let [kind, budget] = raw.pick(["type", "budget_tokens"]);
            let kind = kind.and_then(Raw::words).unwrap_or_default();
            match &*kind {
                "disabled" => is_on = Some(false),
                "enabled" => is_on = Some(true),
                _ => {}
            }
            read.budget = read.budget.or_else(|| budget.and_then(Raw::number));
        }
        is_on = is_on.or(self.flag("enable_thinking")?);
        read.budget = read.budget.or(self.number("thinking_budget")?);
        read.shows = read.shows.or(self.flag("include_reasoning")?);
        if let Some(raw) = self.get("reasoning_effort") {
            read.effort = effort_of("reasoning_effort", raw)?.or(read.effort);
        }
        if is_on == Some(false) {
            read.effort = read.effort.or(Some(Effort::None));
        } else if is_on == Some(true) && read.budget.is_none() {
            read.effort = read.effort.or(Some(Effort::Medium));
        }
        Ok((read != Reasoning::default()).then_some(read))
    }

    /// Fields that nobody here reads and that say something.
    pub(super) fn unsaid(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (name, value) in &self.0 {
            let is_said = KNOWN.contains(&name.as_str())
                || value.is_nothing()
                || (name == "modalities" && is_text_alone(*value));
            if !is_said {
                unsaid::note(&mut names, name);
            }
        }
        names
    }
}

fn is_text_alone(modalities: Raw<'_>) -> bool {
    let mut is_alone = true;
    modalities.each(|entry| is_alone &= entry.text().as_deref() == Some("text"));
    is_alone
}

/// `None` for what says that the model is to think as it does by itself.
fn effort_of(field: &'static str, raw: Raw<'_>) -> Result<Option<Effort>, BadBody> {
    let word = raw.text().unwrap_or_default();
    if matches!(&*word, "default" | "auto") {
        return Ok(None);
    }
    let wrong = || {
        let message = format!(
            "`{field}` must be one of none, minimal, low, medium, high, xhigh, max for this model."
        );
        BadBody::of(field, message)
    };
    Effort::from_word(&word).map(Some).ok_or_else(wrong)
}

fn json_schema(held: Option<Raw<'_>>, schema: Raw<'_>) -> Result<Format, BadBody> {
    let wrong = || {
        BadBody::of(
            "response_format",
            "The schema of the answer must be an object.",
        )
    };
    let [name, description, strict] = held.map_or([None; 3], |held| {
        held.pick(["name", "description", "strict"])
    });
    let name = name.and_then(Raw::words);
    Ok(Format::JsonSchema {
        name: name.map_or_else(|| SCHEMA_NAME.to_owned(), std::borrow::Cow::into_owned),
        description: description
            .and_then(Raw::words)
            .map(std::borrow::Cow::into_owned),
        schema: schema
            .is_object()
            .then(|| Json::of(schema.json()))
            .flatten()
            .ok_or_else(wrong)?,
        strict: strict.and_then(Raw::flag),
    })
}
