//! How far readers took what a generation put out, and what had been consumed by then: what a tenant
//! pays whose server died. Knows no reader and no money.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shared::units::{Family, Unit, Usage};

/// Places kept beyond what was taken; with more every second one is given up, in the tenant's favour.
const MARKS_MAX: usize = 64;
/// The part of what is written that is worth another line.
const TOLD_PART: u64 = 8;
/// However little more was taken, it is written after this time.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// What had been counted when the output was so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    offset: u64,
    output: u64,
}

/// Of a generation that runs.
#[derive(Debug, Default)]
pub(super) struct Taking {
    offset: u64,
    marks: Vec<Mark>,
}

impl Taking {
    /// The output is now `length` long, and holds `output` tokens.
    pub(super) fn put_out(&mut self, length: u64, output: u64) {
        let mark = Mark {
            offset: length,
            output,
        };
        if self.marks.len() >= MARKS_MAX {
            let mut number = 0;
            self.marks.retain(|_| {
                number += 1;
                // The first one is what was taken, or before it.
                number % 2 == 1
            });
        }
        self.marks.push(mark);
    }

    /// A reader took all before `offset`.
    pub(super) fn took(&mut self, offset: u64) {
        if offset <= self.offset {
            return;
        }
        self.offset = offset;
        // Of the places that were taken only the last one counts.
        let passed = self.marks.partition_point(|mark| mark.offset <= offset);
        self.marks.drain(..passed.saturating_sub(1));
    }

    /// Somebody who has only `offset` asks for the rest, and nobody else is there.
    pub(super) fn fell_back(&mut self, offset: u64) {
        let known = self.marks.first().is_some_and(|mark| mark.offset <= offset);
        if offset < self.offset && (known || offset == 0) {
            self.offset = offset;
        }
    }

    /// Output tokens in what was taken.
    pub(super) fn output(&self) -> u64 {
        at(&self.marks, self.offset)
    }

    /// What is left to be taken of an output of `length`; nothing where all was.
    pub(super) fn rest(&self, length: u64) -> Option<Arc<Untaken>> {
        (self.offset < length).then(|| self.untaken(length))
    }

    /// As [`Taking::rest`] of an output that goes on: never is all of it taken.
    pub(super) fn come(&self) -> Arc<Untaken> {
        self.untaken(u64::MAX)
    }

    fn untaken(&self, length: u64) -> Arc<Untaken> {
        Arc::new(Untaken {
            length,
            offset: AtomicU64::new(self.offset),
            told: Told::Marks(self.marks.clone()),
        })
    }
}

/// What is written of how far a generation has come while it runs: often while that is much of what it
/// gave, at least every two seconds, and not for each word.
#[derive(Debug)]
pub(super) struct Progress {
    /// Output tokens in what is written to have been taken.
    output: u64,
    at: Instant,
}

impl Progress {
    /// Nothing is written yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { output: 0, at: now }
    }

    /// Whether `output` tokens taken are worth a line; where time is short, only the first ones are, and
    /// what was taken for long.
    pub(super) fn is_due(&self, output: u64, now: Instant, is_time_short: bool) -> bool {
        let more = output.saturating_sub(self.output);
        let is_late = now.saturating_duration_since(self.at) >= TOLD_WITHIN;
        let is_much = more >= self.output / TOLD_PART && !is_time_short;
        more > 0 && (self.output == 0 || is_late || is_much)
    }

    /// It was written.
    pub(super) fn told(&mut self, output: u64, now: Instant) {
        *self = Self { output, at: now };
    }
}

fn at(marks: &[Mark], offset: u64) -> u64 {
    let passed = marks.partition_point(|mark| mark.offset <= offset);
    let last = passed.checked_sub(1).and_then(|last| marks.get(last));
    last.map_or(0, |mark| mark.output)
}

#[derive(Debug)]
enum Told {
    Marks(Vec<Mark>),
    /// An earlier life wrote what was taken.
    Usage(Usage),
}

/// Of a generation that ended before all of it was taken.
#[derive(Debug)]
pub(crate) struct Untaken {
    length: u64,
    offset: AtomicU64,
    told: Told,
}

impl Untaken {
    /// A whole answer, which is taken as a whole.
    pub(super) fn whole(length: u64) -> Arc<Self> {
        Arc::new(Self {
            length: length.max(1),
            offset: AtomicU64::new(0),
            told: Told::Marks(Vec::new()),
        })
    }

    /// As an earlier life left it.
    pub(super) fn remembered(usage: Usage) -> Arc<Self> {
        Arc::new(Self {
            length: u64::MAX,
            offset: AtomicU64::new(0),
            told: Told::Usage(usage),
        })
    }

    /// A reader took all before `offset`; tells whether that was the last of it.
    pub(super) fn took(&self, offset: u64) -> bool {
        let before = self.offset.fetch_max(offset, Ordering::AcqRel);
        before < self.length && offset >= self.length
    }

    /// All of it was taken; tells whether that is new.
    pub(super) fn took_all(&self) -> bool {
        self.took(self.length)
    }

