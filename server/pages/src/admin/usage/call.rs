//! One call in all its details: times, tries, entries, and how its price was reckoned.

use admin_templates::admin::usage::{CallPage, DemandView, HoldView, TryRow, UnknownEnd};
use admin_templates::form::Form;
use admin_templates::labels::{CallNote, CallStatus, NextWhy, Operation, TryResult, Word};
use admin_templates::parts::{Arithmetic, EntryRow};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::ledger::{CallSnapshot, Hold, Ledger};
use server_rooms::reports::call_detail::{CallDetail, Charge};
use server_rooms::reports::{Try, UsageRecord, UsageStatus};
use server_rooms::routing::DataDemand;
use shared::credits::Credits;
use shared::id::{ApiKeyId, GenerationId, RequestId, UserId};
use shared::link::trail::NextStep;
use shared::units::Usage;

use super::super::super::bills;
use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::lanes::{Seen, lanes};
use super::super::super::ledger_lines::entry_row;
use super::super::super::session::Admin;
use super::super::calls::CallNames;
use super::super::{booked, reports_failed, word};
use super::CallRooms;

/// What prices are multiplied by where nothing is.
const PLAIN_PPM: i64 = 1_000_000;

/// The lines of a charge; none where there is nothing to reckon with, but for what it came to.
fn arithmetic(charge: &Charge, total: Credits) -> Arithmetic {
    let Charge::Lines(bill) = charge else {
        return Arithmetic {
            lines: Vec::new(),
            subtotal: total.to_string(),
            multiplier_ppm: PLAIN_PPM,
            total,
        };
    };
    bills::arithmetic(bill)
}

/// The tries that the record tells of.
fn tries(record: &UsageRecord) -> Vec<TryRow> {
    let row = |one: &Try| TryRow {
        number: u64::from(one.number),
        provider: one.provider.clone(),
        region: one.region.clone().unwrap_or_default(),
        model: one.model.clone(),
        gateway: one.gateway.clone().unwrap_or_default(),
        key_last4: one.key_last4.clone(),
        started_ms: one.began_ms,
        duration_ms: one.duration_ms,
        status: one.status.unwrap_or(0),
        result: match (&one.fault, one.number < record.attempts) {
            (None, _) => TryResult::Answered,
            (Some(_), _) if one.next.as_deref() == Some(NextStep::Waited.word()) => {
                TryResult::Waited
            }
            (Some(_), _) if one.number == 0 => TryResult::NextGateway,
            (Some(_), true) if one.next.as_deref() == Some(NextStep::OtherKey.word()) => {
                TryResult::NextKey
            }
            (Some(_), true) => TryResult::NextTarget,
            (Some(_), false) => TryResult::GaveUp,
        },
        detail: one.fault.clone().unwrap_or_default(),
        why: one.next.as_deref().and_then(NextWhy::from_code),
    };
    record.tries.iter().map(row).collect()
}

/// The region of the try that answered; empty where nobody knows it.
fn region(tries: &[Try]) -> String {
    let answered = tries.iter().find(|one| one.fault.is_none());
    let region = answered.and_then(|one| one.region.clone());
    region.unwrap_or_default()
}

/// The provider where a call failed: that of its last try, or the one it was meant for.
fn blamed(record: &UsageRecord) -> String {
    // Gateways that did not take the call stand among the tries and asked nobody.
    let mut asked = record.tries.iter().rev().map(|one| &one.provider);
    let last = asked.find(|name| !name.is_empty());
    last.unwrap_or(&record.provider).clone()
}

/// What was demanded of whoever got the call's data: as its tries tell, or its hold where they don't.
fn demanded(tries: &[Try], of_hold: Option<&str>) -> DemandView {
    let of_tries = tries.iter().find_map(|one| one.demanded.as_deref());
    let demand = DataDemand::of_text(of_tries.or(of_hold).unwrap_or_default());
    let regions: Vec<String> = demand.regions.into_iter().flatten().collect();
    DemandView {
        no_training: demand.no_training,
        zero_retention: demand.zero_retention,
        regions: regions.join(" "),
    }
}

