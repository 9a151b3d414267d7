//! What a call's body becomes on its way to a far gateway: without the beginning that the gateway
//! has already, and compressed. Sends nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use shared::id::TenantId;
use shared::link::codec;
use shared::link::prefix::{BODY_BYTES_MIN, BodyHash, ChainedBody, Prefix, Root, Seen};
use shared::link::wire;
use tracing::debug;

/// Smaller bodies fit into the packet that goes anyway.
const COMPRESSED_MIN: usize = 1024;
/// Larger ones are work for a thread that may wait (measured in `codec` and `prefix`).
const INLINE_MAX: usize = 128 * 1024;
/// What a gateway keeps of conversations by default.
const PREFIX_BYTES: usize = 64 * 1024 * 1024;

/// Packs bodies for one gateway.
pub(super) struct BodyEncoder {
    seen: Mutex<Seen>,
    /// Makes the tenants' roots; nobody outside knows it.
    salt: Vec<u8>,
}

/// A body on the wire.
pub(super) struct EncodedBody {
    pub(super) body: Bytes,
    headers: HeaderMap,
    chain: Option<ChainedBody>,
}

impl EncodedBody {
    /// As it is.
    pub(super) fn plain(body: Bytes) -> Self {
        Self {
            body,
            headers: HeaderMap::new(),
            chain: None,
        }
    }

    /// Adds what the gateway must know to unpack it.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }

    fn put(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
    }

    fn compress(&mut self) {
        if self.body.len() < COMPRESSED_MIN {
            return;
        }
        match codec::compress(&self.body) {
            Ok(small) if small.len() < self.body.len() => {
                self.body = small;
                self.headers
                    .insert(wire::PACKED, HeaderValue::from_static("1"));
            }
            Ok(_) => {}
            Err(error) => debug!(%error, "a body is sent as it is: {error}"),
        }
    }
}

impl BodyEncoder {
    pub(super) fn new(secret: &HeaderValue) -> Self {
        Self {
            seen: Mutex::new(Seen::new(PREFIX_BYTES)),
            salt: secret.as_bytes().to_vec(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packs `body` of a tenant; `whole` after the gateway said that it lacks the beginning.
    pub(super) async fn encode(
        self: &Arc<Self>,
        body: &Bytes,
        tenant: Option<&TenantId>,
        whole: bool,
    ) -> EncodedBody {
        let (this, body, tenant) = (self.clone(), body.clone(), tenant.cloned());
        if body.len() <= INLINE_MAX {
            return this.pack_now(body, tenant.as_ref(), whole);
        }
        let plain = EncodedBody::plain(body.clone());
        let packing =
            tokio::task::spawn_blocking(move || this.pack_now(body, tenant.as_ref(), whole));
        packing.await.unwrap_or(plain)
    }

    fn pack_now(&self, body: Bytes, tenant: Option<&TenantId>, whole: bool) -> EncodedBody {
        let mut encoded = EncodedBody::plain(body);
        if let Some(tenant) = tenant.filter(|_| encoded.body.len() > BODY_BYTES_MIN) {
            self.leave_out(&mut encoded, tenant, whole);
        }
        encoded.compress();
        encoded
    }

    fn leave_out(&self, encoded: &mut EncodedBody, tenant: &TenantId, whole: bool) {
        let root = Root::of(&[&self.salt, tenant.as_str().as_bytes()].concat());
        let chain = ChainedBody::new(root, encoded.body.clone());
        encoded.put(wire::ROOT, &root.to_string());
        let known: Option<Prefix> = if whole {
            None
        } else {
            self.seen().longest_known(&chain)
        };
        if let Some(prefix) = known {
            encoded.put(wire::BEGINNING, &prefix.to_string());
            encoded.put(wire::WHOLE, &BodyHash::of(&encoded.body).to_string());
            encoded.body = chain.rest(&prefix);
        }
        encoded.chain = Some(chain);
    }

    /// The gateway has the body.
    pub(super) fn arrived(&self, encoded: &EncodedBody) {
        if let Some(chain) = &encoded.chain {
            self.seen().remember(chain);
        }
    }

    /// The gateway lacks the beginning.
    pub(super) fn missing(&self, encoded: &EncodedBody) {
        if let Some(chain) = &encoded.chain {
            self.seen().forget(chain);
        }
    }
}
