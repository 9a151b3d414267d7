//! What operators do to providers and keys: checks, seals, stores, and has the list read again. Knows no
//! HTTP and no calls.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use shared::clock::Moment;
use shared::host::origin;
use shared::id::ProviderKeyId;
use shared::link::balance::{BalanceBoard, BalanceTerms};
use shared::link::choice::{CHOICE_TARGETS_MAX, ChoiceQuery, ChoiceTold};
use shared::link::connectors::{AddressRule, ConnectorFacts, GatewayFacts, SecretRule};
use shared::link::key_batch::{KeysAdded, KeysChange, KeysChanged, NewProviderKeys};
use shared::link::models::ProviderModels;
use shared::link::options::ProviderOptions;
use shared::link::rules::{self, Broken};
use shared::link::{
    AdminError, GatewayName, KeyTerms, KeyTest, NewProvider, NewProviderKey, ProviderAdmin,
    ProviderKeyPatch, ProviderKeyView, ProviderPatch, ProviderView,
};
use shared::secret::Secret;

use super::balances::{KNOWN_EVERYWHERE, checked_vendor};
use super::refusals::found;
pub(super) use super::refusals::{checked, failed, invalid, refused};
use super::{ProviderList, off, seal_place, terms};
use crate::pool::PoolKey;
use crate::pool::health::Shown;
use crate::store::keys::KeyChange;
use crate::store::{BY_OPERATOR, KeyRow, ProviderRow, SECRET_GONE, at};
use crate::{link, providers};

/// More providers or keys than anybody has; the list is kept in memory.
const PROVIDERS_MAX: usize = 200;
pub(super) const KEYS_MAX: usize = 1_000;

/// Why a provider is not asked for its models.
const NO_KEY_IN_USE: &str = "no key of this provider is in use";
/// Why a change is not made that was made of what is no more.
pub(super) const CHANGED_MEANWHILE: &str =
    "the key or its provider changed at the same moment, so nothing was done: try again";
/// Why a key is not moved.
const SECRET_STAYS: &str = "a key that gets another address needs its secret entered with it";

/// The address as it is kept, where providers of the kind have one.
pub(super) fn checked_address<'a>(
    facts: &ConnectorFacts,
    field: &str,
    pasted: &'a str,
) -> Result<&'a str, AdminError> {
    match (facts.address, pasted.trim()) {
        (AddressRule::Needed, pasted) => checked(field, rules::base_url(pasted)),
        (AddressRule::Absent, "") => Ok(""),
        (AddressRule::Absent, _) => {
            let rule = format!("empty: a provider of kind {} has no address", facts.kind);
            Err(invalid(field, rule))
        }
    }
}

/// Options as they are kept.
fn kept_options(options: &ProviderOptions) -> Result<String, AdminError> {
    let broken = |(name, broken): (&str, Broken)| invalid(&format!("options.{name}"), broken);
    options.checked().map_err(broken)?;
    serde_json::to_string(options).map_err(|_| AdminError::Internal)
}

/// Whether keys that were given for `old` would go to somebody else at `new`: whoever may move a
/// provider must not get its secrets with that.
fn is_elsewhere(old: &str, new: &str) -> bool {
    origin(old) != origin(new)
}

/// How a secret ends; of a file of a key, how its name ends.
pub(super) fn last4(secret: &str) -> String {
    /// What is of interest of such a file.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct File {
        private_key_id: String,
    }
    let name = rules::is_file(secret).then(|| {
        let file: File = serde_json::from_str(secret).unwrap_or_default();
        file.private_key_id
    });
    let shown = name.as_deref().unwrap_or(secret);
    // A short secret shows nothing of itself.
    if shown.len() < 12 || !shown.is_ascii() {
        "····".to_owned()
    } else {
        shown[shown.len() - 4..].to_owned()
    }
}

/// A secret as it is kept, where its rule allows it.
pub(super) fn kept_secret(
    secret: &Secret<String>,
    rule: SecretRule,
) -> Result<Secret<String>, AdminError> {
    checked("secret", rules::secret(secret.expose(), rule))?;
    let kept = rules::kept_secret(secret.expose(), rule);
    Ok(Secret::new(kept.into_owned()))
}

