//! Which models and targets may serve a call: what the request, its key, its tenant and the model say, and
//! what providers do with data. The one place where that is looked at, before anything is held or sent.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use server_rooms::auth::Principal;
use server_rooms::catalogue::price::{Price, PriceList};
use server_rooms::catalogue::{Model, Routing};
use server_rooms::ledger::{OtherModel, RouteNote};
use server_rules::catalogue::model::plain;
use server_rules::routing::{MaxPrice, NoTarget, RouteRule, choose};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::Output;
use shared::link::{Operation, Target};
use shared::units::Unit;

use super::paces::Paces;
use super::{CallError, Calls};

/// Targets cross the link in one header: so many bytes of JSON of them at most, a quarter below its bound.
const TARGETS_BYTES_MAX: usize = 6 * 1024;
/// What a target's JSON has beside its names.
const TARGET_BYTES: usize = 64;
/// Of how many tokens `max_price` tells their price.
const TOKENS: i128 = 1_000_000;
/// Multipliers of prices are in millionths.
const PPM: i128 = 1_000_000;

/// What a request says of where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteWish {
    /// Its rule, where it has one.
    pub rule: Option<RouteRule>,
    /// Models that may serve it where its own can't, in order.
    pub models: Vec<String>,
}

/// Where a call would go, as far as rules decide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldRoute {
    /// Places among the model's targets, in the order in which they are tried; behind them those that the
    /// call may not go to, with why.
    pub targets: Vec<(usize, Option<NoTarget>)>,
    /// A rule orders them, so the first that has a key takes the call; else weights decide by chance.
    pub is_fixed: bool,
    /// The model costs more than its rule or the tenant's allows.
    pub is_too_dear: bool,
}

impl WouldRoute {
    /// What was found out of the model's targets, which stands in their order, in the order of this.
    pub fn ordered<T>(&self, told: Vec<T>) -> Vec<(T, Option<NoTarget>)> {
        let mut told: Vec<Option<T>> = told.into_iter().map(Some).collect();
        let one =
            |(place, why): &(usize, Option<NoTarget>)| Some((told.get_mut(*place)?.take()?, *why));
        self.targets.iter().filter_map(one).collect()
    }
}

/// A model that may serve a call, with where it runs.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) model: Arc<Model>,
    /// Absent with a test key.
    pub(super) price: Option<Price>,
    pub(super) targets: Arc<[Target]>,
    /// The rule that its targets were chosen by; absent where nobody said anything.
    rule: Option<RouteRule>,
}

/// Who asks for what, when.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) principal: &'a Principal,
    pub(super) operation: Operation,
    pub(super) wish: &'a RouteWish,
    pub(super) at: Moment,
    /// Spreads calls over targets that are alike.
    pub(super) seed: u64,
}

impl Calls {
    /// The models that may serve a call for `name`, the one it asks for first; at least one. What can't serve
    /// it is passed over while another can.
    pub(super) fn candidates(
        &self,
        asking: Asking<'_>,
        name: &str,
    ) -> Result<(Candidate, Vec<Candidate>), CallError> {
        let first = self.candidate(asking, name);
        if asking.wish.models.is_empty() {
            return Ok((first?, Vec::new()));
        }
        let mut names: HashSet<String> = HashSet::from([name.to_ascii_lowercase()]);
        let mut known: Vec<Candidate> = Vec::new();
        let (mut why, mut bytes) = (None, 0);
        match first {
            Ok(first) => known.push(first),
            Err(error) => why = Some(error),
        }
        for name in &asking.wish.models {
            if !names.insert(name.to_ascii_lowercase()) {
                continue;
            }
            match self.candidate(asking, name) {
                Ok(candidate) => known.push(candidate),
                Err(error) => why = why.or(Some(error)),
            }
        }
        let mut seen: HashSet<(String, String)> = HashSet::new();
        // With a test key there is one target, and no price to tell models by.
        known.truncate(if asking.principal.test {
            1
        } else {
            known.len()
        });
        if known.len() > 1 {
            for candidate in &mut known {
                let mut own_pairs = Vec::new();
                let own = candidate.targets.iter().filter(|target| {
                    bytes += TARGET_BYTES
                        + target.provider.len()
                        + target.model.len()
                        + candidate.model.id.len();
                    // The same place would fail in the same way, and be charged as either.
                    let pair = (target.provider.clone(), target.model.clone());
                    let is_taken = seen.contains(&pair);
                    own_pairs.push(pair);
                    bytes <= TARGETS_BYTES_MAX && !is_taken
                });
                let named = own.map(|target| Target {
                    answers: Some(candidate.model.id.clone()),
                    ..target.clone()
                });
                candidate.targets = named.collect();
                seen.extend(own_pairs);
            }
            known.retain(|candidate| !candidate.targets.is_empty());
        }
        let mut known = known.into_iter();
        match known.next() {
            Some(first) => Ok((first, known.collect())),
            None => Err(why.unwrap_or_else(|| CallError::ModelNotFound(name.to_owned()))),
        }
    }

