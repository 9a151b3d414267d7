//! The link over HTTP: names of paths and headers, and how a call is written into them.
//! Opens no connection; the server's `link::http` and the gateway's `link::http` do.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{Call, END_USER_BYTES_MAX, Parting, Target};
use crate::id::{BootId, GenerationId, RequestId};
use crate::surface::Surface;

/// Below this path the gateway answers generations.
pub const PREFIX: &str = "/internal/v1";
/// Below this path the gateway answers operators.
pub const ADMIN_PREFIX: &str = "/internal/admin";

/// The shared secret.
pub const SECRET: HeaderName = HeaderName::from_static("x-internal-secret");
/// The generation's id.
pub const GENERATION: HeaderName = HeaderName::from_static("x-waule-generation");
/// Targets as a JSON array.
pub const TARGETS: HeaderName = HeaderName::from_static("x-waule-targets");
/// `1` for a stream.
pub const STREAM: HeaderName = HeaderName::from_static("x-waule-stream");
/// `1` when the tenant sees the usage chunk.
pub const SHOW_USAGE: HeaderName = HeaderName::from_static("x-waule-show-usage");
/// How long the call may take, in milliseconds.
pub const DEADLINE_MS: HeaderName = HeaderName::from_static("x-waule-deadline-ms");
/// For how long the server goes on trying to reach a generation it was cut from, in milliseconds: so
/// long at least it has to run on and be kept while nobody is attached to it.
pub const PATIENCE_MS: HeaderName = HeaderName::from_static("x-waule-patience-ms");
/// Which calls belong together, as a number.
pub const CALLER: HeaderName = HeaderName::from_static("x-waule-caller");
/// Whose question it is, as providers may hear it.
pub const END_USER: HeaderName = HeaderName::from_static("x-waule-end-user");
/// What the call can bring at most: [`super::Bounds`] as JSON.
pub const BOUNDS: HeaderName = HeaderName::from_static("x-waule-bounds");
/// The name that answers give their model.
pub const ANSWER_MODEL: HeaderName = HeaderName::from_static("x-waule-answer-model");
/// `1` where a provider is passed over to which something of the request can't be said.
pub const SAYS_ALL: HeaderName = HeaderName::from_static("x-waule-says-all");
/// Headers of the tenant's request that its dialect knows, as a JSON array of pairs.
pub const CLIENT_HEADERS: HeaderName = HeaderName::from_static("x-waule-client-headers");
/// The tenant's request id.
pub const REQUEST: HeaderName = HeaderName::from_static("x-request-id");
/// The gateway's life.
pub const BOOT: HeaderName = HeaderName::from_static("x-waule-boot");
/// The outcome as JSON: a header of a whole reply, a trailer of a stream.
pub const OUTCOME: HeaderName = HeaderName::from_static("x-waule-outcome");
/// Beside the outcome of a stream: how many bytes the whole answer has; absent from earlier versions.
pub const LENGTH: HeaderName = HeaderName::from_static("x-waule-length");
/// What of the request could not be said at the provider: fields by comma.
pub const DROPPED: HeaderName = HeaderName::from_static("x-waule-dropped");
/// `1` when the body is a `Failure` as JSON.
pub const FAILURE: HeaderName = HeaderName::from_static("x-waule-failure");

/// Bytes of the output that the server has already; absent is none.
pub const OFFSET: HeaderName = HeaderName::from_static("x-waule-offset");
/// The life of the gateway that a call was first sent to, when it is sent again: another life must
/// not start it.
pub const LIFE: HeaderName = HeaderName::from_static("x-waule-life");
/// Generations, by comma, of which the server has all output.
pub const SEEN: HeaderName = HeaderName::from_static("x-waule-seen");
/// Why a call was not started, and surely was not: it may go to another node.
pub const NOT_STARTED: HeaderName = HeaderName::from_static("x-waule-not-started");

/// How the body of a refusal with [`NOT_STARTED`] ends where the gateway stops: another one may come in
/// its place.
pub const DRAINING: &str = "draining";

/// In a request: the version of compression ([`super::codec`]) that the server can read; in an answer:
/// that its body is compressed so.
pub const CODEC: HeaderName = HeaderName::from_static("x-waule-codec");
/// `1` when a request's body is compressed.
pub const PACKED: HeaderName = HeaderName::from_static("x-waule-packed");
/// Milliseconds for which the pieces of an answer may wait for each other and for those of others.
pub const GATHER: HeaderName = HeaderName::from_static("x-waule-gather");
/// Where the chain of a body's hashes begins ([`super::prefix`]).
pub const ROOT: HeaderName = HeaderName::from_static("x-waule-root");
/// The beginning of a body that is left out.
pub const BEGINNING: HeaderName = HeaderName::from_static("x-waule-beginning");
/// Hash of the body with that beginning.
pub const WHOLE: HeaderName = HeaderName::from_static("x-waule-whole");

