//! Access tokens (JWT, RFC 7519, signed with HS256 alone) and refresh tokens (random, kept hashed).
//! Knows no user and stores nothing.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
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

/// Makes and reads access tokens.
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
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
        let bytes = secret.expose().as_bytes();
        Self {
            encoding: EncodingKey::from_secret(bytes),
            decoding: DecodingKey::from_secret(bytes),
            clock,
        }
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
        // Serialising plain strings and an HMAC can't fail.
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).unwrap_or_default()
    }

    /// What a token says, if we signed it and it has not ended.
    pub fn read(&self, token: &str) -> Option<Claims> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        // Compared below with our own clock, which tests can move.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &self.decoding, &validation)
            .ok()?
            .claims;
        (claims.exp > self.clock.now().unix_seconds()).then_some(claims)
    }
}

/// A fresh refresh token.
pub fn refresh_token() -> Secret<String> {
    Secret::new(format!("{REFRESH_PREFIX}{}", random_text(REFRESH_CHARS)))
}

#[cfg(test)]
mod tests {
    use shared::clock::Moment;

    use super::*;

    const BEARER: Bearer<'_> = Bearer {
        kind: TokenKind::TenantUser,
        tenant: "ten_1",
        user: "usr_1",
        session: "ses_1",
    };

    fn tokens(secret: &str) -> (Tokens, Clock) {
        let clock = Clock::fixed(Moment::from_unix_ms(1_800_000_000_000));
        (
            Tokens::new(&Secret::new(secret.to_owned()), clock.clone()),
            clock,
        )
    }

    #[test]
    fn a_token_is_read_until_it_ends() {
        let (tokens, clock) = tokens("a secret of some length, more than thirty-two");
        let token = tokens.issue(BEARER, USER_LIFE);
        assert_eq!(
            tokens.read(&token).map(|claims| claims.user),
            Some("usr_1".to_owned())
        );
        clock.advance(USER_LIFE);
        assert_eq!(tokens.read(&token), None);
    }

    #[test]
    fn foreign_unsigned_and_changed_tokens_are_refused() {
        let (ours, _) = tokens("a secret of some length, more than thirty-two");
        let (theirs, _) = tokens("another secret of some length, also long enough");
        assert_eq!(ours.read(&theirs.issue(BEARER, USER_LIFE)), None);
        let token = ours.issue(BEARER, USER_LIFE);
        let payload = token.split('.').nth(1).expect("a payload");
        // {"alg":"none","typ":"JWT"}
        assert_eq!(
            ours.read(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")),
            None
        );
        assert_eq!(ours.read(&token[..token.len() - 2]), None);
        assert_eq!(ours.read(""), None);
    }
}
