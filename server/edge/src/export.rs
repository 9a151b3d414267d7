//! Exports as CSV that streams: pages of a list become lines as the reader takes them. When the reader
//! goes away the body is dropped, and with it the list. Reads nothing itself.

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, once};
use poem::Body;
use poem_openapi::payload::Binary;
use poem_openapi::{ApiResponse, Enum};
use server_rules::ledger::Entry;
use server_rules::usage::counts::Consumed;
use server_store::audit::AuditEntry;
use server_store::usage::UsageRecord;
use shared::zone::Zone;

use super::csv::{self, BOM, Cell};
use super::date;

/// A file of comma-separated values, as it is made.
#[derive(Debug, ApiResponse)]
pub enum CsvFile {
    /// UTF-8, a header line first; text that a spreadsheet would take for a formula begins with `'`.
    #[oai(status = 200, content_type = "text/csv; charset=utf-8")]
    Made(
        Binary<Body>,
        /// The file's name
        #[oai(header = "content-disposition")]
        String,
    ),
}

/// Who reads an export of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A tenant.
    Tenant,
    /// A superadmin, who also sees the providers and their price.
    Superadmin,
}

/// Columns that everybody sees, then those of superadmins.
const USAGE_COLUMNS: [&str; 19] = [
    "created_at",
    "id",
    "user_id",
    "key_id",
    "test",
    "operation",
    "model",
    "status",
    "fault",
    "credits",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "images",
    "first_byte_ms",
    "duration_ms",
    "estimated",
];
const SUPERADMIN_COLUMNS: [&str; 6] = [
    "tenant_id",
    "provider",
    "provider_model",
    "cost",
    "attempts",
    "price_id",
];
const LEDGER_COLUMNS: [&str; 9] = [
    "created_at",
    "number",
    "kind",
    "reference",
    "available_delta",
    "held_delta",
    "charged",
    "available_after",
    "held_after",
];

const AUDIT_COLUMNS: [&str; 11] = [
    "at",
    "id",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "tenant_id",
    "action",
    "subject",
    "before",
    "after",
];

fn header(names: &[&str]) -> String {
    let mut out = String::new();
    let cells: Vec<Cell<'_>> = names.iter().map(|name| Cell::Own(name)).collect();
    csv::line(&mut out, &cells);
    out
}

fn text_or_empty(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn usage_line(out: &mut String, record: &UsageRecord, (reader, zone): (Reader, &Zone)) {
    let usage = &record.usage;
    let sums = Consumed::from(usage);
    let own = |value: &dyn ToString| value.to_string();
    let numbers = [
        own(&record.credits),
        own(&sums.input_tokens),
        own(&sums.cached_input_tokens),
        own(&sums.cache_write_tokens),
        own(&sums.output_tokens),
        own(&sums.reasoning_tokens),
        own(&sums.images),
        own(&record.first_byte_ms),
        own(&record.duration_ms),
        own(&usage.estimated),
    ];
    let (at, user) = (
        date::text_in(record.created_at, zone),
        text_or_empty(record.user.as_ref()),
    );
    let (key, test) = (text_or_empty(record.key.as_ref()), own(&record.test));
    let mut cells = vec![
        Cell::Own(&at),
        Cell::Own(record.id.as_str()),
        Cell::Own(&user),
        Cell::Own(&key),
        Cell::Own(&test),
        Cell::Own(record.operation.word()),
        Cell::Text(&record.model),
        Cell::Own(record.status.word()),
        Cell::Text(record.fault.as_deref().unwrap_or_default()),
    ];
    cells.extend(numbers.iter().map(|number| Cell::Own(number)));
    let (cost, attempts) = (text_or_empty(record.cost.as_ref()), own(&record.attempts));
    let price = text_or_empty(record.price.as_ref());
    if reader == Reader::Superadmin {
        cells.extend([
            Cell::Own(record.tenant.as_str()),
            Cell::Text(&record.provider),
            Cell::Text(&record.provider_model),
            Cell::Own(&cost),
            Cell::Own(&attempts),
            Cell::Own(&price),
        ]);
    }
    csv::line(out, &cells);
}

fn ledger_line(out: &mut String, entry: &Entry, zone: &Zone) {
    let amounts = [
        entry.available_delta,
        entry.held_delta,
        entry.charged,
        entry.balance_after,
        entry.held_after,
    ]
    .map(|amount| amount.to_string());
    let (at, number) = (date::text_in(entry.at, zone), entry.number.to_string());
    let mut cells = vec![
        Cell::Own(&at),
        Cell::Own(&number),
        Cell::Text(&entry.kind),
        Cell::Text(&entry.reference),
    ];
    cells.extend(amounts.iter().map(|amount| Cell::Own(amount)));
    csv::line(out, &cells);
}

/// A file of a header and the lines of each page.
fn file<T, E>(
    name: &str,
    head: String,
    pages: impl Stream<Item = Result<Vec<T>, E>> + Send + 'static,
    line: impl Fn(&mut String, &T) + Send + 'static,
) -> CsvFile
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let lines = pages.map(move |page| match page {
        Ok(rows) => {
            let mut out = String::new();
            for row in &rows {
                line(&mut out, row);
            }
            Ok(Bytes::from(out))
        }
        // The answer has begun: all that is left is to break it off, so that nobody takes it for whole.
        Err(error) => {
            tracing::error!(%error, "an export was broken off: {error}");
            Err(std::io::Error::other("the export was broken off"))
        }
    });
    let body = once(async { Ok(Bytes::from(head)) }).chain(lines);
    let name = format!("attachment; filename=\"{name}\"");
    CsvFile::Made(Binary(Body::from_bytes_stream(body)), name)
}

