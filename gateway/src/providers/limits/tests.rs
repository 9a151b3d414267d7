//! Headers as providers send them, and any others.

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use shared::link::options::ProviderOptions;
use shared::link::{Call, Operation};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::fixture;
use crate::providers::learned::Learned;
use crate::providers::{Patience, Route, provider};

/// What is heard of a vendor's answer with this status and body, and what it was sent.
async fn heard(status: &str, body: &'static str) -> (Option<ToldLimits>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-ratelimit-limit-requests: 60\r\n\
         x-ratelimit-remaining-requests: 3\r\nx-ratelimit-reset-requests: 57s\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    let (told, seen) = tokio::sync::oneshot::channel();
    Supervisor::new().spawn_servant("vendor", async move {
        let (mut socket, _) = listener.accept().await.expect("a call");
        let mut read = Vec::new();
        while !read.ends_with(b"}") && socket.read_buf(&mut read).await.expect("read") > 0 {}
        socket.write_all(answer.as_bytes()).await.expect("written");
        let _ = told.send(String::from_utf8_lossy(&read).into_owned());
    });
    let heard = LimitsHeard::default();
    let own = [("x-team", "us"), ("authorization", "Bearer not-the-key")];
    let own = own.map(|(name, value)| {
        let name = HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    });
    let (key, learned) = (Secret::new("k-1".to_owned()), Learned::default());
    let route = Route {
        base_url: &base_url,
        options: &ProviderOptions::default(),
        key: &key,
        model: "theirs",
        learned: &learned,
        headers: &own,
        heard: Some(&heard),
        files: None,
    };
    let patience = Patience {
        first_byte: Duration::from_secs(5),
        silence: Duration::from_secs(5),
    };
    let asked = r#"{"model":"ours","messages":[{"role":"user","content":"hi"}]}"#;
    let call: Call = fixture::call(Operation::Chat, asked);
    let vendor = provider("openai").expect("it is in the list of connectors");
    drop(vendor.call(&call, route, patience).await);
    (heard.take(), seen.await.unwrap_or_default())
}

#[tokio::test]
async fn limits_are_heard_of_every_answer_and_a_keys_headers_are_sent() {
    shared::tls::install_provider();
    let good = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}"#;
    for (status, body) in [
        ("200 OK", good),
        ("429 Too Many Requests", "{}"),
        ("500 Oh", ""),
    ] {
        let (told, sent) = heard(status, body).await;
        let requests = told.expect("told").requests;
        assert_eq!(requests, Some(limit(60, 3, 57_000, true)), "{status}");
        assert!(sent.contains("x-team: us"), "{sent}");
        assert!(
            sent.contains("Bearer k-1") && !sent.contains("not-the-key"),
            "{sent}"
        );
    }
}

fn told(headers: &[(&str, &str)]) -> ToldLimits {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        if let Ok(value) = HeaderValue::from_str(value) {
            map.insert(name, value);
        }
    }
    // 2026-11-28T12:00:00Z
    ToldLimits::of(&map, Moment::from_unix_ms(1_795_867_200_000))
}

fn limit(limit: u64, remaining: u64, reset_ms: u64, refills: bool) -> ToldLimit {
    ToldLimit {
        limit: Some(limit),
        remaining,
        reset: Some(Duration::from_millis(reset_ms)),
        refills,
    }
}

#[test]
fn openais_headers_are_read() {
    let told = told(&[
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-tokens", "6m0.5s"),
    ]);
    let expected = ToldLimits {
        requests: Some(limit(60, 59, 1_000, true)),
        tokens: Some(limit(150_000, 149_984, 360_500, true)),
        ..ToldLimits::default()
    };
    assert_eq!(told, expected);
}

