//! One server's rooms for people, over a database that others may share.

use std::sync::Arc;

use server::accounts::{Accounts, NewKey, NewUser};
use server::auth::devices::Devices;
use server::auth::factors::{Factors, FactorsParts};
use server::auth::password::Passwords;
use server::auth::token::Tokens;
use server::auth::{Auth, AuthError, Principal, Role};
use server::limits::Limits;
use server::sessions::logins::Logins;
use server::sessions::stages::Stages;
use server::sessions::{LoggedIn, SessionError, Sessions, SessionsParts};
use server::settings::Settings;
use server::store::Store;
use server::store::accounts::{ApiKey, Tenant, User};
use shared::clock::Clock;
use shared::db::Db;
use shared::seal::Sealer;
use shared::secret::Secret;
use shared::supervisor::Supervisor;

use super::{HOME, PASSWORD, actor, bearer, live, secret, shown, start};
use crate::support::{TestDb, databases};

/// The rooms of one process.
pub(super) struct Process {
    pub(super) name: &'static str,
    pub(super) clock: Clock,
    pub(super) auth: Auth,
    pub(super) accounts: Accounts,
    pub(super) sessions: Sessions,
    pub(super) factors: Factors,
    pub(super) supervisor: Supervisor,
}

impl Process {
    pub(super) fn over(name: &'static str, db: Db, clock: Clock) -> Self {
        Self::on(name, Store::new(db), clock)
    }

    pub(super) fn on(name: &'static str, store: Store, clock: Clock) -> Self {
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

    pub(super) async fn tenant(&self, name: &str) -> Tenant {
        self.accounts
            .create_tenant(&actor(), name)
            .await
            .expect(self.name)
    }

    pub(super) async fn user(&self, tenant: &Tenant, username: &str) -> User {
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

    pub(super) async fn key(&self, tenant: &Tenant, new: NewKey) -> (ApiKey, Secret<String>) {
        self.accounts
            .create_key(&actor(), &tenant.id, new)
            .await
            .expect(self.name)
    }

    pub(super) async fn by_key(&self, key: &Secret<String>) -> Result<Arc<Principal>, AuthError> {
        self.auth.authenticate(&bearer(key.expose()), HOME).await
    }

    pub(super) async fn by_token(&self, login: &LoggedIn) -> Result<Arc<Principal>, AuthError> {
        self.auth
            .authenticate(&bearer(login.token.expose()), HOME)
            .await
    }

    pub(super) async fn log_in(
        &self,
        who: &Somebody,
        password: &str,
    ) -> Result<LoggedIn, SessionError> {
        self.sessions
            .log_in(&who.secret, shown(&who.user.username, &secret(password)))
            .await
    }

    /// A tenant with a user and a live key.
    pub(super) async fn somebody(&self) -> Somebody {
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
pub(super) struct Somebody {
    pub(super) tenant: Tenant,
    pub(super) user: User,
    pub(super) key: ApiKey,
    pub(super) secret: Secret<String>,
}

/// A process over a fresh database of each kind, at a time that stands still.
pub(super) async fn processes() -> Vec<(Process, TestDb)> {
    let databases = databases().await;
    databases
        .into_iter()
        .map(|db| (Process::over(db.name, db.db.clone(), start()), db))
        .collect()
}
