//! Ordinary contents of the pages about tenants.

use super::{
    NOW, Typical, balance, calls, chart, credits, days, days_ago, entries, grants, in_days, keys,
    known_cost, list, members, minutes_ago, owned, sums,
};
use crate::admin::tenants::{
    TenantHead, TenantInfo, TenantKeys, TenantLimits, TenantList, TenantMembers, TenantMoney,
    TenantNew, TenantRow, TenantUsage,
};
use crate::chart::Unit;
use crate::form::{FieldError, Form};
use crate::words::{Measure, Range, TenantStatus};

fn head(status: TenantStatus) -> TenantHead {
    TenantHead {
        id: "ten_8f2k41".to_owned(),
        name: "Harbour Light Studio".to_owned(),
        status,
        available: credits("18432.764125"),
        held: credits("36.25"),
        delete_at: (status == TenantStatus::Deleting).then(|| in_days(12)),
    }
}

type Listed = (
    &'static str,
    &'static str,
    TenantStatus,
    &'static str,
    &'static str,
    u64,
    i64,
    u64,
    u64,
);

#[rustfmt::skip]
const LISTED: [Listed; 6] = [
    ("ten_8f2k41", "Harbour Light Studio", TenantStatus::Active, "18432.764125", "11530.98", 210_884, 1_000_000, 2, 212),
    ("ten_19c7b0", "北辰科技", TenantStatus::Active, "204118.5", "15021.774125", 402_113, 850_000, 0, 390),
    ("ten_31d002", "Northwind Labs", TenantStatus::Active, "212.0375", "9904.25", 188_201, 1_150_000, 7, 151),
    ("ten_44aa91", "云帆教育", TenantStatus::Active, "7310", "6220.4", 320_554, 1_000_000, 1, 88),
    ("ten_50f3e8", "Atelier Corbeau", TenantStatus::Suspended, "0", "2870.1", 41_092, 1_000_000, 4_320, 260),
    ("ten_6b01c2", "Trial 0142", TenantStatus::Deleting, "18.2", "1.8", 96, 1_250_000, 30_000, 21),
];

impl Typical for TenantList {
    fn typical() -> Vec<Self> {
        let row = |row: &Listed| TenantRow {
            id: row.0.to_owned(),
            name: row.1.to_owned(),
            status: row.2,
            available: credits(row.3),
            spent: credits(row.4),
            calls: row.5,
            multiplier_ppm: row.6,
            called_at: Some(minutes_ago(row.7)),
            created_at: days_ago(row.8),
        };
        vec![Self {
            list: list(&[("q", ""), ("status", "")], Some(("created", true))),
            rows: LISTED.iter().map(row).collect(),
        }]
    }
}

impl Typical for TenantNew {
    fn typical() -> Vec<Self> {
        let form = Form::of([
            ("name", "北辰科技"),
            ("username", "owner"),
            ("credits", "-5"),
        ])
        .wrong("name", FieldError::Taken)
        .wrong("credits", FieldError::NotAnAmount);
        vec![
            Self {
                form: Form::default(),
            },
            Self { form },
        ]
    }
}

impl Typical for TenantInfo {
    fn typical() -> Vec<Self> {
        let info = |status| Self {
            head: head(status),
            created_at: days_ago(212),
            called_at: Some(minutes_ago(2)),
            balance: balance(),
            members: 14,
            keys: 6,
            calls: 210_884,
            success: 9_969,
            cost: known_cost(("8640.2", "2890.78"), (210_884, 210_884)),
            spend: chart(days(), Unit::Credits, &[(Measure::Charged, 400_000_000)]),
            rename: Form::of([("name", "Harbour Light Studio")]),
            zone: Form::of([("time_zone", "Asia/Shanghai")]),
            suspend: Form::default(),
            delete: Form::default(),
            grace_days: 14,
        };
        let mut wrong = info(TenantStatus::Suspended);
        wrong.delete = Form::of([("confirm", "Harbour")]).wrong("confirm", FieldError::Different);
        vec![
            info(TenantStatus::Active),
            wrong,
            info(TenantStatus::Deleting),
        ]
    }
}

impl Typical for TenantMembers {
    fn typical() -> Vec<Self> {
        vec![Self {
            head: head(TenantStatus::Active),
            list: list(&[], None),
            rows: members(),
            add: Form::of([("role", "member")]),
        }]
    }
}

impl Typical for TenantKeys {
    fn typical() -> Vec<Self> {
        vec![Self {
            rotate: Form::default(),
            head: head(TenantStatus::Active),
            list: list(&[], None),
            rows: keys(),
            add: Form::default(),
            models: owned(&[
                "claude-sonnet-4-5",
                "deepseek-chat",
                "gpt-5",
                "gpt-5-mini",
                "gpt-image-1",
            ]),
        }]
    }
}

impl Typical for TenantUsage {
    fn typical() -> Vec<Self> {
        vec![Self {
            head: head(TenantStatus::Active),
            range: Range::Month,
            list: list(&[], None),
            spend: chart(
                days(),
                Unit::Credits,
                &[
                    ("claude-sonnet-4-5", 190_000_000),
                    ("gpt-image-1", 96_000_000),
                    ("gpt-5", 72_000_000),
                    ("deepseek-chat", 36_000_000),
                ],
            ),
            sums: sums(true),
            rows: calls(true),
        }]
    }
}

impl Typical for TenantMoney {
    fn typical() -> Vec<Self> {
        let calm = Self {
            head: head(TenantStatus::Active),
            balance: balance(),
            grants: grants(),
            list: list(&[("kind", "")], None),
            entries: entries(),
            recharge: Form::default(),
            adjust: Form::default(),
            once: format!("once_{}", NOW.unix_ms()),
        };
        let mut wrong = calm.clone();
        wrong.balance.debt = credits("12.5");
        wrong.balance.loss = credits("0.003");
        wrong.adjust = Form::of([("direction", "take"), ("amount", "99999")])
            .wrong("reason", FieldError::Required);
        vec![calm, wrong]
    }
}

impl Typical for TenantLimits {
    fn typical() -> Vec<Self> {
        vec![Self {
            head: head(TenantStatus::Active),
            limits: Form::of([
                ("requests_per_minute", "1200"),
                ("tokens_per_minute", "2000000"),
                ("concurrent", ""),
            ]),
            allowed: Form::of([("only", "on"), ("models", "gpt-5 gpt-5-mini deepseek-chat")]),
            models: owned(&[
                "claude-sonnet-4-5",
                "deepseek-chat",
                "gpt-5",
                "gpt-5-mini",
                "gpt-image-1",
                "qwen3-max",
                "seedream-4",
            ]),
            multiplier: Form::of([("factor", "1.15")]),
        }]
    }
}
