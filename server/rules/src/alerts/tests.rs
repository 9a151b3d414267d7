//! Kinds, places and what a look makes of alerts.

use shared::id::AlertId;

use super::round::{AlertSight, plan};
use super::telling::{AlertStep, ChannelFilter, message, path};
use super::*;

fn alert(kind: AlertKind, subject: AlertSubject) -> Alert {
    Alert {
        id: AlertId::random(),
        severity: kind.severity(),
        label: subject.id.clone(),
        kind,
        subject,
        last4: String::new(),
        first_seen: Moment::from_unix_ms(1_000),
        last_seen: Moment::from_unix_ms(1_000),
        quiet_since: None,
        ended_at: None,
        hit_calls: 0,
        hits_at_least: false,
        muted_until: None,
        muted_by: None,
    }
}

#[test]
fn every_kind_has_a_word_of_its_own() {
    let mut words: Vec<&str> = AlertKind::ALL.iter().map(|kind| kind.word()).collect();
    for word in &words {
        assert_eq!(AlertKind::from_word(word).map(AlertKind::word), Some(*word));
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), AlertKind::ALL.len());
}

#[test]
fn an_alert_leads_to_where_it_can_be_acted_on() {
    let of = AlertSubject::new;
    for (kind, subject, wanted) in [
        (
            AlertKind::CallsFail,
            of(SubjectKind::Model, "kimi-k2"),
            "models/kimi-k2",
        ),
        (
            AlertKind::NoPrice,
            of(SubjectKind::Model, "meta/llama"),
            "models",
        ),
        (
            AlertKind::NoPrice,
            of(SubjectKind::Model, "a b?c"),
            "models/a%20b%3Fc",
        ),
        (
            AlertKind::NoKeys,
            of(SubjectKind::Provider, "moonshot@tokyo"),
            "providers/moonshot%40tokyo",
        ),
        (
            AlertKind::KeyRefused,
            AlertSubject::key("openai", "pkey_1"),
            "providers/openai",
        ),
        (
            AlertKind::KeyParked,
            AlertSubject::key("openai", "pkey_1"),
            "balances",
        ),
        (
            AlertKind::GatewayAway,
            of(SubjectKind::Gateway, "fra-1"),
            "gateways",
        ),
        (
            AlertKind::CreditsOut,
            of(SubjectKind::Tenant, "ten_1"),
            "tenants/ten_1/money",
        ),
    ] {
        assert_eq!(path(&alert(kind, subject)), wanted);
    }
}

#[test]
fn a_look_that_sees_the_same_thing_twice_begins_one() {
    let subject = AlertSubject::new(SubjectKind::Model, "m");
    let seen = AlertCondition::new(AlertKind::NoPrice, subject, "m");
    let sight = AlertSight {
        conditions: vec![seen.clone(), seen],
        ..AlertSight::default()
    };
    let planned = plan(&[], &sight, Moment::from_unix_ms(2_000));
    assert_eq!(planned.begin.len(), 1);
}

#[test]
fn a_channel_is_told_what_it_wants_and_nothing_that_is_muted() {
    let filter = |severity, remind_hours| ChannelFilter {
        severity,
        kinds: Vec::new(),
        remind_hours,
    };
    let hour = 3_600_000;
    let at = |hours: i64| Moment::from_unix_ms(1_000 + hours * hour);
    let bad = alert(
        AlertKind::NoKeys,
        AlertSubject::new(SubjectKind::Provider, "p"),
    );
    let mild = alert(
        AlertKind::NoPrice,
        AlertSubject::new(SubjectKind::Model, "m"),
    );
    let begun = [
        (Some(AlertStep::Begun), mild.clone()),
        (Some(AlertStep::Begun), bad.clone()),
    ];
    let looks = (at(0), at(1));
    let all = message(&filter(AlertSeverity::Warning, 0), &begun, looks).expect("told");
    let kinds: Vec<&str> = all.alerts.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["no_keys", "no_price"], "the most urgent first");
    let urgent = message(&filter(AlertSeverity::Critical, 0), &begun, looks).expect("told");
    assert_eq!(urgent.alerts.len(), 1);
    let still = [(None, bad.clone()), (None, mild)];
    assert_eq!(
        message(&filter(AlertSeverity::Info, 0), &still, looks),
        None
    );
    for (last, now, wanted) in [(0, 1, 0), (1, 2, 1), (2, 3, 0), (3, 9, 1)] {
        let told = message(&filter(AlertSeverity::Info, 2), &still, (at(last), at(now)));
        let told = told.map_or(0, |told| told.alerts.len());
        assert_eq!(told, wanted, "{last} {now}: what is critical alone");
    }
    let muted = Alert {
        muted_until: Some(at(5)),
        ..bad
    };
    let muted = [(Some(AlertStep::Resolved), muted)];
    assert_eq!(
        message(&filter(AlertSeverity::Info, 1), &muted, looks),
        None
    );
    assert!(message(&filter(AlertSeverity::Info, 1), &muted, (at(4), at(5))).is_some());
}
