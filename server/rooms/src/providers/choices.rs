//! Where a call of a model would go: every gateway that reaches a target is asked what it would do with it.
//! Nothing is called and nothing changes.

use std::time::Duration;

use futures_util::future::join_all;
use server_rules::catalogue::model::{Model, WeightedTarget, plain};
use shared::link::choice::{ChoiceQuery, TargetChoice, TargetState};
use shared::link::{AdminError, GatewayName, ProviderAdmin, Target};

use super::{ProviderRef, Providers};

/// An operator waits for the slowest gateway.
const CHOICE_MAX: Duration = Duration::from_secs(3);

/// How large the call would be, and whose.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallShape {
    /// The number of the tenant whose call it would be; of nobody's where it is 0.
    pub caller: u64,
    /// About how many tokens it would read.
    pub input: u64,
    /// How many it may bring at most.
    pub output_max: u64,
}

/// Why a gateway said nothing of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid {
    /// It did not answer in time.
    NoAnswer,
    /// It is of an earlier version, which knows no such question.
    TooOld,
}

/// What one gateway would do with one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayChoice {
    /// Which one.
    pub gateway: String,
    /// What it said.
    pub told: Result<TargetChoice, Unsaid>,
}

/// One of a model's targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedTarget {
    /// The target.
    pub target: WeightedTarget,
    /// Its part of the calls among those of its priority, in hundredths of a per cent.
    pub share: u64,
    /// Every gateway through which it is reached; none where no such gateway is known.
    pub gateways: Vec<GatewayChoice>,
}

impl RoutedTarget {
    /// Whether a gateway would send a call there now.
    pub fn is_ready(&self) -> bool {
        let is_ready = |one: &GatewayChoice| {
            let told = one.told.as_ref();
            told.is_ok_and(|told| told.state == TargetState::Ready)
        };
        self.gateways.iter().any(is_ready)
    }
}

/// Whether a target may be reached through a gateway.
fn reaches(admin: &dyn ProviderAdmin, target: &WeightedTarget) -> bool {
    let wanted = target.gateway.as_deref();
    wanted.is_none_or(|wanted| {
        let gateway = admin.gateway();
        // The one inside the process is the only one.
        let is_inside = gateway.url.is_empty();
        is_inside || gateway.name == wanted || admin.region() == wanted
    })
}

/// A target's part among those of its priority.
fn share(target: &WeightedTarget, all: &[WeightedTarget]) -> u64 {
    let same = all.iter().filter(|one| one.priority == target.priority);
    let total: u64 = same.map(|one| u64::from(one.weight.max(1))).sum();
    let own = u64::from(target.weight.max(1)).saturating_mul(10_000);
    own.checked_div(total).unwrap_or(0)
}

impl Providers {
    /// Whether calls of a target of `of`'s name may go to `of`, and not only to a provider of another gateway that
    /// has the same name. Asks nobody.
    pub fn leads_to(&self, of: &ProviderRef, target: &WeightedTarget) -> bool {
        let (Some(word), Some(_)) = (of.gateway.as_deref(), &target.gateway) else {
            // All gateways share a database, or the target may go through any.
            return true;
        };
        let admins = self.link.provider_admins();
        let names = admins.iter().map(|admin| admin.gateway());
        let meant: Vec<_> = names.filter(|gateway| gateway.is_called(word)).collect();
        let has_it = |admin: &dyn ProviderAdmin| {
            let own = admin.gateway();
            let same = |meant: &GatewayName| own == *meant || self.said.share(&own, meant);
            meant.iter().any(same)
        };
        admins
            .iter()
            .any(|admin| reaches(admin.as_ref(), target) && has_it(admin.as_ref()))
    }

    /// What would become of a call of `model` now, target by target in the order in which they are tried;
    /// those of one priority are drawn by their shares.
    pub async fn would_choose(&self, model: &Model, shape: CallShape) -> Vec<RoutedTarget> {
        let admins = self.link.provider_admins();
        let asked = admins.iter().map(async |admin| {
            let reached = model.targets.iter().enumerate();
            let reached = reached.filter(|(_, target)| reaches(admin.as_ref(), target));
            let (places, targets): (Vec<usize>, Vec<Target>) = reached
                .map(|(place, target)| (place, plain(target)))
                .unzip();
            let gateway = admin.gateway().shown().to_owned();
            if places.is_empty() {
                return (gateway, places, Ok(Vec::new()));
            }
            let query = ChoiceQuery {
                targets,
                caller: shape.caller,
                input: shape.input,
                output_max: shape.output_max,
            };
            let told = tokio::time::timeout(CHOICE_MAX, admin.would_choose(query)).await;
            let told = match told {
                Ok(Ok(told)) => Ok(told.targets),
                // A path that an earlier version does not have.
                Ok(Err(AdminError::NotFound)) => Err(Unsaid::TooOld),
                Ok(Err(_)) | Err(_) => Err(Unsaid::NoAnswer),
            };
            (gateway, places, told)
        });
        let answers = join_all(asked).await;
        let routed = model.targets.iter().enumerate().map(|(at, target)| {
            let of_gateway = |(gateway, places, told): &(String, Vec<usize>, Result<Vec<_>, _>)| {
                let place = places.iter().position(|place| *place == at)?;
                let told = match told {
                    Ok(targets) => targets.get(place).cloned().ok_or(Unsaid::NoAnswer),
                    Err(unsaid) => Err(*unsaid),
                };
                let gateway = gateway.clone();
                Some(GatewayChoice { gateway, told })
            };
            RoutedTarget {
                share: share(target, &model.targets),
                gateways: answers.iter().filter_map(of_gateway).collect(),
                target: target.clone(),
            }
        });
        routed.collect()
    }
}
