//! Providers out of a file: looked through, then made with their keys or changed. What could be told before
//! is told before, and each provider is made whole or not at all. Secrets come in and never go out.

use std::collections::HashSet;

use server_store::audit::Actor;
use shared::link::connectors::{AddressRule, ConnectorFacts, SecretRule};
use shared::link::key_batch::{KEYS_AT_ONCE_MAX, KeyLineVerdict, KeysChange, NewProviderKeys};
use shared::link::rules::{self, Broken};
use shared::link::{AdminError, NewProvider, NewProviderKey, ProviderPatch, ProviderView};

use super::{Answer, ProviderError, ProviderRef, Providers, ask};

/// Providers of one import at most; a gateway has no more.
pub const IMPORT_MAX: usize = 200;
/// Keys of one import at most: of five large pools.
pub const IMPORT_KEYS_MAX: usize = 5_000;
/// What a key that takes no calls is said to be.
const DISABLED: &str = "disabled";

/// A provider to be made again.
#[derive(Debug, Clone)]
pub struct ProviderImport {
    /// As it is to be.
    pub new: NewProvider,
    /// Whether it takes calls.
    pub enabled: bool,
    /// Its keys whose secrets are in the file.
    pub keys: Vec<KeyImport>,
    /// How many stand there without.
    pub keys_without_secret: usize,
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct KeyImport {
    /// As it is to be.
    pub new: NewProviderKey,
    /// Whether it takes calls.
    pub enabled: bool,
}

/// What an import may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportWish {
    /// Only tell what would come of it.
    pub dry_run: bool,
    /// Give providers that are there the settings of the file.
    pub update: bool,
}

/// What comes of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is made.
    Made,
    /// There is one of its name, which gets the file's settings.
    Changed,
    /// There is one of its name, whose settings are left as they are.
    Exists,
    /// It breaks a rule; nothing is done with it.
    Refused(String),
}

/// One provider of an import, done or only looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedProvider {
    /// Its name.
    pub name: String,
    /// What comes of it.
    pub outcome: Imported,
    /// Settings in which the one that is there differs from the file.
    pub differs: Vec<&'static str>,
    /// Keys that are added.
    pub keys_added: usize,
    /// Keys that are there already, or stand twice in the file.
    pub keys_known: usize,
    /// Keys whose secrets are missing.
    pub keys_without_secret: usize,
}

fn must(field: &str, broken: Broken) -> String {
    format!("`{field}` must be {broken}")
}

/// What a provider of a file breaks, in the words of its gateway.
fn broken(import: &ProviderImport, facts: &ConnectorFacts) -> Result<(), String> {
    let NewProvider {
        name,
        base_url,
        options,
        ..
    } = &import.new;
    rules::name(name).map_err(|broken| must("name", broken))?;
    match (facts.address, base_url.trim()) {
        (AddressRule::Needed, pasted) => {
            rules::base_url(pasted).map_err(|broken| must("base_url", broken))?;
        }
        (AddressRule::Absent, "") => {}
        (AddressRule::Absent, _) => {
            return Err("`base_url` must be empty: a provider of this kind has none".to_owned());
        }
    }
    let options = options.checked();
    options.map_err(|(field, broken)| must(&format!("options.{field}"), broken))?;
    if import.keys.len() > KEYS_AT_ONCE_MAX {
        return Err(must("keys", Broken::TooMany(KEYS_AT_ONCE_MAX)));
    }
    for (at, key) in import.keys.iter().enumerate() {
        let told = key_broken(&key.new, facts.secret);
        told.map_err(|(field, broken)| must(&format!("keys[{at}].{field}"), broken))?;
    }
    Ok(())
}

