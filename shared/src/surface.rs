//! The table of surfaces: each route on which tenants call models, with what it does and the wire format it
//! speaks. Routing, the API's document, the gateways' doors and the tests of every route read it; a new
//! surface is a row.

use std::borrow::Cow;

use crate::dialect::Dialect;
use crate::dialect::anthropic_messages::ANTHROPIC_MESSAGES;
use crate::dialect::gemini::GEMINI;
use crate::dialect::gemini_embeddings::{GEMINI_EMBEDDING, GEMINI_EMBEDDINGS};
use crate::dialect::openai_chat::OPENAI_CHAT;
use crate::dialect::openai_completions::OPENAI_COMPLETIONS;
use crate::dialect::openai_embeddings::OPENAI_EMBEDDINGS;
use crate::dialect::openai_images::{OPENAI_IMAGE_EDITS, OPENAI_IMAGE_VARIATIONS, OPENAI_IMAGES};
use crate::dialect::openai_moderations::OPENAI_MODERATIONS;
use crate::dialect::openai_responses::OPENAI_RESPONSES;
use crate::dialect::rerank::RERANK;
use crate::link::Operation;

/// How a request's body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// As JSON.
    Json,
    /// As a form with files.
    Form,
    /// As either, which its content type says.
    FormOrJson,
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

/// Where tenants call a surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantPath {
    /// At its path; the body says which model, and whether as a stream.
    Plain,
    /// The same, and below these versions of a vendor's API too, which its clients put before the path.
    Versioned(&'static [&'static str]),
    /// At `models/{model}:{verb}`: the path says both.
    Model {
        /// The version of the vendor's API that its clients put before it. Below `v1` it is there too.
        version: &'static str,
        /// What may stand behind the colon.
        verbs: &'static [Verb],
    },
}

impl TenantPath {
    /// Whether the path says which model is called.
    pub fn names_model(self) -> bool {
        matches!(self, Self::Model { .. })
    }
}

/// What a path asks of the model that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    /// As it stands behind the colon.
    pub word: &'static str,
    /// Whether it asks for a stream.
    pub stream: bool,
}

/// Where the tokens of a request are counted, which calls nobody and costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// Where the surface's path is plain, a path of its own; else one more verb.
    pub at: &'static str,
    /// The answer, up to the number.
    pub answer: &'static str,
}

impl Counting {
    /// The answer for so many tokens.
    pub fn told(&self, tokens: u64) -> String {
        format!("{}{tokens}}}", self.answer)
    }
}

