//! Forms of models and targets, in the catalogue's bounds, and what prices have of such fields. Pure; finds every fault at once.

use super::super::super::page_context::Here;
use admin_templates::form::FieldError;
use server_edge::date::Date;
use server_rooms::catalogue::NewModel;
use server_rooms::catalogue::check::{
    COST_MAX, ID_BYTES_MAX, OUTPUT_TOKENS_MAX, PRIORITY_MAX, PROVIDER_BYTES_MAX,
    PROVIDER_MODEL_BYTES_MAX, WEIGHT_MAX,
};
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::price::RATE_MAX;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::link::Operation;
use shared::zone::Zone;

use super::super::super::form::{FieldProblem, FormData};
use super::super::form_errors::FormErrors;
use super::facts;

/// Output of a chat model whose bound was not told, as the API takes it.
const CHAT_OUTPUT_TOKENS: u64 = 4_096;
/// Fields of a target.
pub(super) const TARGET: [&str; 6] = ["provider", "model", "priority", "weight", "gateway", "cost"];
/// Those of them that can be changed.
pub(super) const WAY: [&str; 4] = ["priority", "weight", "gateway", "cost"];
/// Fields of a model's settings.
pub(super) const EDIT: [&str; 4] = [
    "max_output_tokens",
    "enabled",
    "answers_public_name",
    "is_default",
];

fn too_long(most: usize) -> FieldError {
    FieldError::TooLong(u64::try_from(most).unwrap_or(u64::MAX))
}

fn text(
    posted: &FormData,
    name: &'static str,
    bytes_max: usize,
    allowed: impl Fn(u8) -> bool,
) -> Result<String, FieldProblem> {
    let text = posted.text(name);
    if text.is_empty() {
        Err((name, FieldError::Required))
    } else if !text.bytes().all(allowed) {
        Err((name, FieldError::Letters))
    } else if text.len() > bytes_max {
        Err((name, too_long(bytes_max)))
    } else {
        Ok(text.to_owned())
    }
}

fn is_name(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

/// A whole number within bounds; `otherwise` where nothing was typed.
pub(super) fn number(
    posted: &FormData,
    name: &'static str,
    (least, most): (u64, u64),
    otherwise: u64,
) -> Result<u64, FieldProblem> {
    let Some(text) = posted.optional(name) else {
        return Ok(otherwise);
    };
    let number: u64 = text.parse().map_err(|_| (name, FieldError::NotANumber))?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err((name, FieldError::OutOfRange(least, most)))
    }
}

fn small(
    posted: &FormData,
    name: &'static str,
    (least, most): (u32, u32),
    otherwise: u32,
) -> Result<u32, FieldProblem> {
    let bounds = (least.into(), most.into());
    let number = number(posted, name, bounds, otherwise.into())?;
    u32::try_from(number).map_err(|_| (name, FieldError::NotANumber))
}

fn gateway(posted: &FormData) -> Result<Option<String>, FieldProblem> {
    if posted.optional("gateway").is_none() {
        return Ok(None);
    }
    text(posted, "gateway", PROVIDER_BYTES_MAX, is_name).map(Some)
}

/// What it costs the operator; not known where nothing was typed.
fn cost(posted: &FormData) -> Result<Option<u32>, FieldProblem> {
    if posted.optional("cost").is_none() {
        return Ok(None);
    }
    small(posted, "cost", (0, COST_MAX), 0).map(Some)
}

/// What of a target can be changed.
#[derive(Debug)]
pub(super) struct TargetWay {
    priority: u32,
    weight: u32,
    gateway: Option<String>,
    cost: Option<u32>,
}

impl TargetWay {
    /// Puts it into a target.
    pub(super) fn put_into(self, target: &mut WeightedTarget) {
        (target.priority, target.weight) = (self.priority, self.weight);
        (target.gateway, target.cost) = (self.gateway, self.cost);
    }
}

