//! Provider and key management: checks, seals, stores, and keeps the pools as the database says.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use shared::clock::Moment;
use shared::db::DbError;
use shared::host::origin;
use shared::id::ProviderKeyId;
use shared::link::{
    AdminError, GatewayName, KeyTest, NewProvider, NewProviderKey, ProviderAdmin, ProviderKeyPatch,
    ProviderKeyView, ProviderPatch, ProviderView,
};
use shared::secret::Secret;
use tracing::{error, warn};

use crate::pool::health::{KeyHealth, Off, Shown};
use crate::pool::{PoolKey, PoolProvider, ProviderHealth};
use crate::providers;
use crate::store::{BY_OPERATOR, KeyRow, ProviderRow, SECRET_GONE, Snapshot, at};
use crate::{Gateway, link};

/// Names stand in targets, paths and metric labels.
const NAME_CHARS_MAX: usize = 40;
const URL_CHARS_MAX: usize = 300;
const LABEL_CHARS_MAX: usize = 100;
const SECRET_CHARS_MAX: usize = 512;
const WEIGHT_MAX: u32 = 100;
/// The name of a model at a provider.
const MODEL_CHARS_MAX: usize = 200;
/// More providers or keys than anybody has; the list is kept in memory.
const PROVIDERS_MAX: usize = 200;
const KEYS_MAX: usize = 1_000;

/// What was known before the list is read again.
struct Known {
    keys: HashMap<ProviderKeyId, Arc<KeyHealth>>,
    /// By name and address: another address is another host.
    providers: HashMap<(String, String), Arc<ProviderHealth>>,
}

fn invalid(what: impl Into<String>) -> AdminError {
    AdminError::Invalid(what.into())
}

/// The log gets the reason, the operator a word.
fn failed(error: DbError) -> AdminError {
    match error {
        DbError::Duplicate(_) => AdminError::Duplicate,
        DbError::UnknownScheme
        | DbError::Unreachable(_)
        | DbError::Damaged(_)
        | DbError::Statement(_)
        | DbError::Later(_)
        | DbError::Migration(_) => {
            error!(%error, "a statement failed: {error}");
            AdminError::Internal
        }
    }
}

fn checked_name(name: &str) -> Result<(), AdminError> {
    let well_formed = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if well_formed {
        Ok(())
    } else {
        Err(invalid(format!(
            "`name` must be 1 to {NAME_CHARS_MAX} of a-z, 0-9 and -"
        )))
    }
}

/// The address as it is used; it must be http or https, without a password or a query.
fn checked_url(url: &str) -> Result<String, AdminError> {
    let url = providers::address::base(url);
    let parsed: http::Uri = url
        .parse()
        .map_err(|_| invalid("`base_url` is not a URL"))?;
    let scheme = parsed.scheme_str().unwrap_or_default();
    let authority = parsed
        .authority()
        .map(http::uri::Authority::as_str)
        .unwrap_or_default();
    if url.len() > URL_CHARS_MAX || !matches!(scheme, "http" | "https") || authority.is_empty() {
        return Err(invalid(
            "`base_url` must be like https://api.example.com/v1",
        ));
    }
    if authority.contains('@') || parsed.query().is_some() {
        return Err(invalid("`base_url` must have no user, password or query"));
    }
    Ok(url.to_owned())
}

/// Whether keys that were given for `old` would go to somebody else at `new`: whoever may move a
/// provider must not get its secrets with that.
fn is_elsewhere(old: &str, new: &str) -> bool {
    origin(old) != origin(new)
}

fn checked_weight(weight: u32) -> Result<i64, AdminError> {
    if (1..=WEIGHT_MAX).contains(&weight) {
        Ok(weight.into())
    } else {
        Err(invalid(format!("`weight` must be 1 to {WEIGHT_MAX}")))
    }
}

fn checked_label(label: &str) -> Result<(), AdminError> {
    let well_formed =
        label.chars().count() <= LABEL_CHARS_MAX && !label.chars().any(char::is_control);
    if well_formed {
        Ok(())
    } else {
        Err(invalid(format!(
            "`label` must be one line of at most {LABEL_CHARS_MAX} characters"
        )))
    }
}

fn checked_secret(secret: &str) -> Result<(), AdminError> {
    let well_formed = (1..=SECRET_CHARS_MAX).contains(&secret.len())
        && secret.bytes().all(|b| b.is_ascii_graphic());
    if well_formed {
        Ok(())
    } else {
        Err(invalid(format!(
            "`secret` must be 1 to {SECRET_CHARS_MAX} printable characters"
        )))
    }
}

/// What a key is sealed for.
fn seal_place(id: &str) -> String {
    format!("provider_keys|{id}")
}

fn last4(secret: &str) -> String {
    // A short secret shows nothing of itself.
    if secret.len() < 12 {
        "····".to_owned()
    } else {
        secret[secret.len() - 4..].to_owned()
    }
}

