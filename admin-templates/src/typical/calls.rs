//! Ordinary rows about calls and what they cost, which several pages show.

use super::{credits, minutes_ago};
use crate::parts::{Arithmetic, CallRow, ChargeLine, ModelSum, TopRow};
use crate::words::{CallStatus, Operation, PriceItem};

#[derive(Clone, Copy)]
struct Asked<'a> {
    id: &'a str,
    tenant: (&'a str, &'a str),
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
        tenant_id: asked.tenant.0.to_owned(),
        tenant: asked.tenant.1.to_owned(),
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

/// The tenant that the portal's samples are about.
const OWN: (&str, &str) = ("ten_8f2k41", "Harbour Light Studio");

const fn asked(
    id: &'static str,
    tenant: (&'static str, &'static str),
    (model, provider): (&'static str, &'static str),
    (caller, status): (&'static str, CallStatus),
    tokens: (u64, u64),
    (credits, cost): (&'static str, &'static str),
) -> Asked<'static> {
    Asked {
        id,
        tenant,
        model,
        provider,
        caller,
        status,
        tokens,
        credits,
        cost,
    }
}

#[rustfmt::skip]
const CALLS: [Asked<'static>; 9] = [
    asked("gen_5hq2xk81", OWN, ("claude-sonnet-4-5", "anthropic"), ("production", CallStatus::Succeeded), (1_840, 512), ("0.0132", "0.010725")),
    asked("gen_5hq2wv03", ("ten_19c7b0", "北辰科技"), ("gpt-5", "openai"), ("结算助手", CallStatus::Failed), (920, 1), ("0", "0")),
    asked("gen_5hq2vb77", OWN, ("gpt-image-1", "openai"), ("image worker", CallStatus::Succeeded), (0, 0), ("0.35", "0.28")),
    asked("gen_5hq2u9c2", OWN, ("deepseek-chat", "deepseek"), ("陈思远", CallStatus::Succeeded), (12_044, 2_210), ("0.005681", "0.00431")),
    asked("gen_5hq2tt10", ("ten_31d002", "Northwind Labs"), ("gpt-5-mini", "openai"), ("batch-02", CallStatus::Canceled), (310, 88), ("0.000318", "0.000254")),
    asked("gen_5hq2s04d", OWN, ("sandbox-chat", "sandbox"), ("集成测试", CallStatus::Succeeded), (24, 16), ("0", "0")),
    asked("gen_5hq2r8e9", ("ten_44aa91", "云帆教育"), ("qwen3-max", "aliyun"), ("课堂", CallStatus::Running), (5_120, 640), ("0", "0")),
    asked("gen_5hq2q1b4", OWN, ("claude-sonnet-4-5", "anthropic"), ("Jonas Weber", CallStatus::Succeeded), (24_310, 1_906), ("0.10152", "0.081216")),
    asked("gen_5hq2p7m0", ("ten_19c7b0", "北辰科技"), ("deepseek-chat", "deepseek"), ("production", CallStatus::Succeeded), (3_902, 744), ("0.001405", "0.001058")),
];

/// The newest calls: of all tenants for superadmins, else of one and without what providers are.
pub(super) fn calls(admin: bool) -> Vec<CallRow> {
    let seen = (1..)
        .step_by(3)
        .zip(CALLS)
        .filter(|(_, asked)| admin || asked.tenant == OWN);
    seen.map(|(minutes, mut asked)| {
        if !admin {
            asked.provider = "";
            asked.cost = "";
        }
        call(&asked, minutes)
    })
    .collect()
}

pub(super) fn sums(admin: bool) -> Vec<ModelSum> {
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

pub(super) fn top(rows: &[(&str, u64, &str, u64, i64)]) -> Vec<TopRow> {
    let top = |row: &(&str, u64, &str, u64, i64)| TopRow {
        id: row.0.to_owned(),
        name: row.0.to_owned(),
        calls: row.1,
        credits: Some(credits(row.2)),
        known: row.1,
        share: row.3,
        success: row.4,
    };
    rows.iter().map(top).collect()
}

pub(super) fn line(item: PriceItem, quantity: u64, price: &str, amount: &str) -> ChargeLine {
    ChargeLine {
        item,
        detail: String::new(),
        quantity,
        price: credits(price),
        amount: amount.to_owned(),
    }
}

pub(super) fn arithmetic() -> Arithmetic {
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
