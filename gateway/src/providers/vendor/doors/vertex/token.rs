//! Tokens for a Google service account: the signed claim that asks for one (JWT bearer grant, RFC 7523,
//! RS256), and the answer to it. Sends nothing and asks nobody for the time. Facts: Google, "Using OAuth
//! 2.0 for Server to Server Applications", as of 2026-11.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;
use serde::{Deserialize, Serialize};
use shared::clock::Moment;
use shared::secret::Secret;

/// What a token is asked for: all that the account may do in the cloud.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// A claim lives an hour at most; it is used at once, and clocks differ.
const CLAIM_LIVES: Duration = Duration::from_secs(600);
/// Google's tokens live an hour; what is told beyond a day is believed as a day.
const TOKEN_LIVES_MAX: u64 = 24 * 3_600;
const TOKEN_LIVES: u64 = 3_600;
/// A token is longer than most texts, and no file.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// A key's file has about 2,400 bytes.
const ACCOUNT_BYTES_MAX: usize = 64 * 1024;

/// Why a key's file can't be used; for whoever put it in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAccount {
    /// It is another file.
    #[error("this is not a service account key: {0}")]
    Json(String),
    /// It is for another use.
    #[error("the key is of the type `{0}` and not `service_account`")]
    Type(String),
    /// A field says nothing.
    #[error("the key's `{0}` is empty")]
    Empty(&'static str),
    /// Whoever asks there for a token shows that it holds the key.
    #[error("the key's `token_uri` is not one of Google's")]
    TokenUri,
    /// It can't be read, or is no RSA key of 2,048 bits or more.
    #[error("the key's `private_key` is not an RSA key in PEM (PKCS#8)")]
    PrivateKey,
    /// It does not sign.
    #[error("the key can't sign")]
    Signature,
}

/// A service account's key.
#[derive(Clone)]
pub(crate) struct ServiceAccount {
    email: String,
    /// Google's name of the key.
    key_id: Option<String>,
    token_uri: String,
    key: Arc<dyn SigningKey>,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { email, key_id, .. } = self;
        let mut shown = f.debug_struct("ServiceAccount");
        shown.field("email", email).field("key_id", key_id);
        shown.finish_non_exhaustive()
    }
}

/// The file as Google gives it out.
#[derive(Deserialize)]
struct AccountFile {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default)]
    token_uri: Option<String>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// Whether a claim may be sent there: it is good for nothing else than a token, but for that it is.
pub(super) fn is_googles(uri: &str) -> bool {
    let host = uri.strip_prefix("https://").map(|rest| {
        let end = rest.find(['/', '?', '#']);
        &rest[..end.unwrap_or(rest.len())]
    });
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    host.is_some_and(|host| host.ends_with(".googleapis.com") && host.bytes().all(is_sign))
}

impl ServiceAccount {
    /// Of a key's file, which is JSON; a claim may be sent to the addresses that `trusts` knows.
    pub(crate) fn read(json: &str, trusts: fn(&str) -> bool) -> Result<Self, BadAccount> {
        if json.len() > ACCOUNT_BYTES_MAX {
            return Err(BadAccount::Json("it is too long".to_owned()));
        }
        let file: AccountFile = serde_json::from_str(json).map_err(|error| {
            // Serde's own words may repeat a value, and a value may be the key.
            BadAccount::Json(format!("line {}, column {}", error.line(), error.column()))
        })?;
        if let Some(kind) = file.kind.filter(|kind| kind != "service_account") {
            return Err(BadAccount::Type(kind.chars().take(40).collect()));
        }
        if file.client_email.trim().is_empty() {
            return Err(BadAccount::Empty("client_email"));
        }
        let token_uri = file.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned());
        if !trusts(&token_uri) {
            return Err(BadAccount::TokenUri);
        }
        let der = PrivateKeyDer::from_pem_slice(file.private_key.as_bytes());
        let der = der.map_err(|_| BadAccount::PrivateKey)?;
        let key = any_supported_type(&der).map_err(|_| BadAccount::PrivateKey)?;
        let is_rsa = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        is_rsa.ok_or(BadAccount::PrivateKey)?;
        Ok(Self {
            email: file.client_email,
            key_id: file.private_key_id.filter(|id| !id.is_empty()),
            token_uri,
            key,
        })
    }

    /// Where a token is asked for.
    pub(crate) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    /// The claim that is exchanged for a token, made at `now`.
    fn assertion(&self, now: Moment) -> Result<String, BadAccount> {
        let header = Header {
            alg: "RS256",
            typ: "JWT",
            kid: self.key_id.as_deref(),
        };
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: now.unix_seconds(),
            exp: now.after(CLAIM_LIVES).unix_seconds(),
        };
        let mut text = part(&header)?;
        text.push('.');
        text.push_str(&part(&claims)?);
        let signer = self
            .key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .ok_or(BadAccount::PrivateKey)?;
        let signature = signer.sign(text.as_bytes());
        let signature = signature.map_err(|_| BadAccount::Signature)?;
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(text)
    }

    /// The body of the request for a token (`application/x-www-form-urlencoded`), made at `now`.
    pub(crate) fn form(&self, now: Moment) -> Result<Secret<String>, BadAccount> {
        let grant = GRANT.replace(':', "%3A");
        // Base64 for addresses has no sign that would be escaped.
        let assertion = self.assertion(now)?;
        Ok(Secret::new(format!(
            "grant_type={grant}&assertion={assertion}"
        )))
    }
}

