//! Writes how long lists and dashboards took as Markdown, against the aim. Measures nothing but the
//! size of tables.

use std::fmt::Write;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use hdrhistogram::Histogram;

use super::{ListsArgs, fill};
use crate::compare::machine::Machine;
use crate::failure::{Outcome, Step};

/// No question may take longer, for ninety-nine of a hundred.
const AIM_MS: f64 = 50.0;

/// A question with its times.
pub(super) struct ListRow {
    pub(super) name: &'static str,
    micros: Histogram<u64>,
    rows: usize,
}

impl ListRow {
    pub(super) fn new(name: &'static str) -> Outcome<Self> {
        Ok(Self {
            name,
            micros: Histogram::new(3).step(|| "a histogram".into())?,
            rows: 0,
        })
    }

    /// A question that was answered with so many rows.
    pub(super) fn add(&mut self, taken: Duration, rows: usize) -> Outcome<()> {
        self.rows += rows;
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        self.micros.record(micros).step(|| "a histogram".into())
    }

    pub(super) fn ms(&self, quantile: f64) -> f64 {
        self.micros.value_at_quantile(quantile) as f64 / 1_000.0
    }
}

/// What was built before anything was asked.
pub(super) struct Built {
    pub(super) records: i64,
    pub(super) adding_up: Duration,
    pub(super) tops: Duration,
    pub(super) checking: Duration,
    /// Table, and its bytes with indexes.
    pub(super) bytes: Vec<(String, i64)>,
}

#[derive(QueryableByName)]
struct SizeRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// The large tables with their indexes.
pub(super) async fn sizes(conn: &mut AsyncPgConnection) -> Outcome<Vec<(String, i64)>> {
    let text = "SELECT name, pg_total_relation_size(CAST(name AS regclass)) AS bytes \
         FROM unnest(ARRAY['usage_records', 'rollups']) AS t (name)";
    let rows: Vec<SizeRow> = diesel::sql_query(text)
        .load(conn)
        .await
        .step(|| "the size of tables".into())?;
    Ok(rows.into_iter().map(|row| (row.name, row.bytes)).collect())
}

pub(super) fn render(
    machine: &Machine,
    args: &ListsArgs,
    built: &Built,
    rows: &[ListRow],
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, machine, args, built).and_then(|()| figures(&mut text, rows));
    text
}

fn head(text: &mut String, machine: &Machine, args: &ListsArgs, built: &Built) -> std::fmt::Result {
    writeln!(text, "## Lists and dashboards\n")?;
    writeln!(
        text,
        "{}, {} cores of {}, Linux {}, {}. `target/release/bench lists`: PostgreSQL with {} usage records of {} days, \
         {} tenants of which {} make a third of the calls, {} audit entries; each question {} times, one after the \
         other, about another tenant, key, word or place each time; from the call of the room to its answer, on the \
         same machine. Aim: p99 below {AIM_MS:.0} ms.\n",
        machine.date,
        machine.cores,
        machine.model,
        machine.kernel,
        machine.rustc,
        args.records,
        fill::DAYS,
        args.tenants,
        fill::BUSY,
        args.audit,
        args.asks
    )?;
    let seconds = built.adding_up.as_secs_f64();
    writeln!(
        text,
        "All records were added up anew in {seconds:.0} s ({:.0} a second) and checked against the records in {:.0} s: \
         no differences. Finding the top tenants of all spans, in the background: {:.1} s. Sizes with indexes: {}.\n",
        built.records as f64 / seconds,
        built.checking.as_secs_f64(),
        built.tops.as_secs_f64(),
        built
            .bytes
            .iter()
            .map(|(name, bytes)| format!("{name} {:.1} GB", *bytes as f64 / 1e9))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn figures(text: &mut String, rows: &[ListRow]) -> std::fmt::Result {
    writeln!(
        text,
        "| question | rows | p50 ms | p99 ms | longest ms | met |\n|---|---|---|---|---|---|"
    )?;
    for row in rows {
        let asked = row.micros.len().max(1) as f64;
        let met = if row.ms(0.99) < AIM_MS { "yes" } else { "no" };
        writeln!(
            text,
            "| {} | {:.0} | {:.1} | {:.1} | {:.1} | {met} |",
            row.name,
            row.rows as f64 / asked,
            row.ms(0.5),
            row.ms(0.99),
            row.ms(1.0)
        )?;
    }
    Ok(())
}
