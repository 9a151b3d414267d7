//! What a call comes to, by how it ended and how much of it reached the tenant.

use super::*;
use crate::catalogue::price::{PlainPrice, Tariff};

fn facts() -> CallFacts {
    let items = |per_token: i64, per_request: i64| PlainPrice {
        per_request: Credits::from_micros(per_request),
        output_per_million: Credits::from_micros(per_token * 1_000_000),
        ..PlainPrice::default()
    };
    CallFacts {
        generation: GenerationId::random(),
        tenant: TenantId::random(),
        user: None,
        key: None,
        test: false,
        operation: Operation::Chat,
        model: "m".to_owned(),
        price: Some(Price {
            id: PriceId::random(),
            valid_from: Moment::from_unix_ms(0),
            list: Tariff::new(items(10, 5).list(Some(&items(4, 1)))).expect("sound"),
        }),
        multiplier_ppm: 1_000_000,
        image: None,
        provider: "p".to_owned(),
        request: None,
        gateways: vec!["https://one".to_owned()],
        created_at: Moment::from_unix_ms(0),
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
    let charge = facts().charge(ended);
    (
        charge.credits.micros(),
        charge.cost.micros(),
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
    let record = facts().record(&ended, facts().charge(&ended));
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
fn what_is_kept_of_a_call_is_read_again_also_from_earlier_versions() {
    let text = facts().to_json();
    let kept: KeptFacts = serde_json::from_str(&text).expect("kept");
    assert_eq!(kept.gateways, ["https://one"]);
    assert!(kept.price.is_some());
    let old = r#"{"user":null,"key":null,"operation":"chat","model":"m","price":"prc_1",
        "multiplier_ppm":1000000,"image":null,"provider":"p"}"#;
    let kept: KeptFacts = serde_json::from_str(old).expect("an earlier version's");
    assert!(kept.gateways.is_empty() && kept.request.is_none());
}
