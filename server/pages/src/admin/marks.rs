//! What happened meanwhile, for the axis of time of a chart: prices that became valid, keys that a provider
//! refused. Reads what is in memory, and the newest events that gateways told.

use std::collections::BTreeMap;

use admin_templates::chart::Mark;
use admin_templates::labels::{GatewayNews, MarkKind, Word};
use server_rooms::catalogue::Catalogue;
use server_rooms::gateways::Gateways;
use shared::clock::Moment;

use super::super::error::PageError;

/// Events of gateways that are looked through.
const EVENTS: i64 = 200;
/// Prices of one moment that are named one by one.
const NAMED_MAX: usize = 3;

/// Models whose price changed at one moment, as a text.
fn named(models: &[String]) -> String {
    let names = models.iter().take(NAMED_MAX).map(String::as_str);
    let names = names.collect::<Vec<_>>().join(", ");
    match models.len().saturating_sub(NAMED_MAX) {
        0 => names,
        more => format!("{names}, +{more}"),
    }
}

/// Prices that became valid since a moment: of one model, or of all. A model's first price changed none.
fn prices(catalogue: &Catalogue, model: Option<&str>, since: Moment) -> Vec<Mark> {
    let mut at: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let models = catalogue.models();
    let looked = models
        .iter()
        .filter(|one| model.is_none_or(|model| model == one.id));
    for one in looked {
        let first = one.prices.iter().map(|price| price.valid_from).min();
        let newer = one
            .prices
            .iter()
            .filter(|price| price.valid_from >= since && Some(price.valid_from) != first);
        for price in newer {
            let of = at.entry(price.valid_from.unix_ms()).or_default();
            of.push(one.id.clone());
        }
    }
    let mark = |(at, mut models): (i64, Vec<String>)| {
        models.sort();
        Mark {
            at: Moment::from_unix_ms(at),
            kind: MarkKind::Price,
            name: named(&models),
        }
    };
    at.into_iter().map(mark).collect()
}

/// Keys that a provider refused since a moment: one provider, or any.
async fn refused(
    gateways: &Gateways,
    provider: Option<&str>,
    since: Moment,
) -> Result<Vec<Mark>, PageError> {
    let told = gateways.events(EVENTS).await?;
    let refused = told.into_iter().filter_map(|told| {
        let event = told.event;
        let text = |name: &str| event.body[name].as_str().unwrap_or_default();
        let of = text("provider");
        let is_it = event.kind == GatewayNews::KeyDisabled.code()
            && event.at >= since.unix_ms()
            && provider.is_none_or(|provider| provider == of);
        is_it.then(|| Mark {
            at: Moment::from_unix_ms(event.at),
            kind: MarkKind::KeyRefused,
            name: format!("{of} …{}", text("last4")),
        })
    });
    Ok(refused.collect())
}

/// Of the whole platform.
pub(super) async fn of_platform(
    catalogue: &Catalogue,
    gateways: &Gateways,
    since: Moment,
) -> Result<Vec<Mark>, PageError> {
    let mut marks = prices(catalogue, None, since);
    marks.extend(refused(gateways, None, since).await?);
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn many_models_of_one_moment_are_counted() {
        let models = |count: usize| (1..=count).map(|n| format!("m{n}")).collect::<Vec<_>>();
        assert_eq!(named(&models(1)), "m1");
        assert_eq!(named(&models(3)), "m1, m2, m3");
        assert_eq!(named(&models(40)), "m1, m2, m3, +37");
    }
}
