//! Requests and answers as clients and providers send them, from the files beside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::dialect::Head;

/// A tenant's request.
#[derive(Deserialize)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    /// Whether a stream is asked for, where the path says it.
    stream: Option<bool>,
    pub(crate) body: Box<RawValue>,
}

impl Recorded {
    /// What stands beside the body where a client asks for `model`.
    pub(crate) fn head(&self, dialect: &str, model: &str) -> Head {
        let is_in_path = dialect == "gemini";
        Head {
            model: is_in_path.then(|| model.to_owned()),
            stream: is_in_path.then(|| self.stream.unwrap_or(false)),
            headers: Vec::new(),
        }
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.body.get().as_bytes()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pairs")
}

/// The requests of a dialect's tenants.
pub(crate) fn requests(dialect: &str) -> Vec<Recorded> {
    let path = folder().join(format!("requests/{dialect}.json"));
    let text = std::fs::read_to_string(&path).expect("the file is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A provider's answer, whole and as it is streamed.
#[derive(Deserialize)]
pub(crate) struct Answered {
    pub(crate) name: String,
    whole: Box<RawValue>,
    /// The data of its events; those of frames under the frame's name.
    events: Vec<Box<RawValue>>,
}

/// The type of an event that tells it.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
}

impl Answered {
    pub(crate) fn whole(&self) -> &[u8] {
        self.whole.get().as_bytes()
    }

    /// The stream as a provider of the dialect sends it, and of frames as the connector writes them down.
    pub(crate) fn stream(&self, dialect: &str) -> Vec<u8> {
        let mut stream = String::new();
        for event in &self.events {
            let data = event.get();
            let event = match dialect {
                "openai_chat" => format!("data: {data}\n\n"),
                "gemini" => format!("data: {data}\r\n\r\n"),
                "bedrock_converse" => {
                    let frame: BTreeMap<String, Box<RawValue>> =
                        serde_json::from_str(data).expect("a frame");
                    let (name, payload) = frame.first_key_value().expect("a frame");
                    format!("event: {name}\ndata: {payload}\n\n")
                }
                _ => {
                    let typed: Typed = serde_json::from_str(data).expect("an event with a type");
                    format!("event: {}\ndata: {data}\n\n", typed.kind)
                }
            };
            stream.push_str(&event);
        }
        if dialect == "openai_chat" {
            stream += "data: [DONE]\n\n";
        }
        stream.into_bytes()
    }
}

/// The answers of a dialect's providers.
pub(crate) fn answers(dialect: &str) -> Vec<Answered> {
    let path = folder().join(format!("answers/{dialect}.json"));
    let text = std::fs::read_to_string(&path).expect("the file is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
