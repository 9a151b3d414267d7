//! Function calls of a stream that names them by a number of its own: which call that is, and `{}` for one
//! that ends without arguments, since clients read them as JSON.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::neutral::ChatEvent;

/// Calls that are told apart in one answer; no model makes more.
const CALLS_MAX: usize = 512;

/// The calls of one answer.
#[derive(Debug, Default)]
pub(crate) struct StreamCalls {
    /// Their numbers in the stream.
    numbers: SmallVec<[u64; 4]>,
    /// The number of the one that has no arguments yet.
    bare: Option<u64>,
}

impl StreamCalls {
    /// A call begins.
    pub(crate) fn begin(
        &mut self,
        number: u64,
        id: Cow<'_, str>,
        name: Cow<'_, str>,
        each: &mut dyn FnMut(ChatEvent<'_>),
    ) {
        self.end(each);
        let Some(call) = u32::try_from(self.numbers.len())
            .ok()
            .filter(|_| self.numbers.len() < CALLS_MAX)
        else {
            return;
        };
        self.numbers.push(number);
        self.bare = Some(number);
        // Clients answer a call by its id.
        let id = if id.is_empty() {
            Cow::Owned(format!("call_{call}"))
        } else {
            id
        };
        each(ChatEvent::ToolCall {
            answer: 0,
            call,
            id,
            name,
            signature: None,
        });
    }

    /// More arguments.
    pub(crate) fn more(
        &mut self,
        number: u64,
        json: Cow<'_, str>,
        each: &mut dyn FnMut(ChatEvent<'_>),
    ) {
        let Some(call) = self.call(number).filter(|_| !json.is_empty()) else {
            return;
        };
        self.bare = self.bare.filter(|bare| *bare != number);
        let answer = 0;
        each(ChatEvent::Arguments { answer, call, json });
    }

    /// The one that is open ends.
    pub(crate) fn end(&mut self, each: &mut dyn FnMut(ChatEvent<'_>)) {
        if let Some(call) = self.bare.take().and_then(|number| self.call(number)) {
            let (answer, json) = (0, Cow::from("{}"));
            each(ChatEvent::Arguments { answer, call, json });
        }
    }

    fn call(&self, number: u64) -> Option<u32> {
        let at = self.numbers.iter().rposition(|known| *known == number)?;
        u32::try_from(at).ok()
    }
}
