//! An answer as it passes by: its words are gathered for whoever keeps it. Changes and delays nothing of it, and
//! keeps nothing itself.

use bytes::Bytes;
use serde_json::Value;
use server_calls::SettledCall;
use server_rooms::studio::{Awaited, StudioEnd};
use shared::credits::Credits;
use shared::sse::{Events, Keep};

/// An answer that is gathered.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) awaited: Box<Awaited>,
    events: Events,
    /// Whether an event told that it broke off.
    is_broken: bool,
}

/// The words of a message or of a part of one, as a chat completion has them.
fn gather(awaited: &mut Awaited, said: &Value) {
    if let Some(words) = said["content"].as_str() {
        awaited.say(words);
    }
    let thoughts = said["reasoning_content"].as_str();
    if let Some(words) = thoughts.or_else(|| said["reasoning"].as_str()) {
        awaited.think(words);
    }
    for image in said["images"].as_array().into_iter().flatten() {
        if let Some(address) = image["image_url"]["url"].as_str() {
            awaited.show(address);
        }
    }
}

impl Recording {
    pub(super) fn new(awaited: Box<Awaited>) -> Self {
        Self {
            awaited,
            events: Events::default(),
            is_broken: false,
        }
    }

    /// Some bytes of a stream.
    pub(super) fn pass(&mut self, bytes: &Bytes) {
        let (awaited, is_broken) = (&mut self.awaited, &mut self.is_broken);
        let each = |event: &[u8]| {
            let lines = event.split(|byte| *byte == b'\n');
            for data in lines.filter_map(|line| line.strip_prefix(b"data:")) {
                // What is no JSON says that the stream is over.
                let chunk: Value = serde_json::from_slice(data).unwrap_or_default();
                *is_broken |= !chunk["error"].is_null();
                gather(awaited, &chunk["choices"][0]["delta"]);
            }
            Keep::Nothing
        };
        if self
            .events
            .push(bytes.clone(), &mut Vec::new(), each)
            .is_err()
        {
            // An event that is too large to be read passes by, and is missing in what is kept.
            self.events = Events::default();
        }
    }

    /// All of an answer.
    pub(super) fn whole(&mut self, bytes: &[u8]) {
        let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
        gather(&mut self.awaited, &answer["choices"][0]["message"]);
    }

    /// Writes it as ended; the future tells whether it is kept.
    pub(super) fn end(self, settled: Option<&SettledCall>) -> impl Future<Output = bool> + Send {
        let fault = settled.and_then(|call| call.fault.clone());
        let end = if fault.is_some() || self.is_broken {
            StudioEnd::Failed(fault)
        } else {
            StudioEnd::Whole
        };
        let charged: Option<Credits> = settled.map(|call| call.charged);
        self.awaited.end(end, charged)
    }
}
