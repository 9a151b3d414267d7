//! The secrets of gateways that operators added: each has its own, sealed at rest and shown as a
//! fingerprint. Whoever is told of a new gateway learns nothing that opens another.

use server_store::gateways::KeptGateway;
use sha2::{Digest, Sha256};
use shared::config::SECRET_CHARS_MIN;
use shared::id::random_text;
use shared::link::GatewayPlace;
use shared::secret::Secret;
use tracing::error;

use super::{GatewayError, Gateways};

/// Characters of `[a-z0-9]` in one that is made: 248 bits.
const MADE_CHARS: usize = 48;
const SECRET_CHARS_MAX: usize = 512;
/// Characters of a fingerprint, enough to tell secrets apart and useless for guessing.
const FINGERPRINT_CHARS: usize = 12;

/// The secret that was given, or one that is made.
pub(super) fn checked(given: Option<Secret<String>>) -> Result<Secret<String>, GatewayError> {
    let Some(secret) = given else {
        return Ok(Secret::new(random_text(MADE_CHARS)));
    };
    let text = secret.expose();
    // A comma parts two secrets in a gateway's setting.
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    if (SECRET_CHARS_MIN..=SECRET_CHARS_MAX).contains(&text.len()) && is_plain {
        Ok(secret)
    } else {
        Err(GatewayError::Secret(
            "must be 32 to 512 printable characters without a comma",
        ))
    }
}

fn fingerprint(secret: &Secret<String>) -> String {
    let digest = Sha256::digest(format!("gateway secret|{}", secret.expose()));
    let mut text = hex::encode(digest);
    text.truncate(FINGERPRINT_CHARS);
    text
}

/// The row a secret is sealed for.
fn bound_to(kept: &KeptGateway) -> String {
    format!("gateways|{}", kept.id)
}

impl Gateways {
    pub(super) fn seal(&self, kept: &mut KeptGateway, secret: &Secret<String>) {
        let sealed = self
            .sealer
            .seal(&bound_to(kept), secret.expose().as_bytes());
        kept.sealed = Some(hex::encode(sealed));
        kept.fingerprint = Some(fingerprint(secret));
    }

    /// Where calls may go, with what opens each. One whose secret can't be read is left out: it must
    /// not be sent the secret of the others.
    pub(super) fn active(&self, kept: &[KeptGateway]) -> Vec<GatewayPlace> {
        let active = kept.iter().filter(|kept| kept.is_active);
        active.filter_map(|kept| self.opened(kept)).collect()
    }

    fn opened(&self, kept: &KeptGateway) -> Option<GatewayPlace> {
        let Some(sealed) = &kept.sealed else {
            return Some(kept.place.clone());
        };
        let bytes = hex::decode(sealed).map_err(|error| error.to_string());
        let opened = bytes.and_then(|sealed| {
            let opened = self.sealer.open(&bound_to(kept), &sealed);
            opened.map_err(|error| error.to_string())
        });
        let text = opened.and_then(|bytes| String::from_utf8(bytes).map_err(|e| e.to_string()));
        let secret = text
            .inspect_err(|why| {
                error!(gateway.id = %kept.id, "the secret of gateway `{}` can't be read: {why}", kept.id);
            })
            .ok()?;
        Some(GatewayPlace {
            secret: Some(Secret::new(secret)),
            ..kept.place.clone()
        })
    }
}
