//! Clients that go away while a query runs: no panic in the process, and nobody else is hurt. In a
//! process of its own, since such a panic may end it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::process::Program;
use super::{figures, folder};
use crate::admin::logged_in;
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::good_whole;
use crate::support::product::Product;
use crate::world::{Shape, run};

/// Asks and goes away in the middle.
async fn ask_and_leave(product: &Product, path: &str, credentials: &str, stay: Duration) {
    let socket = TcpStream::connect(product.address).await;
    let mut socket = socket.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nhost: waule\r\n{credentials}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("written");
    tokio::time::sleep(stay).await;
}

#[test]
fn a13_clients_that_leave_while_a_query_runs_cause_no_panic() {
    run(async {
        let mut waule = Program::whole(&folder(), "", &[]);
        waule.start().await;
        let product = waule.product().await;
        let case = case(Shape::Whole, vec![always(good_whole())])
            .start_on(product)
            .await;
        for _ in 0..20 {
            case.chat(&Value::Null).await.is(200);
        }
        // The dashboard asks about each provider.
        for n in 0..60 {
            let body = json!({"name": format!("p-{n}"), "kind": "openai", "base_url": "http://127.0.0.1:9/v1"});
            let (status, made) = product
                .admin(reqwest::Method::POST, "/providers", Some(body))
                .await;
            assert!(status.is_success(), "{made}");
        }
        let (_, cookies) = logged_in(product).await;
        let tenant = format!("authorization: Bearer {}", case.customer.key);
        let admin = format!("authorization: Bearer {}", product.admin_token());
        let browser = format!("cookie: {cookies}");
        let paths = [
            ("/api/v1/usage", &tenant),
            ("/api/v1/credits/history", &tenant),
            ("/api/v1/usage/export", &tenant),
            ("/admin/api/tenants", &admin),
            ("/admin/api/providers", &admin),
            ("/admin", &browser),
            ("/admin/usage", &browser),
        ];
        // Those that stay must not be hurt by those that go.
        let staying = async {
            for _ in 0..100 {
                let balance = product.balance(&case.customer).await;
                assert_eq!(balance["held"], 0, "{balance}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let leaving = async {
            for n in 0..300_u64 {
                let (path, credentials) = paths[usize::try_from(n).expect("small") % paths.len()];
                ask_and_leave(product, path, credentials, Duration::from_millis(n % 31)).await;
            }
        };
        tokio::join!(staying, leaving);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let panics = waule.said().matches("panicked").count();
        assert!(waule.is_running(), "it lives: {}", waule.said());
        assert_eq!(panics, 0, "{}", waule.said());
        waule.ready().await;
        figures(
            "clients that leave",
            "300 requests cut within 30 ms: 0 panics",
        );
    });
}