/// One route.
#[derive(Debug)]
pub struct Surface {
    /// What it is known by, one of its own: below the version of the API at the gateways' doors, at
    /// providers that speak the same dialect, and where [`Self::at`] is plain at the tenant.
    pub path: &'static str,
    /// Where tenants call it.
    pub at: TenantPath,
    /// Where they have its requests counted.
    pub counting: Option<Counting>,
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
pub static SURFACES: [&Surface; 13] = [
    &CHAT,
    &EMBEDDINGS,
    &IMAGES,
    &IMAGE_EDITS,
    &IMAGE_VARIATIONS,
    &COMPLETIONS,
    &MODERATIONS,
    &RESPONSES,
    &MESSAGES,
    &GENERATE,
    &EMBED_CONTENT,
    &BATCH_EMBED_CONTENTS,
    &RANKINGS,
];

static CHAT: Surface = Surface {
    path: "/chat/completions",
    at: TenantPath::Plain,
    counting: None,
    operation: Operation::Chat,
    dialect: &OPENAI_CHAT,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Chat",
    about: "OpenAI's chat completions. Every field of OpenAI's reference is passed on; `stream: true` answers \
            server-sent events. Credits for the worst case are held first; when the balance covers only a part, \
            the maximum of output tokens is lowered and the header `x-waule-max-tokens` says to what. With \
            `store: true` the answer is kept, with its `metadata`, where your tenant keeps answers; \
            `x-waule-not-kept` tells why one is not.",
};

static EMBEDDINGS: Surface = Surface {
    path: "/embeddings",
    at: TenantPath::Plain,
    counting: None,
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
    at: TenantPath::Plain,
    counting: None,
    operation: Operation::Image,
    dialect: &OPENAI_IMAGES,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Images",
    about: "OpenAI's image generations. A call that names no model goes to the platform's default: the one \
            that an operator marked, else the oldest that your key may use. `image` and `images` may hold pictures \
            to work from, as URLs or data URLs, where the model takes some; with `stream: true` each picture is an \
            event, after up to three of its drafts (`partial_images`). What is not made is not charged.",
};

static IMAGE_EDITS: Surface = Surface {
    path: "/images/edits",
    at: TenantPath::Plain,
    counting: None,
    operation: Operation::Image,
    dialect: &OPENAI_IMAGE_EDITS,
    input: BodyFormat::FormOrJson,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Image edits",
    about: "OpenAI's image edits: 1 to 16 pictures are changed as `prompt` says, where `mask` is clear if there is \
            one. As a form with files in `image` or `image[]`, or as JSON with URLs and data URLs in `image` or \
            `images`. What a model's provider can't be told is named in the header `x-waule-dropped`; a mask that it \
            has no place for is refused.",
};

static IMAGE_VARIATIONS: Surface = Surface {
    path: "/images/variations",
    at: TenantPath::Plain,
    counting: None,
    operation: Operation::Image,
    dialect: &OPENAI_IMAGE_VARIATIONS,
    input: BodyFormat::FormOrJson,
    answer: AnswerForm::Json,
    body_bytes_max: None,
    title: "Image variations",
    about: "OpenAI's image variations: others like the picture in `image`, by any model that works from pictures. \
            As a form with a file, or as JSON with a URL or a data URL.",
};

static COMPLETIONS: Surface = Surface {
    path: "/completions",
    at: TenantPath::Plain,
    counting: None,
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
    at: TenantPath::Plain,
    counting: None,
    operation: Operation::Moderation,
    dialect: &OPENAI_MODERATIONS,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: Some(16 * 1024 * 1024),
    title: "Moderations",
    about: "OpenAI's moderations: whether texts and pictures hold what nobody should. A call that names no \
            model goes to the platform's default.",
};

static RESPONSES: Surface = Surface {
    path: "/responses",
    at: TenantPath::Plain,
    counting: Some(Counting {
        at: "/responses/input_tokens",
        answer: "{\"object\":\"response.input_tokens\",\"input_tokens\":",
    }),
    operation: Operation::Chat,
    dialect: &OPENAI_RESPONSES,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Responses",
    about: "OpenAI's Responses for any chat model. Where your tenant keeps answers, `store` is true where nothing \
            is said, and `previous_response_id`, `conversation` and `background` are taken; elsewhere nothing is \
            kept, which the answer's `store` says, and these are refused. No provider keeps anything. A model of another dialect is translated, and the \
            header `x-waule-dropped` names what could not be said.",
};

static MESSAGES: Surface = Surface {
    path: "/messages",
    at: TenantPath::Plain,
    counting: Some(Counting {
        at: "/messages/count_tokens",
        answer: "{\"input_tokens\":",
    }),
    operation: Operation::Chat,
    dialect: &ANTHROPIC_MESSAGES,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Messages",
    about: "Anthropic's Messages, of both versions of its API, for any chat model; a model of another dialect \
            is translated, and the header `x-waule-dropped` names what could not be said. The key goes into \
            `x-api-key` or `authorization`.",
};

static GENERATE: Surface = Surface {
    path: "/generate",
    at: TenantPath::Model {
        version: "v1beta",
        verbs: &[
            Verb {
                word: "generateContent",
                stream: false,
            },
            Verb {
                word: "streamGenerateContent",
                stream: true,
            },
        ],
    },
    counting: Some(Counting {
        at: "countTokens",
        answer: "{\"totalTokens\":",
    }),
    operation: Operation::Chat,
    dialect: &GEMINI,
    input: BodyFormat::Json,
    answer: AnswerForm::Events,
    body_bytes_max: None,
    title: "Generate",
    about: "Google's generateContent for any chat model; a stream is one JSON array that comes element by \
            element, with `alt=sse` in the query server-sent events. A model of another dialect is \
            translated, and the header `x-waule-dropped` names what could not be said. The key goes into \
            `x-goog-api-key` or the query's `key`.",
};

static EMBED_CONTENT: Surface = Surface {
    path: "/embed-content",
    at: TenantPath::Model {
        version: "v1beta",
        verbs: &[Verb {
            word: "embedContent",
            stream: false,
        }],
    },
    counting: None,
    operation: Operation::Embedding,
    dialect: &GEMINI_EMBEDDING,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: None,
    title: "Embed",
    about: "Google's embedContent for any model of embeddings: one content, one vector. A model of another \
            dialect is translated: what has several parts is one text, a line each, and the header \
            `x-waule-dropped` names what could not be said.",
};

static BATCH_EMBED_CONTENTS: Surface = Surface {
    path: "/batch-embed-contents",
    at: TenantPath::Model {
        version: "v1beta",
        verbs: &[Verb {
            word: "batchEmbedContents",
            stream: false,
        }],
    },
    counting: None,
    operation: Operation::Embedding,
    dialect: &GEMINI_EMBEDDINGS,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: None,
    title: "Embed several",
    about: "Google's batchEmbedContents for any model of embeddings: as Embed, for up to 2,048 contents at \
            once. A provider may take fewer.",
};

static RANKINGS: Surface = Surface {
    path: "/rerank",
    at: TenantPath::Versioned(&["v2"]),
    counting: None,
    operation: Operation::Rerank,
    dialect: &RERANK,
    input: BodyFormat::Json,
    answer: AnswerForm::Json,
    body_bytes_max: Some(16 * 1024 * 1024),
    title: "Rerank",
    about: "Documents in the order in which they answer a query, as Cohere's and Jina's clients ask for it; \
            Cohere's call `/api/v2/rerank`, which is the same. `documents` holds up to 2,048 texts, objects with a \
            `text` or, for models that see, with an `image`. The answer has what both read: `results`, best \
            first, `meta.billed_units` and `usage`; with `return_documents: true` each result has its document. \
            Providers bill by searches (a query with up to 100 documents) or by tokens (the query again with \
            each document); the header `x-waule-dropped` names what one has no words for.",
};

impl Surface {
    /// The surface of that path.
    pub fn at(path: &str) -> Option<&'static Self> {
        SURFACES.into_iter().find(|surface| surface.path == path)
    }

