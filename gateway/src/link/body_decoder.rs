//! Makes a call's body whole again: decompresses it and adds the beginning that was left out. Keeps
//! beginnings for that; starts nothing.

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::link::codec;
use shared::link::prefix::{BODY_BYTES_MIN, BodyHash, ChainedBody, Prefix, Prefixes, Root};
use shared::link::wire;

/// Larger bodies are work for a thread that may wait (measured in `codec` and `prefix`).
const INLINE_MAX: usize = 128 * 1024;

/// Why a body can't be made whole; nothing was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyDecodeError {
    /// The beginning is not kept here: the whole body is needed.
    Missing,
    /// Larger than allowed.
    TooLarge,
    /// Not what a server sends.
    Bad(String),
}

/// Beginnings of bodies that came.
#[derive(Debug)]
pub(crate) struct BodyDecoder {
    prefixes: Mutex<Prefixes>,
    bytes_max: usize,
}

/// What the headers say of a body.
struct Label {
    packed: bool,
    root: Option<Root>,
    beginning: Option<(Prefix, BodyHash)>,
}

fn read<T: FromStr>(headers: &HeaderMap, name: &HeaderName) -> Result<Option<T>, BodyDecodeError>
where
    T::Err: std::fmt::Display,
{
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let bad = |why: &dyn std::fmt::Display| BodyDecodeError::Bad(format!("{name}: {why}"));
    let text = value.to_str().map_err(|e| bad(&e))?;
    text.parse().map(Some).map_err(|e| bad(&e))
}

impl Label {
    fn read(headers: &HeaderMap) -> Result<Self, BodyDecodeError> {
        let prefix = read(headers, &wire::BEGINNING)?;
        let whole = read(headers, &wire::WHOLE)?;
        Ok(Self {
            packed: headers.contains_key(wire::PACKED),
            root: read(headers, &wire::ROOT)?,
            beginning: prefix.zip(whole),
        })
    }
}

impl BodyDecoder {
    /// Keeps `prefix_bytes` of beginnings, and makes no body larger than `bytes_max`.
    pub(crate) fn new(prefix_bytes: usize, bytes_max: usize) -> Self {
        Self {
            prefixes: Mutex::new(Prefixes::new(prefix_bytes)),
            bytes_max,
        }
    }

    /// How long a body may be, as it comes and when it is whole.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    fn prefixes(&self) -> MutexGuard<'_, Prefixes> {
        self.prefixes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole body.
    pub(crate) async fn decode(
        self: &Arc<Self>,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Bytes, BodyDecodeError> {
        let label = Label::read(headers)?;
        if !label.packed && label.root.is_none() {
            return Ok(body);
        }
        if body.len() <= INLINE_MAX && label.beginning.is_none() {
            return self.unpack_now(&label, body);
        }
        let this = self.clone();
        let unpacking = tokio::task::spawn_blocking(move || this.unpack_now(&label, body));
        unpacking
            .await
            .unwrap_or_else(|error| Err(BodyDecodeError::Bad(error.to_string())))
    }

    fn unpack_now(&self, label: &Label, mut body: Bytes) -> Result<Bytes, BodyDecodeError> {
        if label.packed {
            body = codec::decompress(&body, self.bytes_max).map_err(|error| {
                if matches!(error, codec::CodecError::TooLarge { .. }) {
                    return BodyDecodeError::TooLarge;
                }
                BodyDecodeError::Bad(error.to_string())
            })?;
        }
        let chain = match (label.root, &label.beginning) {
            (Some(_), Some((prefix, whole))) => {
                if prefix.length().saturating_add(body.len()) > self.bytes_max {
                    return Err(BodyDecodeError::TooLarge);
                }
                let found = self.prefixes().find(prefix);
                let joined = found.and_then(|found| found.join(&body, whole));
                joined.ok_or(BodyDecodeError::Missing)?
            }
            (Some(root), None) if body.len() > BODY_BYTES_MIN => ChainedBody::new(root, body),
            (Some(_), None) | (None, _) => return Ok(body),
        };
        self.prefixes().remember(&chain);
        Ok(chain.body().clone())
    }
}
