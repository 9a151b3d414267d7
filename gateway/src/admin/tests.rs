//! What is kept of keys in memory and in the database, while both change.

use std::ffi::OsString;
use std::time::Duration;

use shared::config::read;
use shared::link::options::ProviderOptions;
use shared::link::{
    AdminError, KeyHeaders, KeyTerms, NewProvider, NewProviderKey, ProviderAdmin, ProviderKeyPatch,
    ProviderPatch,
};
use shared::telemetry::Metrics;

use super::*;
use crate::config::GatewaySecrets;
use crate::program::Settings;
use crate::{Gateway, GatewayParts};

/// A gateway with a provider `p` of one key.
pub(super) async fn providers(
    folder: &std::path::Path,
    supervisor: &Supervisor,
) -> Arc<ProviderList> {
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
        options: ProviderOptions::default(),
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

#[tokio::test(flavor = "multi_thread")]
async fn terms_are_kept_and_shown_without_what_headers_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let id = providers.pools.all()["p"].keys[0].id.clone();
    let terms = KeyTerms {
        priority: 2,
        requests_per_minute: Some(60),
        tokens_per_minute: Some(1_000_000_000),
        calls_at_once: Some(8),
        requests_per_day: Some(1_000),
        models: vec!["m-*".to_owned()],
        base_url: Some(" http://127.0.0.1:9/v2/ ".to_owned()),
        headers: Some(KeyHeaders(
            [("X-Team".to_owned(), "hidden".to_owned())].into(),
        )),
        tags: vec!["eu".to_owned()],
    };
    let patch = |terms| ProviderKeyPatch {
        terms: Some(terms),
        ..ProviderKeyPatch::default()
    };
    let changed = providers.update_provider_key("p", &id, patch(terms.clone()));
    let shown = changed.await.expect("changed");
    let expected = KeyTerms {
        base_url: Some("http://127.0.0.1:9/v2".to_owned()),
        headers: None,
        ..terms
    };
    assert_eq!(shown.terms, expected);
    assert_eq!(shown.header_names, ["X-Team"]);
    let of_pool = || {
        let provider = providers.pools.all()["p"].clone();
        let route = provider.route(&provider.keys[0], "m-1");
        (route.base_url.to_owned(), route.headers.to_vec())
    };
    let (base_url, headers) = of_pool();
    assert_eq!(base_url, "http://127.0.0.1:9/v2");
    assert_eq!(headers[0].1.to_str().expect("text"), "hidden");
    let row = providers.store.key("p", &id).await.expect("read");
    let sealed = row.expect("a row").headers.expect("headers");
    assert!(!String::from_utf8_lossy(&sealed).contains("hidden"));
    // Headers that are absent stay; without terms all of them stay.
    let other = KeyTerms {
        priority: 1,
        ..expected
    };
    let changed = providers.update_provider_key("p", &id, patch(other)).await;
    assert_eq!(changed.expect("changed").header_names, ["X-Team"]);
    let label = ProviderKeyPatch {
        label: Some("l".to_owned()),
        ..ProviderKeyPatch::default()
    };
    let changed = providers.update_provider_key("p", &id, label).await;
    assert_eq!(changed.expect("changed").terms.priority, 1);
    assert_eq!(of_pool().1.len(), 1);
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_break_a_rule_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let id = providers.pools.all()["p"].keys[0].id.clone();
    let zero = KeyTerms {
        calls_at_once: Some(0),
        ..KeyTerms::default()
    };
    let host = [("Host".to_owned(), "elsewhere".to_owned())];
    let taken = KeyTerms {
        headers: Some(KeyHeaders(host.into())),
        ..KeyTerms::default()
    };
    for (terms, field) in [(zero, "terms.calls_at_once"), (taken, "terms.headers")] {
        let patch = ProviderKeyPatch {
            terms: Some(terms),
            ..ProviderKeyPatch::default()
        };
        let refused = providers.update_provider_key("p", &id, patch).await;
        let named = match refused {
            Err(AdminError::Invalid(invalid)) => invalid.field,
            other => format!("{other:?}"),
        };
        assert_eq!(named, field);
    }
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_moves_to_another_host_with_its_secret_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let id = providers.pools.all()["p"].keys[0].id.clone();
    let to = |url: &str, secret: Option<&str>| ProviderKeyPatch {
        terms: Some(KeyTerms {
            base_url: Some(url.to_owned()),
            ..KeyTerms::default()
        }),
        secret: secret.map(|secret| Secret::new(secret.to_owned())),
        ..ProviderKeyPatch::default()
    };
    let there = "https://elsewhere.example.com/v1";
    let refused = providers
        .update_provider_key("p", &id, to(there, None))
        .await;
    assert!(
        matches!(refused, Err(AdminError::Invalid(_))),
        "{refused:?}"
    );
    let moved = providers.update_provider_key("p", &id, to(there, Some("given-again-for-it")));
    assert_eq!(moved.await.expect("moved").last4, "r-it");
    // Nor back by leaving the address out.
    let back = ProviderKeyPatch {
        terms: Some(KeyTerms::default()),
        ..ProviderKeyPatch::default()
    };
    let refused = providers.update_provider_key("p", &id, back).await;
    assert!(refused.is_err());
    // Its provider's address is not its own.
    let patch = ProviderPatch {
        base_url: Some("https://third.example.com".to_owned()),
        enabled: None,
        options: None,
    };
    let changed = providers.update_provider("p", patch).await;
    changed.expect("changed");
    assert_eq!(status(&providers).await, "active");
    supervisor.finish(Duration::from_secs(5)).await;
}
