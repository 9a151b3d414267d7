//! Views as people see them on an ordinary day: for tests, screenshots and the gallery.
//! Nothing here is shown by the product.

mod account;
mod catalogue;
mod dashboard;
mod house;
mod portal;
mod studio;
mod supply;
mod tenants;
mod usage;

use std::time::Duration;

use shared::clock::Moment;
use shared::credits::Credits;

use crate::chart::{Chart, Series, SeriesName, Spark, Unit};
use crate::form::Form;
use crate::list::{ListState, Sort};
use crate::page::{Area, Flash, Lang, Notice, Page, Person, Theme};
use crate::parts::{Arithmetic, ChargeLine, TopRow};
use crate::parts::{Balance, BudgetView, CallRow, EntryRow, GrantRow, KeyRow, MemberRow, ModelSum};
use crate::views::ViewEntry;
use crate::words::{
    BudgetPeriod, CallStatus, EntryKind, GrantKind, KeyKind, KeyStatus, MemberRole, MemberStatus,
    Operation, PersonRole, PriceItem, Scope,
};

/// Has ordinary contents.
pub trait Typical: Sized {
    /// One or more.
    fn typical() -> Vec<Self>;
}

/// 2026-11-21 08:00 UTC, the moment all samples are made at.
pub const NOW: Moment = Moment::from_unix_ms(1_795_248_000_000);

impl Page {
    /// The frame of a sample.
    pub fn sample(entry: &ViewEntry, area: Area, lang: Lang, theme: Theme) -> Self {
        let person = match area {
            Area::Admin => Person {
                name: "lin".to_owned(),
                role: PersonRole::Owner,
                tenant: None,
            },
            Area::Portal => Person {
                name: "Maya".to_owned(),
                role: PersonRole::TenantOwner,
                tenant: Some("Harbour Light Studio".to_owned()),
            },
        };
        let saved = Flash {
            good: true,
            notice: Notice::Saved,
        };
        let shows_flash = matches!(entry.name, "settings" | "tenant-limits");
        Self {
            lang,
            theme,
            area,
            csrf: "3f0c-sample-token".to_owned(),
            path: format!("{}{}", area.root(), entry.path),
            person: entry.signed_in.then_some(person),
            flash: if shows_flash { vec![saved] } else { Vec::new() },
            announcement: None,
            now: NOW,
        }
    }
}

/// An amount by its decimal text; samples that do not parse are zero and look it.
fn credits(text: &str) -> Credits {
    text.parse().unwrap_or_default()
}

fn minutes_ago(minutes: u64) -> Moment {
    NOW.before(Duration::from_secs(minutes * 60))
}

fn days_ago(days: u64) -> Moment {
    minutes_ago(days * 1_440)
}

