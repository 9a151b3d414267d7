//! Identity on both databases: tenants, people, keys, sessions, and what replicas see of them.

mod accounts;
mod api;
mod folding;
mod guesses;
mod keys;
mod owners;
mod replicas;
mod sessions;
mod superadmins;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use server::accounts::{Accounts, NewKey, NewSuperadmin, NewUser};
use server::auth::devices::Devices;
use server::auth::factors::{Factors, FactorsParts};
use server::auth::password::Passwords;
use server::auth::token::Tokens;
use server::auth::{Auth, AuthError, Principal, Role};
use server::limits::Limits;
use server::sessions::logins::Logins;
use server::sessions::stages::Stages;
use server::sessions::{LoggedIn, SessionError, Sessions, SessionsParts, Shown};
use server::settings::Settings;
use server::store::Store;
use server::store::accounts::{
    AdminRole, ApiKey, ApiKeyKind, KeyPlace, Scopes, Superadmin, Tenant, User,
};
use server::store::audit::Actor;
use shared::clock::{Clock, Moment};
use shared::db::Db;
use shared::id::{ApiKeyId, TenantId};
use shared::seal::Sealer;
use shared::secret::Secret;
use shared::supervisor::Supervisor;

use crate::support::{TestDb, databases};

/// Where requests come from.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const PASSWORD: &str = "correct horse";

/// A moment of the year 2026.
fn start() -> Clock {
    Clock::fixed(Moment::from_unix_ms(1_795_000_000_000))
}

fn actor() -> Actor {
    Actor {
        kind: "superadmin".to_owned(),
        id: "adm_test".to_owned(),
        name: "admin".to_owned(),
        address: "192.0.2.1".to_owned(),
    }
}

/// A key as whoever reaches all of them changes it.
fn place<'a>(tenant: &'a TenantId, id: &'a ApiKeyId) -> KeyPlace<'a> {
    KeyPlace {
        tenant,
        id,
        reach: Scopes::ALL,
        within: None,
    }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn bearer(text: &str) -> HeaderMap {
    one_header("authorization", &format!("Bearer {text}"))
}

fn one_header(name: &'static str, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).expect("a header's value");
    HeaderMap::from_iter([(HeaderName::from_static(name), value)])
}

/// A name and a password, from home and without a code.
fn shown<'a>(username: &'a str, password: &'a Secret<String>) -> Shown<'a> {
    Shown {
        username,
        password,
        code: None,
        address: HOME,
    }
}

/// The superadmin of a chosen password, as a first start adds them.
async fn first_superadmin(accounts: &Accounts) -> Superadmin {
    let first = NewSuperadmin {
        username: "admin".to_owned(),
        password: secret(PASSWORD),
        password_given: false,
        role: AdminRole::Owner,
    };
    accounts
        .create_superadmin(&Actor::system(), first)
        .await
        .expect("a superadmin")
}

/// The rooms about people over a store, and the token of its first superadmin.
pub(crate) async fn as_superadmin(store: &Store, clock: &Clock) -> (Auth, Accounts, String) {
    let process = Process::on("a superadmin", store.clone(), clock.clone());
    let Process {
        auth,
        accounts,
        sessions,
        ..
    } = process;
    first_superadmin(&accounts).await;
    let password = secret(PASSWORD);
    let login = sessions.log_in_superadmin(shown("admin", &password));
    let token = login.await.expect("logged in").token;
    (auth, accounts, token.expose().clone())
}

/// The rooms of one process.
struct Process {
    name: &'static str,
    clock: Clock,
    auth: Auth,
    accounts: Accounts,
    sessions: Sessions,
    factors: Factors,
    supervisor: Supervisor,
}

impl Process {
    fn over(name: &'static str, db: Db, clock: Clock) -> Self {
        Self::on(name, Store::new(db), clock)
    }

    fn on(name: &'static str, store: Store, clock: Clock) -> Self {
        let supervisor = Supervisor::new();
        let tokens = Tokens::new(
            &secret("a secret of more than thirty-two bytes"),
            clock.clone(),
        );
        let auth = Auth::new(store.clone(), tokens.clone(), clock.clone());
        let passwords = Passwords::default();
        let limits = Limits::new(&clock, None, &supervisor).expect("no address of Redis");
        let accounts = Accounts::new(
            store.clone(),
            auth.clone(),
            passwords.clone(),
            clock.clone(),
        );
        let logins = Logins::new(
            store.clone(),
            passwords,
            limits.clone(),
            clock.clone(),
            Devices::new(&secret("a third secret of more than thirty-two bytes")),
        );
        let settings = Settings::new(store.clone(), clock.clone());
        let factors = Factors::new(FactorsParts {
            store: store.clone(),
            sealer: Sealer::new(&secret("another secret of more than thirty-two bytes")),
            limits,
            clock: clock.clone(),
        });
        let parts = SessionsParts {
            store,
            tokens,
            logins,
            factors: factors.clone(),
            stages: Stages::new(factors.clone(), settings.clone()),
            settings,
            accounts: accounts.clone(),
            clock: clock.clone(),
        };
        Self {
            name,
            clock,
            auth,
            accounts,
            sessions: Sessions::new(parts),
            factors,
            supervisor,
        }
    }

    async fn tenant(&self, name: &str) -> Tenant {
        self.accounts
            .create_tenant(&actor(), name)
            .await
            .expect(self.name)
    }

    async fn user(&self, tenant: &Tenant, username: &str) -> User {
        let new = NewUser {
            username: username.to_owned(),
            password: secret(PASSWORD),
            role: Role::Member,
        };
        self.accounts
            .create_user(&actor(), &tenant.id, new)
            .await
            .expect(self.name)
    }

    async fn key(&self, tenant: &Tenant, new: NewKey) -> (ApiKey, Secret<String>) {
        self.accounts
            .create_key(&actor(), &tenant.id, new)
            .await
            .expect(self.name)
    }

    async fn by_key(&self, key: &Secret<String>) -> Result<Arc<Principal>, AuthError> {
        self.auth.authenticate(&bearer(key.expose()), HOME).await
    }

    async fn by_token(&self, login: &LoggedIn) -> Result<Arc<Principal>, AuthError> {
        self.auth
            .authenticate(&bearer(login.token.expose()), HOME)
            .await
    }

    async fn log_in(&self, who: &Somebody, password: &str) -> Result<LoggedIn, SessionError> {
        self.sessions
            .log_in(&who.secret, shown(&who.user.username, &secret(password)))
            .await
    }

    /// A tenant with a user and a live key.
    async fn somebody(&self) -> Somebody {
        let tenant = self.tenant("Acme").await;
        let user = self.user(&tenant, "ada").await;
        let (key, secret) = self.key(&tenant, live()).await;
        Somebody {
            tenant,
            user,
            key,
            secret,
        }
    }
}

/// Who the tests are about.
struct Somebody {
    tenant: Tenant,
    user: User,
    key: ApiKey,
    secret: Secret<String>,
}

fn live() -> NewKey {
    NewKey::plain("main", ApiKeyKind::Live)
}

/// A process over a fresh database of each kind, at a time that stands still.
async fn processes() -> Vec<(Process, TestDb)> {
    let databases = databases().await;
    databases
        .into_iter()
        .map(|db| (Process::over(db.name, db.db.clone(), start()), db))
        .collect()
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: &Result<T, AuthError>) {
    assert!(matches!(answer, Err(AuthError::Invalid)), "{answer:?}");
}
