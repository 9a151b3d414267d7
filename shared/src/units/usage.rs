//! What one generation consumed: how much of which unit, and what is known beside.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

use super::{Facts, Family, Unit};

/// A measure larger than this is a provider's bug, not a usage.
pub const MEASURE_MAX: u64 = 1 << 40;

/// Units of one generation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Usage {
    measures: Measures,
    /// What prices may depend on beside the counts.
    #[serde(skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
    /// Whether counts are Waule's estimate, because the provider's never arrived or were zero for
    /// what it wrote.
    #[serde(skip_serializing_if = "is_false")]
    pub estimated: bool,
    /// Whether the provider counted more than the call can bring, and these counts were cut to that:
    /// they are estimates then too.
    #[serde(skip_serializing_if = "is_false")]
    pub capped: bool,
    /// Whether more was written than the call's maximum: the tenant pays at most what was held, and
    /// the rest is the platform's loss.
    #[serde(skip_serializing_if = "is_false")]
    pub overrun: bool,
}

/// Counts by unit: each unit once and none with zero, in the order of units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Measures(SmallVec<[(Unit, u64); 4]>);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Measures {
    fn at(&self, unit: Unit) -> Result<usize, usize> {
        self.0.binary_search_by_key(&unit, |(unit, _)| *unit)
    }

    fn set(&mut self, unit: Unit, count: u64) {
        match (self.at(unit), count) {
            (Ok(at), 0) => drop(self.0.remove(at)),
            (Ok(at), count) => self.0[at].1 = count,
            (Err(_), 0) => {}
            (Err(at), count) => self.0.insert(at, (unit, count)),
        }
    }
}

impl Usage {
    /// So much of these units.
    pub fn of(measures: impl IntoIterator<Item = (Unit, u64)>) -> Self {
        let mut usage = Self::default();
        for (unit, count) in measures {
            usage.add(unit, count);
        }
        usage
    }

    /// The same, as an estimate.
    #[must_use]
    pub fn as_estimate(self) -> Self {
        Self {
            estimated: true,
            ..self
        }
    }

    /// How much of a unit.
    pub fn count(&self, unit: Unit) -> u64 {
        let at = self.measures.at(unit).ok();
        at.and_then(|at| self.measures.0.get(at))
            .map_or(0, |(_, count)| *count)
    }

    /// Adds to a unit.
    pub fn add(&mut self, unit: Unit, count: u64) {
        self.set(unit, self.count(unit).saturating_add(count));
    }

    /// Puts a count in place of the one that is there.
    pub fn set(&mut self, unit: Unit, count: u64) {
        self.measures.set(unit, count);
    }

    /// Takes up to `most` from a unit; answers how much there was to take.
    pub fn cut(&mut self, unit: Unit, most: u64) -> u64 {
        let count = self.count(unit);
        let cut = most.min(count);
        self.set(unit, count.saturating_sub(cut));
        cut
    }

    /// Takes so much from these units together, from the first on.
    pub fn cut_from(&mut self, units: impl IntoIterator<Item = Unit>, surplus: u64) {
        let mut left = surplus;
        for unit in units {
            left = left.saturating_sub(self.cut(unit, left));
        }
    }

    /// What was consumed, in the order of units.
    pub fn measures(&self) -> impl Iterator<Item = (Unit, u64)> {
        self.measures.0.iter().copied()
    }

    /// How much of all units of a family.
    pub fn total(&self, family: Family) -> u64 {
        let of_family = self.measures().filter(|(unit, _)| unit.family() == family);
        of_family.fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// All input tokens, whatever their class.
    pub fn input_total(&self) -> u64 {
        self.total(Family::Input)
    }

    /// All output tokens, reasoning included.
    pub fn output_total(&self) -> u64 {
        self.total(Family::Output)
    }

    /// Whether nothing at all was consumed: such a call costs nothing, a price per request included.
    pub fn is_nothing(&self) -> bool {
        self.measures.0.is_empty()
    }
}

impl Serialize for Measures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(unit, count)| (unit, count)))
    }
}