    /// Where a call of a model would go of which only the model and its tenant say anything: for whoever
    /// only looks. `tenant` is the tenant's rule and what its prices are multiplied by.
    pub fn would_route(
        &self,
        model: &Model,
        (tenant, ppm): (Option<&RouteRule>, i64),
        at: Moment,
    ) -> WouldRoute {
        let places = 0..model.targets.len();
        let routing = self.catalogue.routing();
        let Some(rule) = rule(&routing, model, (tenant, None)) else {
            return WouldRoute {
                targets: places.map(|place| (place, None)).collect(),
                is_fixed: false,
                is_too_dear: false,
            };
        };
        let mut rule = rule;
        let is_fixed = rule.sort.is_some() || !rule.order.is_empty();
        if !is_fixed {
            // Which one a call draws and stays with is chance: each of them may be it.
            rule.allow_fallbacks = None;
        }
        let terms = |provider: &str| routing.terms(provider);
        let chosen = choose(model, &rule, terms, |target| self.paces.of(target), 0);
        let chosen = chosen.unwrap_or_default();
        let order = chosen.into_iter().filter_map(|target| {
            let mut all = model.targets.iter();
            all.position(|one| std::ptr::eq(one, target))
        });
        let mut targets: Vec<(usize, Option<NoTarget>)> =
            order.map(|place| (place, None)).collect();
        for place in places {
            if targets.iter().any(|(known, _)| *known == place) {
                continue;
            }
            let name = &model.targets[place].provider;
            let why = if rule.allows(name) && !rule.demand.is_met(terms(name)) {
                NoTarget::DataPolicy
            } else {
                NoTarget::Provider
            };
            targets.push((place, Some(why)));
        }
        let price = model.price_at(at);
        WouldRoute {
            targets,
            is_fixed,
            is_too_dear: price.is_some_and(|price| !is_within(&rule.max_price, &price.list, ppm)),
        }
    }

    /// One model, if it can serve the call.
    fn candidate(&self, asking: Asking<'_>, name: &str) -> Result<Candidate, CallError> {
        let Asking {
            principal,
            operation,
            wish,
            at,
            seed,
        } = asking;
        let model = self.model(principal, operation, name)?;
        if principal.test {
            let targets = [Target {
                provider: "sandbox".to_owned(),
                model: format!("sandbox-{}", operation.word()),
                gateway: None,
                answers: None,
            }];
            return Ok(Candidate {
                model,
                price: None,
                targets: targets.into(),
                rule: None,
            });
        }
        let price = model.price_at(at).cloned();
        let price = price.ok_or_else(|| CallError::NoPrice(model.id.clone()))?;
        let routing = self.catalogue.routing();
        let said = (principal.route.as_deref(), wish.rule.as_ref());
        let rule = rule(&routing, &model, said);
        let targets = match &rule {
            None => model.ordered_targets(seed),
            Some(rule) => {
                let ppm = principal.price_multiplier_ppm;
                if !is_within(&rule.max_price, &price.list, ppm) {
                    return Err(CallError::TooDear(model.id.clone()));
                }
                chosen(&routing, &model, rule, (&self.paces, seed))?
            }
        };
        Ok(Candidate {
            model,
            price: Some(price),
            targets,
            rule,
        })
    }
}

