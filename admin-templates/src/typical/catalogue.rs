//! Ordinary contents of the pages about models.

use super::{Typical, arithmetic, credits, days_ago, in_days, known_cost, list, owned};
use crate::admin::catalogue::{
    CostPreview, ModelDetail, ModelList, ModelNew, ModelRow, PriceLine, PriceRow, TargetChange,
    TargetRow, TryOutcome,
};
use crate::admin::prices::{Earned, PriceTry, RateRow, RateTable, Repriced, TypicalRow};
use crate::form::{FieldError, Form};
use crate::words::{CallStatus, Health, Operation, PriceItem, Switch, TypicalCall};

fn part(item: PriceItem, detail: &str, price: &str, cost: &str) -> PriceLine {
    PriceLine {
        item,
        detail: detail.to_owned(),
        price: credits(price),
        cost: Some(credits(cost)),
    }
}

fn tokens(input: &str, output: &str) -> Vec<PriceLine> {
    vec![
        part(PriceItem::Input, "", input, "1"),
        part(PriceItem::Output, "", output, "8"),
    ]
}

impl Typical for ModelList {
    fn typical() -> Vec<Self> {
        let row =
            |id: &str, operation, state, targets: &[&str], price, calls, first_token_ms| ModelRow {
                id: id.to_owned(),
                operation,
                state,
                targets: owned(targets),
                price,
                calls,
                success: 9_950,
                first_token_ms,
            };
        let image = vec![part(PriceItem::Image, "1024x1024 high", "0.175", "0.14")];
        #[rustfmt::skip]
        let rows = vec![
            row("deepseek-chat", Operation::Chat, Switch::On, &["deepseek/deepseek-chat", "aliyun/deepseek-v3.2"], tokens("0.28", "0.42"), 522_840, 940),
            row("claude-sonnet-4-5", Operation::Chat, Switch::On, &["anthropic/claude-sonnet-4-5"], tokens("3", "15"), 318_204, 1_680),
            row("gpt-5", Operation::Chat, Switch::On, &["openai/gpt-5"], tokens("1.25", "10"), 204_118, 1_902),
            row("gpt-image-1", Operation::Image, Switch::On, &["openai/gpt-image-1"], image, 31_092, 14_300),
            row("text-embedding-3-small", Operation::Embedding, Switch::Off, &["openai/text-embedding-3-small"], tokens("0.02", "0"), 0, 0),
            row("qwen3-max", Operation::Chat, Switch::Off, &["aliyun/qwen3-max"], Vec::new(), 0, 0),
        ];
        vec![Self {
            list: list(&[("q", "")], Some(("calls", true))),
            providers: owned(&["anthropic", "aliyun", "deepseek", "openai", "sandbox"]),
            rows,
        }]
    }
}

impl Typical for ModelNew {
    fn typical() -> Vec<Self> {
        vec![Self {
            form: Form::of([("operation", "chat"), ("enabled", "on")]),
            price: rate_table(),
            providers: owned(&["anthropic", "deepseek", "openai"]),
        }]
    }
}

fn targets() -> Vec<TargetRow> {
    let target =
        |id: &str, provider: &str, model: &str, priority, weight, health, calls| TargetRow {
            id: id.to_owned(),
            provider: provider.to_owned(),
            model: model.to_owned(),
            priority,
            weight,
            gateway: if priority > 0 { "us-1" } else { "" }.to_owned(),
            health,
            calls,
            success: 9_985,
            first_token_ms: 940,
        };
    vec![
        target(
            "tgt_1",
            "deepseek",
            "deepseek-chat",
            0,
            800,
            Health::Good,
            418_272,
        ),
        target(
            "tgt_2",
            "aliyun",
            "deepseek-v3.2",
            0,
            200,
            Health::Degraded,
            104_568,
        ),
        target(
            "tgt_3",
            "openrouter",
            "deepseek/deepseek-chat",
            1,
            100,
            Health::Good,
            0,
        ),
    ]
}

fn rate_table() -> RateTable {
    let form = Form::of([
        ("unit-0", "input_token"),
        ("per-0", "1000000"),
        ("when-0", "context_over=200000"),
        ("credits-0", "0.56"),
        ("cost-0", "0.42"),
        ("unit-1", "input_token"),
        ("per-1", "1000000"),
        ("credits-1", "0.28"),
        ("cost-1", "0.21"),
        ("unit-2", "output_token"),
        ("per-2", "1000000"),
        ("credits-2", "0.42"),
    ]);
    RateTable {
        rows: [PriceItem::Input, PriceItem::Input, PriceItem::Output]
            .map(|item| RateRow { item })
            .into(),
        form,
        open: true,
    }
}

