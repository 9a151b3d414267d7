//! Finding calls and money: a ledger for people, calls by the request they came with, stretches of time, what
//! fields and the search box offer, and to whom.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::json;
use server::ledger::{
    CallSnapshot, GrantKind, HoldRequest, Ledger, LedgerSettings, NewGrant, StoredSnapshot,
};
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::usage::UsageRecord;
use shared::credits::Credits;
use shared::id::{ApiKeyId, BootId, GenerationId, RequestId, TenantId, UserId};
use shared::link::Operation;
use shared::supervisor::Supervisor;
use shared::units::Usage;
use shared::zone::Zone;

use super::portal_flows::log_in;
use super::{PASSWORD, Place, Start, places, superadmin};
use crate::support::{TestDb, usage_record};

fn credits(text: &str) -> Credits {
    text.parse().expect("an amount")
}

/// A tenant with an owner `ada`, as ids.
async fn tenant(place: &Place, token: &str, name: &str) -> (TenantId, UserId) {
    let (id, _, user) = super::portal::people::tenant(place, token, name).await;
    (TenantId::from_stored(id), UserId::from_stored(user))
}

async fn ledger(place: &Place, db: &TestDb) -> Ledger {
    let (store, clock) = (Store::new(db.db.clone()), place.clock.clone());
    Ledger::start(store, clock, &Supervisor::new(), LedgerSettings::default())
        .await
        .expect("a ledger")
}

/// Who calls, and with which request.
struct By<'a> {
    tenant: &'a TenantId,
    user: Option<&'a UserId>,
    key: Option<&'a ApiKeyId>,
    request: Option<&'a RequestId>,
}

fn ask(place: &Place, by: &By<'_>) -> HoldRequest {
    let kept = CallSnapshot {
        user: by.user.cloned(),
        key: by.key.cloned(),
        operation: Operation::Chat,
        model: "kept-model".to_owned(),
        price: None,
        multiplier_ppm: 1_000_000,
        asked: Usage::default(),
        provider: "p".to_owned(),
        request: by.request.cloned(),
        gateways: Vec::new(),
        route: None,
        detached: false,
        ended: None,
    };
    HoldRequest {
        id: GenerationId::random(),
        tenant: by.tenant.clone(),
        amount: credits("1.5"),
        least: credits("1.5"),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: BootId::random().into(),
        snapshot: StoredSnapshot::from(&kept),
        deadline_at: place.clock.now().after(Duration::from_secs(60)),
    }
}

/// A call that was charged 1.3.
async fn call(ledger: &Ledger, place: &Place, by: &By<'_>) -> GenerationId {
    let ask = ask(place, by);
    ledger.hold(ask.clone()).await.expect("held");
    let record = UsageRecord {
        user: by.user.cloned(),
        key: by.key.cloned(),
        ..usage_record(&ask.id, by.tenant, credits("1.3"), place.clock.now())
    };
    let done = ledger.settle(&ask.id, by.tenant, credits("1.3"), record);
    done.await.expect("settled");
    ask.id
}

async fn give(ledger: &Ledger, tenant: &TenantId, note: &str) {
    let given = ledger.grant(NewGrant {
        tenant: tenant.clone(),
        kind: GrantKind::Gift,
        amount: credits("100"),
        source_key: note.to_owned(),
        expires_at: None,
        note: note.to_owned(),
    });
    given.await.expect("granted");
}

