//! Lanes of calls from what their records keep: measured, told, and reckoned times.

use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};
use shared::link::Operation;
use shared::units::Usage;

use server_rooms::reports::UsageStatus;

use super::*;

const CAME: Moment = Moment::from_unix_ms(1_795_248_000_000);

fn record(tries: Vec<Try>) -> UsageRecord {
    UsageRecord {
        id: GenerationId::random(),
        tenant: TenantId::random(),
        user: None,
        key: None,
        test: false,
        operation: Operation::Chat,
        model: "m".to_owned(),
        price: None,
        provider: "near".to_owned(),
        provider_model: "m".to_owned(),
        usage: Usage::default(),
        credits: Credits::ZERO,
        cost: None,
        status: UsageStatus::Succeeded,
        fault: None,
        attempts: 1,
        first_byte_ms: 300,
        duration_ms: 1_000,
        created_at: CAME,
        tries,
        loss: Credits::ZERO,
        loss_why: None,
    }
}

fn answered(way: Option<Way>) -> Try {
    Try {
        number: 1,
        provider: "near".to_owned(),
        gateway: Some("sin-1".to_owned()),
        began_ms: 4,
        duration_ms: 996,
        way: way.map(Box::new),
        ..Try::default()
    }
}

fn way(cuts: Vec<Cut>) -> Way {
    Way {
        sent_at: CAME.unix_ms() + 5,
        head_ms: 480,
        end_ms: 1_180,
        cuts,
    }
}

fn of(rows: &[LaneRow], step: LaneStep) -> Option<(Lane, u64, u64)> {
    let row = rows.iter().find(|row| row.step == step)?;
    Some((row.lane, row.start_ms, row.length_ms))
}

#[test]
fn the_way_is_what_the_gateway_did_not_have_it_for() {
    let record = record(vec![answered(Some(way(Vec::new())))]);
    let rows = lanes(&record, None, Seen::ByOperators);
    assert_eq!(of(&rows, LaneStep::There), Some((Lane::Border, 5, 90)));
    assert_eq!(of(&rows, LaneStep::Route), Some((Lane::Gateway, 95, 4)));
    assert_eq!(
        of(&rows, LaneStep::Answered),
        Some((Lane::Provider, 99, 996))
    );
    assert_eq!(
        of(&rows, LaneStep::FirstToken),
        Some((Lane::Provider, 395, 0))
    );
    assert_eq!(of(&rows, LaneStep::Stream), Some((Lane::Tenant, 485, 700)));
    assert_eq!(of(&rows, LaneStep::Back), Some((Lane::Border, 1_095, 90)));
    assert!(rows.is_sorted_by_key(|row| row.start_ms), "{rows:?}");
    // Places that were reckoned say so.
    let about = |step| rows.iter().any(|row| row.step == step && row.about);
    assert!(about(LaneStep::There) && about(LaneStep::Answered) && !about(LaneStep::Stream));
}

#[test]
fn a_cut_stands_where_it_happened_and_one_for_good_is_not_resumed() {
    let cut = |for_good| Cut {
        at_ms: 600,
        gap_ms: 250,
        byte: 2_204,
        for_good,
    };
    let told = |cut| {
        let record = record(vec![answered(Some(way(vec![cut])))]);
        lanes(&record, None, Seen::ByOperators)
    };
    let rows = told(cut(false));
    assert_eq!(of(&rows, LaneStep::Cut), Some((Lane::Border, 605, 250)));
    assert_eq!(of(&rows, LaneStep::Resumed), Some((Lane::Border, 855, 0)));
    assert!(rows.iter().any(|row| row.detail == "2204 B"), "{rows:?}");
    assert_eq!(of(&told(cut(true)), LaneStep::Resumed), None);
}

#[test]
fn tenants_see_no_gateway_and_no_provider() {
    let mut failed = answered(None);
    (failed.fault, failed.status) = (Some("overloaded".to_owned()), Some(529));
    let cut = Cut {
        at_ms: 600,
        gap_ms: 250,
        byte: 2_204,
        for_good: false,
    };
    let record = record(vec![failed, answered(Some(way(vec![cut])))]);
    let rows = lanes(&record, None, Seen::ByTenant);
    for row in &rows {
        assert!(matches!(row.lane, Lane::Tenant | Lane::Server), "{row:?}");
        assert_eq!(row.detail, "", "{row:?}");
    }
    assert_eq!(of(&rows, LaneStep::Wait), Some((Lane::Server, 5, 480)));
    assert!(of(&rows, LaneStep::Cut).is_some(), "{rows:?}");
}

#[test]
fn a_whole_answer_is_there_when_its_head_is() {
    let whole = Way {
        head_ms: 1_180,
        ..way(Vec::new())
    };
    let record = record(vec![answered(Some(whole))]);
    let rows = lanes(&record, None, Seen::ByOperators);
    assert_eq!(of(&rows, LaneStep::Stream), Some((Lane::Tenant, 1_185, 0)));
}

#[test]
fn calls_without_details_show_what_is_known() {
    let mut old = record(Vec::new());
    let rows = lanes(&old, None, Seen::ByOperators);
    assert_eq!(of(&rows, LaneStep::Stream), Some((Lane::Tenant, 300, 700)));
    assert_eq!(of(&rows, LaneStep::There), None);
    (old.first_byte_ms, old.duration_ms) = (0, 0);
    let rows = lanes(&old, None, Seen::ByTenant);
    assert_eq!(rows.len(), 1, "it came: {rows:?}");
    // Clocks that go back make nothing of it negative or endless.
    let early = Way {
        sent_at: 0,
        head_ms: u64::MAX,
        end_ms: u64::MAX,
        cuts: Vec::new(),
    };
    let mut odd = record(vec![answered(Some(early))]);
    odd.duration_ms = u64::MAX;
    assert!(!lanes(&odd, None, Seen::ByOperators).is_empty());
}
