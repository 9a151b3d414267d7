//! Databases of an earlier version: today's program starts on them and shows the same balances, usage,
//! ledgers and stories, with their arithmetic, as that version did; what was open at its end is closed.
//! How they were made stands in `earlier/README.md`.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::db::{Db, DbTarget};
use shared::id::random_text;

use crate::console::Console;
use crate::gateways::vendor::{Vendor, answer, at_once};
use crate::support::joined::{Joined, start_set};
use crate::support::product::Product;
use crate::support::{Place, places, service, until};

/// What the earlier program was given, so that sealed keys open.
const SEALS: &str = "fedcba9876543210fedcba9876543210-old";
const PROVIDER_KEY: &str = "sk-old-0123456789";
/// Where that provider was.
const VENDOR: &str = "127.0.0.1:25999";
/// What that provider answered each time; the charge of the earlier calls is known.
const THOUGHT: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"remote","choices":[{"index":0,"message":{"role":"assistant","content":"thought through"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1200,"completion_tokens":300,"total_tokens":1500,"prompt_tokens_details":{"cached_tokens":1000},"completion_tokens_details":{"reasoning_tokens":250}}}"#;

/// Its records are to be there for longer than the usual two years.
const KEPT: &str = "INSERT INTO settings (name, value_json, updated_at) VALUES \
    ('retention', '{\"usage_days\": 3650, \"audit_days\": 3650}', 0)";

/// What an earlier version left.
struct Left {
    server: &'static str,
    gateway: &'static str,
    shown: &'static str,
}

const SQLITE: Left = Left {
    server: include_str!("earlier/sqlite/server.sql"),
    gateway: include_str!("earlier/sqlite/gateway.sql"),
    shown: include_str!("earlier/sqlite/shown.json"),
};
const POSTGRES: Left = Left {
    server: include_str!("earlier/postgres/server.sql"),
    gateway: include_str!("earlier/postgres/gateway.sql"),
    shown: include_str!("earlier/postgres/shown.json"),
};

async fn fill(target: DbTarget, statements: &str) {
    let db = Db::connect(&target).await.expect("a database");
    match &db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            conn.batch_execute(statements).await.expect("filled");
        }
        Db::Sqlite { writer, .. } => {
            let mut conn = writer.get().await.expect("a connection");
            // Rows stand before those they refer to.
            let statements = format!("PRAGMA foreign_keys=OFF; {statements}");
            conn.batch_execute(&statements).await.expect("filled");
        }
    }
}

/// A gateway's own schema on the test's PostgreSQL.
async fn schema_for_gateway() -> String {
    let url = service("TEST_DATABASE_URL");
    let schema = format!("test_{}", random_text(12));
    let statement = format!("CREATE SCHEMA {schema}");
    fill(DbTarget::Postgres(url.clone()), &statement).await;
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-csearch_path%3D{schema}")
}

/// Every field that was told then is told now, and the same. Nothing was told to be known of a provider's
/// price where none was set: 0 then, null now.
fn same(then: &Value, now: &Value, place: &str) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, then) in then {
                let at = format!("{place}.{name}");
                let now = now.get(name).unwrap_or_else(|| panic!("{at} is gone"));
                if name == "cost" && *then == json!(0) && now.is_null() {
                    continue;
                }
                same(then, now, &at);
            }
        }
        (Value::Array(then), Value::Array(now)) => {
            assert_eq!(then.len(), now.len(), "{place}");
            for (n, (then, now)) in then.iter().zip(now).enumerate() {
                same(then, now, &format!("{place}[{n}]"));
            }
        }
        (Value::Number(then), Value::Number(now)) => {
            assert_eq!(then.as_f64(), now.as_f64(), "{place}");
        }
        (then, now) => assert_eq!(then, now, "{place}"),
    }
}

