//! Many keys of a provider at once: added or changed together at its gateway, with one entry for all.

use serde_json::{Value, json};
use server_store::audit::Actor;
use shared::link::key_batch::{
    KeyLineVerdict, KeysAdded, KeysChange, KeysChanged, NewProviderKeys,
};

use super::changes::Change;
use super::keys::key_shown;
use super::{Answer, GatewayAnswer, ProviderRef, Providers, ask};

impl Providers {
    /// Adds those of many keys that are good and new, unless one breaks a rule; or only tells what would
    /// come of them.
    pub async fn add_keys(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        new: NewProviderKeys,
    ) -> Answer<GatewayAnswer<KeysAdded>> {
        let (admins, new) = (self.admins_of(of).await?, &new);
        let name = of.name.as_str();
        let told = ask(&admins, |admin| async move {
            admin.add_provider_keys(name, new.clone()).await
        })
        .await?;
        if told.answer.added {
            let lines = told.answer.lines.iter().zip(&new.keys);
            let made = lines.filter_map(|(line, key)| match &line.verdict {
                KeyLineVerdict::Good { key: Some(id) } => Some(json!({
                    "id": id,
                    "label": key.label,
                    "last4": line.last4,
                    "weight": key.weight,
                    "tags": key.terms.tags,
                })),
                KeyLineVerdict::Good { key: None }
                | KeyLineVerdict::Known { .. }
                | KeyLineVerdict::Repeated { .. }
                | KeyLineVerdict::Wrong(_) => None,
            });
            let change = Change {
                action: "provider_key.create_many",
                subject: name,
                gateway: &told.gateway,
                before: None,
                after: Some(json!({ "keys": made.collect::<Vec<Value>>() })),
            };
            self.note(actor, change).await;
        }
        Ok(told)
    }

    /// Changes several keys alike or removes them, all or none.
    pub async fn change_keys(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        change: KeysChange,
    ) -> Answer<GatewayAnswer<KeysChanged>> {
        let (admins, asked) = (self.admins_of(of).await?, &change);
        let name = of.name.as_str();
        let told = ask(&admins, |admin| async move {
            admin.change_provider_keys(name, asked.clone()).await
        })
        .await?;
        let shown = |keys: &[shared::link::ProviderKeyView]| {
            let keys = keys.iter().map(|key| {
                let mut value = key_shown(key);
                value["id"] = key.id.as_str().into();
                value
            });
            json!({ "keys": keys.collect::<Vec<Value>>() })
        };
        let done = Change {
            action: if change.delete {
                "provider_key.delete_many"
            } else {
                "provider_key.update_many"
            },
            subject: name,
            gateway: &told.gateway,
            before: Some(shown(&told.answer.before)),
            after: (!change.delete).then(|| shown(&told.answer.after)),
        };
        self.note(actor, done).await;
        Ok(told)
    }
}
