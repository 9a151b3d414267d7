//! Two servers over one database: exact together, and a change is seen on both within a second.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::joined::{Joined, start};
use crate::support::places;
use crate::support::product::{Customer, Product};

async fn refused_within_a_second(product: &Product, customer: &Customer, what: &str) {
    let begun = Instant::now();
    loop {
        let (status, _) = product
            .send(Method::GET, "/api/v1/me", Some(&customer.key), None)
            .await;
        if status == StatusCode::UNAUTHORIZED {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{what} is still let in after a second"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_and_a_suspended_tenant_are_refused_on_the_other_replica_within_a_second() {
    for place in places().await {
        let (one, other) = (
            start(&place, Joined::InProcess).await,
            start(&place, Joined::InProcess).await,
        );
        let customer = one.customer("1").await;
        let keys = format!("/tenants/{}/keys", customer.id);
        let (_, made) = one
            .admin(Method::POST, &keys, Some(json!({"name": "second"})))
            .await;
        let second = Customer {
            id: customer.id.clone(),
            key: made["secret"].as_str().expect("a key").to_owned(),
        };
        for customer in [&customer, &second] {
            let (status, _) = other
                .send(Method::GET, "/api/v1/me", Some(&customer.key), None)
                .await;
            assert_eq!(status, StatusCode::OK);
        }
        let path = format!("{keys}/{}", made["key"]["id"].as_str().expect("an id"));
        assert_eq!(
            one.admin(Method::DELETE, &path, None).await.0,
            StatusCode::NO_CONTENT
        );
        refused_within_a_second(&one, &second, "a revoked key").await;
        refused_within_a_second(&other, &second, "a revoked key").await;
        let suspended = json!({"status": "suspended"});
        let (status, _) = one
            .admin(
                Method::PATCH,
                &format!("/tenants/{}", customer.id),
                Some(suspended),
            )
            .await;
        assert_eq!(status, StatusCode::OK);
        refused_within_a_second(&other, &customer, "a suspended tenant").await;
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_through_two_replicas_are_exact_together() {
    for place in places().await {
        let (one, other) = (
            start(&place, Joined::OverHttp).await,
            start(&place, Joined::InProcess).await,
        );
        one.model("flat", "chat", json!({"per_request": 0.01}))
            .await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let customer = one.customer("0.77").await;
        let calls = (0..120)
            .map(|n| if n % 2 == 0 { &one } else { &other })
            .map(|product| product.chat(&customer, "flat", "hi"));
        let answers: Vec<(StatusCode, Value)> = futures_util::stream::iter(calls)
            .buffer_unordered(60)
            .collect()
            .await;
        let passed = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::OK)
            .count();
        assert_eq!(
            passed,
            77,
            "{}: {:?}",
            place.name,
            answers.iter().map(|a| a.0.as_u16()).collect::<Vec<_>>()
        );
        assert_eq!(
            one.settled(&customer).await,
            json!({"available": 0, "held": 0, "used": 0.77})
        );
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_refresh_and_log_out() {
    for place in places().await {
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("5").await;
        let user = json!({"username": "ann", "password": "correct horse", "role": "admin"});
        let (status, _) = product
            .admin(
                Method::POST,
                &format!("/tenants/{}/users", customer.id),
                Some(user),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED);
        let log_in = |key: &str, username: &str, password: &str| {
            let body = json!({"apiKey": key, "username": username, "password": password});
            product.send(Method::POST, "/api/v1/auth/login", None, Some(body))
        };
        let (status, first) = log_in(&customer.key, "ann", "correct horse").await;
        assert_eq!(status, StatusCode::OK, "{first}");
        let token = first["token"].as_str().expect("a token");
        let (status, me) = product
            .send(Method::GET, "/api/v1/me", Some(token), None)
            .await;
        assert_eq!((status, &me["username"]), (StatusCode::OK, &json!("ann")));
        let unknown = format!("wk_live_{}", "q".repeat(32));
        let mut refusals = Vec::new();
        for (key, username, password) in [
            (unknown.as_str(), "ann", "correct horse"),
            (&customer.key, "bob", "correct horse"),
            (&customer.key, "ann", "wrong"),
        ] {
            refusals.push(log_in(key, username, password).await);
        }
        assert!(
            refusals
                .iter()
                .all(|refusal| *refusal == refusals[0] && refusal.0 == StatusCode::UNAUTHORIZED),
            "{refusals:?}"
        );
        let refresh = |token: &Value| {
            product.send(
                Method::POST,
                "/api/v1/auth/refresh",
                None,
                Some(json!({"refresh_token": token})),
            )
        };
        let (status, second) = refresh(&first["refresh_token"]).await;
        assert_eq!(status, StatusCode::OK, "{second}");
        assert_eq!(
            refresh(&first["refresh_token"]).await.0,
            StatusCode::UNAUTHORIZED,
            "used up"
        );
        assert_eq!(
            refresh(&second["refresh_token"]).await.0,
            StatusCode::UNAUTHORIZED,
            "reuse ends the family"
        );
        let stolen = Customer {
            id: String::new(),
            key: second["token"].as_str().expect("a token").to_owned(),
        };
        refused_within_a_second(&product, &stolen, "a token of an ended session").await;
        product.stop().await;
    }
}
