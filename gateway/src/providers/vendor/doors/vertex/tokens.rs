//! Tokens that service accounts were given, each asked for once and kept for most of its life. Of many calls
//! with one key a single one asks; the others wait for it, or go on with the token that is still good.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http_body_util::Full;
use sha2::{Digest, Sha256};
use shared::clock::{Clock, Moment};
use shared::fault::{Fault, FaultKind, Scope};
use shared::secret::Secret;

use super::token::{AccessToken, BadAccount, NoToken, ServiceAccount};
use crate::providers::http as outbound;

/// Google answers within a second.
const ASKING_MAX: Duration = Duration::from_secs(10);
/// A token has a kilobyte or two.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Who waited while asking failed is told the same; until then nobody asks again.
const FAILURE_HOLDS: Duration = Duration::from_secs(2);
/// More keys than a gateway has. What is dropped is asked for again.
const KEYS_MAX: usize = 2_048;

/// The tokens of all keys.
pub(super) struct Tokens {
    /// By the digest of the key, so that none is kept here.
    keys: Mutex<BTreeMap<Digested, Arc<Kept>>>,
    /// Whether a claim may be sent to that address.
    trusts: fn(&str) -> bool,
}

type Digested = [u8; 32];

/// What is kept of one key.
#[derive(Default)]
struct Kept {
    state: Mutex<State>,
    /// Held by whoever asks.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    token: Option<AccessToken>,
    /// Why there was none, and when.
    failed: Option<(Moment, Fault)>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the state says without asking.
enum Found {
    Token(AccessToken),
    /// It is good, and another should be asked for.
    Old(AccessToken),
    Failed(Fault),
    Nothing,
}

impl Kept {
    fn found(&self, now: Moment) -> Found {
        let state = locked(&self.state);
        let failed = state.failed.as_ref();
        let failed = failed.filter(|(at, _)| now.since(*at) < FAILURE_HOLDS);
        match (&state.token, failed) {
            (Some(token), _) if !token.is_old(now) => Found::Token(token.clone()),
            (Some(token), Some(_)) if token.is_good(now) => Found::Token(token.clone()),
            (Some(token), None) if token.is_good(now) => Found::Old(token.clone()),
            (_, Some((_, fault))) => Found::Failed(fault.clone()),
            (_, None) => Found::Nothing,
        }
    }

    fn is_of_use(&self, now: Moment) -> bool {
        let state = locked(&self.state);
        state.token.as_ref().is_some_and(|token| token.is_good(now))
    }
}

impl Tokens {
    /// None yet.
    pub(super) const fn of(trusts: fn(&str) -> bool) -> Self {
        Self {
            keys: Mutex::new(BTreeMap::new()),
            trusts,
        }
    }

    /// A token for the key, which is a service account's file.
    pub(super) async fn token(&self, key: &str, clock: &Clock) -> Result<Secret<String>, Fault> {
        let kept = self.kept(key, clock.now());
        let asking = match kept.found(clock.now()) {
            Found::Token(token) => return Ok(token.token),
            Found::Failed(fault) => return Err(fault),
            Found::Old(token) => match kept.asking.try_lock() {
                Ok(asking) => asking,
                Err(_) => return Ok(token.token),
            },
            Found::Nothing => kept.asking.lock().await,
        };
        // Somebody else may have asked meanwhile.
        let old = match kept.found(clock.now()) {
            Found::Token(token) => return Ok(token.token),
            Found::Failed(fault) => return Err(fault),
            Found::Old(token) => Some(token),
            Found::Nothing => None,
        };
        let asked = self.ask(key, clock.now()).await;
        let answer = {
            let mut state = locked(&kept.state);
            match asked {
                Ok(token) => {
                    let answer = token.token.clone();
                    *state = State {
                        token: Some(token),
                        failed: None,
                    };
                    Ok(answer)
                }
                Err(fault) => {
                    state.failed = Some((clock.now(), fault.clone()));
                    old.map(|old| old.token).ok_or(fault)
                }
            }
        };
        drop(asking);
        answer
    }

    /// The key's token is not taken any more.
    pub(super) fn forget(&self, key: &str) {
        locked(&self.keys).remove(&digested(key));
    }

    fn kept(&self, key: &str, now: Moment) -> Arc<Kept> {
        let digested = digested(key);
        let mut keys = locked(&self.keys);
        if keys.len() >= KEYS_MAX && !keys.contains_key(&digested) {
            keys.retain(|_, kept| kept.is_of_use(now));
            if keys.len() >= KEYS_MAX {
                keys.clear();
            }
        }
        keys.entry(digested).or_default().clone()
    }

    async fn ask(&self, key: &str, now: Moment) -> Result<AccessToken, Fault> {
        let account = ServiceAccount::read(key, self.trusts).map_err(|bad| no_key(&bad))?;
        let form = account.form(now).map_err(|bad| no_key(&bad))?;
        let request = Request::post(account.token_uri())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, "waule")
            .body(Full::new(Bytes::copy_from_slice(form.expose().as_bytes())))
            .map_err(|_| no_key(&BadAccount::TokenUri))?;
        let asking = async {
            let head = outbound::send(request, ASKING_MAX).await?;
            let status = head.status;
            let body = outbound::whole(Vec::new(), head.body, ANSWER_BYTES_MAX, ASKING_MAX).await?;
            Ok((status, body))
        };
        let asked: Result<_, Fault> = tokio::time::timeout(ASKING_MAX, asking)
            .await
            .unwrap_or_else(|_| Err(unreachable("no answer in time")));
        // Whatever broke, no call was begun.
        let (status, body) = asked.map_err(|fault| unreachable(&fault.detail))?;
        AccessToken::read(&body, now).map_err(|none| match none {
            NoToken::Refused(_) => {
                Fault::new(FaultKind::InvalidKey, none.to_string()).reaching(Scope::Key)
            }
            NoToken::Other(_) => unreachable(&format!("status {}, {none}", status.as_u16())),
        })
    }
}

fn digested(key: &str) -> Digested {
    Sha256::digest(key).into()
}

fn no_key(bad: &BadAccount) -> Fault {
    Fault::new(FaultKind::InvalidKey, bad.to_string()).reaching(Scope::Key)
}

fn unreachable(why: &str) -> Fault {
    Fault::new(
        FaultKind::Unreachable,
        format!("no token was to be had: {why}"),
    )
}

#[cfg(test)]
pub(super) mod tests;
