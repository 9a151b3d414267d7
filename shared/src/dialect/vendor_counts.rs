//! What vendors of rankings and vectors count, wherever they tell it: beside the answer as OpenAI does, in
//! Cohere's `meta`, or in words of their own. Knows no other part of an answer.

use super::Metered;
use super::counts::{Counts, believe};
use super::text_count::by_input;
use super::walk::{Walk, count};
use crate::units::{Family, MEASURE_MAX, Unit, Usage};

/// What an answer told.
#[derive(Debug, Default)]
pub(super) struct VendorCounts {
    counts: Counts,
    /// Tokens of pictures that stand beside the others.
    pictures: u64,
    /// Cohere's unit of rankings.
    pub(super) searches: u64,
}

impl VendorCounts {
    /// Takes a field at the top of an answer; whether it is one of usage.
    pub(super) fn take(&mut self, walk: &mut Walk<'_>, name: &[u8]) -> Option<bool> {
        match name {
            b"usage" | b"tokens" => self.report(walk)?,
            b"meta" if walk.peek()? == b'{' => walk.object(|walk, name| match name {
                b"tokens" | b"billed_units" => self.report(walk),
                _ => walk.value().map(drop),
            })?,
            _ => return Some(false),
        }
        Some(true)
    }

    fn report(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        let mut again = *walk;
        let counts = Counts::read(&mut again)?;
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let (mut pictures, mut total) = (0, 0);
        walk.object(|walk, name| {
            let number = count(walk.value()?).min(MEASURE_MAX);
            match name {
                b"search_units" => self.searches = self.searches.max(number),
                b"image_tokens" => pictures = number,
                b"total_tokens" => total = number,
                _ => {}
            }
            Some(())
        })?;
        // Cohere's and older models of DashScope's stand beside the texts; where a sum is told they are in it.
        if total == 0 {
            self.pictures = self.pictures.max(pictures);
        }
        self.counts.merge(counts);
        Some(())
    }

    /// What was consumed by input: as it was told, else as it was estimated, within the call's bounds.
    pub(super) fn consumed(&self, of: &Metered) -> Usage {
        let mut usage = if self.counts == Counts::default() && self.pictures > 0 {
            Usage::default()
        } else {
            by_input(of, self.counts)
        };
        usage.add(Unit::InputImageToken, self.pictures);
        // Neither writes anything, whatever is told.
        for unit in Family::Output.units() {
            usage.set(unit, 0);
        }
        if let Some(bounds) = &of.bounds {
            believe(&mut usage, bounds, 0);
        }
        usage
    }
}
