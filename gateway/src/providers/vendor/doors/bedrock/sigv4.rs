//! Signatures of requests to Amazon's services (AWS Signature Version 4, in headers). Sends nothing and
//! asks nobody for the time.

use std::fmt::Write;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use shared::calendar::{CivilDate, MS_PER_DAY};
use shared::clock::Moment;
use shared::secret::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// No part of a key is longer; tokens of sessions have no stated bound.
const KEY_BYTES_MAX: usize = 8 * 1024;

/// A key of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsKey {
    /// Names it; no secret.
    pub(crate) id: String,
    /// What signs.
    pub(crate) secret: Secret<String>,
    /// Of keys that live for hours only.
    pub(crate) session_token: Option<Secret<String>>,
}

impl AwsKey {
    /// From `<access key id>:<secret access key>`, with `:<session token>` behind where there is one;
    /// `None` where it is no such key.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let is_word = |word: &&str| {
            (1..=KEY_BYTES_MAX).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic())
        };
        let mut parts = text.trim().splitn(3, ':');
        let id = parts.next().filter(is_word)?;
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let secret = parts.next().filter(is_word)?;
        let session_token = match parts.next() {
            None => None,
            Some(token) => Some(Some(token).filter(is_word)?.to_owned()),
        };
        id.bytes().all(is_id).then(|| Self {
            id: id.to_owned(),
            secret: Secret::new(secret.to_owned()),
            session_token: session_token.map(Secret::new),
        })
    }
}

/// Which service, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AwsScope<'a> {
    /// As `us-east-1`.
    pub(crate) region: &'a str,
    /// Bedrock's is `bedrock`, at whichever of its hosts.
    pub(crate) service: &'a str,
}

/// A request as it is sent; without a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// The host, with the port where that is not the usual one.
    pub(crate) host: &'a str,
    /// As it stands in the request line, so with its escapes.
    pub(crate) path: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// The headers that a request is sent with, beside those that it has; the last one holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsHeaders {
    /// `authorization`.
    pub(crate) authorization: String,
    /// `x-amz-date`.
    pub(crate) date: String,
    /// `x-amz-security-token`.
    pub(crate) session_token: Option<Secret<String>>,
}

/// Signs a request at `now`; the service takes it for some minutes.
pub(crate) fn sign(
    request: Unsigned<'_>,
    key: &AwsKey,
    scope: AwsScope<'_>,
    now: Moment,
) -> AwsHeaders {
    let (day, date) = times(now);
    let token = key.session_token.as_ref().map(Secret::expose);
    let (canonical, signed) = canonical(request, &date, token.map(String::as_str));
    let AwsScope { region, service } = scope;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let digest = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{digest}");
    let mut secret = format!("AWS4{}", key.secret.expose()).into_bytes();
    for part in [day.as_str(), region, service, "aws4_request"] {
        secret = mac(&secret, part.as_bytes());
    }
    let signature = hex::encode(mac(&secret, to_sign.as_bytes()));
    let id = &key.id;
    AwsHeaders {
        authorization: format!(
            "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}"
        ),
        date,
        session_token: key.session_token.clone(),
    }
}

/// The request in the one form that both sides make of it, and the names of the headers in it.
fn canonical(request: Unsigned<'_>, date: &str, token: Option<&str>) -> (String, String) {
    // In the order of their names.
    let headers = [
        ("content-type", request.content_type),
        ("host", Some(request.host)),
        ("x-amz-date", Some(date)),
        ("x-amz-security-token", token),
    ];
    let mut lines = String::new();
    let mut signed = String::new();
    for (name, value) in headers {
        let Some(value) = value else {
            continue;
        };
        // Writing to a String can't fail.
        let _ = writeln!(lines, "{name}:{}", value.trim());
        if !signed.is_empty() {
            signed.push(';');
        }
        signed.push_str(name);
    }
    let (method, body) = (request.method, hex::encode(Sha256::digest(request.body)));
    // Escapes are escaped once more, by every service but S3.
    let path = escaped(request.path, true);
    let canonical = format!("{method}\n{path}\n\n{lines}\n{signed}\n{body}");
    (canonical, signed)
}

/// A name as one part of a path: models' names have `:` and `/` in them. `None` where it would be taken
/// for a step in the path itself.
pub(crate) fn segment(name: &str) -> Option<String> {
    (!matches!(name, "" | "." | "..")).then(|| escaped(name, false))
}

