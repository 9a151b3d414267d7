//! Calls as they are typical of an operation, to see what a price makes of them. Pure.

use shared::link::Operation;
use shared::units::{Fact, Unit, Usage};

/// A call that is typical of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypicalCall {
    /// Its stable word.
    pub word: &'static str,
    /// What it consumes.
    pub usage: Usage,
}

/// A picture of a size and a quality, as requests name them.
fn picture(size: &str, quality: &str) -> Usage {
    let mut usage = Usage::of([(Unit::InputToken, 50), (Unit::Image, 1)]);
    usage.facts.note(Fact::Size, size);
    usage.facts.note(Fact::Quality, quality);
    usage
}

/// The typical calls of an operation, the smallest first.
pub fn typical(operation: Operation) -> Vec<TypicalCall> {
    use Unit::{CachedInputToken, InputToken, OutputToken, ReasoningToken, Search};
    let call = |word, usage| TypicalCall { word, usage };
    let of = |measures: &[(Unit, u64)]| Usage::of(measures.iter().copied());
    match operation {
        Operation::Chat => vec![
            call("short_chat", of(&[(InputToken, 1_000), (OutputToken, 500)])),
            call(
                "reasoning",
                of(&[
                    (InputToken, 2_000),
                    (OutputToken, 800),
                    (ReasoningToken, 4_000),
                ]),
            ),
            call(
                "cached_context",
                of(&[
                    (InputToken, 5_000),
                    (CachedInputToken, 45_000),
                    (OutputToken, 1_000),
                ]),
            ),
            call(
                "long_context",
                of(&[(InputToken, 300_000), (OutputToken, 2_000)]),
            ),
        ],
        Operation::Completion => vec![call(
            "completion",
            of(&[(InputToken, 500), (OutputToken, 200)]),
        )],
        Operation::Embedding => vec![
            call("one_text", of(&[(InputToken, 500)])),
            call("many_texts", of(&[(InputToken, 100_000)])),
        ],
        Operation::Image => vec![
            call("square_image", picture("1024x1024", "standard")),
            call("wide_image", picture("1536x1024", "high")),
            call("image_by_token", {
                // As OpenAI's image models count one of 1024x1024 in medium quality.
                let mut usage = picture("1024x1024", "medium");
                usage.set(OutputToken, 1_056);
                usage
            }),
        ],
        Operation::Moderation => vec![call("one_text", of(&[(InputToken, 500)]))],
        Operation::Rerank => vec![
            // A query of 20 tokens is read with each document, of 140 and of 300.
            call("few_documents", of(&[(InputToken, 3_200), (Search, 1)])),
            call("many_documents", of(&[(InputToken, 128_000), (Search, 4)])),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_call_that_brings_what_its_price_must_cover() {
        for operation in Operation::ALL {
            let calls = typical(operation);
            for unit in operation.units() {
                let brings = |call: &TypicalCall| call.usage.count(*unit) > 0;
                assert!(calls.iter().any(brings), "{operation:?}: {unit}");
            }
        }
    }
}
