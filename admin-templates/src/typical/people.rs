//! Ordinary rows about credits, people and keys, which several pages show.

use shared::credits::Credits;

use super::{credits, days_ago, in_days, minutes_ago, owned};
use crate::parts::{Balance, BudgetView, EntryRow, GrantRow, KeyRow, MemberRow};
use crate::words::{
    BudgetPeriod, EntryKind, GrantKind, KeyKind, KeyStatus, MemberRole, MemberStatus, Scope,
};

pub(super) fn balance() -> Balance {
    Balance {
        available: credits("18432.764125"),
        held: credits("36.25"),
        used: credits("41530.985875"),
        expired: credits("120"),
        debt: Credits::ZERO,
        loss: Credits::ZERO,
    }
}

pub(super) fn grants() -> Vec<GrantRow> {
    let grant =
        |id: &str, kind, amount: &str, remaining: &str, expires_at, note: &str, days| GrantRow {
            id: id.to_owned(),
            kind,
            amount: credits(amount),
            remaining: credits(remaining),
            expires_at,
            note: note.to_owned(),
            created_at: days_ago(days),
        };
    vec![
        grant(
            "gra_7b1",
            GrantKind::Gift,
            "500",
            "82.764125",
            Some(in_days(9)),
            "Welcome",
            51,
        ),
        grant(
            "gra_7c4",
            GrantKind::Purchase,
            "20000",
            "12350",
            Some(in_days(204)),
            "Invoice 2026-0917",
            34,
        ),
        grant(
            "gra_801",
            GrantKind::Manual,
            "6000",
            "6000",
            None,
            "Moved from the old platform",
            3,
        ),
    ]
}

pub(super) fn entries() -> Vec<EntryRow> {
    let entry = |number, kind, reference: &str, deltas: (&str, &str, &str), after: &str| EntryRow {
        number,
        kind,
        reference: reference.to_owned(),
        call_id: reference.starts_with("gen_").then(|| reference.to_owned()),
        available_delta: credits(deltas.0),
        held_delta: credits(deltas.1),
        charged: credits(deltas.2),
        available_after: credits(after),
        at: minutes_ago(10_486 - number),
    };
    vec![
        entry(
            10_482,
            EntryKind::Settle,
            "gen_5hq2xk81",
            ("0.412875", "-0.45", "0.037125"),
            "18432.764125",
        ),
        entry(
            10_481,
            EntryKind::Hold,
            "gen_5hq2xk81",
            ("-0.45", "0.45", "0"),
            "18432.35125",
        ),
        entry(
            10_480,
            EntryKind::Release,
            "gen_5hq2wv03",
            ("2.4", "-2.4", "0"),
            "18432.80125",
        ),
        entry(
            10_479,
            EntryKind::Grant,
            "gra_801",
            ("6000", "0", "0"),
            "18430.40125",
        ),
        entry(
            10_478,
            EntryKind::Expire,
            "gra_6aa",
            ("-120", "0", "0"),
            "12430.40125",
        ),
        entry(
            10_477,
            EntryKind::Adjust,
            "adj_11c",
            ("35.5", "0", "0"),
            "12550.40125",
        ),
    ]
}

pub(super) fn budget(period: BudgetPeriod, limit: &str, spent: &str) -> BudgetView {
    BudgetView {
        period,
        limit: credits(limit),
        spent: credits(spent),
    }
}

pub(super) fn members() -> Vec<MemberRow> {
    let member = |id: &str, name: &str, role, status, spent: &str, seen| MemberRow {
        id: id.to_owned(),
        name: name.to_owned(),
        role,
        status,
        second_factor: role != MemberRole::Member,
        budget: (role == MemberRole::Member).then(|| budget(BudgetPeriod::Month, "500", spent)),
        spent: credits(spent),
        seen_at: seen,
        created_at: days_ago(88),
    };
    vec![
        member(
            "usr_a1",
            "Maya",
            MemberRole::Owner,
            MemberStatus::Active,
            "1204.5",
            Some(minutes_ago(4)),
        ),
        member(
            "usr_a2",
            "陈思远",
            MemberRole::Admin,
            MemberStatus::Active,
            "860.0125",
            Some(minutes_ago(190)),
        ),
        member(
            "usr_a3",
            "Jonas Weber",
            MemberRole::Member,
            MemberStatus::Active,
            "412.75",
            Some(days_ago(1)),
        ),
        member(
            "usr_a4",
            "林小雨",
            MemberRole::Member,
            MemberStatus::Locked,
            "96.1",
            Some(days_ago(3)),
        ),
        member(
            "usr_a5",
            "contractor-07",
            MemberRole::Member,
            MemberStatus::Disabled,
            "0",
            None,
        ),
    ]
}

pub(super) fn keys() -> Vec<KeyRow> {
    let key = |id: &str, name: &str, kind, status, last4: &str, models: &[&str]| KeyRow {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        status,
        prefix: if kind == KeyKind::Live {
            "wk_live_"
        } else {
            "wk_test_"
        }
        .to_owned(),
        last4: last4.to_owned(),
        scopes: vec![Scope::Inference],
        models: owned(models),
        budget: models
            .is_empty()
            .then(|| budget(BudgetPeriod::Day, "200", "74.125")),
        spent: credits(if kind == KeyKind::Live {
            "2204.385"
        } else {
            "0"
        }),
        old_until: (status == KeyStatus::Rotating).then(|| in_days(1)),
        used_at: (status == KeyStatus::Active).then(|| minutes_ago(2)),
        expires_at: (!matches!(status, KeyStatus::Active | KeyStatus::Rotating))
            .then(|| in_days(1)),
        created_at: days_ago(61),
    };
    vec![
        key(
            "key_1",
            "production",
            KeyKind::Live,
            KeyStatus::Active,
            "x7qa",
            &[],
        ),
        key(
            "key_2",
            "image worker",
            KeyKind::Live,
            KeyStatus::Active,
            "9m2f",
            &["gpt-image-1", "seedream-4"],
        ),
        key(
            "key_3",
            "production (old)",
            KeyKind::Live,
            KeyStatus::Rotating,
            "k03d",
            &[],
        ),
        key(
            "key_4",
            "集成测试",
            KeyKind::Test,
            KeyStatus::Active,
            "t5r8",
            &["sandbox-chat"],
        ),
        key(
            "key_5",
            "demo, spring fair",
            KeyKind::Live,
            KeyStatus::Revoked,
            "b41c",
            &["gpt-5-mini"],
        ),
    ]
}