/// Ids in one [`SEEN`] at most.
pub const SEEN_MAX: usize = 32;

/// Fields that are named in one [`DROPPED`] at most, and bytes of each: more tell nobody anything.
const DROPPED_MAX: usize = 32;
const DROPPED_BYTES_MAX: usize = 64;

/// A header value longer than this is refused: targets and outcomes are far shorter.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// No call may take longer, whatever the server asks for.
pub const DEADLINE_MAX: Duration = Duration::from_secs(3_600);
/// Used when the header is absent.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(600);

/// Writes everything of a call but its body into headers.
pub fn write_call(call: &Call, headers: &mut HeaderMap) {
    let targets = serde_json::to_string(&*call.targets).unwrap_or_default();
    let mut put = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(GENERATION, call.generation.as_str());
    put(REQUEST, call.request.as_str());
    put(TARGETS, &escape_non_ascii(&targets));
    put(DEADLINE_MS, &call.deadline.as_millis().to_string());
    if call.caller != 0 {
        put(CALLER, &call.caller.to_string());
    }
    if let Some(name) = &call.end_user {
        put(END_USER, name);
    }
    if let Some(bounds) = &call.bounds {
        put(BOUNDS, &serde_json::to_string(bounds).unwrap_or_default());
    }
    if let Some(name) = &call.answer_model {
        put(ANSWER_MODEL, name);
    }
    if call.says_all {
        put(SAYS_ALL, "1");
    }
    if call.stream {
        put(STREAM, "1");
    }
    if call.show_usage {
        put(SHOW_USAGE, "1");
    }
    if !call.headers.is_empty() {
        let pairs = serde_json::to_string(&call.headers).unwrap_or_default();
        put(CLIENT_HEADERS, &escape_non_ascii(&pairs));
    }
}

/// Reads a call; says which header is wrong. The generation's id is made when it is absent.
pub fn read_call(
    surface: &'static Surface,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Call, String> {
    let text = |name: &HeaderName| -> Result<Option<&str>, String> {
        match headers.get(name) {
            None => Ok(None),
            Some(value) if value.len() > HEADER_BYTES_MAX => Err(format!("{name} is too long")),
            Some(value) => value
                .to_str()
                .map(Some)
                .map_err(|_| format!("{name} is not text")),
        }
    };
    let targets = text(&TARGETS)?.ok_or_else(|| format!("{TARGETS} is missing"))?;
    let targets: Vec<Target> =
        serde_json::from_str(targets).map_err(|e| format!("{TARGETS}: {e}"))?;
    let generation = match text(&GENERATION)? {
        Some(id) => id.parse().map_err(|e| format!("{GENERATION}: {e}"))?,
        None => GenerationId::random(),
    };
    let request = match text(&REQUEST)? {
        Some(id) => id.parse().map_err(|e| format!("{REQUEST}: {e}"))?,
        None => RequestId::random(),
    };
    let deadline = match text(&DEADLINE_MS)? {
        Some(ms) => Duration::from_millis(ms.parse().map_err(|e| format!("{DEADLINE_MS}: {e}"))?),
        None => DEADLINE_DEFAULT,
    };
    let caller = match text(&CALLER)? {
        Some(number) => number.parse().map_err(|e| format!("{CALLER}: {e}"))?,
        None => 0,
    };
    let bounds = match text(&BOUNDS)? {
        Some(json) => Some(serde_json::from_str(json).map_err(|e| format!("{BOUNDS}: {e}"))?),
        None => None,
    };
    let client_headers = match text(&CLIENT_HEADERS)? {
        Some(json) => serde_json::from_str(json).map_err(|e| format!("{CLIENT_HEADERS}: {e}"))?,
        None => Vec::new(),
    };
    Ok(Call {
        generation,
        request,
        surface,
        targets: targets.into(),
        body,
        stream: text(&STREAM)? == Some("1"),
        show_usage: text(&SHOW_USAGE)? == Some("1"),
        headers: client_headers,
        tenant: None,
        caller,
        end_user: end_user(text(&END_USER)?)?,
        bounds,
        answer_model: text(&ANSWER_MODEL)?.map(str::to_owned),
        says_all: text(&SAYS_ALL)? == Some("1"),
        deadline: deadline.min(DEADLINE_MAX),
    })
}

