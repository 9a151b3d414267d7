//! Changes of providers: each is made at its gateway and leaves an entry that says who made it.

use serde_json::{Value, json};
use server_store::audit::{Actor, Note};
use server_store::routes::RouteSubject;
use shared::link::{NewProvider, ProviderPatch, ProviderView};
use tracing::error;

use super::{Answer, GatewayAnswer, ProviderRef, Providers, ask};

impl Providers {
    /// Adds a provider at a gateway; it need not be named where all share a database.
    pub async fn create(
        &self,
        actor: &Actor,
        gateway: Option<&str>,
        new: NewProvider,
    ) -> Answer<GatewayAnswer<ProviderView>> {
        let (admins, new) = (self.admins(gateway).await?, &new);
        let made = ask(&admins, |admin| async move {
            admin.create_provider(new.clone()).await
        })
        .await?;
        let change = Change {
            action: "provider.create",
            subject: &made.answer.name,
            gateway: &made.gateway,
            before: None,
            after: Some(shown(&made.answer)),
        };
        self.note(actor, change).await;
        Ok(made)
    }

    /// Changes one.
    pub async fn update(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        patch: ProviderPatch,
    ) -> Answer<GatewayAnswer<ProviderView>> {
        let before = self.one(of).await?.answer;
        let (admins, patch) = (self.admins_of(of).await?, &patch);
        let name = of.name.as_str();
        let after = ask(&admins, |admin| async move {
            admin.update_provider(name, patch.clone()).await
        })
        .await?;
        let change = Change {
            action: "provider.update",
            subject: name,
            gateway: &after.gateway,
            before: Some(shown(&before)),
            after: Some(shown(&after.answer)),
        };
        self.note(actor, change).await;
        Ok(after)
    }

    /// Removes one with its keys.
    pub async fn delete(&self, actor: &Actor, of: &ProviderRef) -> Answer<()> {
        let before = self.one(of).await?.answer;
        let admins = self.admins_of(of).await?;
        let name = of.name.as_str();
        let gone = ask(
            &admins,
            |admin| async move { admin.delete_provider(name).await },
        )
        .await?;
        self.forget_terms(actor, name).await;
        let change = Change {
            action: "provider.delete",
            subject: name,
            gateway: &gone.gateway,
            before: Some(shown(&before)),
            after: None,
        };
        self.note(actor, change).await;
        Ok(())
    }

    /// Another provider of that name says for itself what it does with data. Where the database is away
    /// it is said in the log.
    async fn forget_terms(&self, actor: &Actor, name: &str) {
        let of = RouteSubject::Provider(name);
        let put = self.store.put_route_rule(actor, of, None, self.clock.now());
        if let Err(error) = put.await {
            error!(%error, "the data terms of provider `{name}`, which is gone, stay: {error}");
        }
    }

    /// The change is done at the gateway and can't be taken back: a lost entry goes to the log.
    pub(super) async fn note(&self, actor: &Actor, change: Change<'_>) {
        let Change {
            action,
            subject,
            gateway,
            before,
            after,
        } = change;
        let text = |value: Option<Value>| {
            let mut value = value?;
            value["gateway"] = gateway.into();
            Some(value.to_string())
        };
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
pub(super) struct Change<'a> {
    pub(super) action: &'static str,
    pub(super) subject: &'a str,
    /// Which one did it.
    pub(super) gateway: &'a str,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

fn shown(view: &ProviderView) -> Value {
    json!({ "kind": view.kind, "base_url": view.base_url, "enabled": view.enabled })
}