fn key_broken(key: &NewProviderKey, rule: SecretRule) -> Result<(), (&'static str, Broken)> {
    let of = |field| move |broken| (field, broken);
    rules::secret(key.secret.expose(), rule).map_err(of("secret"))?;
    rules::label(&key.label).map_err(of("label"))?;
    rules::weight(key.weight).map_err(of("weight"))?;
    let terms = &key.terms;
    rules::priority(terms.priority).map_err(of("terms.priority"))?;
    for (field, limit) in terms.limits() {
        rules::limit(limit).map_err(of(field))?;
    }
    rules::models(&terms.models).map_err(of("terms.models"))?;
    rules::tags(&terms.tags).map_err(of("terms.tags"))?;
    if let Some(headers) = &terms.headers {
        rules::headers(headers).map_err(of("terms.headers"))?;
    }
    match terms.base_url.as_deref().map(str::trim) {
        None | Some("") => {}
        Some(pasted) => drop(rules::base_url(pasted).map_err(of("terms.base_url"))?),
    }
    Ok(())
}

/// The settings in which a provider differs from the file.
fn differences(import: &ProviderImport, known: &ProviderView) -> Vec<&'static str> {
    let new = &import.new;
    let pasted = rules::base_url(new.base_url.trim());
    let address = pasted.unwrap_or(new.base_url.trim());
    let parts = [
        ("base_url", address == known.base_url),
        ("enabled", import.enabled == known.enabled),
        ("options", new.options == known.options),
    ];
    let parts = parts.into_iter().filter(|(_, is_same)| !is_same);
    parts.map(|(name, _)| name).collect()
}

/// What is known before an import.
struct Known {
    gateway: Option<String>,
    providers: Vec<ProviderView>,
    facts: Vec<ConnectorFacts>,
}

impl Known {
    fn of(&self, name: &str) -> Option<&ProviderView> {
        self.providers.iter().find(|known| known.name == name)
    }

    fn place(&self, name: &str) -> ProviderRef {
        ProviderRef::new(name, self.gateway.clone())
    }
}

impl Providers {
    /// Makes providers, one after the other, or only tells what would come of each. Those that are there
    /// keep their settings unless it is wished otherwise, and get the keys that they lack, so that an
    /// import may be sent again.
    pub async fn import(
        &self,
        actor: &Actor,
        gateway: Option<&str>,
        imports: &[ProviderImport],
        wish: ImportWish,
    ) -> Answer<Vec<ImportedProvider>> {
        let known = self.known_before(gateway).await?;
        let mut names: HashSet<&str> = HashSet::new();
        let mut told = Vec::with_capacity(imports.len());
        for import in imports {
            let name = import.new.name.as_str();
            let mut one = ImportedProvider {
                name: name.to_owned(),
                outcome: Imported::Exists,
                differs: Vec::new(),
                keys_added: 0,
                keys_known: 0,
                keys_without_secret: import.keys_without_secret,
            };
            let checked = if names.insert(name) {
                checked(import, &known)
            } else {
                Err("its name stands in the file twice".to_owned())
            };
            match checked {
                Err(why) => one.outcome = Imported::Refused(why),
                Ok(()) => self.one_of(actor, (import, &known), wish, &mut one).await?,
            }
            told.push(one);
        }
        Ok(told)
    }

    async fn known_before(&self, gateway: Option<&str>) -> Answer<Known> {
        let admins = self.admins(gateway).await?;
        let told = ask(&admins, |admin| async move { admin.providers().await }).await?;
        let facts = self.connectors().await;
        let facts = facts.into_iter().filter_map(|one| one.facts);
        let facts = facts.flat_map(|facts| facts.connectors.clone());
        Ok(Known {
            gateway: gateway.map(str::to_owned),
            providers: told.answer,
            facts: facts.collect(),
        })
    }

