//! Many keys at once: those that are good are added together and the others named, or several are changed
//! alike. Each is one commit. The rules of one key are `provider_admin`'s and `terms`'.

use std::collections::HashMap;

use shared::id::ProviderKeyId;
use shared::link::key_batch::{
    KEYS_AT_ONCE_MAX, KeyLine, KeyLineVerdict, KeysAdded, KeysChange, KeysChanged, NewProviderKeys,
};
use shared::link::{AdminError, NewProviderKey, rules};

use super::provider_admin::{
    KEYS_MAX, checked, checked_terms, failed, invalid, kept_secret, last4, refused, secret_rule,
    set_status,
};
use super::{ProviderList, terms};
use crate::store::keys::KeyChange;
use crate::store::{KeyRow, ProviderRow};

/// Where the keys of a pool and of a request are found by their secrets.
struct KnownSecrets<'a> {
    of_pool: HashMap<&'a str, (&'a ProviderKeyId, &'a str)>,
    of_request: HashMap<String, usize>,
}

impl ProviderList {
    /// Adds the good ones of many keys, unless one breaks a rule. Those whose secret is in the pool, or came
    /// before, are left out, so that a list may be sent again.
    pub(super) async fn add_keys(
        &self,
        provider: &str,
        new: NewProviderKeys,
    ) -> Result<KeysAdded, AdminError> {
        within(new.keys.len())?;
        // Nothing is switched between the reading and the writing.
        let _alone = self.reloading.lock().await;
        let (of, rows_before) = self.provider_row(provider).await?;
        let labels: HashMap<&str, &str> = rows_before
            .iter()
            .map(|row| (row.id.as_str(), row.label.as_str()))
            .collect();
        // What another gateway added a moment ago must be known too.
        self.read_again().await.map_err(failed)?;
        let pool = self.pools.all().get(provider).cloned();
        let keys = pool.iter().flat_map(|pool| &pool.keys);
        let mut known = KnownSecrets {
            of_pool: keys
                .map(|key| {
                    let label = labels.get(key.id.as_str()).copied().unwrap_or_default();
                    (key.secret.expose().as_str(), (&key.id, label))
                })
                .collect(),
            of_request: HashMap::new(),
        };
        let (mut lines, mut rows) = (Vec::new(), Vec::new());
        for (at, key) in new.keys.into_iter().enumerate() {
            let (line, row) = self.line(&of, &mut known, at, key);
            lines.push(line);
            rows.extend(row);
        }
        let is_wrong = |line: &KeyLine| matches!(line.verdict, KeyLineVerdict::Wrong(_));
        if rows_before.len().saturating_add(rows.len()) > KEYS_MAX {
            let sentence = format!("a provider has at most {KEYS_MAX} keys");
            return Err(refused(sentence));
        }
        if new.dry_run || rows.is_empty() || lines.iter().any(is_wrong) {
            return Ok(KeysAdded {
                added: false,
                lines,
            });
        }
        self.store.insert_keys(&rows).await.map_err(failed)?;
        self.read_again().await.map_err(failed)?;
        let mut made = rows.into_iter().map(|row| row.id);
        for line in &mut lines {
            if let KeyLineVerdict::Good { key } = &mut line.verdict {
                *key = made.next().map(ProviderKeyId::from_stored);
            }
        }
        Ok(KeysAdded { added: true, lines })
    }

    /// What comes of one key, and the row that is kept of it.
    fn line(
        &self,
        of: &ProviderRow,
        known: &mut KnownSecrets<'_>,
        at: usize,
        new: NewProviderKey,
    ) -> (KeyLine, Option<KeyRow>) {
        let secret = match kept_secret(&new.secret, secret_rule(&of.kind)) {
            Ok(secret) => secret,
            Err(error) => return (wrong(last4(new.secret.expose()), error), None),
        };
        let end = last4(secret.expose());
        // Whatever else is wrong with it, it is told first.
        let row = match self.new_row(of, new) {
            Ok(row) => row,
            Err(error) => return (wrong(end, error), None),
        };
        let line = |verdict| KeyLine {
            last4: end.clone(),
            verdict,
        };
        if let Some((key, label)) = known.of_pool.get(secret.expose().as_str()) {
            let verdict = KeyLineVerdict::Known {
                key: (*key).clone(),
                label: (*label).to_owned(),
            };
            return (line(verdict), None);
        }
        if let Some(first) = known.of_request.get(secret.expose()) {
            return (line(KeyLineVerdict::Repeated { first: *first }), None);
        }
        known.of_request.insert(secret.expose().clone(), at);
        (line(KeyLineVerdict::Good { key: None }), Some(row))
    }

