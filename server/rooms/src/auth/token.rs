//! Access tokens (JWT, RFC 7519, signed with HS256 alone) and refresh tokens (random, kept hashed).
//! Knows no user and stores nothing.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::clock::Clock;
use shared::id::random_text;
use shared::secret::Secret;

/// A stolen access token is worth little for long.
pub const USER_LIFE: Duration = Duration::from_secs(15 * 60);
/// A superadmin's working day.
pub const SUPERADMIN_LIFE: Duration = Duration::from_secs(8 * 3_600);
/// After this a user logs in again.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// 51 characters of `[a-z0-9]` carry 263 bits.
const REFRESH_CHARS: usize = 51;
const REFRESH_PREFIX: &str = "wr_";
const ISSUER: &str = "waule";
/// No token of ours is longer.
const TOKEN_CHARS_MAX: usize = 2_048;

/// For whom a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A user of a tenant.
    TenantUser,
    /// A superadmin.
    Superadmin,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// For whom.
    #[serde(rename = "type")]
    pub kind: TokenKind,
    /// The tenant; empty for superadmins.
    #[serde(rename = "tenantId", default)]
    pub tenant: String,
    /// The user or superadmin.
    #[serde(rename = "userId")]
    pub user: String,
    /// The session.
    pub sid: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Ends at, in seconds.
    pub exp: i64,
    /// `waule`.
    pub iss: String,
}

/// For whom a token is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Bearer<'a> {
    /// Which kind.
    pub kind: TokenKind,
    /// The tenant; empty for superadmins.
    pub tenant: &'a str,
    /// The user or superadmin.
    pub user: &'a str,
    /// The session.
    pub session: &'a str,
}

/// What stands before the claims of every token of ours; any other header is not read at all, so none
/// can choose how it is checked.
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// Makes and reads access tokens; cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    key: Hmac<Sha256>,
    header: String,
    clock: Clock,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Signs with `JWT_SECRET`.
    pub fn new(secret: &Secret<String>, clock: Clock) -> Self {
        // HMAC takes a key of any length.
        let key = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&[0; 64].into()));
        Self {
            key,
            header: URL_SAFE_NO_PAD.encode(HEADER),
            clock,
        }
    }

    fn signed(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        mac.update(text.as_bytes());
        mac
    }

    /// A signed token that ends after `life`.
    pub fn issue(&self, bearer: Bearer<'_>, life: Duration) -> String {
        let now = self.clock.now();
        let claims = Claims {
            kind: bearer.kind,
            tenant: bearer.tenant.to_owned(),
            user: bearer.user.to_owned(),
            sid: bearer.session.to_owned(),
            iat: now.unix_seconds(),
            exp: now.after(life).unix_seconds(),
            iss: ISSUER.to_owned(),
        };
        // Serialising plain strings can't fail.
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let text = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signed(&text).finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a token says, if we signed it and it has not ended.
    pub fn read(&self, token: &str) -> Option<Claims> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let (text, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // Compares in constant time.
        self.signed(text).verify_slice(&signature).ok()?;
        let claims = text.strip_prefix(&self.header)?.strip_prefix('.')?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let lasts = claims.exp > self.clock.now().unix_seconds();
        (lasts && claims.iss == ISSUER).then_some(claims)
    }
}

/// A fresh refresh token.
pub fn refresh_token() -> Secret<String> {
    Secret::new(format!("{REFRESH_PREFIX}{}", random_text(REFRESH_CHARS)))
}

#[cfg(test)]
mod tests;
