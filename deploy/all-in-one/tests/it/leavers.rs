//! Clients that go away while their request is answered: nothing panics, nobody else notices, and no
//! connection of the database is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::console::Console;
use crate::support::joined::{Joined, start};
use crate::support::product::{Customer, Product};
use crate::support::{places, until};

/// How many leave, and after how many milliseconds at most.
const LEAVERS: u64 = 180;
const LEAVES_WITHIN_MS: u64 = 30;
/// The dashboard shows all of them.
const PROVIDERS: usize = 60;

/// Panics on threads that serve requests.
fn panics() -> &'static AtomicUsize {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            if thread.name().is_some_and(|name| name.starts_with("http-")) {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
    &PANICS
}

/// Somebody who stays, request after request; answers how many were answered.
async fn stay(product: &Product, customer: &Customer, stop: &AtomicBool) -> usize {
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        let path = "/api/v1/usage?limit=5";
        let (status, body) = product
            .send(Method::GET, path, Some(&customer.key), None)
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
        answered += 1;
    }
    answered
}

/// One request whose client is gone after so many milliseconds.
async fn leave(product: &Product, request: &str, after_ms: u64) {
    let mut socket = TcpStream::connect(product.address).await.expect("a socket");
    socket.write_all(request.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
}

async fn providers(product: &Product) {
    for number in 0..PROVIDERS {
        let name = format!("vendor-{number}");
        let body = json!({"name": name, "kind": "openai", "base_url": "http://127.0.0.1:9/v1"});
        let (status, made) = product.admin(Method::POST, "/providers", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_clients_that_leave_in_mid_query_harm_nobody() {
    let panics = panics();
    for place in places().await {
        let before = panics.load(Ordering::SeqCst);
        let product = start(&place, Joined::InProcess).await;
        let customer = product.customer("10").await;
        product
            .model("sandbox-chat", "chat", json!({"per_request": 1}))
            .await;
        for _ in 0..5 {
            let (status, body) = product.chat(&customer, "sandbox-chat", "hi").await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
        providers(&product).await;
        let cookie = Console::open(&product).await.cookie();
        let bearer = |token: &str| format!("authorization: Bearer {token}");
        let (tenant, admin) = (bearer(&customer.key), bearer(product.admin_token()));
        let browser = format!("cookie: {cookie}");
        let routes = [
            ("/api/v1/usage", &tenant),
            ("/api/v1/credits/balance", &tenant),
            ("/api/v1/models", &tenant),
            ("/admin", &browser),
            ("/admin/providers", &browser),
            ("/admin/calls", &browser),
            ("/admin/health", &browser),
            ("/admin/api/tenants", &admin),
            ("/admin/api/providers", &admin),
        ];
        let stop = AtomicBool::new(false);
        let leaving = async {
            for number in 0..LEAVERS {
                let at = usize::try_from(number).expect("small") % routes.len();
                let (path, who) = routes[at];
                let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{who}\r\n\r\n");
                // Every route after every time.
                let after = number / 9 * 7 % (LEAVES_WITHIN_MS + 1);
                leave(&product, &request, after).await;
            }
            stop.store(true, Ordering::SeqCst);
        };
        let ((), answered) = tokio::join!(leaving, stay(&product, &customer, &stop));
        assert!(answered > 20, "{}: {answered}", place.name);
        let path = "/readyz";
        until("it is ready still", Duration::from_secs(10), async || {
            product.send(Method::GET, path, None, None).await.0 == StatusCode::OK
        })
        .await;
        let (status, page) = product
            .send(Method::GET, "/api/v1/usage", Some(&customer.key), None)
            .await;
        assert_eq!(
            (status, page["data"].as_array().map(Vec::len)),
            (StatusCode::OK, Some(5))
        );
        product.stop().await;
        assert_eq!(
            panics.load(Ordering::SeqCst),
            before,
            "{}: panics",
            place.name
        );
    }
}