/// Goes into bodies as it is, so that it must need no escaping there.
fn end_user(told: Option<&str>) -> Result<Option<String>, String> {
    let Some(name) = told else { return Ok(None) };
    let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !(1..=END_USER_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_sign) {
        return Err(format!("{END_USER} is not a name"));
    }
    Ok(Some(name.to_owned()))
}

/// A server's patience as the value of [`PATIENCE_MS`]; made once, sent with each call and attachment.
pub fn patience(span: Duration) -> HeaderValue {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    HeaderValue::from(ms)
}

/// Reads [`PATIENCE_MS`]; absent in what servers of earlier versions send. Longer than any call may
/// take is as good as for ever.
pub fn read_patience(headers: &HeaderMap) -> Result<Option<Duration>, String> {
    let Some(value) = headers.get(PATIENCE_MS) else {
        return Ok(None);
    };
    let ms = value.to_str().ok().and_then(|ms| ms.parse().ok());
    let span = ms.map(Duration::from_millis);
    let span = span.ok_or_else(|| format!("{PATIENCE_MS} is not a number"))?;
    Ok(Some(span.min(DEADLINE_MAX)))
}

/// Fields as the value of [`DROPPED`]; `None` where there are none. Names are a tenant's own words, so what
/// can't stand in a list is left out.
pub fn write_dropped(fields: &[String]) -> Option<HeaderValue> {
    let is_name = |name: &&String| {
        let of_name = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        (1..=DROPPED_BYTES_MAX).contains(&name.len()) && name.bytes().all(of_name)
    };
    let mut list = String::new();
    for name in fields.iter().filter(is_name).take(DROPPED_MAX) {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    HeaderValue::try_from(list)
        .ok()
        .filter(|list| !list.is_empty())
}

/// Reads [`DROPPED`]; what is no list of names is as good as absent.
pub fn read_dropped(headers: &HeaderMap) -> Vec<String> {
    let Some(list) = headers.get(DROPPED).and_then(|list| list.to_str().ok()) else {
        return Vec::new();
    };
    let names = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names.take(DROPPED_MAX).map(str::to_owned).collect()
}

/// The query of a request to end a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Why; servers of earlier versions do not say it.
    #[serde(default = "Finish::of_old")]
    pub why: Parting,
}

impl Finish {
    /// Earlier servers let a generation end at once.
    fn of_old() -> Parting {
        Parting::Abandoned
    }
}

/// The query of a request to try a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyTrial {
    /// The model that a small call is made with; without it a free question is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// How a call joins what may run already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Joining {
    /// Bytes of the output that are there already.
    pub offset: u64,
    /// The life that the call was first sent to.
    pub life: Option<BootId>,
    /// Generations whose output is there to its end.
    pub seen: Vec<GenerationId>,
}

impl Joining {
    /// Writes what is not the default.
    pub fn write(&self, headers: &mut HeaderMap) {
        let mut put = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if self.offset > 0 {
            put(OFFSET, &self.offset.to_string());
        }
        if let Some(life) = &self.life {
            put(LIFE, life.as_str());
        }
        if !self.seen.is_empty() {
            let ids: Vec<&str> = self.seen.iter().map(GenerationId::as_str).collect();
            put(SEEN, &ids.join(","));
        }
    }

    /// Reads it; says which header is wrong.
    pub fn read(headers: &HeaderMap) -> Result<Self, String> {
        let text = |name: &HeaderName| match headers.get(name) {
            None => Ok(None),
            Some(value) if value.len() > HEADER_BYTES_MAX => Err(format!("{name} is too long")),
            Some(value) => value
                .to_str()
                .map(Some)
                .map_err(|_| format!("{name} is not text")),
        };
        let offset = match text(&OFFSET)? {
            None => 0,
            Some(bytes) => bytes.parse().map_err(|e| format!("{OFFSET}: {e}"))?,
        };
        let seen = text(&SEEN)?.unwrap_or_default().split(',');
        let seen: Result<Vec<GenerationId>, _> = seen
            .filter(|id| !id.is_empty())
            .take(SEEN_MAX)
            .map(str::parse)
            .collect();
        Ok(Self {
            offset,
            life: text(&LIFE)?.map(|life| BootId::from_stored(life.to_owned())),
            seen: seen.map_err(|e| format!("{SEEN}: {e}"))?,
        })
    }
}

