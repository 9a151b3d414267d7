//! What is told of a model, as it is sent and shown.

use std::collections::BTreeSet;

use poem_openapi::Object;
use server_edge::date::{self, Date};
use server_rooms::catalogue::facts::{Capability, ModelFacts};
use server_rooms::catalogue::retirement::Retirement;
use shared::clock::Moment;
use shared::zone::Zone;

use crate::error::ApiError;

/// More words than there are.
const WORDS_MAX: usize = 64;

/// What is told of a model; what is absent is not told.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ModelFactsBody {
    /// Tokens of input and output together at most.
    pub context_tokens: Option<u64>,
    /// What it can: `tools`, `vision`, `audio_input`, `audio_output`, `video_input`, `file_input`, `image_output`,
    /// `structured_output`, `reasoning`, `prompt_caching`, `web_search`, `code_execution`, `streaming`.
    #[oai(default)]
    pub capabilities: Vec<String>,
    /// What it is good for, in at most 500 characters for tenants.
    pub description: Option<String>,
    /// Who made it, in at most 80 characters.
    pub owner: Option<String>,
    /// When it ends; without it, it stays.
    pub retirement: Option<RetirementBody>,
}

/// A planned end.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct RetirementBody {
    /// The last day, as `2026-12-31`, which ends as days do in the platform's time zone, or the moment in RFC
    /// 3339. It is kept and shown as a moment: another time zone of the platform moves no end.
    pub at: String,
    /// The model to use instead, for the same operation.
    pub successor: Option<String>,
    /// Whether the successor takes the calls afterwards, at its own price; else they are refused.
    #[oai(default)]
    pub redirect: bool,
    /// When the end was planned first, in RFC 3339; shown, and not taken.
    pub announced_at: Option<String>,
}

fn capabilities(words: &[String]) -> Result<BTreeSet<Capability>, ApiError> {
    let field = "facts.capabilities";
    if words.len() > WORDS_MAX {
        return Err(ApiError::bad_field(
            field,
            format!("`{field}` must have at most {WORDS_MAX} words."),
        ));
    }
    let known = |word: &String| {
        Capability::from_word(word).ok_or_else(|| {
            let all: Vec<&str> = Capability::ALL.iter().map(|one| one.word()).collect();
            let all = all.join(", ");
            ApiError::bad_field(field, format!("`{field}` must be some of: {all}."))
        })
    };
    words.iter().map(known).collect()
}

impl RetirementBody {
    fn read(self, zone: &Zone) -> Result<Retirement, ApiError> {
        let field = "facts.retirement.at";
        let wrong = |why: String| ApiError::bad_field(field, format!("`{field}`: {why}."));
        let date: Date = self
            .at
            .parse()
            .map_err(|error: date::DateError| wrong(error.to_string()))?;
        let at = date
            .over_in(zone)
            .ok_or_else(|| wrong("there is no such day".to_owned()))?;
        Ok(Retirement {
            at,
            announced_at: Moment::default(),
            successor: self.successor.filter(|id| !id.is_empty()),
            redirect: self.redirect,
        })
    }
}

impl ModelFactsBody {
    /// With days as `zone` has them.
    pub(super) fn read(self, zone: &Zone) -> Result<ModelFacts, ApiError> {
        Ok(ModelFacts {
            context_tokens: self.context_tokens,
            capabilities: capabilities(&self.capabilities)?,
            description: self.description.unwrap_or_default().trim().to_owned(),
            owner: self.owner.unwrap_or_default().trim().to_owned(),
            retirement: self.retirement.map(|end| end.read(zone)).transpose()?,
        })
    }
}

impl From<&ModelFacts> for ModelFactsBody {
    fn from(facts: &ModelFacts) -> Self {
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            context_tokens: facts.context_tokens,
            capabilities: facts
                .capabilities
                .iter()
                .map(|one| one.word().to_owned())
                .collect(),
            description: told(&facts.description),
            owner: told(&facts.owner),
            retirement: facts.retirement.as_ref().map(|end| RetirementBody {
                at: date::text(end.at),
                successor: end.successor.clone(),
                redirect: end.redirect,
                announced_at: Some(date::text(end.announced_at)),
            }),
        }
    }
}
