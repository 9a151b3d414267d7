//! A whole answer to a chat.

use bytes::Bytes;

use super::request::Part;

/// What was answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatAnswer {
    /// The provider's id of it; may be empty.
    pub id: String,
    /// The answers, in the order of their indexes.
    pub candidates: Vec<Candidate>,
    /// At which tier it was served.
    pub tier: Option<String>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What it says, in order; [`Part::ToolResult`] is never among it.
    pub parts: Vec<Part>,
    /// Why it ends.
    pub stop: Stop,
}

/// Why an answer ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stop {
    /// All is said.
    #[default]
    End,
    /// The maximum of output tokens is reached.
    MaxTokens,
    /// Input and output together fill the model's context.
    ContextFull,
    /// One of the texts came at which it ends; which, where that is known.
    StopText(Option<String>),
    /// Functions are called.
    ToolCalls,
    /// The provider does not let it be said; why, where that is known.
    Refused(Option<String>),
    /// The provider wants to be asked to go on.
    Paused,
}

/// How an answer is shown to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerShown {
    /// The name that the answer gives its model.
    pub model: String,
    /// Unique; stands in the ids that the dialect makes.
    pub id: String,
    /// When it was made, in unix seconds.
    pub created: u64,
    /// Whether a stream tells its usage, where the dialect lets a client choose.
    pub shows_usage: bool,
    /// About how many tokens the input was, for dialects that tell it before the provider does.
    pub input_estimate: u64,
    /// What the answer repeats of its request, as [`crate::dialect::Dialect::repeated`] gave it.
    pub repeated: Bytes,
}
