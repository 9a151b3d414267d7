//! Words of what a person sets for answers in the studio.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// How long a model thinks before it answers.
    AnswerEffort {
        /// Hardly.
        Low = "low", Plain, "low", "低";
        /// As most do.
        Medium = "medium", Plain, "medium", "中";
        /// At length.
        High = "high", Plain, "high", "高";
    }
    /// How long an answer is wanted.
    AnswerLength {
        /// Some sentences.
        Short = "short", Plain, "short", "简短";
        /// Some paragraphs.
        Medium = "medium", Plain, "medium", "适中";
        /// All there is to say.
        Long = "long", Plain, "long", "详尽";
    }
}
