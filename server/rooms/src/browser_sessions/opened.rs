//! A superadmin looks at a portal as one of its people: who may, for how long, and what else ends it.
//! What such a look may see is the pages' to say.
//!
//! It is no session of that person: it has a cookie and a table of its own, their list of sessions does
//! not have it, and nothing of theirs is changed by it. It lives no longer than the superadmin's own
//! session, their role, and the person's right to sign in.

use std::net::IpAddr;
use std::time::Duration;

use server_store::accounts::Superadmin;
use server_store::opened_portals::OpenedPortal;
use server_store::web_sessions::{PersonKind, Stage, WebSession};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{SessionId, TenantId, UserId, random_text};
use shared::secret::Secret;

use super::{
    BrowserError, BrowserSession, BrowserSessions, COOKIE_CHARS, CSRF_CHARS, Client, Person,
    is_cookie,
};
use crate::accounts::{AccountError, Actor};
use crate::auth::api_key;
use crate::auth::roles::{Action, may};

/// Long enough to look, and too short to be forgotten.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// Who looks, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opener {
    /// The superadmin.
    pub admin: Superadmin,
    portal: OpenedPortal,
}

impl Opener {
    /// When it ends.
    pub fn until(&self) -> Moment {
        self.portal.expires_at
    }
}

/// A portal that was just opened.
#[derive(Debug)]
pub struct NewlyOpened {
    /// For the cookie; known to nobody else.
    pub cookie: Secret<String>,
    /// How long it lives.
    pub life: Duration,
}

impl BrowserSessions {
    /// Opens a tenant's portal as one of its people; the one that this session opened before ends.
    pub async fn open_portal(
        &self,
        browser: &BrowserSession,
        (tenant, user): (&TenantId, &UserId),
        client: &Client,
    ) -> Result<NewlyOpened, BrowserError> {
        let Person::Superadmin(admin) = &browser.person else {
            return Err(BrowserError::OtherStep);
        };
        let found = self.user(tenant, user).await?;
        let Some((user, tenant)) = found.filter(|_| may(admin.role, Action::OpenPortals)) else {
            return Err(AccountError::NotFound("user").into());
        };
        let (now, cookie) = (self.clock.now(), Secret::new(random_text(COOKIE_CHARS)));
        let portal = OpenedPortal {
            id: SessionId::random(),
            tenant: tenant.id,
            user: user.id,
            user_name: user.username,
            superadmin: admin.id.clone(),
            superadmin_name: admin.username.clone(),
            session: browser.session.id.clone(),
            csrf: Secret::new(random_text(CSRF_CHARS)),
            address: client.address.to_string(),
            created_at: now,
            expires_at: now.after(LIFE),
        };
        let (actor, hash) = (
            Actor::superadmin(admin, client.address),
            api_key::hash(cookie.expose()),
        );
        self.store
            .insert_opened_portal(&actor, &portal, &hash)
            .await?;
        Ok(NewlyOpened { cookie, life: LIFE })
    }

    /// The look of a cookie, as the person whose portal it is; nothing once anything that it hangs on
    /// has ended.
    pub async fn opened_portal(&self, cookie: &str) -> Result<Option<BrowserSession>, DbError> {
        if !is_cookie(cookie) {
            return Ok(None);
        }
        let found = self.store.opened_portal(&api_key::hash(cookie)).await?;
        let now = self.clock.now();
        let Some(portal) = found.filter(|portal| portal.expires_at > now) else {
            return Ok(None);
        };
        let Some(admin) = self.opener(&portal, now).await? else {
            return Ok(None);
        };
        let Some((user, tenant)) = self.user(&portal.tenant, &portal.user).await? else {
            return Ok(None);
        };
        let session = WebSession {
            id: portal.id.clone(),
            kind: PersonKind::TenantUser,
            stage: Stage::Open,
            tenant: Some(portal.tenant.clone()),
            subject: portal.user.to_string(),
            created_at: portal.created_at,
            seen_at: now,
            idle_expires_at: portal.expires_at,
            expires_at: portal.expires_at,
            address: portal.address.clone(),
            agent: String::new(),
            csrf: portal.csrf.clone(),
            // Nobody proved to be this person.
            confirmed_at: None,
        };
        Ok(Some(BrowserSession {
            session,
            person: Person::User(user, tenant),
            opener: Some(Opener { admin, portal }),
        }))
    }

    /// The superadmin, while their own session and their role still carry it.
    async fn opener(
        &self,
        portal: &OpenedPortal,
        now: Moment,
    ) -> Result<Option<Superadmin>, DbError> {
        let session = self.store.web_session_of(&portal.session).await?;
        let is_open = |session: &WebSession| {
            session.kind == PersonKind::Superadmin
                && session.stage == Stage::Open
                && session.subject == portal.superadmin.as_str()
                && session.expires_at > now
                && session.idle_expires_at > now
        };
        if !session.as_ref().is_some_and(is_open) {
            return Ok(None);
        }
        let admin = self.store.superadmin(&portal.superadmin).await?;
        let may_still = |admin: &Superadmin| admin.active && may(admin.role, Action::OpenPortals);
        Ok(admin.filter(may_still))
    }

    /// Ends a look; answers whose it was.
    pub async fn close_portal(
        &self,
        opener: &Opener,
        address: IpAddr,
    ) -> Result<TenantId, DbError> {
        let actor = Actor::superadmin(&opener.admin, address);
        let now = self.clock.now();
        self.store
            .end_opened_portal(&actor, &opener.portal, now)
            .await?;
        Ok(opener.portal.tenant.clone())
    }
}
