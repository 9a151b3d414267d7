//! Every identifier as a type of its own, with a prefix that people can see.
//! Knows nothing of databases: a column holds the text, and byte order is order of creation.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};

use rand::RngExt;

use crate::clock::{Clock, Moment};

/// Creation time in front, as milliseconds in base 36: rows made together stand together in an
/// index, and a list's cursor is an id. Nine digits last until the year 5188.
const TIME_CHARS: usize = 9;
/// Random characters behind it: 18 of `[0-9a-z]` carry 93 bits, so ids can't be guessed.
const RANDOM_CHARS: usize = 18;
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// An id arrived from outside that does not have the form of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id of this kind starts with `{prefix}`")]
pub struct IdError {
    /// What the id should have started with.
    pub prefix: &'static str,
}

/// The moment that an id's time tells; nothing of an id that has none.
fn time_of(text: &str) -> Option<Moment> {
    let digits = text.get(..TIME_CHARS)?.bytes();
    let mut unix_ms: i64 = 0;
    for letter in digits {
        let digit = ALPHABET.iter().position(|known| *known == letter)?;
        let digit = i64::try_from(digit).ok()?;
        unix_ms = unix_ms.checked_mul(36)?.checked_add(digit)?;
    }
    Some(Moment::from_unix_ms(unix_ms))
}

/// Random text over `[0-9a-z]` from the operating system's generator-seeded source.
pub fn random_text(chars: usize) -> String {
    let mut rng = rand::rng();
    (0..chars)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

fn time_text(unix_ms: i64) -> String {
    let mut rest = usize::try_from(unix_ms).unwrap_or(0);
    let mut digits = [b'0'; TIME_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    digits.iter().copied().map(char::from).collect()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id, greater than those made in earlier milliseconds.
            pub fn random() -> Self {
                let time = time_text(Clock::system().now().unix_ms());
                Self(format!("{}{time}{}", $prefix, random_text(RANDOM_CHARS)))
            }

            /// What stands before every id that is made from a moment on, and behind all before it.
            pub fn first_of(at: Moment) -> Self {
                Self(format!("{}{}", $prefix, time_text(at.unix_ms())))
            }

            /// When it was made, as it tells itself.
            pub fn made_at(&self) -> Option<Moment> {
                time_of(self.0.strip_prefix($prefix)?)
            }

            /// Takes an id as a database row holds it, without checking its form.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The id as text, prefix included.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Gives the text away.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { prefix: $prefix };
                let rest = text.strip_prefix($prefix).ok_or(error.clone())?;
                let well_formed = (1..=64).contains(&rest.len())
                    && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                if well_formed { Ok(Self(text.to_owned())) } else { Err(error) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A company that owns credits.
    TenantId = "ten_";
    /// A person inside a tenant.
    UserId = "usr_";
    /// A person who runs the platform.
    SuperadminId = "adm_";
    /// A `wk_live_` or `wk_test_` key (its row, not its secret).
    ApiKeyId = "key_";
    /// One call of a model; also the id of its hold.
    GenerationId = "gen_";
    /// A lot of credits given to a tenant.
    GrantId = "grt_";
    /// A correction of a balance by an operator.
    AdjustmentId = "adj_";
    /// What a key or a user may spend in a period.
    BudgetId = "bud_";
    /// A line of the ledger.
    EntryId = "ent_";
    /// A price of a model, valid from a date.
    PriceId = "prc_";
    /// A price list that waits to be looked through.
    PriceReviewId = "prv_";
    /// A chain of refresh tokens that began with one login.
    SessionId = "ses_";
    /// A line of the audit log.
    AuditId = "aud_";
    /// A provider's key in the gateway's pool.
    ProviderKeyId = "pkey_";
    /// A gateway as the server knows it.
    GatewayId = "gw_";
    /// What a gateway's database holds of events; gateways that share it share this.
    JournalId = "jrn_";
    /// Work that goes on after its request was answered; it owns its holds.
    JobId = "job_";
    /// A conversation in real time, over one connection; it owns its holds.
    RealtimeSessionId = "rts_";
    /// One life of a process, from start to end.
    BootId = "boot_";
    /// One request of a client, for logs and support.
    RequestId = "req_";
    /// An answer of the Responses API that is kept.
    ResponseId = "resp_";
    /// A chat completion that is kept.
    CompletionId = "chatcmpl-";
    /// A conversation that is kept.
    ConversationId = "conv_";
    /// A person's conversation in the studio.
    ChatId = "chat_";
    /// An image that a person made in the studio.
    PictureId = "img_";
    /// Something that operators should look at.
    AlertId = "alt_";
    /// Where alerts are sent to.
    AlertChannelId = "chn_";
    /// What a channel is told at once; receivers know a repetition by it.
    AlertMessageId = "msg_";
}

/// The time in the id that [`AuditId::successive`] made last.
static LAST_ENTRY_MS: AtomicI64 = AtomicI64::new(0);

impl AuditId {
    /// A fresh id, greater than all that this process made before: entries of one transaction have one
    /// moment, and are listed in the order in which they were written.
    pub fn successive() -> Self {
        let now = Clock::system().now().unix_ms();
        let next = |last: i64| last.saturating_add(1).max(now);
        let last = LAST_ENTRY_MS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            Some(next(last))
        });
        let time = time_text(last.map_or(now, next));
        Self(format!(
            "{}{time}{}",
            Self::PREFIX,
            random_text(RANDOM_CHARS)
        ))
    }
}

#[cfg(test)]
mod tests;