    async fn one_of(
        &self,
        actor: &Actor,
        (import, known): (&ProviderImport, &Known),
        wish: ImportWish,
        one: &mut ImportedProvider,
    ) -> Answer<()> {
        let of = known.place(&import.new.name);
        let Some(there) = known.of(&import.new.name) else {
            one.outcome = Imported::Made;
            one.keys_added = import.keys.len();
            if wish.dry_run {
                return Ok(());
            }
            return self.make_whole(actor, (import, &of), one).await;
        };
        one.differs = differences(import, there);
        let keys = self.add_imported(actor, (import, &of), true, one).await?;
        if let Err(why) = keys {
            one.outcome = Imported::Refused(why);
            return Ok(());
        }
        if wish.update && !one.differs.is_empty() {
            one.outcome = Imported::Changed;
        }
        if wish.dry_run {
            return Ok(());
        }
        if one.outcome == Imported::Changed {
            let patch = ProviderPatch {
                base_url: (!import.new.base_url.is_empty()).then(|| import.new.base_url.clone()),
                enabled: Some(import.enabled),
                options: Some(import.new.options.clone()),
            };
            match self.update(actor, &of, patch).await {
                Ok(_) => {}
                Err(ProviderError::Gateway(error @ AdminError::Invalid(_))) => {
                    one.outcome = Imported::Refused(error.to_string());
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        let keys = self.add_imported(actor, (import, &of), false, one).await?;
        if let Err(why) = keys {
            one.outcome = Imported::Refused(why);
        }
        Ok(())
    }

    /// Makes one with its keys; where they are refused, it is taken away again.
    async fn make_whole(
        &self,
        actor: &Actor,
        (import, of): (&ProviderImport, &ProviderRef),
        one: &mut ImportedProvider,
    ) -> Answer<()> {
        match self.make(actor, of.gateway.as_deref(), import).await {
            Ok(_) => {}
            // Somebody made one meanwhile.
            Err(ProviderError::Gateway(AdminError::Duplicate)) => {
                one.keys_added = 0;
                one.outcome = Imported::Exists;
                return Ok(());
            }
            Err(ProviderError::Gateway(error @ AdminError::Invalid(_))) => {
                one.keys_added = 0;
                one.outcome = Imported::Refused(error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        match self.add_imported(actor, (import, of), false, one).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => {
                one.keys_added = 0;
                one.outcome = Imported::Refused(why);
                self.delete(actor, of).await.map(drop)
            }
            Err(error) => {
                self.delete(actor, of).await?;
                Err(error)
            }
        }
    }

    /// Adds the keys of an import that the pool lacks, or tells what would come of them; a sentence where
    /// one breaks a rule, so that none is added.
    async fn add_imported(
        &self,
        actor: &Actor,
        (import, of): (&ProviderImport, &ProviderRef),
        dry_run: bool,
        one: &mut ImportedProvider,
    ) -> Answer<Result<(), String>> {
        if import.keys.is_empty() {
            return Ok(Ok(()));
        }
        let keys = import.keys.iter().map(|key| key.new.clone());
        let keys = NewProviderKeys {
            keys: keys.collect(),
            dry_run,
        };
        let told = match self.add_keys(actor, of, keys).await {
            Ok(told) => told.answer,
            Err(ProviderError::Gateway(error @ AdminError::Invalid(_))) => {
                return Ok(Err(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        (one.keys_added, one.keys_known) = (0, 0);
        let mut off = Vec::new();
        for (at, (line, key)) in told.lines.into_iter().zip(&import.keys).enumerate() {
            match line.verdict {
                KeyLineVerdict::Good { key: made } => {
                    one.keys_added += 1;
                    off.extend(made.filter(|_| !key.enabled));
                }
                KeyLineVerdict::Known { .. } | KeyLineVerdict::Repeated { .. } => {
                    one.keys_known += 1;
                }
                KeyLineVerdict::Wrong(wrong) => return Ok(Err(format!("keys[{at}]: {wrong}"))),
            }
        }
        if !off.is_empty() {
            let change = KeysChange {
                keys: off,
                status: Some(DISABLED.to_owned()),
                ..KeysChange::default()
            };
            self.change_keys(actor, of, change).await?;
        }
        Ok(Ok(()))
    }
}

/// Whether a provider of a file may be made, or may be the one that is there.
fn checked(import: &ProviderImport, known: &Known) -> Result<(), String> {
    let kind = &import.new.kind;
    let facts = known.facts.iter().find(|facts| facts.kind == *kind);
    let facts = facts.ok_or_else(|| "no gateway has a connector of its `kind`".to_owned())?;
    if let Some(there) = known.of(&import.new.name)
        && there.kind != *kind
    {
        return Err("there is one of its name of another `kind`, which never changes".to_owned());
    }
    broken(import, facts)
}
