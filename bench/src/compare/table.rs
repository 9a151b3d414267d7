//! Writes a comparison as Markdown. Leaves arithmetic to `results` and judgement to `aims`.

use std::fmt::Write;

use super::aims::{self, Aim, Wanted};
use super::figures::{credits, join, median, spread};
use super::results::{Results, Spread, TargetResults};
use super::targets::Name;
use crate::load::report::megabytes;

pub(crate) fn render(results: &Results) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, results)
        .and_then(|()| aims_table(&mut text, &aims::judge(results)))
        .and_then(|()| calls(&mut text, results))
        .and_then(|()| streams(&mut text, results))
        .and_then(|()| constant_rate(&mut text, results))
        .and_then(|()| cpu(&mut text, results))
        .and_then(|()| memory(&mut text, results))
        .and_then(|()| start(&mut text, results))
        .and_then(|()| exactness(&mut text, results));
    text
}

fn head(text: &mut String, results: &Results) -> std::fmt::Result {
    let machine = &results.machine;
    writeln!(text, "## Compared with nginx\n")?;
    writeln!(
        text,
        "{}, {} cores of {}, Linux {}, {}. Mock provider, load generator and target share the \
         machine, so only ratios carry over to another one.\n",
        machine.date, machine.cores, machine.model, machine.kernel, machine.rustc
    )?;
    writeln!(
        text,
        "One interleaved run: {} rounds of {} s per target and phase, the order of targets turning \
         by one each round. Figures are medians over rounds; a ratio or a difference is taken \
         within each round first, and its smallest and largest round stand in brackets. Waule logs \
         at level `warn`, nginx without an access log.\n",
        results.rounds, results.seconds
    )?;
    writeln!(
        text,
        "Run it: `cargo build --release --workspace`, then `target/release/bench compare`."
    )
}

fn aims_table(text: &mut String, aims: &[Aim]) -> std::fmt::Result {
    writeln!(
        text,
        "\n### Aims\n\n| aim | wanted | measured | met |\n|---|---|---|---|"
    )?;
    for aim in aims {
        let (wanted, unit) = match aim.wanted {
            Wanted::AtLeast(bound) => (format!("at least {bound}"), ""),
            Wanted::Below(bound, unit) => (format!("below {bound} {unit}"), unit),
        };
        let met = match aim.is_met() {
            None => "not measured",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        let measured = spread(aim.measured, 2);
        writeln!(
            text,
            "| {} | {wanted} | {} | {met} |",
            aim.what,
            join(&measured, unit)
        )?;
    }
    Ok(())
}

fn calls(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(
        text,
        "\n### JSON answers, {} connections, closed loop\n",
        results.connections
    )?;
    writeln!(
        text,
        "| target | calls/s | share of nginx | p50 ms | p99 ms | failed |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for target in &results.targets {
        let ratio = aims::ratio_to_nginx(
            results,
            target.name,
            |target| &target.json,
            |r| r.per_second,
        );
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            target.name.title(),
            median(Spread::figure(&target.json, |report| report.per_second), 0),
            spread(ratio, 2),
            median(
                Spread::figure(&target.json, |report| report.latency.p50_ms),
                2
            ),
            median(
                Spread::figure(&target.json, |report| report.latency.p99_ms),
                2
            ),
            target.failed(),
        )?;
    }
    writeln!(
        text,
        "\n`failed` counts all phases: error statuses, broken answers, calls not sent."
    )
}

fn streams(text: &mut String, results: &Results) -> std::fmt::Result {
    let connections = results.stream_connections;
    writeln!(
        text,
        "\n### Streams of 50 chunks, {connections} connections, closed loop\n"
    )?;
    writeln!(
        text,
        "| target | streams/s | chunks/s | share of nginx | first chunk p50 ms | whole p50 ms | whole p99 ms |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|")?;
    for target in &results.targets {
        let ratio =
            aims::ratio_to_nginx(results, target.name, |t| &t.stream, |r| r.chunks_per_second);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            target.name.title(),
            median(
                Spread::figure(&target.stream, |report| report.per_second),
                0
            ),
            median(
                Spread::figure(&target.stream, |report| report.chunks_per_second),
                0
            ),
            spread(ratio, 2),
            median(
                Spread::figure(&target.stream, |report| report.first_byte.p50_ms),
                2
            ),
            median(
                Spread::figure(&target.stream, |report| report.latency.p50_ms),
                2
            ),
            median(
                Spread::figure(&target.stream, |report| report.latency.p99_ms),
                2
            ),
        )?;
    }
    writeln!(
        text,
        "\nChunks are counted as server-sent events, the finish and `[DONE]` included."
    )
}

