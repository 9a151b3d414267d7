//! Doors that want more than a key in a header: what goes out to them, and what their refusals mean.

use bytes::Bytes;
use serde_json::{Value, json};
use shared::fault::{FaultKind, Retry, Scope};
use shared::link::{Call, KeyVerdict, Target};
use shared::surface::{SURFACES, Surface};

use super::vendor::{self, Seen, Vendor};
use super::{Row, call, came, is_answer, provider, provider_of, recorded, row, ways};
use crate::support::Node;

const CLAUDE: &str = "claude-haiku-4-5@20251001";

/// Chats, whole and streamed.
fn chats() -> Vec<(&'static Surface, bool)> {
    let is_chat = |(surface, _): &(&'static Surface, bool)| surface.operation.word() == "chat";
    ways().into_iter().filter(is_chat).collect()
}

fn surface(dialect: &str) -> &'static Surface {
    let mut all = SURFACES.into_iter();
    all.find(|one| one.dialect.name() == dialect)
        .expect("a surface")
}

fn asking(surface: &'static Surface, stream: bool, model: &str) -> Call {
    Call {
        targets: [Target {
            provider: "vendor".to_owned(),
            model: model.to_owned(),
            gateway: None,
            answers: None,
        }]
        .into(),
        ..call(surface, "vendor", stream)
    }
}

