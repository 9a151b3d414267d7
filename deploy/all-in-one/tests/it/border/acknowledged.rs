//! A server says that it has all of an answer before its record is written. Should it die between, the
//! gateway still knows how the call ended: what is acknowledged gives up the answer's bytes alone.

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use reqwest::{Client, StatusCode};
use serde_json::json;
use shared::db::{Db, DbTarget};
use shared::id::GenerationId;
use shared::link::GenerationStatus;

use super::deaths::servers::server_program;
use super::process::{Program, free_port};
use super::{KEY, PRICE};
use crate::gateways::vendor::{GOOD, answer, at_once, with_vendor};
use crate::support::product::Product;
use crate::support::{Place, SECRET, places, until};

/// A gateway as a process, spoken to as a server does.
struct Door {
    program: Program,
    http: Client,
}

impl Door {
    async fn open(place: &Place) -> Self {
        let port = free_port();
        let number = port.to_string();
        let arguments = ["--gateway-port", number.as_str()];
        let mut program = Program::new("gateway", place.folder(), port, &arguments);
        program.start().await;
        let http = Client::builder().http2_prior_knowledge().build();
        Self {
            program,
            http: http.expect("a client"),
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.program.port())
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/internal/v1{path}", self.url());
        self.http.post(url).header("x-internal-secret", SECRET)
    }

    /// A call of the sandbox, read to its end, which tells that `seen` was.
    async fn call(&self, id: &GenerationId, seen: Option<&str>) {
        let call = self
            .post("/chat/completions")
            .header("x-waule-generation", id.as_str())
            .header(
                "x-waule-targets",
                r#"[{"provider":"sandbox","model":"sandbox-chat"}]"#,
            );
        let call = match seen {
            Some(seen) => call.header("x-waule-seen", seen),
            None => call,
        };
        let body =
            json!({"model": "x", "messages": [{"role": "user", "content": "hi [tokens:5]"}]});
        let answer = call.json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.bytes().await.expect("whole").is_empty());
    }

    async fn status(&self, id: &GenerationId) -> GenerationStatus {
        let asked = self.post(&format!("/generations/{id}/finish?why=abandoned"));
        let answer = asked.send().await.expect("an answer");
        answer.json().await.expect("a status")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_was_acknowledged_is_known_on_also_to_the_next_life() {
    let [place, _] = places().await;
    let mut door = Door::open(&place).await;
    let (first, second) = (GenerationId::random(), GenerationId::random());
    door.call(&first, None).await;
    door.call(&second, Some(first.as_str())).await;
    for life in 0..2 {
        let status = door.status(&first).await;
        let GenerationStatus::Ended { outcome } = status else {
            panic!("life {life}: {status:?}");
        };
        assert_eq!(
            outcome.usage.count(shared::units::Unit::OutputToken),
            5,
            "life {life}"
        );
        assert!(outcome.taken.is_none(), "life {life}: all of it was taken");
        door.program.kill();
        door.program.start().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_after_its_acknowledgement_and_before_its_record_is_paid() {
    let [_, place] = places().await;
    let door = Door::open(&place).await;
    let port = free_port();
    let mut server = server_program(&place, port, &door.url());
    server.start().await;
    let product = Product::at(port).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    let good = answer("200 OK", "", GOOD);
    vendor.script(KEY, vec![(Duration::from_secs(1), good.clone())]);
    let target = DbTarget::Postgres(place.database_url.clone());
    let Db::Postgres(pool) = Db::connect(&target).await.expect("connected") else {
        panic!("it is PostgreSQL");
    };
    let mut lock = pool.get().await.expect("a connection");
    let asking = product.chat(&customer, "ours", "hi");
    let locking = async {
        // Its hold is there by then; from now on no record is written.
        until("the vendor is asked", Duration::from_secs(20), async || {
            vendor.calls(KEY) == 1
        })
        .await;
        let sql = "BEGIN; LOCK TABLE ledger_accounts IN ACCESS EXCLUSIVE MODE";
        lock.batch_execute(sql).await.expect("locked");
    };
    let ((status, told), ()) = tokio::join!(asking, locking);
    assert_eq!(status, StatusCode::OK, "{told}");
    let id = generation(&mut lock).await;
    door.call(&GenerationId::random(), Some(&id)).await;
    server.kill();
    lock.batch_execute("ROLLBACK").await.expect("free");
    vendor.script(KEY, at_once(good));
    server.start().await;
    until("nothing is held", Duration::from_secs(60), async || {
        product.balance(&customer).await["held"] == 0
    })
    .await;
    assert_eq!(product.balance(&customer).await["used"], PRICE);
    assert_eq!(vendor.calls(KEY), 1, "never twice");
}

/// The one call that is held.
async fn generation(conn: &mut diesel_async::AsyncPgConnection) -> String {
    use diesel::sql_types::Text;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let query = diesel::sql_query("SELECT id FROM ledger_holds WHERE state = 'held'");
    let rows: Vec<Row> = diesel_async::RunQueryDsl::load(query, conn)
        .await
        .expect("rows");
    let [row] = rows.as_slice() else {
        panic!("{} are held", rows.len());
    };
    row.id.clone()
}
