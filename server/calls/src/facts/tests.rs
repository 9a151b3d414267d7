//! What a call comes to, by how it ended and how much of it reached the tenant.

use server_rooms::catalogue::price::{ImagePrice, PlainPrice, Tariff};
use shared::id::PriceId;
use shared::link::Operation;
use shared::units::{Fact, Unit};

use super::*;

/// Of a chat with a price.
pub(crate) fn of_chat(price: PriceId) -> CallSnapshot {
    CallSnapshot {
        user: None,
        key: None,
        operation: Operation::Chat,
        model: "m".to_owned(),
        price: Some(price),
        multiplier_ppm: 1_000_000,
        asked: Usage::default(),
        provider: "p".to_owned(),
        request: None,
        gateways: vec!["https://one".to_owned()],
        detached: false,
        ended: None,
        route: None,
    }
}

fn facts() -> CallFacts {
    let items = |per_token: i64, per_request: i64| PlainPrice {
        per_request: Credits::from_micros(per_request),
        output_per_million: Credits::from_micros(per_token * 1_000_000),
        ..PlainPrice::default()
    };
    let price = Price {
        id: PriceId::random(),
        valid_from: Moment::from_unix_ms(0),
        list: Tariff::new(items(10, 5).list(Some(&items(4, 1)))).expect("sound"),
    };
    CallFacts {
        generation: GenerationId::random(),
        tenant: TenantId::random(),
        test: false,
        created_at: Moment::from_unix_ms(0),
        end_user: None,
        snapshot: of_chat(price.id.clone()),
        price: Some(price),
        others: Vec::new(),
    }
}

fn tokens(output_tokens: u64) -> Usage {
    Usage::of([(Unit::OutputToken, output_tokens)])
}

fn outcome(usage: Usage, taken: Option<Usage>, fault: Option<FaultKind>) -> Outcome {
    let ended = failure(Fault::new(FaultKind::Internal, ""));
    Outcome {
        usage,
        taken,
        fault: fault.map(|kind| Fault::new(kind, "")),
        ..facts().nothing_produced(&ended, Moment::from_unix_ms(0))
    }
}

/// Charged, cost and what was produced and not taken.
fn charge(ended: &Ended) -> (i64, i64, i64) {
    let charge = facts().reckon(ended).charge;
    (
        charge.credits.micros(),
        charge.cost.expect("a known cost").micros(),
        charge.not_taken.micros(),
    )
}

#[test]
fn what_was_produced_is_charged_and_nothing_costs_nothing() {
    let whole = outcome(tokens(213), None, None);
    assert_eq!(charge(&whole.into()), (2_135, 853, 0));
    let broken = outcome(tokens(30), None, Some(FaultKind::Interrupted));
    assert_eq!(charge(&broken.into()), (305, 121, 0));
    let nothing = outcome(tokens(0), None, Some(FaultKind::Interrupted));
    assert_eq!(charge(&nothing.into()), (0, 0, 0));
}

#[test]
fn after_a_servers_death_what_its_side_took_is_charged_and_the_rest_is_a_loss() {
    let part = outcome(tokens(213), Some(tokens(30)), None);
    let ended = Ended::as_taken(part);
    assert_eq!(charge(&ended), (305, 853, 1_830));
    let record = facts().reckon(&ended).record;
    assert_eq!(record.usage.count(Unit::OutputToken), 30);
    assert_eq!(record.status, UsageStatus::Failed);
    assert_eq!(record.loss_why.as_deref(), Some("not_taken"));
    // A whole answer that nobody took, its price for the request included.
    let untaken = Ended::as_taken(outcome(tokens(213), Some(tokens(0)), None));
    assert_eq!(charge(&untaken), (0, 853, 2_135));
    // One that was taken whole.
    let whole = Ended::as_taken(outcome(tokens(213), None, None));
    assert_eq!(charge(&whole), (2_135, 853, 0));
}

#[test]
fn what_was_not_delivered_is_told_to_the_ledger_whole() {
    let ended = Ended::as_not_delivered(outcome(tokens(213), None, None));
    assert_eq!(charge(&ended), (2_135, 853, 0));
    assert!(ended.outcome.fault.is_some(), "the tenant read an error");
    let nothing = Ended::as_not_delivered(outcome(tokens(0), None, None));
    assert_eq!(charge(&nothing), (0, 0, 0));
}

