//! Ordinary contents of the log of calls and of a call's story.

use super::{Typical, arithmetic, calls, credits, entries, line, list, minutes_ago};
use crate::admin::usage::{CallPage, Counts, HoldView, PhaseRow, TryRow, UnknownEnd, UsageLog};
use crate::form::Form;
use crate::parts::Arithmetic;
use crate::words::{CallNote, CallStatus, Operation, Phase, PriceItem, TryResult};

impl Typical for UsageLog {
    fn typical() -> Vec<Self> {
        let all = Self {
            list: list(&[], None),
            rows: calls(true),
        };
        let mut filtered = Self {
            list: list(
                &[("tenant", "Harbour Light Studio"), ("status", "failed")],
                None,
            ),
            rows: Vec::new(),
        };
        filtered.list.next = None;
        filtered.list.previous = Some("c_11".to_owned());
        vec![all, filtered]
    }
}

pub(super) fn counts() -> Counts {
    Counts {
        input: 1_210,
        cached_input: 630,
        cache_write: 0,
        output: 402,
        reasoning: 110,
        images: 0,
        media_ms: 0,
        characters: 0,
        estimated: false,
    }
}

fn tries() -> Vec<TryRow> {
    let attempt =
        |number, provider: &str, last4: &str, times: (u64, u64), status, result, detail: &str| {
            TryRow {
                number,
                provider: provider.to_owned(),
                model: "claude-sonnet-4-5".to_owned(),
                gateway: "sin-1".to_owned(),
                key_last4: last4.to_owned(),
                started_ms: times.0,
                duration_ms: times.1,
                status,
                result,
                detail: detail.to_owned(),
            }
        };
    vec![
        attempt(
            1,
            "anthropic",
            "b7Qe",
            (96, 204),
            429,
            TryResult::NextKey,
            "rate_limit_error: requests per minute",
        ),
        attempt(
            2,
            "anthropic",
            "k2Mz",
            (300, 7_220),
            200,
            TryResult::Answered,
            "",
        ),
    ]
}

impl Typical for CallPage {
    fn typical() -> Vec<Self> {
        let phase = |phase, start_ms, length_ms| PhaseRow {
            phase,
            start_ms,
            length_ms,
        };
        let went_well = Self {
            id: "gen_5hq2xk81".to_owned(),
            request_id: "req_77b1c02e".to_owned(),
            status: CallStatus::Succeeded,
            fault: None,
            notes: Vec::new(),
            lost: credits("0"),
            unknown: None,
            operation: Operation::Chat,
            test: false,
            at: minutes_ago(1),
            tenant_id: "ten_8f2k41".to_owned(),
            tenant: "Harbour Light Studio".to_owned(),
            person: None,
            key: Some("production".to_owned()),
            key_last4: Some("x7qa".to_owned()),
            model: "claude-sonnet-4-5".to_owned(),
            price_id: "pri_2".to_owned(),
            first_byte_ms: 1_204,
            duration_ms: 7_532,
            hold: HoldView {
                amount: credits("0.45"),
                lowered_to: Some(4_096),
                released: credits("0.436776"),
            },
            phases: vec![
                phase(Phase::Admit, 0, 1),
                phase(Phase::Hold, 1, 6),
                phase(Phase::Link, 7, 89),
                phase(Phase::Wait, 96, 1_108),
                phase(Phase::Stream, 1_204, 6_316),
                phase(Phase::Settle, 7_520, 7),
            ],
            tries: tries(),
            counts: counts(),
            charge: arithmetic(),
            cost: Some(Arithmetic {
                lines: vec![
                    line(PriceItem::Input, 1_210, "2.7", "0.003267"),
                    line(PriceItem::CachedInput, 630, "0.27", "0.0001701"),
                    line(PriceItem::Output, 512, "13.5", "0.006912"),
                ],
                subtotal: "0.0103491".to_owned(),
                multiplier_ppm: 1_000_000,
                total: credits("0.01035"),
            }),
            margin: Some(credits("0.002874")),
            entries: entries().into_iter().take(2).collect(),
        };
        let mut failed = went_well.clone();
        failed.status = CallStatus::Failed;
        failed.fault =
            Some("The provider was overloaded on every key; nothing was charged.".to_owned());
        failed.person = Some("Jonas Weber".to_owned());
        failed.margin = Some(credits("-0.01035"));
        let [overrun, mut unknown] = odd(&went_well);
        (unknown.cost, unknown.margin) = (None, None);
        vec![went_well, failed, overrun, unknown]
    }
}

/// One that came to more than was asked for, and one whose end nobody knows.
fn odd(ordinary: &CallPage) -> [CallPage; 2] {
    let mut overrun = ordinary.clone();
    overrun.notes = vec![CallNote::Overrun, CallNote::ProviderOverrun];
    overrun.lost = credits("0.0021");
    let mut unknown = ordinary.clone();
    unknown.status = CallStatus::Unknown;
    unknown.unknown = Some(UnknownEnd {
        held: credits("0.45"),
        ask_until: minutes_ago(0),
        promised: false,
        settle: Form::default(),
        release: Form::default(),
    });
    [overrun, unknown]
}
