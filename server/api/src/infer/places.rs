//! Where each surface is answered, as a table: the canonical paths, which `manners::address` makes of all that
//! clients write, and whose shape a refusal has there. Holds no route itself.

use http::HeaderMap;
use poem::Request;
use shared::dialect::{ApiFamily, Dialect};
use shared::surface::{Surface, TenantPath};

use crate::manage::models::family_of;
use crate::{BETA_PREFIX, PREFIX};

/// What is asked at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A model's answer.
    Answer,
    /// How many tokens the input is.
    Count,
}

/// One route.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its whole path.
    pub path: String,
    /// Whose it is.
    pub surface: &'static Surface,
    /// What is asked there.
    pub asks: Asks,
}

/// Every route of some surfaces.
#[derive(Debug, Clone)]
pub struct Places {
    surfaces: &'static [&'static Surface],
    all: Vec<Place>,
}

impl Places {
    /// Those of these surfaces.
    pub fn of(surfaces: &'static [&'static Surface]) -> Self {
        let mut all = Vec::new();
        for surface in surfaces.iter().copied() {
            let mut add = |below: &str, asks| {
                let path = format!("{PREFIX}{below}");
                all.push(Place {
                    path,
                    surface,
                    asks,
                });
            };
            add(surface.path, Asks::Answer);
            if let Some(path) = surface.counting_path() {
                add(&path, Asks::Count);
            }
        }
        Self { surfaces, all }
    }

    /// All of them.
    pub fn all(&self) -> &[Place] {
        &self.all
    }

    /// The format in which a request is refused; `None` where that is OpenAI's, as everywhere else.
    pub(super) fn dialect(&self, request: &Request) -> Option<&'static dyn Dialect> {
        let path = request.uri().path();
        if let Some(place) = self.all.iter().find(|place| place.path == path) {
            return Some(place.surface.dialect);
        }
        let family = list_family(path, request.headers())?;
        let dialects = self.surfaces.iter().map(|surface| surface.dialect);
        dialects.into_iter().find(|one| one.family() == family)
    }
}

/// Where clients call a surface, as the document writes it.
pub fn shown_paths(surface: &Surface) -> Vec<String> {
    match surface.at {
        TenantPath::Plain | TenantPath::Versioned(_) => vec![format!("{PREFIX}{}", surface.path)],
        TenantPath::Model { version, verbs } => {
            let words = verbs.iter().map(|verb| verb.word);
            words.map(|word| with_model(version, word)).collect()
        }
    }
}

/// Where clients have a surface's requests counted, in the same way.
pub fn shown_counting_path(surface: &Surface) -> Option<String> {
    let at = surface.counting?.at;
    Some(match surface.at {
        TenantPath::Plain | TenantPath::Versioned(_) => format!("{PREFIX}{at}"),
        TenantPath::Model { version, .. } => with_model(version, at),
    })
}

fn with_model(version: &str, word: &str) -> String {
    format!("/api/{version}/models/{{model}}:{word}")
}

/// Whose list of models is asked for, where it is not OpenAI's.
fn list_family(path: &str, headers: &HeaderMap) -> Option<ApiFamily> {
    if path.starts_with(BETA_PREFIX) {
        return Some(ApiFamily::Gemini);
    }
    let below = path.strip_prefix(PREFIX)?.strip_prefix("/models")?;
    let is_list = below.is_empty() || below.starts_with('/');
    Some(family_of(headers)).filter(|family| is_list && *family != ApiFamily::OpenAi)
}