/// All that is said, the nearest to the call last; `None`, and nothing is copied, where nobody says anything.
fn rule(
    routing: &Routing,
    model: &Model,
    (of_caller, of_request): (Option<&RouteRule>, Option<&RouteRule>),
) -> Option<RouteRule> {
    let of_model = routing.of_model(&model.id).map(Arc::as_ref);
    let layers = [of_model, of_caller, of_request];
    let mut layers = layers.into_iter().flatten();
    let first = layers.next()?.clone();
    Some(layers.fold(first, |rule, later| rule.narrowed(later)))
}

fn chosen(
    routing: &Routing,
    model: &Model,
    rule: &RouteRule,
    (paces, seed): (&Paces, u64),
) -> Result<Arc<[Target]>, CallError> {
    let terms = |provider: &str| routing.terms(provider);
    let targets = choose(model, rule, terms, |target| paces.of(target), seed);
    match targets {
        Ok(targets) => Ok(targets.into_iter().map(plain).collect()),
        Err(NoTarget::Provider) => Err(CallError::NoProvider(model.id.clone())),
        Err(NoTarget::DataPolicy) => Err(CallError::DataPolicy(model.id.clone())),
    }
}

/// Whether a price is within what is said of it: its plain rates times the multiplier, as they are written. What
/// a call adds (a fee beside its tokens, a minimum, the rounding of its bill) is no part of any of them.
fn is_within(most: &MaxPrice, list: &PriceList, ppm: i64) -> bool {
    let within = |most: Option<Credits>, unit, times: i128| {
        let (Some(most), Some(rate)) = (most, list.plain_rate(unit)) else {
            return true;
        };
        let asked = i128::from(rate.credits.micros()).checked_mul(times);
        let asked = asked.and_then(|asked| asked.checked_mul(i128::from(ppm)));
        let most = i128::from(most.micros()).checked_mul(i128::from(rate.per));
        let most = most.and_then(|most| most.checked_mul(PPM));
        asked.zip(most).is_some_and(|(asked, most)| asked <= most)
    };
    within(most.prompt, Unit::InputToken, TOKENS)
        && within(most.completion, Unit::OutputToken, TOKENS)
        && within(most.request, Unit::Request, 1)
        && within(most.image, Unit::Image, 1)
}

/// Output tokens that each answer may have: the least of what the models write, which the call is told,
/// and where it can't be told that the most.
pub(super) fn output_max<'a>(
    output: Output,
    candidates: impl Iterator<Item = &'a Candidate>,
) -> u64 {
    let writes = candidates.map(|candidate| candidate.model.max_output_tokens);
    let writes = match output {
        Output::None | Output::UpTo(_) => writes.min(),
        Output::OfModel => writes.max(),
    };
    writes.unwrap_or_default()
}

/// What is kept of how a call was routed; `None` where nothing is to be told.
pub(super) fn note(
    routing: &Routing,
    first: &Candidate,
    others: &[Candidate],
) -> Option<Box<RouteNote>> {
    let demanded = first.rule.as_ref().map(|rule| rule.demand.text());
    let all = || std::iter::once(first).chain(others);
    let targets = all().flat_map(|candidate| candidate.targets.iter());
    let regions: BTreeMap<String, String> = targets
        .filter_map(|target| {
            let region = routing.terms(&target.provider)?.region.clone()?;
            Some((target.provider.clone(), region))
        })
        .collect();
    let other = |candidate: &Candidate| {
        let price = candidate.price.as_ref()?;
        let targets = candidate.targets.iter();
        Some(OtherModel {
            model: candidate.model.id.clone(),
            price: price.id.clone(),
            targets: targets
                .map(|target| (target.provider.clone(), target.model.clone()))
                .collect(),
        })
    };
    let note = RouteNote {
        demanded: demanded.unwrap_or_default(),
        regions,
        others: others.iter().filter_map(other).collect(),
    };
    (note != RouteNote::default()).then(|| Box::new(note))
}

