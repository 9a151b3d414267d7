//! An answer on its way from a provider's dialect to the tenant's. Counts nothing: the provider's meter,
//! which sees each event before, tells what was consumed.

use bytes::Bytes;
use shared::dialect::Dialect;
use shared::dialect::neutral::{AnswerShown, StreamReader, StreamWriter};
use shared::fault::{Fault, FaultKind};
use shared::sse::{Events, Keep};
use shared::units::Usage;

/// A stream between two dialects.
#[derive(Debug)]
pub(super) struct StreamTranslation {
    reader: Box<dyn StreamReader>,
    writer: Box<dyn StreamWriter>,
    /// What was written and is not handed on yet.
    out: Vec<u8>,
    has_ended: bool,
}

fn untranslatable(from: &dyn Dialect, to: &dyn Dialect) -> Fault {
    let why = format!("{} can't be said in {}", from.name(), to.name());
    Fault::new(FaultKind::Internal, why)
}

impl StreamTranslation {
    /// Of a stream that has not begun; `None` where one of them is not translated at all.
    pub(super) fn new(
        from: &dyn Dialect,
        to: &dyn Dialect,
        shown: AnswerShown,
    ) -> Result<Self, Fault> {
        let (Some(reads), Some(writes)) = (from.translator(), to.translator()) else {
            return Err(untranslatable(from, to));
        };
        Ok(Self {
            reader: reads.stream_reader(),
            writer: writes.stream_writer(shown),
            out: Vec::new(),
            has_ended: false,
        })
    }

    /// Takes one whole event of the provider's.
    pub(super) fn event(&mut self, event: &[u8]) {
        let Self {
            reader,
            writer,
            out,
            ..
        } = self;
        reader.read(event, &mut |said| writer.write(said, out));
    }

    /// Takes several.
    pub(super) fn events(&mut self, events: Bytes) {
        let mut unused = Vec::new();
        // They are ours, and so whole and short.
        let _ = Events::default().push(events, &mut unused, |event| {
            self.event(event);
            Keep::Nothing
        });
    }

    /// Ends the tenant's stream well, once.
    pub(super) fn end(&mut self, usage: &Usage) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.writer.end(usage, &mut self.out);
        }
    }

    /// What was written since.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let out = std::mem::take(&mut self.out);
        (!out.is_empty()).then(|| out.into())
    }
}

/// A whole answer, likewise; one to embeddings has a vector for each of `texts`.
pub(super) fn whole(
    (from, to): (&dyn Dialect, &dyn Dialect),
    answer: &[u8],
    usage: &Usage,
    shown: &AnswerShown,
    texts: Option<usize>,
) -> Result<Bytes, Fault> {
    if let (Some(reads), Some(writes)) = (from.embeddings(), to.embeddings()) {
        let vectors = reads.read_answer(answer)?;
        if let Some(texts) = texts.filter(|texts| *texts != vectors.len()) {
            let why = format!("{} vectors came for {texts} texts", vectors.len());
            return Err(Fault::new(FaultKind::InvalidAnswer, why));
        }
        return Ok(writes.write_answer(&vectors, usage, shown));
    }
    if let (Some(reads), Some(writes)) = (from.rankings(), to.rankings()) {
        return writes.write_answer(reads.read_answer(answer)?, usage, shown);
    }
    let (Some(reads), Some(writes)) = (from.translator(), to.translator()) else {
        return Err(untranslatable(from, to));
    };
    let answer = reads.read_answer(answer)?;
    Ok(writes.write_answer(&answer, usage, shown))
}

#[cfg(test)]
mod tests {
    use shared::dialect::gemini_embeddings::GEMINI_EMBEDDINGS;
    use shared::dialect::openai_embeddings::OPENAI_EMBEDDINGS;

    use super::*;

    #[test]
    fn vectors_are_as_many_as_texts_or_none_is_handed_on() {
        let shown = AnswerShown {
            model: "m".to_owned(),
            id: String::new(),
            created: 0,
            shows_usage: true,
            input_estimate: 0,
            repeated: Bytes::new(),
        };
        let answer = br#"{"embeddings":[{"values":[1.0]},{"values":[2.0]}]}"#;
        for (texts, is_whole) in [(1, false), (2, true), (3, false)] {
            let between: (&dyn Dialect, &dyn Dialect) = (&GEMINI_EMBEDDINGS, &OPENAI_EMBEDDINGS);
            let told = whole(between, answer, &Usage::default(), &shown, Some(texts));
            match told {
                Ok(_) => assert!(is_whole, "{texts}"),
                Err(fault) => {
                    assert_eq!(
                        (is_whole, fault.kind),
                        (false, FaultKind::InvalidAnswer),
                        "{texts}"
                    );
                }
            }
        }
    }
}
