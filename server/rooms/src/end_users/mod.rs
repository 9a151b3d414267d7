//! Room: the end users of tenants. Gives each call the name under which providers may hear whose it is, knows
//! who may make no calls, and suspends one person where a provider refuses them, so that nobody else and no
//! key pays for it. Tenants read their own; operators suspend and lift.

mod flagged;
mod identity;
mod recent;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use server_rules::access::Principal;
use server_store::Store;
use server_store::audit::Actor;
use server_store::end_users::Suspended;
pub use server_store::end_users::{SuspendedEndUser, SuspendedFor, SuspendedQuery};
use shared::clock::{Clock, Moment};
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId, UserId};
use shared::seal::Sealer;
use shared::secret::Secret;
use tokio::sync::Mutex;
use tracing::{error, info, warn};

use self::flagged::FlaggedCounts;
use self::identity::Namer;
pub use self::identity::{EndUser, Named};
use crate::settings::{EndUserPolicy, Settings};

/// Characters of what a suspension says of its reason.
pub const DETAIL_CHARS_MAX: usize = 500;
/// Bytes of a tenant's word for one of its people.
pub const WORD_BYTES_MAX: usize = shared::dialect::END_USER_WORD_BYTES_MAX;

/// Why nobody was suspended or lifted.
#[derive(Debug, thiserror::Error)]
pub enum EndUserError {
    /// There is no such tenant, or nobody of it is suspended by that name.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field breaks its rule.
    #[error("`{field}` must be {rule}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// They are suspended already.
    #[error("they are suspended already")]
    Before,
    /// The tenant has as many as one may have.
    #[error("the tenant has too many suspended end users")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Somebody that an operator suspends.
#[derive(Debug, Clone)]
pub struct NewSuspension {
    /// Whose they are.
    pub tenant: TenantId,
    /// The tenant's word for them, or the name that a provider knows them by.
    pub word: String,
    /// Why.
    pub detail: String,
    /// For how long; until somebody lifts it where it is absent.
    pub span: Option<Duration>,
}

/// What the room is made of.
pub struct EndUsersParts {
    /// Rows.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// What names are made with: the secret that is kept longest.
    pub secret: Secret<String>,
    /// Seals tenants' words at rest.
    pub sealer: Sealer,
}

impl std::fmt::Debug for EndUsersParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndUsersParts")
    }
}

/// Until when each may not call; for good where that is absent.
type InForce = HashMap<String, Option<Moment>>;

/// End users; cheap to clone, cheap to ask.
#[derive(Debug, Clone)]
pub struct EndUsers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    namer: Namer,
    sealer: Sealer,
    settings: Settings,
    flagged: FlaggedCounts,
    // Held for as long as one is looked up or all are put in place, never across an await.
    in_force: RwLock<InForce>,
    // Two readings at once could be put in place in the wrong order.
    reading: Mutex<()>,
}

impl EndUsers {
    /// Reads who is suspended for the first time.
    pub async fn load(parts: EndUsersParts) -> Result<Self, DbError> {
        let this = Self(Arc::new(Inner {
            settings: Settings::new(parts.store.clone(), parts.clock.clone()),
            namer: Namer::new(&parts.secret),
            sealer: parts.sealer,
            store: parts.store,
            clock: parts.clock,
            flagged: FlaggedCounts::default(),
            in_force: RwLock::default(),
            reading: Mutex::default(),
        }));
        this.reload().await?;
        Ok(this)
    }

    /// Whose question a call of `principal` is, where its request says `word`.
    pub fn end_user(&self, principal: &Principal, word: Option<&str>) -> Arc<EndUser> {
        self.0.namer.end_user(principal, word)
    }

    /// Until when somebody may not call, for good where that is absent; `None` where they may. Asks nobody.
    pub fn suspension(&self, identity: &str) -> Option<Option<Moment>> {
        let until = {
            let in_force = self.0.in_force.read();
            let in_force = in_force.unwrap_or_else(PoisonError::into_inner);
            *in_force.get(identity)?
        };
        let now = self.0.clock.now();
        until.is_none_or(|until| until > now).then_some(until)
    }

    /// Reads again who is suspended; called when this or another replica changed something.
    pub async fn reload(&self) -> Result<(), DbError> {
        let _one_at_a_time = self.0.reading.lock().await;
        let rows = self.0.store.end_users_in_force(self.0.clock.now()).await?;
        let fresh = rows.into_iter().collect();
        let mut in_force = self
            .0
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *in_force = fresh;
        Ok(())
    }

