//! Calls whose end nobody knows: which there are, and what a superadmin makes of one.

use admin_templates::admin::usage::{CallPage, UnknownEnd};
use admin_templates::form::FieldError;
use admin_templates::labels::CallStatus;
use admin_templates::page::Notice;
use admin_templates::parts::CallRow;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::Accounts;
use server_rooms::auth::roles::kind;
use server_rooms::ledger::Ledger;
use server_rooms::money::corrections::Corrections;
use server_rooms::money::unknown::{Resolution, ResolveError};
use shared::credits::Credits;
use shared::id::GenerationId;

use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData};
use super::super::session::{Admin, Confirmed};
use super::calls::CallNames;
use super::form_errors::{FormErrors, again};
use super::usage::CallRooms;
use super::usage::call::{call_page, of_hold};
use super::{amount, booked, reason};

/// Calls that are listed, those first of which the gateways are asked no longer first.
const ROWS: i64 = 100;

/// Whoever moves credits proved a short while ago to be themselves.
type Payer = Confirmed<Admin<kind::MoveCredits>>;

/// The calls whose end nobody knows, as rows.
pub(super) async fn rows(ledger: &Ledger, accounts: &Accounts) -> Result<Vec<CallRow>, PageError> {
    let holds = ledger.all_unknown(None, ROWS).await.map_err(booked)?;
    let records: Vec<_> = holds.iter().filter_map(of_hold).collect();
    let names = CallNames::of(accounts, &records).await?;
    let rows = records.into_iter().map(|record| CallRow {
        status: CallStatus::Unknown,
        fault: None,
        ..names.row(record)
    });
    Ok(rows.collect())
}

/// What is wrong with a decision; a call that is gone or decided is not decided again.
fn wrong(error: ResolveError) -> Result<Vec<FieldProblem>, PageError> {
    match error {
        ResolveError::NoSuchCall => Err(PageError::NotFound),
        ResolveError::Ledger(error) => Err(booked(error)),
        ResolveError::NotUnknown | ResolveError::Promised => Ok(vec![("", FieldError::Stale)]),
        ResolveError::Amount { .. } => Ok(vec![("credits", FieldError::NotAnAmount)]),
    }
}

/// Decides, or shows the page again with what is wrong.
async fn decide(
    who: &Payer,
    (id, rooms, corrections): (&str, &CallRooms, &Corrections),
    decision: Result<(Resolution, String), Vec<FieldProblem>>,
    show: impl FnOnce(&mut UnknownEnd, Vec<FieldProblem>),
) -> PageResult {
    let call: GenerationId = parsed(id)?;
    let wrong = match decision {
        Ok((resolution, why)) => {
            let (actor, resolving) = (who.actor(), (resolution, why.as_str()));
            let made = corrections.resolve(&actor, &call, resolving);
            match made.await {
                Ok(_) => return who.done(&format!("/admin/usage/{call}"), &Notice::Booked),
                Err(error) => wrong(error)?,
            }
        }
        Err(wrong) => wrong,
    };
    let mut view: CallPage = call_page(rooms, id).await?;
    match &mut view.unknown {
        Some(unknown) => show(unknown, wrong),
        // Somebody else decided, or it became known.
        None => return who.done(&format!("/admin/usage/{call}"), &Notice::Stale),
    }
    who.show_again(&view).await
}

fn needed(posted: &FormData) -> Result<Credits, FieldProblem> {
    let given = amount(posted, "credits")?;
    given.ok_or(("credits", FieldError::Required))
}

/// `POST /admin/usage/{id}/settle`
#[handler]
pub(super) async fn settle(
    who: Payer,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&CallRooms>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let mut errors = FormErrors::default();
    let (credits, why) = (
        errors.take(needed(&posted)),
        errors.take(reason(&posted, "reason")),
    );
    let decision = credits.zip(why);
    let decision = decision.map(|(credits, why)| (Resolution::Charge(credits), why));
    let decision = errors.unless(decision);
    let show = |unknown: &mut UnknownEnd, wrong| {
        unknown.settle = again(&posted, &["credits", "reason"], wrong);
    };
    decide(&who, (&id, &rooms, &corrections), decision, show).await
}

/// `POST /admin/usage/{id}/release`
#[handler]
pub(super) async fn release(
    who: Payer,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&CallRooms>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let mut errors = FormErrors::default();
    let why = errors.take(reason(&posted, "reason"));
    let decision = errors.unless(why.map(|why| (Resolution::Release, why)));
    let show = |unknown: &mut UnknownEnd, wrong| {
        unknown.release = again(&posted, &["reason"], wrong);
    };
    decide(&who, (&id, &rooms, &corrections), decision, show).await
}
