//! Which model of a list is which of the catalogue: by the name that a model has at its provider, then by
//! names with the provider's in front, then by the name that tenants use. Guesses at nothing that is only
//! alike.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{ListShape, ListedModel};
use crate::catalogue::model::Model;

/// What lists call the providers that have another name here.
const ALIASES: [(&str, &[&str]); 11] = [
    (
        "gemini",
        &[
            "gemini",
            "vertex_ai-language-models",
            "vertex_ai-embedding-models",
            "vertex_ai-image-models",
        ],
    ),
    (
        "vertex",
        &[
            "vertex_ai",
            "vertex_ai-language-models",
            "vertex_ai-anthropic_models",
        ],
    ),
    ("azure", &["azure", "azure_ai", "azure_text"]),
    ("bedrock", &["bedrock", "bedrock_converse"]),
    ("openai", &["openai", "text-completion-openai"]),
    ("qwen", &["dashscope"]),
    ("jina", &["jina_ai"]),
    ("zhipu", &["zai", "zhipu"]),
    ("doubao", &["volcengine"]),
    ("together", &["together_ai"]),
    ("fireworks", &["fireworks_ai"]),
];

/// How a model was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The name of a target, of the provider's own kind.
    Target,
    /// The name of a target with the provider's in front.
    Prefix,
    /// The name of a target, though the list says of another provider, or of none.
    Name,
    /// The name that tenants use.
    Model,
}

impl MatchedBy {
    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Prefix => "prefix",
            Self::Name => "name",
            Self::Model => "model",
        }
    }
}

/// Models of a list by their names.
#[derive(Debug)]
pub struct ListIndex<'a> {
    shape: ListShape,
    by_name: HashMap<&'a str, usize>,
    models: &'a [ListedModel],
}

/// What lists may call a kind of provider.
fn aliases(kind: &str) -> Vec<String> {
    let known = ALIASES.iter().find(|(name, _)| *name == kind);
    match known {
        Some((_, names)) => names.iter().map(|name| (*name).to_owned()).collect(),
        None => vec![kind.to_owned(), kind.replace('-', "_")],
    }
}

impl<'a> ListIndex<'a> {
    /// Of these.
    pub fn new(shape: ListShape, models: &'a [ListedModel]) -> Self {
        let named = models.iter().enumerate();
        Self {
            shape,
            by_name: named.map(|(at, model)| (model.name.as_str(), at)).collect(),
            models,
        }
    }

    fn named(&self, name: &str) -> Option<(usize, &'a ListedModel)> {
        let at = *self.by_name.get(name)?;
        Some((at, self.models.get(at)?))
    }

    /// The place in the list of a model of the catalogue, whose providers' kinds are `kinds`.
    pub fn find(
        &self,
        model: &Model,
        kinds: &HashMap<String, String>,
    ) -> Option<(usize, MatchedBy)> {
        let by_id = || Some((self.named(&model.id)?.0, MatchedBy::Model));
        if self.shape == ListShape::Own {
            return by_id();
        }
        // The first place to run is the one whose cost counts.
        for target in &model.targets {
            let kind = kinds.get(&target.provider).unwrap_or(&target.provider);
            let aliases = aliases(kind);
            let exact = self.named(&target.model);
            let is_of = |listed: &ListedModel| {
                let provider = listed.provider.as_ref();
                provider.is_some_and(|provider| aliases.contains(provider))
            };
            if let Some((at, _)) = exact.filter(|(_, listed)| is_of(listed)) {
                return Some((at, MatchedBy::Target));
            }
            let mut prefixed = aliases.iter();
            let found = prefixed.find_map(|alias| self.named(&format!("{alias}/{}", target.model)));
            if let Some((at, _)) = found {
                return Some((at, MatchedBy::Prefix));
            }
            if let Some((at, _)) = exact {
                return Some((at, MatchedBy::Name));
            }
        }
        by_id()
    }
}
