//! Days of figures are those of a time zone, on both databases: on days of 23 and 25 hours, where midnight
//! is inside an hour, and the same on pages that stand side by side.

use server::reports::Reports;
use server::reports::dashboard::Range;
use server::reports::span::Span;
use server::settings::{Calendar, Settings};
use server::store::audit::Actor;
use server::store::rollups::ReportScope;
use server::store::usage::UsageRecord;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};
use shared::zone::Zone;

use super::{HOUR_MS, Room, START_MS, micros, rooms};
use crate::support::usage_record;

/// A call every 90 minutes for 65 days, over the end of summer time in New York; no two charged the same.
const CALLS: i64 = 65 * 16;
const APART_MS: i64 = HOUR_MS * 3 / 2;

fn at_ms(call: i64) -> i64 {
    START_MS + 10 * 60_000 - call * APART_MS
}

fn charged(call: i64) -> i64 {
    1_000_000 + call * call
}

fn calls(tenant: &TenantId) -> Vec<UsageRecord> {
    let record = |call| {
        let at = Moment::from_unix_ms(at_ms(call));
        usage_record(&GenerationId::random(), tenant, micros(charged(call)), at)
    };
    (0..CALLS).map(record).collect()
}

/// What was charged by the days of a zone that begin so many days ago, the last one first: a call counts in
/// the day in which its hour of UTC ends.
fn by_day(zone: &Zone, days: usize) -> Vec<i64> {
    let mut sums = vec![0; days];
    let day_of = |ms: i64| {
        let last = ms.div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS - 1;
        zone.day(Moment::from_unix_ms(last)).start
    };
    let mut starts = vec![day_of(START_MS)];
    while starts.len() < days {
        let first = starts[starts.len() - 1];
        starts.push(zone.day(Moment::from_unix_ms(first.unix_ms() - 1)).start);
    }
    for call in 0..CALLS {
        let day = day_of(at_ms(call));
        if let Some(place) = starts.iter().position(|start| *start == day) {
            sums[place] += charged(call);
        }
    }
    sums
}

/// The figures of a platform whose days begin in a zone.
async fn figures(room: &Room, zone: &str) -> Reports {
    let settings = Settings::new(room.store.clone(), room.clock.clone());
    let calendar = Calendar {
        time_zone: zone.to_owned(),
    };
    let put = settings.put(&Actor::system(), &calendar).await;
    put.expect("a setting");
    room.add_up().await;
    Reports::new(room.store.clone(), room.ledger.clone(), room.clock.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_figures_are_those_of_the_platforms_zone() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        room.record(calls(&tenant)).await;
        let platform = ReportScope::Platform;
        for name in [
            "UTC",
            "Asia/Shanghai",
            "America/New_York",
            "Asia/Kolkata",
            "Africa/Cairo",
        ] {
            let reports = figures(&room, name).await;
            let days = by_day(&Zone::named(name).expect(name), 60);
            let sum = |days: &[i64]| micros(days.iter().sum());
            let told = reports.dashboard(&platform, Range::Last(Span::Month)).await;
            let month = told.expect("figures");
            let shown: Vec<Credits> = month.series.iter().map(|day| day.sums.credits).collect();
            let wanted: Vec<Credits> = days[..30].iter().rev().copied().map(micros).collect();
            assert_eq!(shown, wanted, "{name} {}", room.db.name);
            assert_eq!(month.totals.credits, sum(&days[..30]), "{name}");
            let models: i64 = month.models.iter().map(|top| top.credits.micros()).sum();
            assert_eq!(
                micros(models),
                month.totals.credits,
                "{name} {}",
                room.db.name
            );
            let tops = month.tenants.expect("found").tenants;
            assert_eq!(
                tops[0].credits, month.totals.credits,
                "{name} {}",
                room.db.name
            );
            // A week has the same sum wherever it stands.
            let told = reports.dashboard(&platform, Range::Last(Span::Week)).await;
            let week = told.expect("figures").totals.credits;
            assert_eq!(week, sum(&days[..7]), "{name} {}", room.db.name);
            let live = reports
                .totals(&platform, Span::Week)
                .await
                .expect("figures");
            assert_eq!(live.credits, week, "{name} {}", room.db.name);
            let told = reports.overview(&tenant).await.expect("figures");
            assert_eq!(told.spent_today, sum(&days[..1]), "{name} {}", room.db.name);
            assert_eq!(told.spent_7d, week, "{name} {}", room.db.name);
            assert_eq!(told.spent_30d, month.totals.credits, "{name}");
            assert_eq!(told.keys.len(), 1);
            assert_eq!(told.keys[0].credits, month.totals.credits, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_zone_moves_days_and_loses_no_call() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        room.record(calls(&tenant)).await;
        let all: i64 = (0..CALLS).map(charged).sum();
        for name in ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"] {
            let reports = figures(&room, name).await;
            let told = reports
                .dashboard(&ReportScope::Platform, Range::Last(Span::Quarter))
                .await;
            let quarter = told.expect("figures");
            assert_eq!(
                quarter.totals.credits,
                micros(all),
                "{name} {}",
                room.db.name
            );
            assert_eq!(quarter.series.len(), 90);
            assert_eq!(quarter.before.calls, 0);
        }
        room.sums_are_exact().await;
    }
}
