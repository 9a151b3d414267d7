//! AES-256-GCM envelopes for secrets at rest, each bound to the row it belongs to.
//! Stores nothing and reads no configuration: the master key is handed in.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// GCM's nonce (NIST SP 800-38D 5.2.1.1 recommends 96 bits).
const NONCE_BYTES: usize = 12;
/// Bytes of the key id in front: tells which master key sealed it when keys rotate.
const KEY_ID_BYTES: usize = 4;

/// Why an envelope was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The envelope names a master key that is not configured.
    #[error("sealed with another CONFIG_ENCRYPTION_KEY")]
    UnknownKey,
    /// Cut short, changed, or taken from another row.
    #[error("the sealed value was changed or belongs to another row")]
    Damaged,
}

/// Seals and opens with one master key: key id + nonce + ciphertext.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
    key_id: [u8; KEY_ID_BYTES],
}

impl Sealer {
    /// Derives the 256-bit key from the configured text (at least 32 characters, checked by config).
    pub fn new(master: &Secret<String>) -> Self {
        let key: [u8; 32] = Sha256::digest(master.expose().as_bytes()).into();
        let mut key_id = [0; KEY_ID_BYTES];
        // A second hash, so that the id tells nothing about the key.
        key_id.copy_from_slice(&Sha256::digest(key)[..KEY_ID_BYTES]);
        Self {
            cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(key)),
            key_id,
        }
    }

    /// Seals `plain` for the row named by `bound_to` (table and row id); it opens for that row only.
    pub fn seal(&self, bound_to: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        let payload = Payload {
            msg: plain,
            aad: bound_to.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .expect("AES-GCM refuses only messages over 64 GiB");
        [&self.key_id[..], &nonce, &sealed].concat()
    }

    /// Opens an envelope sealed for the same row.
    pub fn open(&self, bound_to: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (key_id, rest) = sealed
            .split_at_checked(KEY_ID_BYTES)
            .ok_or(SealError::Damaged)?;
        if key_id != self.key_id {
            return Err(SealError::UnknownKey);
        }
        let (nonce, cipher) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Damaged)?;
        let payload = Payload {
            msg: cipher,
            aad: bound_to.as_bytes(),
        };
        self.cipher
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| SealError::Damaged)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("key_id", &hex::encode(self.key_id))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
