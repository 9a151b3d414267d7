//! A ledger as people read it, the console's and the portal's: a row for each call and for whatever else
//! changed what there is, what is reserved, what is spent, and how the books were found. Adds nothing up.

use admin_templates::labels::{EntryKind, GrantEnd, GrantKind, LineKind, Word};
use admin_templates::parts::{BooksNote, EntryRow, GrantRow, LedgerLine, SpentGrant};
use server_rooms::accounts::{Accounts, CalledBy, Callers, Reading};
use server_rooms::ledger::books::{AccountBooks, Books};
use server_rooms::ledger::lines::{Line, LineOf};
use server_rooms::ledger::{CallSnapshot, Entry, Grant, Hold, Ledger, LedgerError};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{GenerationId, GrantId, TenantId};

/// Lines of a page.
const LINES: i64 = 50;
/// Running calls that are shown above them.
const RESERVED: i64 = 50;
/// Spent grants of a page.
const SPENT: i64 = 25;

/// Which part of a ledger.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    /// Whose.
    pub(super) tenant: &'a TenantId,
    /// Who reads.
    pub(super) reading: Reading<'a>,
    /// Of one kind.
    pub(super) kind: Option<LineKind>,
    /// Behind this number.
    pub(super) before: Option<i64>,
    /// The line whose entries are shown, by what it belongs to.
    pub(super) opened: &'a str,
}

/// A page of it.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Newest first, what is reserved above all.
    pub(super) lines: Vec<LedgerLine>,
    /// From where older ones go on.
    pub(super) next: Option<String>,
}

/// An entry as a row; a hold that grew is a hold.
pub(super) fn entry_row(entry: Entry) -> EntryRow {
    let call: Result<GenerationId, _> = entry.reference.parse();
    EntryRow {
        number: u64::try_from(entry.number).unwrap_or(0),
        kind: match entry.kind.as_str() {
            "extend" => EntryKind::Hold,
            other => EntryKind::from_code(other).unwrap_or(EntryKind::Adjust),
        },
        call_id: call.ok().map(|_| entry.reference.clone()),
        reference: entry.reference,
        available_delta: entry.available_delta,
        held_delta: entry.held_delta,
        charged: entry.charged,
        available_after: entry.balance_after,
        at: entry.at,
    }
}

/// Grants as they are shown.
pub(super) fn grants(all: Vec<Grant>) -> Vec<GrantRow> {
    all.into_iter().map(grant_row).collect()
}

fn kind_of(grant: &Grant) -> GrantKind {
    GrantKind::from_code(grant.kind.word()).unwrap_or(GrantKind::Manual)
}

fn grant_row(grant: Grant) -> GrantRow {
    GrantRow {
        kind: kind_of(&grant),
        id: grant.id.into_string(),
        amount: grant.granted,
        remaining: grant.remaining,
        expires_at: grant.expires_at,
        note: grant.note,
        created_at: grant.created_at,
    }
}

/// Grants of which nothing can be spent any more, newest first, and from where older ones go on.
pub(super) async fn spent(
    ledger: &Ledger,
    tenant: &TenantId,
    (before, now): (Option<&GrantId>, Moment),
) -> Result<(Vec<SpentGrant>, Option<String>), LedgerError> {
    let mut grants = ledger
        .spent_grants(tenant, before, SPENT.saturating_add(1))
        .await?;
    let more = i64::try_from(grants.len()).is_ok_and(|found| found > SPENT);
    grants.truncate(usize::try_from(SPENT).unwrap_or(usize::MAX));
    let next = grants.last().filter(|_| more);
    let next = next.map(|last| last.id.to_string());
    let row = |grant: Grant| {
        let over = grant.expires_at.filter(|at| *at <= now);
        SpentGrant {
            kind: kind_of(&grant),
            amount: grant.granted,
            end: match over {
                Some(_) => GrantEnd::Expired,
                None => GrantEnd::Used,
            },
            ended_at: over,
            note: grant.note,
            created_at: grant.created_at,
        }
    };
    Ok((grants.into_iter().map(row).collect(), next))
}

/// What a line is filled from besides itself.
struct Filling<'a> {
    callers: &'a Callers,
    /// Whether operators read, who see why a correction was made.
    for_operators: bool,
}