    /// What of `all` had been consumed by the last byte that was taken; nothing where all was.
    pub(super) fn usage(&self, all: &Usage) -> Option<Usage> {
        let offset = self.offset.load(Ordering::Acquire);
        if offset >= self.length {
            return None;
        }
        Some(match &self.told {
            Told::Usage(usage) => usage.clone(),
            Told::Marks(_) if offset == 0 => Usage::default(),
            Told::Marks(marks) => part(all, at(marks, offset)),
        })
    }
}

/// `all` with no more than so many output tokens.
pub(super) fn part(all: &Usage, output: u64) -> Usage {
    let mut part = all.clone();
    for (unit, _) in all.measures() {
        // Pictures and sound are whole with their last byte.
        let is_made = matches!(
            unit.family(),
            Family::Output | Family::Image | Family::Pixel | Family::Video | Family::Audio
        );
        if is_made {
            part.set(unit, 0);
        }
    }
    part.set(Unit::OutputToken, output.min(all.output_total()));
    part.estimated = true;
    part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> Usage {
        Usage::of([
            (Unit::InputToken, 9),
            (Unit::CachedInputToken, 1),
            (Unit::OutputToken, 300),
            (Unit::ReasoningToken, 100),
        ])
    }

    #[test]
    fn who_took_five_tokens_has_taken_five() {
        let mut taking = Taking::default();
        for n in 1..=1_000 {
            taking.put_out(n * 10, n);
            if n <= 5 {
                taking.took(n * 10);
            }
        }
        assert_eq!(taking.output(), 5);
        let untaken = taking.rest(10_000).expect("something is left");
        let usage = untaken.usage(&all()).expect("not all was taken");
        assert_eq!(
            (
                usage.count(Unit::InputToken),
                usage.count(Unit::CachedInputToken)
            ),
            (9, 1)
        );
        assert_eq!(
            (
                usage.count(Unit::OutputToken),
                usage.count(Unit::ReasoningToken)
            ),
            (5, 0)
        );
        assert!(!untaken.took(9_999) && untaken.took(10_000) && !untaken.took(10_000));
        assert_eq!(untaken.usage(&all()), None, "all was taken");
        assert!(taking.rest(50).is_none());
    }

    #[test]
    fn what_is_written_is_little_behind_and_not_written_for_each_word() {
        let begun = Instant::now();
        let at = |tick: u64| begun + Duration::from_millis(tick * 100);
        let mut progress = Progress::new(begun);
        assert!(!progress.is_due(0, at(100), false), "nothing was taken");
        assert!(progress.is_due(1, begun, true), "the first word at once");
        // Forty words a second, looked at ten times a second for a minute.
        let mut lines = 0;
        for tick in 1..=600 {
            let taken = tick * 4;
            if progress.is_due(taken, at(tick), false) {
                progress.told(taken, at(tick));
                lines += 1;
            }
            let behind = taken - progress.output;
            assert!(behind <= (taken / TOLD_PART).min(80), "{behind} of {taken}");
        }
        assert!((20..70).contains(&lines), "{lines} lines");
        assert!(
            !progress.is_due(2_401, at(601), false),
            "one word is little"
        );
        assert!(
            progress.is_due(2_401, at(620), true),
            "after two seconds it is told"
        );
        progress.told(2_401, at(620));
        assert!(
            !progress.is_due(2_401, at(900), false),
            "nothing more was taken since"
        );
        assert!(
            !progress.is_due(4_000, at(625), true),
            "not where time is short"
        );
        assert!(progress.is_due(4_000, at(625), false), "else it is");
    }

    #[test]
    fn nothing_taken_is_nothing_and_a_whole_answer_is_taken_whole() {
        let mut taking = Taking::default();
        taking.put_out(10, 1);
        let untaken = taking.rest(10).expect("nothing was taken");
        assert_eq!(untaken.usage(&all()), Some(Usage::default()));
        let whole = Untaken::whole(500);
        assert_eq!(whole.usage(&all()), Some(Usage::default()));
        assert!(whole.took_all() && !whole.took_all());
        assert_eq!(whole.usage(&all()), None);
    }

    #[test]
    fn what_was_lost_on_the_way_was_not_taken() {
        let mut taking = Taking::default();
        for n in 1..=40 {
            taking.put_out(n * 10, n);
        }
        taking.took(100);
        taking.fell_back(90);
        assert_eq!(taking.output(), 10, "that place is not known any more");
        taking.fell_back(0);
        taking.took(20);
        assert!(taking.output() <= 2);
    }

    proptest! {
        #[test]
        fn the_count_is_never_above_what_was_put_out_by_then_and_the_memory_is_bounded(
            steps in prop::collection::vec((1_u64..500, 0_u64..20, 0_u64..2_000), 1..400),
        ) {
            let (mut taking, mut all) = (Taking::default(), vec![(0, 0)]);
            let mut taken = 0;
            for (bytes, tokens, take) in steps {
                let &(length, output) = all.last().expect("one");
                let (length, output) = (length + bytes, output + tokens);
                all.push((length, output));
                taking.put_out(length, output);
                taken = (taken + take).min(length);
                taking.took(taken);
                prop_assert!(taking.marks.len() <= MARKS_MAX);
                let exact = all.iter().rfind(|(offset, _)| *offset <= taken).expect("the first");
                prop_assert!(taking.output() <= exact.1);
                if taken == length {
                    prop_assert_eq!(taking.output(), output);
                }
            }
        }
    }
}
