//! What a tenant is sent of each recorded answer of a provider, whole and as a stream, by way of both
//! dialects in the order in which the gateway asks them.

use std::fmt::Write;

use bytes::Bytes;
use shared::dialect::neutral::{AnswerShown, ChatAnswer, Translator};
use shared::dialect::{Dialect, Judged, Metered, Verdict};
use shared::sse::{Events, Keep};
use shared::units::Usage;

use crate::fold::{Fold, plain, unordered};
use crate::pretty::pretty;
use crate::recorded::{Answered, answers};
use crate::{PROVIDERS, TENANTS, room, snapshot, translator};

/// Bytes that come at once: less than an event, and no divisor of any.
const PIECE: usize = 13;

fn metered() -> Metered {
    Metered {
        show_usage: true,
        input_bytes: 40,
        ..Metered::default()
    }
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "our-model".to_owned(),
        id: "gen1".to_owned(),
        created: 1_764_300_000,
        shows_usage: true,
        input_estimate: 9,
        repeated: bytes::Bytes::new(),
    }
}

/// Gives each event of a stream to `each`.
pub(crate) fn each_event(stream: &[u8], mut each: impl FnMut(&[u8])) {
    let (mut events, mut out) = (Events::default(), Vec::new());
    for piece in stream.chunks(PIECE) {
        let pushed = events.push(Bytes::copy_from_slice(piece), &mut out, |event| {
            each(event);
            Keep::Nothing
        });
        pushed.expect("small events");
    }
    assert!(events.is_between(), "the stream ends within an event");
}

/// The stream that a tenant is sent, and what was consumed.
fn translated(
    from: &dyn Dialect,
    reads: &dyn Translator,
    writes: &dyn Translator,
    stream: &[u8],
) -> (Vec<u8>, Usage) {
    let mut meter = from.meter(metered());
    let (mut reader, mut writer) = (reads.stream_reader(), writes.stream_writer(shown()));
    let mut out = Vec::new();
    each_event(stream, |event| match meter.event(event) {
        Verdict::Pass | Verdict::Without(_) => {
            reader.read(event, &mut |said| writer.write(said, &mut out));
        }
        Verdict::Hide => {}
        verdict @ (Verdict::Broken(_) | Verdict::Enough(_)) => {
            panic!("{verdict:?} for {}", String::from_utf8_lossy(event))
        }
    });
    assert_eq!(meter.missing(), None);
    assert!(meter.is_whole() && meter.is_told());
    writer.end(&meter.usage(), &mut out);
    (out, meter.usage())
}

/// The tenant's own meter finds its stream whole, with the provider's sums.
fn is_whole(tenant: &dyn Dialect, stream: &[u8], usage: &Usage, name: &str) {
    let mut meter = tenant.meter(metered());
    each_event(stream, |event| {
        let verdict = meter.event(event);
        let is_good = matches!(verdict, Verdict::Pass | Verdict::Without(_));
        assert!(
            is_good,
            "{name}: {verdict:?} {}",
            String::from_utf8_lossy(event)
        );
    });
    assert_eq!(meter.missing(), None, "{name}");
    assert!(meter.is_whole() && meter.is_told(), "{name}");
    assert!(tenant.ends(stream), "{name}");
    assert_eq!(sums(&meter.usage()), sums(usage), "{name}: of the stream");
}

fn sums(usage: &Usage) -> (u64, u64) {
    (usage.input_total(), usage.output_total())
}

fn merged(tenant: &dyn Translator, stream: &[u8]) -> ChatAnswer {
    let (mut reader, mut fold) = (tenant.stream_reader(), Fold::default());
    each_event(stream, |event| {
        reader.read(event, &mut |said| fold.take(said));
    });
    fold.answer()
}

/// The tenant's answer, whole and streamed.
fn told(provider: &str, tenant: &str, answered: &Answered) -> (Bytes, Vec<u8>) {
    let name = format!("{} from {provider} to {tenant}", answered.name);
    let (from, into) = (room(provider), room(tenant));
    let (reads, writes) = (translator(provider), translator(tenant));
    let whole = answered.whole();
    assert_eq!(from.judge(whole), Judged::Answer, "{name}");
    let usage = from.usage(metered(), whole).expect("usage");
    let answer = reads.read_answer(whole).expect("an answer");
    let written = writes.write_answer(&answer, &usage, &shown());
    assert_eq!(into.judge(&written), Judged::Answer, "{name}");
    let again = into.usage(metered(), &written).expect("usage");
    assert_eq!(sums(&again), sums(&usage), "{name}: of the whole answer");

    let (stream, streamed) = translated(from, reads, writes, &answered.stream(provider));
    let counts = |usage: &Usage| (usage.measures().collect::<Vec<_>>(), usage.estimated);
    assert_eq!(counts(&streamed), counts(&usage), "{name}");
    is_whole(into, &stream, &usage, &name);
    let read = writes.read_answer(&written).expect("an answer");
    // A chat's message has its thoughts, its text and its calls each in a field.
    let form = if tenant == "openai_chat" {
        unordered
    } else {
        plain
    };
    assert_eq!(form(merged(writes, &stream)), form(read), "{name}");
    (written, stream)
}

#[test]
fn every_answer_reaches_its_tenant_the_same_whole_and_streamed() {
    for (provider, _) in PROVIDERS {
        for tenant in TENANTS {
            let mut text = String::new();
            for answered in answers(provider) {
                let (whole, stream) = told(provider, tenant, &answered);
                let stream = String::from_utf8(stream).expect("UTF-8");
                let _ = writeln!(
                    text,
                    "=== {}\n{}\n--- as a stream\n{}",
                    answered.name,
                    pretty(&whole),
                    stream
                        .replace("\r\n", "\n")
                        .replace("\n\n", "\n")
                        .trim_end(),
                );
                text.push('\n');
            }
            if provider != tenant {
                snapshot(&format!("answers__{provider}__{tenant}"), &text);
            }
        }
    }
}

/// Where both speak the same, bytes pass: the meter alone looks at them.
#[test]
fn every_recorded_stream_is_whole_to_its_own_dialect() {
    for (provider, _) in PROVIDERS {
        for answered in answers(provider) {
            let stream = answered.stream(provider);
            let usage = room(provider).usage(metered(), answered.whole());
            let usage = usage.expect("usage");
            if TENANTS.contains(&provider) {
                is_whole(room(provider), &stream, &usage, &answered.name);
            }
            let read = translator(provider).read_answer(answered.whole());
            let read = read.expect("an answer");
            let merged = merged(translator(provider), &stream);
            assert_eq!(
                plain(merged),
                plain(read),
                "{} of {provider}",
                answered.name
            );
        }
    }
}
