//! Answers as a tenant's client reads them: whole, or events as WHATWG's HTML 9.2 splits them.

pub(crate) mod streamed;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body where it is JSON.
    pub(crate) body: Value,
}

impl Whole {
    /// The text of the first choice.
    pub(crate) fn content(&self) -> &str {
        let message = &self.body["choices"][0]["message"];
        message["content"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The message of its error.
    pub(crate) fn message(&self) -> &str {
        let message = self.body["error"]["message"].as_str();
        message.unwrap_or_else(|| panic!("no error: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn is_one_of(&self, statuses: &[u16]) -> &Self {
        assert!(
            statuses.contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self
    }
}

pub(crate) async fn read_whole(request: reqwest::RequestBuilder) -> Whole {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    Whole {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

/// The data of every event; one that the stream's end cuts off counts too, as clients of this protocol
/// have it.
pub(crate) fn datas(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let events = text.split("\n\n").map(|event| {
        let lines = event
            .split('\n')
            .filter_map(|line| line.strip_prefix("data:"));
        let lines: Vec<&str> = lines
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        lines.join("\n")
    });
    events.filter(|data| !data.is_empty()).collect()
}
