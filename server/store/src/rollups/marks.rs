//! Small questions to the sums: whether anything was ever charged, and how models did day by day.

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use server_rules::usage::sums::{Dimension, Grain, Sums};
use shared::clock::Moment;
use shared::db::DbError;
use shared::on;

use super::RollupRow;
use crate::Store;
use crate::schema::rollups;

impl Store {
    /// A provider whose calls were charged, other than `without`, if there is any. Reads sums of days,
    /// of which there are as many as providers and days that are kept.
    pub async fn charged_provider(&self, without: &str) -> Result<Option<String>, DbError> {
        let found: Vec<String> = on!(self.db, |conn| {
            rollups::table
                .filter(rollups::dimension.eq(Dimension::Provider.word()))
                .filter(rollups::tenant_id.eq(""))
                .filter(rollups::grain.eq(Grain::Day.word()))
                .filter(rollups::credits_micros.gt(0))
                .filter(rollups::provider.ne(without))
                .select(rollups::provider)
                .limit(1)
                .load(conn)
                .await
        })?;
        Ok(found.into_iter().next())
    }

    /// The days of some models from `from` on, by model, in order of time; those without calls are absent.
    pub async fn model_days(
        &self,
        models: &[&str],
        from: Moment,
    ) -> Result<HashMap<String, Vec<(Moment, Sums)>>, DbError> {
        let rows: Vec<RollupRow> = on!(self.db, |conn| {
            rollups::table
                .filter(rollups::dimension.eq(Dimension::Model.word()))
                .filter(rollups::tenant_id.eq(""))
                .filter(rollups::grain.eq(Grain::Day.word()))
                .filter(rollups::starts_at.ge(from.unix_ms()))
                .filter(rollups::model.eq_any(models))
                .order(rollups::starts_at.asc())
                .select(RollupRow::as_select())
                .load(conn)
                .await
        })?;
        let mut days: HashMap<String, Vec<(Moment, Sums)>> = HashMap::new();
        for row in rows {
            let at = Moment::from_unix_ms(row.starts_at);
            let of = days.entry(row.model.clone()).or_default();
            of.push((at, row.sums()?));
        }
        Ok(days)
    }
}
