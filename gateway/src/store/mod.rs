//! Every statement of the gateway: providers and their sealed keys, and what happened to them. Opens
//! no seal and holds no rule.

pub(crate) mod balances;
mod days;
mod events;
pub(crate) mod keys;
pub(crate) mod schema;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable,
};
use diesel_async::RunQueryDsl;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use shared::clock::Moment;
use shared::db::migrate::Migrations;
use shared::db::{Db, DbError};
use shared::id::ProviderKeyId;
use shared::{on, write_tx};

use self::schema::{balance_terms, provider_keys, providers, revisions};

/// The gateway's schema on both databases.
pub const MIGRATIONS: Migrations = Migrations {
    postgres: postgres_migrations,
    sqlite: sqlite_migrations,
};

fn postgres_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("../migrations/gateway/postgres");
    EMBEDDED
}

fn sqlite_migrations() -> EmbeddedMigrations {
    const EMBEDDED: EmbeddedMigrations = embed_migrations!("../migrations/gateway/sqlite");
    EMBEDDED
}

/// A provider as it is kept.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = providers)]
pub(crate) struct ProviderRow {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) base_url: String,
    pub(crate) enabled: bool,
    pub(crate) created_at: i64,
    /// As JSON.
    pub(crate) options: String,
}

/// A key as it is kept: sealed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = provider_keys)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) label: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) last4: String,
    pub(crate) weight: i64,
    pub(crate) disabled: bool,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) probe_at: Option<i64>,
    pub(crate) priority: i64,
    pub(crate) requests_per_minute: Option<i64>,
    pub(crate) tokens_per_minute: Option<i64>,
    pub(crate) calls_at_once: Option<i64>,
    pub(crate) requests_per_day: Option<i64>,
    /// JSON, as are its tags.
    pub(crate) models: Option<String>,
    /// In place of its provider's.
    pub(crate) base_url: Option<String>,
    /// Sealed.
    pub(crate) headers: Option<Vec<u8>>,
    pub(crate) tags: Option<String>,
    pub(crate) tokens_per_day: Option<i64>,
}

/// Everything the pools are made of, and the version it was read at.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: i64,
    pub(crate) providers: Vec<ProviderRow>,
    pub(crate) keys: Vec<KeyRow>,
    pub(crate) balances: Vec<balances::BalanceRow>,
    /// As JSON, by provider.
    pub(crate) balance_terms: Vec<(String, String)>,
}

/// The gateway's statements over one database; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    db: Db,
}

/// Why a key whose secret was for another place takes no calls.
pub(crate) const SECRET_GONE: &str = "the provider's address changed: enter the key's secret again";

/// Why a key is off that an operator switched off; nothing but an operator switches it on.
pub(crate) const BY_OPERATOR: &str = "by an operator";

impl KeyRow {
    /// Whether it waits for its secret.
    pub(crate) fn has_no_secret(&self) -> bool {
        self.sealed.is_empty()
    }
}

/// The row that every change moves on.
const REVISION: &str = "providers";

/// Moves the version on; a macro, because it is compiled for either connection.
macro_rules! moved {
    ($conn:expr) => {
        diesel::update(revisions::table.filter(revisions::name.eq($crate::store::REVISION)))
            .set(revisions::version.eq(revisions::version + 1))
            .execute($conn)
            .await?
    };
}

use moved;

/// Has changes of one provider and its keys wait for each other, and answers its address, if there is such a
/// provider; a macro, because it is compiled for either connection. PostgreSQL reads what was committed when
/// a statement began, so that a row must be locked before it is read.
macro_rules! lock_provider {
    ($conn:expr, $name:expr) => {{
        let row = || {
            $crate::store::schema::providers::table
                .filter($crate::store::schema::providers::name.eq($name))
        };
        diesel::update(row())
            .set(
                $crate::store::schema::providers::enabled
                    .eq($crate::store::schema::providers::enabled),
            )
            .execute($conn)
            .await?;
        let base_url: Option<String> = row()
            .select($crate::store::schema::providers::base_url)
            .first($conn)
            .await
            .optional()?;
        base_url
    }};
}

use lock_provider;

impl Store {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    pub(crate) async fn ping(&self) -> Result<(), DbError> {
        self.db.ping().await
    }

    pub(crate) async fn version(&self) -> Result<i64, DbError> {
        on!(self.db, |conn| {
            revisions::table
                .filter(revisions::name.eq(REVISION))
                .select(revisions::version)
                .first(conn)
                .await
        })
    }