fn part(value: &impl Serialize) -> Result<String, BadAccount> {
    let json = serde_json::to_vec(value).map_err(|_| BadAccount::Signature)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// A token, and how long it is of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessToken {
    /// For `authorization: Bearer`.
    pub(crate) token: Secret<String>,
    /// From then on another is asked for: at four fifths of its life.
    pub(crate) renew_at: Moment,
    /// From then on it is refused.
    pub(crate) ends_at: Moment,
}

/// The answer to a request for a token, whether it is one or an error (RFC 6749, 5.1 and 5.2).
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: Option<String>,
    /// Seconds; a few write it as a text.
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoToken {
    /// The key or the account is not taken: `invalid_grant`, `invalid_client`, `unauthorized_client`.
    #[error("Google refuses the key: {0}")]
    Refused(String),
    /// Something else, which may pass.
    #[error("Google gave no token: {0}")]
    Other(String),
}

impl AccessToken {
    /// Of an answer with any status to a request that was sent at `asked_at`.
    pub(crate) fn read(answer: &[u8], asked_at: Moment) -> Result<Self, NoToken> {
        let answer: TokenAnswer = serde_json::from_slice(answer)
            .map_err(|_| NoToken::Other("the answer is not the JSON that was expected".into()))?;
        if let Some(error) = answer.error {
            let why = answer.error_description.unwrap_or_default();
            let told: String = format!("{error} {why}").trim().chars().take(300).collect();
            // Google's words for a claim whose times don't fit its clock: that is ours to mend.
            let is_early = why.contains("reasonable timeframe");
            return Err(match error.as_str() {
                _ if is_early => NoToken::Other(told),
                "invalid_grant" | "invalid_client" | "unauthorized_client" | "access_denied" => {
                    NoToken::Refused(told)
                }
                _ => NoToken::Other(told),
            });
        }
        let is_token = |token: &String| {
            (1..=TOKEN_BYTES_MAX).contains(&token.len())
                && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let token = answer
            .access_token
            .filter(is_token)
            .ok_or_else(|| NoToken::Other("the answer holds no token".to_owned()))?;
        let told = answer.expires_in.as_ref().and_then(|told| {
            let number = told.as_u64();
            number.or_else(|| told.as_str()?.trim().parse().ok())
        });
        let lives = told.unwrap_or(TOKEN_LIVES).min(TOKEN_LIVES_MAX);
        Ok(Self {
            token: Secret::new(token),
            renew_at: asked_at.after(Duration::from_millis(lives * 800)),
            ends_at: asked_at.after(Duration::from_secs(lives)),
        })
    }

    /// Whether it still is good for a call at `now`.
    pub(crate) fn is_good(&self, now: Moment) -> bool {
        now < self.ends_at
    }

    /// Whether another should be asked for at `now`.
    pub(crate) fn is_old(&self, now: Moment) -> bool {
        now >= self.renew_at
    }
}

#[cfg(test)]
pub(super) mod tests;
