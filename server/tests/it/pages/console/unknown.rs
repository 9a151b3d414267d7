//! Calls that are odd: those whose end nobody knows are shown as such, and a superadmin charges them or
//! lets them go; those that came to more than was asked for say so.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use server::ledger::{GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant, Unknown};
use server::store::Store;
use server::store::usage::UsageStatus;
use shared::credits::Credits;
use shared::id::{BootId, GenerationId, PriceId, TenantId};
use shared::units::Usage;
use shared::zone::Zone;

use super::super::{PASSWORD, Place, Start, places};
use crate::support::{TestDb, usage_record};

const LIST: &str = "/admin/api/unknown-calls";

struct Books {
    ledger: Ledger,
    tenant: TenantId,
}

impl Books {
    /// A tenant with a hundred micro-credits.
    async fn new(place: &Place, db: &TestDb) -> Self {
        let (store, clock) = (Store::new(db.db.clone()), place.clock.clone());
        let settings = LedgerSettings::default();
        let ledger = Ledger::start(store, clock, &place.supervisor, settings);
        let (ledger, tenant) = (ledger.await.expect("a ledger"), TenantId::random());
        let grant = NewGrant {
            tenant: tenant.clone(),
            kind: GrantKind::Gift,
            amount: Credits::from_micros(100),
            source_key: "test".to_owned(),
            expires_at: None,
            note: String::new(),
        };
        ledger.grant(grant).await.expect("credits");
        Self { ledger, tenant }
    }

    async fn available(&self) -> i64 {
        let balance = self.ledger.balance(&self.tenant).await.expect("read");
        balance.available.micros()
    }

    /// A call that held fifty, of a process that is gone.
    async fn held(&self, place: &Place) -> GenerationId {
        let call = json!({
            "user": null, "key": null, "operation": "chat", "model": "sandbox-chat",
            "price": PriceId::random(), "multiplier_ppm": 1_000_000, "provider": "sandbox",
            "gateways": ["https://gone.example"],
        });
        let request = HoldRequest {
            id: GenerationId::random(),
            tenant: self.tenant.clone(),
            amount: Credits::from_micros(50),
            least: Credits::from_micros(50),
            spenders: Vec::new(),
            zone: Zone::utc(),
            owner: BootId::random().into(),
            snapshot: call.to_string().into(),
            deadline_at: place.clock.now(),
        };
        let id = request.id.clone();
        self.ledger.hold(request).await.expect("held");
        id
    }

    async fn unknown(&self, place: &Place, promised: bool) -> GenerationId {
        let (id, now) = (self.held(place).await, place.clock.now());
        let unknown = Unknown {
            ask_until: now.after(Duration::from_secs(600)),
            promised,
        };
        let mut record = usage_record(&id, &self.tenant, Credits::ZERO, now);
        (record.status, record.fault) = (UsageStatus::Failed, Some("unknown".to_owned()));
        record.usage = Usage::default();
        let given_back = self.ledger.give_back(&id, &self.tenant, unknown, record);
        given_back.await.expect("given back");
        id
    }
}