    /// The version is read first: a change in between is read again with the next version.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, DbError> {
        let version = self.version().await?;
        let providers = on!(self.db, |conn| providers::table
            .order(providers::name)
            .load(conn)
            .await)?;
        let keys = on!(self.db, |conn| provider_keys::table
            .order(provider_keys::id)
            .load(conn)
            .await)?;
        Ok(Snapshot {
            version,
            providers,
            keys,
            balances: self.balances().await?,
            balance_terms: self.balance_terms().await?,
        })
    }

    pub(crate) async fn insert_provider(&self, row: &ProviderRow) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(providers::table)
                .values(row)
                .execute(conn)
                .await?;
            moved!(conn);
            Ok(())
        })
    }

    /// Changes what is given; answers whether there is such a provider. When `moved` says that its
    /// secrets were for another place than the new one, they are gone with the same commit.
    pub(crate) async fn update_provider(
        &self,
        name: &str,
        base_url: Option<&str>,
        enabled: Option<bool>,
        options: Option<&str>,
        moved: fn(&str, &str) -> bool,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let _ = lock_provider!(conn, name);
            let found = providers::table
                .filter(providers::name.eq(name))
                .first::<ProviderRow>(conn)
                .await
                .optional()?;
            let Some(row) = found else { return Ok(false) };
            if base_url.is_some_and(|url| moved(&row.base_url, url)) {
                // Those with an address of their own are not moved with it.
                let keys = provider_keys::table
                    .filter(provider_keys::provider.eq(name))
                    .filter(provider_keys::base_url.is_null());
                diesel::update(keys)
                    .set((
                        provider_keys::sealed.eq(Vec::new()),
                        provider_keys::headers.eq(None::<Vec<u8>>),
                        provider_keys::disabled.eq(true),
                        provider_keys::reason.eq(SECRET_GONE),
                    ))
                    .execute(conn)
                    .await?;
            }
            diesel::update(providers::table.filter(providers::name.eq(name)))
                .set((
                    providers::base_url.eq(base_url.unwrap_or(&row.base_url)),
                    providers::enabled.eq(enabled.unwrap_or(row.enabled)),
                    providers::options.eq(options.unwrap_or(&row.options)),
                ))
                .execute(conn)
                .await?;
            moved!(conn);
            Ok(true)
        })
    }

    /// Removes a provider with its keys; answers whether there was one.
    pub(crate) async fn delete_provider(&self, name: &str) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let _ = lock_provider!(conn, name);
            diesel::delete(provider_keys::table.filter(provider_keys::provider.eq(name)))
                .execute(conn)
                .await?;
            // One of the same name that is made later is another one's.
            diesel::delete(balance_terms::table.filter(balance_terms::provider.eq(name)))
                .execute(conn)
                .await?;
            let gone = diesel::delete(providers::table.filter(providers::name.eq(name)))
                .execute(conn)
                .await?;
            moved!(conn);
            Ok(gone > 0)
        })
    }

    /// Moves the time of a probe on; answers whether nobody else did before, and no operator switched
    /// the key off meanwhile. The others read it again.
    pub(crate) async fn claim_probe(
        &self,
        id: &ProviderKeyId,
        at: Moment,
        next: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let key = provider_keys::table
                .filter(provider_keys::id.eq(id.as_str()))
                .filter(provider_keys::disabled.eq(true))
                .filter(
                    provider_keys::probe_at
                        .eq(at.unix_ms())
                        .or(provider_keys::probe_at.is_null()),
                )
                .filter(
                    provider_keys::reason
                        .is_null()
                        .or(provider_keys::reason.ne(BY_OPERATOR)),
                );
            let claimed = diesel::update(key)
                .set(provider_keys::probe_at.eq(next.unix_ms()))
                .execute(conn)
                .await?;
            moved!(conn);
            Ok(claimed > 0)
        })
    }

    pub(crate) async fn key(
        &self,
        provider: &str,
        id: &ProviderKeyId,
    ) -> Result<Option<KeyRow>, DbError> {
        on!(self.db, |conn| {
            provider_keys::table
                .filter(provider_keys::id.eq(id.as_str()))
                .filter(provider_keys::provider.eq(provider))
                .first(conn)
                .await
                .optional()
        })
    }
}

/// When a row was made.
pub(crate) fn at(now: Moment) -> i64 {
    now.unix_ms()
}

/// A key as an earlier version might have kept it, for tests.
#[cfg(test)]
pub(crate) fn tests_key(id: &str, provider: &str) -> KeyRow {
    KeyRow {
        id: id.to_owned(),
        provider: provider.to_owned(),
        label: String::new(),
        sealed: vec![1],
        last4: "last".to_owned(),
        weight: 1,
        disabled: false,
        reason: None,
        created_at: 0,
        probe_at: None,
        priority: 0,
        requests_per_minute: None,
        tokens_per_minute: None,
        calls_at_once: None,
        requests_per_day: None,
        models: None,
        base_url: None,
        headers: None,
        tags: None,
        tokens_per_day: None,
    }
}
