//! Providers as they are taken elsewhere: copied under another name, or written out without any secret.
//! `import` makes them again out of that.

use serde_json::{Value, json};
use server_store::audit::Actor;
use shared::link::{NewProvider, ProviderKeyView, ProviderPatch, ProviderView};

use super::import::ProviderImport;
use super::{Answer, GatewayAnswer, ProviderError, ProviderRef, Providers};

/// A provider with its keys, as they are written out: a gateway shows no secret of them.
#[derive(Debug, Clone)]
pub struct ProviderExport {
    /// The provider.
    pub provider: ProviderView,
    /// Which gateway has it.
    pub gateway: String,
    /// Its keys.
    pub keys: Vec<ProviderKeyView>,
}

impl ProviderExport {
    /// These as a file, in the form that an import takes.
    pub fn file(exports: &[Self], missing: &[String]) -> Value {
        let key = |key: &ProviderKeyView| {
            json!({
                "label": key.label,
                "last4": key.last4,
                "weight": key.weight,
                "status": key.status,
                "terms": key.terms,
                "header_names": key.header_names,
            })
        };
        let provider = |export: &Self| {
            let view = &export.provider;
            json!({
                "name": view.name,
                "kind": view.kind,
                "base_url": view.base_url,
                "enabled": view.enabled,
                "options": view.options,
                "gateway": export.gateway,
                "keys": export.keys.iter().map(key).collect::<Vec<Value>>(),
            })
        };
        let providers: Vec<Value> = exports.iter().map(provider).collect();
        json!({ "providers": providers, "missing": missing })
    }
}

impl Providers {
    /// Makes a provider with all settings of another one, but without its keys.
    pub async fn copy(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        name: &str,
    ) -> Answer<GatewayAnswer<ProviderView>> {
        let original = self.one(of).await?;
        // Another gateway might be asked for where there are several databases.
        let gateway = of.gateway.as_deref();
        let gateway = match self.admins(gateway).await {
            Err(ProviderError::SayWhich(_)) => Some(original.gateway.as_str()),
            _ => gateway,
        };
        let import = ProviderImport {
            enabled: original.answer.enabled,
            keys: Vec::new(),
            keys_without_secret: 0,
            new: NewProvider {
                name: name.to_owned(),
                kind: original.answer.kind.clone(),
                base_url: original.answer.base_url.clone(),
                options: original.answer.options.clone(),
            },
        };
        self.make(actor, gateway, &import).await
    }

    /// Makes one. One that is off is switched off by a second step; where that fails, it is taken away
    /// again as far as its gateway can be reached: on, it would take calls.
    pub(super) async fn make(
        &self,
        actor: &Actor,
        gateway: Option<&str>,
        import: &ProviderImport,
    ) -> Answer<GatewayAnswer<ProviderView>> {
        let made = self.create(actor, gateway, import.new.clone()).await?;
        if import.enabled {
            return Ok(made);
        }
        let off = ProviderPatch {
            enabled: Some(false),
            ..ProviderPatch::default()
        };
        let of = ProviderRef::new(&made.answer.name, gateway.map(str::to_owned));
        let switched = self.update(actor, &of, off).await;
        if switched.is_err() {
            self.delete(actor, &of).await?;
        }
        switched
    }

    /// One with its keys.
    pub async fn export(&self, of: &ProviderRef) -> Answer<ProviderExport> {
        let provider = self.one(of).await?;
        Ok(ProviderExport {
            keys: self.keys(of).await?.answer,
            provider: provider.answer,
            gateway: provider.gateway,
        })
    }

    /// All of them with their keys, and the gateways whose providers are missing.
    pub async fn export_all(&self) -> Answer<(Vec<ProviderExport>, Vec<String>)> {
        let list = self.all().await?;
        let mut exports = Vec::new();
        for one in &list.providers {
            exports.push(ProviderExport {
                keys: self.keys(&list.address(one)).await?.answer,
                provider: one.answer.clone(),
                gateway: one.gateway.clone(),
            });
        }
        Ok((exports, list.missing))
    }
}
