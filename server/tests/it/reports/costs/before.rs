//! Zeros of earlier versions that may stand for an unknown cost, told apart by a migration.

use futures_util::TryStreamExt as _;
use server::reports::costs::KnownCost;
use server::reports::rollup::Roller;
use server::reports::span::Span;
use server::store::rollups::ReportScope;
use server::store::usage::{UsageRecord, UsageStatus};
use server::store::usage_log::UsageFilter;
use shared::credits::Credits;
use shared::db::Db;
use shared::units::Usage;

use super::super::{Room, micros, rooms};
use super::call;

/// What the records say, whatever the columns' order.
pub(super) async fn costs(room: &Room) -> Vec<(String, Option<i64>)> {
    let pages = room.reports.export_usage(UsageFilter::default());
    let pages: Vec<Vec<UsageRecord>> = pages.try_collect().await.expect("exported");
    let mut costs: Vec<_> = pages
        .into_iter()
        .flatten()
        .map(|one| (one.id.to_string(), one.cost.map(Credits::micros)))
        .collect();
    costs.sort_unstable();
    costs
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_of_before_that_may_be_unknown_become_so_and_sums_say_how_much_they_know() {
    for room in rooms().await {
        let (up, down) = match &room.db.db {
            Db::Postgres(_) => (
                include_str!(
                    "../../../../../migrations/server/postgres/2026-12-02-000090_unknown_cost/up.sql"
                ),
                include_str!(
                    "../../../../../migrations/server/postgres/2026-12-02-000090_unknown_cost/down.sql"
                ),
            ),
            Db::Sqlite { .. } => (
                include_str!(
                    "../../../../../migrations/server/sqlite/2026-12-02-000090_unknown_cost/up.sql"
                ),
                include_str!(
                    "../../../../../migrations/server/sqlite/2026-12-02-000090_unknown_cost/down.sql"
                ),
            ),
        };
        let tenant = room.tenant("Acme").await;
        let mut nothing = call(&tenant, 2, 0, Some(0));
        (nothing.usage, nothing.status) = (Usage::default(), UsageStatus::Failed);
        let mut test = call(&tenant, 3, 0, Some(0));
        test.test = true;
        let mut lost = call(&tenant, 4, 0, Some(0));
        (lost.loss, lost.status) = (micros(9), UsageStatus::Canceled);
        let of_a_free_model = call(&tenant, 5, 0, Some(0));
        room.record([
            call(&tenant, 0, 10, Some(4)),
            call(&tenant, 1, 100, Some(0)),
            nothing,
            test,
            lost,
            of_a_free_model,
        ])
        .await;
        room.put([call(&tenant, 6, 50, Some(0)), call(&tenant, 31, 7, Some(1))])
            .await;
        room.db.execute(down).await.expect(room.db.name);
        room.db.execute(up).await.expect(room.db.name);
        let roller = Roller::new(room.store.clone(), room.clock.clone());
        let differences = roller.check().await.expect("checked");
        assert_eq!(differences, Vec::<String>::new(), "{}", room.db.name);
        room.file().await;
        let told: Vec<Option<i64>> = costs(&room)
            .await
            .into_iter()
            .map(|(_, cost)| cost)
            .collect();
        let unknown = [Some(4), None, Some(0), Some(0), None, None, None, Some(1)];
        assert_eq!(told, unknown, "{}", room.db.name);
        let roller = Roller::new(room.store.clone(), room.clock.clone());
        assert_eq!(roller.check().await.expect("checked"), Vec::<String>::new());
        let week = room
            .reports
            .totals(&ReportScope::Platform, Span::Week)
            .await
            .expect("sums");
        let known = KnownCost {
            cost: micros(5),
            calls: 3,
            credits: micros(17),
        };
        assert_eq!((week.calls, week.cost), (7, known), "{}", room.db.name);
        room.supervisor.stop();
    }
}
