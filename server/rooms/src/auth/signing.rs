//! Signatures with a secret that all replicas share, each use with a purpose of its own. Keeps nothing.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared::secret::Secret;
use subtle::ConstantTimeEq;

/// Signs for one purpose; cheap to clone.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// Says with `purpose` what the key is used for, so that no signature of another use fits.
    pub(super) fn new(secret: &Secret<String>, purpose: &[u8]) -> Self {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&[0; 64].into()));
        mac.update(purpose);
        Self(mac)
    }

    /// The signature of a text, in 64 hexadecimal digits.
    pub(super) fn sign(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Whether `signature` is the one of that text; how long that takes says nothing about it.
    pub(super) fn fits(&self, text: &str, signature: &str) -> bool {
        let right = self.sign(text);
        right.as_bytes().ct_eq(signature.as_bytes()).into()
    }
}