    /// A provider refuses this person, in these words: they make no more calls until somebody lifts it.
    pub async fn blocked(&self, tenant: &TenantId, who: &EndUser, told: (&str, &str)) {
        if self.suspension(&who.identity).is_none() {
            let suspended = self.suspended(tenant, who, SuspendedFor::Provider, told);
            self.suspend_automatically(suspended).await;
        }
    }

    /// A provider refused the content of a prompt of this person. Whom the tenant did not name is not
    /// counted: a user or a key of Waule may stand for many people.
    pub async fn flagged(&self, tenant: &TenantId, who: &EndUser, told: (&str, &str)) {
        if matches!(who.named, Named::Subject(_)) || self.suspension(&who.identity).is_some() {
            return;
        }
        let now = self.0.clock.now();
        let count = self.0.flagged.count(tenant, &who.identity, now);
        let policy = match self.0.settings.get::<EndUserPolicy>().await {
            Ok(policy) => policy,
            Err(error) => {
                warn!(%error, "how many refused prompts are too many can't be read: {error}");
                return;
            }
        };
        if policy.flagged_prompts == 0 || count < policy.flagged_prompts {
            return;
        }
        self.0.flagged.forget(tenant, &who.identity);
        let mut suspended = self.suspended(tenant, who, SuspendedFor::Flagged, told);
        suspended.detail = format!("{count} refused prompts within an hour");
        suspended.until = Some(now.after(policy.span()));
        self.suspend_automatically(suspended).await;
    }

    fn suspended(
        &self,
        tenant: &TenantId,
        who: &EndUser,
        why: SuspendedFor,
        (provider, detail): (&str, &str),
    ) -> SuspendedEndUser {
        let (subject, word) = match &who.named {
            Named::Subject(subject) => (Some(subject.clone()), None),
            Named::Word(word) => {
                let bound_to = bound_to(tenant, &who.identity);
                let sealed = self.0.sealer.seal(&bound_to, word.as_bytes());
                (None, Some(hex::encode(sealed)))
            }
        };
        SuspendedEndUser {
            identity: who.identity.clone(),
            tenant: tenant.clone(),
            subject,
            word,
            why,
            provider: provider.to_owned(),
            detail: detail.chars().take(DETAIL_CHARS_MAX).collect(),
            since: self.0.clock.now(),
            until: None,
            lifted_at: None,
        }
    }

    async fn suspend_automatically(&self, one: SuspendedEndUser) {
        let actor = Actor {
            name: "end users".to_owned(),
            ..Actor::system()
        };
        let (id, tenant) = (&one.identity, &one.tenant);
        match self.suspend(&actor, &one).await {
            Ok(()) => {
                info!(tenant.id = %tenant, "end user `{id}` is suspended: {}", one.why.word());
            }
            // Another call of theirs was first.
            Err(EndUserError::Before) => {}
            Err(EndUserError::TooMany) => {
                error!(tenant.id = %tenant, "end user `{id}` is not suspended: too many of this tenant are");
            }
            // The provider refuses their next call too, and then it is tried again.
            Err(error) => {
                warn!(%error, tenant.id = %tenant, "end user `{id}` could not be suspended: {error}");
            }
        }
    }

    async fn suspend(&self, actor: &Actor, one: &SuspendedEndUser) -> Result<(), EndUserError> {
        let now = self.0.clock.now();
        match self.0.store.suspend_end_user(actor, one, now).await? {
            Suspended::Now => Ok(self.reload().await?),
            Suspended::Before => Err(EndUserError::Before),
            Suspended::TooMany => Err(EndUserError::TooMany),
        }
    }

    /// Suspends somebody on an operator's word; answers the identity.
    pub async fn suspend_by_hand(
        &self,
        actor: &Actor,
        new: NewSuspension,
    ) -> Result<SuspendedEndUser, EndUserError> {
        let tenant = self.0.store.tenant(&new.tenant).await?;
        tenant.ok_or(EndUserError::NotFound("tenant"))?;
        let invalid = |field, rule| EndUserError::Invalid { field, rule };
        let word = new.word.trim();
        if word.is_empty() || word.len() > WORD_BYTES_MAX || word.contains('\0') {
            return Err(invalid("end_user", "from 1 to 512 bytes of text"));
        }
        let detail = new.detail.trim();
        if detail.is_empty() || detail.chars().count() > DETAIL_CHARS_MAX || detail.contains('\0') {
            return Err(invalid("reason", "from 1 to 500 characters of text"));
        }
        let who = self.meant(&new.tenant, word).await?;
        let told = ("", detail);
        let mut one = self.suspended(&new.tenant, &who, SuspendedFor::Operator, told);
        if who.identity == word {
            // Nothing is known of them but this.
            (one.subject, one.word) = (None, None);
        }
        one.until = new.span.map(|span| one.since.after(span));
        self.suspend(actor, &one).await?;
        Ok(one)
    }

