//! Dashboards and overviews say what the records say.

use server::reports::ReportsError;
use server::reports::dashboard::Range;
use server::reports::forecast::Forecast;
use server::reports::span::Span;
use server::reports::sums::{Grain, Percentiles};
use server::store::rollups::ReportScope;
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::Moment;
use shared::id::{ApiKeyId, GenerationId, TenantId};

use super::{HOUR_MS, START_MS, micros, rooms};
use crate::support::usage_record;

const DAY_MS: i64 = 24 * HOUR_MS;

fn record(tenant: &TenantId, ms: i64, credits: i64) -> UsageRecord {
    let at = Moment::from_unix_ms(ms);
    let mut record = usage_record(&GenerationId::random(), tenant, micros(credits), at);
    record.cost = Some(micros(credits / 2));
    record
}

/// By the definition (nearest rank).
fn exact(mut values: Vec<u64>, permille: usize) -> u64 {
    values.sort_unstable();
    values[(values.len() * permille).div_ceil(1_000) - 1]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_adds_up_its_span_and_the_one_before() {
    for room in rooms().await {
        let (big, small) = (room.tenant("Big").await, room.tenant("Small").await);
        let mut records = Vec::new();
        let mut durations = Vec::new();
        for n in 0..100_i64 {
            let mut one = record(&big, START_MS - (n % 24) * HOUR_MS, 1_000);
            one.model = format!("m{}", n % 3);
            one.duration_ms = n.unsigned_abs() * n.unsigned_abs() * 7 + 20;
            one.first_byte_ms = n.unsigned_abs() + 1;
            if n % 10 == 0 {
                one.status = UsageStatus::Failed;
            } else {
                durations.push(one.duration_ms);
            }
            records.push(one);
        }
        let mut other = record(&small, START_MS, 10);
        other.model = "m9".to_owned();
        other.provider = "p9".to_owned();
        records.push(other);
        durations.push(2);
        // The day before, and one that is outside both.
        records.push(record(&big, START_MS - 24 * HOUR_MS, 77));
        records.push(record(&big, START_MS - 48 * HOUR_MS, 99));
        // A test call is no business.
        let mut test = record(&big, START_MS, 0);
        test.test = true;
        records.push(test);
        room.put(records).await;
        let stale = room.reports.freshness().await.expect("figures");
        assert_eq!(stale.behind, 104, "{}", room.db.name);
        room.add_up().await;
        let range = Range::Last(Span::Day);
        let told = room
            .reports
            .dashboard(&ReportScope::Platform, range)
            .await
            .expect("figures");
        assert_eq!(
            (told.totals.calls, told.totals.failed),
            (101, 10),
            "{}",
            room.db.name
        );
        assert_eq!(told.totals.credits, micros(100_010));
        let margin = told.totals.cost.margin(told.totals.calls);
        assert_eq!(margin, Some(micros(50_005)));
        assert_eq!(told.totals.success_rate_bp(), Some(9_009));
        assert_eq!((told.before.calls, told.before.credits), (1, micros(77)));
        assert_eq!(told.series.len(), 24);
        let last = told.series.last().expect("the running hour");
        assert_eq!((last.at.unix_ms(), last.sums.calls), (START_MS, 6));
        let Percentiles {
            p50_ms,
            p95_ms,
            p99_ms,
        } = told.totals.latency();
        for (told, permille) in [(p50_ms, 500), (p95_ms, 950), (p99_ms, 990)] {
            let (told, exact) = (told.expect("calls"), exact(durations.clone(), permille));
            assert!(
                told.abs_diff(exact) * 8 <= exact,
                "p{permille}: {told} for {exact}"
            );
        }
        let models: Vec<(&str, u64)> = told
            .models
            .iter()
            .map(|top| (top.name.as_str(), top.calls))
            .collect();
        assert_eq!(models, [("m0", 34), ("m1", 33), ("m2", 33), ("m9", 1)]);
        assert_eq!(told.providers.len(), 2);
        assert_eq!(told.operations.len(), 1);
        let tenants = told.tenants.expect("found");
        let first = &tenants.tenants[0];
        assert_eq!(
            (first.name.as_str(), first.credits),
            (big.as_str(), micros(100_000))
        );
        assert_eq!(told.tenant_names[small.as_str()], "Small");
        assert_eq!(told.fresh.behind, 0);
        // One model, one tenant, another span.
        let scope = ReportScope::Model("m9".to_owned());
        let of_model = room
            .reports
            .dashboard(&scope, range)
            .await
            .expect("figures");
        assert_eq!((of_model.totals.calls, of_model.models.len()), (1, 0));
        let scope = ReportScope::Tenant(small.clone());
        let of_tenant = room
            .reports
            .dashboard(&scope, range)
            .await
            .expect("figures");
        assert_eq!((of_tenant.totals.calls, of_tenant.models.len()), (1, 1));
        let range = Range::Between {
            grain: Grain::Day,
            from: Moment::from_unix_ms(START_MS - 2 * DAY_MS),
            until: Moment::from_unix_ms(START_MS + 1),
        };
        let days = room
            .reports
            .dashboard(&ReportScope::Platform, range)
            .await
            .expect("figures");
        assert_eq!(
            (days.series.len(), days.totals.calls),
            (3, 103),
            "{}",
            room.db.name
        );
        assert_eq!(days.tenants.expect("found now").tenants.len(), 2);
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_tells_what_there_is_what_was_spent_and_how_long_it_lasts() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let other = room.tenant("Other").await;
        let none = room.reports.overview(&TenantId::random()).await;
        assert!(matches!(none, Err(ReportsError::NoSuchTenant)));
        let fresh = room.reports.overview(&tenant).await.expect("figures");
        assert_eq!(fresh.forecast, Forecast::Empty, "{}", room.db.name);
        assert_eq!((fresh.days.len(), fresh.spent_30d), (30, micros(0)));
        let soon = Moment::from_unix_ms(START_MS + DAY_MS);
        room.give(&tenant, micros(100_000), None).await;
        room.give(&tenant, micros(500), Some(soon)).await;
        let idle = room.reports.overview(&tenant).await.expect("figures");
        assert_eq!(idle.forecast, Forecast::NotSpending);
        let expiries: Vec<Option<Moment>> =
            idle.grants.iter().map(|grant| grant.expires_at).collect();
        assert_eq!(
            expiries,
            [Some(soon), None],
            "those that expire first first"
        );
        let mut records: Vec<UsageRecord> = (0..10)
            .map(|day| record(&tenant, START_MS - day * DAY_MS, 1_000))
            .collect();
        records[0].key = Some(ApiKeyId::from_stored("key_1".to_owned()));
        records[1].model = "rare".to_owned();
        records.push(record(&other, START_MS, 5));
        room.record(records).await;
        room.add_up().await;
        let told = room.reports.overview(&tenant).await.expect("figures");
        assert_eq!(
            (told.spent_7d, told.spent_30d),
            (micros(7_000), micros(10_000))
        );
        assert_eq!(told.balance.available, micros(100_500));
        let Forecast::Lasts {
            days,
            per_day,
            lapses,
            ..
        } = told.forecast
        else {
            panic!("{:?}", told.forecast);
        };
        // 7,000 in 6 days and 10 hours.
        assert_eq!(per_day, micros(1_090));
        assert_eq!((days, lapses), (92, micros(0)), "{}", room.db.name);
        let models: Vec<&str> = told.models.iter().map(|top| top.name.as_str()).collect();
        assert_eq!(models, ["m", "rare"]);
        let keys: Vec<(&str, u64)> = told
            .keys
            .iter()
            .map(|top| (top.name.as_str(), top.calls))
            .collect();
        assert_eq!(keys, [("", 9), ("key_1", 1)]);
        room.supervisor.stop();
    }
}