fn price_try() -> PriceTry {
    let row = |call, (now, then): (&str, &str), cost: Option<&str>| TypicalRow {
        call,
        now: Some(credits(now)),
        credits: Some(credits(then)),
        cost: cost.map(credits),
        margin: cost.map(|_| credits("0.00011")),
    };
    let earned = |charged: &str, known| Earned {
        credits: credits(charged),
        cost: known_cost(("312.4", "104.1"), (known, 184_002)),
    };
    PriceTry {
        typical: vec![
            row(
                TypicalCall::ShortChat,
                ("0.00049", "0.00051"),
                Some("0.0004"),
            ),
            row(TypicalCall::LongContext, ("0.0849", "0.16884"), None),
        ],
        repriced: Some(Repriced {
            from: days_ago(30),
            until: days_ago(0),
            calls: 184_002,
            is_sample: false,
            was: earned("416.5", 160_000),
            would: earned("431.25", 184_002),
            dearer: 41_200,
            cheaper: 0,
            unpriced: 0,
            left_out: 0,
        }),
    }
}

fn prices() -> Vec<PriceRow> {
    let price = |id: &str, valid_from, current, input: &str, output: &str| PriceRow {
        id: id.to_owned(),
        valid_from,
        current,
        lines: vec![
            part(PriceItem::Input, "", input, "0.21"),
            part(PriceItem::CachedInput, "", "0.035", "0.028"),
            part(PriceItem::Output, "", output, "0.32"),
        ],
        author: "lin".to_owned(),
        ahead: id == "pri_3",
    };
    vec![
        price("pri_3", in_days(10), false, "0.27", "0.4"),
        price("pri_2", days_ago(40), true, "0.28", "0.42"),
        price("pri_1", days_ago(210), false, "0.32", "1.1"),
    ]
}

impl Typical for ModelDetail {
    fn typical() -> Vec<Self> {
        let calm = Self {
            id: "deepseek-chat".to_owned(),
            operation: Operation::Chat,
            state: Switch::On,
            created_at: days_ago(210),
            edit: Form::of([("max_output_tokens", "8192"), ("enabled", "on")]),
            targets: targets(),
            target: Form::of([("priority", "0"), ("weight", "100")]),
            providers: owned(&["aliyun", "deepseek", "openrouter"]),
            prices: prices(),
            has_price: true,
            price: rate_table(),
            price_try: Some(price_try()),
            preview: Form::of([
                ("preview_input", "1840"),
                ("preview_output", "512"),
                ("preview_multiplier", "1.15"),
            ]),
            preview_result: Some(CostPreview {
                charge: arithmetic(),
                cost: Some(credits("0.010725")),
                margin: Some(credits("0.002499")),
                hold: credits("0.45"),
            }),
            changing: None,
            attempt: Form::of([
                ("tenant", "Acme"),
                ("prompt", "Say hello in three languages."),
            ]),
            attempt_result: Some(TryOutcome {
                status: CallStatus::Succeeded,
                text: "Hello! 你好！Bonjour !".to_owned(),
                provider: "deepseek".to_owned(),
                first_token_ms: 702,
                duration_ms: 1_208,
                cost: Some(credits("0.000012")),
                charged: credits("0.000015"),
                call: "gen_01".to_owned(),
            }),
        };
        let mut fresh = calm.clone();
        fresh.prices.clear();
        fresh.preview_result = None;
        fresh.has_price = false;
        fresh.price_try = None;
        fresh.price.form = fresh
            .price
            .form
            .wrong("when-0", FieldError::Condition("flex".to_owned()));
        fresh.changing = Some(TargetChange {
            id: "tgt_1".to_owned(),
            form: Form::of([("weight", "0"), ("priority", "1")])
                .wrong("weight", FieldError::OutOfRange(1, 1_000)),
        });
        fresh.attempt_result = None;
        let mut bare = fresh.clone();
        bare.changing = None;
        bare.targets.clear();
        vec![calm, fresh, bare]
    }
}