#[test]
fn the_record_keeps_the_measures_and_facts_that_are_billed() {
    let image = PlainPrice {
        per_image: vec![
            ImagePrice {
                size: Some("1024x1024".to_owned()),
                quality: None,
                credits: Credits::from_micros(40),
            },
            ImagePrice {
                size: None,
                quality: None,
                credits: Credits::from_micros(90),
            },
        ],
        ..PlainPrice::default()
    };
    let mut facts = facts();
    let price = facts.price.as_mut().expect("a price");
    price.list = Tariff::new(image.list(None)).expect("sound");
    facts.snapshot.asked = Usage::of([(Unit::Image, 2)]);
    facts.snapshot.asked.facts.note(Fact::Size, "1024x1024");
    // The provider made one more, and told another size.
    let mut made = Usage::of([(Unit::Image, 3)]);
    made.facts.note(Fact::Size, "2048x2048");
    let reckoned = facts.reckon(&outcome(made, None, None).into());
    let (charge, usage) = (reckoned.charge, reckoned.record.usage);
    assert_eq!(charge.credits.micros(), 80);
    assert_eq!(usage.count(Unit::Image), 2);
    assert_eq!(usage.facts.get(Fact::Size), Some("1024x1024"));
    assert!(usage.overrun, "more was made than was asked for");
    // Who reckons with the record comes to the same.
    let list = &facts.price.as_ref().expect("a price").list;
    let again = list.charge(&usage, facts.created_at, 1_000_000);
    assert_eq!(again, Some(charge.credits));
    assert_eq!(billed(&facts.snapshot.asked, &usage), usage);
    // What made nothing has no facts to tell.
    let failed = outcome(Usage::default(), None, Some(FaultKind::Internal));
    let record = facts.reckon(&failed.into()).record;
    assert_eq!(record.usage, Usage::default());
}

#[test]
fn a_wait_for_room_is_in_the_story_and_no_try() {
    let step = |key: &str, began_ms, next: NextStep| FailedTry {
        provider: "far".to_owned(),
        model: "m".to_owned(),
        key_last4: key.to_owned(),
        began_ms,
        duration_ms: 100,
        fault: FaultKind::RateLimited.word().to_owned(),
        status: None,
        next: Some(next.word().to_owned()),
    };
    let told = Outcome {
        attempts: 2,
        failed: vec![
            step("", 0, NextStep::Waited),
            step("9999", 100, NextStep::OtherKey),
        ],
        duration_ms: 900,
        ..outcome(tokens(5), None, None)
    };
    let tries = tries(&told);
    let shown: Vec<_> = tries
        .iter()
        .map(|one| (one.number, one.began_ms, one.fault.is_some()))
        .collect();
    assert_eq!(shown, [(0, 0, true), (1, 100, true), (2, 200, false)]);
}

#[test]
fn gateways_that_did_not_take_a_call_stand_before_its_tries_and_are_none() {
    use shared::link::FailedTry;
    use shared::link::trail::{MadeBy, NotTaken, PassedBy, Way};

    let passed = |gateway: &str, why: NotTaken| PassedBy {
        gateway: gateway.to_owned(),
        why: why.word().to_owned(),
    };
    let failed = FailedTry {
        provider: "bad".to_owned(),
        model: "m".to_owned(),
        key_last4: "ab12".to_owned(),
        began_ms: 1,
        duration_ms: 2,
        fault: "overloaded".to_owned(),
        status: Some(503),
        next: Some("other_key".to_owned()),
    };
    let way = Way {
        sent_at: 7,
        ..Way::default()
    };
    let made_by = MadeBy {
        way: Some(Box::new(way.clone())),
        gateway: "west".to_owned(),
        passed: vec![
            passed("east", NotTaken::Away),
            passed("far", NotTaken::Full),
        ],
    };
    let mut outcome = Outcome {
        attempts: 2,
        failed: vec![failed],
        made_by: Some(Box::new(made_by)),
        ..outcome(tokens(1), None, None)
    };
    let rows = |outcome: &Outcome| {
        let record = facts().reckon(&outcome.clone().into()).record;
        let row = |one: &Try| {
            let texts = [one.gateway.clone(), one.fault.clone(), one.next.clone()];
            (one.number, texts.map(Option::unwrap_or_default))
        };
        (
            record.attempts,
            record.tries.iter().map(row).collect::<Vec<_>>(),
        )
    };
    let row = |number, texts: [&str; 3]| (number, texts.map(str::to_owned));
    let expected = vec![
        row(0, ["east", "gateway_away", "other_gateway"]),
        row(0, ["far", "gateway_full", "other_gateway"]),
        row(1, ["west", "overloaded", "other_key"]),
        row(2, ["west", "", ""]),
    ];
    assert_eq!(rows(&outcome), (2, expected));
    // How the way was stands at the last try, whatever an earlier version reads of it.
    let record = facts().reckon(&outcome.clone().into()).record;
    let ways: Vec<_> = record.tries.iter().map(|one| one.way.as_deref()).collect();
    assert_eq!(ways, [None, None, None, Some(&way)]);
    // Inside the server there is no gateway to name.
    outcome.made_by = None;
    let expected = vec![
        row(1, ["", "overloaded", "other_key"]),
        row(2, ["", "", ""]),
    ];
    assert_eq!(rows(&outcome), (2, expected));
}
