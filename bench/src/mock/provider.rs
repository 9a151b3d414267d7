//! What the mock answers, and how long it takes for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::Answer;
use super::events::{Events, Pause};
use super::wire::{MockRequest, Wire};

/// What all threads share.
#[derive(Debug)]
pub(super) struct MockProvider {
    pub(super) wire: Wire,
    pub(super) first_byte: Duration,
    /// In milliseconds; `/_pace/MILLISECONDS` changes it.
    pub(super) between_chunks: AtomicU64,
    pub(super) calls: AtomicU64,
    pub(super) cut: AtomicU64,
}

impl MockProvider {
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        // A base URL is configured with or without the version.
        let path = request.uri().path();
        match path.strip_prefix("/v1").unwrap_or(path) {
            "/chat/completions" => self.chat(request).await,
            "/embeddings" => self.generation(request, |wire| wire.embeddings.clone()).await,
            "/images/generations" => self.generation(request, |wire| wire.images.clone()).await,
            "/models" => json(StatusCode::OK, self.wire.models.clone()),
            "/_count" => json(StatusCode::OK, self.counts().into()),
            path if path.starts_with("/_pace/") => self.pace(path),
            _ => json(
                StatusCode::NOT_FOUND,
                Bytes::from_static(br#"{"error":{"message":"the mock has no such path","type":"invalid_request_error","param":null,"code":"not_found"}}"#),
            ),
        }
    }

    async fn generation(
        &self,
        request: Request<Incoming>,
        body: impl FnOnce(&Wire) -> Bytes,
    ) -> Answer {
        // Read to the end, so that the connection can be used again.
        if request.into_body().collect().await.is_ok() {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        self.wait_first().await;
        json(StatusCode::OK, body(&self.wire))
    }

    async fn chat(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let body = match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return json(StatusCode::BAD_REQUEST, Bytes::from_static(b"{}")),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let asked = MockRequest::read(&body);
        self.wait_first().await;
        if !asked.stream {
            return json(StatusCode::OK, self.wire.chat.clone());
        }
        let events = Events {
            provider: self,
            usage: asked.usage,
            next: 0,
            pause: Pause::None,
        };
        let mut response = Response::new(BodyExt::boxed(events));
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    fn pace(&self, path: &str) -> Answer {
        let told = path.rsplit('/').next().and_then(|told| told.parse().ok());
        let Some(told) = told else {
            return json(StatusCode::BAD_REQUEST, Bytes::from_static(b"{}"));
        };
        self.between_chunks.store(told, Ordering::Relaxed);
        json(StatusCode::OK, Bytes::from_static(b"{}"))
    }

    async fn wait_first(&self) {
        if !self.first_byte.is_zero() {
            tokio::time::sleep(self.first_byte).await;
        }
    }

    fn counts(&self) -> String {
        let calls = self.calls.load(Ordering::Relaxed);
        let cut = self.cut.load(Ordering::Relaxed);
        format!(r#"{{"calls":{calls},"cut":{cut}}}"#)
    }
}

fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
