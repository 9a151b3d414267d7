//! Where a call of a model would go: a dry run over all gateways. Calls nobody and changes nothing.

use admin_templates::admin::route_check::{
    KeptRow, RouteCheckPage, RouteGatewayRow, RouteTargetRow,
};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{KeyKept, RouteLeftOut, RouteState};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::providers::choices::{CallShape, GatewayChoice, RoutedTarget, Unsaid};
use server_rooms::routing::NoTarget;
use shared::link::choice::{ChosenKey, KeyRooms};

use super::super::super::error::PageResult;
use super::super::super::session::Admin;
use super::super::{Asked, signed, wanted, word};
use super::found;
use super::trial::{TrialRooms, payer};

/// What prices are multiplied by where nothing is.
const PLAIN_PPM: i64 = 1_000_000;
/// Tokens that a call reads where nobody says.
const INPUT_USUAL: u64 = 1_000;

fn key(key: &ChosenKey) -> String {
    let text = format!("{} …{}", key.label, key.last4);
    text.trim_start().to_owned()
}

/// What keeps the keys that can't take the call.
fn kept(keys: KeyRooms) -> Vec<KeptRow> {
    let counts = [
        (KeyKept::Resting, keys.resting),
        (KeyKept::Full, keys.full),
        (KeyKept::Parked, keys.parked),
        (KeyKept::Off, keys.off),
        (KeyKept::OtherModels, keys.other_models),
        (KeyKept::Down, keys.down),
    ];
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    let row = |(why, count): (KeyKept, u32)| KeptRow {
        why,
        count: count.into(),
    };
    some.map(row).collect()
}

fn gateway(choice: GatewayChoice) -> RouteGatewayRow {
    let gateway = choice.gateway;
    match choice.told {
        Err(unsaid) => RouteGatewayRow {
            gateway,
            state: match unsaid {
                Unsaid::NoAnswer => RouteState::NoAnswer,
                Unsaid::TooOld => RouteState::TooOld,
            },
            key: String::new(),
            ready: 0,
            all: 0,
            others: Vec::new(),
            wait_ms: 0,
        },
        Ok(told) => RouteGatewayRow {
            gateway,
            state: word(told.state.word(), RouteState::Other),
            key: told.key.as_ref().map_or_else(String::new, key),
            ready: told.keys.ready.into(),
            all: told.keys.all.into(),
            others: kept(told.keys),
            wait_ms: told.wait_ms.unwrap_or(0),
        },
    }
}

/// The targets, with those marked where a call would go now: the first that takes one where their order
/// is fixed, else all of its priority.
fn rows(targets: Vec<(RoutedTarget, Option<NoTarget>)>, is_fixed: bool) -> Vec<RouteTargetRow> {
    let takes =
        |(one, left_out): &&(RoutedTarget, Option<NoTarget>)| left_out.is_none() && one.is_ready();
    let place = targets.iter().position(|one| takes(&one));
    let first = place.map(|place| targets[place].0.target.priority);
    let row = |(at, (one, left_out)): (usize, (RoutedTarget, Option<NoTarget>))| RouteTargetRow {
        goes: left_out.is_none()
            && one.is_ready()
            && if is_fixed {
                place == Some(at)
            } else {
                first == Some(one.target.priority)
            },
        left_out: left_out.map(|why| match why {
            NoTarget::Provider => RouteLeftOut::Rule,
            NoTarget::DataPolicy => RouteLeftOut::DataPolicy,
        }),
        provider: one.target.provider,
        model: one.target.model,
        priority: one.target.priority.into(),
        share: signed(one.share),
        gateways: one.gateways.into_iter().map(gateway).collect(),
    };
    targets.into_iter().enumerate().map(row).collect()
}

/// `GET /admin/models/{id}/route`
#[handler]
pub(in super::super) async fn check(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&TrialRooms>,
) -> PageResult {
    let model = found(&rooms.model.catalogue, &id)?;
    let typed = |name| wanted(&asked, name).unwrap_or_default();
    let mut form = Form::of(["tenant", "input", "output"].map(|name| (name, typed(name))));
    let mut number = |name: &'static str, usual: u64| match typed(name) {
        "" => usual,
        text => text.parse().unwrap_or_else(|_| {
            form = std::mem::take(&mut form).wrong(name, FieldError::NotANumber);
            usual
        }),
    };
    let input = number("input", INPUT_USUAL);
    let output_max = number("output", model.max_output_tokens);
    let tenant = match typed("tenant") {
        "" => None,
        text => payer(&rooms.accounts, text).await?,
    };
    if tenant.is_none() && !typed("tenant").is_empty() {
        form = form.wrong("tenant", FieldError::Unknown);
    }
    let shape = CallShape {
        caller: (tenant.as_ref()).map_or(0, |tenant| server_calls::caller_number(&tenant.id)),
        input,
        output_max,
    };
    let targets = rooms.model.providers.would_choose(&model, shape).await;
    let rule = match &tenant {
        None => None,
        Some(tenant) => rooms.accounts.whole_route(&tenant.id).await?,
    };
    let ppm = (tenant.as_ref()).map_or(PLAIN_PPM, |tenant| tenant.price_multiplier_ppm);
    let rules = (rule.as_deref(), ppm);
    let would = rooms.calls.would_route(&model, rules, who.now());
    let is_closed = tenant.is_some_and(|tenant| {
        let allowed = tenant.allowed_models.as_ref();
        allowed.is_some_and(|some| !some.contains(&model.id))
    });
    let is_fixed = would.is_fixed;
    who.show(&RouteCheckPage {
        id: model.id.clone(),
        form,
        is_closed: is_closed || !model.enabled,
        is_too_dear: would.is_too_dear,
        rows: rows(would.ordered(targets), is_fixed),
    })
    .await
}
