//! Events of a response that is kept while it comes: each with a number, so that a client that was cut off can
//! go on behind one. The first and the last are written here, since only whoever keeps the response knows them.
//! Keeps nothing itself.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::told;

/// An event of the Responses API.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowEvent {
    kind: String,
    fields: Map<String, Value>,
}

/// What an event is to whoever keeps the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowStep {
    /// It tells that the response was made.
    Created,
    /// It tells the whole answer.
    Last,
    /// It tells that there will be none.
    Error,
    /// It goes on.
    Other,
}

impl FlowEvent {
    /// Of an event's bytes; `None` of what says nothing: comments and marks of an end.
    pub fn read(event: &[u8]) -> Option<Self> {
        let fields = told(event)?;
        let kind = fields.get("type")?.as_str()?.to_owned();
        // A name that broke its line would end the event.
        let is_word = kind.bytes().all(|byte| byte.is_ascii_graphic());
        is_word.then_some(Self { kind, fields })
    }

    /// The first event.
    pub fn created(answer: &Map<String, Value>) -> Self {
        Self::telling("response.created", Value::Object(answer.clone()))
    }

    /// The last one, by how the answer stands. Clients know three: one that was cancelled is told as one that
    /// is not complete, and its status says why. UNCONFIRMED at `OpenAI`.
    pub fn last(answer: Value) -> Self {
        let kind = match answer["status"].as_str() {
            Some("completed") => "response.completed",
            Some("incomplete" | "cancelled") => "response.incomplete",
            _ => "response.failed",
        };
        Self::telling(kind, answer)
    }

    fn telling(kind: &str, answer: Value) -> Self {
        let mut fields = Map::new();
        fields.insert("type".to_owned(), json!(kind));
        fields.insert("response".to_owned(), answer);
        Self {
            kind: kind.to_owned(),
            fields,
        }
    }

    /// What it is.
    pub fn step(&self) -> FlowStep {
        match self.kind.as_str() {
            "response.created" => FlowStep::Created,
            "response.completed" | "response.incomplete" | "response.failed" => FlowStep::Last,
            "error" => FlowStep::Error,
            _ => FlowStep::Other,
        }
    }

    /// The response, where it tells one.
    pub fn response(&mut self) -> Option<&mut Map<String, Value>> {
        self.fields.get_mut("response")?.as_object_mut()
    }

    /// The response that the last event tells; `None` where that is none.
    pub fn into_response(mut self) -> Option<Map<String, Value>> {
        match self.fields.remove("response") {
            Some(Value::Object(answer)) => Some(answer),
            _ => None,
        }
    }

    /// As it is sent, with its number.
    pub fn bytes(mut self, number: u64) -> Bytes {
        self.fields
            .insert("sequence_number".to_owned(), json!(number));
        let json = serde_json::to_string(&self.fields).unwrap_or_default();
        format!("event: {}\ndata: {json}\n\n", self.kind).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart_and_numbered_anew() {
        for (event, step) in [
            (
                r#"{"type":"response.created","response":{}}"#,
                FlowStep::Created,
            ),
            (
                r#"{"type":"response.queued","response":{}}"#,
                FlowStep::Other,
            ),
            (
                r#"{"type":"response.output_text.delta","delta":"x"}"#,
                FlowStep::Other,
            ),
            (
                r#"{"type":"response.incomplete","response":{}}"#,
                FlowStep::Last,
            ),
            (r#"{"type":"error","message":"x"}"#, FlowStep::Error),
        ] {
            let read = FlowEvent::read(format!("data: {event}\n\n").as_bytes());
            let read = read.expect(event);
            assert_eq!(read.step(), step, "{event}");
            let bytes = read.bytes(7);
            let again = FlowEvent::read(&bytes).expect("an event");
            assert_eq!(again.fields["sequence_number"], 7, "{event}");
            assert!(bytes.starts_with(b"event: ") && bytes.ends_with(b"\n\n"));
        }
        for nothing in [
            ": keep-alive\n\n",
            "data: [DONE]\n\n",
            "data: {\"type\":\"a\\nb\"}\n\n",
        ] {
            assert_eq!(FlowEvent::read(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn the_last_event_is_one_that_clients_know() {
        for (status, kind) in [
            ("completed", "response.completed"),
            ("incomplete", "response.incomplete"),
            ("cancelled", "response.incomplete"),
            ("failed", "response.failed"),
        ] {
            let last = FlowEvent::last(json!({"status": status}));
            assert_eq!((last.kind.as_str(), last.step()), (kind, FlowStep::Last));
            let answer = last.into_response().expect("an answer");
            assert_eq!(answer["status"], status);
        }
    }
}
