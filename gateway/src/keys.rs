//! Questions of our own about keys, which cost nothing: is a key that an answer doubted good, and is one
//! that was switched off good again. Decides nothing about calls; `pool` does.

use std::sync::Arc;

use shared::link::KeyVerdict;
use tracing::{info, warn};

use crate::Gateway;
use crate::pool::{Lease, PoolKey, PoolProvider};

/// Keys that are asked about at once when many are due.
const PROBES_MAX: usize = 4;

impl Gateway {
    /// An answer doubts the key of `lease`: the provider is asked, and its word counts.
    pub(crate) fn doubt(self: &Arc<Self>, lease: &Lease) {
        let (provider, key) = (lease.provider().clone(), lease.key().clone());
        if provider.connector.fails_on_request() || !key.health.begin_check(self.clock.now()) {
            return;
        }
        let gateway = self.clone();
        self.supervisor.spawn("key check", async move {
            let test = provider.connector.test(provider.route(&key, "")).await;
            info!(key.id = %key.id, "key `{}` was doubted and is {}", key.id, test.verdict.word());
            if test.verdict == KeyVerdict::Refused {
                gateway.pools.switch_off(&provider, &key);
            }
        });
    }

    /// Asks about keys that were switched off and whose time has come.
    pub(crate) fn probe_due(self: &Arc<Self>) {
        let now = self.clock.now();
        let all = self.pools.all();
        let keys = all
            .values()
            .filter(|provider| provider.enabled)
            .flat_map(|provider| provider.keys.iter().map(move |key| (provider, key)))
            .filter(|(_, key)| key.health.due(now).is_some());
        for (provider, key) in keys.take(PROBES_MAX) {
            let probe = self.clone().probe(provider.clone(), key.clone());
            self.supervisor.spawn("key probe", probe);
        }
    }

    async fn probe(self: Arc<Self>, provider: Arc<PoolProvider>, key: Arc<PoolKey>) {
        let Some((at, next)) = key.health.due(self.clock.now()) else {
            return;
        };
        // Kept first, so that of several gateways one asks, and a crash asks no more often.
        key.health.stays_off(next);
        match self.store.claim_probe(&key.id, at, next).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => warn!(%error, "a probe was not stored: {error}"),
        }
        let test = provider.connector.test(provider.route(&key, "")).await;
        // Where there is no such question, calls tell; the key would be off for ever otherwise. A provider
        // that is busy is asked later.
        let is_busy = matches!(test.status, 408 | 429);
        let cant_be_told =
            test.verdict == KeyVerdict::Unknown && (200..500).contains(&test.status) && !is_busy;
        if test.ok || cant_be_told {
            self.pools.recovered(&provider, &key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::Duration;

    use clap::Args;
    use shared::clock::Clock;
    use shared::config::{Common, read_from};
    use shared::link::{NewProvider, NewProviderKey, ProviderAdmin, ProviderKeyPatch};
    use shared::secret::Secret;
    use shared::supervisor::Supervisor;
    use shared::telemetry::Metrics;

    use super::*;
    use crate::GatewayParts;
    use crate::config::{Config, GatewaySecrets};

    #[derive(Debug, Args)]
    struct Settings {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        gateway: Config,
    }

    /// A gateway with a provider `p` of one key.
    async fn gateway(folder: &std::path::Path, supervisor: &Supervisor) -> Arc<Gateway> {
        let data = folder.display().to_string();
        let arguments = [
            "waule-gateway",
            "--data-dir",
            &data,
            "--internal-secret",
            "0123456789abcdef0123456789abcdef",
        ];
        let settings = read_from::<Settings>("waule-gateway", "", arguments.map(OsString::from));
        let Settings { common, gateway } = settings.expect("settings");
        shared::tls::install_provider();
        let parts = GatewayParts {
            config: &gateway,
            common: &common,
            secrets: GatewaySecrets::take(&common).expect("secrets"),
            supervisor,
            metrics: &Metrics::default(),
            clock: Clock::system(),
        };
        let gateway = Gateway::start(parts).await.expect("a gateway");
        let provider = NewProvider {
            name: "p".to_owned(),
            kind: "openai".to_owned(),
            base_url: "http://127.0.0.1:9/v1".to_owned(),
        };
        gateway.create_provider(provider).await.expect("a provider");
        let key = NewProviderKey {
            secret: Secret::new("a-key-that-its-provider-refuses".to_owned()),
            label: String::new(),
            weight: 1,
        };
        let made = gateway.create_provider_key("p", key).await;
        made.expect("a key");
        gateway
    }

    async fn status(gateway: &Gateway) -> String {
        let keys = gateway.provider_keys("p").await.expect("keys");
        keys[0].status.clone()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_list_that_is_read_before_a_switch_is_written_does_not_undo_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let supervisor = Supervisor::new();
        let gateway = gateway(folder.path(), &supervisor).await;
        let provider = gateway.pools.all()["p"].clone();
        let key = provider.keys[0].clone();
        let is_written = async || {
            let row = gateway.store.key("p", &key.id).await.expect("read");
            row.expect("a row").disabled
        };
        // Nothing is written while a list is read, so no list is older than what it is set after.
        let reading = gateway.reloading.lock().await;
        gateway.pools.switch_off(&provider, &key);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!is_written().await);
        gateway.read_again().await.expect("read");
        assert_eq!(status(&gateway).await, "disabled", "it is kept in memory");
        drop(reading);
        let waiting = async {
            while !is_written().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let written = tokio::time::timeout(Duration::from_secs(5), waiting).await;
        written.expect("written");
        gateway.reload().await.expect("read");
        assert_eq!(status(&gateway).await, "disabled");
        // From then on the database's word counts again, and so an operator's.
        let enable = ProviderKeyPatch {
            status: Some("active".to_owned()),
            ..ProviderKeyPatch::default()
        };
        let changed = gateway.update_provider_key("p", &key.id, enable).await;
        assert_eq!(changed.expect("changed").status, "active");
        supervisor.finish(Duration::from_secs(5)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_operator_overrules_a_switch_that_is_not_written_yet() {
        let folder = tempfile::tempdir().expect("a folder");
        let supervisor = Supervisor::new();
        let gateway = gateway(folder.path(), &supervisor).await;
        let provider = gateway.pools.all()["p"].clone();
        let key = provider.keys[0].clone();
        let reading = gateway.reloading.lock().await;
        gateway.pools.switch_off(&provider, &key);
        key.health.overruled();
        gateway.read_again().await.expect("read");
        assert_eq!(status(&gateway).await, "active");
        drop(reading);
        supervisor.finish(Duration::from_secs(5)).await;
    }
}
