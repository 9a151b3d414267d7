//! A crash at every effect: a child process runs a fixed scenario and ends without warning at its
//! i-th statement, commit or send, for every i; another child recovers, itself ended at every
//! effect for some of them; the books must then be what the client of the first one saw.

mod spot;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::db::{Db, DbTarget};
use shared::id::random_text;

use self::spot::{Spot, execute};
use super::effects::{self, Counted};
use crate::support::joined::{Joined, start, start_without_login};
use crate::support::{Customer, Product, long, service};

/// What a call costs, in credits; the sandbox's tokens cost nothing.
const PRICE: f64 = 0.25;
const GIVEN: i64 = 10;

/// What a child was told by its environment.
#[expect(
    clippy::disallowed_methods,
    reason = "a child of this test takes its part from the environment"
)]
fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a child of the other test"]
async fn child() {
    let spot = Spot {
        folder: told("WAULE_TEST_FOLDER").into(),
        database_url: told("WAULE_TEST_DATABASE"),
    };
    let end_at = told("WAULE_TEST_END_AT").parse().expect("a number");
    let count = match told("WAULE_TEST_PART").as_str() {
        "prepare" => prepare(&spot).await,
        "scenario" => scenario(&spot, end_at).await,
        "recover" => recover(&spot, end_at).await,
        other => panic!("`{other}` is no part"),
    };
    shared::process::say(&format!("effects: {count}\n"));
}

/// A tenant with credits and a model with a price, and a token to give more.
async fn prepare(spot: &Spot) -> u64 {
    let product = start(&spot.place(), Joined::InProcess).await;
    let price = json!({"per_request": PRICE});
    product.model("flat", "chat", price).await;
    let price = json!({"per_request": 1000});
    product.model("dear", "chat", price).await;
    let customer = product.customer(&GIVEN.to_string()).await;
    let kept = json!({"id": customer.id, "key": customer.key, "admin": product.admin_token()});
    std::fs::write(spot.folder.join("kept.json"), kept.to_string()).expect("written");
    product.stop().await;
    0
}

struct Kept {
    customer: Customer,
    admin: String,
}

fn kept(spot: &Spot) -> Kept {
    let text = std::fs::read(spot.folder.join("kept.json")).expect("prepared");
    let kept: Value = serde_json::from_slice(&text).expect("JSON");
    let text = |name: &str| kept[name].as_str().expect("a text").to_owned();
    Kept {
        customer: Customer {
            id: text("id"),
            key: text("key"),
        },
        admin: text("admin"),
    }
}

/// Notes what the client saw; it outlives the process.
fn saw(spot: &Spot, what: &str) {
    let path = spot.folder.join("seen.log");
    let mut file = OpenOptions::new().create(true).append(true).open(path);
    writeln!(file.as_mut().expect("a log"), "{what}").expect("noted");
}

async fn recharge(product: &Product, kept: &Kept) -> StatusCode {
    let url = format!("/admin/api/tenants/{}/recharge", kept.customer.id);
    let sent = product
        .http
        .post(product.url(&url))
        .bearer_auth(&kept.admin)
        .header("Idempotency-Key", "once")
        .json(&json!({"amount": 5}))
        .send();
    sent.await.expect("an answer").status()
}