async fn listed(place: &Place, token: &str) -> Vec<Value> {
    let list = place.api(Method::GET, LIST, token, &json!({})).await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    list.json()["data"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superadmin_charges_a_call_whose_end_nobody_knows_or_lets_it_go() {
    for (place, db) in places(Start::default()).await {
        let (token, books) = (
            place.token("admin", PASSWORD).await,
            Books::new(&place, &db).await,
        );
        let (charged, freed) = (
            books.unknown(&place, false).await,
            books.unknown(&place, true).await,
        );
        assert_eq!(
            books.available().await,
            100,
            "{}: all was given back",
            place.name
        );
        let rows = listed(&place, &token).await;
        assert_eq!(rows.len(), 2, "{}: {rows:?}", place.name);
        let row = rows
            .iter()
            .find(|row| row["id"] == charged.as_str())
            .expect("a row");
        assert_eq!(row["gateways"], json!(["https://gone.example"]));
        assert_eq!(
            (&row["held"], &row["promised"]),
            (&json!(0.00005), &json!(false))
        );

        let post = async |id: &GenerationId, what: &str, body: Value| {
            let path = format!("{LIST}/{id}/{what}");
            place.api(Method::POST, &path, &token, &body).await
        };
        let too_much = json!({"credits": 0.000_051, "reason": "more than was held"});
        let answer = post(&charged, "settle", too_much).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        let answer = post(
            &freed,
            "settle",
            json!({"credits": 0.00001, "reason": "no"}),
        )
        .await;
        assert_eq!(
            answer.status,
            StatusCode::CONFLICT,
            "promised: {}",
            answer.body
        );
        let answer = post(
            &charged,
            "settle",
            json!({"credits": 0.00003, "reason": " "}),
        )
        .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(books.available().await, 100, "{}", place.name);

        let body = json!({"credits": 0.00003, "reason": "by the provider's invoice"});
        let answer = post(&charged, "settle", body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.json()["charged"], json!(0.00003));
        let again = post(&charged, "settle", body).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
        let answer = post(&freed, "release", json!({"reason": "as promised"})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(books.available().await, 70, "{}", place.name);
        assert!(listed(&place, &token).await.is_empty());
        assert_eq!(
            books.ledger.verify().await.expect("read"),
            Vec::<String>::new()
        );

        let mut owner = place.owner().await;
        let log = owner.get("/admin/audit?action=call").await;
        for action in ["call.settle", "call.release"] {
            assert!(log.body.contains(action), "{action}: {}", log.body);
        }
        // The charge by hand is told as that, and adds up.
        let page = owner.get(&format!("/admin/usage/{charged}")).await;
        let text = super::text(&page.body);
        assert!(
            text.contains("An operator decided what is charged"),
            "{text}"
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_runs_is_not_decided_by_hand() {
    for (place, db) in places(Start::default()).await {
        let (token, books) = (
            place.token("admin", PASSWORD).await,
            Books::new(&place, &db).await,
        );
        let running = books.held(&place).await;
        let path = format!("{LIST}/{running}/settle");
        let body = json!({"credits": 0.00001, "reason": "too early"});
        let answer = place.api(Method::POST, &path, &token, &body).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
        assert_eq!(
            books.available().await,
            50,
            "{}: it is held still",
            place.name
        );
        let nobodys = format!("{LIST}/{}/release", GenerationId::random());
        let body = json!({"reason": "gone"});
        let answer = place.api(Method::POST, &nobodys, &token, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_shows_the_unknown_and_takes_the_decision() {
    for (place, db) in places(Start::default()).await {
        let books = Books::new(&place, &db).await;
        let call = books.unknown(&place, false).await;
        let mut owner = place.owner().await;
        let list = owner.get("/admin/usage?status=unknown").await;
        assert!(list.body.contains(call.as_str()), "{}", list.body);
        let path = format!("/admin/usage/{call}");
        let page = owner.get(&path).await;
        let text = super::text(&page.body);
        assert!(
            text.contains("The result of this call is unknown"),
            "{text}"
        );
        let settle = format!("{path}/settle");
        let wrong = [("credits", "9"), ("reason", "")];
        let again = owner.post(&settle, &wrong).await;
        assert_eq!(
            again.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            again.body
        );
        let right = [("credits", "0.00005"), ("reason", "invoice 7")];
        let done = owner.post(&settle, &right).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        assert_eq!(books.available().await, 50, "{}", place.name);
        let list = owner.get("/admin/usage?status=unknown").await;
        assert!(!list.body.contains(call.as_str()), "{}", list.body);
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_came_to_more_than_was_held_says_who_bears_it() {
    for (place, db) in places(Start::default()).await {
        let books = Books::new(&place, &db).await;
        let id = books.held(&place).await;
        let used = Credits::from_micros(80);
        let mut record = usage_record(&id, &books.tenant, used, place.clock.now());
        (record.usage.capped, record.usage.overrun) = (true, true);
        let settled = books.ledger.settle(&id, &books.tenant, used, record);
        assert_eq!(settled.await.expect("settled").charged.micros(), 50);
        let mut owner = place.owner().await;
        let page = owner.get(&format!("/admin/usage/{id}")).await;
        let text = super::text(&page.body);
        for told in [
            "reported more than this call can produce",
            "produced more than requested",
            "The call cost more than was held for it",
            "Covered by the platform",
            "0.00003",
        ] {
            assert!(text.contains(told), "{}: {told}: {text}", place.name);
        }
        place.end().await;
    }
}
