//! A real call to a provider, the smallest there is: one token of the cheapest model that is set there,
//! through the connector itself. Nobody is charged for it; what it costs is told.

use std::sync::Arc;

use server_rules::catalogue::model::{Model, WeightedTarget};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::ProviderKeyId;
use shared::link::{AdminError, KeyTest, Operation, ProviderKeyView};
use shared::units::{Unit, Usage};

use super::{Answer, GatewayAnswer, ProviderRef, Providers};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderTrial {
    /// The gateway that asked the provider.
    pub gateway: String,
    /// The key that was used.
    pub key: ProviderKeyId,
    /// How its secret ends.
    pub last4: String,
    /// The model's name there; absent where a free question was asked for want of one that can be called
    /// in this way.
    pub model: Option<String>,
    /// The provider's answer.
    pub test: KeyTest,
    /// What the call cost, where its model's price knows it.
    pub cost: Option<Credits>,
}

/// Whether a key is for calls of `model`; a name may end in `*`.
fn serves(key: &ProviderKeyView, model: &str) -> bool {
    let mut models = key.terms.models.iter();
    let fits = |allowed: &String| match allowed.strip_suffix('*') {
        Some(begins) => model.starts_with(begins),
        None => allowed == model,
    };
    key.terms.models.is_empty() || models.any(fits)
}

/// What a token in and one out cost there; unknown costs stand behind those that are known.
fn dearness(model: &Model, now: Moment) -> (bool, Credits) {
    let smallest = Usage::of([(Unit::InputToken, 1_000), (Unit::OutputToken, 1_000)]);
    let price = model.price_at(now);
    let cost = price.and_then(|price| price.list.cost_bill(&smallest, now));
    (
        cost.is_none(),
        cost.map_or(Credits::ZERO, |bill| bill.total),
    )
}

/// The chats that are set at a provider, the cheapest first.
fn chats<'a>(
    models: &'a [Arc<Model>],
    provider: &'a str,
    now: Moment,
) -> Vec<(&'a Model, &'a WeightedTarget)> {
    let chats = models.iter().map(Arc::as_ref);
    let chats = chats.filter(|model| model.operation == Operation::Chat);
    let mut found: Vec<(&Model, &WeightedTarget)> = chats
        .flat_map(|model| model.targets.iter().map(move |target| (model, target)))
        .filter(|(_, target)| target.provider == provider)
        .collect();
    // Stable: models of one cost stay in the order of their names.
    found.sort_by_key(|(model, _)| dearness(model, now));
    found
}

/// The first key that takes calls, or else one that may again.
fn usable(keys: &[ProviderKeyView]) -> Option<&ProviderKeyView> {
    let of = |status: &str| keys.iter().find(|key| key.status == status);
    of("active")
        .or_else(|| of("cooling"))
        .or_else(|| of("parked"))
        .or_else(|| keys.first())
}

impl Providers {
    /// Tries a provider with the cheapest of `models` that is set there, with one of its keys. Where no
    /// model can be called in this way, its list of models is asked for instead, which costs nothing.
    pub async fn try_provider(
        &self,
        of: &ProviderRef,
        models: &[Arc<Model>],
        now: Moment,
    ) -> Answer<ProviderTrial> {
        let keys = self.keys(of).await?.answer;
        let chats = chats(models, &of.name, now);
        let fitting = chats.iter().find_map(|(model, target)| {
            let able: Vec<ProviderKeyView> = keys
                .iter()
                .filter(|key| serves(key, &target.model))
                .cloned()
                .collect();
            usable(&able).map(|key| (key.clone(), *model, target.model.as_str()))
        });
        if let Some((key, model, name)) = &fitting {
            let told = self.test_key(of, &key.id, Some(name)).await?;
            // It can't be called so where nothing was sent.
            let is_told = told.answer.ok || told.answer.status > 0;
            if is_told || told.answer.verdict != shared::link::KeyVerdict::Unknown {
                let usage = told.answer.usage.as_ref();
                let price = model.price_at(now);
                let bill = usage.and_then(|usage| price?.list.cost_bill(usage, now));
                return Ok(trial(told, key, Some(name), bill.map(|bill| bill.total)));
            }
        }
        let key = usable(&keys).ok_or(AdminError::NotFound)?;
        let told = self.test_key(of, &key.id, None).await?;
        Ok(trial(told, key, None, None))
    }
}

fn trial(
    told: GatewayAnswer<KeyTest>,
    key: &ProviderKeyView,
    model: Option<&str>,
    cost: Option<Credits>,
) -> ProviderTrial {
    ProviderTrial {
        gateway: told.gateway,
        key: key.id.clone(),
        last4: key.last4.clone(),
        model: model.map(str::to_owned),
        test: told.answer,
        cost,
    }
}
