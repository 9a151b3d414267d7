//! Writes the ledger's figures as Markdown, against the aims. Measures nothing.

use std::fmt::Write;

use super::LedgerArgs;
use super::pairs::Run;
use crate::compare::machine::Machine;

/// A case on a database, with its rounds.
#[derive(Debug)]
pub(super) struct LedgerRow {
    pub(super) database: &'static str,
    pub(super) case: &'static str,
    pub(super) runs: Vec<Run>,
}

impl LedgerRow {
    pub(super) fn new(database: &'static str, case: &'static str) -> Self {
        Self {
            database,
            case,
            runs: Vec::new(),
        }
    }

    pub(super) fn median(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    }

    pub(super) fn pairs(&self) -> f64 {
        self.median(|run| run.per_second)
    }
}

pub(super) fn render(machine: &Machine, args: &LedgerArgs, rows: &[LedgerRow]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, machine, args)
        .and_then(|()| figures(&mut text, rows))
        .and_then(|()| aims(&mut text, rows));
    text
}

fn head(text: &mut String, machine: &Machine, args: &LedgerArgs) -> std::fmt::Result {
    writeln!(text, "## The ledger\n")?;
    writeln!(
        text,
        "{}, {} cores of {}, Linux {}, {}. `target/release/bench ledger`: {} callers, each hold then \
         settle with its usage record, which is filed behind it meanwhile, {} rounds of {} s, medians; load generator and database share \
         the machine. The ledger's own check passes after the last round. Without group commit PostgreSQL \
         gets 32 writers with a connection each. Filled tables: {} entries, as many holds and usage \
         records.\n",
        machine.date,
        machine.cores,
        machine.model,
        machine.kernel,
        machine.rustc,
        args.callers,
        args.rounds,
        args.seconds,
        args.entries
    )
}

fn figures(text: &mut String, rows: &[LedgerRow]) -> std::fmt::Result {
    writeln!(
        text,
        "| database | case | pairs/s | p50 ms | p99 ms | operations a commit | statements a pair | filed after ms |\n\
         |---|---|---|---|---|---|---|---|"
    )?;
    for row in rows {
        writeln!(
            text,
            "| {} | {} | {:.0} | {:.1} | {:.1} | {:.0} | {:.2} | {:.0} |",
            row.database,
            row.case,
            row.pairs(),
            row.median(|run| run.p50_ms),
            row.median(|run| run.p99_ms),
            row.median(|run| run.batch),
            row.median(|run| run.statements),
            row.median(|run| run.behind_ms)
        )?;
    }
    Ok(())
}

fn aims(text: &mut String, rows: &[LedgerRow]) -> std::fmt::Result {
    writeln!(
        text,
        "\n| aim | wanted | measured | met |\n|---|---|---|---|"
    )?;
    for (database, wanted) in [("PostgreSQL", 20_000.0), ("SQLite", 40_000.0)] {
        let of = |place: usize| {
            let mut found = rows.iter().filter(|row| row.database.starts_with(database));
            found.nth(place)
        };
        let Some((hot, many, naive)) = of(0).zip(of(1)).zip(of(2)).map(|((a, b), c)| (a, b, c))
        else {
            continue;
        };
        let p99 = hot.median(|run| run.p99_ms);
        let (spread, times) = (many.pairs() / hot.pairs(), hot.pairs() / naive.pairs());
        let mut line = |aim: &str, wanted: String, measured: f64, met: bool| {
            let met = if met { "yes" } else { "no" };
            writeln!(
                text,
                "| {database}: {aim} | {wanted} | {measured:.2} | {met} |"
            )
        };
        let pairs = hot.pairs();
        line(
            "pairs/s, hot tenant",
            format!("at least {wanted}"),
            pairs,
            pairs >= wanted,
        )?;
        line("p99 ms, hot tenant", "below 15".to_owned(), p99, p99 < 15.0)?;
        line(
            "1,000 tenants over hot",
            "at least 0.8".to_owned(),
            spread,
            spread >= 0.8,
        )?;
        line(
            "over one transaction an operation",
            "at least 15".to_owned(),
            times,
            times >= 15.0,
        )?;
        if let Some(filled) = of(4) {
            let flat = filled.pairs() / hot.pairs();
            line(
                "filled tables over empty, hot",
                "flat".to_owned(),
                flat,
                flat >= 0.9,
            )?;
        }
    }
    Ok(())
}
