//! Measures what translating one event of a provider's stream for a tenant of another dialect costs, alone
//! and with the meter that sees it before. Leaves the streams to `streams` and the text to `table`.

mod streams;
mod table;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use shared::dialect::neutral::{AnswerShown, Translator};
use shared::dialect::{self, Dialect, Metered, StreamError, Verdict};

use self::streams::stream;
use crate::compare::machine;
use crate::failure::{Failure, Outcome};
use crate::{say, sections};

const PROVIDERS: [&str; 6] = [
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
    "bedrock_converse",
    "cohere_chat",
];
const TENANTS: [&str; 4] = [
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
];
/// A pair is passed as often at once: long enough that reading the clock costs nothing.
const PASSES: u32 = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct TranslateArgs {
    /// Rounds, in each of which every pair has its turn.
    #[arg(long, default_value_t = 40)]
    rounds: usize,
    /// Markdown file to write.
    #[arg(long, default_value = "bench/RESULTS.md")]
    out: PathBuf,
}

/// What is done with each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// It is counted and passed on, as where both speak the same.
    Passed,
    /// It is translated.
    Alone,
    /// Both, as where they don't.
    Metered,
}

/// A pair of dialects with a stream of the provider's.
struct Pair {
    provider: &'static str,
    tenant: &'static str,
    from: &'static dyn Dialect,
    reads: &'static dyn Translator,
    writes: &'static dyn Translator,
    events: Vec<Vec<u8>>,
    /// What an event took, by rounds.
    passed: Vec<Duration>,
    alone: Vec<Duration>,
    metered: Vec<Duration>,
}

/// What was found of a pair.
struct Cost {
    provider: &'static str,
    tenant: &'static str,
    events: usize,
    /// The median of an event, in nanoseconds: the meter, reader and writer, and all of them.
    passed: f64,
    alone: f64,
    metered: f64,
}

fn room(name: &str) -> Outcome<(&'static dyn Dialect, &'static dyn Translator)> {
    let found = dialect::named(name).and_then(|room| Some((room, room.translator()?)));
    found.ok_or_else(|| Failure::new(format!("`{name}` is not translated")))
}

impl Pair {
    fn of(provider: &'static str, tenant: &'static str) -> Outcome<Self> {
        let (from, reads) = room(provider)?;
        let (_, writes) = room(tenant)?;
        Ok(Self {
            provider,
            tenant,
            from,
            reads,
            writes,
            events: stream(provider),
            passed: Vec::new(),
            alone: Vec::new(),
            metered: Vec::new(),
        })
    }

    /// One pass over the stream; says how many bytes were written.
    fn pass(&self, work: Work) -> Outcome<usize> {
        let shown = AnswerShown {
            model: "our-model".to_owned(),
            id: "gen1".to_owned(),
            created: 1_764_300_000,
            shows_usage: true,
            input_estimate: 100,
            repeated: bytes::Bytes::new(),
        };
        let mut meter = self.from.meter(Metered {
            show_usage: true,
            input_bytes: 400,
            ..Metered::default()
        });
        let mut reader = self.reads.stream_reader();
        let mut writer = self.writes.stream_writer(shown);
        let (mut out, mut written) = (Vec::new(), 0);
        for event in &self.events {
            if work != Work::Alone
                && let Verdict::Broken(StreamError { fault, .. }) = meter.event(event)
            {
                let why = format!("the stream of `{}` broke: {fault:?}", self.provider);
                return Err(Failure::new(why));
            }
            if work == Work::Passed {
                written += black_box(event).len();
                continue;
            }
            reader.read(event, &mut |said| writer.write(said, &mut out));
            // The gateway hands on what was written for each piece that came.
            written += out.len();
            black_box(&out);
            out.clear();
        }
        writer.end(&meter.usage(), &mut out);
        Ok(written + out.len())
    }

    fn measure(&self, work: Work) -> Outcome<Duration> {
        let begin = Instant::now();
        for _ in 0..PASSES {
            black_box(self.pass(work)?);
        }
        Ok(begin.elapsed())
    }

    fn cost(&self) -> Cost {
        let each = |rounds: &[Duration]| {
            let mut rounds = rounds.to_vec();
            rounds.sort_unstable();
            let median = rounds.get(rounds.len() / 2).copied().unwrap_or_default();
            median.as_secs_f64() * 1e9 / f64::from(PASSES) / self.events.len() as f64
        };
        Cost {
            provider: self.provider,
            tenant: self.tenant,
            events: self.events.len(),
            passed: each(&self.passed),
            alone: each(&self.alone),
            metered: each(&self.metered),
        }
    }
}

pub(crate) fn run(args: &TranslateArgs) -> Outcome<()> {
    let mut pairs = Vec::new();
    for provider in PROVIDERS {
        for tenant in TENANTS.into_iter().filter(|tenant| *tenant != provider) {
            pairs.push(Pair::of(provider, tenant)?);
        }
    }
    for round in 0..=args.rounds {
        for pair in &mut pairs {
            let passed = pair.measure(Work::Passed)?;
            let (alone, metered) = (pair.measure(Work::Alone)?, pair.measure(Work::Metered)?);
            // The first warms caches and finds out whether all is well.
            if round > 0 {
                pair.passed.push(passed);
                pair.alone.push(alone);
                pair.metered.push(metered);
            }
        }
    }
    let costs: Vec<Cost> = pairs.iter().map(Pair::cost).collect();
    let text = table::render(&machine::describe(), args.rounds, &costs);
    say(&text);
    sections::put(&args.out, "translate", &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_of_the_measurement_is_whole_and_says_something_to_every_tenant() {
        for provider in PROVIDERS {
            let (from, _) = room(provider).expect("a room");
            let mut meter = from.meter(Metered::default());
            for event in stream(provider) {
                let verdict = meter.event(&event);
                assert!(
                    !matches!(verdict, Verdict::Broken(_)),
                    "{provider}: {verdict:?}"
                );
            }
            assert!(meter.is_whole(), "{provider}");
            assert!(meter.usage().output_total() > 0, "{provider}");
            for tenant in TENANTS {
                let pair = Pair::of(provider, tenant).expect("a pair");
                let written = pair.pass(Work::Metered).expect("whole");
                assert!(written > 10_000, "{provider} {tenant}: {written}");
            }
        }
    }
}