/// With every byte escaped that is not sure to pass (RFC 3986, 2.3).
fn escaped(text: &str, keeps_slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || (keeps_slashes && byte == b'/');
        if is_plain {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&[0; 64].into()));
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The day, and the second in it: `20150830`, `20150830T123600Z`.
fn times(now: Moment) -> (String, String) {
    let CivilDate { year, month, day } = CivilDate::of(now);
    let second = now.unix_ms().rem_euclid(MS_PER_DAY) / 1_000;
    let (hours, minutes, seconds) = (second / 3_600, second / 60 % 60, second % 60);
    let day = format!("{year:04}{month:02}{day:02}");
    let date = format!("{day}T{hours:02}{minutes:02}{seconds:02}Z");
    (day, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30 12:36:00 UTC, the moment of Amazon's test suite.
    const NOW: Moment = Moment::from_unix_ms(1_440_938_160_000);

    fn key(token: Option<&str>) -> AwsKey {
        AwsKey {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: token.map(|token| Secret::new(token.to_owned())),
        }
    }

    /// The names that were signed, and the signature.
    fn signed(
        request: Unsigned<'_>,
        key: &AwsKey,
        region: &str,
        service: &str,
    ) -> (String, String) {
        let headers = sign(request, key, AwsScope { region, service }, NOW);
        assert_eq!(headers.date, "20150830T123600Z");
        let head = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/{region}/{service}/aws4_request, SignedHeaders="
        );
        let rest = headers.authorization.strip_prefix(&head);
        let (names, signature) = rest
            .and_then(|rest| rest.split_once(", Signature="))
            .expect("the form of the header");
        (names.to_owned(), signature.to_owned())
    }

    /// `get-vanilla` and `post-vanilla` of the suite.
    #[test]
    fn amazons_own_examples_are_signed_as_amazon_signs_them() {
        for (method, signature) in [
            (
                "GET",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "POST",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
        ] {
            let request = Unsigned {
                method,
                host: "example.amazonaws.com",
                path: "/",
                content_type: None,
                body: b"",
            };
            let made = signed(request, &key(None), "us-east-1", "service");
            assert_eq!(made, ("host;x-amz-date".to_owned(), signature.to_owned()));
        }
    }

    /// Signatures that Amazon's SDK for Python (botocore 1.44.8) makes of the same requests.
    #[test]
    fn calls_of_models_are_signed_as_amazons_sdk_signs_them() {
        let model = segment("us.anthropic.claude-haiku-4-5-20251001-v1:0").expect("a name");
        let path = format!("/model/{model}/converse-stream");
        let request = Unsigned {
            method: "POST",
            host: "bedrock-runtime.us-east-1.amazonaws.com",
            path: &path,
            content_type: Some("application/json"),
            body: b"{\"messages\":[]}",
        };
        let (names, signature) = signed(request, &key(None), "us-east-1", "bedrock");
        assert_eq!(names, "content-type;host;x-amz-date");
        assert_eq!(
            signature,
            "664df4edc74973cb2761bc9431b672228ddf1c2accae77450fc7fa6c7416a054"
        );
        let (names, signature) = signed(request, &key(Some("TOKEN/=")), "us-east-1", "bedrock");
        assert_eq!(names, "content-type;host;x-amz-date;x-amz-security-token");
        assert_eq!(
            signature,
            "7c6242796a33c4309fe2e5a82e7e97c2cf84f488b98b79f8486e5b15a939e967"
        );
        let arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-2-lite-v1:0";
        let path = format!("/model/{}/converse", segment(arn).expect("a name"));
        let request = Unsigned {
            host: "bedrock-runtime.eu-west-1.amazonaws.com",
            path: &path,
            body: b"",
            ..request
        };
        let (_, signature) = signed(request, &key(None), "eu-west-1", "bedrock");
        assert_eq!(
            signature,
            "d3e28c4bc56a3b20939e78f00e3d09b4b890184461d4251edbac406cc642ed0b"
        );
    }

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(segment("a.b/c:0 %").as_deref(), Some("a.b%2Fc%3A0%20%25"));
        for step in ["", ".", ".."] {
            assert_eq!(segment(step), None);
        }
    }

    #[test]
    fn a_key_is_read_with_and_without_a_token_and_not_printed() {
        let read = AwsKey::read(" AKIDEXAMPLE:wJalr/+x \n").expect("a key");
        assert_eq!(read.id, "AKIDEXAMPLE");
        assert_eq!(read.secret.expose(), "wJalr/+x");
        assert_eq!(read.session_token, None);
        let read = AwsKey::read("ASIAEXAMPLE:wJalr:IQoJ:b3==").expect("a key");
        assert_eq!(
            read.session_token,
            Some(Secret::new("IQoJ:b3==".to_owned()))
        );
        assert!(!format!("{read:?}").contains("wJalr"));
        for wrong in [
            "", "AKID", ":x", "AKID:", "AKID:x:", "AK ID:x", "AKID:x y", "AK/ID:x",
        ] {
            assert_eq!(AwsKey::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_before_the_epoch_and_at_midnight_have_their_day() {
        let date = |ms| times(Moment::from_unix_ms(ms)).1;
        assert_eq!(date(0), "19700101T000000Z");
        assert_eq!(date(-1_000), "19691231T235959Z");
        assert_eq!(date(1_798_761_599_999), "20261231T235959Z");
    }
}
