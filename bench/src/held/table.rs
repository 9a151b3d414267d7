//! Writes what held streams take as Markdown, against the aim. Measures nothing.

use std::fmt::Write;

use super::calls::Held;
use crate::compare::machine::Machine;
use crate::load::report::megabytes;

/// Of all processes of a target together.
const MEGABYTES_MAX: f64 = 512.0;

pub(super) fn render(machine: &Machine, streams: usize, found: &[Held]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, machine, streams).and_then(|()| rows(&mut text, streams, found));
    text
}

fn head(text: &mut String, machine: &Machine, streams: usize) -> std::fmt::Result {
    writeln!(text, "## Many slow streams at once\n")?;
    writeln!(
        text,
        "{}, {} cores of {}, Linux {}, {}. `target/release/bench held`: {streams} streams of 50 events, one a second, each on a \
         connection of its own, opened over {} s; each target alone, with fresh processes. Resident memory before, and the most while \
         all were open; events and CPU of Waule's processes in that time.\n",
        machine.date,
        machine.cores,
        machine.model,
        machine.kernel,
        machine.rustc,
        streams / super::OPENED_PER_SECOND as usize,
    )
}

fn rows(text: &mut String, streams: usize, found: &[Held]) -> std::fmt::Result {
    writeln!(
        text,
        "| target | each process, MB | together, MB | a stream, KB | aim: below {MEGABYTES_MAX} MB | events/s | cores | whole | charged exactly |\n|---|---|---|---|---|---|---|---|---|"
    )?;
    for held in found {
        let parts = held.parts.iter().map(|(name, before, most)| {
            format!(
                "`{name}` {:.0} → {:.0}",
                megabytes(*before),
                megabytes(*most)
            )
        });
        let together = megabytes(held.most_bytes);
        let before: u64 = held.parts.iter().map(|(_, before, _)| before).sum();
        let each = held.most_bytes.saturating_sub(before) as f64 / 1_024.0 / streams as f64;
        let exact = match &held.exact {
            None => "–",
            Some(exact) if exact.holds() => "yes",
            Some(_) => "**no**",
        };
        writeln!(
            text,
            "| {} | {} | {together:.0} | {each:.1} | {} | {:.0} | {:.2} | {} of {streams} | {exact} |",
            held.name.title(),
            parts.collect::<Vec<_>>().join(", "),
            if together < MEGABYTES_MAX {
                "yes"
            } else {
                "**no**"
            },
            held.events_per_second,
            held.cpu,
            held.whole,
        )?;
    }
    for held in found {
        if let Some(why) = &held.first_failure {
            writeln!(text, "\nFirst failure of {}: {why}", held.name.title())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::*;

    #[test]
    fn a_target_is_judged_by_all_its_processes_together() {
        let held = |most: u64| Held {
            name: Name::Postgres,
            parts: vec![("a", 20 << 20, most), ("b", 30 << 20, most)],
            most_bytes: 2 * most,
            events_per_second: 4_990.4,
            cpu: 0.5,
            whole: 4_999,
            first_failure: Some("cut".to_owned()),
            exact: None,
        };
        let text = render(
            &Machine::default(),
            5_000,
            &[held(255 << 20), held(257 << 20)],
        );
        assert!(
            text.contains(
                "| `a` 20 → 255, `b` 30 → 255 | 510 | 94.2 | yes | 4990 | 0.50 | 4999 of 5000 | – |"
            ),
            "{text}"
        );
        assert!(text.contains("| 514 | 95.0 | **no** |"), "{text}");
        assert!(text.contains("First failure of server + gateway, PostgreSQL: cut"));
    }
}
