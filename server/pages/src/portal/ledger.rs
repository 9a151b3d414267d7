//! The tenant's ledger: what it has, the grants that are left and those that are not, a row for every call
//! and for whatever else changed what there is, and how its books were found.

use admin_templates::form::Form;
use admin_templates::labels::{LineKind, Word};
use admin_templates::list::ListState;
use admin_templates::portal::PortalLedger;
use poem::web::{Data, Query};
use poem::{IntoResponse, Request, handler};
use server_edge::export::{Excel, ledger_file};
use server_rooms::accounts::{Accounts, Reading};
use server_rooms::ledger::Ledger;
use server_rooms::reports::Reports;
use shared::id::GrantId;

use super::super::error::{PageError, PageResult, parsed};
use super::super::ledger_lines::{self, Asking, Unread};
use super::super::session::{Manager, Member};
use super::rows::{self, Asked, field};
use super::unread;

/// Grants with something left that are shown.
const GRANTS: i64 = 100;

fn failed(error: Unread) -> PageError {
    match error {
        Unread::Ledger(error) => unread(error),
        Unread::Names(error) => error.into(),
    }
}

/// A place in a list that the query names; another text is no place.
fn place<T: std::str::FromStr>(asked: &Asked, name: &str) -> Result<Option<T>, PageError> {
    match field(asked, name) {
        "" => Ok(None),
        text => parsed(text).map(Some),
    }
}

/// `GET /portal/ledger`
#[handler]
pub(super) async fn ledger_page(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    ledger: Data<&Ledger>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let (tenant, now) = (&who.tenant.id, who.now());
    let asking = Asking {
        tenant,
        reading: Reading::Tenant(tenant),
        kind: LineKind::from_code(field(&asked, "kind")),
        before: place(&asked, "after")?,
        opened: field(&asked, "entries"),
    };
    let listed = ledger_lines::lines(&ledger, &accounts, &asking).await;
    let listed = listed.map_err(failed)?;
    let mut grants = ledger.open_grants(tenant, GRANTS).await.map_err(unread)?;
    grants.retain(|grant| grant.expires_at.is_none_or(|at| at > now));
    grants.sort_by_key(|grant| (grant.expires_at.is_none(), grant.expires_at));
    let behind: Option<GrantId> = place(&asked, "spent")?;
    let spent = ledger_lines::spent(&ledger, tenant, (behind.as_ref(), now)).await;
    let (spent, spent_next) = spent.map_err(unread)?;
    let balance = ledger.balance(tenant).await.map_err(unread)?;
    let books = ledger.account_books(tenant).await.map_err(unread)?;
    who.show(&PortalLedger {
        balance: rows::balance(balance),
        books: ledger_lines::own_books(books),
        grants: ledger_lines::grants(grants),
        spent,
        spent_open: behind.is_some(),
        spent_next,
        list: ListState {
            filters: Form::of([("kind", field(&asked, "kind"))]),
            next: listed.next,
            ..ListState::whole()
        },
        opened: field(&asked, "entries").to_owned(),
        lines: listed.lines,
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
