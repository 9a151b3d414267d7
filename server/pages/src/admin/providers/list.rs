//! The list of providers: how each does, what it takes, what is left, and a real call to try one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use admin_templates::admin::providers::{ProviderList as ListView, ProviderRow, ProviderTried};
use admin_templates::labels::{BalanceWord, Health, ProviderFilter, Switch, Word as _};
use admin_templates::list::ListState;
use futures_util::future::try_join_all;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::alerts::Alerts;
use server_rooms::alerts::health::Conditions;
use server_rooms::auth::roles::kind;
use server_rooms::providers::balances::BalanceList;
use server_rooms::providers::trial::ProviderTrial;
use server_rooms::providers::{Connectors, GatewayAnswer, ProviderList, ProviderRef, Providers};
use server_rooms::reports::dashboard::Range;
use server_rooms::reports::span::Span;
use server_rooms::reports::{ReportScope, Reports};
use shared::link::ProviderView;
use shared::link::balance::KeyBalance;

use super::super::super::bills::known_cost;
use super::super::super::error::{PageError, PageResult};
use super::super::super::session::Admin;
use super::super::alerts::condition;
use super::super::dashboard::day;
use super::super::models::ModelRooms;
use super::super::{Asked, filters, success, wanted, word};
use super::pool::{health, number};
use super::{connector, in_flight, keys, options, refused, switch};

const FILTERS: [&str; 3] = ["q", "state", "tag"];

/// What rows are filled from.
struct Sources<'a> {
    conditions: Conditions,
    providers: &'a Providers,
    reports: &'a Reports,
    known: &'a [Connectors],
    list: &'a ProviderList,
    balances: HashMap<ProviderRef, Vec<&'a KeyBalance>>,
}

/// The lowest balance that is known, and how the worst stands. Amounts in several currencies can't be
/// compared: then the one of the worst key is told.
fn lowest(keys: &[&KeyBalance]) -> (String, BalanceWord) {
    let told = keys.iter().filter(|key| key.amount.is_some());
    let worst = told.min_by_key(|key| (std::cmp::Reverse(key.state.urgency()), key.amount));
    worst.map_or((String::new(), BalanceWord::Unknown), |key| {
        let amount = key.amount.unwrap_or_default();
        let currency = key.currency.as_deref().unwrap_or_default();
        let text = format!("{amount} {currency}");
        (
            text.trim_end().to_owned(),
            word(key.state.word(), BalanceWord::Unknown),
        )
    })
}

async fn row(
    from: &Sources<'_>,
    one: &GatewayAnswer<ProviderView>,
) -> Result<ProviderRow, PageError> {
    let (of, provider) = (from.list.address(one), one.answer.clone());
    let keys = from.providers.keys(&of).await.map_err(refused)?.answer;
    let scope = || ReportScope::Provider(provider.name.clone());
    let board = day(from.reports, scope()).await?;
    let week = Range::Last(Span::Week);
    let week = from.reports.dashboard(&scope(), week).await?.totals;
    let totals = &board.totals;
    let connector = connector(from.known, of.gateway.as_deref(), &provider.kind);
    let (balance, balance_state) = from
        .balances
        .get(&of)
        .map_or((String::new(), BalanceWord::Unknown), |keys| lowest(keys));
    let tags: BTreeSet<&String> = keys.iter().flat_map(|key| &key.terms.tags).collect();
    let first_byte = totals.first_byte();
    Ok(ProviderRow {
        speaks: options::spoken(&provider.options, connector),
        health: health(&provider, &keys, success(totals)),
        condition: condition(from.conditions.provider(&of.to_string(), &provider.name)),
        state: switch(provider.enabled),
        active: number(&keys, "active"),
        cooling: number(&keys, "cooling"),
        disabled: number(&keys, "disabled"),
        parked: number(&keys, "parked"),
        in_flight: in_flight(&keys),
        calls: totals.calls,
        success: success(totals),
        first_token_p50_ms: first_byte.p50_ms.unwrap_or(0),
        first_token_ms: first_byte.p95_ms.unwrap_or(0),
        cost: known_cost(&totals.cost, totals.calls),
        cost_week: known_cost(&week.cost, week.calls),
        balance,
        balance_state,
        tags: tags.into_iter().cloned().collect(),
        name: provider.name,
        reference: of.to_string(),
        gateway: of.gateway.unwrap_or_default(),
        kind: provider.kind,
        base_url: provider.base_url,
    })
}

