//! What providers said they have when they were last asked: one row a provider of a gateway.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use server_rules::catalogue::listed::KnownList;
use shared::clock::Moment;
use shared::db::DbError;
use shared::{on, write_tx};

use super::super::Store;
use super::super::schema::provider_model_lists;
use super::{json, read_json};

/// More providers than any platform has.
const LISTS_MAX: i64 = 1_000;

/// A provider of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// The gateway's name; empty inside a process.
    pub gateway: String,
    /// The provider's name there.
    pub provider: String,
}

/// What a provider has, as it was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptList {
    /// Whose.
    pub place: ListPlace,
    /// When it was last asked.
    pub asked_at: Moment,
    /// When it last told a list.
    pub listed_at: Option<Moment>,
    /// Why the last question brought none, where it did not.
    pub failure: Option<String>,
    /// What it told last.
    pub list: KnownList,
}

#[derive(Debug, Queryable)]
struct ListRow {
    gateway: String,
    provider: String,
    asked_at: i64,
    listed_at: Option<i64>,
    failure: Option<String>,
    list: String,
}

impl ListRow {
    fn kept(self) -> Result<KeptList, DbError> {
        Ok(KeptList {
            list: read_json(&self.list, "the models", &self.provider)?,
            place: ListPlace {
                gateway: self.gateway,
                provider: self.provider,
            },
            asked_at: Moment::from_unix_ms(self.asked_at),
            listed_at: self.listed_at.map(Moment::from_unix_ms),
            failure: self.failure,
        })
    }
}

impl Store {
    /// What every provider told last, by gateway and name.
    pub async fn provider_lists(&self) -> Result<Vec<KeptList>, DbError> {
        let rows: Vec<ListRow> = on!(self.db, |conn| {
            provider_model_lists::table
                .order((
                    provider_model_lists::gateway.asc(),
                    provider_model_lists::provider.asc(),
                ))
                .limit(LISTS_MAX)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(ListRow::kept).collect()
    }

    /// What one told last.
    pub async fn provider_list(&self, place: &ListPlace) -> Result<Option<KeptList>, DbError> {
        let row: Option<ListRow> = on!(self.db, |conn| {
            provider_model_lists::table
                .find((&place.gateway, &place.provider))
                .first(conn)
                .await
                .optional()
        })?;
        row.map(ListRow::kept).transpose()
    }

    /// Keeps what a provider told, or why it told nothing.
    pub async fn keep_provider_list(&self, kept: &KeptList) -> Result<(), DbError> {
        let list = json(&kept.list)?;
        let columns = (
            provider_model_lists::asked_at.eq(kept.asked_at.unix_ms()),
            provider_model_lists::listed_at.eq(kept.listed_at.map(Moment::unix_ms)),
            provider_model_lists::failure.eq(kept.failure.clone()),
            provider_model_lists::list.eq(list),
        );
        let place = &kept.place;
        write_tx!(self.db, |conn| -> DbError {
            let old = provider_model_lists::table.find((&place.gateway, &place.provider));
            diesel::delete(old).execute(conn).await?;
            diesel::insert_into(provider_model_lists::table)
                .values((
                    provider_model_lists::gateway.eq(&place.gateway),
                    provider_model_lists::provider.eq(&place.provider),
                    columns.0,
                    columns.1,
                    columns.2.clone(),
                    columns.3.clone(),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            Ok::<_, DbError>(())
        })
    }
}