impl Gateway {
    /// Reads the list again. One at a time: an older list would take the place of a newer one, and what
    /// is known of the keys between them would be lost.
    pub(crate) async fn reload(&self) -> Result<(), DbError> {
        let _alone = self.reloading.lock().await;
        let snapshot = self.store.snapshot().await?;
        let known = self.known_health();
        self.pools.replace(self.opened(&snapshot, &known));
        self.version
            .store(snapshot.version, std::sync::atomic::Ordering::Release);
        Ok(())
    }

    fn known_health(&self) -> Known {
        let all = self.pools.all();
        let keys = all.values().flat_map(|provider| &provider.keys);
        let provider = |known: &Arc<PoolProvider>| {
            let at = (known.name.clone(), known.base_url.clone());
            (at, known.health.clone())
        };
        Known {
            keys: keys
                .map(|key| (key.id.clone(), key.health.clone()))
                .collect(),
            providers: all.values().map(provider).collect(),
        }
    }

    fn opened(&self, snapshot: &Snapshot, known: &Known) -> HashMap<String, Arc<PoolProvider>> {
        let mut pools = HashMap::new();
        for row in &snapshot.providers {
            let Some(connector) = providers::provider(&row.kind) else {
                warn!(
                    provider = row.name,
                    "provider `{}` has an unknown kind and is left out", row.name
                );
                continue;
            };
            let keys = snapshot.keys.iter().filter(|key| key.provider == row.name);
            let keys = keys
                .filter_map(|key| self.open_key(key, &known.keys))
                .collect();
            // Earlier versions kept what was pasted.
            let base_url = providers::address::base(&row.base_url).to_owned();
            let at = (row.name.clone(), base_url.clone());
            let health = known.providers.get(&at).cloned().unwrap_or_default();
            let provider = PoolProvider {
                name: row.name.clone(),
                base_url,
                enabled: row.enabled,
                connector,
                keys,
                health,
            };
            pools.insert(row.name.clone(), Arc::new(provider));
        }
        pools
    }

    fn open_key(
        &self,
        row: &KeyRow,
        health: &HashMap<ProviderKeyId, Arc<KeyHealth>>,
    ) -> Option<Arc<PoolKey>> {
        if row.has_no_secret() {
            return None;
        }
        let opened = self
            .sealer
            .open(&seal_place(&row.id), &row.sealed)
            .map_err(|e| e.to_string());
        let secret = opened.and_then(|bytes| String::from_utf8(bytes).map_err(|e| e.to_string()));
        let secret = secret
            .inspect_err(|error| {
                error!(key.id = row.id, "key `{}` can't be opened: {error}", row.id);
            })
            .ok()?;
        let id = ProviderKeyId::from_stored(row.id.clone());
        let health = health.get(&id).cloned().unwrap_or_default();
        health.set_off(row.disabled.then(|| off(row)));
        let weight = u32::try_from(row.weight).unwrap_or(1);
        Some(Arc::new(PoolKey {
            id,
            secret: Secret::new(secret),
            last4: row.last4.clone(),
            weight,
            health,
        }))
    }

    fn key_view(&self, row: &KeyRow) -> ProviderKeyView {
        let id = ProviderKeyId::from_stored(row.id.clone());
        let all = self.pools.all();
        let known = all
            .get(&row.provider)
            .and_then(|provider| provider.keys.iter().find(|key| key.id == id));
        let shown = match known {
            _ if row.disabled => Shown::Off(off(row)),
            Some(key) => key.health.shown(self.clock.now()),
            None => Shown::Active,
        };
        let (status, reason, cooling_until, probe_at) = match shown {
            Shown::Active => ("active", None, None, None),
            Shown::Cooling { until, reason } => {
                ("cooling", Some(reason.to_owned()), Some(until), None)
            }
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
            created_at: row.created_at,
        }
    }

