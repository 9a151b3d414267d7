//! Fields of a request beside those that are read: what is refused because it would change the bill or
//! where the call goes, and why. What is not named here passes, since clients send new fields before
//! anybody knows them; what differs from a named field only in case is refused, since some providers
//! take it for that field.

use super::fold::Folded;
use super::input::Input;
use super::walk::{Walk, count};
use crate::link::Operation;

/// Why a field is refused, for the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The field as it should be written.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What the fields beside those that are read bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// All that is input.
    pub input: Input,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// It is read elsewhere.
    Read,
    /// It is read elsewhere, and it is input.
    Input,
    /// It is read by the model as it stands there.
    Text,
    /// A list of messages.
    Messages,
    /// It passes while it says nothing: null, false, zero or empty.
    Refused(Why),
    /// It passes while it is one of these words.
    Words(&'static [&'static str]),
    /// It passes while it is 1.
    One,
    /// Functions pass; what the provider runs itself does not.
    Tools,
    /// Text and pictures pass.
    Modalities,
    /// It passes while its `mode` is `off`.
    ModeOff,
}

/// Why a field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Another model may answer, at another price.
    Routing,
    /// The call would go elsewhere, or with somebody else's key.
    Elsewhere,
    /// Searches and other services are billed for themselves.
    Service,
    /// What it refers to is input that nobody counted.
    Unseen,
    /// The answer would come later, to nobody.
    Later,
    /// Where it is worked out has a price of its own.
    Place,
    /// What was guessed wrong is billed as output beyond the maximum.
    Guess,
}

impl Why {
    fn sentence(self) -> &'static str {
        match self {
            Self::Routing => "this service chooses providers and models itself; leave it out.",
            Self::Elsewhere => "this service chooses where a call goes and how; leave it out.",
            Self::Service => {
                "the provider bills it on top of tokens and it has no price here; leave it out."
            }
            Self::Unseen => "what it refers to can't be counted; put it into the request itself.",
            Self::Later => "answers are given at once or as a stream; leave it out.",
            Self::Guess => {
                "what it guesses wrong is billed beyond the maximum of the answer; leave it out."
            }
            Self::Place => "it changes the provider's price and has none here; leave it out.",
        }
    }
}

