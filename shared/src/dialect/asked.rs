//! What a tenant's request asks for, in the terms that planning, limits and the link have. Reads nothing;
//! the dialects do.

use std::ops::Range;

use smallvec::SmallVec;

use crate::units::{Fact, Usage};

/// What of a request stands beside its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The model, where the path names it; the body's own is then passed over.
    pub model: Option<String>,
    /// Whether a stream is asked for, where the path says it.
    pub stream: Option<bool>,
    /// Those headers that the dialect knows ([`super::Dialect::headers`]) and the request has, in small
    /// letters.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Bytes of all headers together at most.
    pub const HEADERS_BYTES_MAX: usize = 4 * 1024;

    /// A header by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is wrong with a body, for the tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadBody {
    /// The field, where it is one.
    pub param: Option<&'static str>,
    /// What is wrong.
    pub message: String,
}

impl BadBody {
    /// A field is wrong.
    pub fn of(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param),
            message: message.into(),
        }
    }

    /// The body as a whole is wrong.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            param: None,
            message: message.into(),
        }
    }

    /// The model is not named, and no other takes the call.
    pub fn no_model() -> Self {
        let message = "`model` is missing. GET /api/v1/models lists the models.";
        Self::of("model", message)
    }
}

/// Whether an answer is written in output tokens, and who bounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// It has none.
    None,
    /// The model alone bounds them: the request has no field for a maximum.
    OfModel,
    /// The tenant's own maximum for each answer, where it gives one; it can be lowered.
    UpTo(Option<u64>),
}

/// The fields of a body that hold a maximum of output tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maxima(SmallVec<[Given; 2]>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    /// Where the value stands.
    at: Range<usize>,
    /// Whether it is a number; a null says that there is none.
    is_number: bool,
}

impl Maxima {
    /// Notes one, the preferred one first.
    pub fn note(&mut self, at: Range<usize>, is_number: bool) {
        self.0.push(Given { at, is_number });
    }

    /// Whether more than one field holds a number.
    pub fn are_several(&self) -> bool {
        self.0.iter().filter(|one| one.is_number).count() > 1
    }

    /// Where the one stands that is to be changed, which is the first with a number, else the first; and
    /// where those do that are to be taken out.
    pub fn kept_and_others(&self) -> Option<(Range<usize>, impl Iterator<Item = &Range<usize>>)> {
        let kept = self.0.iter().position(|one| one.is_number).unwrap_or(0);
        let one = self.0.get(kept)?.at.clone();
        let others = self.0.iter().enumerate().filter(move |(at, _)| *at != kept);
        Some((one, others.map(|(_, other)| &other.at)))
    }
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The model's public name; empty where the dialect lets it be left out.
    pub model: String,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether the usage of the stream is asked for.
    pub show_usage: bool,
    /// Answers asked for, each with up to the maximum of tokens; at least one.
    pub answers: u64,
    /// Who bounds the output of each.
    pub output: Output,
    /// Where the tenant's maxima stand.
    pub maxima: Maxima,
    /// About how many tokens the input is, each part counted by what it is.
    pub input_estimate: u64,
    /// The most that the call can bring beside its output: input tokens, pieces that are made; and the
    /// facts that are known of it, as prices write them.
    pub bounds: Usage,
    /// Facts that the answer may tell otherwise than `bounds` does.
    pub open: &'static [Fact],
    /// The tenant's own word for whose question it is; never empty.
    pub end_user: Option<String>,
    /// Whether the body may have a field of the edge's own at its top, see `is_of_the_edge`: then the edge
    /// looks for them. So it is where a reader does not tell.
    pub may_have_edge_fields: bool,
}

/// Whether a field's name is one of those that the server's edge takes out of every body, whatever its
/// format. Readers meet all names anyway, so that nobody has to search the bytes for these.
pub(crate) fn is_of_the_edge(name: &str) -> bool {
    matches!(name, "max_cost" | "models" | "provider" | "route")
}

impl Asked {
    /// A request for `model` that brings nothing yet.
    pub fn of(model: String, output: Output) -> Self {
        Self {
            model,
            stream: false,
            show_usage: false,
            answers: 1,
            output,
            maxima: Maxima::default(),
            input_estimate: 1,
            bounds: Usage::default(),
            open: &[],
            end_user: None,
            may_have_edge_fields: true,
        }
    }
}