/// A header of what was seen, in small letters.
fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        (found == name).then_some(value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn bedrock_is_asked_by_signed_requests_and_answers_in_frames() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    let body = json!({"name": "vendor", "kind": "bedrock", "base_url": vendor.base_url(),
        "options": {"region": "eu-west-1"}});
    provider_of(&node, &body, "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG:token").await;
    for (number, (surface, stream)) in chats().into_iter().enumerate() {
        let came = came(link.as_ref(), asking(surface, stream, "theirs")).await;
        let came = came.unwrap_or_else(|failure| panic!("{}: {failure}", surface.path));
        is_answer(surface, stream, &came);
        let text = String::from_utf8_lossy(&came.bytes);
        assert!(text.contains("well"), "{text}");
        let seen = &vendor.calls()[number];
        let path = if stream {
            "/model/theirs/converse-stream"
        } else {
            "/model/theirs/converse"
        };
        assert_eq!(seen.path, path);
        let sent: Value = serde_json::from_str(&seen.body).expect("JSON");
        assert_eq!(sent["messages"][0]["content"][0]["text"], "hi");
        assert!(sent.get("model").is_none() && sent.get("stream").is_none());
        let accept = if stream {
            "application/vnd.amazon.eventstream"
        } else {
            "application/json"
        };
        assert_eq!(header(seen, "accept"), Some(accept));
        assert_eq!(header(seen, "x-amz-security-token"), Some("token"));
        let date = header(seen, "x-amz-date").expect("a date");
        let signed = header(seen, "authorization").expect("a signature");
        let day = &date[..8];
        let expected = format!(
            "aws4-hmac-sha256 credential=akidexample/{day}/eu-west-1/bedrock/aws4_request, signedheaders=content-type;host;x-amz-date;x-amz-security-token, signature="
        );
        assert!(signed.starts_with(&expected), "{signed}");
        assert!(!seen.head.contains("wjalr"), "the secret stays here");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vertex_is_asked_for_claude_in_its_own_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    provider(&node, "vertex", "vendor", &vendor).await;
    for (number, (surface, stream)) in chats().into_iter().enumerate() {
        let came = came(link.as_ref(), asking(surface, stream, CLAUDE)).await;
        let came = came.unwrap_or_else(|failure| panic!("{}: {failure}", surface.path));
        is_answer(surface, stream, &came);
        let seen = &vendor.calls()[number];
        let what = if stream {
            "streamrawpredict"
        } else {
            "rawpredict"
        };
        let path = format!("/publishers/anthropic/models/{CLAUDE}:{what}");
        assert_eq!(seen.path, path);
        let sent: Value = serde_json::from_str(&seen.body).expect("JSON");
        assert_eq!(sent["anthropic_version"], "vertex-2023-10-16");
        assert!(sent.get("model").is_none());
        assert_eq!(header(seen, "authorization"), Some("bearer key-0123456789"));
        assert_eq!(header(seen, "anthropic-version"), None);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_says_in_anthropics_headers_reaches_its_models() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(recorded::good).await;
    provider(&node, "anthropic", "anthropic", &vendor).await;
    provider(&node, "vertex", "vertex", &vendor).await;
    let version = ("anthropic-version", "2026-10-21");
    let beta = (
        "anthropic-beta",
        "context-1m-2025-08-07,files-api-2025-04-14",
    );
    let body = r#"{"model":"ours","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#;
    let to = |provider: &str, model: &str, headers: &[(&str, &str)]| {
        Call {
            body: Bytes::from_static(body.as_bytes()),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..asking(surface("anthropic_messages"), false, model)
        }
        .at(provider)
    };
    for (number, (provider, model, headers, told, sent)) in [
        (
            "anthropic",
            "theirs",
            &[version, beta][..],
            [Some(version.1), Some(beta.1)],
            r#"{"model":"theirs","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#,
        ),
        (
            "anthropic",
            "theirs",
            &[],
            [Some("2023-06-01"), None],
            r#"{"model":"theirs","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#,
        ),
        (
            "vertex",
            CLAUDE,
            &[version, beta],
            [None, None],
            r#"{"anthropic_version":"vertex-2023-10-16","anthropic_beta":["context-1m-2025-08-07"],"max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let came = came(link.as_ref(), to(provider, model, headers)).await;
        assert!(came.is_ok(), "{provider}");
        let seen = &vendor.calls()[number];
        assert_eq!(seen.body, sent);
        let found = [version.0, beta.0].map(|name| header(seen, name));
        assert_eq!(found, told, "{provider}");
    }
    node.stop().await;
}

/// A call to another provider.
trait At {
    fn at(self, provider: &str) -> Self;
}

impl At for Call {
    fn at(mut self, provider: &str) -> Self {
        let model = self.targets[0].model.clone();
        self.targets = [Target {
            provider: provider.to_owned(),
            model,
            gateway: None,
            answers: None,
        }]
        .into();
        self
    }
}

/// Refusals of Bedrock. The status has the header with the error's type behind it.
const OF_BEDROCK: &[Row] = &[
    row(
        (
            "400 Bad Request\r\nx-amzn-errortype: ValidationException:http://internal.amazon.com/coral/",
            r#"{"message":"1 validation error detected: Value at 'inferenceConfig.topP' failed"}"#,
        ),
        (FaultKind::BadRequest, Scope::Request),
        (Retry::No, true),
    ),
    row(
        (
            "400 Bad Request\r\nx-amzn-errortype: ValidationException",
            r#"{"message":"The provided model identifier is invalid."}"#,
        ),
        (FaultKind::NotFound, Scope::ModelAtKey),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "403 Forbidden\r\nx-amzn-errortype: UnrecognizedClientException",
            r#"{"message":"The security token included in the request is invalid."}"#,
        ),
        (FaultKind::InvalidKey, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "403 Forbidden\r\nx-amzn-errortype: InvalidSignatureException",
            r#"{"message":"Signature expired: 20150830T123600Z is now earlier than 20150830T130000Z"}"#,
        ),
        (FaultKind::Overloaded, Scope::Provider),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "403 Forbidden",
            r#"{"Message":"Authentication failed: Please make sure your API Key is valid."}"#,
        ),
        (FaultKind::InvalidKey, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "403 Forbidden\r\nx-amzn-errortype: AccessDeniedException",
            r#"{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/m"}"#,
        ),
        (FaultKind::NotFound, Scope::ModelAtKey),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "429 Too Many Requests\r\nx-amzn-errortype: ThrottlingException",
            r#"{"message":"Too many tokens, please wait before trying again."}"#,
        ),
        (FaultKind::RateLimited, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "424 Failed Dependency\r\nx-amzn-errortype: ModelErrorException",
            r#"{"message":"The model failed.","originalStatusCode":500}"#,
        ),
        (FaultKind::Overloaded, Scope::Request),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "503 Service Unavailable\r\nx-amzn-errortype: ServiceUnavailableException",
            r#"{"message":"Bedrock is unable to process your request."}"#,
        ),
        (FaultKind::Overloaded, Scope::Provider),
        (Retry::OtherKey, false),
    ),
    row(
        ("200 OK", "{}"),
        (FaultKind::InvalidAnswer, Scope::Provider),
        (Retry::No, false),
    ),
];