impl ProviderList {
    /// Every gateway has the sandbox: `wk_test_` keys reach nothing else.
    pub(crate) async fn add_sandbox(&self) -> Result<(), AdminError> {
        if self.pools.all().contains_key("sandbox") {
            return Ok(());
        }
        let provider = NewProvider {
            name: "sandbox".to_owned(),
            kind: "sandbox".to_owned(),
            base_url: String::new(),
            options: ProviderOptions::default(),
        };
        let key = NewProviderKey {
            secret: Secret::new("sandbox-needs-no-key".to_owned()),
            label: "made at start".to_owned(),
            weight: 1,
            terms: KeyTerms::default(),
        };
        match self.create_provider(provider).await {
            Ok(_) => self.create_provider_key("sandbox", key).await.map(drop),
            // Another gateway on the same database was first.
            Err(AdminError::Duplicate) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn key_view(&self, row: &KeyRow) -> ProviderKeyView {
        let id = ProviderKeyId::from_stored(row.id.clone());
        let known = self.pools.key(&row.provider, &id);
        let shown = match known {
            _ if row.disabled => Shown::Off(off(row)),
            Some(ref key) => key.health.shown(self.clock.now()),
            None => Shown::Active,
        };
        let (status, reason, cooling_until, probe_at) = match shown {
            Shown::Active => ("active", None, None, None),
            Shown::Cooling { until, reason } => {
                ("cooling", Some(reason.to_owned()), Some(until), None)
            }
            Shown::Parked => ("parked", Some("balance".to_owned()), None, None),
            Shown::Off(off) => ("disabled", off.reason, None, off.probe_at),
        };
        ProviderKeyView {
            id,
            label: row.label.clone(),
            last4: row.last4.clone(),
            weight: u32::try_from(row.weight).unwrap_or(1),
            status: status.to_owned(),
            reason,
            cooling_until: cooling_until.map(Moment::unix_ms),
            probe_at: probe_at.map(Moment::unix_ms),
            in_flight: known.map_or(0, |key| key.health.in_flight()),
            terms: terms::read(row),
            header_names: terms::header_names(&self.sealer, row),
            created_at: row.created_at,
        }
    }

    /// A new key as it is kept, where it breaks no rule.
    pub(super) fn new_row(
        &self,
        of: &ProviderRow,
        new: NewProviderKey,
    ) -> Result<KeyRow, AdminError> {
        checked("label", rules::label(&new.label))?;
        checked("weight", rules::weight(new.weight))?;
        let secret = kept_secret(&new.secret, secret_rule(&of.kind))?;
        let terms = checked_terms(of, new.terms)?;
        let id = ProviderKeyId::random();
        let mut row = KeyRow {
            sealed: self
                .sealer
                .seal(&seal_place(id.as_str()), secret.expose().as_bytes()),
            id: id.into_string(),
            provider: of.name.clone(),
            label: new.label,
            last4: last4(secret.expose()),
            weight: new.weight.into(),
            disabled: false,
            reason: None,
            created_at: at(self.clock.now()),
            probe_at: None,
            priority: 0,
            requests_per_minute: None,
            tokens_per_minute: None,
            calls_at_once: None,
            requests_per_day: None,
            tokens_per_day: None,
            models: None,
            base_url: None,
            headers: None,
            tags: None,
        };
        terms::write(&self.sealer, &mut row, terms);
        Ok(row)
    }

    /// Whoever may move a key must not get its secrets with that.
    fn change_terms(
        &self,
        row: &mut KeyRow,
        of: &ProviderRow,
        terms: KeyTerms,
        has_new_secret: bool,
    ) -> Result<(), AdminError> {
        let old = row.base_url.as_ref().unwrap_or(&of.base_url);
        let new = terms.base_url.as_ref().unwrap_or(&of.base_url);
        if is_elsewhere(old, new) {
            if !has_new_secret && !row.has_no_secret() {
                return Err(refused(SECRET_STAYS));
            }
            row.headers = None;
        }
        terms::write(&self.sealer, row, terms);
        Ok(())
    }

    pub(super) async fn provider_row(
        &self,
        name: &str,
    ) -> Result<(ProviderRow, Vec<KeyRow>), AdminError> {
        let snapshot = self.store.snapshot().await.map_err(failed)?;
        let row = snapshot
            .providers
            .into_iter()
            .find(|row| row.name == name)
            .ok_or(AdminError::NotFound)?;
        let keys = snapshot
            .keys
            .into_iter()
            .filter(|key| key.provider == name)
            .collect();
        Ok((row, keys))
    }

    /// Writes changed keys, unless they or their provider changed since they were read.
    pub(super) async fn write_keys(
        &self,
        of: &ProviderRow,
        changes: &[KeyChange],
    ) -> Result<(), AdminError> {
        let seen = (of.name.as_str(), of.base_url.as_str());
        let written = self.store.update_keys(seen, changes).await;
        let written = written.map_err(failed)?;
        written
            .then_some(())
            .ok_or_else(|| refused(CHANGED_MEANWHILE))
    }

    async fn key_row(&self, provider: &str, key: &ProviderKeyId) -> Result<KeyRow, AdminError> {
        self.store
            .key(provider, key)
            .await
            .map_err(failed)?
            .ok_or(AdminError::NotFound)
    }
}

/// Switches a key on or off, where that is asked for.
pub(super) fn set_status(row: &mut KeyRow, status: Option<&str>) -> Result<(), AdminError> {
    match status {
        None => {}
        Some("active") if row.has_no_secret() => return Err(refused(SECRET_GONE)),
        Some("active") => (row.disabled, row.reason, row.probe_at) = (false, None, None),
        // Why it waits for its secret stays told.
        Some("disabled") if row.has_no_secret() => {}
        Some("disabled") => {
            (row.disabled, row.reason) = (true, Some(BY_OPERATOR.to_owned()));
            row.probe_at = None;
        }
        Some(_) => return Err(invalid("status", "active or disabled")),
    }
    Ok(())
}

/// Of a provider's keys; of a kind that this version does not know, the usual.
pub(super) fn secret_rule(kind: &str) -> SecretRule {
    providers::provider(kind).map_or(SecretRule::IN_A_HEADER, |connector| {
        connector.facts().secret
    })
}

/// Of a key of that provider.
pub(super) fn checked_terms(of: &ProviderRow, terms: KeyTerms) -> Result<KeyTerms, AdminError> {
    let kind = providers::provider(&of.kind)
        .ok_or_else(|| refused(format!("this gateway has no connector `{}`", of.kind)))?;
    terms::checked_terms(kind.facts(), terms)
}

fn provider_view(row: ProviderRow, keys: usize) -> ProviderView {
    ProviderView {
        options: super::options(&row),
        secret: secret_rule(&row.kind),
        name: row.name,
        kind: row.kind,
        base_url: row.base_url,
        enabled: row.enabled,
        keys: u32::try_from(keys).unwrap_or(u32::MAX),
        created_at: row.created_at,
    }
}

#[async_trait]
impl ProviderAdmin for ProviderList {
    fn gateway(&self) -> GatewayName {
        GatewayName {
            name: link::INSIDE.to_owned(),
            url: String::new(),
        }
    }

    async fn facts(&self) -> Result<GatewayFacts, AdminError> {
        Ok(GatewayFacts {
            journal: self.journal.id.clone(),
            connectors: providers::facts().cloned().collect(),
            presets: providers::presets::presets(),
        })
    }

    async fn providers(&self) -> Result<Vec<ProviderView>, AdminError> {
        let snapshot = self.store.snapshot().await.map_err(failed)?;
        let count = |name: &str| {
            snapshot
                .keys
                .iter()
                .filter(|key| key.provider == name)
                .count()
        };
        Ok(snapshot
            .providers
            .iter()
            .map(|row| provider_view(row.clone(), count(&row.name)))
            .collect())
    }

    async fn create_provider(&self, new: NewProvider) -> Result<ProviderView, AdminError> {
        checked("name", rules::name(&new.name))?;
        let connector = providers::provider(&new.kind)
            .ok_or_else(|| invalid("kind", format!("one of {}", providers::kinds())))?;
        let base_url = checked_address(connector.facts(), "base_url", &new.base_url)?.to_owned();
        if self.pools.all().len() >= PROVIDERS_MAX {
            return Err(refused(format!(
                "there are {PROVIDERS_MAX} providers already"
            )));
        }
        let row = ProviderRow {
            name: new.name,
            kind: new.kind,
            base_url,
            enabled: true,
            created_at: at(self.clock.now()),
            options: kept_options(&new.options)?,
        };
        self.store.insert_provider(&row).await.map_err(failed)?;
        self.reload().await.map_err(failed)?;
        Ok(provider_view(row, 0))
    }

    async fn update_provider(
        &self,
        name: &str,
        patch: ProviderPatch,
    ) -> Result<ProviderView, AdminError> {
        let base_url = match patch.base_url.as_deref() {
            None => None,
            Some(pasted) => {
                let (row, _) = self.provider_row(name).await?;
                let kind = providers::provider(&row.kind).ok_or_else(|| {
                    refused(format!("this gateway has no connector `{}`", row.kind))
                })?;
                Some(checked_address(kind.facts(), "base_url", pasted)?)
            }
        };
        let options = patch.options.as_ref().map(kept_options).transpose()?;
        let changed = self
            .store
            .update_provider(
                name,
                base_url,
                patch.enabled,
                options.as_deref(),
                is_elsewhere,
            )
            .await
            .map_err(failed)?;
        found(changed)?;
        self.reload().await.map_err(failed)?;
        let (row, keys) = self.provider_row(name).await?;
        Ok(provider_view(row, keys.len()))
    }

    async fn delete_provider(&self, name: &str) -> Result<(), AdminError> {
        let gone = self.store.delete_provider(name).await.map_err(failed)?;
        self.reload().await.map_err(failed)?;
        found(gone)
    }

    async fn provider_keys(&self, provider: &str) -> Result<Vec<ProviderKeyView>, AdminError> {
        let (_, keys) = self.provider_row(provider).await?;
        Ok(keys.iter().map(|row| self.key_view(row)).collect())
    }

    async fn create_provider_key(
        &self,
        provider: &str,
        new: NewProviderKey,
    ) -> Result<ProviderKeyView, AdminError> {
        let (of, keys) = self.provider_row(provider).await?;
        if keys.len() >= KEYS_MAX {
            return Err(refused(format!("there are {KEYS_MAX} keys already")));
        }
        let row = self.new_row(&of, new)?;
        self.store
            .insert_keys(std::slice::from_ref(&row))
            .await
            .map_err(failed)?;
        self.reload().await.map_err(failed)?;
        Ok(self.key_view(&row))
    }

    async fn update_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Result<ProviderKeyView, AdminError> {
        // Its provider as it was before, so that neither is older than what it is written back to.
        let (of, _) = self.provider_row(provider).await?;
        let before = self.key_row(provider, key).await?;
        let mut row = before.clone();
        let sets_state = patch.secret.is_some() || patch.status.is_some();
        let address = row.base_url.clone();
        let has_new_secret = patch.secret.is_some();
        if let Some(terms) = patch.terms {
            let terms = checked_terms(&of, terms)?;
            self.change_terms(&mut row, &of, terms, patch.secret.is_some())?;
        }
        if let Some(secret) = patch.secret {
            let secret = kept_secret(&secret, secret_rule(&of.kind))?;
            let secret = secret.expose();
            row.sealed = self.sealer.seal(&seal_place(&row.id), secret.as_bytes());
            row.last4 = last4(secret);
            (row.disabled, row.reason, row.probe_at) = (false, None, None);
        }
        set_status(&mut row, patch.status.as_deref())?;
        if let Some(weight) = patch.weight {
            checked("weight", rules::weight(weight))?;
            row.weight = weight.into();
        }
        if let Some(label) = patch.label {
            checked("label", rules::label(&label))?;
            row.label = label;
        }
        let change = KeyChange {
            before,
            after: row.clone(),
        };
        self.write_keys(&of, std::slice::from_ref(&change)).await?;
        if has_new_secret || row.base_url != address {
            let next = self.clock.now().after(KNOWN_EVERYWHERE);
            let forgotten = self.store.forget_balance((provider, &row.id), next).await;
            forgotten.map_err(failed)?;
        }
        if let Some(known) = sets_state.then(|| self.pools.key(provider, key)).flatten() {
            known.health.overruled();
        }
        self.reload().await.map_err(failed)?;
        Ok(self.key_view(&row))
    }

    async fn delete_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<(), AdminError> {
        let gone = self.store.delete_keys(provider, std::slice::from_ref(key));
        let gone = gone.await.map_err(failed)?;
        self.reload().await.map_err(failed)?;
        found(gone > 0)
    }

    async fn add_provider_keys(
        &self,
        provider: &str,
        new: NewProviderKeys,
    ) -> Result<KeysAdded, AdminError> {
        self.add_keys(provider, new).await
    }

    async fn change_provider_keys(
        &self,
        provider: &str,
        change: KeysChange,
    ) -> Result<KeysChanged, AdminError> {
        self.change_keys(provider, change).await
    }

    async fn provider_models(&self, provider: &str) -> Result<ProviderModels, AdminError> {
        let all = self.pools.all();
        let provider = all.get(provider).ok_or(AdminError::NotFound)?;
        let now = self.clock.now();
        let in_use = |key: &&Arc<PoolKey>| matches!(key.health.shown(now), Shown::Active);
        // The first by its terms and age, so that lists of two days are lists of the same key.
        let Some(key) = provider.keys.iter().find(in_use) else {
            return Ok(ProviderModels {
                failure: NO_KEY_IN_USE.to_owned(),
                ..ProviderModels::default()
            });
        };
        Ok(provider.connector.models(provider.route(key, "")).await)
    }

    async fn test_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Result<KeyTest, AdminError> {
        if let Some(model) = model {
            checked("model", rules::model(model))?;
        }
        if self.key_row(provider, key).await?.has_no_secret() {
            return Err(refused(SECRET_GONE));
        }
        let all = self.pools.all();
        let provider = all.get(provider).ok_or(AdminError::NotFound)?;
        let key = provider
            .keys
            .iter()
            .find(|known| known.id == *key)
            .ok_or(AdminError::NotFound)?;
        let route = provider.route(key, model.unwrap_or_default());
        let test = match model {
            None => provider.connector.test(route).await,
            Some(_) => provider.connector.try_model(route).await,
        };
        if test.ok
            && matches!(key.health.shown(self.clock.now()), Shown::Off(off) if off.probe_at.is_some())
        {
            self.pools.recovered(provider, key);
        }
        Ok(test)
    }

    async fn balances(&self) -> Result<BalanceBoard, AdminError> {
        self.board().await.map_err(failed)
    }

    async fn set_balance_terms(
        &self,
        provider: &str,
        terms: BalanceTerms,
    ) -> Result<(), AdminError> {
        terms.checked()?;
        let (row, _) = self.provider_row(provider).await?;
        checked_vendor(&terms, &row.kind)?;
        let json = serde_json::to_string(&terms).map_err(|_| AdminError::Internal)?;
        let kept = self.store.set_balance_terms(provider, &json).await;
        kept.map_err(failed)?;
        self.reload().await.map_err(failed)
    }

    async fn would_choose(&self, query: ChoiceQuery) -> Result<ChoiceTold, AdminError> {
        if query.targets.len() > CHOICE_TARGETS_MAX {
            let most = format!("at most {CHOICE_TARGETS_MAX}");
            return Err(invalid("targets", most));
        }
        let snapshot = self.store.snapshot().await.map_err(failed)?;
        let label = |id: &ProviderKeyId| {
            let mut keys = snapshot.keys.iter();
            let row = keys.find(|row| row.id == id.as_str());
            row.map_or_else(String::new, |row| row.label.clone())
        };
        let targets = query.targets.iter().map(|target| {
            let mut told = self.pools.would_lease(target, &query);
            if let Some(chosen) = &mut told.key {
                chosen.label = label(&chosen.key);
            }
            told
        });
        Ok(ChoiceTold {
            targets: targets.collect(),
        })
    }
}
