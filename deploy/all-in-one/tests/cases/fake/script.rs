//! What the provider writes, step by step, and how its body is framed and ended.

use std::fmt::Write;
use std::time::Duration;

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Bytes of the body, framed.
    Body(Vec<u8>),
    /// Bytes as they are.
    Raw(Vec<u8>),
    /// Silence.
    Pause(Duration),
}

/// How the client knows where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Chunked,
    Length,
    /// By the end of the connection.
    Close,
    /// By the end of the connection, as HTTP/1.0 has it.
    Old,
}

/// What comes after the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The body ends properly, and the connection may be used again.
    Clean,
    /// The body ends properly, and the connection is closed without a word.
    Idle,
    /// The body ends properly behind trailers.
    Trailers,
    /// The body stays open for a time.
    Hang(Duration),
    /// The connection is closed without the body's end.
    Cut,
    /// The connection is reset.
    Reset,
}

/// An answer of the provider.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    status: u16,
    headers: Vec<(String, String)>,
    pub(super) framing: Framing,
    pub(super) steps: Vec<Step>,
    /// The body is written in pieces of so many bytes.
    pub(super) split: Option<usize>,
    pub(super) end: End,
    /// Before the head.
    before: Duration,
}

impl Script {
    pub(crate) fn new(status: u16, content_type: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            framing: Framing::Chunked,
            steps: Vec::new(),
            split: None,
            end: End::Clean,
            before: Duration::ZERO,
        }
    }

    /// A header more, or another value for one that is there.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(there, _)| there != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(there, _)| there != name);
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Body(bytes.into()));
        self
    }

    /// Bytes as they are, whatever the framing.
    pub(crate) fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Raw(bytes.into()));
        self
    }

    pub(crate) fn pause(mut self, time: Duration) -> Self {
        self.steps.push(Step::Pause(time));
        self
    }

    pub(crate) fn ends(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    pub(crate) fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub(crate) fn split(mut self, bytes: usize) -> Self {
        self.split = Some(bytes);
        self
    }

    /// Silence before the head.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.before = time;
        self
    }

    /// How long nothing is said before the head.
    pub(super) fn silence(&self) -> Duration {
        self.before
    }

    /// The status line and the headers.
    pub(super) fn head(&self) -> Vec<u8> {
        let version = if self.framing == Framing::Old {
            "1.0"
        } else {
            "1.1"
        };
        let mut head = format!("HTTP/{version} {} As told\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        match self.framing {
            Framing::Chunked if self.status != 204 => {
                head.push_str("transfer-encoding: chunked\r\n");
            }
            Framing::Length => {
                let bytes = |step: &Step| match step {
                    Step::Body(bytes) => bytes.len(),
                    Step::Raw(_) | Step::Pause(_) => 0,
                };
                let length: usize = self.steps.iter().map(bytes).sum();
                let _ = write!(head, "content-length: {length}\r\n");
            }
            Framing::Close => head.push_str("connection: close\r\n"),
            Framing::Chunked | Framing::Old => {}
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}
