//! One model as its page shows it: where it runs and how it does there, and every price it had.

use std::collections::HashMap;

use admin_templates::admin::catalogue::{ModelDetail, PriceLine, PriceRow, TargetRow};
use admin_templates::form::Form;
use admin_templates::labels::Health;
use server_rooms::catalogue::Model;
use server_rooms::catalogue::price::{Price, Rate};
use server_rooms::reports::{Reports, UsageFilter};
use shared::clock::Moment;

use super::super::super::bills;
use super::super::super::error::PageError;
use super::super::super::form::{number, ticked};
use super::super::days::{Day, days};
use super::super::{WHOLE, providers};
use super::rates::Draft;
use super::{ModelRooms, facts, operation, order, provider_names, targets};

/// The rates of a price.
pub(super) fn price_lines(price: &Price) -> Vec<PriceLine> {
    let line = |rate: &Rate| {
        let per = bills::per(rate.unit, rate.per);
        let when = rate.when.to_string();
        let parts = [per, when].into_iter().filter(|part| !part.is_empty());
        PriceLine {
            item: rate.unit.into(),
            detail: parts.collect::<Vec<_>>().join(" "),
            price: rate.credits,
            cost: rate.cost,
        }
    };
    price.list.rates.iter().map(line).collect()
}

async fn prices(reports: &Reports, model: &Model, now: Moment) -> Result<Vec<PriceRow>, PageError> {
    let ids: Vec<&str> = model.prices.iter().map(|price| price.id.as_str()).collect();
    let authors = reports.authors("price.create", &ids).await?;
    let current = model.price_at(now).map(|price| &price.id);
    let row = |price: &Price| PriceRow {
        id: price.id.to_string(),
        valid_from: price.valid_from,
        current: current == Some(&price.id),
        lines: price_lines(price),
        author: authors.get(price.id.as_str()).cloned().unwrap_or_default(),
        ahead: price.valid_from > now,
    };
    Ok(model.prices.iter().map(row).collect())
}

async fn target_rows(
    rooms: &ModelRooms,
    model: &Model,
    now: Moment,
) -> Result<Vec<TargetRow>, PageError> {
    let filter = UsageFilter {
        model: Some(model.id.clone()),
        ..UsageFilter::default()
    };
    let place = |provider: &str, model: &str| format!("{provider}/{model}");
    let days = days(&rooms.reports, filter, now, |record| {
        Some(place(&record.provider, &record.provider_model))
    });
    let known = async {
        let all = providers::known(&rooms.providers).await;
        let used = |name: &str| model.targets.iter().any(|target| target.provider == name);
        providers::healths(&rooms.providers, &all, |one| used(&one.name)).await
    };
    let (days, healths): (_, HashMap<String, Health>) = tokio::join!(days, known);
    let days = days?;
    let row = |target: &server_rooms::catalogue::model::WeightedTarget| {
        let day = days.get(&place(&target.provider, &target.model));
        let health = healths.get(&target.provider).copied();
        TargetRow {
            id: targets::id(target),
            provider: target.provider.clone(),
            model: target.model.clone(),
            priority: target.priority.into(),
            weight: target.weight.into(),
            gateway: target.gateway.clone().unwrap_or_default(),
            cost: number(target.cost),
            health: health.unwrap_or(Health::Away),
            calls: day.map_or(0, |day| day.calls),
            success: day.map_or(WHOLE, Day::success),
            first_token_ms: day.map_or(0, Day::first_token_ms),
        }
    };
    Ok(model.targets.iter().map(row).collect())
}

/// The page as it stands.
pub(super) async fn view(
    rooms: &ModelRooms,
    model: &Model,
    now: Moment,
) -> Result<ModelDetail, PageError> {
    let (targets, prices, providers) = tokio::join!(
        target_rows(rooms, model, now),
        prices(&rooms.reports, model, now),
        provider_names(&rooms.catalogue, &rooms.providers)
    );
    let pins = rooms.catalogue.price_pins().await?;
    let tokens = model.max_output_tokens.to_string();
    let price = model.price_at(now);
    let price = price.map_or_else(
        || Draft::starting(Some(model.operation)),
        |price| Draft::of(&price.list),
    );
    Ok(ModelDetail {
        id: model.id.clone(),
        operation: operation(model),
        state: providers::switch(model.enabled),
        created_at: model.created_at,
        edit: Form::of([
            ("max_output_tokens", tokens.as_str()),
            ("enabled", ticked(model.enabled)),
            ("answers_public_name", ticked(model.answers_public_name)),
            ("is_default", ticked(model.is_default)),
        ]),
        facts: facts::filled(&model.facts, &rooms.catalogue.platform_zone().await),
        targets: targets?,
        order: order::filled(&rooms.catalogue, &model.id),
        target: Form::of([("priority", "0"), ("weight", "1")]),
        providers,
        prices: prices?,
        has_price: model.price_at(now).is_some(),
        pinned: pins.contains(&model.id),
        price: price.table(false),
        price_try: None,
        preview: Form::of([
            ("preview_input", "1000"),
            ("preview_output", "500"),
            ("preview_multiplier", "1"),
        ]),
        preview_result: None,
        changing: None,
        attempt: Form::default(),
        attempt_failed: None,
        attempt_result: None,
    })
}