type Field = (&'static str, Rule);

const TIERS: Rule = Rule::Words(&["auto", "default", "flex", "standard", "standard_only"]);

/// Of every operation.
const COMMON: &[Field] = &[
    ("api_base", Rule::Refused(Why::Elsewhere)),
    ("api_key", Rule::Refused(Why::Elsewhere)),
    ("api_version", Rule::Refused(Why::Elsewhere)),
    ("base_url", Rule::Refused(Why::Elsewhere)),
    ("custom_llm_provider", Rule::Refused(Why::Elsewhere)),
    ("extra_body", Rule::Refused(Why::Elsewhere)),
    ("extra_headers", Rule::Refused(Why::Elsewhere)),
    ("fallbacks", Rule::Refused(Why::Routing)),
    ("inference_geo", Rule::Refused(Why::Place)),
    ("model", Rule::Read),
    ("model_list", Rule::Refused(Why::Routing)),
    ("models", Rule::Refused(Why::Routing)),
    ("preset", Rule::Refused(Why::Routing)),
    ("provider", Rule::Refused(Why::Routing)),
    ("route", Rule::Refused(Why::Routing)),
    ("service_tier", TIERS),
];

const CHAT: &[Field] = &[
    ("background", Rule::Refused(Why::Later)),
    ("best_of", Rule::One),
    ("candidate_count", Rule::One),
    ("container", Rule::Refused(Why::Service)),
    ("conversation", Rule::Refused(Why::Unseen)),
    ("data_sources", Rule::Refused(Why::Service)),
    ("deferred", Rule::Refused(Why::Later)),
    ("enable_code_interpreter", Rule::Refused(Why::Service)),
    ("enable_search", Rule::Refused(Why::Service)),
    ("enable_web_search", Rule::Refused(Why::Service)),
    ("functions", Rule::Text),
    ("max_completion_tokens", Rule::Read),
    ("max_tokens", Rule::Read),
    ("mcp_servers", Rule::Refused(Why::Service)),
    ("messages", Rule::Messages),
    ("modalities", Rule::Modalities),
    ("n", Rule::Read),
    ("num_return_sequences", Rule::One),
    ("plugins", Rule::Refused(Why::Service)),
    ("prediction", Rule::Refused(Why::Guess)),
    ("previous_response_id", Rule::Refused(Why::Unseen)),
    ("response_format", Rule::Text),
    ("search_options", Rule::Refused(Why::Service)),
    ("search_parameters", Rule::ModeOff),
    ("speed", Rule::Words(&["standard"])),
    ("stream", Rule::Read),
    ("stream_options", Rule::Read),
    ("tools", Rule::Tools),
    ("web_search", Rule::Refused(Why::Service)),
    ("web_search_options", Rule::Refused(Why::Service)),
];

const EMBEDDING: &[Field] = &[("input", Rule::Input)];

const IMAGE: &[Field] = &[
    ("batch_size", Rule::One),
    ("frame_count", Rule::One),
    ("image", Rule::Input),
    ("images", Rule::Input),
    ("max_images", Rule::One),
    ("n", Rule::Read),
    ("num_images", Rule::One),
    ("num_outputs", Rule::One),
    ("number_of_images", Rule::One),
    ("prompt", Rule::Input),
    ("quality", Rule::Read),
    ("sequential_image_generation", Rule::Words(&["disabled"])),
    ("size", Rule::Read),
    ("stream", Rule::Read),
    ("tools", Rule::Tools),
    ("web_search", Rule::Refused(Why::Service)),
];

fn rule(operation: Operation, name: &[u8]) -> Option<Field> {
    let own = match operation {
        Operation::Chat => CHAT,
        Operation::Embedding => EMBEDDING,
        Operation::Image => IMAGE,
    };
    // Both are in order.
    let find = |list: &[Field]| {
        let at = list.binary_search_by(|(field, _)| field.as_bytes().cmp(name));
        at.ok().map(|at| list[at])
    };
    find(own).or_else(|| find(COMMON))
}

/// Looks at every field of `body`, which is a JSON object that was checked.
pub fn check(operation: Operation, body: &[u8]) -> Result<Asked, Refused> {
    let mut asked = Asked::default();
    let mut refused = None;
    Walk::new(body).object(|walk, name| {
        let folded = Folded::of(name);
        let Some((field, rule)) = rule(operation, folded.get()) else {
            return walk.value().map(drop);
        };
        // An escaped name is the name all the same.
        if *super::walk::unescaped(name) != *field.as_bytes() {
            let message = "it is written in small letters; in others providers may take it or not.";
            refused = Some(wrong(field, message));
            return None;
        }
        walk.peek()?;
        match asked.field(rule, walk.value()?) {
            Ok(()) => Some(()),
            Err(message) => {
                refused = Some(wrong(field, &message));
                None
            }
        }
    });
    refused.map_or(Ok(asked), Err)
}

fn wrong(field: &'static str, message: &str) -> Refused {
    Refused {
        field,
        message: format!("`{field}` is not taken: {message}"),
    }
}

impl Asked {
    fn field(&mut self, rule: Rule, value: &[u8]) -> Result<(), String> {
        match rule {
            Rule::Input => {
                self.input = self.input.and(Input::of_value(value));
                Ok(())
            }
            Rule::Messages => {
                self.input = self.input.and(Input::of_messages(value));
                Ok(())
            }
            Rule::Refused(why) if !is_nothing(value) => Err(why.sentence().to_owned()),
            Rule::Words(words) => is_word(value, words),
            Rule::One if !is_nothing(value) && count(value) != 1 => {
                Err("answers are asked for with `n`.".to_owned())
            }
            Rule::Text => {
                self.input = self.input.and(Input::of_text(value));
                Ok(())
            }
            Rule::Tools => {
                self.input = self.input.and(Input::of_text(value));
                are_functions(value)
            }
            Rule::Modalities => are_modalities(value),
            Rule::ModeOff if !is_nothing(value) && !is_off(value) => {
                Err(Why::Service.sentence().to_owned())
            }
            Rule::Read | Rule::Refused(_) | Rule::One | Rule::ModeOff => Ok(()),
        }
    }
}

/// Whether a value says as much as a field that is not there.
fn is_nothing(value: &[u8]) -> bool {
    let is_empty = |open, close| {
        let inside = value.strip_prefix(open).and_then(|v| v.strip_suffix(close));
        inside.is_some_and(|inside| inside.trim_ascii().is_empty())
    };
    matches!(value, b"null" | b"false" | b"0" | b"\"\"")
        || is_empty(b"[", b"]")
        || is_empty(b"{", b"}")
}

fn is_word(value: &[u8], words: &[&str]) -> Result<(), String> {
    let text = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    let is_one = text.is_some_and(|text| {
        let text = super::walk::unescaped(text);
        words.iter().any(|word| *text == *word.as_bytes())
    });
    if is_one || is_nothing(value) {
        return Ok(());
    }
    let words = words.join("`, `");
    Err(format!(
        "it may be `{words}`; whatever else has another price."
    ))
}

/// Functions run at the tenant; whatever else the provider runs, and bills.
fn are_functions(value: &[u8]) -> Result<(), String> {
    let mut all = true;
    let mut walk = Walk::new(value);
    if walk.peek() == Some(b'[') {
        walk.array(|walk| {
            if walk.peek()? != b'{' {
                return walk.value().map(drop);
            }
            let (mut has_function, mut has_other) = (false, false);
            walk.object(|walk, name| {
                let name = Folded::of(name);
                let value = walk.value()?;
                match name.get() {
                    b"type" => {
                        let is_function = is_word(value, &["function", "custom"]).is_ok();
                        has_function |= is_function;
                        has_other |= !is_function;
                    }
                    b"function" | b"custom" => has_function = true,
                    _ => {}
                }
                Some(())
            })?;
            all &= has_function && !has_other;
            Some(())
        });
    }
    let why = "only tools of the type `function` or `custom` have a price here; \
               what providers run themselves, as searches, is billed on top.";
    if all { Ok(()) } else { Err(why.to_owned()) }
}

fn are_modalities(value: &[u8]) -> Result<(), String> {
    let mut all = true;
    let mut walk = Walk::new(value);
    if walk.peek() == Some(b'[') {
        walk.array(|walk| {
            all &= is_word(walk.value()?, &["text", "image"]).is_ok();
            Some(())
        });
    } else {
        all = is_nothing(value);
    }
    let why = "it may hold `text` and `image`; spoken answers have no price here.";
    if all { Ok(()) } else { Err(why.to_owned()) }
}

fn is_off(value: &[u8]) -> bool {
    let (mut off, mut other) = (false, false);
    let mut walk = Walk::new(value);
    walk.object(|walk, name| {
        let is_mode = Folded::of(name).get() == b"mode";
        let is_off = walk.value()? == b"\"off\"";
        off |= is_mode && is_off;
        other |= is_mode && !is_off;
        Some(())
    });
    off && !other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: Operation, body: &str) -> Option<&'static str> {
        check(operation, body.as_bytes()).err().map(|refused| {
            assert!(
                refused.message.contains(refused.field),
                "{}",
                refused.message
            );
            refused.field
        })
    }

    #[test]
    fn the_lists_are_in_order_and_name_a_field_once() {
        for list in [COMMON, CHAT, EMBEDDING, IMAGE] {
            assert!(list.is_sorted_by(|a, b| a.0 < b.0), "{list:?}");
        }
        for operation in Operation::ALL {
            for (field, _) in COMMON {
                assert_eq!(
                    rule(operation, field.as_bytes()).map(|found| found.0),
                    Some(*field)
                );
            }
        }
    }

    #[test]
    fn what_changes_the_bill_is_refused_by_its_name() {
        for (field, values) in [
            (
                "service_tier",
                &[
                    "\"priority\"",
                    "\"scale\"",
                    "7",
                    "\"Priority\"",
                    "[\"auto\"]",
                ][..],
            ),
            ("models", &["[\"a\"]"]),
            ("route", &["\"fallback\""]),
            ("provider", &["{\"order\":[\"x\"]}"]),
            ("plugins", &["[{\"id\":\"web\"}]"]),
            ("best_of", &["2", "\"2\"", "1.5"]),
            ("candidate_count", &["3"]),
            (
                "web_search_options",
                &["{\"search_context_size\":\"high\"}"],
            ),
            ("enable_search", &["true"]),
            ("prediction", &["{\"type\":\"content\",\"content\":\"x\"}"]),
            (
                "search_parameters",
                &[
                    "{\"mode\":\"on\"}",
                    "{\"x\":1}",
                    "{\"mode\":\"off\",\"Mode\":\"on\"}",
                ],
            ),
            ("api_base", &["\"http://x\""]),
            ("extra_body", &["{\"service_tier\":\"priority\"}"]),
            ("modalities", &["[\"text\",\"audio\"]", "\"audio\""]),
            ("background", &["true"]),
            ("previous_response_id", &["\"resp_1\""]),
            (
                "tools",
                &[
                    "[{\"type\":\"web_search\"}]",
                    "[{\"type\":\"function\",\"function\":{}},{\"type\":\"web_search_preview\"}]",
                    "[{\"type\":\"builtin_function\",\"function\":{\"name\":\"$web_search\"}}]",
                    "[{\"google_search\":{}}]",
                    "[{\"type\":\"function\",\"Type\":\"web_search\"}]",
                ],
            ),
        ] {
            for value in values {
                let body = format!("{{\"model\":\"m\",\"{field}\":{value},\"messages\":[]}}");
                assert_eq!(refused(Operation::Chat, &body), Some(field), "{body}");
            }
        }
        for (field, value) in [
            ("num_images", "4"),
            ("sequential_image_generation", "\"auto\""),
            ("max_images", "15"),
            ("frame_count", "16"),
            ("service_tier", "\"priority\""),
        ] {
            let body = format!("{{\"model\":\"m\",\"prompt\":\"x\",\"{field}\":{value}}}");
            assert_eq!(refused(Operation::Image, &body), Some(field), "{body}");
        }
        let twice = r#"{"service_tier":"default","service_tier":"priority"}"#;
        assert_eq!(refused(Operation::Chat, twice), Some("service_tier"));
    }

    #[test]
    fn what_changes_nothing_passes_and_so_does_what_nobody_knows() {
        for body in [
            r#"{"service_tier":"auto"}"#,
            r#"{"service_tier":null,"models":[],"route":null,"provider":{ },"plugins":[],"web_search_options":null}"#,
            r#"{"best_of":1,"best_of":null}"#,
            r#"{"enable_search":false,"background":false,"search_parameters":{"mode":"off"}}"#,
            r#"{"modalities":["text","image"],"tools":[],"tool_choice":"none"}"#,
            r#"{"tools":[{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}},{"type":"custom","custom":{}}]}"#,
            r#"{"a_field_of_next_year":{"n":9},"logit_bias":{"Model":1},"metadata":{"service_tier":"priority"}}"#,
            r#"{"reasoning_effort":"high","reasoning":{"max_tokens":9},"thinking":{"type":"enabled"},"store":true}"#,
        ] {
            assert_eq!(refused(Operation::Chat, body), None, "{body}");
        }
    }

    #[test]
    fn twins_that_differ_in_case_are_refused() {
        for (name, field) in [
            ("Model", "model"),
            ("N", "n"),
            ("Max_Tokens", "max_tokens"),
            ("MAX_COMPLETION_TOKENS", "max_completion_tokens"),
            ("me\u{17f}\u{17f}ages", "messages"),
            ("max_to\u{212a}ens", "max_tokens"),
            (r"max_to\u212aens", "max_tokens"),
            ("Service_tier", "service_tier"),
            ("Stream", "stream"),
        ] {
            let body = format!("{{\"model\":\"m\",\"{name}\":1}}");
            assert_eq!(refused(Operation::Chat, &body), Some(field), "{name}");
        }
        assert_eq!(refused(Operation::Chat, r#"{"mod\u0065l":"m"}"#), None);
        assert_eq!(
            refused(Operation::Embedding, r#"{"Input":"m"}"#),
            Some("input")
        );
        assert_eq!(refused(Operation::Image, r#"{"Size":"m"}"#), Some("size"));
    }

    #[test]
    fn tools_are_input() {
        let text = "abcd".repeat(100);
        let body = format!(
            r#"{{"tools":[{{"type":"function","function":{{"name":"f","description":"{text}"}}}}]}}"#
        );
        let asked = check(Operation::Chat, body.as_bytes()).expect("fine");
        assert!((100..140).contains(&asked.input.estimate()), "{asked:?}");
    }
}