#[test]
fn anthropics_headers_are_read_by_its_own_clock() {
    let told = told(&[
        ("date", "Sat, 28 Nov 2026 11:00:00 GMT"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-11-28T11:00:01Z"),
        ("anthropic-ratelimit-input-tokens-limit", "30000"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        (
            "anthropic-ratelimit-input-tokens-reset",
            "2026-11-28T13:01:00.25+02:00",
        ),
    ]);
    let expected = ToldLimits {
        requests: Some(limit(50, 49, 1_000, true)),
        input_tokens: Some(limit(30_000, 0, 60_000, true)),
        ..ToldLimits::default()
    };
    assert_eq!(told, expected);
}

#[test]
fn the_drafts_of_the_ietf_are_read() {
    let now = told(&[
        (
            "ratelimit-policy",
            r#""burst";q=100;w=60,"daily";q=1000;w=86400"#,
        ),
        ("ratelimit", r#""burst";r=50;t=30, "daily";r=7;t=3000"#),
    ]);
    assert_eq!(now.requests, Some(limit(1_000, 7, 3_000_000, false)));
    let before = told(&[("ratelimit", "limit=100, remaining=50, reset=5")]);
    assert_eq!(before.requests, Some(limit(100, 50, 5_000, false)));
    let first = told(&[
        ("ratelimit-limit", "100, 100;w=60"),
        ("ratelimit-remaining", "3"),
        ("ratelimit-reset", "9"),
    ]);
    assert_eq!(first.requests, Some(limit(100, 3, 9_000, false)));
}

#[test]
fn zeros_that_mean_no_limit_are_not_believed() {
    for headers in [
        &[
            ("x-ratelimit-limit-requests", "0"),
            ("x-ratelimit-remaining-requests", "0"),
        ][..],
        &[("x-ratelimit-remaining-tokens", "0")][..],
        &[("x-ratelimit-remaining-tokens", "-1")][..],
    ] {
        assert_eq!(told(headers), ToldLimits::default(), "{headers:?}");
    }
}

#[test]
fn spans_are_read_as_go_writes_them() {
    for (text, ms) in [
        ("1s", 1_000),
        ("17ms", 17),
        ("6m0s", 360_000),
        ("1h2m3.5s", 3_723_500),
        ("7.66s", 7_660),
        ("0s", 0),
        ("12", 12_000),
        ("1.5", 1_500),
        ("2m", 120_000),
        ("1d", 86_400_000),
    ] {
        assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
    }
    for text in ["", "s", "1x", "1s2", "-1s", "1..5s", "NaN", "-3"] {
        assert_eq!(duration(text), None, "{text}");
    }
}

#[test]
fn dates_are_read() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2000-02-29T12:30:15Z", Some(951_827_415_000)),
        ("2026-11-28T12:00:00Z", Some(1_795_867_200_000)),
        ("2026-11-28T12:00:00.999-01:30", Some(1_795_872_600_000)),
        ("2026-13-28T12:00:00Z", None),
        ("2026-11-28", None),
        ("2026-11-28T12:00:00", None),
    ] {
        let read = date(text).map(Moment::unix_ms);
        assert_eq!(read, expected, "{text}");
    }
}

const NAMES: [&str; 14] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-output-tokens-remaining",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "date",
];

proptest! {
    #[test]
    fn whatever_comes_is_bounded_or_passed_over(
        values in prop::collection::vec((0..NAMES.len(), "[-0-9a-zTZ:;,.=\" µ]{0,40}|\\PC{0,30}"), 0..14),
    ) {
        let headers: Vec<(&str, &str)> =
            values.iter().map(|(at, value)| (NAMES[*at], value.as_str())).collect();
        let told = told(&headers);
        let all = [told.requests, told.tokens, told.input_tokens, told.output_tokens];
        for one in all.into_iter().flatten() {
            prop_assert!(one.remaining <= COUNT_MAX && one.limit.is_none_or(|n| n <= COUNT_MAX));
            prop_assert!(one.reset.is_none_or(|reset| reset <= RESET_MAX));
        }
    }

    #[test]
    fn spans_that_go_writes_are_read_back(h in 0_u64..99, m in 0_u64..60, s in 0_u64..60, ms in 0_u64..1_000) {
        let text = format!("{h}h{m}m{s}.{ms:03}s");
        let expected = Duration::from_millis(((h * 60 + m) * 60 + s) * 1_000 + ms);
        let read = duration(&text).expect("a span");
        prop_assert!(read.abs_diff(expected) < Duration::from_micros(10), "{read:?}");
    }

    #[test]
    fn any_text_is_a_date_or_none(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}\\PC{0,8}|\\PC{0,40}") {
        let _ = date(&text);
    }
}