/// Refusals of Vertex AI.
const OF_VERTEX: &[Row] = &[
    row(
        (
            "400 Bad Request",
            r#"{"error":{"code":400,"message":"Unable to submit request because it has a maxOutputTokens value of 0.","status":"INVALID_ARGUMENT"}}"#,
        ),
        (FaultKind::BadRequest, Scope::Request),
        (Retry::No, true),
    ),
    row(
        (
            "401 Unauthorized",
            r#"{"error":{"code":401,"message":"Request had invalid authentication credentials. Expected OAuth 2 access token.","status":"UNAUTHENTICATED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_TYPE_UNSUPPORTED"}]}}"#,
        ),
        (FaultKind::InvalidKey, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "403 Forbidden",
            r#"[{"error":{"code":403,"message":"Vertex AI API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}]"#,
        ),
        (FaultKind::InvalidKey, Scope::Account),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "404 Not Found",
            r#"{"error":{"code":404,"message":"Publisher Model `projects/p/locations/l/publishers/google/models/m` was not found or your project does not have access to it.","status":"NOT_FOUND"}}"#,
        ),
        (FaultKind::NotFound, Scope::ModelAtKey),
        (Retry::OtherKey, false),
    ),
    row(
        (
            "429 Too Many Requests",
            r#"[{"error":{"code":429,"message":"Resource exhausted. Please try again later.","status":"RESOURCE_EXHAUSTED"}}]"#,
        ),
        (FaultKind::RateLimited, Scope::Key),
        (Retry::OtherKey, false),
    ),
    row(
        ("503 Service Unavailable", "<html>busy</html>"),
        (FaultKind::Overloaded, Scope::Provider),
        (Retry::OtherKey, false),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_cloud_means_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let cases = OF_BEDROCK.iter().map(|row| ("bedrock", row));
    let cases = cases.chain(OF_VERTEX.iter().map(|row| ("vertex", row)));
    for (number, (kind, row)) in cases.enumerate() {
        let vendor = Vendor::start(|_| vendor::answer(row.status, row.body)).await;
        for (at, (surface, stream)) in chats().into_iter().enumerate() {
            let name = format!("vendor-{number}-{at}");
            provider(&node, kind, &name, &vendor).await;
            let failed = came(link.as_ref(), asking(surface, stream, "theirs").at(&name)).await;
            let which = format!("{kind} {} {} {stream}", row.body, surface.path);
            let failure = failed
                .err()
                .unwrap_or_else(|| panic!("{which}: it is refused"));
            let fault = &failure.fault;
            assert_eq!(
                (fault.kind, fault.scope, fault.retry),
                (row.kind, row.scope, row.retry),
                "{which}: {fault}"
            );
            assert_eq!(failure.caller.is_some(), row.told, "{which}");
        }
    }
    node.stop().await;
}

/// The recorded stream up to its first text, and what stands there instead of the rest.
fn broken(behind: &[u8]) -> Vec<u8> {
    let stream = recorded::text_at("/model/theirs/converse-stream");
    let end = stream.find("event: contentBlockStop").expect("an end");
    [&vendor::frames(&stream[..end])[..], behind].concat()
}

