//! Holds: what is asked for, how they stand, and how they end.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{GenerationId, TenantId};
use shared::zone::Zone;

use super::super::{Owner, StoredSnapshot};
use super::budgets::{BudgetPeriod, CountedBudget};
use super::{Spender, words};

/// A wish to set credits aside for a call.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// The generation; also the hold's id.
    pub id: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// The worst case.
    pub amount: Credits,
    /// The least that is useful; between the two, all that is available is held.
    pub least: Credits,
    /// Whose budgets it counts against: the key, the user.
    pub spenders: Vec<Spender>,
    /// Where the tenant's days begin.
    pub zone: Zone,
    /// Who will settle it.
    pub owner: Owner,
    /// What is needed to price and record the call.
    pub snapshot: StoredSnapshot,
    /// When recovery looks after it.
    pub deadline_at: Moment,
}

/// Where a hold stands; all but `Held` and `Unknown` are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// Open.
    Held,
    /// Charged.
    Settled,
    /// Given back.
    Released,
    /// Given back because nobody knows how its call ended; what is learned later counts.
    Unknown,
    /// Never placed; stays refused.
    Refused,
}

words!(HoldState {
    Held => "held",
    Settled => "settled",
    Released => "released",
    Unknown => "unknown",
    Refused => "refused",
});

/// For how long it is asked how the call of a hold ended that was given back without knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown {
    /// When the asking ends.
    pub ask_until: Moment,
    /// Whether the tenant was told that nothing is charged: what is learned is the platform's loss.
    pub promised: bool,
}

/// Why a hold was refused; stored, so that asking again answers the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The tenant had only so much.
    Balance {
        /// What could be spent.
        available: Credits,
    },
    /// A budget had only so much left.
    Budget {
        /// Whose.
        spender: Spender,
        /// Of which period.
        period: BudgetPeriod,
        /// What it had left.
        left: Credits,
    },
}

/// A place among the holds whose calls' end nobody knows, whether or not one stands there now. They come
/// by the time until which gateways are asked.
#[derive(Debug, Clone, Copy)]
pub struct UnknownPlace<'a> {
    /// That time.
    pub ask_until: Moment,
    /// Among those of one time.
    pub id: &'a GenerationId,
}

/// Credits set aside for one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The generation.
    pub id: GenerationId,
    /// Who pays.
    pub tenant: TenantId,
    /// Where it stands.
    pub state: HoldState,
    /// What was asked for.
    pub requested: Credits,
    /// The least that was asked for.
    pub least: Credits,
    /// What was set aside, extensions included.
    pub held: Credits,
    /// What was charged.
    pub settled: Credits,
    /// What the call came to beyond what was charged: the platform's loss.
    pub shortfall: Credits,
    /// In [`HoldState::Unknown`] only.
    pub unknown: Option<Unknown>,
    /// Budgets it counts against.
    pub budgets: Vec<CountedBudget>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// Who settles it.
    pub owner: Owner,
    /// What is needed to price and record the call.
    pub snapshot: StoredSnapshot,
    /// When it was placed.
    pub created_at: Moment,
    /// When recovery looks after it.
    pub deadline_at: Moment,
    /// When it was closed.
    pub closed_at: Option<Moment>,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settlement {
    /// What was charged.
    pub charged: Credits,
    /// What the call came to beyond it: the platform's loss.
    pub shortfall: Credits,
    /// Why there is a shortfall.
    pub loss: Option<Loss>,
}

/// Why the platform bears what a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The provider brought more than the call's maximum, for which the hold was made.
    ProviderOverrun,
    /// Its end became known after the hold had been given back, and the balance or a budget was short.
    LateOutcome,
    /// The tenant got nothing of it and was told that nothing is charged.
    NotDelivered,
    /// The server died before the tenant got all of it.
    NotTaken,
}

words!(Loss {
    ProviderOverrun => "provider_overrun",
    LateOutcome => "late_outcome",
    NotDelivered => "not_delivered",
    NotTaken => "not_taken",
});
