//! A model as tenants name it: where it goes, what it costs and when. Pure: chooses an order of
//! targets and a price from what it is given; `catalogue` keeps the models.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::clock::Moment;
use shared::link::{Operation, Target};

use super::facts::ModelFacts;
use super::price::Price;
use super::retirement::RetirementWords;

/// A place where a model runs, with its share of the calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedTarget {
    /// The provider's name at the gateway.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// Share of the calls among targets of the same priority.
    pub weight: u32,
    /// Lower ones are tried first.
    pub priority: u32,
    /// The name or the region of the gateways it is reached through; any where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// What it costs the operator, in any measure that is the same for all targets of the model; not known
    /// where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u32>,
}

/// A model with its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its public name.
    pub id: String,
    /// What it is for.
    pub operation: Operation,
    /// Where it runs.
    pub targets: Vec<WeightedTarget>,
    /// Output tokens a call can bring at most.
    pub max_output_tokens: u64,
    /// Whether tenants see and may call it.
    pub enabled: bool,
    /// Whether answers name the model as tenants do, and not as the provider does.
    pub answers_public_name: bool,
    /// Whether calls that name no model go to it.
    pub is_default: bool,
    /// When it was added.
    pub created_at: Moment,
    /// Newest `valid_from` first.
    pub prices: Vec<Price>,
    /// What is told of it.
    pub facts: ModelFacts,
    /// What its answers say of its end, where one is planned.
    pub retirement_words: Option<Arc<RetirementWords>>,
    /// The targets' order when it is the same for every call.
    fixed_order: Option<Arc<[Target]>>,
}

/// What a [`Model`] is made of.
#[derive(Debug, Clone)]
pub struct ModelParts {
    /// Its public name.
    pub id: String,
    /// What it is for.
    pub operation: Operation,
    /// Where it runs.
    pub targets: Vec<WeightedTarget>,
    /// Output tokens a call can bring at most.
    pub max_output_tokens: u64,
    /// Whether tenants see and may call it.
    pub enabled: bool,
    /// Whether answers name the model as tenants do, and not as the provider does.
    pub answers_public_name: bool,
    /// Whether calls that name no model go to it.
    pub is_default: bool,
    /// When it was added.
    pub created_at: Moment,
    /// In any order.
    pub prices: Vec<Price>,
    /// What is told of it.
    pub facts: ModelFacts,
}

impl Model {
    /// From its parts.
    pub fn new(parts: ModelParts) -> Self {
        let ModelParts {
            id,
            operation,
            mut targets,
            max_output_tokens,
            enabled,
            answers_public_name,
            is_default,
            created_at,
            mut prices,
            facts,
        } = parts;
        // Stable: targets of one priority keep the order in which they were given.
        targets.sort_by_key(|target| target.priority);
        prices.sort_by_key(|price| std::cmp::Reverse(price.valid_from));
        let one_a_priority = targets
            .windows(2)
            .all(|pair| pair[0].priority != pair[1].priority);
        let fixed_order = one_a_priority.then(|| targets.iter().map(plain).collect());
        let end = facts.retirement.as_ref();
        Self {
            retirement_words: end.map(|end| Arc::new(RetirementWords::of(end))),
            id,
            operation,
            targets,
            max_output_tokens,
            enabled,
            answers_public_name,
            is_default,
            created_at,
            prices,
            facts,
            fixed_order,
        }
    }

    /// The price that is valid at `now`.
    pub fn price_at(&self, now: Moment) -> Option<&Price> {
        self.prices.iter().find(|price| price.valid_from <= now)
    }

    /// Whether its planned end is over at `now`.
    pub fn is_retired(&self, now: Moment) -> bool {
        let end = self.facts.retirement.as_ref();
        end.is_some_and(|end| end.is_over(now))
    }

    /// The model that tenants should use instead, where an end is planned and something follows it.
    pub fn successor(&self) -> Option<&str> {
        self.facts.retirement.as_ref()?.successor.as_deref()
    }

    /// The targets in the order to try them: by priority, and inside one priority drawn by weight.
    pub fn ordered_targets(&self, seed: u64) -> Arc<[Target]> {
        if let Some(order) = &self.fixed_order {
            return order.clone();
        }
        self.drawn(seed).into_iter().map(plain).collect()
    }

    /// The same with all that is known of them.
    pub fn drawn(&self, seed: u64) -> Vec<&WeightedTarget> {
        let mut seed = seed;
        let groups = self.targets.chunk_by(|a, b| a.priority == b.priority);
        groups
            .flat_map(|group| shuffled(group, &mut seed))
            .collect()
    }
}

/// A target as the link takes it.
pub fn plain(target: &WeightedTarget) -> Target {
    Target {
        provider: target.provider.clone(),
        model: target.model.clone(),
        gateway: target.gateway.clone(),
        answers: None,
    }
}

/// Draws one after the other, each by its share of what is left.
fn shuffled<'a>(group: &'a [WeightedTarget], seed: &mut u64) -> Vec<&'a WeightedTarget> {
    let mut left: Vec<&WeightedTarget> = group.iter().collect();
    let mut drawn = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let total: u64 = left
            .iter()
            .map(|target| u64::from(target.weight.max(1)))
            .sum();
        let mut at = next_random(seed) % total;
        let index = left.iter().position(|target| {
            let weight = u64::from(target.weight.max(1));
            let hit = at < weight;
            at = at.saturating_sub(weight);
            hit
        });
        drawn.push(left.remove(index.unwrap_or(0)));
    }
    drawn
}

/// `SplitMix64` (Steele, Lea, Flood 2014): a seed that counts up still gives even draws.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
