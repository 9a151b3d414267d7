//! Attaching to a call that runs: again where it was sent, over another connection if need be.

use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;
use shared::id::{BootId, GenerationId};
use shared::link::LinkError;
use shared::link::wire::{self, Joining};

use super::super::answers::{Missed, accept, request, text};
use super::super::attachment::Attachment;
use super::super::nodes::Node;
use super::super::resumable_body::Pauses;
use super::super::transport::{ConnectionId, Lane, SendError};
use super::{ATTACH_MAX, GATHER_MS, Inner};

impl Inner {
    /// Attaches to a running or ended generation from `position` on, as soon as there is a link. Where
    /// the gateway was silent for all of the patience already, nobody waits again.
    pub(in super::super) async fn reattach(
        &self,
        node: &Node,
        generation: &GenerationId,
        life: &BootId,
        position: u64,
    ) -> Result<Attachment, LinkError> {
        let mut pauses = Pauses::new(self.fleet.patience());
        let mut last = "no attempt was made".to_owned();
        while !node.pool.is_given_up() && pauses.again().await {
            let attempt = self.attach(node, generation, life, position, None);
            let until = pauses.until().min(Instant::now() + ATTACH_MAX);
            match tokio::time::timeout_at(until.into(), attempt).await {
                Ok(Ok(attachment)) => return Ok(attachment),
                Ok(Err(Missed::Told(error))) => return Err(error),
                Ok(Err(Missed::Cut { why, .. } | Missed::NotStarted(why) | Missed::Full(why))) => {
                    last = why;
                }
                Err(_) => "no answer in time".clone_into(&mut last),
            }
        }
        let patience = self.fleet.patience().as_secs();
        Err(LinkError::Lost(format!("no link for {patience} s: {last}")))
    }

    /// One attempt, over another connection than `beside` where there is one.
    pub(in super::super) async fn attach_once(
        &self,
        node: &Node,
        generation: &GenerationId,
        life: &BootId,
        position: u64,
        beside: Option<ConnectionId>,
    ) -> Result<Attachment, LinkError> {
        let attempt = self.attach(node, generation, life, position, beside);
        match tokio::time::timeout(ATTACH_MAX, attempt).await {
            Ok(Ok(attachment)) => Ok(attachment),
            Ok(Err(Missed::Told(error))) => Err(error),
            Ok(Err(Missed::Cut { why, .. } | Missed::NotStarted(why) | Missed::Full(why))) => {
                Err(LinkError::Lost(why))
            }
            Err(_) => Err(LinkError::Lost("no answer in time".to_owned())),
        }
    }

    async fn attach(
        &self,
        node: &Node,
        generation: &GenerationId,
        life: &BootId,
        position: u64,
        beside: Option<ConnectionId>,
    ) -> Result<Attachment, Missed> {
        let path = format!("/generations/{generation}/attach");
        let base = &node.place.base;
        let mut request = request(Method::POST, base, wire::PREFIX, &path, Full::default())
            .map_err(Missed::Told)?;
        let joining = Joining {
            offset: position,
            ..Joining::default()
        };
        let headers = request.headers_mut();
        joining.write(headers);
        self.tell_patience(headers);
        accept(node, headers);
        let lane = match beside {
            Some(connection) => {
                headers.insert(wire::GATHER, HeaderValue::from(GATHER_MS));
                Lane::Beside(connection)
            }
            None => Lane::Any,
        };
        let until = Instant::now() + ATTACH_MAX;
        match self.send_on(node, request, (lane, until)).await {
            Err(SendError::Unsent(why) | SendError::Unknown { why, .. }) => {
                Err(Missed::NotStarted(why))
            }
            Ok(response) => {
                let (head, body) = response.into_parts();
                let boot = text(&head.headers, &wire::BOOT);
                if boot != life.as_str() {
                    let lost = LinkError::Lost("the gateway was restarted".to_owned());
                    return Err(Missed::Told(lost));
                }
                if head.status.is_server_error() {
                    return Err(Missed::NotStarted(format!("it answered {}", head.status)));
                }
                if !head.status.is_success() {
                    let lost = LinkError::Lost(format!("the gateway answered {}", head.status));
                    return Err(Missed::Told(lost));
                }
                Attachment::new(&head.headers, body, position).map_err(Missed::Told)
            }
        }
    }

    /// What is kept for this server is kept for as long as it tries.
    pub(super) fn tell_patience(&self, headers: &mut HeaderMap) {
        headers.insert(wire::PATIENCE_MS, self.fleet.kept.clone());
    }
}
