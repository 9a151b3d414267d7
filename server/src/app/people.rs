//! The rooms for people: accounts, logins, sessions of browsers, joined once.

use server_pages::page_services::{PageServices, PageServicesParts, PublicAddress};
use server_rooms::accounts::Accounts;
use server_rooms::auth::Auth;
use server_rooms::auth::devices::Devices;
use server_rooms::auth::factors::{Factors, FactorsParts};
use server_rooms::auth::form_key::FormKey;
use server_rooms::auth::password::Passwords;
use server_rooms::auth::token::Tokens;
use server_rooms::browser_sessions::{BrowserParts, BrowserSessions};
use server_rooms::limits::Limits;
use server_rooms::sessions::logins::Logins;
use server_rooms::sessions::stages::Stages;
use server_rooms::sessions::{Sessions, SessionsParts};
use server_rooms::settings::Settings;
use server_rooms::settings::zones::Zones;
use server_store::Store;
use shared::clock::Clock;
use shared::seal::Sealer;

use crate::config::ServerSecrets;

/// The rooms about people: who they are, how they log in, what they may change of themselves.
pub(super) struct People {
    pub(super) auth: Auth,
    pub(super) accounts: Accounts,
    pub(super) settings: Settings,
    pub(super) factors: Factors,
    pub(super) sessions: Sessions,
    pub(super) browsers: BrowserSessions,
}

impl People {
    pub(super) fn new(
        store: &Store,
        secrets: &ServerSecrets,
        limits: &Limits,
        clock: &Clock,
    ) -> Self {
        let (store, limits, clock) = (store.clone(), limits.clone(), clock.clone());
        let (tokens, passwords) = (
            Tokens::new(&secrets.jwt, clock.clone()),
            Passwords::default(),
        );
        let auth = Auth::new(store.clone(), tokens.clone(), clock.clone());
        let (hasher, time) = (passwords.clone(), clock.clone());
        let accounts = Accounts::new(store.clone(), auth.clone(), hasher, time);
        let settings = Settings::new(store.clone(), clock.clone());
        let logins = Logins::new(
            store.clone(),
            passwords,
            limits.clone(),
            clock.clone(),
            Devices::new(&secrets.jwt),
        );
        let factors = Factors::new(FactorsParts {
            store: store.clone(),
            sealer: Sealer::new(&secrets.seal),
            limits,
            clock: clock.clone(),
        });
        let stages = Stages::new(factors.clone(), settings.clone());
        let sessions = Sessions::new(SessionsParts {
            store: store.clone(),
            tokens,
            logins: logins.clone(),
            factors: factors.clone(),
            stages: stages.clone(),
            settings: settings.clone(),
            accounts: accounts.clone(),
            clock: clock.clone(),
        });
        let browsers = BrowserSessions::new(BrowserParts {
            store,
            logins,
            factors: factors.clone(),
            accounts: accounts.clone(),
            stages,
            settings: settings.clone(),
            clock,
        });
        Self {
            auth,
            accounts,
            settings,
            factors,
            sessions,
            browsers,
        }
    }

    pub(super) fn services(
        &self,
        secrets: &ServerSecrets,
        address: PublicAddress,
        (zones, clock): (Zones, &Clock),
    ) -> PageServices {
        PageServices::new(PageServicesParts {
            browsers: self.browsers.clone(),
            settings: self.settings.clone(),
            zones,
            form_key: FormKey::new(&secrets.jwt),
            address,
            clock: clock.clone(),
        })
    }
}
