//! Calls that run, seen at once and followed as they go.

use std::time::Duration;

use futures_util::StreamExt;
use poem::http::StatusCode;
use serde_json::{Value, json};
use server::ledger::{GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant};
use server::store::Store;
use shared::credits::Credits;
use shared::id::{GenerationId, PriceId, TenantId};
use shared::zone::Zone;

use super::super::super::{Browser, PASSWORD, Place, Start, places};
use super::tenant;
use crate::support::TestDb;

/// Where a pager's link leads.
pub(super) fn link(body: &str, part: &str) -> Option<String> {
    let links = body.split("href=\"").skip(1);
    let links = links.filter_map(|rest| rest.split('"').next());
    let found = links.into_iter().find(|link| link.contains(part))?;
    Some(found.replace("&amp;", "&").replace("&#38;", "&"))
}

/// A call that has credits set aside and does not end; answers its id.
async fn hold(place: &Place, db: &TestDb, tenant: &str, amount: Credits) -> String {
    let (store, clock) = (Store::new(db.db.clone()), place.clock.clone());
    let settings = LedgerSettings::default();
    let ledger = Ledger::start(store, clock.clone(), &place.supervisor, settings);
    let ledger = ledger.await.expect("a ledger");
    let tenant: TenantId = tenant.parse().expect("an id");
    let grant = NewGrant {
        tenant: tenant.clone(),
        kind: GrantKind::Gift,
        amount,
        source_key: "test".to_owned(),
        expires_at: None,
        note: String::new(),
    };
    ledger.grant(grant).await.expect("credits");
    let call = json!({
        "user": null, "key": null, "operation": "chat", "model": "sandbox-chat",
        "price": PriceId::random(), "multiplier_ppm": 1_000_000, "image": null, "provider": "sandbox"
    });
    let ask = HoldRequest {
        id: GenerationId::random(),
        tenant,
        amount,
        least: amount,
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: ledger.boot().clone().into(),
        snapshot: call.to_string().into(),
        deadline_at: clock.now().after(Duration::from_secs(600)),
    };
    let id = ask.id.to_string();
    ledger.hold(ask).await.expect("a hold");
    id
}

/// The first events of a feed.
async fn first_events(browser: &Browser, path: &str) -> String {
    let mut answer = browser.open(path).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let mut body = answer.take_body().into_bytes_stream();
    let next = tokio::time::timeout(Duration::from_secs(20), body.next()).await;
    let bytes = next.expect("in time").expect("an event").expect("bytes");
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn data(events: &str, name: &str) -> Value {
    let (_, rest) = events
        .split_once(&format!("event: {name}\ndata: "))
        .expect("an event");
    let line = rest.lines().next().expect("a line");
    serde_json::from_str(line).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_run_are_seen_at_once_and_followed() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = tenant(&place, &token, "<i>Acme").await;
        let owner = place.owner().await;
        let events = first_events(&owner, "/admin/live?range=7d").await;
        assert_eq!(data(&events, "numbers")["live_count"], "0", "{events}");
        assert_eq!(data(&events, "calls"), json!([]));

        let amount = Credits::from_credits(5).expect("credits");
        let call = hold(&place, &db, &id, amount).await;
        let mut owner = owner;
        let page = owner.get("/admin").await;
        assert!(page.body.contains(&call), "{}", page.body);
        let events = first_events(&owner, "/admin/live").await;
        assert_eq!(data(&events, "numbers")["live_count"], "1");
        let calls = data(&events, "calls");
        assert_eq!(calls[0]["id"], call);
        assert_eq!(
            calls[0]["tenant"], "<i>Acme",
            "text, for the script to show as text"
        );
        assert_eq!(calls[0]["held"], "5");
        assert_eq!(calls[0]["model"], "sandbox-chat");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_the_ways_to_gateways_have_their_places_on_the_page() {
    for (place, _db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let page = owner.get("/admin/gateways").await.body;
        let events = first_events(&owner, "/admin/live?of=gateways").await;
        let numbers = data(&events, "numbers");
        let numbers = numbers.as_object().expect("numbers");
        assert_eq!(numbers.len(), 6, "of one gateway: {events}");
        for (name, text) in numbers {
            let text = text.as_str().expect("text");
            let shown = format!("data-live=\"{name}\">{text}<");
            assert!(page.contains(&shown), "{shown}: {page}");
        }
        place.end().await;
    }
}
