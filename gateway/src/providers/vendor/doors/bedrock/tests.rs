//! What a signed request looks like on the wire, and where its region comes from.

use std::fmt::Write;

use bytes::Bytes;
use http::Method;
use shared::clock::Moment;
use shared::dialect::bedrock_converse::BEDROCK_CONVERSE;
use shared::link::options::ProviderOptions;
use shared::secret::Secret;

use super::*;
use crate::providers::learned::Learned;
use crate::providers::vendor::request::request;

const US: &str = "https://bedrock-runtime.us-east-1.amazonaws.com";

/// 2015-08-30 12:36:00 UTC, as in the tests of the signatures.
fn door() -> &'static Bedrock {
    let clock = Clock::fixed(Moment::from_unix_ms(1_440_938_160_000));
    Box::leak(Box::new(Bedrock { clock }))
}

struct Of<'a> {
    base_url: &'a str,
    region: Option<&'a str>,
    key: &'a str,
    stream: bool,
}

/// The request, a header a line.
async fn sent(of: Of<'_>) -> Result<String, Fault> {
    let (key, learned) = (Secret::new(of.key.to_owned()), Learned::default());
    let options = ProviderOptions {
        region: of.region.map(str::to_owned),
        ..ProviderOptions::default()
    };
    let route = Route {
        base_url: of.base_url,
        options: &options,
        key: &key,
        model: "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        learned: &learned,
        headers: &[],
        heard: None,
        files: None,
    };
    let door = door();
    let surface = Surface::of(Operation::Chat);
    let asked = Asked {
        method: Method::POST,
        path: door.path(surface, &BEDROCK_CONVERSE, route, of.stream),
        stream: of.stream,
        body: Bytes::from_static(b"{\"messages\":[]}"),
        dialect: Some(&BEDROCK_CONVERSE),
        content_type: "application/json",
        headers: &[],
    };
    let request = request(&door, &asked, route).await?;
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let shown = value.to_str().expect("visible");
        let secret = if value.is_sensitive() {
            " (secret)"
        } else {
            ""
        };
        let _ = writeln!(text, "{name}: {shown}{secret}");
    }
    Ok(text)
}

const KEY: &str = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The signatures are those of Amazon's SDK for Python, as in the tests of the signatures.
#[tokio::test]
async fn a_stream_is_asked_for_as_amazons_sdk_asks_for_it() {
    let of = || Of {
        base_url: US,
        region: None,
        key: KEY,
        stream: true,
    };
    let head = "POST https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream\n\
        content-type: application/json\n\
        accept: application/vnd.amazon.eventstream\n\
        accept-encoding: identity\n\
        user-agent: waule\n\
        x-amz-date: 20150830T123600Z\n";
    let signed = "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, SignedHeaders=";
    let expected = format!(
        "{head}{signed}content-type;host;x-amz-date, Signature=664df4edc74973cb2761bc9431b672228ddf1c2accae77450fc7fa6c7416a054 (secret)\n"
    );
    assert_eq!(sent(of()).await, Ok(expected));
    let key = format!("{KEY}:TOKEN/=");
    let with_token = Of { key: &key, ..of() };
    let expected = format!(
        "{head}{signed}content-type;host;x-amz-date;x-amz-security-token, Signature=7c6242796a33c4309fe2e5a82e7e97c2cf84f488b98b79f8486e5b15a939e967 (secret)\n\
         x-amz-security-token: TOKEN/= (secret)\n"
    );
    assert_eq!(sent(with_token).await, Ok(expected));
    // Elsewhere the region is the option's, and the host is signed with its port.
    let proxied = Of {
        base_url: "http://127.0.0.1:8080/bedrock",
        region: Some("eu-west-1"),
        ..of()
    };
    let text = sent(proxied).await.expect("signed");
    assert!(text.contains("/eu-west-1/bedrock/aws4_request"), "{text}");
}

#[tokio::test]
async fn a_key_of_bedrock_is_sent_as_it_is() {
    let of = Of {
        base_url: US,
        region: None,
        key: "ABSKQmVkcm9ja0FQSUtleS0x=",
        stream: false,
    };
    let text = sent(of).await.expect("opened");
    assert_eq!(
        text,
        "POST https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse\n\
         content-type: application/json\n\
         accept: application/json\n\
         accept-encoding: identity\n\
         user-agent: waule\n\
         authorization: Bearer ABSKQmVkcm9ja0FQSUtleS0x= (secret)\n"
    );
}

#[tokio::test]
async fn what_can_not_be_signed_is_told_and_not_sent() {
    let of = |base_url, key| Of {
        base_url,
        region: None,
        key,
        stream: false,
    };
    let fault = sent(of(US, "AKIDEXAMPLE:")).await.expect_err("no secret");
    assert_eq!(
        (fault.kind, fault.scope),
        (FaultKind::InvalidKey, Scope::Key)
    );
    let nowhere = sent(of("https://bedrock.example.com", KEY)).await;
    let fault = nowhere.expect_err("no region");
    assert_eq!(
        (fault.kind, fault.scope),
        (FaultKind::NotFound, Scope::Provider)
    );
    assert!(fault.detail.contains("`region`"));
}

#[test]
fn a_region_is_read_behind_the_service_alone() {
    for (host, expected) in [
        ("bedrock-runtime.us-east-1.amazonaws.com", Some("us-east-1")),
        (
            "bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
            Some("us-gov-west-1"),
        ),
        (
            "vpce-0a1-b2.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
            Some("eu-west-1"),
        ),
        (
            "bedrock-runtime.cn-north-1.amazonaws.com.cn:443",
            Some("cn-north-1"),
        ),
        ("bedrock-runtime.amazonaws.com", None),
        ("my-bedrock-runtime.us-east-1.example.com", None),
        ("127.0.0.1", None),
        ("", None),
    ] {
        assert_eq!(region(host), expected, "{host}");
    }
    let host = |uri: &str| host(&uri.parse().expect(uri)).map(Cow::into_owned);
    assert_eq!(host("https://a.b:443/x").as_deref(), Some("a.b"));
    assert_eq!(host("https://a.b:80/x").as_deref(), Some("a.b:80"));
    assert_eq!(host("http://a.b:80/x").as_deref(), Some("a.b"));
    assert_eq!(host("http://[::1]:9/x").as_deref(), Some("[::1]:9"));
}
