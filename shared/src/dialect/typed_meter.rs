//! Counts streams whose events each say what they are, as those of Bedrock and Cohere do, while they pass,
//! and says what becomes of each. A format says how one of its events is read ([`TypedSteps`]); nothing here
//! knows any.

use bytes::Bytes;

use super::counts::Counts;
use super::event::said;
use super::tally::Tally;
use super::text_count::TextCount;
use super::{Metered, StreamError, StreamMeter, Told, Verdict, told};
use crate::fault::{Fault, FaultKind};
use crate::units::{Fact, Facts, Unit, Usage};

/// What ends streams of some providers behind their last event.
const DONE: &[u8] = b"[DONE]";
/// Names of service tiers are short words.
const TIER_BYTES_MAX: usize = 32;

/// Where in a stream an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TypedMark {
    /// Nowhere that is known.
    #[default]
    Beside,
    /// In the answer.
    Answer,
    /// It tells why the answer ends; counts may follow.
    Stop,
    /// It is the last one.
    Last,
}

/// What one event or a whole answer says for billing.
#[derive(Debug, Default)]
pub(crate) struct TypedStep<'a> {
    pub(crate) mark: TypedMark,
    pub(crate) counts: Counts,
    /// What is said, as one part.
    pub(crate) tally: Tally,
    /// Of what was written to the cache, the tokens that live for an hour or longer.
    pub(crate) written_long: u64,
    /// The tier that it was served at, as it is written.
    pub(crate) tier: Option<&'a [u8]>,
    /// What went wrong, where it tells that.
    pub(crate) fault: Option<Fault>,
}

/// How one format is read.
#[derive(Debug)]
pub(crate) struct TypedSteps {
    /// Reads the data of an event; `None` where they are no JSON object.
    pub(crate) read: for<'a> fn(&'a [u8]) -> Option<TypedStep<'a>>,
    /// What an event that is called an error means.
    pub(crate) fault: fn(Option<Told>) -> Fault,
    /// Events that end a stream at its maximum, with what was consumed.
    pub(crate) ending: fn(&Usage) -> Bytes,
}

/// Notes the tier that is told, where it is a word.
pub(crate) fn note_tier(tier: Option<&[u8]>, facts: &mut Facts) {
    let is_word = |word: &&str| {
        (1..=TIER_BYTES_MAX).contains(&word.len())
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let word = tier.and_then(|word| std::str::from_utf8(word).ok());
    if let Some(word) = word.filter(is_word)
        && facts.get(Fact::Tier) != Some(word)
    {
        facts.note(Fact::Tier, word);
    }
}

/// Of the cache writes in `usage`, calls up to `long` those that live long.
pub(crate) fn part_writes(usage: &mut Usage, long: u64) {
    let moved = usage.cut(Unit::CacheWriteToken, long);
    usage.add(Unit::CacheWriteLongToken, moved);
}

/// An error in the words of the log.
pub(crate) fn in_stream(told: Option<Told>) -> String {
    let Some(told) = told else {
        return "the provider reported an error in the stream".to_owned();
    };
    let code = told.code.or(told.kind).unwrap_or_default();
    let message = told.message;
    format!("the provider reported an error in the stream: {code} {message}")
}

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// It was told why it ends.
    Ended,
    /// The last event came.
    Done,
    /// It was ended here, because more came than the call may bring.
    Stopped,
}

/// The running count of one stream.
#[derive(Debug)]
pub(crate) struct TypedMeter {
    count: TextCount,
    steps: &'static TypedSteps,
    stage: Stage,
    has_answer: bool,
    written_long: u64,
    facts: Facts,
}

impl TypedMeter {
    pub(crate) fn new(of: Metered, steps: &'static TypedSteps) -> Self {
        Self {
            count: TextCount::new(of),
            steps,
            stage: Stage::Open,
            has_answer: false,
            written_long: 0,
            facts: Facts::none(),
        }
    }

    fn take(&mut self, step: &TypedStep<'_>) {
        self.count.take(step.counts, &step.tally);
        self.written_long = self.written_long.max(step.written_long);
        note_tier(step.tier, &mut self.facts);
    }

