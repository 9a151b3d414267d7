//! Tokens of forms that are shown before anybody is logged in: the HMAC of a random value that the
//! browser keeps in a cookie. Who can't set our cookies can't make a token. Keeps nothing.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared::secret::Secret;
use subtle::ConstantTimeEq;

/// Says what the key is used for, so that no signature of another use fits.
const PURPOSE: &[u8] = b"waule form token|";

/// Makes and checks tokens; cheap to clone.
#[derive(Clone)]
pub struct FormKey(Hmac<Sha256>);

impl std::fmt::Debug for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormKey")
    }
}

impl FormKey {
    /// From a secret that all replicas share.
    pub fn new(secret: &Secret<String>) -> Self {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&[0; 64].into()));
        mac.update(PURPOSE);
        Self(mac)
    }

    /// The token of a cookie's value.
    pub fn token(&self, cookie: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(cookie.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Whether a form's token is the one of the cookie that came with it.
    pub fn fits(&self, cookie: &str, token: &str) -> bool {
        self.token(cookie).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_own_cookie_and_secret_only() {
        let key = |secret: &str| FormKey::new(&Secret::new(secret.to_owned()));
        let (ours, theirs) = (key("one secret"), key("another secret"));
        let token = ours.token("cookie");
        assert!(ours.fits("cookie", &token));
        assert!(!ours.fits("cookie2", &token) && !ours.fits("", &token));
        assert!(!theirs.fits("cookie", &token));
        assert!(!ours.fits("cookie", "") && !ours.fits("cookie", &token[1..]));
    }
}