    /// Changes several keys alike, or removes them: all or none.
    pub(super) async fn change_keys(
        &self,
        provider: &str,
        change: KeysChange,
    ) -> Result<KeysChanged, AdminError> {
        within(change.keys.len().max(1))?;
        let is_nothing = !change.delete && change.status.is_none() && change.weight.is_none();
        if is_nothing && change.terms.is_nothing() {
            return Err(refused("say what is to be changed"));
        }
        // Nothing is switched between the reading and the writing.
        let alone = self.reloading.lock().await;
        let (of, rows) = self.provider_row(provider).await?;
        let chosen = chosen(rows, &change)?;
        let ids: Vec<ProviderKeyId> = chosen
            .iter()
            .map(|row| ProviderKeyId::from_stored(row.id.clone()))
            .collect();
        let before = chosen.iter().map(|row| self.key_view(row)).collect();
        if change.delete {
            let gone = self.store.delete_keys(provider, &ids).await;
            gone.map_err(failed)?;
            self.read_again().await.map_err(failed)?;
            let after = Vec::new();
            return Ok(KeysChanged { before, after });
        }
        let changes = chosen.into_iter().map(|before| {
            let after = self.changed(&of, before.clone(), &change)?;
            Ok(KeyChange { before, after })
        });
        let changes: Result<Vec<KeyChange>, AdminError> = changes.collect();
        let changes = changes?;
        self.write_keys(&of, &changes).await?;
        if change.status.is_some() {
            for key in ids.iter().filter_map(|id| self.pools.key(provider, id)) {
                key.health.overruled();
            }
        }
        self.read_again().await.map_err(failed)?;
        drop(alone);
        Ok(KeysChanged {
            before,
            after: changes
                .iter()
                .map(|change| self.key_view(&change.after))
                .collect(),
        })
    }

    fn changed(
        &self,
        of: &ProviderRow,
        mut row: KeyRow,
        change: &KeysChange,
    ) -> Result<KeyRow, AdminError> {
        set_status(&mut row, change.status.as_deref())?;
        if let Some(weight) = change.weight {
            checked("weight", rules::weight(weight))?;
            row.weight = weight.into();
        }
        if !change.terms.is_nothing() {
            let mut terms = terms::read(&row);
            change.terms.make(&mut terms);
            let terms = checked_terms(of, terms)?;
            terms::write(&self.sealer, &mut row, terms);
        }
        Ok(row)
    }
}

/// Whether so many keys may come at once.
fn within(count: usize) -> Result<(), AdminError> {
    match count {
        0 => Err(invalid("keys", "given")),
        count if count > KEYS_AT_ONCE_MAX => {
            Err(invalid("keys", format!("at most {KEYS_AT_ONCE_MAX}")))
        }
        _ => Ok(()),
    }
}

/// Those that a change is of.
fn chosen(rows: Vec<KeyRow>, change: &KeysChange) -> Result<Vec<KeyRow>, AdminError> {
    let chosen: Vec<KeyRow> = match (&change.tag, change.keys.as_slice()) {
        (Some(_), [_, ..]) => {
            return Err(refused("name keys or a tag, and not both"));
        }
        (None, []) => return Err(invalid("keys", "given, or `tag`")),
        (Some(tag), []) => {
            let has_it = |row: &KeyRow| terms::read(row).tags.contains(tag);
            rows.into_iter().filter(has_it).collect()
        }
        (None, ids) => {
            let mut by_id: HashMap<String, KeyRow> =
                rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            let mut chosen = Vec::new();
            let mut seen = std::collections::HashSet::new();
            for id in ids.iter().filter(|id| seen.insert(*id)) {
                chosen.push(by_id.remove(id.as_str()).ok_or(AdminError::NotFound)?);
            }
            chosen
        }
    };
    if chosen.is_empty() {
        return Err(AdminError::NotFound);
    }
    Ok(chosen)
}

fn wrong(last4: String, error: AdminError) -> KeyLine {
    let invalid = match error {
        AdminError::Invalid(invalid) => invalid,
        other @ (AdminError::NotFound
        | AdminError::Duplicate
        | AdminError::Unreachable(_)
        | AdminError::Unanswered(_)
        | AdminError::Internal) => shared::link::InvalidField {
            field: String::new(),
            rule: other.to_string(),
        },
    };
    KeyLine {
        last4,
        verdict: KeyLineVerdict::Wrong(invalid),
    }
}

#[cfg(test)]
mod tests;