async fn scenario(spot: &Spot, end_at: u64) -> u64 {
    effects::count_statements();
    let counted = |link| Arc::new(Counted(link)) as _;
    let product = start_without_login(&spot.place(), Joined::InProcess, counted).await;
    let kept = kept(spot);
    effects::arm(end_at);
    assert_eq!(recharge(&product, &kept).await, StatusCode::OK);
    saw(spot, "recharge");
    let (status, answer) = product.chat(&kept.customer, "flat", "hello").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    saw(spot, "call");
    let body = json!({"model": "flat", "stream": true, "messages": [{"role": "user", "content": "hi [tokens:5]"}]});
    let sent = product
        .http
        .post(product.url("/api/v1/chat/completions"))
        .bearer_auth(&kept.customer.key)
        .json(&body)
        .send();
    let mut stream = sent.await.expect("an answer").bytes_stream();
    let mut text = Vec::new();
    while let Some(part) = stream.next().await {
        text.extend_from_slice(&part.expect("a part"));
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    saw(spot, "call");
    let (status, _) = product.chat(&kept.customer, "dear", "hello").await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    let (status, _) = product
        .chat(&kept.customer, "flat", "hello [fail:400]")
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    product.stop().await;
    effects::disarm()
}

/// Recovers, and checks the books against what was seen when it came to its end.
async fn recover(spot: &Spot, end_at: u64) -> u64 {
    effects::count_statements();
    let counted = |link| Arc::new(Counted(link)) as _;
    let product = start_without_login(&spot.place(), Joined::InProcess, counted).await;
    let kept = kept(spot);
    effects::arm(end_at);
    product.server().recover_now().await;
    let count = effects::disarm();
    let differences = product.server().verify().await.expect("read");
    assert!(differences.is_empty(), "{differences:#?}");
    let balance = product.balance(&kept.customer).await;
    assert_eq!(balance["held"], 0, "nothing is held after recovery");
    let seen = std::fs::read_to_string(spot.folder.join("seen.log")).unwrap_or_default();
    let calls = seen.lines().filter(|line| *line == "call").count();
    let (_, usage) = product
        .send(
            Method::GET,
            "/api/v1/usage?limit=100",
            Some(&kept.customer.key),
            None,
        )
        .await;
    let charged = usage["data"].as_array().expect("records").iter();
    let charged = charged
        .filter(|record| record["credits"] == json!(PRICE))
        .count();
    // The last call may have been charged before its answer was seen.
    assert!((calls..=calls + 1).contains(&charged), "{seen}{usage}");
    if seen.contains("recharge") {
        assert_eq!(recharge(&product, &kept).await, StatusCode::OK);
        let again = product.balance(&kept.customer).await;
        assert_eq!(again, balance, "an answered recharge was there already");
    }
    let (used, available) = (&balance["used"], &balance["available"]);
    #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
    let expected = PRICE * charged as f64;
    let is = |value: &Value, wanted: f64| (value.as_f64().expect("credits") - wanted).abs() < 1e-9;
    assert!(is(used, expected), "{balance}");
    let sum = used.as_f64().expect("credits") + available.as_f64().expect("credits");
    let (without, with) = (10.0, 15.0);
    assert!(is(&json!(sum), with) || (is(&json!(sum), without) && !seen.contains("recharge")));
    product.stop().await;
    count
}

/// After so many runs in a row that came to their end, there is no later effect to end at: filing
/// and signs of life have a pace of their own, so one run has a few effects more than another.
const OUTLIVED: u32 = 2;

/// Crashes at every `every`-th effect, until there are none left; answers the last one.
async fn crash_everywhere(ready: &Spot, admin: &Db, kept: &Path, every: u64) -> u64 {
    let dry = ready.copy(admin, kept).await;
    dry.whole("scenario");
    dry.whole("recover");
    dry.remove(admin).await;
    let (mut recoveries_cut, mut last, mut outlived) = (0, 0, 0);
    let mut end_at = every;
    while outlived < OUTLIVED {
        let spot = ready.copy(admin, kept).await;
        if spot.child("scenario", end_at).status.success() {
            outlived += 1;
        } else {
            (last, outlived) = (end_at, 0);
        }
        // Of recoveries that have something to do, some are ended at each of their effects too.
        if end_at.is_multiple_of(16) && recoveries_cut < 3 {
            let dry = spot.copy(admin, kept).await;
            let inner = dry.whole("recover");
            dry.remove(admin).await;
            if inner > 20 {
                recoveries_cut += 1;
                let cut = crash_recovery(&spot, admin, kept, 2 * every).await;
                assert!(
                    cut > 10,
                    "only {cut} effects of a recovery that had {inner}"
                );
            }
        }
        spot.whole("recover");
        spot.remove(admin).await;
        end_at += every;
    }
    assert!(recoveries_cut > 0, "some crash left something to recover");
    last
}

/// Ends a recovery at every `every`-th effect, and recovers from that; answers the last one.
async fn crash_recovery(spot: &Spot, admin: &Db, kept: &Path, every: u64) -> u64 {
    let (mut last, mut outlived, mut end_at) = (0, 0, 1);
    while outlived < OUTLIVED {
        let twice = spot.copy(admin, kept).await;
        if twice.child("recover", end_at).status.success() {
            outlived += 1;
        } else {
            (last, outlived) = (end_at, 0);
        }
        twice.whole("recover");
        twice.remove(admin).await;
        end_at += every;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_effect_leaves_what_the_client_saw() {
    let url = service("TEST_DATABASE_URL");
    let admin = Db::connect(&DbTarget::Postgres(url.clone()))
        .await
        .expect("PostgreSQL answers");
    let kept = tempfile::tempdir().expect("a folder");
    let database = format!("crash_{}", random_text(12));
    execute(&admin, &format!("CREATE DATABASE {database}")).await;
    let (server, _) = url.rsplit_once('/').expect("a database");
    let spots = [
        ("sqlite", String::new(), 1),
        ("postgres", format!("{server}/{database}"), 5),
    ];
    for (name, database_url, every) in spots {
        let folder = kept.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let ready = Spot {
            folder,
            database_url,
        };
        ready.whole("prepare");
        let every = if long() { 1 } else { every };
        let effects = crash_everywhere(&ready, &admin, kept.path(), every).await;
        assert!(effects > 40, "{name}: only {effects} effects");
        ready.remove(&admin).await;
    }
}