/// Whether a file begins with what Excel needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Excel {
    /// It does.
    #[oai(rename = "true")]
    True,
    /// It does.
    #[oai(rename = "1")]
    One,
    /// It does not.
    #[oai(rename = "false")]
    False,
    /// It does not.
    #[oai(rename = "0")]
    Zero,
}

impl Excel {
    /// As a page's query says it.
    pub fn of_query(query: Option<&str>) -> Option<Self> {
        let parts = query.into_iter().flat_map(|query| query.split('&'));
        let mut values = parts.filter_map(|part| part.strip_prefix("bom="));
        match values.next_back()? {
            "1" | "true" => Some(Self::True),
            _ => None,
        }
    }
}

fn opened(excel: Option<Excel>, header: String) -> String {
    match excel {
        Some(Excel::True | Excel::One) => format!("{BOM}{header}"),
        Some(Excel::False | Excel::Zero) | None => header,
    }
}

/// Usage records as a file, their moments in a zone, with its offset.
pub fn usage_file<E: std::fmt::Display + Send + 'static>(
    pages: impl Stream<Item = Result<Vec<UsageRecord>, E>> + Send + 'static,
    reader: Reader,
    (excel, zone): (Option<Excel>, Zone),
) -> CsvFile {
    let mut names = USAGE_COLUMNS.to_vec();
    if reader == Reader::Superadmin {
        names.extend(SUPERADMIN_COLUMNS);
    }
    let head = opened(excel, header(&names));
    file("usage.csv", head, pages, move |out, record| {
        usage_line(out, record, (reader, &zone));
    })
}

fn audit_line(out: &mut String, entry: &AuditEntry, zone: &Zone) {
    let at = date::text_in(entry.at, zone);
    csv::line(
        out,
        &[
            Cell::Own(&at),
            Cell::Own(entry.id.as_str()),
            Cell::Own(&entry.actor.kind),
            Cell::Own(&entry.actor.id),
            Cell::Text(&entry.actor.name),
            Cell::Text(&entry.actor.address),
            Cell::Own(entry.tenant.as_deref().unwrap_or_default()),
            Cell::Own(&entry.action),
            Cell::Text(&entry.subject),
            Cell::Text(entry.before.as_deref().unwrap_or_default()),
            Cell::Text(entry.after.as_deref().unwrap_or_default()),
        ],
    );
}

/// The audit log as a file.
pub fn audit_file<E: std::fmt::Display + Send + 'static>(
    pages: impl Stream<Item = Result<Vec<AuditEntry>, E>> + Send + 'static,
    (excel, zone): (Option<Excel>, Zone),
) -> CsvFile {
    let head = opened(excel, header(&AUDIT_COLUMNS));
    file("audit.csv", head, pages, move |out, entry| {
        audit_line(out, entry, &zone);
    })
}

/// A ledger as a file.
pub fn ledger_file<E: std::fmt::Display + Send + 'static>(
    pages: impl Stream<Item = Result<Vec<Entry>, E>> + Send + 'static,
    (excel, zone): (Option<Excel>, Zone),
) -> CsvFile {
    let head = opened(excel, header(&LEDGER_COLUMNS));
    file("ledger.csv", head, pages, move |out, entry| {
        ledger_line(out, entry, &zone);
    })
}
