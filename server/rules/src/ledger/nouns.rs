//! The ledger's nouns: what is asked of it and what it answers. Decides nothing and stores nothing.

pub(crate) mod budgets;
pub(crate) mod holds;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{AdjustmentId, ApiKeyId, BootId, GrantId, TenantId, UserId};

/// Gives an enumeration its stable words, as the database holds them.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// As the database holds it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// From what the database holds.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
use words;

/// Where credits came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// Bought once.
    Purchase,
    /// A period of a subscription.
    Subscription,
    /// Given away, for example to new tenants.
    Gift,
    /// A redeem code.
    RedeemCode,
    /// By a superadmin.
    Manual,
    /// Returned after a fault of ours.
    Refund,
}

words!(GrantKind {
    Purchase => "purchase",
    Subscription => "subscription",
    Gift => "gift",
    RedeemCode => "redeem_code",
    Manual => "manual",
    Refund => "refund",
});

/// Credits to be given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// To whom.
    pub tenant: TenantId,
    /// Where they come from.
    pub kind: GrantKind,
    /// How many; more than nothing, at most [`super::GRANT_MAX`].
    pub amount: Credits,
    /// What makes it unique: the same key for one tenant never gives twice.
    pub source_key: String,
    /// When what is left lapses.
    pub expires_at: Option<Moment>,
    /// For people.
    pub note: String,
}

/// A lot of credits with what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Where it came from.
    pub kind: GrantKind,
    /// What makes it unique.
    pub source_key: String,
    /// What was given.
    pub granted: Credits,
    /// What is neither held nor spent.
    pub remaining: Credits,
    /// When it lapses.
    pub expires_at: Option<Moment>,
    /// For people.
    pub note: String,
    /// When it was given.
    pub created_at: Moment,
}

/// A correction of a balance by an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Whose balance.
    pub tenant: TenantId,
    /// What is given (above 0) or taken away (below 0).
    pub amount: Credits,
    /// What makes it unique.
    pub source_key: String,
    /// Whether what can't be taken away now becomes a debt, paid by the next credits that are given;
    /// without it such a correction is refused.
    pub into_debt: bool,
    /// Who.
    pub operator: String,
    /// Why.
    pub reason: String,
}

/// An [`Adjustment`] that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// Its id, the reference of its entry.
    pub id: AdjustmentId,
    /// What was asked for.
    pub adjustment: Adjustment,
    /// When.
    pub at: Moment,
}

/// Who a budget belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spender {
    /// An API key.
    Key(ApiKeyId),
    /// A person of the tenant.
    User(UserId),
}

impl Spender {
    /// As the database holds it: `key:…` or `user:…`.
    pub fn text(&self) -> String {
        match self {
            Self::Key(id) => format!("key:{id}"),
            Self::User(id) => format!("user:{id}"),
        }
    }

    /// From what the database holds.
    pub fn from_text(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("key", id) => Some(Self::Key(ApiKeyId::from_stored(id.to_owned()))),
            ("user", id) => Some(Self::User(UserId::from_stored(id.to_owned()))),
            _ => None,
        }
    }
}

/// A life of a process that writes to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Which.
    pub boot: BootId,
    /// Its last sign of life, by its own clock.
    pub seen_at: Moment,
    /// By how much that clock was ahead of the database's, in milliseconds; below 0 it was behind.
    pub skew_ms: i64,
}

impl Life {
    /// Its last sign of life by the database's clock.
    pub fn seen_there(&self) -> Moment {
        Moment::from_unix_ms(self.seen_at.unix_ms().saturating_sub(self.skew_ms))
    }
}

/// What a tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Can be spent now.
    pub available: Credits,
    /// Set aside for running calls.
    pub held: Credits,
    /// Charged so far.
    pub used: Credits,
    /// Lapsed so far.
    pub expired: Credits,
    /// Owed after a correction; paid by the next credits that are given.
    pub debt: Credits,
    /// Charged beyond what there was: the platform's loss.
    pub loss: Credits,
}

/// A line of a tenant's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub number: i64,
    /// `grant`, `hold`, `extend`, `settle`, `release`, `expire`, `adjust` or `claim`.
    pub kind: String,
    /// The generation, grant or adjustment it belongs to.
    pub reference: String,
    /// Change of what can be spent.
    pub available_delta: Credits,
    /// Change of what is held.
    pub held_delta: Credits,
    /// What was charged.
    pub charged: Credits,
    /// Change of what is owed, which is below nothing: `-2` when two more are owed.
    pub debt_delta: Credits,
    /// In grants after it.
    pub balance_after: Credits,
    /// Held after it.
    pub held_after: Credits,
    /// When.
    pub at: Moment,
}

#[cfg(test)]
mod tests;