/// Whether a row is what is looked for.
fn fits(row: &ProviderRow, asked: &BTreeMap<String, String>) -> bool {
    let part = wanted(asked, "q").map(str::to_lowercase);
    let named = part.is_none_or(|part| {
        let texts = [&row.name, &row.kind, &row.base_url];
        texts
            .into_iter()
            .any(|text| text.to_lowercase().contains(&part))
    });
    let is_on = row.state == Switch::On;
    let state = wanted(asked, "state").and_then(ProviderFilter::from_code);
    let state = state.is_none_or(|state| match state {
        ProviderFilter::Good => is_on && row.health == Health::Good,
        ProviderFilter::Degraded => is_on && row.health == Health::Degraded,
        ProviderFilter::Away => is_on && row.health == Health::Away,
        ProviderFilter::Off => !is_on,
        ProviderFilter::LowBalance => matches!(
            row.balance_state,
            BalanceWord::Low | BalanceWord::Ending | BalanceWord::Parked
        ),
    });
    let tag = wanted(asked, "tag");
    named && state && tag.is_none_or(|tag| row.tags.iter().any(|own| own == tag))
}

async fn view(
    (providers, reports, alerts): (&Providers, &Reports, &Alerts),
    asked: &BTreeMap<String, String>,
) -> Result<ListView, PageError> {
    let list = providers.all().await.map_err(refused)?;
    let (known, told): (Vec<Connectors>, BalanceList) =
        futures_util::future::join(providers.connectors(), providers.balances()).await;
    let mut balances: HashMap<ProviderRef, Vec<&KeyBalance>> = HashMap::new();
    for (of, key) in told.keys() {
        balances.entry(of).or_default().push(key);
    }
    let from = Sources {
        conditions: alerts.provider_conditions().await?,
        providers,
        reports,
        known: &known,
        list: &list,
        balances,
    };
    let rows = list.providers.iter().map(|one| row(&from, one));
    let rows = try_join_all(rows).await?;
    let tags: BTreeSet<String> = rows.iter().flat_map(|row| row.tags.clone()).collect();
    Ok(ListView {
        list: ListState {
            filters: filters(asked, &FILTERS),
            ..ListState::whole()
        },
        rows: rows.into_iter().filter(|row| fits(row, asked)).collect(),
        tags: tags.into_iter().collect(),
        tried: None,
        missing: list.missing.clone(),
    })
}

/// `GET /admin/providers`
#[handler]
pub(in super::super) async fn provider_list(
    who: Admin,
    asked: Asked,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
    alerts: Data<&Alerts>,
) -> PageResult {
    let view = view((&providers, &reports, &alerts), &asked).await?;
    who.show(&view).await
}

fn tried(of: &ProviderRef, trial: ProviderTrial) -> ProviderTried {
    ProviderTried {
        name: of.to_string(),
        last4: trial.last4,
        model: trial.model.unwrap_or_default(),
        test: keys::test_view(trial.test),
        cost: trial.cost,
    }
}

/// `POST /admin/providers/{name}/test`: the list again, with what came of it.
#[handler]
pub(in super::super) async fn test_provider(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    rooms: Data<&ModelRooms>,
    alerts: Data<&Alerts>,
) -> PageResult {
    let (providers, reports) = (&rooms.providers, &rooms.reports);
    let of = ProviderRef::parse(&name);
    let models = rooms.catalogue.models();
    let trial = providers.try_provider(&of, &models, who.now()).await;
    let trial = trial.map_err(refused)?;
    let mut view = view((providers, reports, &alerts), &BTreeMap::new()).await?;
    view.tried = Some(tried(&of, trial));
    who.show(&view).await
}

#[cfg(test)]
mod tests {
    use shared::id::ProviderKeyId;
    use shared::link::balance::BalanceState;

    use super::*;

    fn key(state: BalanceState, amount: Option<&str>, currency: &str) -> KeyBalance {
        KeyBalance {
            key: ProviderKeyId::random(),
            label: String::new(),
            last4: "last".to_owned(),
            state,
            amount: amount.and_then(|text| text.parse().ok()),
            currency: Some(currency.to_owned()),
            read_at: None,
            asked_at: None,
            problem: None,
            daily: None,
            hours_left: None,
        }
    }

    #[test]
    fn the_worst_balance_of_a_provider_is_told_and_an_unknown_one_is_none() {
        let keys = [
            key(BalanceState::Fine, Some("3"), "USD"),
            key(BalanceState::Low, Some("20"), "CNY"),
            key(BalanceState::Low, Some("19"), "CNY"),
            key(BalanceState::Unknown, None, "CNY"),
        ];
        let all: Vec<&KeyBalance> = keys.iter().collect();
        assert_eq!(lowest(&all), ("19 CNY".to_owned(), BalanceWord::Low));
        assert_eq!(lowest(&all[..1]), ("3 USD".to_owned(), BalanceWord::Fine));
        assert_eq!(lowest(&all[3..]), (String::new(), BalanceWord::Unknown));
        assert_eq!(lowest(&[]), (String::new(), BalanceWord::Unknown));
    }
}
