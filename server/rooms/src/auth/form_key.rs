//! Tokens of forms that are shown before anybody is logged in: the HMAC of a random value that the
//! browser keeps in a cookie. Who can't set our cookies can't make a token. Keeps nothing.

use shared::secret::Secret;

use super::signing::Signer;

const PURPOSE: &[u8] = b"waule form token|";

/// Makes and checks tokens; cheap to clone.
#[derive(Debug, Clone)]
pub struct FormKey(Signer);

impl FormKey {
    /// From a secret that all replicas share.
    pub fn new(secret: &Secret<String>) -> Self {
        Self(Signer::new(secret, PURPOSE))
    }

    /// The token of a cookie's value.
    pub fn token(&self, cookie: &str) -> String {
        self.0.sign(cookie)
    }

    /// Whether a form's token is the one of the cookie that came with it.
    pub fn fits(&self, cookie: &str, token: &str) -> bool {
        self.0.fits(cookie, token)
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
