//! The table of surfaces: each route on which tenants call models, with what it does and the wire format it
//! speaks. Routing, the API's document, the gateways' doors and the tests of every route read it; a new
//! surface is a row.

use crate::dialect::Dialect;
use crate::dialect::openai_chat::OPENAI_CHAT;
use crate::dialect::openai_completions::OPENAI_COMPLETIONS;
use crate::dialect::openai_embeddings::OPENAI_EMBEDDINGS;
use crate::dialect::openai_images::OPENAI_IMAGES;
use crate::dialect::openai_moderations::OPENAI_MODERATIONS;
use crate::link::Operation;

/// How a request's body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// As JSON.
    Json,
    /// As a form with files.
    Form,
}

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerForm {
    /// As JSON, at once.
    Json,
    /// As JSON, or as server-sent events where a request asks for them.
    Events,
    /// As bytes of a type of their own.
    Binary,
}

/// One route.
#[derive(Debug)]
pub struct Surface {
    /// Below the version of the API, at the tenant and at providers that speak the same dialect.
    pub path: &'static str,
    /// What it does.
    pub operation: Operation,
    /// The wire format.
    pub dialect: &'static dyn Dialect,
    /// What it takes.
    pub input: BodyFormat,
    /// What it gives.
    pub answer: AnswerForm,
    /// The largest body in bytes; the setting of the whole server where it is absent.
    pub body_bytes_max: Option<usize>,
    /// Its name in the API's document.
    pub title: &'static str,
    /// What it does, for those who call it.
    pub about: &'static str,
}

/// Every surface. The first one of an operation is the one that pages of the console call.
pub static SURFACES: [&Surface; 5] = [&CHAT, &EMBEDDINGS, &IMAGES, &COMPLETIONS, &MODERATIONS];

static CHAT: Surface = Surface {
    path: "/chat/completions",
    operation: Operation::Chat,
    dialect: &OPENAI_CHAT,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Chat",
    about: "OpenAI's chat completions. Every field of OpenAI's reference is passed on; `stream: true` answers \
            server-sent events. Credits for the worst case are held first; when the balance covers only a part, \
            the maximum of output tokens is lowered and the header `x-waule-max-tokens` says to what.",
};

static EMBEDDINGS: Surface = Surface {
    path: "/embeddings",
    operation: Operation::Embedding,
    dialect: &OPENAI_EMBEDDINGS,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: None,
    title: "Embeddings",
    about: "OpenAI's embeddings; `input` is a text, an array of texts or of tokens.",
};

static IMAGES: Surface = Surface {
    path: "/images/generations",
    operation: Operation::Image,
    dialect: &OPENAI_IMAGES,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Images",
    about: "OpenAI's image generations. A call that names no model goes to the platform's default: the one \
            that an operator marked, else the oldest that your key may use.",
};

static COMPLETIONS: Surface = Surface {
    path: "/completions",
    operation: Operation::Completion,
    dialect: &OPENAI_COMPLETIONS,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Completions",
    about: "OpenAI's completions, as they were before chats: `prompt` is a text, an array of tokens, or an \
            array of either, each answered by itself. `best_of` above 1 is refused: ask with `n`.",
};

static MODERATIONS: Surface = Surface {
    path: "/moderations",
    operation: Operation::Moderation,
    dialect: &OPENAI_MODERATIONS,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: Some(16 * 1024 * 1024),
    title: "Moderations",
    about: "OpenAI's moderations: whether texts and pictures hold what nobody should. A call that names no \
            model goes to the platform's default.",
};

impl Surface {
    /// The surface of that path.
    pub fn at(path: &str) -> Option<&'static Self> {
        SURFACES.into_iter().find(|surface| surface.path == path)
    }

    /// The first surface that speaks that dialect.
    pub fn of_dialect(dialect: &dyn Dialect) -> Option<&'static Self> {
        let mut all = SURFACES.into_iter();
        all.find(|surface| surface.dialect.name() == dialect.name())
    }

    /// The first surface of an operation.
    pub fn of(operation: Operation) -> &'static Self {
        let found = SURFACES.into_iter().find(|one| one.operation == operation);
        // A test of the table says that there is one.
        found.unwrap_or(&CHAT)
    }
}

/// Two are the same when their paths are: a path is one route.
impl PartialEq for Surface {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Surface {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_one_row_and_every_operation_has_one() {
        for surface in SURFACES {
            let same = SURFACES.into_iter().filter(|other| *other == surface);
            assert_eq!(same.count(), 1, "{}", surface.path);
            assert_eq!(Surface::at(surface.path), Some(surface));
            assert!(surface.path.starts_with('/') && !surface.path.ends_with('/'));
            let schema = surface.dialect.request_schema();
            let _: serde_json::Value = serde_json::from_str(schema).expect(surface.path);
        }
        for operation in Operation::ALL {
            assert_eq!(Surface::of(operation).operation, operation);
        }
        assert_eq!(Surface::at("/chat"), None);
    }
}
