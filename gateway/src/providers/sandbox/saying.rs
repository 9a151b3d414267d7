//! What an answer says, cut into tokens: words of the sandbox's one sentence, a given text, or the
//! arguments of tools. Pure, and never whole in memory where a tenant chooses its length.

use std::sync::Arc;

/// A token of a given text.
const BYTES_PER_TOKEN: usize = 4;

const WORDS: [&str; 16] = [
    "The", " sand", " box", " says", " that", " all", " is", " well", " and", " each", " word",
    " is", " the", " same", " every", " time",
];

/// A tool that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) name: Arc<str>,
    /// JSON as a text.
    pub(super) arguments: Arc<str>,
}

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// The tool whose arguments it is a part of.
    pub(super) call: Option<usize>,
    /// Whether it is the first one of its tool.
    pub(super) opens: bool,
}

/// What is said.
#[derive(Debug)]
pub(super) struct Saying {
    what: What,
    tokens: u64,
    finish: &'static str,
}

#[derive(Debug)]
enum What {
    /// The sentence again and again; the last token may be cut to so many bytes.
    Words { last_bytes: Option<usize> },
    /// A given text, or the tools' arguments one after the other.
    Given {
        text: String,
        ends: Vec<End>,
        tools: Option<Vec<Tool>>,
    },
}

/// Where a token of a given text ends.
#[derive(Debug, Clone, Copy)]
struct End {
    at: usize,
    call: Option<usize>,
    opens: bool,
}

/// The parts of four bytes, more where a character would be cut.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let behind = (BYTES_PER_TOKEN..rest.len()).find(|at| rest.is_char_boundary(*at));
        let end = behind.unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// The `at`-th word of the sentence that is said again and again.
fn word(at: u64) -> &'static str {
    let place = usize::try_from(at).unwrap_or(usize::MAX) % WORDS.len();
    WORDS[place]
}

impl Saying {
    /// `wanted` words, `most` at most, and none from the first of `stops` on.
    pub(super) fn words(wanted: u64, most: u64, stops: &[&str]) -> Self {
        let (tokens, finish) = if most < wanted {
            (most, "length")
        } else {
            (wanted, "stop")
        };
        let said = Self {
            what: What::Words { last_bytes: None },
            tokens,
            finish,
        };
        let Some(at) = first_stop(stops) else {
            return said;
        };
        let (mut token, mut before) = (0, 0);
        while token < tokens {
            let length = word(token).len();
            if before + length > at {
                return Self {
                    what: What::Words {
                        last_bytes: (at > before).then(|| at - before),
                    },
                    tokens: token + u64::from(at > before),
                    finish: "stop",
                };
            }
            before += length;
            token += 1;
        }
        said
    }

    /// A text, cut after `most` tokens.
    pub(super) fn text(mut text: String, most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut ends = Vec::new();
        let is_whole = cut(&text, most, None, &mut ends);
        text.truncate(ends.last().map_or(0, |end| end.at));
        Self::given(text, ends, None, if is_whole { "stop" } else { "length" })
    }

    /// Calls of tools, cut after `most` tokens.
    pub(super) fn tools(tools: Vec<Tool>, most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (mut text, mut ends, mut called) = (String::new(), Vec::new(), Vec::new());
        let mut finish = "tool_calls";
        for (call, tool) in tools.into_iter().enumerate() {
            let (from, before) = (text.len(), ends.len());
            text.push_str(&tool.arguments);
            let is_whole = cut(&text, most, Some((call, from)), &mut ends);
            if !is_whole {
                text.truncate(ends.last().map_or(0, |end| end.at));
                finish = "length";
            }
            if ends.len() > before {
                let arguments = text[from..].into();
                called.push(Tool { arguments, ..tool });
            }
            if !is_whole {
                break;
            }
        }
        Self::given(text, ends, Some(called), finish)
    }

    fn given(text: String, ends: Vec<End>, tools: Option<Vec<Tool>>, finish: &'static str) -> Self {
        Self {
            tokens: u64::try_from(ends.len()).unwrap_or(u64::MAX),
            what: What::Given { text, ends, tools },
            finish,
        }
    }

