//! What nobody knows of costs is told as unknown, in every figure, and so are costs of before of which
//! nobody can tell any more whether they were known.

mod before;

use futures_util::TryStreamExt as _;
use server::reports::costs::KnownCost;
use server::reports::dashboard::Range;
use server::reports::span::Span;
use server::store::rollups::ReportScope;
use server::store::usage::{TimeRange, UsageRecord};
use server::store::usage_log::UsageFilter;
use shared::clock::Moment;
use shared::db::Db;
use shared::id::{GenerationId, TenantId};

use super::{HOUR_MS, START_MS, micros, rooms};
use crate::support::usage_record;

/// A call that was charged so much and cost so much, an hour before another one for each `n`.
fn call(tenant: &TenantId, n: i64, credits: i64, cost: Option<i64>) -> UsageRecord {
    let at = Moment::from_unix_ms(START_MS - (n % 30) * HOUR_MS);
    let id = GenerationId::from_stored(format!("gen_{n:03}"));
    let mut record = usage_record(&id, tenant, micros(credits), at);
    record.cost = cost.map(micros);
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_cost_is_neither_zero_nor_profit_in_any_figure() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let mut dark = call(&tenant, 3, 1_000, None);
        (dark.model, dark.provider) = ("dark".to_owned(), "dark".to_owned());
        let records = [
            call(&tenant, 0, 10, Some(4)),
            call(&tenant, 1, 100, None),
            call(&tenant, 2, 0, Some(0)),
            dark,
        ];
        room.record(records.clone()).await;
        room.add_up().await;
        let known = KnownCost {
            cost: micros(4),
            calls: 2,
            credits: micros(10),
        };
        let day = Range::Last(Span::Day);
        let told = room.reports.dashboard(&ReportScope::Platform, day).await;
        let told = told.expect("figures");
        assert_eq!(
            (told.totals.calls, told.totals.cost),
            (4, known),
            "{}",
            room.db.name
        );
        assert_eq!(told.totals.cost.margin(4), Some(micros(6)));
        let of = |name: &str| told.providers.iter().find(|top| top.name == name);
        let dark = of("dark").expect("a provider");
        assert_eq!(
            (dark.cost.told(dark.calls), dark.credits),
            (None, micros(1_000))
        );
        assert_eq!(of("p").expect("a provider").cost, known);
        let tenants = told.tenants.expect("found").tenants;
        assert_eq!(tenants[0].cost, known, "as it was kept");

        let sums = room
            .store
            .usage_summary(&tenant, TimeRange::default())
            .await;
        let sums = sums.expect("sums");
        let costs: Vec<_> = sums.iter().map(|sum| (sum.calls, sum.cost)).collect();
        assert_eq!(costs, [(1, KnownCost::default()), (3, known)]);
        for record in records {
            let read = room.store.usage_record(&record.id).await.expect("read");
            assert_eq!(read, Some(record));
        }
        let lines = room.reports.export_usage(UsageFilter::default());
        let lines: Vec<Vec<UsageRecord>> = lines.try_collect().await.expect("exported");
        let unknown = lines.iter().flatten().filter(|one| one.cost.is_none());
        assert_eq!(unknown.count(), 2);
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_whose_records_are_gone_know_what_providers_took() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let mut dark = call(&tenant, 1, 100, Some(0));
        dark.model = "dark".to_owned();
        room.record([call(&tenant, 0, 10, Some(4)), dark]).await;
        let (up, down) = match &room.db.db {
            Db::Postgres(_) => (
                include_str!(
                    "../../../../migrations/server/postgres/2026-12-02-000090_unknown_cost/up.sql"
                ),
                include_str!(
                    "../../../../migrations/server/postgres/2026-12-02-000090_unknown_cost/down.sql"
                ),
            ),
            Db::Sqlite { .. } => (
                include_str!(
                    "../../../../migrations/server/sqlite/2026-12-02-000090_unknown_cost/up.sql"
                ),
                include_str!(
                    "../../../../migrations/server/sqlite/2026-12-02-000090_unknown_cost/down.sql"
                ),
            ),
        };
        let kept_from = START_MS + HOUR_MS;
        let gone = format!(
            "DELETE FROM usage_records; UPDATE rollup_state SET kept_from = {kept_from}; {down}"
        );
        room.db.execute(&gone).await.expect(room.db.name);
        room.db.execute(up).await.expect(room.db.name);
        let sums = room
            .reports
            .totals(&ReportScope::Platform, Span::Week)
            .await
            .expect("sums");
        let known = KnownCost {
            cost: micros(4),
            calls: 1,
            credits: micros(10),
        };
        assert_eq!((sums.calls, sums.cost), (2, known), "{}", room.db.name);
        room.supervisor.stop();
    }
}
