//! The door inside one process: `Link` for the gateway itself. Holds no logic of its own.

use std::sync::Arc;

use async_trait::async_trait;
use shared::id::{BootId, GenerationId, ProviderKeyId};
use shared::link::{
    AdminError, Call, Fate, KeyTest, Link, LinkError, NewProvider, NewProviderKey, ProviderAdmin,
    ProviderKeyPatch, ProviderKeyView, ProviderPatch, ProviderView, Reply,
};

use crate::generations::Leaving;
use crate::{Gateway, generations};

/// A gateway in the same process.
#[derive(Debug, Clone)]
pub(crate) struct Local(pub(crate) Arc<Gateway>);

#[async_trait]
impl Link for Local {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        generations::open(&self.0, call, Leaving::Cancels, 0, None).await
    }

    async fn finish(&self, generation: &GenerationId) -> Result<Fate, LinkError> {
        Ok(generations::finish(&self.0, generation))
    }

    async fn health(&self) -> Result<BootId, LinkError> {
        Ok(self.0.boot.clone())
    }
}

#[async_trait]
impl ProviderAdmin for Local {
    async fn providers(&self) -> Result<Vec<ProviderView>, AdminError> {
        self.0.providers().await
    }

    async fn create_provider(&self, new: NewProvider) -> Result<ProviderView, AdminError> {
        self.0.create_provider(new).await
    }

    async fn update_provider(
        &self,
        name: &str,
        patch: ProviderPatch,
    ) -> Result<ProviderView, AdminError> {
        self.0.update_provider(name, patch).await
    }

    async fn delete_provider(&self, name: &str) -> Result<(), AdminError> {
        self.0.delete_provider(name).await
    }

    async fn provider_keys(&self, provider: &str) -> Result<Vec<ProviderKeyView>, AdminError> {
        self.0.provider_keys(provider).await
    }

    async fn create_provider_key(
        &self,
        provider: &str,
        new: NewProviderKey,
    ) -> Result<ProviderKeyView, AdminError> {
        self.0.create_provider_key(provider, new).await
    }

    async fn update_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
        patch: ProviderKeyPatch,
    ) -> Result<ProviderKeyView, AdminError> {
        self.0.update_provider_key(provider, key, patch).await
    }

    async fn delete_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<(), AdminError> {
        self.0.delete_provider_key(provider, key).await
    }

    async fn test_provider_key(
        &self,
        provider: &str,
        key: &ProviderKeyId,
    ) -> Result<KeyTest, AdminError> {
        self.0.test_provider_key(provider, key).await
    }
}
