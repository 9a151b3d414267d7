//! A chat's answer piece by piece.

use std::borrow::Cow;
use std::fmt::Debug;

use super::answer::Stop;
use super::request::{Citation, Media, Signature};
use crate::units::Usage;

/// One step of an answer. Steps of several answers may be mixed, those of one come in order; a part ends
/// where one of another kind begins.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent<'a> {
    /// It begins. Comes once, before everything else, where a provider tells its id.
    Begin {
        /// The provider's id of the answer.
        id: Cow<'a, str>,
    },
    /// More of a text.
    Text {
        /// Of which answer, from zero.
        answer: u32,
        /// More of it.
        text: Cow<'a, str>,
    },
    /// More of the model's words for why it does not answer.
    Refusal {
        /// Of which answer.
        answer: u32,
        /// More of it.
        text: Cow<'a, str>,
    },
    /// More of what is thought.
    Thought {
        /// Of which answer.
        answer: u32,
        /// More of it.
        text: Cow<'a, str>,
    },
    /// Proves the thought before it, which ends with it.
    Signature {
        /// Of which answer.
        answer: u32,
        /// The proof.
        signature: Signature,
    },
    /// A function call begins.
    ToolCall {
        /// Of which answer.
        answer: u32,
        /// Which of its calls, from zero.
        call: u32,
        /// Names it in its result.
        id: Cow<'a, str>,
        /// The function.
        name: Cow<'a, str>,
        /// What proves the thought behind it, for providers that put it here.
        signature: Option<Signature>,
    },
    /// More of a call's arguments.
    Arguments {
        /// Of which answer.
        answer: u32,
        /// Which of its calls.
        call: u32,
        /// More of the JSON.
        json: Cow<'a, str>,
    },
    /// A picture or sound.
    Media {
        /// Of which answer.
        answer: u32,
        /// All of it.
        media: Box<Media>,
    },
    /// Where the text before comes from.
    Citation {
        /// Of which answer.
        answer: u32,
        /// The place.
        citation: Box<Citation>,
    },
    /// One answer ends.
    Stop {
        /// Which.
        answer: u32,
        /// Why.
        stop: Stop,
    },
}

/// Reads a provider's stream. What is wrong in it is its dialect's meter's to say, which sees each event
/// before.
pub trait StreamReader: Debug + Send {
    /// Gives what one whole event says to `each`; events that say nothing give nothing.
    fn read(&mut self, event: &[u8], each: &mut dyn FnMut(ChatEvent<'_>));
}

/// Writes a tenant's stream, one whole event of its dialect after another.
pub trait StreamWriter: Debug + Send {
    /// Writes what `event` says behind `to`; may keep back what needs what follows.
    fn write(&mut self, event: ChatEvent<'_>, to: &mut Vec<u8>);

    /// Ends the stream well: what was kept back, the usage, and what marks the end.
    fn end(&mut self, usage: &Usage, to: &mut Vec<u8>);
}
