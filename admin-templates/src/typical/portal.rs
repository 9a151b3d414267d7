//! Ordinary contents of the portal.

use super::usage::counts;
use super::{
    Typical, arithmetic, balance, budget, calls, chart, credits, days, entries, grants, in_days,
    keys, list, members, minutes_ago, owned, sums, top,
};
use crate::chart::{Chart, Unit};
use crate::form::{FieldError, Form};
use crate::portal::{
    History, KeyForm, KeyList, MemberForm, MemberList, Overview, OwnCall, PortalLedger,
    PortalSettings, PortalUsage,
};
use crate::words::{BudgetPeriod, CallStatus, Measure, Operation, Range};

fn spend() -> Chart {
    chart(
        days(),
        Unit::Credits,
        &[
            ("claude-sonnet-4-5", 190_000_000),
            ("gpt-image-1", 96_000_000),
            ("gpt-5", 72_000_000),
            ("deepseek-chat", 36_000_000),
        ],
    )
}

impl Typical for Overview {
    fn typical() -> Vec<Self> {
        let calm = Self {
            balance: balance(),
            low: false,
            spent_today: credits("212.405"),
            spent_month: credits("11530.985875"),
            calls: 210_884,
            success: 9_969,
            days_left: Some(48),
            empty_at: Some(in_days(48)),
            spend: spend(),
            grants: grants(),
            top_models: top(&[
                ("claude-sonnet-4-5", 18_204, "5420.385", 4_701, 9_978),
                ("gpt-image-1", 1_092, "2811.52", 2_438, 9_902),
                ("gpt-5", 6_411, "2060.9125", 1_787, 9_941),
                ("deepseek-chat", 22_840, "1027.18", 891, 9_985),
            ]),
            top_members: top(&[
                ("production", 180_220, "8204.5", 7_115, 9_972),
                ("image worker", 1_092, "2811.52", 2_438, 9_902),
                ("陈思远", 1_904, "412.0125", 357, 9_990),
            ]),
        };
        let mut poor = calm.clone();
        poor.low = true;
        poor.balance.available = credits("3.2");
        poor.days_left = Some(0);
        poor.empty_at = None;
        vec![calm, poor]
    }
}

impl Typical for MemberList {
    fn typical() -> Vec<Self> {
        vec![Self {
            list: list(&[], None),
            rows: members(),
        }]
    }
}

impl Typical for MemberForm {
    fn typical() -> Vec<Self> {
        let fresh = Self {
            id: None,
            name: String::new(),
            form: Form::of([("username", "jonas"), ("role", "member")])
                .wrong("password", FieldError::TooShort(8)),
        };
        let change = Self {
            id: Some("usr_a3".to_owned()),
            name: "Jonas Weber".to_owned(),
            form: Form::of([
                ("role", "member"),
                ("budget", "500"),
                ("budget_period", "month"),
            ]),
        };
        vec![fresh, change]
    }
}

impl Typical for KeyList {
    fn typical() -> Vec<Self> {
        vec![Self {
            rotate: Form::default(),
            list: list(&[], None),
            rows: keys(),
        }]
    }
}

impl Typical for KeyForm {
    fn typical() -> Vec<Self> {
        let models = owned(&[
            "claude-sonnet-4-5",
            "deepseek-chat",
            "gpt-5",
            "gpt-5-mini",
            "gpt-image-1",
        ]);
        let fresh = Self {
            id: None,
            name: String::new(),
            form: Form::of([("kind", "live"), ("scopes", "inference usage")]),
            models,
        };
        let mut change = fresh.clone();
        change.id = Some("key_2".to_owned());
        "image worker".clone_into(&mut change.name);
        change.form = Form::of([
            ("name", "image worker"),
            ("scopes", "inference"),
            ("models", "gpt-image-1"),
            ("addresses", "300.1.1.1"),
        ])
        .wrong("addresses", FieldError::NotAnAddress);
        vec![fresh, change]
    }
}

impl Typical for PortalUsage {
    fn typical() -> Vec<Self> {
        vec![Self {
            range: Range::Month,
            list: list(&[], None),
            credits: credits("11530.985875"),
            calls: 210_884,
            spend: spend(),
            sums: sums(false),
            rows: calls(false),
        }]
    }
}

impl Typical for OwnCall {
    fn typical() -> Vec<Self> {
        vec![Self {
            id: "gen_5hq2xk81".to_owned(),
            request_id: "req_77b1c02e".to_owned(),
            status: CallStatus::Succeeded,
            fault: None,
            operation: Operation::Chat,
            model: "claude-sonnet-4-5".to_owned(),
            caller: "production".to_owned(),
            test: false,
            at: minutes_ago(1),
            first_byte_ms: 1_204,
            duration_ms: 7_532,
            held: credits("0.45"),
            counts: counts(),
            charge: arithmetic(),
        }]
    }
}

impl Typical for PortalLedger {
    fn typical() -> Vec<Self> {
        vec![Self {
            balance: balance(),
            grants: grants(),
            list: list(&[("kind", "")], None),
            entries: entries(),
        }]
    }
}

impl Typical for PortalSettings {
    fn typical() -> Vec<Self> {
        vec![Self {
            tenant_id: "ten_8f2k41".to_owned(),
            tenant: "Harbour Light Studio".to_owned(),
            base_url: "https://ai.example.com".to_owned(),
            alerts: Form::of([("alert_below", "500")]),
            security: Form::of([("require_second_factor", "on")]),
            calendar: Form::of([("time_zone", "Asia/Shanghai")]),
        }]
    }
}

impl Typical for History {
    fn typical() -> Vec<Self> {
        vec![Self {
            spent: credits("412.75"),
            budget: Some(budget(BudgetPeriod::Month, "500", "412.75")),
            spend: chart(days(), Unit::Credits, &[(Measure::Charged, 14_000_000)]),
            list: list(&[], None),
            rows: calls(false),
        }]
    }
}
