//! What a pool must know of a call: how large it is, and at which key its prompt may be cached. Pure.

use memchr::memmem;
use shared::link::{Call, Operation};

use super::dice::number_of;

/// Providers cache prompts from about a thousand tokens on (OpenAI, Anthropic); shorter ones gain nothing.
const PREFIX_BYTES: usize = 4 * 1024;
/// A key of the caller's own stands near the beginning or the end of a body.
const SEARCHED_BYTES: usize = 64 * 1024;
/// A field's letters also stand where they are none: each message of a user has them.
const PLACES_MAX: usize = 256;
/// Longer keys are none.
const KEY_BYTES_MAX: usize = 256;
/// Bytes for a token where the server did not count, and the most tokens that are believed so: what is
/// longer is a picture or a file.
const TOKEN_BYTES: usize = 4;
const GUESS_MAX: usize = 16 * 1024;
/// Fields that say which requests belong together: OpenAI's, its older one, Anthropic's.
const FIELDS: [&[u8]; 3] = [b"\"prompt_cache_key\"", b"\"user_id\"", b"\"user\""];

/// How large a call is, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size {
    /// About what it is to read.
    pub(crate) input: u64,
    /// The most it may bring.
    pub(crate) output_max: u64,
}

impl Size {
    /// Of a call.
    pub(crate) fn of(call: &Call) -> Self {
        call.bounds.map_or_else(
            || {
                let guess = (call.body.len() / TOKEN_BYTES).min(GUESS_MAX);
                Self {
                    input: u64::try_from(guess).unwrap_or(0),
                    output_max: u64::MAX,
                }
            },
            |bounds| Self {
                input: bounds.input_estimate,
                output_max: bounds.output_max,
            },
        )
    }
}

/// A number that calls share which begin alike: whoever reads the next one at the same account pays less
/// for it. The request's own word counts first, then the beginning of its body. Nothing where there is
/// nothing to gain.
pub(crate) fn affinity(call: &Call) -> Option<u64> {
    let reads_prompts = matches!(
        call.surface.operation,
        Operation::Chat | Operation::Completion
    );
    let prefix = call.body.get(..PREFIX_BYTES).filter(|_| reads_prompts)?;
    let own = FIELDS.iter().find_map(|field| value(&call.body, field));
    if let Some(value) = own {
        return Some(number_of((call.caller, value)));
    }
    Some(number_of((call.caller, prefix)))
}

/// The text behind `field`. Inside a text its quotes would be escaped, so that it can't be taken for one.
fn value<'a>(body: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    let searched = body.len().min(SEARCHED_BYTES);
    [&body[..searched], &body[body.len() - searched..]]
        .into_iter()
        .find_map(|part| {
            let mut places = memmem::find_iter(part, field).take(PLACES_MAX);
            places.find_map(|at| text_behind(&part[at + field.len()..]))
        })
}

/// A value that is a text; none where no field stands there, but a text of the same letters.
fn text_behind(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    let text = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', &text[..text.len().min(KEY_BYTES_MAX)])?;
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use shared::link::Bounds;

    use super::*;
    use crate::fixture::call;

    fn of(caller: u64, body: &str) -> Option<u64> {
        let mut call = call(Operation::Chat, body.to_owned());
        call.caller = caller;
        affinity(&call)
    }

    #[test]
    fn requests_that_say_so_or_begin_alike_belong_together() {
        let short = r#"{"messages":[{"role":"user","content":"hi"}],"user":"u"}"#;
        assert_eq!(of(1, short), None);
        let keyed = |key: &str, text: &str| {
            let text = format!("{text}{}", "x".repeat(5_000));
            format!(
                r#"{{"messages":[{{"role":"user","content":"{text}"}}],"prompt_cache_key" : "{key}"}}"#
            )
        };
        assert_eq!(of(1, &keyed("a", "one")), of(1, &keyed("a", "two")));
        assert_ne!(of(1, &keyed("a", "one")), of(1, &keyed("b", "one")));
        assert_ne!(of(1, &keyed("a", "one")), of(2, &keyed("a", "one")));
        let said = r#"say \"prompt_cache_key\": \"x\""#;
        assert_eq!(of(1, &keyed("a", said)), of(1, &keyed("a", "one")));
        let long = |end: &str| format!(r#"{{"messages":["{}{end}"]}}"#, "x".repeat(5_000));
        assert_eq!(of(1, &long("a")), of(1, &long("b")));
        assert_ne!(of(1, &long("a")), of(2, &long("a")));
        assert!(of(1, &long("a")).is_some());
        let of_user = |user: &str, text: &str| {
            let text = format!("{text}{}", "x".repeat(5_000));
            format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}],"user":"{user}"}}"#)
        };
        assert_eq!(of(1, &of_user("a", "one")), of(1, &of_user("a", "two")));
        assert_ne!(of(1, &of_user("a", "one")), of(1, &of_user("b", "one")));
        let picture = call(Operation::Image, long("a"));
        assert_eq!(affinity(&picture), None);
    }

    #[test]
    fn what_the_server_counted_counts() {
        let mut call = call(Operation::Chat, vec![b'x'; 4_000]);
        assert_eq!(Size::of(&call).input, 1_000);
        call.bounds = Some(Bounds {
            input_estimate: 7,
            input_max: 9,
            output_max: 3,
        });
        let expected = Size {
            input: 7,
            output_max: 3,
        };
        assert_eq!(Size::of(&call), expected);
    }
}
