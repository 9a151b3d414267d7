//! One call in detail: what was held of which grants, what became of it, its tries, and how its
//! charge came about line by line. Reckons with the functions that charged it and charges nothing.

use server_rules::billing::{UNKNOWN, billed, is_free};
use server_store::usage::UsageRecord;
use shared::credits::Credits;
use shared::id::{GenerationId, GrantId, TenantId};

use super::{Reports, ReportsError};
use crate::catalogue::price::Price;
use crate::catalogue::price::bill::Bill;
use crate::ledger::{Hold, HoldState};

/// How a charge came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// The lines that add up to it.
    Lines(Bill),
    /// Made with a test key.
    Test,
    /// It ended with a fault before anything was produced.
    NothingProduced,
    /// It still runs, or its end is not known yet.
    Open,
    /// It was refused for want of credits or budget; the hold tells which.
    Refused,
    /// The hold was given back and there is no record of a call.
    Released,
    /// Nobody knows how it ended, so that its hold was given back; gateways are asked, and an operator
    /// may decide.
    Unknown,
    /// Nobody knows how it ended, and an operator decided what is charged.
    ByHand,
    /// The price, or what was kept of the call, is no longer there to reckon with.
    Untold,
}

/// A hold with what it took from grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldDetail {
    /// The hold.
    pub hold: Hold,
    /// What it took from which grants, in the order of spending.
    pub took: Vec<(GrantId, Credits)>,
}

/// All that is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallDetail {
    /// The call.
    pub id: GenerationId,
    /// Whose.
    pub tenant: TenantId,
    /// Its hold; test calls have none.
    pub hold: Option<HoldDetail>,
    /// What it consumed and how it went; absent while it runs.
    pub record: Option<UsageRecord>,
    /// The price that was applied, if it is still there.
    pub price: Option<Price>,
    /// How the charge came about.
    pub charge: Charge,
    /// How the provider's price came about.
    pub cost: Charge,
    /// Whether the lines come to what was charged and to the cost; `true` where there are no lines.
    pub adds_up: bool,
}

/// The charge and the cost of a call that ended, reckoned anew.
fn reckoned(record: &UsageRecord, hold: Option<&Hold>, price: Option<&Price>) -> (Charge, Charge) {
    let both = |charge: Charge| (charge.clone(), charge);
    if record.test {
        return both(Charge::Test);
    }
    if record.fault.as_deref() == Some(UNKNOWN) {
        match hold.map(|hold| hold.state) {
            Some(HoldState::Unknown) => return both(Charge::Unknown),
            Some(HoldState::Settled) => return both(Charge::ByHand),
            Some(HoldState::Held | HoldState::Released | HoldState::Refused) | None => {}
        }
    }
    let usage = &record.usage;
    if is_free(record.fault.is_some(), usage) {
        return both(Charge::NothingProduced);
    }
    let snapshot = hold.and_then(|hold| hold.snapshot.read());
    let (Some(snapshot), Some(price)) = (snapshot, price) else {
        return both(Charge::Untold);
    };
    // Records of versions before kept what the provider told.
    let usage = billed(&snapshot.asked, usage);
    let (list, at) = (&price.list, record.created_at);
    let lines = |bill: Option<Bill>| bill.map_or(Charge::Untold, Charge::Lines);
    (
        lines(list.bill(&usage, at, snapshot.multiplier_ppm)),
        lines(list.cost_bill(&usage, at)),
    )
}

/// The charge of a call without a record.
fn unrecorded(hold: &Hold) -> Charge {
    match hold.state {
        HoldState::Held => Charge::Open,
        HoldState::Refused => Charge::Refused,
        HoldState::Released | HoldState::Unknown => Charge::Released,
        HoldState::Settled => Charge::Untold,
    }
}

/// Whether the lines come to what was charged, or with what nobody pays to what was produced.
fn comes_to(charge: &Charge, credits: Credits, loss: Credits) -> bool {
    match charge {
        Charge::Lines(bill) => {
            let whole = credits.micros().saturating_add(loss.micros());
            bill.total == credits || bill.total.micros() == whole
        }
        Charge::Test | Charge::NothingProduced => credits == Credits::ZERO,
        Charge::Open
        | Charge::Refused
        | Charge::Released
        | Charge::Unknown
        | Charge::ByHand
        | Charge::Untold => true,
    }
}

impl Reports {
    /// A call's detail; `None` when there is no such call, or it is not `whose`.
    pub async fn call_detail(
        &self,
        id: &GenerationId,
        whose: Option<&TenantId>,
    ) -> Result<Option<CallDetail>, ReportsError> {
        let record = self.store.usage_record(id).await?;
        let hold = self.ledger.hold_of(id).await?;
        let hold = hold.map(|(hold, took)| HoldDetail { hold, took });
        let of_record = record.as_ref().map(|record| &record.tenant);
        let of_hold = hold.as_ref().map(|held| &held.hold.tenant);
        let Some(tenant) = of_record.or(of_hold).cloned() else {
            return Ok(None);
        };
        if whose.is_some_and(|whose| *whose != tenant) {
            return Ok(None);
        }
        let price = match record.as_ref().and_then(|record| record.price.as_ref()) {
            Some(price) => self.store.price(price).await?,
            None => None,
        };
        let held = hold.as_ref().map(|held| &held.hold);
        let (charge, cost) = match (&record, held) {
            (Some(record), held) => reckoned(record, held, price.as_ref()),
            (None, Some(held)) => (unrecorded(held), unrecorded(held)),
            (None, None) => (Charge::Untold, Charge::Untold),
        };
        let adds_up = record.as_ref().is_none_or(|record| {
            // The provider takes its price for all that it produced, whoever pays.
            let comes_to_cost = |known| comes_to(&cost, known, Credits::ZERO);
            let cost = record.loss > Credits::ZERO || record.cost.is_none_or(comes_to_cost);
            comes_to(&charge, record.credits, record.loss) && cost
        });
        Ok(Some(CallDetail {
            id: id.clone(),
            tenant,
            hold,
            record,
            price,
            charge,
            cost,
            adds_up,
        }))
    }
}