/// JSON with every character outside ASCII as `\u` escapes: header values carry ASCII only.
pub fn escape_non_ascii(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Operation;

    #[test]
    fn a_call_survives_the_headers() {
        let call = Call {
            generation: GenerationId::random(),
            request: RequestId::random(),
            surface: Surface::of(Operation::Chat),
            targets: vec![Target {
                provider: "openai".into(),
                model: "模型-🙂".into(),
                gateway: None,
                answers: Some("another".into()),
            }]
            .into(),
            body: Bytes::from_static(b"{}"),
            stream: true,
            show_usage: false,
            headers: vec![("anthropic-version".to_owned(), "2023-06-01".to_owned())],
            tenant: None,
            caller: 7,
            end_user: Some("wu_0a1b_2c3d".to_owned()),
            bounds: Some(crate::link::Bounds {
                input_estimate: 1,
                input_max: 2,
                output_max: 3,
            }),
            answer_model: Some("our/name".to_owned()),
            says_all: true,
            deadline: Duration::from_millis(1_500),
        };
        let mut headers = HeaderMap::new();
        write_call(&call, &mut headers);
        let read =
            read_call(Surface::of(Operation::Chat), &headers, call.body.clone()).expect("readable");
        assert_eq!(read.generation, call.generation);
        assert_eq!(read.request, call.request);
        assert_eq!(read.targets, call.targets);
        assert_eq!((read.caller, read.bounds), (call.caller, call.bounds));
        assert_eq!(read.answer_model, call.answer_model);
        assert!(read.says_all);
        assert_eq!(read.headers, call.headers);
        assert_eq!(
            (read.stream, read.show_usage, read.deadline),
            (true, false, call.deadline)
        );
    }

    #[test]
    fn joining_survives_the_headers() {
        let mut headers = HeaderMap::new();
        Joining::default().write(&mut headers);
        assert!(headers.is_empty(), "the usual call carries none of it");
        let joining = Joining {
            offset: 7,
            life: Some(BootId::random()),
            seen: vec![GenerationId::random(), GenerationId::random()],
        };
        joining.write(&mut headers);
        assert_eq!(Joining::read(&headers), Ok(joining));
        headers.insert(OFFSET, HeaderValue::from_static("-1"));
        assert!(Joining::read(&headers).is_err_and(|e| e.starts_with("x-waule-offset")));
    }

    #[test]
    fn what_was_dropped_survives_the_headers_and_carries_nothing_else() {
        let names = |list: &[&str]| -> Vec<String> { list.iter().map(|&n| n.to_owned()).collect() };
        let mut headers = HeaderMap::new();
        assert_eq!(write_dropped(&[]), None);
        assert_eq!(read_dropped(&headers), names(&[]));
        let fields = names(&["seed", "x\r\nset-cookie: a", "a,b", "", "名", "top_k"]);
        let value = write_dropped(&fields).expect("two of them");
        assert_eq!(value, "seed, top_k");
        headers.insert(DROPPED, value);
        assert_eq!(read_dropped(&headers), names(&["seed", "top_k"]));
        let many = vec!["x".repeat(DROPPED_BYTES_MAX); 1_000];
        assert!(write_dropped(&many).expect("some").len() < HEADER_BYTES_MAX);
        assert_eq!(write_dropped(&names(&["名"])), None);
    }

    #[test]
    fn patience_is_a_bounded_number_or_absent() {
        let mut headers = HeaderMap::new();
        assert_eq!(read_patience(&headers), Ok(None));
        headers.insert(PATIENCE_MS, patience(Duration::from_secs(30)));
        assert_eq!(read_patience(&headers), Ok(Some(Duration::from_secs(30))));
        headers.insert(PATIENCE_MS, patience(Duration::MAX));
        assert_eq!(read_patience(&headers), Ok(Some(DEADLINE_MAX)));
        for wrong in ["-1", "", "1.5", "30s", "99999999999999999999"] {
            headers.insert(PATIENCE_MS, HeaderValue::from_static(wrong));
            let read = read_patience(&headers);
            assert!(
                read.is_err_and(|e| e.starts_with("x-waule-patience")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn wrong_headers_are_named() {
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap| {
            read_call(Surface::of(Operation::Chat), headers, Bytes::new()).map(drop)
        };
        assert_eq!(read(&headers), Err("x-waule-targets is missing".to_owned()));
        headers.insert(TARGETS, HeaderValue::from_static("[]"));
        assert_eq!(read(&headers), Ok(()));
        headers.insert(GENERATION, HeaderValue::from_static("gen_../x"));
        assert!(read(&headers).is_err_and(|e| e.starts_with("x-waule-generation")));
    }
}