/// One frame without the head before it.
fn bare(event: &str) -> Vec<u8> {
    let head = vendor::frames("").len();
    vendor::frames(event).split_off(head)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_frames_that_fails_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let told = |kind: &str| {
        format!("event: error\ndata: {{\"type\":\"{kind}\",\"message\":\"Please wait.\"}}\n\n")
    };
    // As the first frame it is a refusal.
    for (number, (kind, fault)) in [
        ("throttlingException", FaultKind::RateLimited),
        ("validationException", FaultKind::BadRequest),
        ("modelStreamErrorException", FaultKind::Overloaded),
        ("internalServerException", FaultKind::Overloaded),
    ]
    .into_iter()
    .enumerate()
    {
        let event = told(kind);
        let vendor = Vendor::start(move |_| vendor::frames(&event)).await;
        let name = format!("refuses-{number}");
        provider(&node, "bedrock", &name, &vendor).await;
        let call = asking(surface("openai_chat"), true, "theirs").at(&name);
        let failure = came(link.as_ref(), call).await.err().expect("refused");
        assert_eq!(failure.fault.kind, fault, "{kind}");
    }
    let mut damaged = bare("event: contentBlockStop\ndata: {\"contentBlockIndex\":0}\n\n");
    damaged[30] ^= 1;
    let whole = bare("event: contentBlockStop\ndata: {\"contentBlockIndex\":0}\n\n");
    for (what, behind, kind) in [
        (
            "error",
            bare(&told("serviceUnavailableException")),
            FaultKind::Overloaded,
        ),
        ("damaged", damaged, FaultKind::InvalidAnswer),
        (
            "cut in a frame",
            whole[..20].to_vec(),
            FaultKind::Interrupted,
        ),
        ("cut between frames", Vec::new(), FaultKind::Interrupted),
    ] {
        let vendor = Vendor::start(move |_| broken(&behind)).await;
        let name = format!("breaks-{}", what.replace(' ', "-"));
        provider(&node, "bedrock", &name, &vendor).await;
        for (surface, _) in chats().into_iter().filter(|(_, stream)| *stream) {
            let came = came(link.as_ref(), asking(surface, true, "theirs").at(&name)).await;
            let came = came.unwrap_or_else(|failure| panic!("{what}: {failure}"));
            let fault = came.outcome.fault.as_ref().map(|fault| fault.kind);
            assert_eq!(fault, Some(kind), "{what} {}", surface.path);
            let text = String::from_utf8_lossy(&came.bytes);
            assert!(text.contains("well"), "what came is told: {text}");
            let usage = &came.outcome.usage;
            assert!(usage.estimated && usage.output_total() > 0, "{usage:?}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_answers_an_operators_questions() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let link = node.gateway.local();
    let vendor = Vendor::start(|seen| match seen.path.as_str() {
        "/async-invoke" => vendor::answer("200 OK", r#"{"asyncInvokeSummaries":[]}"#),
        path if path.starts_with("/models?") || path.ends_with("/models") => {
            vendor::answer("200 OK", r#"{"data":[]}"#)
        }
        _ => recorded::good(seen),
    })
    .await;
    let refuses = Vendor::start(|_| {
        vendor::answer(
            "403 Forbidden\r\nx-amzn-errortype: InvalidSignatureException:http://internal.amazon.com/coral/",
            r#"{"message":"The request signature we calculated does not match the signature you provided."}"#,
        )
    })
    .await;
    let asked = link.provider_admins().remove(0);
    let facts = asked.facts().await.expect("facts");
    let connectors = facts.connectors.iter();
    for connector in connectors.filter(|facts| facts.kind != "sandbox") {
        let kind = connector.kind.as_ref();
        let mut spoken = connector.speaks.iter();
        let only_draws = spoken.all(|one| one.operation.word() == "image");
        provider(&node, kind, kind, &vendor).await;
        let keys = asked.provider_keys(kind).await.expect("keys");
        for model in [None, Some("theirs")] {
            let test = asked.test_provider_key(kind, &keys[0].id, model).await;
            let test = test.expect("tested");
            // A small call to whoever only draws would be a picture, and cost one.
            let expected = if only_draws && model.is_some() {
                KeyVerdict::Unknown
            } else {
                KeyVerdict::Accepted
            };
            assert_eq!(test.verdict, expected, "{kind} {model:?}: {test:?}");
        }
    }
    let versions = vendor.questions();
    let mut versions = versions
        .iter()
        .filter_map(|seen| header(seen, "anthropic-version"));
    assert_eq!(versions.next(), Some("2023-06-01"));
    let body = json!({"name": "refuses", "kind": "bedrock", "base_url": refuses.base_url(),
        "options": {"region": "us-east-1"}});
    provider_of(&node, &body, "AKIDEXAMPLE:wJalrXUtnFEMI").await;
    // A file that is no key, and one that would be sent to somebody else.
    let body = json!({"name": "no-key", "kind": "vertex", "base_url": vendor.base_url()});
    let file = json!({"type": "service_account", "client_email": "a@b.example",
        "private_key": concat!("-----BEGIN ", "PRIVATE KEY-----\nAA==\n-----END ", "PRIVATE KEY-----\n"),
        "private_key_id": "0123456789abcdef", "token_uri": "https://example.com/token"});
    let file = serde_json::to_string_pretty(&file).expect("JSON");
    provider_of(&node, &body, &file).await;
    for (name, status, last4) in [("refuses", 403, "FEMI"), ("no-key", 0, "cdef")] {
        let keys = asked.provider_keys(name).await.expect("keys");
        assert_eq!(keys[0].last4, last4);
        let test = asked.test_provider_key(name, &keys[0].id, None).await;
        let test = test.expect("tested");
        assert_eq!(
            (test.verdict, test.status),
            (KeyVerdict::Refused, status),
            "{test:?}"
        );
    }
    node.stop().await;
}