/// The figures of a table of arithmetic on a call's page: of each line its last three cells, of each line
/// below its last.
fn figures(page: &str, title: &str) -> Option<Vec<Vec<String>>> {
    let start = format!("aria-labelledby=\"{title}-title\">");
    let (_, rest) = page.split_once(&start)?;
    let (section, _) = rest.split_once("</section>")?;
    let mut lines = Vec::new();
    for row in section.split("<tr").skip(1) {
        let row = row.split("</tr>").next()?;
        let cells = row.split("<td").skip(1).map(|cell| {
            let inner = cell.split("</td>").next().unwrap_or_default();
            let parts = inner.split('>').skip(1);
            let text: String = parts
                .map(|part| part.split('<').next().unwrap_or_default())
                .collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        let cells: Vec<String> = cells.collect();
        match cells.len() {
            0 => {}
            4 => lines.push(cells[1..].to_vec()),
            _ => lines.push(vec![cells[cells.len() - 1].clone()]),
        }
    }
    (!lines.is_empty()).then_some(lines)
}

async fn told(product: &Product, path: &str, bearer: Option<&str>) -> Value {
    let (status, body) = match bearer {
        Some(key) => product.send(Method::GET, path, Some(key), None).await,
        None => product.admin(Method::GET, path, None).await,
    };
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

/// One tenant's balance, usage and ledger, as the superadmin and as itself reads them.
async fn tenant_is_as_it_was(product: &Product, then: &Value) {
    let (id, key) = (then["id"].as_str().expect("an id"), then["key"].as_str());
    let of = |what: &str| format!("/tenants/{id}/{what}");
    let now = told(product, &of("balance"), None).await;
    same(&then["balance"], &now, "balance");
    let now = told(product, &of("usage?limit=100"), None).await;
    same(&then["usage"], &now, "usage");
    let now = told(product, &of("ledger?limit=100"), None).await;
    same(&then["ledger"]["data"], &now["data"], "ledger");
    let now = told(product, "/api/v1/credits/balance", key).await;
    same(&then["own_balance"], &now, "own balance");
    let now = told(product, "/api/v1/usage?limit=100", key).await;
    same(&then["own_usage"]["data"], &now["data"], "own usage");
}

/// The story of each call of a tenant comes to the same by the same lines.
async fn stories_are_as_they_were(console: &mut Console<'_>, then: &Value) {
    let calls = then["stories"].as_object().expect("stories");
    for (call, then) in calls {
        let page = console.get(&format!("/admin/usage/{call}")).await;
        let now = figures(&page, "charge").unwrap_or_default();
        assert_eq!(json!(now), then["charge"], "{call}: its charge");
        match figures(&page, "cost") {
            Some(now) => assert_eq!(json!(now), then["cost"], "{call}: its cost"),
            None => assert_eq!(then["cost"][0].as_array().map_or(0, Vec::len), 3),
        }
    }
}

async fn starts_as_it_was(place: Place, gateway_url: &str, left: &Left) {
    let target = |url: &str, file| {
        DbTarget::from_settings(Some(url), place.folder(), file).expect("a database's place")
    };
    fill(target(&place.database_url, "server.db"), left.server).await;
    fill(target(&place.database_url, "server.db"), KEPT).await;
    let vendor = Vendor::default();
    let address = vendor.serve().await;
    vendor.script(PROVIDER_KEY, at_once(answer("200 OK", "", THOUGHT)));
    let gateway = left.gateway.replace(VENDOR, &address.to_string());
    fill(target(gateway_url, "gateway.db"), &gateway).await;
    let then: Value = serde_json::from_str(left.shown).expect("JSON");
    let settings = [
        "--gateway-database-url",
        gateway_url,
        "--config-encryption-key",
        SEALS,
        "--recovery-seconds",
        "1",
        "--owner-silent-seconds",
        "1",
    ];
    let product = start_set(&place, Joined::InProcess, &settings).await;
    for name in ["acme", "globex"] {
        tenant_is_as_it_was(&product, &then[name]).await;
        let mut console = Console::open(&product).await;
        stories_are_as_they_were(&mut console, &then[name]).await;
    }
    let models = told(&product, "/models?limit=100", None).await;
    let ids = |models: &Value| -> BTreeSet<String> {
        let models = models["data"].as_array().expect("models").iter();
        models.map(|model| model["id"].to_string()).collect()
    };
    // Today's first start adds models of the sandbox that there were none of.
    assert!(ids(&models).is_superset(&ids(&then["models"])), "{models}");

    // The stream that ran when the program was killed is nobody's any more.
    let (id, given) = (then["initech"]["id"].as_str().expect("an id"), 20.0);
    let path = format!("/tenants/{id}/balance");
    until("its hold is closed", Duration::from_secs(30), async || {
        told(&product, &path, None).await["held"] == 0
    })
    .await;
    let end = told(&product, &path, None).await;
    let whole = ["available", "used"].map(|name| end[name].as_f64().expect("a number"));
    assert!((whole[0] + whole[1] - given).abs() < 1e-9, "{end}");

    // Keys and prices of then are good for calls of now, and the provider's key was not lost.
    let acme = then["acme"]["key"].as_str();
    // Long enough for the tokens that the provider counts to be believed.
    let again = "Once again, please. ".repeat(300);
    let ask = |model| json!({"model": model, "messages": [{"role": "user", "content": again}]});
    for (model, usage) in [("thinker", Some(0.014_375)), ("plain", None)] {
        let before = told(&product, "/api/v1/credits/balance", acme).await;
        let path = "/api/v1/chat/completions";
        let (status, body) = product
            .send(Method::POST, path, acme, Some(ask(model)))
            .await;
        assert_eq!(status, StatusCode::OK, "{model}: {body}");
        let count = |name: &str| body["usage"][name].as_f64().expect("a count");
        let due = usage.unwrap_or_else(|| {
            (count("prompt_tokens") * 400.0 + count("completion_tokens") * 900.0) / 1e6
        });
        let after = told(&product, "/api/v1/credits/balance", acme).await;
        let used = |balance: &Value| balance["used"].as_f64().expect("a number");
        let charged = used(&after) - used(&before);
        assert!((charged - due).abs() < 1e-9, "{model}: {charged} for {due}");
    }
    assert_eq!(vendor.calls(PROVIDER_KEY), 1);
    let differences = product.server().verify().await.expect("read");
    assert!(differences.is_empty(), "{differences:#?}");
    product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_database_starts_and_shows_the_same_on_sqlite() {
    let [place, _] = places().await;
    starts_as_it_was(place, "", &SQLITE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_database_starts_and_shows_the_same_on_postgres() {
    let [_, place] = places().await;
    let gateway = schema_for_gateway().await;
    starts_as_it_was(place, &gateway, &POSTGRES).await;
}