fn constant_rate(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(
        text,
        "\n### JSON answers at a constant {} calls/s\n",
        results.rate
    )?;
    writeln!(
        text,
        "Latency counts from the scheduled time of each call.\n"
    )?;
    writeln!(
        text,
        "| target | p50 ms | p99 ms | p50 added ms | p99 added ms |"
    )?;
    writeln!(text, "|---|---|---|---|---|")?;
    let direct = results.target(Name::Direct);
    for target in &results.targets {
        let added = |figure| {
            let direct = direct.filter(|direct| direct.name != target.name)?;
            Spread::added(&target.rate, &direct.rate, figure)
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            target.name.title(),
            median(
                Spread::figure(&target.rate, |report| report.latency.p50_ms),
                3
            ),
            median(
                Spread::figure(&target.rate, |report| report.latency.p99_ms),
                3
            ),
            spread(added(|report| report.latency.p50_ms), 3),
            spread(added(|report| report.latency.p99_ms), 3),
        )?;
    }
    Ok(())
}

fn cpu(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(text, "\n### CPU time per call, in microseconds\n")?;
    writeln!(
        text,
        "| target | process | JSON answer | stream |\n|---|---|---|---|"
    )?;
    for target in &results.targets {
        for part in &target.memory {
            let used = |reports: &[crate::load::report::Report]| {
                Spread::of(
                    reports
                        .iter()
                        .filter_map(|report| report.cpu_micros_per_call(part.pid)),
                )
            };
            writeln!(
                text,
                "| {} | {} | {} | {} |",
                target.name.title(),
                part.name,
                median(used(&target.json), 0),
                median(used(&target.stream), 0),
            )?;
        }
    }
    Ok(())
}

fn memory(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(text, "\n### Resident memory, in MB\n")?;
    writeln!(
        text,
        "| target | process | idle | after load | peak |\n|---|---|---|---|---|"
    )?;
    for target in &results.targets {
        for part in &target.memory {
            writeln!(
                text,
                "| {} | {} | {:.1} | {:.1} | {:.1} |",
                target.name.title(),
                part.name,
                megabytes(part.idle.resident_bytes),
                megabytes(part.loaded.resident_bytes),
                megabytes(part.loaded.peak_bytes),
            )?;
        }
    }
    writeln!(
        text,
        "\nnginx and PostgreSQL are sums over their processes; shared pages count in each."
    )
}

fn start(text: &mut String, results: &Results) -> std::fmt::Result {
    let Some(starts) = &results.starts else {
        return Ok(());
    };
    writeln!(
        text,
        "\n### Start of `waule` to its first answered chat request\n"
    )?;
    let show = |values: &[f64]| join(&spread(Spread::of(values.iter().copied()), 0), "ms");
    writeln!(text, "- empty data folder: {}", show(&starts.fresh_ms))?;
    writeln!(
        text,
        "- existing data folder: {}",
        show(&starts.existing_ms)
    )
}

fn exactness(text: &mut String, results: &Results) -> std::fmt::Result {
    let checked: Vec<_> = results
        .targets
        .iter()
        .filter_map(|target| Some((target, target.exact.as_ref()?)))
        .collect();
    if checked.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n### Is every call charged exactly?\n")?;
    for (target, exact) in checked {
        let TargetResults { name, .. } = target;
        writeln!(
            text,
            "- {}: exact: {}. {} calls succeeded at {} credits, so {} are due; used {}, held {} \
             after {:.1} s, available {} of {}.",
            name.title(),
            if exact.holds() { "yes" } else { "**no**" },
            exact.succeeded,
            credits(exact.price_micros),
            credits(exact.expected_micros()),
            credits(exact.used_micros),
            credits(exact.held_micros),
            exact.waited.as_secs_f64(),
            credits(exact.available_micros),
            credits(exact.granted_micros),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
