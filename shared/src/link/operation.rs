//! What a model does. The words stand in databases and records; what else differs is a row here.

use serde::{Deserialize, Serialize};

use crate::units::Unit;

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Answers to messages.
    Chat,
    /// Texts as vectors.
    Embedding,
    /// Pictures from a text.
    Image,
    /// Continuations of a text.
    Completion,
    /// Verdicts on texts and pictures.
    Moderation,
    /// Documents in the order in which they answer a query.
    Rerank,
}

/// What must be known of an operation.
struct Row {
    operation: Operation,
    word: &'static str,
    units: &'static [Unit],
    writes_text: bool,
    names_model: bool,
}

/// In the order of the variants.
const ROWS: [Row; 6] = [
    Row {
        operation: Operation::Chat,
        word: "chat",
        units: &[Unit::InputToken, Unit::OutputToken],
        writes_text: true,
        names_model: true,
    },
    Row {
        operation: Operation::Embedding,
        word: "embedding",
        units: &[Unit::InputToken],
        writes_text: false,
        names_model: true,
    },
    Row {
        operation: Operation::Image,
        word: "image",
        units: &[Unit::InputToken, Unit::OutputToken, Unit::Image],
        writes_text: false,
        names_model: false,
    },
    Row {
        operation: Operation::Completion,
        word: "completion",
        units: &[Unit::InputToken, Unit::OutputToken],
        writes_text: true,
        names_model: true,
    },
    Row {
        operation: Operation::Moderation,
        word: "moderation",
        units: &[Unit::InputToken],
        writes_text: false,
        names_model: false,
    },
    Row {
        operation: Operation::Rerank,
        word: "rerank",
        units: &[Unit::InputToken, Unit::Search],
        writes_text: false,
        names_model: true,
    },
];

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 6] = [
        Self::Chat,
        Self::Embedding,
        Self::Image,
        Self::Completion,
        Self::Moderation,
        Self::Rerank,
    ];

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Stable word: in the database, in usage records, in metric labels.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// From its stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        let found = ROWS.iter().find(|row| row.word == word);
        found.map(|row| row.operation)
    }

    /// The units that an answer is made of; the other classes of their families fall back to these. A
    /// price must say what each of them costs.
    pub fn units(self) -> &'static [Unit] {
        self.row().units
    }

    /// Whether it writes text, whose length a request bounds and which comes as a stream of many small
    /// events; what others answer is large and comes at once.
    pub fn writes_text(self) -> bool {
        self.row().writes_text
    }

    /// Whether every request names its model: OpenAI's clients leave it out where the platform has a
    /// default.
    pub fn names_model(self) -> bool {
        self.row().names_model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_row_of_its_own() {
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!(
                (row.operation as usize, Operation::ALL[at]),
                (at, row.operation)
            );
            assert_eq!(Operation::from_word(row.word), Some(row.operation));
            let json = serde_json::to_string(&row.operation).expect("JSON");
            assert_eq!(json, format!("\"{}\"", row.word));
        }
        assert_eq!(Operation::from_word("song"), None);
    }
}
