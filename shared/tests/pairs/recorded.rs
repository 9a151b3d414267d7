//! Requests and answers as clients and providers send them, from the files beside.

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