    /// The end user that an operator means: by the name that providers know, which must be this tenant's, by
    /// the id of a user or a key of the tenant, or by the tenant's word, which may look like such an id.
    async fn meant(&self, tenant: &TenantId, word: &str) -> Result<EndUser, EndUserError> {
        let begins = self.0.namer.of_tenant(tenant);
        if word.starts_with("wu_") && word.len() == begins.len() + 32 {
            if !word.starts_with(&begins) {
                let (field, rule) = ("end_user", "of this tenant");
                return Err(EndUserError::Invalid { field, rule });
            }
            return Ok(EndUser {
                identity: word.to_owned(),
                named: Named::Subject(word.to_owned()),
            });
        }
        let named = if self.is_subject(tenant, word).await? {
            Named::Subject(word.to_owned())
        } else {
            Named::Word(word.to_owned())
        };
        Ok(EndUser {
            identity: self.0.namer.name(tenant, &named),
            named,
        })
    }

    /// Whether a user or a key of a tenant has this id.
    async fn is_subject(&self, tenant: &TenantId, word: &str) -> Result<bool, DbError> {
        let store = &self.0.store;
        if let Ok(id) = word.parse::<UserId>() {
            return Ok(store.user(tenant, &id).await?.is_some());
        }
        match word.parse::<ApiKeyId>() {
            Ok(id) => Ok(store.key(tenant, &id).await?.is_some()),
            Err(_) => Ok(false),
        }
    }

    /// Lets somebody call again.
    pub async fn lift(
        &self,
        actor: &Actor,
        tenant: &TenantId,
        identity: &str,
    ) -> Result<(), EndUserError> {
        let (store, now) = (&self.0.store, self.0.clock.now());
        let lifted = store.lift_end_user(actor, (tenant, identity), now).await?;
        if !lifted {
            return Err(EndUserError::NotFound("suspended end user"));
        }
        self.0.flagged.forget(tenant, identity);
        info!(tenant.id = %tenant, "end user `{identity}` may call again");
        Ok(self.reload().await?)
    }

    /// Who is suspended, or was; the newest first.
    pub async fn list(&self, query: SuspendedQuery<'_>) -> Result<Vec<SuspendedEndUser>, DbError> {
        self.0.store.suspended_end_users(query).await
    }

    /// What the clock of this room says, for lists of what is in force.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// The tenant's own word for somebody, or who stands for them; for the tenant's eyes.
    pub fn named(&self, one: &SuspendedEndUser) -> Option<String> {
        let Some(sealed) = &one.word else {
            return one.subject.clone();
        };
        let opened = hex::decode(sealed).ok().and_then(|sealed| {
            let bound_to = bound_to(&one.tenant, &one.identity);
            self.0.sealer.open(&bound_to, &sealed).ok()
        });
        let word = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        if word.is_none() {
            warn!("the word for end user `{}` can't be read", one.identity);
        }
        word
    }

    /// The same, as operators see it: what stands between its ends is left out, for it may be an address.
    pub fn shown(&self, one: &SuspendedEndUser) -> Option<String> {
        let named = self.named(one)?;
        Some(if one.word.is_some() {
            masked(&named)
        } else {
            named
        })
    }
}

/// The row a word is sealed for.
fn bound_to(tenant: &TenantId, identity: &str) -> String {
    format!("suspended_end_users|{tenant}|{identity}")
}

/// The first two characters and the last one of a text that has more than twice as many, else nothing of it.
fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    match chars.as_slice() {
        [first, second, .., last] if chars.len() > 6 => format!("{first}{second}…{last}"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_see_the_ends_of_a_word_alone() {
        for (word, shown) in [
            ("ada@example.com", "ad…m"),
            ("u-12345", "u-…5"),
            ("u-1234", "…"),
            ("", "…"),
            ("李小龙是一个人名", "李小…名"),
        ] {
            assert_eq!(masked(word), shown, "{word}");
        }
    }
}