/// A call's lines in the ledger, oldest first.
async fn entries(ledger: &Ledger, detail: &CallDetail) -> Result<Vec<EntryRow>, PageError> {
    let Some(held) = &detail.hold else {
        return Ok(Vec::new());
    };
    let entries = ledger.entries_of(&held.hold).await.map_err(booked)?;
    Ok(entries.into_iter().map(entry_row).collect())
}

fn hold_view(detail: &CallDetail) -> HoldView {
    let Some(held) = &detail.hold else {
        return HoldView {
            amount: Credits::ZERO,
            lowered_to: None,
            released: Credits::ZERO,
        };
    };
    let hold = &held.hold;
    let left = hold.held.micros().saturating_sub(hold.settled.micros());
    let released = if hold.closed_at.is_some() {
        left.max(0)
    } else {
        0
    };
    HoldView {
        amount: hold.held,
        lowered_to: None,
        released: Credits::from_micros(released),
    }
}

/// What a call's hold keeps of it; test calls have none.
fn kept(detail: &CallDetail) -> Option<CallSnapshot> {
    detail.hold.as_ref()?.hold.snapshot.read()
}

/// A call that has no record yet, from what its hold keeps.
fn running(detail: &CallDetail) -> Option<UsageRecord> {
    of_hold(&detail.hold.as_ref()?.hold)
}

/// A call as far as its hold tells of it; `None` where it keeps nothing.
pub(in super::super) fn of_hold(hold: &Hold) -> Option<UsageRecord> {
    let kept = hold.snapshot.read()?;
    Some(UsageRecord {
        id: hold.id.clone(),
        tenant: hold.tenant.clone(),
        user: kept.user,
        key: kept.key,
        test: false,
        operation: kept.operation,
        model: kept.model,
        price: kept.price,
        provider: kept.provider,
        provider_model: String::new(),
        usage: Usage::default(),
        credits: hold.settled,
        cost: None,
        status: UsageStatus::Failed,
        fault: None,
        attempts: 0,
        first_byte_ms: 0,
        duration_ms: 0,
        created_at: hold.created_at,
        tries: Vec::new(),
        loss: Credits::ZERO,
        loss_why: None,
    })
}

/// What is odd about a call's counts or its charge.
fn notes(record: &UsageRecord, charge: &Charge) -> Vec<CallNote> {
    let usage = &record.usage;
    let odd = [
        (usage.capped, CallNote::Capped),
        (usage.overrun, CallNote::Overrun),
        (*charge == Charge::ByHand, CallNote::ByHand),
    ];
    let odd = odd.into_iter().filter(|(is_so, _)| *is_so);
    let lost = record.loss_why.as_deref().and_then(CallNote::from_code);
    odd.map(|(_, note)| note).chain(lost).collect()
}

/// What may be decided where nobody knows how a call ended.
fn unknown_end(detail: &CallDetail) -> Option<UnknownEnd> {
    let hold = &detail.hold.as_ref()?.hold;
    let unknown = hold.unknown?;
    Some(UnknownEnd {
        held: hold.held,
        ask_until: unknown.ask_until,
        promised: unknown.promised,
        settle: Form::default(),
        release: Form::default(),
    })
}