    /// The surface whose verb it is, and whether that asks for a stream; of one that counts the stream is
    /// absent.
    pub fn of_verb(
        surfaces: &'static [&'static Self],
        word: &str,
    ) -> Option<(&'static Self, Option<bool>)> {
        surfaces.iter().find_map(|surface| {
            let TenantPath::Model { verbs, .. } = surface.at else {
                return None;
            };
            if let Some(verb) = verbs.iter().find(|verb| verb.word == word) {
                return Some((*surface, Some(verb.stream)));
            }
            let counting = surface.counting.filter(|counting| counting.at == word);
            counting.map(|_| (*surface, None))
        })
    }

    /// Where requests are counted, below the version of the API; no other route's path.
    pub fn counting_path(&self) -> Option<Cow<'static, str>> {
        let at = self.counting?.at;
        Some(match self.at {
            TenantPath::Plain | TenantPath::Versioned(_) => Cow::Borrowed(at),
            TenantPath::Model { .. } => Cow::Owned(format!("{}/{at}", self.path)),
        })
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
            if let Some(counting) = surface.counting {
                let path = surface.counting_path().expect("it counts");
                assert!(path.starts_with('/') && Surface::at(&path).is_none());
                let told = counting.told(7);
                let _: serde_json::Value = serde_json::from_str(&told).expect("an object");
                let is_path = counting.at.starts_with('/');
                assert_eq!(is_path, !surface.at.names_model(), "{path}");
            }
            if let TenantPath::Model { verbs, .. } = surface.at {
                for verb in verbs {
                    let found = Surface::of_verb(&SURFACES, verb.word);
                    assert_eq!(
                        found,
                        Some((surface, Some(verb.stream))),
                        "one verb, one row"
                    );
                }
            }
            let schema = surface.dialect.request_schema();
            let _: serde_json::Value = serde_json::from_str(schema).expect(surface.path);
        }
        for operation in Operation::ALL {
            assert_eq!(Surface::of(operation).operation, operation);
        }
        assert_eq!(Surface::at("/chat"), None);
    }
}
