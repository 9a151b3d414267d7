//! Ordinary contents of the console's first page.

use super::{Typical, chart, credits, hours, known_cost, minutes_ago, spark, top};
use crate::admin::dashboard::{AlertRow, Dashboard, LiveCall};
use crate::chart::{Spark, Unit};
use crate::parts::{Quantiles, TopRow};
use crate::words::{AlertKind, Measure, Operation, Range, Severity};

fn alerts() -> Vec<AlertRow> {
    let alert = |severity, kind, subject: &str, path: &str, minutes| AlertRow {
        severity,
        kind,
        subject: subject.to_owned(),
        path: path.to_owned(),
        since: minutes_ago(minutes),
    };
    vec![
        alert(
            Severity::Critical,
            AlertKind::KeyRefused,
            "openai · team-2",
            "providers/openai",
            12,
        ),
        alert(
            Severity::Warning,
            AlertKind::CreditsLow,
            "Northwind Labs",
            "tenants/ten_31",
            95,
        ),
    ]
}

fn live() -> Vec<LiveCall> {
    let call =
        |id: &str, tenant: &str, model: &str, provider: &str, operation, held: &str| LiveCall {
            id: id.to_owned(),
            tenant: tenant.to_owned(),
            model: model.to_owned(),
            provider: provider.to_owned(),
            operation,
            held: credits(held),
            at: minutes_ago(0),
        };
    vec![
        call(
            "gen_a",
            "Harbour Light Studio",
            "claude-sonnet-4-5",
            "anthropic",
            Operation::Chat,
            "0.45",
        ),
        call(
            "gen_b",
            "北辰科技",
            "qwen3-max",
            "aliyun",
            Operation::Chat,
            "0.08",
        ),
        call(
            "gen_c",
            "Northwind Labs",
            "gpt-image-1",
            "openai",
            Operation::Image,
            "0.7",
        ),
        call(
            "gen_d",
            "云帆教育",
            "deepseek-chat",
            "deepseek",
            Operation::Chat,
            "0.024",
        ),
    ]
}

fn top_models() -> Vec<TopRow> {
    top(&[
        ("claude-sonnet-4-5", 318_204, "19302.5", 4_003, 9_978),
        ("gpt-5", 204_118, "11840.2205", 2_456, 9_941),
        ("gpt-image-1", 31_092, "8705.76", 1_806, 9_902),
        ("deepseek-chat", 522_840, "4227.18", 877, 9_985),
        ("qwen3-max", 120_033, "2104.9", 437, 9_970),
    ])
}

fn top_tenants() -> Vec<TopRow> {
    top(&[
        ("北辰科技", 402_113, "15021.774125", 3_116, 9_981),
        ("Harbour Light Studio", 210_884, "11530.98", 2_392, 9_969),
        ("Northwind Labs", 188_201, "9904.25", 2_054, 9_912),
        ("云帆教育", 320_554, "6220.4", 1_290, 9_990),
        ("Atelier Corbeau", 41_092, "2870.1", 595, 9_950),
    ])
}

fn top_providers() -> Vec<TopRow> {
    top(&[
        ("openai", 361_004, "15402.11", 4_266, 9_930),
        ("anthropic", 318_204, "14477.3", 4_010, 9_978),
        ("deepseek", 522_840, "3382.4", 937, 9_985),
        ("aliyun", 120_033, "1683.92", 466, 9_970),
    ])
}

/// Nearly all calls succeed, with two dips.
fn success() -> Spark {
    let dip = |hour: i64| match hour {
        6 => 64,
        17 | 18 => 38,
        _ => 8 + hour * 7 % 11,
    };
    Spark {
        values: (0..24).map(|hour| Some(9_996 - dip(hour))).collect(),
    }
}

impl Typical for Dashboard {
    fn typical() -> Vec<Self> {
        vec![Self {
            range: Range::Day,
            calls: 1_284_903,
            calls_change: 840,
            calls_course: spark(53_000, 1),
            credits: credits("48210.774125"),
            credits_change: -215,
            credits_course: spark(2_000_000_000, 2),
            cost: known_cost(("36102.18", "12108.594125"), (172_004, 184_002)),
            margin_share: Some(2_511),
            margin_course: spark(504_000_000, 3),
            success: 9_962,
            success_course: success(),
            live_count: 312,
            latency: Quantiles {
                p50: 2_140,
                p95: 9_870,
                p99: 21_400,
            },
            first_token: Quantiles {
                p50: 612,
                p95: 1_740,
                p99: 3_910,
            },
            traffic: chart(
                hours(),
                Unit::Count,
                &[(Measure::Succeeded, 53_300), (Measure::Failed, 1_900)],
            ),
            money: chart(
                hours(),
                Unit::Credits,
                &[
                    (Measure::Charged, 2_008_000_000),
                    (Measure::Cost, 1_504_000_000),
                    (Measure::Margin, 504_000_000),
                ],
            ),
            first_token_course: chart(
                hours(),
                Unit::Milliseconds,
                &[
                    (Measure::P50, 610),
                    (Measure::P95, 1_740),
                    (Measure::P99, 3_900),
                ],
            ),
            latency_course: chart(
                hours(),
                Unit::Milliseconds,
                &[
                    (Measure::P50, 2_140),
                    (Measure::P95, 9_870),
                    (Measure::P99, 21_400),
                ],
            ),
            top_models: top_models(),
            top_tenants: top_tenants(),
            top_providers: top_providers(),
            live: live(),
            alerts: alerts(),
        }]
    }
}
