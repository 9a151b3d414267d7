//! Keys of providers: listed, made, changed, tested and deleted, each change with its entry.

use serde_json::{Value, json};
use server_store::audit::Actor;
use shared::id::ProviderKeyId;
use shared::link::models::ProviderModels;
use shared::link::{KeyTest, NewProviderKey, ProviderKeyPatch, ProviderKeyView};

use super::changes::Change;
use super::{Answer, GatewayAnswer, ProviderRef, Providers, ask};

impl Providers {
    /// The keys of one, oldest first.
    pub async fn keys(&self, of: &ProviderRef) -> Answer<GatewayAnswer<Vec<ProviderKeyView>>> {
        let admins = self.admins_of(of).await?;
        let name = of.name.as_str();
        ask(
            &admins,
            |admin| async move { admin.provider_keys(name).await },
        )
        .await
    }

    /// Adds a key.
    pub async fn create_key(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        new: NewProviderKey,
    ) -> Answer<GatewayAnswer<ProviderKeyView>> {
        let (admins, new) = (self.admins_of(of).await?, &new);
        let name = of.name.as_str();
        let made = ask(&admins, |admin| async move {
            admin.create_provider_key(name, new.clone()).await
        })
        .await?;
        let subject = key_subject(name, &made.answer.id);
        let change = Change {
            action: "provider_key.create",
            subject: &subject,
            gateway: &made.gateway,
            before: None,
            after: Some(key_shown(&made.answer)),
        };
        self.note(actor, change).await;
        Ok(made)
    }

    /// Changes a key.
    pub async fn update_key(
        &self,
        actor: &Actor,
        (of, key): (&ProviderRef, &ProviderKeyId),
        patch: ProviderKeyPatch,
    ) -> Answer<GatewayAnswer<ProviderKeyView>> {
        let before = self.key(of, key).await?;
        let (admins, patch) = (self.admins_of(of).await?, &patch);
        let name = of.name.as_str();
        let after = ask(&admins, |admin| async move {
            admin.update_provider_key(name, key, patch.clone()).await
        })
        .await?;
        let subject = key_subject(name, key);
        let change = Change {
            action: "provider_key.update",
            subject: &subject,
            gateway: &after.gateway,
            before: before.as_ref().map(key_shown),
            after: Some(key_shown(&after.answer)),
        };
        self.note(actor, change).await;
        Ok(after)
    }

    /// Removes a key.
    pub async fn delete_key(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        key: &ProviderKeyId,
    ) -> Answer<()> {
        let before = self.key(of, key).await?;
        let admins = self.admins_of(of).await?;
        let name = of.name.as_str();
        let gone = ask(&admins, |admin| async move {
            admin.delete_provider_key(name, key).await
        })
        .await?;
        let subject = key_subject(name, key);
        let change = Change {
            action: "provider_key.delete",
            subject: &subject,
            gateway: &gone.gateway,
            before: before.as_ref().map(key_shown),
            after: None,
        };
        self.note(actor, change).await;
        Ok(())
    }

    /// Makes one free call with a key, or the smallest one that `model` can answer; changes nothing.
    pub async fn test_key(
        &self,
        of: &ProviderRef,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Answer<GatewayAnswer<KeyTest>> {
        let admins = self.admins_of(of).await?;
        let name = of.name.as_str();
        ask(&admins, |admin| async move {
            admin.test_provider_key(name, key, model).await
        })
        .await
    }

    /// Asks one for its list of models; changes nothing.
    pub async fn models(&self, of: &ProviderRef) -> Answer<GatewayAnswer<ProviderModels>> {
        let admins = self.admins_of(of).await?;
        let name = of.name.as_str();
        ask(
            &admins,
            |admin| async move { admin.provider_models(name).await },
        )
        .await
    }

    async fn key(&self, of: &ProviderRef, key: &ProviderKeyId) -> Answer<Option<ProviderKeyView>> {
        let keys = self.keys(of).await?.answer;
        Ok(keys.into_iter().find(|view| view.id == *key))
    }
}

fn key_subject(provider: &str, key: &ProviderKeyId) -> String {
    format!("{provider}/{key}")
}

/// What does not change by itself: neither cooling nor what runs.
pub(super) fn key_shown(view: &ProviderKeyView) -> Value {
    let status = if view.status == "disabled" {
        "disabled"
    } else {
        "active"
    };
    let mut shown = json!({ "label": view.label, "last4": view.last4, "weight": view.weight, "status": status });
    if !view.terms.is_usual() {
        shown["terms"] = json!(view.terms);
    }
    if !view.header_names.is_empty() {
        shown["header_names"] = json!(view.header_names);
    }
    shown
}
