//! Where each maker's models are asked, and in which words.

use bytes::Bytes;
use http::Method;
use shared::link::KeyVerdict;
use shared::link::options::ProviderOptions;
use shared::secret::Secret;

use super::token::tests::NOW;
use super::tokens::tests::{Google, is_here, numbered};
use super::*;
use crate::providers::learned::Learned;
use crate::providers::vendor::doors::dialect;
use crate::providers::vendor::question;
use crate::providers::vendor::request::request;

#[test]
fn the_model_says_in_which_words_and_where_it_is_asked() {
    let (key, learned) = (Secret::new("ya29.x".to_owned()), Learned::default());
    let options = ProviderOptions::default();
    for (model, word, whole, stream) in [
        (
            "gemini-3.8-flash",
            "gemini",
            "/publishers/google/models/gemini-3.8-flash:generateContent",
            "/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        ),
        (
            "claude-haiku-4-5@20251001",
            "anthropic_messages",
            "/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict",
            "/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict",
        ),
        (
            "endpoints/123",
            "gemini",
            "/endpoints/123:generateContent",
            "/endpoints/123:streamGenerateContent?alt=sse",
        ),
        (
            "../a?b",
            "gemini",
            "/publishers/google/models/..%2Fa%3Fb:generateContent",
            "/publishers/google/models/..%2Fa%3Fb:streamGenerateContent?alt=sse",
        ),
    ] {
        let route = Route {
            base_url: "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
            options: &options,
            key: &key,
            model,
            learned: &learned,
            headers: &[],
            heard: None,
            files: None,
        };
        for surface in shared::surface::SURFACES {
            let found = dialect(&&VERTEX, surface, route);
            if surface.operation == Operation::Embedding {
                let is_googles = found.is_some_and(|one| one.name() == EMBEDDINGS);
                assert_eq!(is_googles, word == GEMINI, "{model}");
                continue;
            }
            if surface.operation == Operation::Image {
                let is_googles = found.is_some_and(|one| one.name() == GEMINI);
                assert_eq!(is_googles, word == GEMINI, "{model}");
                continue;
            }
            if surface.operation != Operation::Chat {
                assert!(found.is_none());
                continue;
            }
            let found = found.expect("it does chats");
            assert_eq!(found.name(), word, "{model} {}", surface.path);
            let door = &VERTEX;
            assert_eq!(door.path(surface, found, route, false), whole);
            assert_eq!(door.path(surface, found, route, true), stream);
        }
    }
}

#[test]
fn vectors_are_asked_for_where_the_surface_says_and_of_models_that_know_it() {
    let (key, learned) = (Secret::new("ya29.x".to_owned()), Learned::default());
    let options = ProviderOptions::default();
    for (path, model, asked_at) in [
        ("/embed-content", "gemini-embedding-2", Some("embedContent")),
        (
            "/batch-embed-contents",
            "gemini-embedding-001",
            Some("batchEmbedContents"),
        ),
        (
            "/embeddings",
            "gemini-embedding-2",
            Some("batchEmbedContents"),
        ),
        ("/embeddings", "text-embedding-005", None),
        ("/embed-content", "text-multilingual-embedding-002", None),
        ("/embeddings", "claude-haiku-4-5@20251001", None),
    ] {
        let route = Route {
            base_url: "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
            options: &options,
            key: &key,
            model,
            learned: &learned,
            headers: &[],
            heard: None,
            files: None,
        };
        let surface = Surface::at(path).expect("a surface");
        let found = dialect(&&VERTEX, surface, route);
        let at = found.map(|found| (&VERTEX).path(surface, found, route, false));
        let expected = asked_at.map(|what| format!("/publishers/google/models/{model}:{what}"));
        assert_eq!(at.as_deref(), expected.as_deref(), "{path} {model}");
    }
    let body =
        Bytes::from_static(br#"{"requests":[{"model":"models/m","content":{}},{"content":{}}]}"#);
    let fitted = (&VERTEX).fitted(Worded {
        dialect: &shared::dialect::gemini_embeddings::GEMINI_EMBEDDINGS,
        model: "m",
        headers: &[],
        body: &body,
    });
    let sent = fitted.expect("it fits").body;
    assert_eq!(
        sent,
        &br#"{"requests":[{"content":{}},{"content":{}}]}"#[..]
    );
}

#[tokio::test]
async fn a_request_is_opened_by_a_token_and_one_that_is_not_taken_is_forgotten() {
    let google = Google::start(numbered).await;
    let door: &'static Vertex = Box::leak(Box::new(Vertex {
        clock: Clock::fixed(NOW),
        tokens: Tokens::of(is_here),
    }));
    let (options, learned) = (ProviderOptions::default(), Learned::default());
    let (key, base_url) = (
        Secret::new(google.key()),
        format!("http://{}/v1/projects/p/locations/l", google.address),
    );
    let route = Route {
        base_url: &base_url,
        options: &options,
        key: &key,
        model: "gemini-3.8-flash",
        learned: &learned,
        headers: &[],
        heard: None,
        files: None,
    };
    let asked = Asked {
        method: Method::GET,
        path: Cow::Borrowed("/models"),
        stream: false,
        body: Bytes::new(),
        dialect: None,
        content_type: "application/json",
        headers: &[],
    };
    for _ in 0..2 {
        let request = request(&door, &asked, route).await.expect("opened");
        let told = &request.headers()["authorization"];
        assert_eq!(told, "Bearer t0");
        assert!(told.is_sensitive());
    }
    let test = question::test(&door, route).await;
    assert_eq!((test.verdict, test.status), (KeyVerdict::Refused, 401));
    let request = request(&door, &asked, route).await.expect("opened");
    assert_eq!(request.headers()["authorization"], "Bearer t1");
    assert_eq!(google.asked(), 2);
}
