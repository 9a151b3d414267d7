//! The scale of a chart: round numbers around all values, zero always among them.
//! Draws nothing.

/// The height of every drawing in its own units; the page stretches it.
pub(super) const HEIGHT: i128 = 1_000;

/// How many steps a scale has at most.
const STEPS_MAX: i128 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    lowest: i128,
    highest: i128,
    step: i128,
}

/// The least of 1, 2, 5, 10, 20, 50 and so on that is not less than `number`.
fn round_up(number: i128) -> i128 {
    let mut power: i128 = 1;
    loop {
        for leading in [1, 2, 5] {
            if leading * power >= number {
                return leading * power;
            }
        }
        power *= 10;
    }
}

impl Scale {
    /// Around these values.
    pub(super) fn of(values: impl Iterator<Item = i128>) -> Self {
        let (lowest, highest) = values.fold((0, 0), |(low, high): (i128, i128), value| {
            (low.min(value), high.max(value))
        });
        let step = round_up((highest - lowest + STEPS_MAX - 1) / STEPS_MAX);
        let down = lowest.div_euclid(step) * step;
        let up = (highest + step - 1).div_euclid(step) * step;
        Self {
            lowest: down,
            // All values zero: one step, so that there is a scale at all.
            highest: if up == down { down + step } else { up },
            step,
        }
    }

    /// From a little below the least value to the highest: for courses without numbers beside them,
    /// where only the shape matters.
    pub(super) fn close(values: impl Iterator<Item = i128>) -> Self {
        let (lowest, highest) = values.fold((i128::MAX, i128::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if lowest >= highest {
            return Self::of(std::iter::once(lowest.min(highest)));
        }
        let room = (highest - lowest + 3) / 4;
        Self {
            lowest: lowest - room,
            highest,
            step: room,
        }
    }

    /// Where a value stands, counted from the top.
    pub(super) fn y(&self, value: i128) -> i128 {
        let range = self.highest - self.lowest;
        let above = value.clamp(self.lowest, self.highest) - self.lowest;
        HEIGHT - above * HEIGHT / range
    }

    /// The round numbers from the highest to the lowest.
    pub(super) fn ticks(&self) -> impl Iterator<Item = i128> {
        let steps = (self.highest - self.lowest) / self.step;
        (0..=steps).map(|place| self.highest - place * self.step)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scale_has_few_round_steps() {
        let ticks =
            |values: &[i128]| -> Vec<i128> { Scale::of(values.iter().copied()).ticks().collect() };
        assert_eq!(ticks(&[3, 7, 92]), [100, 80, 60, 40, 20, 0]);
        assert_eq!(ticks(&[]), [1, 0]);
        assert_eq!(ticks(&[-30, 70]), [80, 60, 40, 20, 0, -20, -40]);
        assert_eq!(ticks(&[2]), [2, 1, 0]);
    }

    #[test]
    fn a_course_fills_its_height_and_one_without_change_is_flat() {
        let close = Scale::close([9_900, 9_960, 9_980].into_iter());
        assert_eq!((close.y(9_980), close.y(9_900)), (0, 800));
        let flat = Scale::close([7, 7].into_iter());
        assert!((0..=HEIGHT).contains(&flat.y(7)));
    }

    proptest! {
        #[test]
        fn every_value_is_inside(values in proptest::collection::vec(any::<i64>(), 0..20)) {
            let scale = Scale::of(values.iter().map(|value| i128::from(*value)));
            for value in values {
                prop_assert!((0..=HEIGHT).contains(&scale.y(i128::from(value))));
                prop_assert!(i128::from(value) >= scale.lowest);
                prop_assert!(i128::from(value) <= scale.highest);
            }
            prop_assert!(scale.ticks().count() <= 8);
        }
    }
}