fn main_of(page: &str) -> &str {
    page.split_once("<main").expect("a page").1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_names_who_called_and_shows_entries_where_they_are_asked_for() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, user) = tenant(&place, &token, "Acme").await;
        let (other, stranger) = tenant(&place, &token, "Other").await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let new = [
            ("name", "robot arm"),
            ("kind", "live"),
            ("scopes", "inference"),
        ];
        ada.get("/portal/keys/new").await;
        let made = ada.post("/portal/keys/new", &new).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.body);
        let keys = ada.get("/portal/keys").await.body;
        let start = keys.find("/portal/keys/key_").expect("the key") + "/portal/keys/".len();
        let end = keys[start..].find('"').expect("an end");
        let key = ApiKeyId::from_stored(keys[start..start + end].to_owned());
        let ledger = ledger(&place, &db).await;
        give(&ledger, &acme, "Welcome <b>").await;
        give(&ledger, &other, "not-yours").await;
        let by = |tenant, user, key| By {
            tenant,
            user,
            key,
            request: None,
        };
        let own = call(&ledger, &place, &by(&acme, Some(&user), None)).await;
        let keyed = call(&ledger, &place, &by(&acme, None, Some(&key))).await;
        let strange = call(&ledger, &place, &by(&other, Some(&stranger), None)).await;
        let open = ask(&place, &by(&acme, Some(&user), None));
        ledger.hold(open.clone()).await.expect("held");

        let page = ada.get("/portal/ledger").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let page = main_of(&page.body);
        for (id, rows) in [(&own, 1), (&keyed, 1), (&open.id, 1), (&strange, 0)] {
            let found = page.matches(&format!("id=\"line-{id}\"")).count();
            assert_eq!(found, rows, "{}: {page}", place.name);
        }
        assert_eq!(
            page.matches("−1.3<").count() + page.matches("−1<span class=\"decimals\">.3").count(),
            2
        );
        assert!(
            page.contains("robot arm <span class=\"faint\">(ada)</span>"),
            "{page}"
        );
        assert!(page.contains("Welcome &#60;b&#62;") && !page.contains("not-yours"));
        assert!(
            !page.contains("id=\"entries\""),
            "only where they are asked for"
        );
        let shown = ada.get(&format!("/portal/ledger?entries={own}")).await.body;
        let entries = shown.split_once("id=\"entries\"").expect("the entries").1;
        let entries = entries.split_once("</table>").expect("a table").0;
        assert_eq!(
            entries.matches(own.as_str()).count(),
            4,
            "hold and settlement, linked: {entries}"
        );
        let foreign = ada
            .get(&format!("/portal/ledger?entries={strange}"))
            .await
            .body;
        assert!(!foreign.contains("id=\"entries\""), "another tenant's");
        let given = ada.get("/portal/ledger?kind=grant").await.body;
        assert!(given.contains("Welcome") && !given.contains(own.as_str()));
        let reserved = ada.get("/portal/ledger?kind=hold").await.body;
        assert!(reserved.contains(open.id.as_str()) && !reserved.contains(own.as_str()));
        for odd in ["after=x", "spent=x"] {
            let answer = ada.get(&format!("/portal/ledger?{odd}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{odd}");
        }
        let mut owner = place.owner().await;
        let console = owner
            .get(&format!("/admin/tenants/{acme}/money"))
            .await
            .body;
        assert!(
            console.contains("robot arm <span class=\"faint\">(ada)</span>"),
            "{console}"
        );
        assert!(!main_of(&console).contains(strange.as_str()));
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_found_by_their_request_and_by_a_stretch_of_time() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, user) = tenant(&place, &token, "Acme").await;
        tenant(&place, &token, "Other").await;
        let ledger = ledger(&place, &db).await;
        give(&ledger, &acme, "a").await;
        let request = RequestId::random();
        let by = By {
            tenant: &acme,
            user: Some(&user),
            key: None,
            request: Some(&request),
        };
        let id = call(&ledger, &place, &by).await;
        let mut roller = Roller::new(Store::new(db.db.clone()), place.clock.clone());
        assert!(
            roller
                .catch_up(Duration::from_secs(60))
                .await
                .expect("filed")
        );

        let mut owner = place.owner().await;
        let mut ada = log_in(&place, "Acme", "ada").await;
        let mut stranger = log_in(&place, "Other", "ada").await;
        let link = format!("/usage/{id}\"");
        for (who, area, finds) in [
            (&mut owner, "admin", true),
            (&mut ada, "portal", true),
            (&mut stranger, "portal", false),
        ] {
            let page = who.get(&format!("/{area}/search?q={request}")).await.body;
            assert_eq!(
                main_of(&page).contains(&link),
                finds,
                "{}: {page}",
                place.name
            );
        }
        let now = place.clock.now().unix_ms();
        let (hour, link) = (3_600_000, format!("href=\"/admin/usage/{id}\""));
        for (query, finds) in [
            (format!("span={}-{}", now - hour, now + hour), true),
            (
                format!("span={}-{}&sort=time", now - hour, now + hour),
                true,
            ),
            (format!("span={}-{now}", now - hour), false),
            (format!("span={now}-{}&tenant=acme", now + 1), true),
            (format!("span={now}-{}&tenant=other", now + 1), false),
            ("span=what-ever".to_owned(), true),
        ] {
            let page = owner.get(&format!("/admin/usage?{query}")).await;
            assert_eq!(page.status, StatusCode::OK, "{query}");
            assert_eq!(page.body.contains(&link), finds, "{query}: {}", page.body);
            if finds {
                assert!(page.body.contains("1–1 of 1<"), "{query}: {}", page.body);
            }
        }
        let own = format!("/portal/usage?span={now}-{}", now + 1);
        let own = ada.get(&own).await.body;
        assert!(
            own.contains(&format!("href=\"/portal/usage/{id}\"")),
            "{own}"
        );
        assert!(own.contains(">ada<"), "by name: {own}");
        let overview = ada.get("/portal").await.body;
        let callers = overview
            .split_once("id=\"top-members\"")
            .expect("callers")
            .1;
        assert!(
            callers.contains("ada") && !callers.contains(">member<"),
            "{callers}"
        );
        assert!(
            overview.contains("<a class=\"hit\" href=\"/portal/usage?span="),
            "{overview}"
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_offered_what_is_not_theirs_to_see_or_to_do() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (acme, _) = tenant(&place, &token, "Acme").await;
        tenant(&place, &token, "Acme Hidden").await;
        superadmin(&place, &token, "rhea", "read_only").await;
        let path = format!("/admin/api/tenants/{acme}/users");
        let mia = json!({"username": "mia", "password": PASSWORD, "role": "member"});
        let made = place.api(Method::POST, &path, &token, &mia).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let mut owner = place.owner().await;
        let mut reader = place.admin("rhea", PASSWORD).await;
        let recharge = format!("/admin/tenants/{acme}/money#recharge");
        for text in ["recharge%20acme", "acme", "rech"] {
            let page = owner.get(&format!("/admin/search?q={text}")).await.body;
            assert!(page.contains(&recharge), "{} {text}: {page}", place.name);
            let page = reader.get(&format!("/admin/search?q={text}")).await.body;
            assert!(!page.contains("#recharge"), "{text}: {page}");
        }
        assert!(
            owner
                .get("/admin/search?q=create")
                .await
                .body
                .contains("/admin/tenants/new")
        );
        let page = reader.get("/admin/search?q=create").await.body;
        assert!(!main_of(&page).contains("/admin/tenants/new"));

        let offers = |body: &str| -> Vec<String> {
            let all: serde_json::Value = serde_json::from_str(body).expect("JSON");
            let all = all.as_array().expect("a list").iter();
            all.map(|one| one["value"].as_str().expect("a value").to_owned())
                .collect()
        };
        let told = reader.get("/admin/suggest?of=tenant&q=ACME").await;
        assert_eq!(offers(&told.body), ["Acme", "Acme Hidden"]);
        let told = reader.get("/admin/suggest?of=model&q=sandbox-ch").await;
        assert_eq!(offers(&told.body), ["sandbox-chat"]);
        for odd in ["of=tenant&q=%25", "of=secret&q=a", ""] {
            let told = reader.get(&format!("/admin/suggest?{odd}")).await;
            assert_eq!(told.status, StatusCode::OK, "{odd}");
            assert!(offers(&told.body).len() <= 8, "{odd}");
        }
        let mut ada = log_in(&place, "Acme", "ada").await;
        let mut mia = log_in(&place, "Acme", "mia").await;
        let callers = "/portal/suggest?of=caller&q=a";
        assert_eq!(offers(&ada.get(callers).await.body), ["ada", "mia"]);
        assert!(offers(&mia.get(callers).await.body).is_empty());
        assert!(offers(&ada.get("/portal/suggest?of=tenant&q=a").await.body).is_empty());
        place.end().await;
    }
}
