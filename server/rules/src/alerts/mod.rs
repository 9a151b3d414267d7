//! What operators should look at: kinds of alerts, what they are about, and how much they press. Looks at
//! nothing itself and tells nobody.

pub mod round;
pub mod telling;

#[cfg(test)]
mod tests;

use std::time::Duration;

use shared::clock::Moment;
use shared::id::AlertId;

use crate::words;

/// What comes back within this time never went: an alert that flaps stays one.
pub const FLAP: Duration = Duration::from_secs(10 * 60);

/// More open alerts than anybody reads: no more are kept.
pub const OPEN_MAX: usize = 2_000;

/// So many of them may be milder than critical, so that what is critical has room whatever else there is.
pub const MILD_MAX: usize = 1_500;

/// Muted until it ends: later than anything else.
pub const UNTIL_IT_ENDS: Moment = Moment::from_unix_ms(i64::MAX);

words! {
    /// How much an alert presses.
    AlertSeverity {
        /// To know.
        Info = "info",
        /// To look at.
        Warning = "warning",
        /// To act on.
        Critical = "critical",
    }
}

impl AlertSeverity {
    /// More for what presses more.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Info => 0,
            Self::Warning => 1,
            Self::Critical => 2,
        }
    }
}

words! {
    /// What an alert says.
    AlertKind {
        /// A provider's key was refused.
        KeyRefused = "key_refused",
        /// Every key of a provider cools down.
        KeysCooling = "keys_cooling",
        /// A key's account is at its floor, so that it takes no calls.
        KeyParked = "key_parked",
        /// A key's balance is below the line of a warning.
        BalanceLow = "balance_low",
        /// It ends within days.
        BalanceEnding = "balance_ending",
        /// A provider has no key that works.
        NoKeys = "no_keys",
        /// A gateway does not answer.
        GatewayAway = "gateway_away",
        /// A gateway answers slowly or in part.
        GatewayDegraded = "gateway_degraded",
        /// A tenant's credits last less than a day.
        CreditsLow = "credits_low",
        /// A tenant has nothing left.
        CreditsOut = "credits_out",
        /// Half or more of the calls of a model or a provider fail.
        CallsFail = "calls_fail",
        /// A model can be called but has no price.
        NoPrice = "no_price",
        /// Calls had something that no rate of their price fits.
        Unpriced = "unpriced",
        /// A provider has no longer what a target names.
        ModelGone = "model_gone",
        /// A model that is offered ends soon.
        ModelEnds = "model_ends",
        /// A model that is offered has ended.
        ModelEnded = "model_ended",
    }
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::KeyRefused,
        Self::KeysCooling,
        Self::KeyParked,
        Self::BalanceLow,
        Self::BalanceEnding,
        Self::NoKeys,
        Self::GatewayAway,
        Self::GatewayDegraded,
        Self::CreditsLow,
        Self::CreditsOut,
        Self::CallsFail,
        Self::NoPrice,
        Self::Unpriced,
        Self::ModelGone,
        Self::ModelEnds,
        Self::ModelEnded,
    ];

    /// How much it presses.
    pub const fn severity(self) -> AlertSeverity {
        match self {
            Self::KeyRefused
            | Self::KeyParked
            | Self::NoKeys
            | Self::GatewayAway
            | Self::CreditsOut
            | Self::CallsFail
            | Self::Unpriced
            | Self::ModelGone => AlertSeverity::Critical,
            Self::KeysCooling
            | Self::BalanceLow
            | Self::BalanceEnding
            | Self::GatewayDegraded
            | Self::CreditsLow
            | Self::NoPrice
            | Self::ModelEnds
            | Self::ModelEnded => AlertSeverity::Warning,
        }
    }

    /// What has to answer before anybody can say that it is over.
    pub const fn source(self) -> AlertSource {
        match self {
            Self::KeyRefused | Self::KeysCooling | Self::NoKeys => AlertSource::Keys,
            Self::KeyParked | Self::BalanceLow | Self::BalanceEnding => AlertSource::Balances,
            Self::GatewayAway | Self::GatewayDegraded => AlertSource::Gateways,
            Self::CreditsLow | Self::CreditsOut => AlertSource::Credits,
            Self::CallsFail => AlertSource::Calls,
            Self::Unpriced => AlertSource::Sightings,
            Self::NoPrice | Self::ModelEnds | Self::ModelEnded => AlertSource::Catalogue,
            Self::ModelGone => AlertSource::Lists,
        }
    }

    /// What it is when the same thing has become worse. It is not over then.
    pub const fn graver(self) -> &'static [Self] {
        match self {
            Self::KeysCooling => &[Self::NoKeys],
            Self::BalanceLow => &[Self::KeyParked],
            // Of both only one is told: what is low may end soon too.
            Self::BalanceEnding => &[Self::BalanceLow, Self::KeyParked],
            Self::GatewayDegraded => &[Self::GatewayAway],
            Self::CreditsLow => &[Self::CreditsOut],
            Self::ModelEnds => &[Self::ModelEnded],
            Self::KeyRefused
            | Self::KeyParked
            | Self::NoKeys
            | Self::GatewayAway
            | Self::CreditsOut
            | Self::CallsFail
            | Self::NoPrice
            | Self::Unpriced
            | Self::ModelGone
            | Self::ModelEnded => &[],
        }
    }

    /// Whether calls that fail on its subject are counted with it.
    pub const fn counts_calls(self) -> bool {
        match self {
            Self::KeyRefused
            | Self::KeysCooling
            | Self::KeyParked
            | Self::NoKeys
            | Self::GatewayAway
            | Self::GatewayDegraded
            | Self::CallsFail
            | Self::ModelGone
            | Self::ModelEnded => true,
            Self::BalanceLow
            | Self::BalanceEnding
            | Self::CreditsLow
            | Self::CreditsOut
            | Self::NoPrice
            | Self::Unpriced
            | Self::ModelEnds => false,
        }
    }
}

