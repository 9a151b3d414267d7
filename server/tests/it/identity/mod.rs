//! Identity on both databases: tenants, people, keys, sessions, and what replicas see of them.

mod accounts;
mod api;
mod end_users;
mod folding;
mod guesses;
mod keys;
mod owners;
mod process;
mod replicas;
mod sessions;
mod superadmins;

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue};
use server::accounts::{Accounts, NewKey, NewSuperadmin};
use server::auth::{Auth, AuthError};
use server::sessions::Shown;
use server::store::Store;
use server::store::accounts::{AdminRole, ApiKeyKind, KeyPlace, Scopes, Superadmin};
use server::store::audit::Actor;
use shared::clock::{Clock, Moment};
use shared::id::{ApiKeyId, TenantId};
use shared::secret::Secret;

use self::process::Process;

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

fn live() -> NewKey {
    NewKey::plain("main", ApiKeyKind::Live)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: &Result<T, AuthError>) {
    assert!(matches!(answer, Err(AuthError::Invalid)), "{answer:?}");
}