/// Priority, weight, gateway and cost of a target.
pub(super) fn way(posted: &FormData, errors: &mut FormErrors) -> Option<TargetWay> {
    let priority = errors.take(small(posted, "priority", (0, PRIORITY_MAX), 0));
    let weight = errors.take(small(posted, "weight", (1, WEIGHT_MAX), 1));
    let gateway = errors.take(gateway(posted));
    let cost = errors.take(cost(posted));
    Some(TargetWay {
        priority: priority?,
        weight: weight?,
        gateway: gateway?,
        cost: cost?,
    })
}

/// A target.
pub(super) fn target(posted: &FormData, errors: &mut FormErrors) -> Option<WeightedTarget> {
    let provider = errors.take(text(posted, "provider", PROVIDER_BYTES_MAX, is_name));
    let visible = |b: u8| b.is_ascii_graphic();
    let model = errors.take(text(posted, "model", PROVIDER_MODEL_BYTES_MAX, visible));
    let way = way(posted, errors)?;
    Some(WeightedTarget {
        provider: provider?,
        model: model?,
        weight: way.weight,
        priority: way.priority,
        gateway: way.gateway,
        cost: way.cost,
    })
}

/// The bound of output tokens.
pub(super) fn max_output(posted: &FormData, operation: Operation) -> Result<u64, FieldProblem> {
    let writes = operation.writes_text();
    let otherwise = if writes { CHAT_OUTPUT_TOKENS } else { 0 };
    let bounds = (u64::from(writes), OUTPUT_TOKENS_MAX);
    number(posted, "max_output_tokens", bounds, otherwise)
}

/// An amount from nothing on; `None` where nothing was typed.
pub(super) fn price(text: Option<&str>) -> Result<Option<Credits>, FieldError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let amount: Credits = text.parse().map_err(|_| FieldError::NotAPrice)?;
    if amount < Credits::ZERO {
        return Err(FieldError::NotAPrice);
    }
    if amount > RATE_MAX {
        return Err(FieldError::OutOfRange(0, 1_000_000_000));
    }
    Ok(Some(amount))
}

/// From when on a price is valid: today and nothing are now.
pub(in super::super) fn valid_from(
    posted: &FormData,
    here: Here<'_>,
) -> Result<Option<Moment>, FieldProblem> {
    let name = "valid_from";
    let Some(text) = posted.optional(name) else {
        return Ok(None);
    };
    let date: Date = text.parse().map_err(|_| (name, FieldError::NotADate))?;
    let start = date.start_in(here.zone);
    let start = start.ok_or((name, FieldError::NotADate))?;
    if start > here.now {
        return Ok(Some(start));
    }
    if matches!(date, Date::Day(_)) && here.zone.day(here.now).start == start {
        Ok(None)
    } else {
        Err((name, FieldError::Past))
    }
}

/// What a model is for.
pub(super) fn operation(posted: &FormData) -> Result<Operation, FieldProblem> {
    let operation = Operation::from_word(posted.text("operation"));
    operation.ok_or(("operation", FieldError::Unknown))
}

/// A new model, without its price.
pub(super) fn model(posted: &FormData, zone: &Zone) -> Result<NewModel, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    let id = errors.take(text(posted, "id", ID_BYTES_MAX, allowed));
    let operation = errors.take(operation(posted));
    let target = target(posted, &mut errors);
    let tokens = errors.take(max_output(posted, operation.unwrap_or(Operation::Image)));
    let facts = errors.take_all(facts::facts(posted, zone));
    let new = || {
        Some(NewModel {
            facts: facts?,
            id: id?,
            operation: operation?,
            targets: vec![target?],
            max_output_tokens: tokens?,
            enabled: posted.is_ticked("enabled"),
            answers_public_name: posted.is_ticked("answers_public_name"),
            is_default: false,
            price: None,
        })
    };
    let new = new();
    errors.unless(new)
}

#[cfg(test)]
mod tests;
