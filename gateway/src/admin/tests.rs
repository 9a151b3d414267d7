//! What is kept of keys in memory and in the database, while both change.

use std::ffi::OsString;
use std::time::Duration;

use shared::config::read;
use shared::link::{NewProvider, NewProviderKey, ProviderAdmin, ProviderKeyPatch};
use shared::telemetry::Metrics;

use super::*;
use crate::config::GatewaySecrets;
use crate::program::Settings;
use crate::{Gateway, GatewayParts};

/// A gateway with a provider `p` of one key.
async fn providers(folder: &std::path::Path, supervisor: &Supervisor) -> Arc<ProviderList> {
    let data = folder.display().to_string();
    let arguments = [
        "waule-gateway",
        "--data-dir",
        &data,
        "--internal-secret",
        "0123456789abcdef0123456789abcdef",
    ];
    let settings = read::<Settings>("waule-gateway", "", arguments.map(OsString::from));
    let Settings {
        common, gateway, ..
    } = settings.expect("settings");
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
    let providers = gateway.providers.clone();
    let provider = NewProvider {
        name: "p".to_owned(),
        kind: "openai".to_owned(),
        base_url: "http://127.0.0.1:9/v1".to_owned(),
    };
    providers
        .create_provider(provider)
        .await
        .expect("a provider");
    let key = NewProviderKey {
        secret: Secret::new("a-key-that-its-provider-refuses".to_owned()),
        label: String::new(),
        weight: 1,
        terms: KeyTerms::default(),
    };
    let made = providers.create_provider_key("p", key).await;
    made.expect("a key");
    providers
}

async fn status(providers: &ProviderList) -> String {
    let keys = providers.provider_keys("p").await.expect("keys");
    keys[0].status.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_read_before_a_switch_is_written_does_not_undo_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let provider = providers.pools.all()["p"].clone();
    let key = provider.keys[0].clone();
    let is_written = async || {
        let row = providers.store.key("p", &key.id).await.expect("read");
        row.expect("a row").disabled
    };
    // Nothing is written while a list is read, so no list is older than what it is set after.
    let reading = providers.reloading.lock().await;
    providers.pools.switch_off(&provider, &key);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!is_written().await);
    providers.read_again().await.expect("read");
    assert_eq!(status(&providers).await, "disabled", "it is kept in memory");
    drop(reading);
    let waiting = async {
        while !is_written().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let written = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    written.expect("written");
    providers.reload().await.expect("read");
    assert_eq!(status(&providers).await, "disabled");
    // From then on the database's word counts again, and so an operator's.
    let enable = ProviderKeyPatch {
        status: Some("active".to_owned()),
        ..ProviderKeyPatch::default()
    };
    let changed = providers.update_provider_key("p", &key.id, enable).await;
    assert_eq!(changed.expect("changed").status, "active");
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_overrules_a_switch_that_is_not_written_yet() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let provider = providers.pools.all()["p"].clone();
    let key = provider.keys[0].clone();
    let reading = providers.reloading.lock().await;
    providers.pools.switch_off(&provider, &key);
    key.health.overruled();
    providers.read_again().await.expect("read");
    assert_eq!(status(&providers).await, "active");
    drop(reading);
    supervisor.finish(Duration::from_secs(5)).await;
}
