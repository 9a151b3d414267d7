//! Giving credits to a tenant, once for each Idempotency-Key.

use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date::{self, Date};
use server_rooms::auth::roles::kind;
use server_rooms::ledger::Grant;
use server_rooms::money::recharge::{Recharge, Recharges};
use shared::clock::{Clock, Moment};

use super::tenant_of;
use crate::error::ApiError;
use crate::fields;
use crate::manage::Amount;
use crate::manage::credits::BalanceView;
use crate::principal::SuperadminCaller;

/// The draft's clients use UUIDs; a grant's source key has room for this.
const KEY_BYTES_MAX: usize = 255;
/// A sentence or two for people.
const NOTE_MAX: usize = 500;

/// Credits to be given.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct RechargeBody {
    /// How many, above 0.
    pub amount: Amount,
    /// For people.
    #[oai(default)]
    pub note: String,
    /// When what is left lapses: a day (2026-12-31, to its end in UTC) or a moment (RFC 3339).
    pub expires_at: Option<String>,
}

/// A lot of credits.
#[derive(Debug, Clone, Object)]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// `manual`, `purchase` and the like.
    pub kind: String,
    /// What was given.
    pub amount: Amount,
    /// What is neither held nor spent.
    pub remaining: Amount,
    /// When it lapses, in RFC 3339.
    pub expires_at: Option<String>,
    /// For people.
    pub note: String,
    /// When it was given, in RFC 3339.
    pub created_at: String,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id.to_string(),
            kind: grant.kind.word().to_owned(),
            amount: grant.granted.into(),
            remaining: grant.remaining.into(),
            expires_at: grant.expires_at.map(date::text),
            note: grant.note,
            created_at: date::text(grant.created_at),
        }
    }
}

/// What was given and what there is now.
#[derive(Debug, Clone, Object)]
pub struct RechargeView {
    /// The lot; with a key that was used before, the lot of then.
    pub grant: GrantView,
    /// The tenant's balance.
    pub balance: BalanceView,
}

/// Recharges for the superadmin.
#[derive(Debug, Clone)]
pub struct RechargeApi {
    /// The money.
    pub recharges: Recharges,
    /// Whether an expiry is still to come.
    pub clock: Clock,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl RechargeApi {
    /// Top up credits
    ///
    /// Repeating an Idempotency-Key has no further effect; with another amount or expiry it is refused with
    /// 422.
    #[oai(
        path = "/tenants/:id/recharge",
        method = "post",
        operation_id = "admin_recharge"
    )]
    async fn recharge(
        &self,
        caller: SuperadminCaller<kind::MoveCredits>,
        id: Path<String>,
        /// Makes a repetition harmless: 1 to 255 visible characters
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Json<RechargeBody>,
    ) -> Result<Json<RechargeView>, ApiError> {
        let key = idempotency_key(key.0.as_deref())?;
        let body = body.0;
        let expires_at = expiry(body.expires_at.as_deref(), self.clock.now())?;
        check_text("note", &body.note)?;
        let tenant = tenant_of(&id.0)?;
        let wish = Recharge {
            tenant,
            amount: body.amount.into(),
            key,
            expires_at,
            note: body.note,
        };
        let (grant, balance) = self.recharges.recharge(&caller.actor(), wish).await?;
        Ok(Json(RechargeView {
            grant: grant.into(),
            balance: balance.into(),
        }))
    }
}

/// Reads the header: a structured field's string in quotes, or bare as clients send it.
pub(super) fn idempotency_key(header: Option<&str>) -> Result<String, ApiError> {
    let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else {
        let message = "Send an Idempotency-Key header, for example a UUID, so that a repeated request is not applied twice.";
        return Err(ApiError::bad_request("idempotency_key_required", message));
    };
    let quoted = header
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let key = match quoted {
        Some(inner) => unescaped(inner),
        None => Some(header.to_owned()).filter(|key| !key.contains('"')),
    };
    let well_formed = |key: &String| {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b))
    };
    key.filter(well_formed).ok_or_else(|| {
        let message =
            format!("An Idempotency-Key has 1 to {KEY_BYTES_MAX} printable ASCII characters.");
        ApiError::bad_field("Idempotency-Key", message)
    })
}

/// RFC 9651, 3.3.3: only `"` and `\` are escaped, with a `\`.
fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.push(chars.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

fn expiry(text: Option<&str>, now: Moment) -> Result<Option<Moment>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let date = fields::date("expires_at", text)?;
    let moment = match date {
        Date::Day(_) => date.end(),
        Date::Instant(moment) => moment,
    };
    if moment <= now {
        return Err(ApiError::bad_field(
            "expires_at",
            "`expires_at` must be in the future.",
        ));
    }
    Ok(Some(moment))
}

/// Words for people, in the field `name`.
pub(super) fn check_text(name: &str, text: &str) -> Result<(), ApiError> {
    if text.chars().count() <= NOTE_MAX && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let message =
        format!("`{name}` has at most {NOTE_MAX} characters, none of them a control character.");
    Err(ApiError::bad_field(name, message))
}

#[cfg(test)]
mod tests;
