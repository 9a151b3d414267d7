//! The list of models, out of the catalogue's memory: a few hundred at most, so it is cut by place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use admin_templates::admin::catalogue::{ModelList, ModelRow};
use admin_templates::list::{ListPlace, ListState, Sort};
use server_rooms::alerts::Alerts;
use server_rooms::alerts::health::Conditions;
use server_rooms::catalogue::Model;
use server_rooms::reports::sums::Sums;
use shared::clock::Moment;

use super::super::super::error::{PageError, parsed};
use super::super::alerts::condition;
use super::super::providers::switch;
use super::super::{WHOLE, filters, length, success, wanted};
use super::view::price_lines;
use super::{ModelRooms, operation};

const FILTERS: [&str; 3] = ["q", "operation", "provider"];
/// Rows of a page.
const ROWS: usize = 50;

/// The orders that there are.
fn sort(asked: &BTreeMap<String, String>) -> Option<Sort> {
    let word = wanted(asked, "sort")?;
    let (key, descending) = match word.strip_prefix('-') {
        Some(key) => (key, true),
        None => (word, false),
    };
    let known = ["id", "calls"].contains(&key);
    known.then(|| Sort {
        key: key.to_owned(),
        descending,
    })
}

fn fits(model: &Model, asked: &BTreeMap<String, String>) -> bool {
    let contains = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    let named = wanted(asked, "q").is_none_or(|part| contains(&model.id, part));
    let operation = wanted(asked, "operation");
    let operation = operation.is_none_or(|word| model.operation.word() == word);
    let provider = wanted(asked, "provider");
    let mut targets = model.targets.iter();
    let provider = provider.is_none_or(|name| targets.any(|target| target.provider == name));
    named && operation && provider
}

fn row(
    model: &Model,
    (sums, conditions): (&HashMap<String, Sums>, &Conditions),
    now: Moment,
) -> ModelRow {
    let sums = sums.get(&model.id);
    let target = |target: &server_rooms::catalogue::model::WeightedTarget| {
        format!("{}/{}", target.provider, target.model)
    };
    ModelRow {
        id: model.id.clone(),
        operation: operation(model),
        state: switch(model.enabled),
        condition: condition(conditions.model(model, now)),
        targets: model.targets.iter().map(target).collect(),
        price: model.price_at(now).map(price_lines).unwrap_or_default(),
        calls: sums.map_or(0, |sums| sums.calls),
        success: sums.map_or(WHOLE, success),
        first_token_ms: sums.and_then(|sums| sums.first_byte().p95_ms).unwrap_or(0),
    }
}

/// Where a page begins; `before` and `after` tell it alike, and nobody else makes one up.
fn start(asked: &BTreeMap<String, String>) -> Result<usize, PageError> {
    let cursor = wanted(asked, "after").or_else(|| wanted(asked, "before"));
    Ok(cursor.map(parsed).transpose()?.unwrap_or(0))
}

/// A page of the list.
pub(super) async fn view(
    rooms: &ModelRooms,
    alerts: &Alerts,
    asked: &BTreeMap<String, String>,
    now: Moment,
) -> Result<ModelList, PageError> {
    let (catalogue, reports) = (&rooms.catalogue, &rooms.reports);
    let (start, sort) = (start(asked)?, sort(asked));
    let all = catalogue.models();
    let names: BTreeSet<String> = all
        .iter()
        .flat_map(|model| model.targets.iter().map(|target| target.provider.clone()))
        .collect();
    let mut models: Vec<&Arc<Model>> = all.iter().filter(|model| fits(model, asked)).collect();
    if let Some(sort) = &sort {
        if sort.key == "calls" {
            let calls = reports.model_calls().await?;
            models.sort_by_key(|model| calls.get(&model.id).copied().unwrap_or(0));
        }
        if sort.descending {
            models.reverse();
        }
    }
    let place = |place: usize| Some(place.to_string());
    let end = start.saturating_add(ROWS);
    let list = ListState {
        filters: filters(asked, &FILTERS),
        sort,
        next: place(end).filter(|_| end < models.len()),
        previous: place(start.saturating_sub(ROWS)).filter(|_| start > 0),
        place: Some(ListPlace {
            first: length(start).saturating_add(1),
            rows: length(end.min(models.len()).saturating_sub(start)),
            total: length(models.len()),
            exact: true,
        }),
    };
    let shown: Vec<&Arc<Model>> = models.into_iter().skip(start).take(ROWS).collect();
    let ids: Vec<&str> = shown.iter().map(|model| model.id.as_str()).collect();
    let (sums, conditions) = tokio::join!(reports.models_day(&ids), alerts.model_conditions());
    let (sums, conditions) = (sums?, conditions?);
    Ok(ModelList {
        list,
        providers: names.into_iter().collect(),
        rows: shown
            .into_iter()
            .map(|model| row(model, (&sums, &conditions), now))
            .collect(),
    })
}