/// Where alerts are found. One that does not answer ends none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertSource {
    /// Pools of providers' keys, at the gateways.
    Keys,
    /// Balances of these keys, at the gateways.
    Balances,
    /// The gateways.
    Gateways,
    /// Tenants' credits.
    Credits,
    /// Sums of calls.
    Calls,
    /// What processes saw.
    Sightings,
    /// Models.
    Catalogue,
    /// What providers say they have.
    Lists,
}

words! {
    /// What kind of thing an alert is about.
    SubjectKind {
        /// A model, by its public name.
        Model = "model",
        /// A provider, as `name` or `name@gateway`.
        Provider = "provider",
        /// A provider's key: the provider, a slash, the key's id.
        Key = "key",
        /// A gateway, by its name or address.
        Gateway = "gateway",
        /// A tenant.
        Tenant = "tenant",
    }
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSubject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Which one.
    pub id: String,
}

impl AlertSubject {
    /// Of a kind.
    pub fn new(kind: SubjectKind, id: impl Into<String>) -> Self {
        let id = id.into();
        Self { kind, id }
    }

    /// A provider's key.
    pub fn key(provider: &str, key: &str) -> Self {
        Self::new(SubjectKind::Key, format!("{provider}/{key}"))
    }

    /// Provider and key's id.
    pub fn key_parts(&self) -> Option<(&str, &str)> {
        let parts = self.id.rsplit_once('/');
        parts.filter(|_| self.kind == SubjectKind::Key)
    }

    /// The provider that it is or belongs to.
    pub fn provider(&self) -> Option<&str> {
        match self.kind {
            SubjectKind::Provider => Some(&self.id),
            SubjectKind::Key => self.key_parts().map(|(provider, _)| provider),
            SubjectKind::Model | SubjectKind::Gateway | SubjectKind::Tenant => None,
        }
    }
}

/// Something that is so now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertCondition {
    /// What.
    pub kind: AlertKind,
    /// About what.
    pub subject: AlertSubject,
    /// How that is called.
    pub label: String,
    /// How a key's secret ends; empty for others.
    pub last4: String,
    /// Since when, where that is known.
    pub since: Option<Moment>,
    /// Calls that failed since then, where they are counted already.
    pub hit_calls: u64,
    /// Whether there may be more of them.
    pub hits_at_least: bool,
}

impl AlertCondition {
    /// Seen now, and no more is known.
    pub fn new(kind: AlertKind, subject: AlertSubject, label: impl Into<String>) -> Self {
        Self {
            kind,
            subject,
            label: label.into(),
            last4: String::new(),
            since: None,
            hit_calls: 0,
            hits_at_least: false,
        }
    }

    /// The same, since a moment. Calls that failed from then to its being seen are not counted.
    #[must_use]
    pub fn since(self, since: Option<Moment>) -> Self {
        Self {
            since,
            hits_at_least: since.is_some() && self.kind.counts_calls(),
            ..self
        }
    }
}

/// An alert from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What.
    pub kind: AlertKind,
    /// About what.
    pub subject: AlertSubject,
    /// How that was called when it was seen last.
    pub label: String,
    /// How a key's secret ends; empty for others.
    pub last4: String,
    /// How much it presses.
    pub severity: AlertSeverity,
    /// When it was first seen.
    pub first_seen: Moment,
    /// When it was seen last.
    pub last_seen: Moment,
    /// Since when it was looked for and not found.
    pub quiet_since: Option<Moment>,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// Calls that failed on it since it was first seen.
    pub hit_calls: u64,
    /// Whether there may be more.
    pub hits_at_least: bool,
    /// Until when nobody is told of it.
    pub muted_until: Option<Moment>,
    /// By whom.
    pub muted_by: Option<String>,
}

impl Alert {
    /// Whether it is so as far as anybody knows.
    pub fn is_on(&self) -> bool {
        self.ended_at.is_none() && self.quiet_since.is_none()
    }

    /// Whether nobody is told of it.
    pub fn is_muted(&self, now: Moment) -> bool {
        self.muted_until.is_some_and(|until| until > now)
    }

    /// Where to act, below `/admin`: a list, one of it by its name as it stands, and a part of that one.
    pub fn place(&self) -> (&'static str, Option<&str>, &'static str) {
        match (self.kind.source(), self.subject.kind) {
            (AlertSource::Balances, _) => ("balances", None, ""),
            // A name with slashes is no part of a path.
            (_, SubjectKind::Model) => {
                let id = Some(self.subject.id.as_str()).filter(|id| !id.contains('/'));
                ("models", id, "")
            }
            (_, SubjectKind::Provider | SubjectKind::Key) => {
                ("providers", self.subject.provider(), "")
            }
            (_, SubjectKind::Gateway) => ("gateways", None, ""),
            (_, SubjectKind::Tenant) => ("tenants", Some(&self.subject.id), "/money"),
        }
    }
}
