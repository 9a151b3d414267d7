//! What is left on the accounts of providers' keys, and what is to be done about it. An amount that nobody
//! told is absent, never zero.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::auth::roles::kind;
use server_rooms::providers::balances::BalanceList;
use server_rooms::providers::{GatewayAnswer, ProviderRef, Providers};
use shared::clock::Moment;
use shared::link::balance::{BalanceTerms, KeyBalance, ProviderBalances, VendorAmount};

use crate::answer::Deleted;
use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Balances for the superadmin.
#[derive(Debug, Clone)]
pub struct BalancesApi {
    /// The gateways' providers.
    pub providers: Providers,
}

/// What an operator wants done about the balances of a provider's keys.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct BalanceTermsBody {
    /// Whether its vendor is asked; default true.
    #[oai(default = "yes")]
    pub is_asked: bool,
    /// Who the vendor is, where its address does not tell: one of `vendors` in the list.
    pub vendor: Option<String>,
    /// A key with so much or less takes no calls until it has more; a decimal number in the vendor's
    /// currency, default `0`.
    pub floor: Option<String>,
    /// A key with so much or less is warned of.
    pub warn_at: Option<String>,
    /// One whose balance ends within so many days is warned of; default 3, never where it is 0.
    pub warn_days: Option<u32>,
}

fn yes() -> bool {
    true
}

/// The balance of one key.
#[derive(Debug, Clone, Object)]
pub struct KeyBalanceBody {
    /// The key's id.
    pub key: String,
    /// Your name for it.
    pub label: String,
    /// How its secret ends.
    pub last4: String,
    /// `fine`, `low`, `ending`, `parked`, or `unknown` where nobody told, or long ago.
    pub state: String,
    /// What the vendor told last, as a decimal number; absent where it never did.
    pub amount: Option<String>,
    /// In which currency; the vendor's word.
    pub currency: Option<String>,
    /// When that was, in RFC 3339.
    pub read_at: Option<String>,
    /// When it was asked for last, in RFC 3339.
    pub asked_at: Option<String>,
    /// Why that brought nothing: `refused`, `absent`, `failed`, `unreachable`, `slow`, `unreadable`,
    /// `unlimited` or `other`.
    pub problem: Option<String>,
    /// What it falls by in a day.
    pub daily: Option<String>,
    /// For how many hours it lasts at that, down to the floor.
    pub hours_left: Option<u64>,
}

/// The balances of a provider's keys.
#[derive(Debug, Clone, Object)]
pub struct ProviderBalanceBody {
    /// The provider.
    pub provider: String,
    /// The gateway that said so.
    pub gateway: String,
    /// Who is asked; absent where nobody can be.
    pub vendor: Option<String>,
    /// What is to be done.
    pub terms: BalanceTermsBody,
    /// Of each key.
    pub keys: Vec<KeyBalanceBody>,
}

/// The balances of all that were reached.
#[derive(Debug, Clone, Object)]
pub struct BalanceListBody {
    /// Always `list`.
    pub object: String,
    /// By gateway and provider.
    pub data: Vec<ProviderBalanceBody>,
    /// Vendors that can be asked.
    pub vendors: Vec<String>,
    /// Gateways that told nothing.
    pub missing: Vec<String>,
}

fn moment(ms: Option<i64>) -> Option<String> {
    ms.map(|ms| date::text(Moment::from_unix_ms(ms)))
}

fn text(amount: Option<VendorAmount>) -> Option<String> {
    amount.map(|amount| amount.to_string())
}

impl From<BalanceTerms> for BalanceTermsBody {
    fn from(terms: BalanceTerms) -> Self {
        Self {
            is_asked: terms.is_asked,
            vendor: terms.vendor,
            floor: Some(terms.floor.to_string()),
            warn_at: text(terms.warn_at),
            warn_days: Some(terms.warn_days),
        }
    }
}

impl BalanceTermsBody {
    fn read(self) -> Result<BalanceTerms, ApiError> {
        let amount = |field: &str, text: Option<String>| {
            let wrong = |error| ApiError::bad_field(field, format!("`{field}` must be {error}."));
            text.map(|text| text.parse::<VendorAmount>().map_err(wrong))
                .transpose()
        };
        let usual = BalanceTerms::default();
        Ok(BalanceTerms {
            is_asked: self.is_asked,
            vendor: self.vendor,
            floor: amount("floor", self.floor)?.unwrap_or(usual.floor),
            warn_at: amount("warn_at", self.warn_at)?,
            warn_days: self.warn_days.unwrap_or(usual.warn_days),
        })
    }
}

impl From<KeyBalance> for KeyBalanceBody {
    fn from(key: KeyBalance) -> Self {
        Self {
            key: key.key.into_string(),
            label: key.label,
            last4: key.last4,
            state: key.state.word().to_owned(),
            amount: text(key.amount),
            currency: key.currency,
            read_at: moment(key.read_at),
            asked_at: moment(key.asked_at),
            problem: key.problem.map(|problem| problem.word().to_owned()),
            daily: text(key.daily),
            hours_left: key.hours_left,
        }
    }
}

impl From<GatewayAnswer<ProviderBalances>> for ProviderBalanceBody {
    fn from(told: GatewayAnswer<ProviderBalances>) -> Self {
        let of = told.answer;
        Self {
            provider: of.provider,
            gateway: told.gateway,
            vendor: of.vendor,
            terms: of.terms.into(),
            keys: of.keys.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<BalanceList> for BalanceListBody {
    fn from(list: BalanceList) -> Self {
        Self {
            object: "list".to_owned(),
            data: list.providers.into_iter().map(Into::into).collect(),
            vendors: list.vendors,
            missing: list.missing,
        }
    }
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl BalancesApi {
    /// List balances
    ///
    /// Remaining balance of the account behind each provider key, where the vendor reports it.
    #[oai(
        path = "/balances",
        method = "get",
        operation_id = "admin_list_balances"
    )]
    async fn list(&self, _caller: SuperadminCaller) -> Result<Json<BalanceListBody>, ApiError> {
        Ok(Json(self.providers.balances().await.into()))
    }

    /// Set a provider's balance settings
    ///
    /// Replaces all of them. The balances of its keys are queried again immediately.
    #[oai(
        path = "/providers/:name/balance",
        method = "put",
        operation_id = "admin_set_balance_terms"
    )]
    async fn set_terms(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<BalanceTermsBody>,
    ) -> Result<Deleted, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let (actor, terms) = (caller.actor(), body.0.read()?);
        self.providers.set_balance_terms(&actor, &of, terms).await?;
        Ok(Deleted::Done)
    }
}
