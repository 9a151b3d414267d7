//! Room: providers and their keys at the gateway, with an audit entry for each change. The gateway
//! keeps them; here they only pass by, and a secret is never written down.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::clock::Clock;
use shared::id::ProviderKeyId;
use shared::link::{
    AdminError, KeyTest, NewProvider, NewProviderKey, ProviderAdmin, ProviderAdmins,
    ProviderKeyPatch, ProviderKeyView, ProviderPatch, ProviderView,
};
use tracing::error;

use crate::store::Store;
use crate::store::audit::{Actor, Note};

/// What is asked of the gateway; cheap to clone.
#[derive(Clone)]
pub struct Providers {
    link: Arc<dyn ProviderAdmins>,
    store: Store,
    clock: Clock,
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Providers")
    }
}

type Answer<T> = Result<T, AdminError>;

impl Providers {
    /// Over the link to the gateway.
    pub fn new(link: Arc<dyn ProviderAdmins>, store: Store, clock: Clock) -> Self {
        Self { link, store, clock }
    }

    /// Asks the gateways in turn until one could be asked. Whoever may have done it is not asked again
    /// elsewhere.
    async fn ask<T, F: Future<Output = Answer<T>>>(
        &self,
        question: impl Fn(Arc<dyn ProviderAdmin>) -> F,
    ) -> Answer<T> {
        let mut last = AdminError::Unreachable("there is no gateway".to_owned());
        for admin in self.link.provider_admins() {
            match question(admin).await {
                Err(error @ AdminError::Unreachable(_)) => last = error,
                answered => return answered,
            }
        }
        Err(last)
    }

    /// Every provider, by name.
    pub async fn all(&self) -> Answer<Vec<ProviderView>> {
        self.ask(|admin| async move { admin.providers().await })
            .await
    }

    /// Adds a provider.
    pub async fn create(&self, actor: &Actor, new: NewProvider) -> Answer<ProviderView> {
        let new = &new;
        let made = self
            .ask(|admin| async move { admin.create_provider(new.clone()).await })
            .await?;
        let change = Change {
            action: "provider.create",
            subject: &made.name,
            before: None,
            after: Some(shown(&made)),
        };
        self.note(actor, change).await;
        Ok(made)
    }

    /// Changes one.
    pub async fn update(
        &self,
        actor: &Actor,
        name: &str,
        patch: ProviderPatch,
    ) -> Answer<ProviderView> {
        let before = self.all().await?;
        let before = before.into_iter().find(|provider| provider.name == name);
        let patch = &patch;
        let after = self
            .ask(|admin| async move { admin.update_provider(name, patch.clone()).await })
            .await?;
        let before = before.as_ref().map(shown);
        let change = Change {
            action: "provider.update",
            subject: name,
            before,
            after: Some(shown(&after)),
        };
        self.note(actor, change).await;
        Ok(after)
    }

    /// Removes one with its keys.
    pub async fn delete(&self, actor: &Actor, name: &str) -> Answer<()> {
        let before = self.all().await?;
        let before = before.into_iter().find(|provider| provider.name == name);
        self.ask(|admin| async move { admin.delete_provider(name).await })
            .await?;
        let change = Change {
            action: "provider.delete",
            subject: name,
            before: before.as_ref().map(shown),
            after: None,
        };
        self.note(actor, change).await;
        Ok(())
    }

    /// The keys of one, oldest first.
    pub async fn keys(&self, provider: &str) -> Answer<Vec<ProviderKeyView>> {
        self.ask(|admin| async move { admin.provider_keys(provider).await })
            .await
    }

    /// Adds a key.
    pub async fn create_key(
        &self,
        actor: &Actor,
        provider: &str,
        new: NewProviderKey,
    ) -> Answer<ProviderKeyView> {
        let new = &new;
        let made = self
            .ask(|admin| async move { admin.create_provider_key(provider, new.clone()).await })
            .await?;
        let subject = key_subject(provider, &made.id);
        let change = Change {
            action: "provider_key.create",
            subject: &subject,
            before: None,
            after: Some(key_shown(&made)),
        };
        self.note(actor, change).await;
        Ok(made)
    }

    /// Changes a key.
    pub async fn update_key(
        &self,
        actor: &Actor,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Answer<ProviderKeyView> {
        let before = self.key(provider, key).await?;
        let patch = &patch;
        let after = self
            .ask(|admin| async move {
                admin
                    .update_provider_key(provider, key, patch.clone())
                    .await
            })
            .await?;
        let (subject, before) = (key_subject(provider, key), before.as_ref().map(key_shown));
        let change = Change {
            action: "provider_key.update",
            subject: &subject,
            before,
            after: Some(key_shown(&after)),
        };
        self.note(actor, change).await;
        Ok(after)
    }

    /// Removes a key.
    pub async fn delete_key(
        &self,
        actor: &Actor,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Answer<()> {
        let before = self.key(provider, key).await?;
        self.ask(|admin| async move { admin.delete_provider_key(provider, key).await })
            .await?;
        let (subject, before) = (key_subject(provider, key), before.as_ref().map(key_shown));
        let change = Change {
            action: "provider_key.delete",
            subject: &subject,
            before,
            after: None,
        };
        self.note(actor, change).await;
        Ok(())
    }

    /// Makes one free call with a key, or the smallest one that `model` can answer; changes nothing.
    pub async fn test_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        model: Option<&str>,
    ) -> Answer<KeyTest> {
        self.ask(|admin| async move { admin.test_provider_key(provider, key, model).await })
            .await
    }

    async fn key(&self, provider: &str, key: &ProviderKeyId) -> Answer<Option<ProviderKeyView>> {
        let keys = self.keys(provider).await?;
        Ok(keys.into_iter().find(|view| view.id == *key))
    }

    /// The change is done at the gateway and can't be taken back: a lost entry goes to the log.
    async fn note(&self, actor: &Actor, change: Change<'_>) {
        let Change {
            action,
            subject,
            before,
            after,
        } = change;
        let text = |value: Option<Value>| value.map(|value| value.to_string());
        let note = Note {
            tenant: None,
            action,
            subject,
            before: text(before),
            after: text(after),
        };
        if let Err(error) = self.store.note_done(actor, note, self.clock.now()).await {
            error!(%error, action, subject, actor.id = %actor.id, "`{action}` of `{subject}` has no audit entry: {error}");
        }
    }
}

/// What was done at the gateway.
struct Change<'a> {
    action: &'static str,
    subject: &'a str,
    before: Option<Value>,
    after: Option<Value>,
}

fn key_subject(provider: &str, key: &ProviderKeyId) -> String {
    format!("{provider}/{key}")
}

fn shown(view: &ProviderView) -> Value {
    json!({ "kind": view.kind, "base_url": view.base_url, "enabled": view.enabled })
}

/// What does not change by itself: neither cooling nor what runs.
fn key_shown(view: &ProviderKeyView) -> Value {
    let status = if view.status == "disabled" {
        "disabled"
    } else {
        "active"
    };
    json!({ "label": view.label, "last4": view.last4, "weight": view.weight, "status": status })
}
