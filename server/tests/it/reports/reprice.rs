//! The last 30 days with another price: every call once, by the arithmetic that charges, and what is not
//! known stays unknown.

use server::catalogue::price::{PlainPrice, Tariff};
use server::reports::costs::KnownCost;
use server::reports::reprice::Earned;
use server::store::usage::{UsageRecord, UsageStatus};
use shared::clock::Moment;
use shared::id::{GenerationId, TenantId};
use shared::units::Usage;

use super::{HOUR_MS, START_MS, micros, rooms, start};
use crate::support::usage_record;

const DAY_MS: i64 = 24 * HOUR_MS;

/// Three tokens in and four out, so many days ago.
fn call(tenant: &TenantId, days: i64, credits: i64, cost: Option<i64>) -> UsageRecord {
    let at = Moment::from_unix_ms(START_MS - days * DAY_MS);
    let mut record = usage_record(&GenerationId::random(), tenant, micros(credits), at);
    record.cost = cost.map(micros);
    record
}

/// So many micro-credits a token in and out.
fn plain(input: i64, output: i64) -> PlainPrice {
    PlainPrice {
        input_per_million: micros(input * 1_000_000),
        output_per_million: micros(output * 1_000_000),
        ..PlainPrice::default()
    }
}

fn earned(credits: i64, (cost, calls, costed): (i64, u64, i64)) -> Earned {
    Earned {
        credits: micros(credits),
        cost: KnownCost {
            cost: micros(cost),
            calls,
            credits: micros(costed),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_reckoned_anew_call_by_call_and_unknown_costs_stay_unknown() {
    for room in rooms().await {
        let (tenant, double) = (room.tenant("Acme").await, room.tenant("Double").await);
        let raise =
            format!("UPDATE tenants SET price_multiplier_ppm = 2000000 WHERE id = '{double}'");
        room.db.execute(&raise).await.expect("raised");
        let mut lost = call(&tenant, 1, 0, None);
        (lost.loss, lost.status) = (micros(9), UsageStatus::Canceled);
        let mut nothing = call(&tenant, 2, 0, Some(0));
        nothing.usage = Usage::default();
        (nothing.status, nothing.fault) = (UsageStatus::Failed, Some("timeout".to_owned()));
        let mut by_hand = call(&tenant, 3, 5, None);
        (by_hand.status, by_hand.fault) = (UsageStatus::Failed, Some("unknown".to_owned()));
        by_hand.usage = Usage::default();
        let mut test = call(&tenant, 1, 0, Some(0));
        test.test = true;
        let mut other = call(&tenant, 1, 1_000, Some(1));
        other.model = "other".to_owned();
        room.record([
            call(&tenant, 0, 30, None),
            lost,
            nothing,
            by_hand,
            call(&tenant, 29, 10, Some(4)),
            call(&double, 5, 30, None),
            test,
            other,
            call(&tenant, 31, 99, Some(1)),
        ])
        .await;
        // 3 x 2 + 4 x 3 = 18 a call, of which the provider takes 7.
        let list = plain(2, 3).list(Some(&plain(1, 1)));
        let tariff = Tariff::new(list).expect("sound");
        let told = room.reports.reprice("m", &tariff).await.expect("reckoned");
        assert_eq!((told.calls, told.is_sample), (6, false), "{}", room.db.name);
        assert_eq!(told.was, earned(75, (4, 2, 10)));
        assert_eq!(told.would, earned(77, (28, 5, 72)));
        assert_eq!(
            (told.dearer, told.cheaper, told.unpriced, told.left_out),
            (2, 1, 0, 0)
        );
        assert_eq!(told.until, start());

        let untold = Tariff::new(plain(2, 3).list(None)).expect("sound");
        let told = room.reports.reprice("m", &untold).await.expect("reckoned");
        assert_eq!(
            told.would,
            earned(77, (0, 1, 0)),
            "only of what came to nothing"
        );
        let nobody = room
            .reports
            .reprice("nobody", &tariff)
            .await
            .expect("reckoned");
        assert_eq!((nobody.calls, nobody.would), (0, Earned::default()));
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_busy_model_the_newest_calls_are_a_sample_and_said_to_be_one() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let of = |n: i64| {
            let mut record = call(&tenant, 0, 1, Some(1));
            record.created_at = Moment::from_unix_ms(START_MS - n);
            record
        };
        room.record((0..510).map(of)).await;
        let tariff = Tariff::new(plain(2, 3).list(None)).expect("sound");
        let some = room
            .reports
            .reprice_newest("m", &tariff, 1)
            .await
            .expect("reckoned");
        assert_eq!(
            (some.calls, some.is_sample),
            (500, true),
            "{}",
            room.db.name
        );
        assert_eq!(some.from, Moment::from_unix_ms(START_MS - 499));
        let all = room.reports.reprice("m", &tariff).await.expect("reckoned");
        assert_eq!((all.calls, all.is_sample), (510, false));
        assert_eq!(all.would.credits, micros(510 * 18));
        room.supervisor.stop();
    }
}
