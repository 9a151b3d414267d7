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
    /// Around these values; up to `one` where all of them are zero.
    pub(super) fn of(values: impl Iterator<Item = i128>, one: i128) -> Self {
        let (lowest, highest) = values.fold((0, 0), |(low, high): (i128, i128), value| {
            (low.min(value), high.max(value))
        });
        if (lowest, highest) == (0, 0) {
            // One step of a size that says something, so that there is a scale at all.
            return Self {
                lowest: 0,
                highest: one,
                step: one,
            };
        }
        let step = round_up((highest - lowest + STEPS_MAX - 1) / STEPS_MAX);
        let down = lowest.div_euclid(step) * step;
        let up = (highest + step - 1).div_euclid(step) * step;
        Self {
            lowest: down,
            highest: up,
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
            return Self::of(std::iter::once(lowest.min(highest)), 1);
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
mod tests;
