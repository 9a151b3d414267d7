//! Calls that nobody knows the end of, as they are shown and resolved, and places in their list.

use poem_openapi::Object;
use server_edge::date;
use server_rooms::ledger::{Hold, UnknownPlace};
use shared::clock::Moment;
use shared::id::GenerationId;

use crate::manage::Amount;

/// A call whose end nobody knows. Its credits were given back.
#[derive(Debug, Clone, Object)]
pub struct UnknownCallView {
    /// The call.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// The model's name.
    pub model: String,
    /// What was held for it: it can be charged at most that.
    pub held: Amount,
    /// The gateways that may know how it ended; none where it is not known which.
    pub gateways: Vec<String>,
    /// Whether the tenant was told that nothing is charged; then it can't be charged.
    pub promised: bool,
    /// When it came, in RFC 3339.
    pub created_at: String,
    /// Until when the gateways are asked, in RFC 3339. After that it stays uncharged.
    pub asked_until: String,
}

impl From<Hold> for UnknownCallView {
    fn from(hold: Hold) -> Self {
        let snapshot = hold.snapshot.read();
        let unknown = hold.unknown;
        Self {
            id: hold.id.to_string(),
            tenant_id: hold.tenant.to_string(),
            held: hold.held.into(),
            promised: unknown.is_some_and(|unknown| unknown.promised),
            created_at: date::text(hold.created_at),
            asked_until: unknown.map_or_else(String::new, |unknown| date::text(unknown.ask_until)),
            model: snapshot
                .as_ref()
                .map_or_else(String::new, |of| of.model.clone()),
            gateways: snapshot.map(|of| of.gateways).unwrap_or_default(),
        }
    }
}

/// A place in the list, which stays when the call there is resolved: `<asked until, ms>-<id>`.
pub(super) struct Cursor {
    ask_until: Moment,
    id: GenerationId,
}

impl Cursor {
    pub(super) fn of(hold: &Hold) -> Self {
        Self {
            ask_until: hold
                .unknown
                .map_or(hold.created_at, |unknown| unknown.ask_until),
            id: hold.id.clone(),
        }
    }

    pub(super) fn place(&self) -> UnknownPlace<'_> {
        UnknownPlace {
            ask_until: self.ask_until,
            id: &self.id,
        }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ask_until.unix_ms(), self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('-').ok_or(())?;
        Ok(Self {
            ask_until: Moment::from_unix_ms(at.parse().map_err(|_| ())?),
            id: id.parse().map_err(|_| ())?,
        })
    }
}

/// A charge for a call whose end nobody knows.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct SettleBody {
    /// What is charged: above 0, and at most what was held.
    pub credits: Amount,
    /// Why; kept in the audit log.
    pub reason: String,
}

/// A call whose end nobody knows is to cost nothing.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ReleaseBody {
    /// Why; kept in the audit log.
    pub reason: String,
}

/// What became of a call.
#[derive(Debug, Clone, Object)]
pub struct ResolvedView {
    /// The call.
    pub id: String,
    /// What the tenant was charged: what balance and budgets had, at most what was asked for.
    pub charged: Amount,
    /// What they did not have: the platform's loss.
    pub lost: Amount,
}