/// As this version writes it, or as those before did, with a field for each of eight units: outcomes
/// that they left on disk are settled by this one.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Written {
    measures: BTreeMap<Unit, u64>,
    facts: Facts,
    estimated: bool,
    capped: bool,
    overrun: bool,
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    images: u64,
    media_ms: u64,
    characters: u64,
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let before = [
            (Unit::InputToken, written.input_tokens),
            (Unit::CachedInputToken, written.cached_input_tokens),
            (Unit::CacheWriteToken, written.cache_write_tokens),
            (Unit::OutputToken, written.output_tokens),
            (Unit::ReasoningToken, written.reasoning_tokens),
            (Unit::Image, written.images),
            (Unit::AudioMs, written.media_ms),
            (Unit::Character, written.characters),
        ];
        Ok(Self {
            facts: written.facts,
            estimated: written.estimated,
            capped: written.capped,
            overrun: written.overrun,
            ..Self::of(written.measures.into_iter().chain(before))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Fact;
    use super::*;

    #[test]
    fn counts_are_kept_by_unit_and_summed_by_family() {
        let mut usage = Usage::of([
            (Unit::OutputToken, 5),
            (Unit::InputToken, 100),
            (Unit::CachedInputToken, 0),
            (Unit::ReasoningToken, 7),
            (Unit::InputToken, 1),
        ]);
        assert_eq!(usage.count(Unit::InputToken), 101);
        assert_eq!((usage.input_total(), usage.output_total()), (101, 12));
        assert_eq!(usage.measures().count(), 3, "zeros are not kept");
        assert_eq!(usage.cut(Unit::ReasoningToken, 100), 7);
        assert_eq!(usage.cut(Unit::ReasoningToken, 100), 0);
        assert_eq!(usage.cut(Unit::InputToken, 1), 1);
        assert_eq!(usage.output_total(), 5);
        usage.set(Unit::InputToken, 0);
        usage.set(Unit::OutputToken, 0);
        assert!(usage.is_nothing());
    }

    #[test]
    fn what_earlier_versions_wrote_is_read() {
        let before = r#"{"input_tokens":3,"cached_input_tokens":0,"cache_write_tokens":1,"output_tokens":9,
            "reasoning_tokens":2,"images":1,"media_ms":0,"characters":4,"estimated":true,"overrun":true}"#;
        let usage: Usage = serde_json::from_str(before).expect("read");
        let counts = [
            (Unit::InputToken, 3),
            (Unit::CacheWriteToken, 1),
            (Unit::OutputToken, 9),
            (Unit::ReasoningToken, 2),
            (Unit::Image, 1),
            (Unit::Character, 4),
        ];
        assert!(usage.measures().eq(counts));
        assert!(usage.estimated && usage.overrun && !usage.capped);
        assert!(serde_json::from_str::<Usage>(r#"{"measures":{"parsec":1}}"#).is_err());
    }

    fn usage() -> impl Strategy<Value = Usage> {
        let all: Vec<Unit> = Unit::all().collect();
        let measure = (proptest::sample::select(all), 0..MEASURE_MAX);
        (
            proptest::collection::vec(measure, 0..8),
            any::<[bool; 3]>(),
            proptest::option::of("[a-z0-9]{1,9}"),
        )
            .prop_map(|(measures, [estimated, capped, overrun], size)| Usage {
                facts: Facts::none().with(Fact::Size, size.as_deref()),
                estimated,
                capped,
                overrun,
                ..Usage::of(measures)
            })
    }

    proptest! {
        #[test]
        fn it_is_read_as_it_was_written(usage in usage()) {
            let json = serde_json::to_string(&usage).expect("written");
            prop_assert_eq!(serde_json::from_str::<Usage>(&json).expect("read"), usage);
        }
    }
}