    /// How many there are.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// OpenAI's word for why it ends.
    pub(super) fn finish(&self) -> &'static str {
        self.finish
    }

    /// The tools, where it is no text.
    pub(super) fn calls(&self) -> Option<&[Tool]> {
        match &self.what {
            What::Given { tools, .. } => tools.as_deref(),
            What::Words { .. } => None,
        }
    }

    /// The token at a place.
    pub(super) fn piece(&self, at: u64) -> Option<Piece<'_>> {
        if at >= self.tokens {
            return None;
        }
        let place = usize::try_from(at).ok()?;
        match &self.what {
            What::Words { last_bytes } => {
                let cut = last_bytes.filter(|_| at + 1 == self.tokens);
                let word = word(at);
                Some(Piece {
                    text: cut.map_or(word, |bytes| &word[..bytes]),
                    call: None,
                    opens: false,
                })
            }
            What::Given { text, ends, .. } => {
                let from = place.checked_sub(1).map_or(0, |before| ends[before].at);
                let End { at, call, opens } = ends[place];
                Some(Piece {
                    text: &text[from..at],
                    call,
                    opens,
                })
            }
        }
    }

    /// The whole text.
    pub(super) fn all(&self) -> String {
        match &self.what {
            What::Given { text, .. } => text.clone(),
            What::Words { .. } => (0..self.tokens)
                .filter_map(|at| self.piece(at))
                .map(|piece| piece.text)
                .collect(),
        }
    }
}

/// Adds the ends of a text's tokens, up to `most` in all; of a tool's arguments, which begin behind
/// others. Whether the text was short enough.
fn cut(text: &str, most: usize, call: Option<(usize, usize)>, ends: &mut Vec<End>) -> bool {
    let mut at = call.map_or(0, |(_, from)| from);
    for (place, part) in parts(&text[at..]).enumerate() {
        if ends.len() >= most {
            return false;
        }
        at += part.len();
        ends.push(End {
            at,
            call: call.map(|(call, _)| call),
            opens: call.is_some() && place == 0,
        });
    }
    true
}

/// Where the first of `stops` begins in the endless sentence; it begins in its first round or nowhere.
fn first_stop(stops: &[&str]) -> Option<usize> {
    let round: String = WORDS.concat();
    let longest = stops.iter().map(|stop| stop.len()).max()?;
    // A text longer than this is in no sentence of this kind; it need not be looked for.
    let rounds = longest.min(STOP_BYTES_MAX).div_ceil(round.len()) + 1;
    let text = round.repeat(rounds);
    let starts = stops.iter().filter(|stop| !stop.is_empty());
    starts.filter_map(|stop| text.find(stop)).min()
}

/// Stops longer than this are found only as far as they fit.
const STOP_BYTES_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_a_stop_or_at_the_maximum() {
        let said = |stops: &[&str]| {
            let saying = Saying::words(24, 1_000, stops);
            (saying.all(), saying.finish(), saying.tokens())
        };
        assert_eq!(said(&[" says"]).0, "The sand box");
        assert_eq!(said(&["and b", "box"]), ("The s".to_owned(), "stop", 2));
        assert_eq!(said(&["The"]), (String::new(), "stop", 0));
        assert_eq!(said(&["timeThe"]).2, 16);
        assert_eq!(said(&["nowhere", ""]).2, 24);
        let short = Saying::words(24, 3, &[" says"]);
        assert_eq!(
            (short.all().as_str(), short.finish()),
            ("The sand box", "length")
        );
    }

    #[test]
    fn texts_and_arguments_are_cut_between_characters() {
        let saying = Saying::text("{\"a\":\"日本語\"}".to_owned(), 2);
        assert_eq!(
            (saying.all().as_str(), saying.finish()),
            ("{\"a\":\"日", "length")
        );
        let tool = |arguments: &str| Tool {
            name: "f".into(),
            arguments: arguments.into(),
        };
        let saying = Saying::tools(vec![tool("{\"a\":1}"), tool("{}")], 99);
        let pieces: Vec<_> = (0..9).filter_map(|at| saying.piece(at)).collect();
        let told: Vec<_> = pieces.iter().map(|p| (p.call, p.opens, p.text)).collect();
        assert_eq!(
            told,
            [
                (Some(0), true, "{\"a\""),
                (Some(0), false, ":1}"),
                (Some(1), true, "{}")
            ]
        );
        let cut = Saying::tools(vec![tool("{\"a\":1}"), tool("{}")], 1);
        assert_eq!(
            (cut.calls().map(<[Tool]>::len), cut.finish()),
            (Some(1), "length")
        );
    }
}