impl Filling<'_> {
    fn by(&self, kept: Option<&CallSnapshot>) -> CalledBy {
        kept.map_or_else(CalledBy::default, |kept| {
            self.callers.of(kept.user.as_ref(), kept.key.as_ref())
        })
    }

    fn row(&self, line: Line, kept: Option<&CallSnapshot>) -> LedgerLine {
        let by = self.by(kept);
        let (grant, note) = match &line.of {
            LineOf::Grant(grant) => (Some(kind_of(grant)), grant.note.clone()),
            LineOf::Correction(one) if self.for_operators => (None, one.adjustment.reason.clone()),
            LineOf::Correction(_) | LineOf::Call(_) | LineOf::Nothing => (None, String::new()),
        };
        let call: Result<GenerationId, _> = line.entry.reference.parse();
        LedgerLine {
            kind: LineKind::from_code(&line.entry.kind).unwrap_or(LineKind::Corrected),
            call_id: call.ok().map(GenerationId::into_string),
            model: kept.map(|kept| kept.model.clone()).unwrap_or_default(),
            caller: by.name,
            maker: by.maker,
            grant,
            note,
            amount: line.amount(),
            debt: line.entry.debt_delta,
            balance: Some(line.balance()),
            at: line.entry.at,
            reference: line.entry.reference,
            entries: Vec::new(),
        }
    }

    fn reserved(&self, hold: &Hold, kept: Option<&CallSnapshot>) -> LedgerLine {
        let by = self.by(kept);
        LedgerLine {
            kind: LineKind::Reserved,
            reference: hold.id.to_string(),
            call_id: Some(hold.id.to_string()),
            model: kept.map(|kept| kept.model.clone()).unwrap_or_default(),
            caller: by.name,
            maker: by.maker,
            grant: None,
            note: String::new(),
            amount: hold.held,
            debt: Credits::ZERO,
            balance: None,
            at: hold.created_at,
            entries: Vec::new(),
        }
    }
}

/// What calls keep of themselves, read once for each.
fn kept_of(line: &Line) -> Option<CallSnapshot> {
    match &line.of {
        LineOf::Call(hold) => hold.snapshot.read(),
        LineOf::Grant(_) | LineOf::Correction(_) | LineOf::Nothing => None,
    }
}

/// Why a ledger was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The ledger failed.
    Ledger(LedgerError),
    /// The names did.
    Names(DbError),
}

impl From<LedgerError> for Unread {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// A page of a ledger.
pub(super) async fn lines(
    ledger: &Ledger,
    accounts: &Accounts,
    asking: &Asking<'_>,
) -> Result<Listed, Unread> {
    let tenant = asking.tenant;
    let only_reserved = asking.kind == Some(LineKind::Reserved);
    // What runs stands above the newest lines, and below no page of older ones.
    let is_first = asking.before.is_none() && asking.kind.is_none();
    let open = if is_first || only_reserved {
        ledger.reserved(tenant, RESERVED).await?
    } else {
        Vec::new()
    };
    let found = if only_reserved {
        None
    } else {
        let kind = asking.kind.map(LineKind::code);
        let part = (asking.before, LINES);
        Some(ledger.lines(tenant, kind, part).await?)
    };
    let (lines, next) = found.map_or((Vec::new(), None), |found| (found.lines, found.next));
    let of_open: Vec<_> = open.iter().map(|hold| hold.snapshot.read()).collect();
    let of_lines: Vec<_> = lines.iter().map(kept_of).collect();
    let all = of_open.iter().chain(&of_lines).flatten();
    let calls: Vec<_> = all
        .map(|kept| (kept.user.as_ref(), kept.key.as_ref()))
        .collect();
    let callers = accounts.callers(asking.reading, &calls).await;
    let callers = callers.map_err(Unread::Names)?;
    let filling = Filling {
        callers: &callers,
        for_operators: asking.reading == Reading::Platform,
    };
    let opened = open
        .iter()
        .chain(lines.iter().filter_map(|line| match &line.of {
            LineOf::Call(hold) => Some(&**hold),
            LineOf::Grant(_) | LineOf::Correction(_) | LineOf::Nothing => None,
        }))
        .find(|hold| hold.id.as_str() == asking.opened);
    let entries = match opened {
        Some(hold) => ledger.entries_of(hold).await?,
        None => Vec::new(),
    };
    let mut entries: Vec<EntryRow> = entries.into_iter().map(entry_row).collect();
    let reserved = open.iter().zip(&of_open);
    let reserved = reserved.map(|(hold, kept)| filling.reserved(hold, kept.as_ref()));
    let mut rows: Vec<LedgerLine> = reserved.collect();
    let lines = lines.into_iter().zip(&of_lines);
    rows.extend(lines.map(|(line, kept)| filling.row(line, kept.as_ref())));
    if let Some(row) = rows.iter_mut().find(|row| row.reference == asking.opened) {
        row.entries.append(&mut entries);
    }
    Ok(Listed {
        lines: rows,
        next: next.map(|number| number.to_string()),
    })
}

fn whole(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How the books were found, for operators.
pub(super) fn books(books: &Books) -> BooksNote {
    let changed = books.changed.as_ref();
    BooksNote {
        at: changed.map(|check| check.at),
        accounts: changed.map_or(0, |check| whole(check.accounts)),
        lines: changed.map_or(0, |check| whole(check.lines)),
        behind: changed.map_or(0, |check| whole(check.behind)),
        differences: books.differences(),
        told: books.told().map(str::to_owned).collect(),
        whole_at: books.whole.as_ref().map(|check| check.at),
    }
}

/// How a tenant's own were found; what differs is told to operators.
pub(super) fn own_books(found: Option<AccountBooks>) -> BooksNote {
    BooksNote {
        at: found.as_ref().map(|own| own.at),
        accounts: 0,
        lines: found.as_ref().map_or(0, |own| whole(own.lines)),
        behind: 0,
        differences: u64::from(found.is_some_and(|own| !own.agrees)),
        told: Vec::new(),
        whole_at: None,
    }
}
