//! A gateway's journal over HTTP: one line an event, for as long as the connection holds. Remembers
//! no place in it; whoever follows does.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream;
use http::Method;
use http_body_util::{BodyExt, Full};
use shared::id::JournalId;
use shared::link::events::{Event, EventSource, EventStream};
use shared::link::{LinkError, wire};

use super::answers::{ANSWER_MAX, not_taken, request, small, within};
use super::http::Inner;
use super::nodes::Node;
use super::transport::{Body, SendError, describe};

/// Far above what a gateway writes.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// The events of one node.
pub(super) struct NodeEvents {
    pub(super) link: Arc<Inner>,
    pub(super) node: Arc<Node>,
}

impl NodeEvents {
    async fn get(&self, path: &str) -> Result<http::Response<Body>, LinkError> {
        let base = &self.node.place.base;
        let request = request(Method::GET, base, wire::PREFIX, path, Full::default())?;
        match within(ANSWER_MAX, self.link.send_to(&self.node, request)).await? {
            Ok(response) => Ok(response),
            Err(SendError::Unsent(why)) => Err(LinkError::NotSent(why)),
            Err(SendError::Unknown { why, .. }) => Err(LinkError::Lost(why)),
        }
    }
}

#[async_trait]
impl EventSource for NodeEvents {
    fn name(&self) -> String {
        self.node.place.base.clone()
    }

    async fn journal(&self) -> Result<JournalId, LinkError> {
        let (status, bytes) = small(self.get("/events/journal").await?).await?;
        if !status.is_success() {
            return Err(not_taken(status));
        }
        let text: String = serde_json::from_slice(&bytes)
            .map_err(|e| LinkError::Refused(format!("unreadable journal: {e}")))?;
        text.parse()
            .map_err(|e| LinkError::Refused(format!("unreadable journal: {e}")))
    }

    async fn follow(&self, journal: &JournalId, after: i64) -> Result<EventStream, LinkError> {
        let path = format!("/events?journal={journal}&after={after}");
        let response = self.get(&path).await?;
        if !response.status().is_success() {
            return Err(not_taken(response.status()));
        }
        let lines = Lines {
            body: response.into_body(),
            bytes: BytesMut::new(),
        };
        Ok(Box::pin(stream::unfold(Some(lines), |lines| async move {
            let mut lines = lines?;
            let event = lines.next().await?;
            let rest = event.is_ok().then_some(lines);
            Some((event, rest))
        })))
    }
}

struct Lines {
    body: Body,
    bytes: BytesMut,
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Event, LinkError>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Bytes = self.bytes.split_to(end).freeze();
                self.bytes.advance(1);
                let event = serde_json::from_slice(&line);
                return Some(event.map_err(|e| LinkError::Lost(format!("unreadable event: {e}"))));
            }
            if self.bytes.len() > LINE_BYTES_MAX {
                return Some(Err(LinkError::Lost("an event is too large".to_owned())));
            }
            match self.body.frame().await? {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        self.bytes.extend_from_slice(&data);
                    }
                }
                Err(error) => return Some(Err(LinkError::Lost(describe(&error)))),
            }
        }
    }
}
