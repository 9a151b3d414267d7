//! Counts what a stream of OpenAI chat chunks produced, while its bytes pass. Pure; parses an event
//! only when it carries usage or an error.

use crate::fault::{Fault, FaultKind};
use crate::usage::{OpenAiUsage, Usage};
use memchr::memmem;
use serde::Deserialize;

/// One token stands for about four bytes of English text (OpenAI, "What are tokens").
const BYTES_PER_TOKEN: u64 = 4;

/// What to do with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Pass it on.
    Pass,
    /// Keep it: the tenant did not ask for usage.
    Hide,
    /// Do not pass it on: the provider reports an error.
    Broken(Fault),
}

/// The running count of one stream.
#[derive(Debug)]
pub struct Meter {
    show_usage: bool,
    input_bytes: u64,
    content_events: u64,
    content_bytes: u64,
    reported: Option<Usage>,
    done: bool,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<&'a serde_json::value::RawValue>,
    #[serde(default)]
    usage: Option<OpenAiUsage>,
}

/// The text behind `data:` of an event with one such line, which is how all providers write them.
fn data(event: &[u8]) -> &[u8] {
    let mut lines = event.split(|b| *b == b'\n' || *b == b'\r');
    lines
        .find_map(|line| line.strip_prefix(b"data:"))
        .map_or(&[], <[u8]>::trim_ascii)
}

/// Bytes of the first `"content":"…"` in an event; escapes count as they are written.
fn content_bytes(data: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\"content\":";
    let at = memmem::find(data, NAME)? + NAME.len();
    let text = data.get(at..)?.trim_ascii_start().strip_prefix(b"\"")?;
    let mut end = 0;
    loop {
        end += memchr::memchr2(b'"', b'\\', text.get(end..)?)?;
        if text[end] == b'"' {
            return Some(end);
        }
        end += 2;
    }
}

impl Meter {
    /// For a stream whose request had `input_bytes`.
    pub fn new(show_usage: bool, input_bytes: usize) -> Self {
        Self {
            show_usage,
            input_bytes: u64::try_from(input_bytes).unwrap_or(u64::MAX),
            content_events: 0,
            content_bytes: 0,
            reported: None,
            done: false,
        }
    }

    /// Looks at one whole event.
    pub fn event(&mut self, event: &[u8]) -> Verdict {
        let data = data(event);
        if data == b"[DONE]" {
            self.done = true;
            return Verdict::Pass;
        }
        if memmem::find(data, b"\"usage\"").is_some()
            && let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data)
            && let Some(usage) = chunk.usage
        {
            self.reported = Some(Usage::from_openai(&usage));
            let bare = chunk
                .choices
                .is_none_or(|choices| choices.get().trim_start_matches('[').trim() == "]");
            if bare && !self.show_usage {
                return Verdict::Hide;
            }
        }
        if data.starts_with(b"{\"error\"") {
            return Verdict::Broken(Fault::new(
                FaultKind::Overloaded,
                "the provider reported an error in the stream",
            ));
        }
        if let Some(bytes) = content_bytes(data)
            && bytes > 0
        {
            self.content_events += 1;
            self.content_bytes += u64::try_from(bytes).unwrap_or(0);
        } else if memmem::find(data, b"\"tool_calls\"").is_some()
            || memmem::find(data, b"\"reasoning").is_some()
        {
            self.content_events += 1;
        }
        Verdict::Pass
    }

    /// Whether the stream came to its proper end.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Output tokens in what passed so far, by estimate.
    pub fn passed(&self) -> u64 {
        self.content_events
            .max(self.content_bytes / BYTES_PER_TOKEN)
    }

    /// What was consumed: the provider's own count, else an estimate of what passed.
    pub fn usage(&self) -> Usage {
        self.reported.unwrap_or_else(|| Usage {
            input_tokens: self.input_bytes.div_ceil(BYTES_PER_TOKEN),
            output_tokens: self.passed(),
            estimated: true,
            ..Usage::default()
        })
    }
}

#[derive(Deserialize)]
struct WholeAnswer<'a> {
    #[serde(default)]
    usage: Option<OpenAiUsage>,
    #[serde(borrow, default)]
    data: Option<Vec<&'a serde_json::value::RawValue>>,
}

/// The usage of a whole answer; `images` when its `data` are images.
pub fn whole_usage(bytes: &[u8], images: bool) -> Result<Usage, Fault> {
    let invalid = |e: serde_json::Error| {
        Fault::new(
            FaultKind::InvalidAnswer,
            format!("not the JSON that was expected: {e}"),
        )
    };
    let answer: WholeAnswer<'_> = serde_json::from_slice(bytes).map_err(invalid)?;
    let mut usage = answer
        .usage
        .as_ref()
        .map(Usage::from_openai)
        .unwrap_or_default();
    if images {
        usage.images = answer
            .data
            .map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
    } else if answer.usage.is_none() {
        let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        usage = Usage {
            output_tokens: bytes / BYTES_PER_TOKEN,
            estimated: true,
            ..Usage::default()
        };
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(content: &str) -> String {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{content}}}}}],\"usage\":null}}\n\n"
        )
    }

    #[test]
    fn the_providers_own_count_wins_and_its_chunk_is_hidden_unless_asked_for() {
        let usage =
            b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\n";
        let mut meter = Meter::new(false, 400);
        assert_eq!(meter.event(chunk("\"hi\"").as_bytes()), Verdict::Pass);
        assert_eq!(meter.event(usage), Verdict::Hide);
        assert_eq!(meter.event(b"data: [DONE]\n\n"), Verdict::Pass);
        assert!(meter.is_done());
        assert_eq!(
            (meter.usage().input_tokens, meter.usage().output_tokens),
            (9, 4)
        );
        assert_eq!(Meter::new(true, 400).event(usage), Verdict::Pass);
    }

    #[test]
    fn a_cut_stream_is_estimated_by_events_or_bytes_whichever_is_more() {
        let mut meter = Meter::new(false, 400);
        meter.event(chunk("\"\"").as_bytes());
        for _ in 0..3 {
            meter.event(chunk("\"a\"").as_bytes());
        }
        assert_eq!(
            (meter.usage().input_tokens, meter.usage().output_tokens),
            (100, 3)
        );
        meter.event(chunk(&format!("\"{}\\\"\"", "x".repeat(40))).as_bytes());
        assert_eq!(meter.usage().output_tokens, 11);
        assert!(meter.usage().estimated && !meter.is_done());
    }

    #[test]
    fn an_error_event_breaks_the_stream() {
        let mut meter = Meter::new(false, 4);
        assert!(matches!(
            meter.event(b"data: {\"error\":{\"message\":\"x\"}}\n\n"),
            Verdict::Broken(_)
        ));
    }

    #[test]
    fn images_are_counted_and_nonsense_is_refused() {
        let usage =
            whole_usage(br#"{"data":[{"b64_json":"a"},{"b64_json":"b"}]}"#, true).expect("images");
        assert_eq!(usage.images, 2);
        assert!(whole_usage(b"<html>", false).is_err());
    }
}
