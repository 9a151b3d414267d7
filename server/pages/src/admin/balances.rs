//! What is left on the accounts of providers' keys, and what is to be done about it. Unknown is unknown,
//! never zero.

use admin_templates::admin::balances::{BalanceKeyRow, BalancePage, BalanceProviderRow};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{BalanceTrouble, BalanceWord};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::providers::balances::BalanceList;
use server_rooms::providers::{GatewayAnswer, ProviderError, ProviderRef, Providers};
use shared::clock::Moment;
use shared::link::AdminError;
use shared::link::balance::{BalanceTerms, KeyBalance, ProviderBalances, VendorAmount};

use super::super::error::PageResult;
use super::super::form::{FieldProblem, FormData, ticked};
use super::super::session::Admin;
use super::form_errors::{FormErrors, again};
use super::providers::refused;
use super::word;

/// The fields of the form.
const NAMES: [&str; 5] = ["is_asked", "vendor", "floor", "warn_at", "warn_days"];

/// An amount with its currency.
fn amount(amount: Option<VendorAmount>, currency: Option<&str>) -> String {
    let with = |amount| format!("{amount} {}", currency.unwrap_or_default());
    amount.map_or_else(String::new, |amount| with(amount).trim_end().to_owned())
}

/// Hours as days with one place.
fn days(hours: u64) -> String {
    let tenths = hours.saturating_mul(10) / 24;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn key_row(key: &KeyBalance) -> BalanceKeyRow {
    let currency = key.currency.as_deref();
    BalanceKeyRow {
        label: key.label.clone(),
        last4: key.last4.clone(),
        state: word(key.state.word(), BalanceWord::Unknown),
        amount: amount(key.amount, currency),
        read_at: key.read_at.map(Moment::from_unix_ms),
        daily: amount(key.daily, currency),
        days_left: key.hours_left.map_or_else(String::new, days),
        trouble: key
            .problem
            .map(|problem| word(problem.word(), BalanceTrouble::Other)),
    }
}

fn form(terms: &BalanceTerms) -> Form {
    let floor = terms.floor.to_string();
    let warn_at = terms.warn_at.map(|line| line.to_string());
    let warn_days = terms.warn_days.to_string();
    Form::of([
        ("is_asked", ticked(terms.is_asked)),
        ("vendor", terms.vendor.as_deref().unwrap_or_default()),
        ("floor", floor.as_str()),
        ("warn_at", warn_at.as_deref().unwrap_or_default()),
        ("warn_days", warn_days.as_str()),
    ])
}

fn row(list: &BalanceList, one: &GatewayAnswer<ProviderBalances>) -> BalanceProviderRow {
    let of = list.address(one);
    BalanceProviderRow {
        name: of.name.clone(),
        reference: of.to_string(),
        gateway: of.gateway.unwrap_or_default(),
        vendor: one.answer.vendor.clone().unwrap_or_default(),
        form: form(&one.answer.terms),
        keys: one.answer.keys.iter().map(key_row).collect(),
    }
}

fn view(list: &BalanceList) -> BalancePage {
    let mut rows: Vec<BalanceProviderRow> =
        list.providers.iter().map(|one| row(list, one)).collect();
    // Stable: those that tell come first, each part by name.
    rows.sort_by_key(|row| row.vendor.is_empty());
    BalancePage {
        rows,
        vendors: list.vendors.clone(),
        missing: list.missing.clone(),
    }
}

/// `GET /admin/balances`
#[handler]
pub(super) async fn balance_page(who: Admin, providers: Data<&Providers>) -> PageResult {
    who.show(&view(&providers.balances().await)).await
}

fn drafted(posted: &FormData) -> Result<BalanceTerms, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let read = |field: &'static str| {
        let wrong = |_| (field, FieldError::NotANumber);
        let amount = posted.optional(field).map(str::parse::<VendorAmount>);
        amount.transpose().map_err(wrong)
    };
    let floor = errors.take(read("floor")).flatten();
    let warn_at = errors.take(read("warn_at")).flatten();
    let days = posted.optional("warn_days").map(str::parse::<u32>);
    let days = days
        .transpose()
        .map_err(|_| ("warn_days", FieldError::NotANumber));
    let days = errors.take(days).flatten();
    let usual = BalanceTerms::default();
    errors.unless(Some(BalanceTerms {
        is_asked: posted.is_ticked("is_asked"),
        vendor: posted.optional("vendor").map(str::to_owned),
        floor: floor.unwrap_or(usual.floor),
        warn_at,
        warn_days: days.unwrap_or(usual.warn_days),
    }))
}

/// What a gateway blames.
fn blamed(error: AdminError) -> Result<FieldProblem, ProviderError> {
    let AdminError::Invalid(wrong) = &error else {
        return Err(error.into());
    };
    let field = NAMES.into_iter().find(|name| *name == wrong.field);
    let words = FieldError::Words(wrong.to_string());
    Ok((field.unwrap_or("floor"), words))
}

/// `POST /admin/providers/{name}/balance`
#[handler]
pub(super) async fn set_terms(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let wrong = match drafted(&posted) {
        Ok(terms) => {
            let set = providers.set_balance_terms(&who.actor(), &of, terms).await;
            match set {
                Ok(()) => return who.done("/admin/balances", &Notice::Saved),
                Err(ProviderError::Gateway(error)) => vec![blamed(error).map_err(refused)?],
                Err(error) => return Err(refused(error)),
            }
        }
        Err(wrong) => wrong,
    };
    let mut view = view(&providers.balances().await);
    let row = view.rows.iter_mut().find(|row| row.reference == name);
    if let Some(row) = row {
        row.form = again(&posted, &NAMES, wrong);
    }
    who.show_again(&view).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_carry_their_currency_and_what_nobody_told_is_empty() {
        let some = "12.5".parse().ok();
        assert_eq!(amount(some, Some("CNY")), "12.5 CNY");
        assert_eq!(amount(some, None), "12.5");
        assert_eq!(amount(None, Some("CNY")), "");
        assert_eq!(
            (days(0), days(36), days(47)),
            ("0.0".into(), "1.5".into(), "1.9".into())
        );
    }
}