/// A call's page; `None` where there is no such call.
pub(in super::super) async fn call_page(
    rooms: &CallRooms,
    id: &str,
) -> Result<CallPage, PageError> {
    let id: GenerationId = parsed(id)?;
    let detail = rooms
        .reports
        .call_detail(&id, None)
        .await
        .map_err(reports_failed)?;
    let detail = detail.ok_or(PageError::NotFound)?;
    let status = match (&detail.record, &detail.charge) {
        (Some(record), _) => super::super::calls::status(record),
        (None, Charge::Open) => CallStatus::Running,
        (None, _) => CallStatus::Failed,
    };
    let record = detail.record.clone().or_else(|| running(&detail));
    let record = record.ok_or(PageError::NotFound)?;
    let names = CallNames::of(&rooms.accounts, [&record]).await?;
    let caller = |id: Option<&str>| id.map(|id| names.caller(id));
    let margin = |cost: Credits| record.credits.micros().saturating_sub(cost.micros());
    let key = record.key.as_ref().map(ApiKeyId::as_str);
    let kept = kept(&detail);
    let (request, route) = kept.map_or((None, None), |kept| (kept.request, kept.route));
    let of_hold = route.as_deref().map(|route| route.demanded.as_str());
    let held = detail.hold.as_ref().map(|held| &held.hold);
    Ok(CallPage {
        id: detail.id.to_string(),
        request_id: request.map_or_else(|| detail.id.to_string(), RequestId::into_string),
        status,
        notes: notes(&record, &detail.charge),
        lost: record.loss,
        unknown: unknown_end(&detail),
        operation: word(record.operation.word(), Operation::Chat),
        test: record.test,
        at: record.created_at,
        tenant: names.tenant(detail.tenant.as_str()),
        tenant_id: detail.tenant.to_string(),
        person: caller(record.user.as_ref().map(UserId::as_str)),
        key: caller(key),
        key_last4: key.and_then(|key| names.last4(key)),
        price_id: record
            .price
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        demanded: demanded(&record.tries, of_hold),
        region: region(&record.tries),
        first_byte_ms: record.first_byte_ms,
        duration_ms: record.duration_ms,
        hold: hold_view(&detail),
        lanes: lanes(&record, held, Seen::ByOperators),
        tries: tries(&record),
        counts: bills::counts(&record.usage),
        charge: arithmetic(&detail.charge, record.credits),
        cost: record.cost.map(|cost| arithmetic(&detail.cost, cost)),
        margin: record.cost.map(margin).map(Credits::from_micros),
        entries: entries(&rooms.ledger, &detail).await?,
        blamed: blamed(&record),
        fault: record.fault.filter(|_| status != CallStatus::Unknown),
        model: record.model,
    })
}

/// `GET /admin/usage/{id}`
#[handler]
pub(in super::super) async fn one_call(
    who: Admin,
    Path(id): Path<String>,
    rooms: Data<&CallRooms>,
) -> PageResult {
    who.show(&call_page(&rooms, &id).await?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(fault: Option<&str>, region: Option<&str>, demanded: Option<&str>) -> Try {
        Try {
            number: 1,
            provider: "near".to_owned(),
            model: "m".to_owned(),
            key_last4: String::new(),
            fault: fault.map(str::to_owned),
            began_ms: 0,
            duration_ms: 1,
            status: None,
            next: None,
            region: region.map(str::to_owned),
            demanded: demanded.map(str::to_owned),
            gateway: None,
            way: None,
        }
    }

    #[test]
    fn a_call_was_served_where_it_was_answered() {
        let failed = || one(Some("overloaded"), Some("us"), None);
        assert_eq!(region(&[failed(), one(None, Some("eu"), None)]), "eu");
        assert_eq!(region(&[failed(), one(None, None, None)]), "");
        assert_eq!(region(&[failed()]), "");
        assert_eq!(region(&[]), "");
    }

    #[test]
    fn what_was_demanded_is_told_by_tries_or_by_the_hold() {
        let told = demanded(&[one(None, None, Some("no_training region:ch|eu"))], None);
        assert!(told.no_training && !told.zero_retention, "{told:?}");
        assert_eq!(told.regions, "ch eu");
        assert!(demanded(&[one(None, None, None)], None).is_nothing());
        let told = demanded(&[], Some("zero_retention"));
        assert!(told.zero_retention && !told.no_training, "{told:?}");
    }
}
