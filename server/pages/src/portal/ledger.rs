//! The tenant's ledger: what it has, the grants that are left, and every line of its books.

use admin_templates::form::Form;
use admin_templates::labels::{EntryKind, Word};
use admin_templates::list::ListState;
use admin_templates::parts::EntryRow;
use admin_templates::portal::PortalLedger;
use poem::web::{Data, Query};
use poem::{IntoResponse, Request, handler};
use server_edge::export::{Excel, ledger_file};
use server_rooms::ledger::{Entry, Ledger};
use server_rooms::reports::Reports;
use shared::id::{GenerationId, TenantId};

use super::super::error::{PageError, PageResult, parsed};
use super::super::session::{Manager, Member};
use super::rows::{self, Asked, field};
use super::unread;

/// Lines of a page.
const LINES: usize = 50;
/// Lines read at once.
const BATCH: i64 = 200;
/// Batches read for one page of a rare kind at most; the page then ends earlier and leads on.
const BATCHES: usize = 20;
/// Grants with something left that are shown.
const GRANTS: i64 = 100;

/// A kind's word; a hold that grew is a hold.
fn kind_word(kind: &str) -> EntryKind {
    EntryKind::from_code(kind).unwrap_or(EntryKind::Hold)
}

fn row(entry: Entry) -> EntryRow {
    let is_call = entry.reference.starts_with(GenerationId::PREFIX);
    EntryRow {
        number: u64::try_from(entry.number).unwrap_or(0),
        kind: kind_word(&entry.kind),
        call_id: is_call.then(|| entry.reference.clone()),
        reference: entry.reference,
        available_delta: entry.available_delta,
        held_delta: entry.held_delta,
        charged: entry.charged,
        available_after: entry.balance_after,
        at: entry.at,
    }
}

/// Lines of a kind, newest first, and the number to go on behind.
async fn lines(
    ledger: &Ledger,
    tenant: &TenantId,
    kind: Option<EntryKind>,
    mut before: Option<i64>,
) -> Result<(Vec<Entry>, Option<i64>), PageError> {
    let mut lines = Vec::new();
    for _ in 0..BATCHES {
        let batch = ledger.history(tenant, before, BATCH).await;
        let batch = batch.map_err(unread)?;
        if batch.is_empty() {
            return Ok((lines, None));
        }
        for entry in batch {
            if lines.len() == LINES {
                return Ok((lines, before));
            }
            before = Some(entry.number);
            if kind.is_none_or(|kind| kind_word(&entry.kind) == kind) {
                lines.push(entry);
            }
        }
    }
    Ok((lines, before))
}

/// `GET /portal/ledger`
#[handler]
pub(super) async fn ledger_page(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let tenant = &who.tenant.id;
    let before = match field(&asked, "after") {
        "" => None,
        text => Some(parsed(text)?),
    };
    let kind = EntryKind::from_code(field(&asked, "kind"));
    let (entries, next) = lines(&ledger, tenant, kind, before).await?;
    let now = who.now();
    let mut grants = ledger.open_grants(tenant, GRANTS).await.map_err(unread)?;
    grants.retain(|grant| grant.expires_at.is_none_or(|at| at > now));
    grants.sort_by_key(|grant| (grant.expires_at.is_none(), grant.expires_at));
    let balance = ledger.balance(tenant).await.map_err(unread)?;
    who.show(&PortalLedger {
        balance: rows::balance(balance),
        grants: rows::grants(grants),
        list: ListState {
            filters: Form::of([("kind", field(&asked, "kind"))]),
            next: next.map(|number| number.to_string()),
            ..ListState::whole()
        },
        entries: entries.into_iter().map(row).collect(),
    })
    .await
}

/// `GET /portal/ledger.csv`: all of it as a file.
#[handler]
pub(super) async fn ledger_csv(
    who: Member<Manager>,
    request: &Request,
    reports: Data<&Reports>,
) -> PageResult {
    let pages = reports.export_ledger(who.tenant.id.clone());
    let excel = Excel::of_query(request.uri().query());
    Ok(ledger_file(pages, (excel, who.here().zone.clone())).into_response())
}
