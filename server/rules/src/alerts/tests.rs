//! Kinds, places and what a look makes of alerts.

use shared::id::AlertId;

use super::round::{AlertSight, plan};
use super::telling::{AlertMessage, AlertStep, ChannelFilter, ToldAlert, backlog, message, path};
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

#[test]
fn what_became_worse_is_not_told_as_over() {
    let gateway = || AlertSubject::new(SubjectKind::Gateway, "fra-1");
    let away = AlertCondition::new(AlertKind::GatewayAway, gateway(), "fra-1");
    let degraded = AlertCondition::new(AlertKind::GatewayDegraded, gateway(), "fra-1");
    let at = |seconds: i64| Moment::from_unix_ms(seconds * 1_000);
    let sight = |conditions: &[AlertCondition]| AlertSight {
        conditions: conditions.to_vec(),
        ..AlertSight::default()
    };
    let mild = alert(AlertKind::GatewayDegraded, gateway());
    let grave = alert(AlertKind::GatewayAway, gateway());
    // At once it is only quiet: it may flap, and then it is still the same alert.
    let first = plan(
        std::slice::from_ref(&mild),
        &sight(std::slice::from_ref(&away)),
        at(10),
    );
    assert_eq!((first.begin.len(), first.quiet.len()), (1, 1));
    let quiet = Alert {
        quiet_since: Some(at(10)),
        ..mild
    };
    let both = [quiet.clone(), grave.clone()];
    let again = plan(&both, &sight(&[degraded]), at(300));
    assert_eq!((again.seen.len(), again.begin.len()), (1, 0));
    for (name, open, found, wanted) in [
        ("the other is on", &both[..], vec![away.clone()], (0, 1)),
        ("the other begins", &both[..1], vec![away.clone()], (0, 1)),
        ("the other falls quiet", &both[..], Vec::new(), (0, 1)),
        ("there is no other", &both[..1], Vec::new(), (1, 0)),
    ] {
        let last = plan(open, &sight(&found), at(700));
        assert_eq!((last.end.len(), last.worsened.len()), wanted, "{name}");
    }
    // The worse one ends aloud, and that of another thing says nothing.
    let elsewhere = Alert {
        subject: AlertSubject::new(SubjectKind::Gateway, "tokyo-1"),
        ..grave.clone()
    };
    let last = plan(&[quiet, elsewhere], &sight(&[]), at(700));
    assert_eq!((last.end.len(), last.worsened.len()), (1, 0));
    let over = Alert {
        quiet_since: Some(at(10)),
        ..grave
    };
    assert_eq!(plan(&[over], &sight(&[]), at(700)).end.len(), 1);
}

#[test]
fn what_is_critical_has_room_and_the_rest_is_bounded() {
    let mild = |number: usize| {
        let subject = AlertSubject::new(SubjectKind::Model, format!("m{number}"));
        AlertCondition::new(AlertKind::NoPrice, subject, "m")
    };
    let grave = |number: usize| {
        let subject = AlertSubject::new(SubjectKind::Provider, format!("p{number}"));
        AlertCondition::new(AlertKind::NoKeys, subject, "p")
    };
    let look = |open: &[Alert], conditions: Vec<AlertCondition>| {
        let sight = AlertSight {
            conditions,
            ..AlertSight::default()
        };
        plan(open, &sight, Moment::from_unix_ms(2_000))
    };
    let many: Vec<AlertCondition> = (0..3_000).map(mild).collect();
    let first = look(&[], many.clone());
    assert_eq!((first.begin.len(), first.left_out), (MILD_MAX, 1_500));
    let begun = first.begin.into_iter();
    let open: Vec<Alert> = begun.map(|one| alert(one.kind, one.subject)).collect();
    let flood = many.iter().cloned().chain((0..900).map(grave));
    let second = look(&open, flood.collect());
    let room = OPEN_MAX - MILD_MAX;
    assert_eq!((second.seen.len(), second.begin.len()), (MILD_MAX, room));
    assert!(second.begin.iter().all(|one| one.kind == AlertKind::NoKeys));
    assert_eq!(second.left_out, 1_500 + 900 - room);
}

#[test]
fn what_waited_is_one_message_that_says_how_things_stand() {
    let of = |id: &str, step, severity: AlertSeverity| ToldAlert {
        severity: severity.word().to_owned(),
        ..ToldAlert::of(
            step,
            &Alert {
                id: AlertId::from_stored(id.to_owned()),
                ..alert(
                    AlertKind::NoKeys,
                    AlertSubject::new(SubjectKind::Provider, id),
                )
            },
        )
    };
    let message = |alerts: Vec<ToldAlert>, more| AlertMessage {
        alerts,
        more,
        ..AlertMessage::default()
    };
    let (begun, reminder, resolved) = (AlertStep::Begun, AlertStep::Reminder, AlertStep::Resolved);
    let (warning, critical) = (AlertSeverity::Warning, AlertSeverity::Critical);
    let all = backlog([
        message(vec![of("a", begun, warning), of("b", begun, critical)], 0),
        message(
            vec![of("b", reminder, critical), of("a", resolved, warning)],
            2,
        ),
        message(vec![of("c", reminder, critical)], 0),
    ]);
    let steps: Vec<(&str, AlertStep)> = all
        .alerts
        .iter()
        .map(|one| (one.id.as_str(), one.step))
        .collect();
    assert_eq!(steps, [("b", begun), ("c", reminder), ("a", resolved)]);
    assert_eq!((all.more, all.backlog, all.test), (2, true, false));
    let flood = (0..3).map(|part| {
        let alerts = (0..60).map(|n| of(&format!("{part}-{n}"), begun, warning));
        message(alerts.collect(), 0)
    });
    let cut = backlog(flood);
    assert_eq!((cut.alerts.len(), cut.more), (100, 80));
}
