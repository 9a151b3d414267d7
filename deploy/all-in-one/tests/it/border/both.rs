//! Server and gateway die within a minute of each other: what a tenant got is charged exactly once when
//! both are back.

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use reqwest::{Method, StatusCode};
use serde_json::json;
use shared::db::{Db, DbTarget};
use tokio::sync::oneshot;

use super::KEY;
use super::deaths::by_token;
use super::deaths::servers::server_program;
use super::process::{Program, free_port, records};
use crate::gateways::vendor::{GOOD, answer, with_vendor};
use crate::support::product::Product;
use crate::support::{places, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_could_not_be_settled_is_charged_once_after_both_died() {
    let [place, _] = places().await;
    let port = free_port();
    let number = port.to_string();
    let arguments = ["--gateway-port", number.as_str()];
    let mut gateway = Program::new("gateway", place.folder(), port, &arguments);
    gateway.start().await;
    let (door, port) = (format!("http://127.0.0.1:{port}"), free_port());
    let mut server = server_program(&place, port, &door);
    server.start().await;
    let product = Product::at(port).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    by_token(&product).await;
    let late = Duration::from_millis(1_500);
    vendor.script(KEY, vec![(late, answer("200 OK", "", GOOD))]);

    let body = json!({"model": "by-token", "messages": [{"role": "user", "content": "hi"}]});
    let (release, released) = oneshot::channel::<()>();
    let deaths = async {
        let path = "/api/v1/chat/completions";
        let call = product.send(Method::POST, path, Some(&customer.key), Some(body));
        let (status, answered) = call.await;
        assert_eq!(status, StatusCode::OK, "{answered}");
        assert_eq!(answered["usage"]["completion_tokens"], 2);
        server.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        gateway.kill();
        release.send(()).expect("it waits");
    };
    let locked = async {
        // The hold is placed by then; the settlement can't be.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let target = DbTarget::Sqlite(place.folder().join("server.db"));
        let db = Db::connect(&target).await.expect("connected");
        let Db::Sqlite { writer, .. } = &db else {
            panic!("it is SQLite")
        };
        let mut conn = writer.get().await.expect("a connection");
        conn.batch_execute("BEGIN IMMEDIATE").await.expect("locked");
        released.await.expect("both are dead");
        conn.batch_execute("COMMIT").await.expect("free");
    };
    tokio::join!(deaths, locked);

    gateway.start().await;
    server.start().await;
    until(
        "its credits are free",
        Duration::from_secs(60),
        async || product.balance(&customer).await["held"] == 0,
    )
    .await;
    let balance = product.balance(&customer).await;
    assert_eq!(balance, json!({"available": 998, "held": 0, "used": 2}));
    assert_eq!(vendor.calls(KEY), 1, "once");
    let records = records(&product, &customer, 1).await;
    assert_eq!(records.len(), 1, "{records:?}");
}
