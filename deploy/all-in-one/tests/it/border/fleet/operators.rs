//! Operators add gateways, lead targets to them, and change the secret without a pause.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde_json::json;
use server::link::http::{HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::id::{GenerationId, RequestId};
use shared::link::{Call, GatewayFleet, LinkError, Operation, Target};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::surface::Surface;

use super::server_at;
use crate::support::joined::node::{gateway, gateway_with_secret};
use crate::support::{SECRET, places};

/// A call to the vendor.
pub(super) fn call() -> Call {
    let body = json!({"model": "any", "messages": [{"role": "user", "content": "hi"}]});
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface: Surface::of(Operation::Chat),
        targets: Arc::new([Target {
            provider: "vendor".to_owned(),
            model: "their-name".to_owned(),
            gateway: None,
            answers: None,
        }]),
        body: Bytes::from(body.to_string()),
        stream: false,
        show_usage: false,
        headers: Vec::new(),
        tenant: None,
        caller: 0,
        end_user: None,
        bounds: None,
        answer_model: None,
        says_all: false,
        deadline: Duration::from_secs(30),
    }
}

/// The secrets of a gateway that was added.
const OWN: &str = "the-own-secret-of-the-second-gateway";

const OWN_NEXT: &str = "the-next-secret-of-the-second-gateway";

#[tokio::test(flavor = "multi_thread")]
async fn operators_add_gateways_and_targets_lead_to_those_they_name() {
    for place in places().await {
        let supervisor = Supervisor::new();
        let first = gateway(&place, &supervisor, &[]).await.open_door();
        // A gateway's secret opens that one only, and it takes two at once.
        let node = gateway_with_secret(&place, &supervisor, &format!("{OWN},{OWN_NEXT}")).await;
        let door = node.open_door();
        let product = server_at(&place, &format!("{first}#name=one&region=near")).await;
        let made_up = json!({"url": door, "name": "two", "region": "far"});
        let (status, made) = product
            .admin(Method::POST, "/gateways", Some(made_up))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(
            made["healthy"], false,
            "a fresh secret is not the one of another: {made}"
        );
        let path = format!("/gateways/{}", made["id"].as_str().expect("an id"));
        let (status, _) = product.admin(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let new = json!({"url": format!("{door}/"), "name": "two", "region": "far", "secret": OWN});
        let (status, made) = product
            .admin(Method::POST, "/gateways", Some(new.clone()))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(made["healthy"], true, "{made}");
        let (status, _) = product.admin(Method::POST, "/gateways", Some(new)).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let rotate = format!("/gateways/{}/secret", made["id"].as_str().expect("an id"));
        let next = json!({"secret": OWN_NEXT});
        let (status, rotated) = product.admin(Method::POST, &rotate, Some(next)).await;
        assert_eq!(status, StatusCode::OK, "{rotated}");
        assert_eq!(rotated["healthy"], true, "{rotated}");
        assert_ne!(rotated["secret_fingerprint"], made["secret_fingerprint"]);
        for url in [
            "http://gw.example.com",
            "nonsense",
            "https://x.example/path",
        ] {
            let body = json!({"url": url});
            let (status, answer) = product.admin(Method::POST, "/gateways", Some(body)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        }
        let (_, all) = product.admin(Method::GET, "/gateways", None).await;
        let versions = all["data"].as_array().cloned().unwrap_or_default();
        assert_eq!(versions.len(), 2, "{all}");
        assert!(
            versions.iter().all(|one| one["version"].is_string()),
            "{all}"
        );

        let model = |gateway: &str| {
            let target =
                json!({"provider": "sandbox", "model": "sandbox-chat", "gateway": gateway});
            json!({"id": format!("at-{gateway}"), "operation": "chat", "targets": [target],
                "max_output_tokens": 100, "price": {"per_request": 1}})
        };
        for gateway in ["two", "far", "moon"] {
            let (status, made) = product
                .admin(Method::POST, "/models", Some(model(gateway)))
                .await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
        }
        let customer = product.customer("100").await;
        for _ in 0..10 {
            for gateway in ["at-two", "at-far"] {
                let (status, answer) = product.chat(&customer, gateway, "hi").await;
                assert_eq!(status, StatusCode::OK, "{answer}");
            }
        }
        let (status, answer) = product.chat(&customer, "at-moon", "hi").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");

        let path = format!("/gateways/{}", made["id"].as_str().expect("an id"));
        let off = json!({"status": "disabled"});
        let (status, changed) = product.admin(Method::PATCH, &path, Some(off)).await;
        assert_eq!(
            (status, &changed["status"]),
            (StatusCode::OK, &json!("disabled"))
        );
        let (status, answer) = product.chat(&customer, "at-two", "hi").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
        let (status, _) = product.admin(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, _) = product.admin(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let used = product.settled(&customer).await["used"].as_i64();
        assert_eq!(used, Some(20), "{}", place.name);
        product.stop().await;
        assert!(supervisor.finish(Duration::from_secs(10)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_internal_secret_is_changed_without_a_pause() {
    const NEXT: &str = "the-next-internal-secret-of-this-test";
    let [place, _] = places().await;
    let supervisor = Supervisor::new();
    // First the gateway takes both, then servers move to the next, then the old one goes.
    let both = format!("{SECRET},{NEXT}");
    let node = gateway_with_secret(&place, &supervisor, &both).await;
    let urls = [node.open_door()];
    let ask = async |secret: &str| {
        let secret = Secret::new(secret.to_owned());
        let settings = LinkSettings::default();
        let link = HttpLink::new(
            &urls,
            &secret,
            Clock::system(),
            settings,
            LinkMetrics::default(),
        );
        link.expect("a link").health().await
    };
    for secret in [SECRET, NEXT, &format!("{NEXT},{SECRET}")] {
        assert!(ask(secret).await.is_ok(), "{secret}");
    }
    let stranger = ask("another-secret-that-nobody-was-told").await;
    assert!(
        matches!(stranger, Err(LinkError::Refused(_))),
        "{stranger:?}"
    );
    assert!(supervisor.finish(Duration::from_secs(10)).await);
}
