//! Top lists that are kept with the sums, in a text that later versions read.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use server_rules::usage::costs::KnownCost;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::{on, write_tx};

use super::{Top, TopTenants};
use crate::Store;
use crate::schema::rollup_tops;

/// The same as it is kept. Lists that versions before kept do not say how far the cost is known, and count
/// as unknown.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptTop {
    pub(super) name: String,
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) canceled: u64,
    pub(super) credits: Credits,
    pub(super) cost: Credits,
    #[serde(default)]
    pub(super) costed_calls: u64,
    #[serde(default)]
    pub(super) costed_credits: Credits,
}

impl From<KeptTop> for Top {
    fn from(kept: KeptTop) -> Self {
        Self {
            name: kept.name,
            calls: kept.calls,
            failed: kept.failed,
            canceled: kept.canceled,
            credits: kept.credits,
            cost: KnownCost {
                cost: kept.cost,
                calls: kept.costed_calls,
                credits: kept.costed_credits,
            },
        }
    }
}

impl From<Top> for KeptTop {
    fn from(top: Top) -> Self {
        Self {
            name: top.name,
            calls: top.calls,
            failed: top.failed,
            canceled: top.canceled,
            credits: top.credits,
            cost: top.cost.cost,
            costed_calls: top.cost.calls,
            costed_credits: top.cost.credits,
        }
    }
}

impl Store {
    /// Keeps a top list for pages.
    pub async fn keep_top_tenants(&self, span: &str, tops: &TopTenants) -> Result<(), DbError> {
        let text = serde_json::to_string(&tops.tenants)
            .map_err(|error| DbError::Damaged(error.to_string()))?;
        let at = tops.at.unix_ms();
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(rollup_tops::table)
                .values((
                    rollup_tops::span.eq(span),
                    rollup_tops::tenants.eq(&text),
                    rollup_tops::at.eq(at),
                ))
                .on_conflict(rollup_tops::span)
                .do_update()
                .set((rollup_tops::tenants.eq(&text), rollup_tops::at.eq(at)))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// A top list that was kept.
    pub async fn kept_top_tenants(&self, span: &str) -> Result<Option<TopTenants>, DbError> {
        let row: Option<(String, i64)> = on!(self.db, |conn| rollup_tops::table
            .find(span)
            .select((rollup_tops::tenants, rollup_tops::at))
            .first(conn)
            .await
            .optional())?;
        row.map(|(text, at)| {
            let tenants = serde_json::from_str(&text)
                .map_err(|error| DbError::Damaged(format!("the top of `{span}`: {error}")))?;
            let at = Moment::from_unix_ms(at);
            Ok(TopTenants { tenants, at })
        })
        .transpose()
    }
}