/// Whether all of the request must be said to whoever serves it.
pub(super) fn says_all(first: &Candidate, others: &[Candidate]) -> bool {
    let all = std::iter::once(first).chain(others);
    all.filter_map(|candidate| candidate.rule.as_ref())
        .any(|rule| rule.require_parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: i64 = 1_000_000;

    /// A price, the tenant's multiplier, what is said of it, and whether it is within.
    const PRICES: &[(&str, i64, &str, bool)] = &[
        ("input_token,1000000,2", PLAIN, r#"{"prompt":2}"#, true),
        (
            "input_token,1000000,2",
            PLAIN,
            r#"{"prompt":1.999999}"#,
            false,
        ),
        (
            "input_token,1000000,2",
            1_250_000,
            r#"{"prompt":2.5}"#,
            true,
        ),
        (
            "input_token,1000000,2",
            1_250_000,
            r#"{"prompt":2.499999}"#,
            false,
        ),
        ("input_token,1000,0.002", PLAIN, r#"{"prompt":2}"#, true),
        ("input_token,1000,0.002001", PLAIN, r#"{"prompt":2}"#, false),
        // A fee and a minimum of a call are none of its tokens.
        (
            "request,1,0.01\ninput_token,1000000,1",
            PLAIN,
            r#"{"prompt":2}"#,
            true,
        ),
        (
            "input_token,1000000,1\nminimum,,0.5",
            PLAIN,
            r#"{"prompt":2}"#,
            true,
        ),
        (
            "input_token,1000000,1\nminimum,,0.5",
            PLAIN,
            r#"{"request":0}"#,
            true,
        ),
        (
            "request,1,0.01\ninput_token,1000000,1",
            PLAIN,
            r#"{"request":0.009999}"#,
            false,
        ),
        // A thousand of them are no whole number of millionths.
        (
            "input_token,1000000,0.1505",
            PLAIN,
            r#"{"prompt":0.1505}"#,
            true,
        ),
        (
            "input_token,1000000,0.1505",
            PLAIN,
            r#"{"prompt":0.150499}"#,
            false,
        ),
        (
            "input_token,1000000,0.1505",
            1_000_001,
            r#"{"prompt":0.1505}"#,
            false,
        ),
        // Conditions aside.
        (
            "input_token,1000000,9,,tier=priority\ninput_token,1000000,1",
            PLAIN,
            r#"{"prompt":1}"#,
            true,
        ),
        (
            "output_token,1000000,8",
            PLAIN,
            r#"{"prompt":0,"completion":8}"#,
            true,
        ),
        (
            "output_token,1000000,8",
            PLAIN,
            r#"{"completion":7}"#,
            false,
        ),
        (
            "image,1,0.04,,size=1x1\nimage,1,0.03",
            PLAIN,
            r#"{"image":0.03}"#,
            true,
        ),
        ("image,1000,30.001", PLAIN, r#"{"image":0.03}"#, false),
        (
            "input_token,1,1000000000",
            i64::MAX,
            r#"{"prompt":1}"#,
            false,
        ),
    ];

    #[test]
    fn a_price_is_told_by_its_rates_and_not_by_a_bill() {
        for (price, ppm, most, expected) in PRICES {
            let list = PriceList::from_text(price).expect(price);
            let rule = RouteRule::read(&format!(r#"{{"max_price":{most}}}"#)).expect(most);
            let got = is_within(&rule.max_price, &list, *ppm);
            assert_eq!(got, *expected, "{price} {ppm} {most}");
        }
    }
}
