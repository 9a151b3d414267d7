//! Writes what translation costs as Markdown, against the aim. Measures nothing.

use std::fmt::Write;

use super::Cost;
use crate::compare::machine::Machine;

/// CPU of one event's translation, in nanoseconds.
const NANOSECONDS_MAX: f64 = 2_000.0;

pub(super) fn render(machine: &Machine, rounds: usize, costs: &[Cost]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, machine, rounds).and_then(|()| rows(&mut text, costs));
    text
}

fn head(text: &mut String, machine: &Machine, rounds: usize) -> std::fmt::Result {
    writeln!(text, "## Translation between dialects\n")?;
    writeln!(
        text,
        "{}, {} cores of {}, Linux {}, {}. `target/release/bench translate`: {rounds} rounds, in each of which every pair has its turn; \
         streams of thoughts, a text and a call in pieces, event by event, on one thread. The median of the rounds, in nanoseconds an \
         event: the provider's meter alone, which is all that is done where tenant and provider speak the same; \
         reader and writer; and all of them.\n",
        machine.date, machine.cores, machine.model, machine.kernel, machine.rustc,
    )
}

fn rows(text: &mut String, costs: &[Cost]) -> std::fmt::Result {
    writeln!(
        text,
        "| provider | tenant | events | passed | translated | and metered | aim: translated below {NANOSECONDS_MAX} |\n|---|---|---|---|---|---|---|"
    )?;
    for cost in costs {
        writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.0} | {:.0} | {} |",
            cost.provider,
            cost.tenant,
            cost.events,
            cost.passed,
            cost.alone,
            cost.metered,
            if cost.alone < NANOSECONDS_MAX {
                "yes"
            } else {
                "**no**"
            },
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_judged_by_its_translation_alone() {
        let cost = |alone| Cost {
            provider: "a",
            tenant: "b",
            events: 300,
            passed: 900.0,
            alone,
            metered: alone + 900.0,
        };
        let text = render(&Machine::default(), 40, &[cost(1_200.4), cost(2_000.0)]);
        assert!(
            text.contains("| a | b | 300 | 900 | 1200 | 2100 | yes |"),
            "{text}"
        );
        assert!(
            text.contains("| a | b | 300 | 900 | 2000 | 2900 | **no** |"),
            "{text}"
        );
    }
}