    fn ending(&self) -> Bytes {
        let mut usage = self.usage();
        if let Some(bounds) = &self.count.of.bounds {
            // Nobody is told of more than is paid for.
            let surplus = usage.output_total().saturating_sub(bounds.output_max);
            usage.cut_from(super::counts::OUTPUT_CLASSES, surplus);
        }
        (self.steps.ending)(&usage)
    }

    /// What becomes of an event that is no object: a comment, or what clients that read objects stumble
    /// over.
    fn bare(data: &[u8], pass: Verdict, fault: fn(Option<Told>) -> Fault) -> Verdict {
        match told::error_in(data) {
            found @ Some(_) => Verdict::Broken(StreamError::told(found, fault)),
            None if data.is_empty() => pass,
            None => Verdict::Hide,
        }
    }
}

impl StreamMeter for TypedMeter {
    fn event(&mut self, event: &[u8]) -> Verdict {
        let said = said(event);
        let data = &*said.data;
        let pass = if said.marked > 0 {
            Verdict::Without(0..said.marked)
        } else {
            Verdict::Pass
        };
        let fault = self.steps.fault;
        if self.is_done() {
            // Behind the end only counts are of use.
            let mut step = (self.steps.read)(data).unwrap_or_default();
            step.tally = Tally::default();
            self.take(&step);
            return Verdict::Hide;
        }
        if said.is_error {
            return Verdict::Broken(StreamError::told(Some(told::refusal(data)), fault));
        }
        if data == DONE {
            self.stage = Stage::Done;
            return pass;
        }
        if data.first() != Some(&b'{') {
            return Self::bare(data, pass, fault);
        }
        let Some(mut step) = (self.steps.read)(data) else {
            let why = "an event is no JSON";
            return Verdict::Broken(Fault::new(FaultKind::InvalidAnswer, why).into());
        };
        let mut broken = step.fault.take().map(StreamError::from);
        if step.mark == TypedMark::Beside
            && broken.is_none()
            && let found @ Some(_) = told::error_in(data)
        {
            broken = Some(StreamError::told(found, fault));
        }
        let was_over = self.count.is_over();
        self.take(&step);
        if let Some(broken) = broken {
            return Verdict::Broken(broken);
        }
        // The part that went beyond the bound may be all there is, and its count may follow it.
        if !step.tally.is_nothing() && (was_over || self.count.is_told_over()) {
            self.stage = Stage::Stopped;
            return Verdict::Enough(self.ending());
        }
        self.has_answer |= step.mark != TypedMark::Beside;
        self.stage = self.stage.max(match step.mark {
            TypedMark::Beside | TypedMark::Answer => Stage::Open,
            TypedMark::Stop => Stage::Ended,
            TypedMark::Last => Stage::Done,
        });
        pass
    }

    fn is_done(&self) -> bool {
        self.stage >= Stage::Done
    }

    fn ended_by(&self, _: &[u8]) -> Option<&'static [u8]> {
        None
    }

    fn is_complete(&self, event: &[u8]) -> bool {
        let data = said(event).data;
        let is_object = || serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok();
        &*data == DONE || (data.first() == Some(&b'{') && is_object())
    }

    fn passed(&self) -> u64 {
        self.count.passed()
    }

    fn is_told(&self) -> bool {
        self.count.is_told()
    }

    fn is_whole(&self) -> bool {
        self.stage >= Stage::Ended
    }

    fn missing(&self) -> Option<Fault> {
        if !self.is_whole() {
            let why = "the stream ended without telling why the answer ends";
            return Some(Fault::new(FaultKind::Interrupted, why));
        }
        let is_empty = !self.has_answer && self.count.is_nothing();
        is_empty.then(|| Fault::new(FaultKind::InvalidAnswer, "the stream holds no answer"))
    }

    fn end(&self) -> &'static [u8] {
        b""
    }

    fn usage(&self) -> Usage {
        if self.count.is_nothing() && !self.count.has_told() && !self.is_whole() {
            return Usage::default().as_estimate();
        }
        let mut usage = self.count.usage(self.stage == Stage::Stopped);
        part_writes(&mut usage, self.written_long);
        usage.facts = self.facts.clone();
        usage
    }
}
