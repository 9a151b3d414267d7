//! What a call would cost, reckoned by the price that is valid now. Calls nothing.

use std::collections::BTreeMap;

use admin_templates::admin::catalogue::{CostPreview, ModelDetail};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{AlertKind, Label as _};
use admin_templates::page::Lang;
use server_rooms::catalogue::Model;
use server_rooms::catalogue::price::{Price, WorstCase};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::units::{Unit, Usage};

use super::super::super::bills;
use super::super::{filters, wanted};

const COUNTS: [&str; 5] = [
    "preview_input",
    "preview_cached",
    "preview_output",
    "preview_reasoning",
    "preview_images",
];
const MULTIPLIER: &str = "preview_multiplier";
/// More of anything is no call.
const COUNT_MAX: u64 = 1_000_000_000;
/// Multipliers are in millionths.
const PPM: i64 = 1_000_000;

fn count(asked: &BTreeMap<String, String>, form: &mut Form, name: &'static str) -> u64 {
    let Some(text) = wanted(asked, name) else {
        return 0;
    };
    let error = match text.parse::<u64>() {
        Ok(count) if count <= COUNT_MAX => return count,
        Ok(_) => FieldError::OutOfRange(0, COUNT_MAX),
        Err(_) => FieldError::NotANumber,
    };
    form.errors.insert(name.to_owned(), error);
    0
}

fn multiplier(asked: &BTreeMap<String, String>, form: &mut Form) -> i64 {
    let Some(text) = wanted(asked, MULTIPLIER) else {
        return PPM;
    };
    match text.parse::<Credits>() {
        Ok(factor) if factor >= Credits::ZERO => factor.micros(),
        Ok(_) | Err(_) => {
            form.errors
                .insert(MULTIPLIER.to_owned(), FieldError::NotAPrice);
            PPM
        }
    }
}

fn reckoned(model: &Model, price: &Price, usage: &Usage, at: (Moment, i64)) -> Option<CostPreview> {
    let (at, ppm) = at;
    let charge = price.list.bill(usage, at, ppm)?;
    let cost = price.list.cost(usage, at);
    let mut bounds = Usage::of([(Unit::InputToken, usage.input_total())]);
    if model.operation.units().contains(&Unit::OutputToken) {
        bounds.set(Unit::OutputToken, model.max_output_tokens);
    }
    bounds.set(Unit::Image, usage.count(Unit::Image));
    let worst = WorstCase {
        bounds: &bounds,
        open: &[],
        at,
    };
    let margin = |cost: Credits| charge.total.micros().saturating_sub(cost.micros());
    Some(CostPreview {
        cost,
        margin: cost.map(margin).map(Credits::from_micros),
        hold: price.list.worst_case(worst, ppm)?,
        charge: bills::arithmetic(&charge),
    })
}

/// Fills the preview where the query asks for one.
pub(super) fn fill(
    view: &mut ModelDetail,
    model: &Model,
    (asked, now, lang): (&BTreeMap<String, String>, Moment, Lang),
) {
    let names = [&COUNTS[..], &[MULTIPLIER]].concat();
    if names.iter().all(|name| wanted(asked, name).is_none()) {
        return;
    }
    let mut form = filters(asked, &names);
    let [input, cached, output, reasoning, images] =
        COUNTS.map(|name| count(asked, &mut form, name));
    let ppm = multiplier(asked, &mut form);
    let usage = Usage::of([
        (Unit::InputToken, input),
        (Unit::CachedInputToken, cached),
        (Unit::OutputToken, output),
        (Unit::ReasoningToken, reasoning),
        (Unit::Image, images),
    ]);
    if !form.has_errors() {
        if let Some(price) = model.price_at(now) {
            view.preview_result = reckoned(model, price, &usage, (now, ppm));
            if view.preview_result.is_none() {
                form.error = Some(FieldError::OutOfRange(0, COUNT_MAX));
            }
        } else {
            let words = AlertKind::NoPrice.text(lang).replace("{b}", &model.id);
            form.error = Some(FieldError::Words(words));
        }
    }
    view.preview = form;
}