    async fn provider_row(&self, name: &str) -> Result<(ProviderRow, Vec<KeyRow>), AdminError> {
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

    async fn key_row(&self, provider: &str, key: &ProviderKeyId) -> Result<KeyRow, AdminError> {
        self.store
            .key(provider, key)
            .await
            .map_err(failed)?
            .ok_or(AdminError::NotFound)
    }
}

/// Why a key is off, and when it is asked about again. Earlier versions kept no such time.
fn off(row: &KeyRow) -> Off {
    let by_operator = row.reason.as_deref() == Some(BY_OPERATOR);
    let probe_at = row.probe_at.or((!by_operator).then_some(0));
    Off {
        reason: row.reason.clone(),
        probe_at: probe_at.map(Moment::from_unix_ms),
    }
}

fn provider_view(row: ProviderRow, keys: usize) -> ProviderView {
    ProviderView {
        name: row.name,
        kind: row.kind,
        base_url: row.base_url,
        enabled: row.enabled,
        keys: u32::try_from(keys).unwrap_or(u32::MAX),
        created_at: row.created_at,
    }
}

#[async_trait]
impl ProviderAdmin for Gateway {
    fn gateway(&self) -> GatewayName {
        GatewayName {
            name: link::INSIDE.to_owned(),
            url: String::new(),
        }
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
        checked_name(&new.name)?;
        let connector = providers::provider(&new.kind)
            .ok_or_else(|| invalid("`kind` must be openai or sandbox"))?;
        let base_url = match (connector.has_address(), new.base_url.as_str()) {
            (true, url) => checked_url(url)?,
            (false, "") => String::new(),
            (false, _) => {
                return Err(invalid(format!(
                    "a provider of kind {} has no `base_url`",
                    new.kind
                )));
            }
        };
        if self.pools.all().len() >= PROVIDERS_MAX {
            return Err(invalid(format!(
                "there are {PROVIDERS_MAX} providers already"
            )));
        }
        let row = ProviderRow {
            name: new.name,
            kind: new.kind,
            base_url,
            enabled: true,
            created_at: at(self.clock.now()),
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
        let base_url = patch.base_url.as_deref().map(checked_url).transpose()?;
        let found = self
            .store
            .update_provider(name, base_url.as_deref(), patch.enabled, is_elsewhere)
            .await
            .map_err(failed)?;
        if !found {
            return Err(AdminError::NotFound);
        }
        self.reload().await.map_err(failed)?;
        let (row, keys) = self.provider_row(name).await?;
        Ok(provider_view(row, keys.len()))
    }

    async fn delete_provider(&self, name: &str) -> Result<(), AdminError> {
        let gone = self.store.delete_provider(name).await.map_err(failed)?;
        self.reload().await.map_err(failed)?;
        if gone {
            Ok(())
        } else {
            Err(AdminError::NotFound)
        }
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
        checked_secret(&new.secret)?;
        checked_label(&new.label)?;
        let weight = checked_weight(new.weight)?;
        let (_, keys) = self.provider_row(provider).await?;
        if keys.len() >= KEYS_MAX {
            return Err(invalid(format!("there are {KEYS_MAX} keys already")));
        }
        let id = ProviderKeyId::random();
        let row = KeyRow {
            sealed: self
                .sealer
                .seal(&seal_place(id.as_str()), new.secret.as_bytes()),
            id: id.into_string(),
            provider: provider.to_owned(),
            label: new.label,
            last4: last4(&new.secret),
            weight,
            disabled: false,
            reason: None,
            created_at: at(self.clock.now()),
            probe_at: None,
        };
        self.store.insert_key(&row).await.map_err(failed)?;
        self.reload().await.map_err(failed)?;
        Ok(self.key_view(&row))
    }

    async fn update_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Result<ProviderKeyView, AdminError> {
        let mut row = self.key_row(provider, key).await?;
        if let Some(secret) = patch.secret {
            checked_secret(&secret)?;
            row.sealed = self.sealer.seal(&seal_place(&row.id), secret.as_bytes());
            row.last4 = last4(&secret);
            (row.disabled, row.reason, row.probe_at) = (false, None, None);
        }
        match patch.status.as_deref() {
            None => {}
            Some("active") if row.has_no_secret() => return Err(invalid(SECRET_GONE)),
            Some("active") => (row.disabled, row.reason, row.probe_at) = (false, None, None),
            // Why it waits for its secret stays told.
            Some("disabled") if row.has_no_secret() => {}
            Some("disabled") => {
                (row.disabled, row.reason) = (true, Some(BY_OPERATOR.to_owned()));
                row.probe_at = None;
            }
            Some(_) => return Err(invalid("`status` must be active or disabled")),
        }
        if let Some(weight) = patch.weight {
            row.weight = checked_weight(weight)?;
        }
        if let Some(label) = patch.label {
            checked_label(&label)?;
            row.label = label;
        }
        if !self.store.update_key(&row).await.map_err(failed)? {
            return Err(AdminError::NotFound);
        }
        self.reload().await.map_err(failed)?;
        Ok(self.key_view(&row))
    }

    async fn delete_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<(), AdminError> {
        let gone = self.store.delete_key(provider, key).await.map_err(failed)?;
        self.reload().await.map_err(failed)?;
        if gone {
            Ok(())
        } else {
            Err(AdminError::NotFound)
        }
    }

    async fn test_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Result<KeyTest, AdminError> {
        let is_name = |model: &str| {
            (1..=MODEL_CHARS_MAX).contains(&model.chars().count())
                && !model.chars().any(char::is_control)
        };
        if !model.is_none_or(is_name) {
            return Err(invalid(format!(
                "`model` must be 1 to {MODEL_CHARS_MAX} characters on one line"
            )));
        }
        if self.key_row(provider, key).await?.has_no_secret() {
            return Err(invalid(SECRET_GONE));
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
}
