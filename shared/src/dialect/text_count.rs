//! The running count of a stream of texts, and what it comes to: what the provider told, an estimate of
//! what that does not cover, and whether more came than the call may bring. Knows no format.

use super::Metered;
use super::counts::{Counts, OUTPUT_CLASSES, believe};
use super::tally::Tally;
use crate::units::{Unit, Usage};

/// One token stands for about four bytes; for bodies whose parts nobody counted.
const BYTES_PER_TOKEN: u64 = 4;
/// Empty parts and the first ones beside the text: a stream is not stopped for these.
const EVENTS_SLACK: u64 = 16;

/// What was told and said so far.
#[derive(Debug)]
pub(crate) struct TextCount {
    pub(crate) of: Metered,
    told: Counts,
    /// All that was said.
    all: Tally,
    /// What was said after the last report that counts output.
    uncovered: Tally,
}

impl TextCount {
    /// Of a stream that has not begun.
    pub(crate) fn new(of: Metered) -> Self {
        Self {
            of,
            told: Counts::default(),
            all: Tally::default(),
            uncovered: Tally::default(),
        }
    }

    /// Takes what one event told and said.
    pub(crate) fn take(&mut self, told: Counts, said: &Tally) {
        self.told.merge(told);
        self.all.add(said);
        if told.output > 0 {
            self.uncovered = Tally::default();
        } else {
            self.uncovered.add(said);
        }
    }

    /// Whether nothing was said.
    pub(crate) fn is_nothing(&self) -> bool {
        self.all.is_nothing()
    }

    /// The most tokens that what was said can be.
    #[cfg(test)]
    pub(crate) fn most_said(&self) -> u64 {
        self.all.most()
    }

    /// Whether output was told.
    pub(crate) fn has_told(&self) -> bool {
        self.told.output > 0
    }

    /// Whether the provider's own count covers all that came.
    pub(crate) fn is_told(&self) -> bool {
        self.has_told() && self.uncovered.is_nothing()
    }

    /// Whether the provider tells more than the call may bring.
    pub(crate) fn is_told_over(&self) -> bool {
        let bounds = self.of.bounds;
        bounds.is_some_and(|bounds| self.told.output > bounds.output_max)
    }

    /// Whether what came so far is more than is paid for. What the provider tells is exact. An estimate must
    /// be half above the bound with more parts than tokens are allowed, since a part is a token at least
    /// and four bytes a token count prose too high; or twice above it, however it came.
    pub(crate) fn is_over(&self) -> bool {
        let Some(bounds) = self.of.bounds else {
            return false;
        };
        // Input that is repeated is no output, however it is cut.
        let max = bounds.output_max.saturating_add(self.of.echoed);
        if self.uncovered.is_nothing() {
            return false;
        }
        let parts = self.told.output + self.uncovered.events();
        let weight = self.told.output + self.uncovered.by_weight();
        let half_above = max.saturating_add(max / 2).saturating_add(EVENTS_SLACK);
        let twice = max.saturating_mul(2).saturating_add(4 * EVENTS_SLACK);
        (parts > max.saturating_add(EVENTS_SLACK) && weight > half_above) || weight > twice
    }

    /// Output tokens in what passed so far, by estimate.
    pub(crate) fn passed(&self) -> u64 {
        let output = self.all.output(true).saturating_sub(self.of.echoed);
        output + self.all.reasoning(true)
    }

    /// What was consumed so far, as it was told or estimated.
    pub(crate) fn consumed(&self) -> Usage {
        consumed(&self.of, self.told, (&self.uncovered, &self.all), true)
    }

    /// What is charged of a stream that ends here; `was_stopped` by the bounds of the call.
    pub(crate) fn usage(&self, was_stopped: bool) -> Usage {
        let mut usage = self.consumed();
        if let (false, Some(bounds)) = (was_stopped, self.of.bounds) {
            // What only an estimate makes too much was not too much.
            let most = bounds.output_max.max(self.told.output);
            let surplus = usage.output_total().saturating_sub(most);
            usage.cut_from([Unit::OutputToken, Unit::ReasoningToken], surplus);
        }
        self.believed(usage)
    }

    /// Of what the provider tells alone.
    pub(crate) fn told(&self) -> Usage {
        self.told.usage()
    }

    /// Cut to what the call can bring.
    pub(crate) fn believed(&self, mut usage: Usage) -> Usage {
        if let Some(bounds) = &self.of.bounds {
            believe(&mut usage, bounds, self.all.most());
        }
        usage
    }
}

/// About what the input of a call is.
pub(crate) fn input_estimate(of: &Metered) -> u64 {
    of.bounds.map_or_else(
        || of.input_bytes.div_ceil(BYTES_PER_TOKEN),
        |bounds| bounds.input_estimate,
    )
}

/// What texts consumed, from what was told and what was said that it does not cover.
fn consumed(
    of: &Metered,
    told: Counts,
    (uncovered, all): (&Tally, &Tally),
    streamed: bool,
) -> Usage {
    let mut usage = told.usage();
    if !uncovered.is_nothing() {
        let output = uncovered.output(streamed).saturating_sub(of.echoed);
        usage.add(Unit::OutputToken, output);
        usage.add(Unit::ReasoningToken, uncovered.reasoning(streamed));
        usage.estimated = true;
    }
    // No input is empty: zero is what a provider says that does not count.
    if told.input == 0 && (usage.output_total() > 0 || !all.is_nothing()) {
        usage.set(Unit::InputToken, input_estimate(of));
        usage.estimated = true;
    }
    usage
}

/// What a whole answer in texts consumed, of what it told and said.
pub(crate) fn of_whole(of: &Metered, told: Counts, said: &Tally) -> Usage {
    let is_covered = told.output > 0;
    let uncovered = if is_covered { Tally::default() } else { *said };
    let mut usage = consumed(of, told, (&uncovered, said), false);
    if let Some(bounds) = &of.bounds {
        if usage.estimated && !is_covered {
            let surplus = usage.output_total().saturating_sub(bounds.output_max);
            usage.cut_from(OUTPUT_CLASSES, surplus);
        }
        believe(&mut usage, bounds, said.most());
    }
    usage
}

/// Of an answer that is counted by its input, which some tell as the sum alone.
pub(crate) fn by_input(of: &Metered, mut told: Counts) -> Usage {
    if told.input == 0 {
        (told.input, told.output) = (told.sum.max(told.output), 0);
    }
    let mut usage = told.usage();
    if told.input == 0 {
        usage.set(Unit::InputToken, input_estimate(of));
        usage.estimated = true;
    }
    usage
}