fn in_days(days: u64) -> Moment {
    NOW.after(Duration::from_secs(days * 86_400))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Numbers that rise and fall around `base` like days do, and never the same way twice.
fn course(length: usize, base: i64, seed: i64) -> Vec<i64> {
    let shape = [
        52, 44, 38, 35, 36, 42, 55, 71, 88, 97, 104, 109, 101, 106, 112, 116, 113, 107, 98, 92, 86,
        79, 70, 60,
    ];
    let place = |place: usize| i64::try_from(place).unwrap_or(0);
    (0..length)
        .map(|hour| {
            let jitter = (place(hour) * 37 + seed * 53) % 23 - 11;
            base * (shape[hour % shape.len()] + jitter) / 100
        })
        .collect()
}

fn spark(base: i64, seed: i64) -> Spark {
    Spark {
        values: course(24, base, seed),
    }
}

fn hours() -> Vec<String> {
    (0..24)
        .map(|hour| format!("{:02}:00", (hour + 9) % 24))
        .collect()
}

fn days() -> Vec<String> {
    let october = (23..=31).map(|day| format!("10-{day:02}"));
    october
        .chain((1..=21).map(|day| format!("11-{day:02}")))
        .collect()
}

fn chart<N>(labels: Vec<String>, unit: Unit, series: &[(N, i64)]) -> Chart
where
    N: Into<SeriesName> + Clone,
{
    let length = labels.len();
    let named = (1..).zip(series).map(|(seed, (name, base))| Series {
        name: name.clone().into(),
        values: course(length, *base, seed),
    });
    Chart {
        labels,
        series: named.collect(),
        unit,
    }
}

fn list(filters: &[(&str, &str)], sort: Option<(&str, bool)>) -> ListState {
    ListState {
        filters: Form::of(filters.iter().copied()),
        sort: sort.map(|(key, descending)| Sort {
            key: key.to_owned(),
            descending,
        }),
        next: Some("c_8f21".to_owned()),
        previous: None,
    }
}

fn balance() -> Balance {
    Balance {
        available: credits("18432.764125"),
        held: credits("36.25"),
        used: credits("41530.985875"),
        expired: credits("120"),
        debt: Credits::ZERO,
        loss: Credits::ZERO,
    }
}

fn grants() -> Vec<GrantRow> {
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

fn entries() -> Vec<EntryRow> {
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

fn budget(period: BudgetPeriod, limit: &str, spent: &str) -> BudgetView {
    BudgetView {
        period,
        limit: credits(limit),
        spent: credits(spent),
    }
}

fn members() -> Vec<MemberRow> {
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

fn keys() -> Vec<KeyRow> {
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
        used_at: (status == KeyStatus::Active).then(|| minutes_ago(2)),
        expires_at: (status != KeyStatus::Active).then(|| in_days(1)),
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

struct Asked<'a> {
    id: &'a str,
    model: &'a str,
    provider: &'a str,
    caller: &'a str,
    status: CallStatus,
    tokens: (u64, u64),
    credits: &'a str,
    cost: &'a str,
}

fn call(asked: &Asked<'_>, minutes: u64) -> CallRow {
    let image = asked.tokens == (0, 0);
    CallRow {
        id: asked.id.to_owned(),
        at: minutes_ago(minutes),
        tenant_id: "ten_8f2k41".to_owned(),
        tenant: "Harbour Light Studio".to_owned(),
        caller: asked.caller.to_owned(),
        model: asked.model.to_owned(),
        provider: asked.provider.to_owned(),
        operation: if image {
            Operation::Image
        } else {
            Operation::Chat
        },
        status: asked.status,
        test: asked.caller == "集成测试",
        input_tokens: asked.tokens.0,
        output_tokens: asked.tokens.1,
        images: u64::from(image) * 2,
        credits: credits(asked.credits),
        cost: (!asked.cost.is_empty()).then(|| credits(asked.cost)),
        first_byte_ms: 380 + asked.tokens.0 / 20,
        duration_ms: 1_900 + asked.tokens.1 * 11,
    }
}

fn calls(admin: bool) -> Vec<CallRow> {
    let rows = [
        (
            "gen_5hq2xk81",
            "claude-sonnet-4-5",
            "anthropic",
            "production",
            CallStatus::Succeeded,
            (1_840, 512),
            "0.0132",
            "0.010725",
        ),
        (
            "gen_5hq2wv03",
            "gpt-5",
            "openai",
            "production",
            CallStatus::Failed,
            (920, 1),
            "0",
            "0",
        ),
        (
            "gen_5hq2vb77",
            "gpt-image-1",
            "openai",
            "image worker",
            CallStatus::Succeeded,
            (0, 0),
            "0.35",
            "0.28",
        ),
        (
            "gen_5hq2u9c2",
            "deepseek-chat",
            "deepseek",
            "陈思远",
            CallStatus::Succeeded,
            (12_044, 2_210),
            "0.005681",
            "0.00431",
        ),
        (
            "gen_5hq2tt10",
            "gpt-5-mini",
            "openai",
            "Jonas Weber",
            CallStatus::Canceled,
            (310, 88),
            "0.000318",
            "0.000254",
        ),
        (
            "gen_5hq2s04d",
            "sandbox-chat",
            "sandbox",
            "集成测试",
            CallStatus::Succeeded,
            (24, 16),
            "0",
            "0",
        ),
        (
            "gen_5hq2r8e9",
            "qwen3-max",
            "aliyun",
            "production",
            CallStatus::Running,
            (5_120, 640),
            "0",
            "0",
        ),
    ];
    let asked = rows.iter().map(|row| Asked {
        id: row.0,
        model: row.1,
        provider: if admin { row.2 } else { "" },
        caller: row.3,
        status: row.4,
        tokens: row.5,
        credits: row.6,
        cost: if admin { row.7 } else { "" },
    });
    asked
        .zip((1..).step_by(3))
        .map(|(asked, minutes)| call(&asked, minutes))
        .collect()
}

fn sums(admin: bool) -> Vec<ModelSum> {
    let sum =
        |model: &str, operation, calls, tokens: (u64, u64, u64), amount: &str, share| ModelSum {
            model: model.to_owned(),
            operation,
            calls,
            input_tokens: tokens.0,
            output_tokens: tokens.1,
            images: tokens.2,
            credits: credits(amount),
            cost: admin.then(|| credits(amount)),
            share,
        };
    vec![
        sum(
            "claude-sonnet-4-5",
            Operation::Chat,
            18_204,
            (41_209_331, 9_120_448, 0),
            "1204.385",
            4_810,
        ),
        sum(
            "gpt-image-1",
            Operation::Image,
            1_092,
            (0, 0, 2_184),
            "611.52",
            2_442,
        ),
        sum(
            "gpt-5",
            Operation::Chat,
            6_411,
            (12_884_102, 3_002_911, 0),
            "460.9125",
            1_841,
        ),
        sum(
            "deepseek-chat",
            Operation::Chat,
            22_840,
            (90_114_220, 14_022_871, 0),
            "227.180625",
            907,
        ),
    ]
}

fn top(rows: &[(&str, u64, &str, u64, i64)]) -> Vec<TopRow> {
    let top = |row: &(&str, u64, &str, u64, i64)| TopRow {
        id: row.0.to_owned(),
        name: row.0.to_owned(),
        calls: row.1,
        credits: credits(row.2),
        share: row.3,
        success: row.4,
    };
    rows.iter().map(top).collect()
}

fn line(item: PriceItem, quantity: u64, price: &str, amount: &str) -> ChargeLine {
    ChargeLine {
        item,
        detail: String::new(),
        quantity,
        price: credits(price),
        amount: amount.to_owned(),
    }
}

fn arithmetic() -> Arithmetic {
    Arithmetic {
        lines: vec![
            line(PriceItem::Input, 1_210, "3", "0.00363"),
            line(PriceItem::CachedInput, 630, "0.3", "0.000189"),
            line(PriceItem::Output, 402, "15", "0.00603"),
            line(PriceItem::Reasoning, 110, "15", "0.00165"),
        ],
        subtotal: "0.011499".to_owned(),
        multiplier_ppm: 1_150_000,
        total: credits("0.013224"),
    }
}
