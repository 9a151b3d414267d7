//! The ids of everything that a tenant has, and a picture of its state.

use poem::http::Method;
use serde_json::{Value, json};
use server::kept::{KeepBounds, Keeping};
use server::store::Store;
use server::studio::{
    ChatOpening, NewPicture, NewTurnKept, StudioAsked, StudioEnd, StudioMemory, StudioPerson,
    StudioPrompt,
};
use shared::id::{BootId, GenerationId, TenantId, UserId};
use shared::seal::Sealer;
use shared::secret::Secret;
use tokio_util::sync::CancellationToken;

use super::super::super::{Browser, PASSWORD, Place, SECRET};
use super::super::{TenantFixture, add_key, admin};
use crate::support::TestDb;

/// What an id in a path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Key,
    User,
    Call,
    Session,
    EndUser,
    Chat,
    Picture,
}

/// Ids that one tenant has.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) key: String,
    pub(super) user: String,
    pub(super) call: String,
    session: String,
    end_user: String,
    chat: String,
    picture: String,
}

impl Ids {
    pub(super) fn of(&self, thing: Thing) -> &str {
        match thing {
            Thing::Key => &self.key,
            Thing::User => &self.user,
            Thing::Call => &self.call,
            Thing::Session => &self.session,
            Thing::EndUser => &self.end_user,
            Thing::Chat => &self.chat,
            Thing::Picture => &self.picture,
        }
    }
}

/// A call in the records of a tenant, as the ledger leaves it.
pub(super) async fn record(db: &TestDb, tenant: &TenantFixture, id: &str, user: &str, key: &str) {
    let number = "(SELECT COALESCE(MAX(number), 0) + 1 FROM usage_records)";
    let statement = format!(
        "INSERT INTO usage_records (id, tenant_id, user_id, key_id, test, operation, model, provider, \
         provider_model, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, \
         reasoning_tokens, images, media_ms, characters, estimated, credits_micros, cost_micros, \
         status, attempts, first_byte_ms, duration_ms, created_at, number) VALUES ('{id}', '{}', \
         {user}, {key}, FALSE, 'chat', 'm', 'p', 'm', 1, 0, 0, 1, 0, 0, 0, 0, FALSE, 0, 0, \
         'succeeded', 1, 1, 1, 1794999999000, {number})",
        tenant.id
    );
    db.execute(&statement).await.expect("a record");
}

pub(super) fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// Everything of a tenant that the tests could change.
pub(super) async fn state(place: &Place, token: &str, tenant: &TenantFixture) -> Value {
    let get = async |path: &str| {
        let path = format!("/tenants/{}{path}", tenant.id);
        admin(place, token, Method::GET, &path, &json!({})).await
    };
    json!([
        get("").await,
        get("/keys").await,
        get("/users").await,
        get("/budgets").await,
        get("/balance").await,
        get("/usage").await,
    ])
}

pub(super) async fn portal(place: &Place, tenant: &TenantFixture, username: &str) -> Browser {
    let mut browser = place.browser();
    let names = [("tenant", tenant.id.as_str()), ("username", username)];
    let answer = browser.log_in("/portal", &names, PASSWORD).await;
    assert_eq!(answer.location(), "/portal", "{}", answer.body);
    browser.get("/portal/security").await;
    browser
}

/// What the member keeps of the studio: a conversation and an image, sealed as the place's own server seals.
async fn studio(place: &Place, db: &TestDb, tenant: &TenantFixture) -> (String, String) {
    let bounds = KeepBounds {
        item_bytes: 10_000,
        tenant_bytes: 1_000_000,
        running: 1,
    };
    let sealer = Sealer::new(&Secret::new(SECRET.to_owned()));
    let life = (BootId::random(), CancellationToken::new());
    let store = Store::new(db.db.clone());
    let keeping = Keeping::new(store, (sealer, place.clock.clone()), life, bounds);
    let memory = StudioMemory::new(keeping, place.supervisor.clone());
    let who = StudioPerson {
        tenant: TenantId::from_stored(tenant.id.clone()),
        user: UserId::from_stored(tenant.member.clone()),
    };
    let turn = NewTurnKept {
        chat: None,
        seen: 0,
        instead: None,
        again: None,
        answer: 0,
        nonce: None,
        model: "m".to_owned(),
        asked: StudioAsked {
            asked: json!("hello"),
            ..StudioAsked::default()
        },
    };
    let ChatOpening::Awaited(awaited) = memory.begin(&who, turn).await.expect("begun") else {
        panic!("nothing is kept");
    };
    let chat = awaited.chat().to_owned();
    assert!(awaited.end(StudioEnd::Whole, None).await);
    let picture = NewPicture {
        model: "m".to_owned(),
        call: GenerationId::random(),
        prompt: StudioPrompt::default(),
        base64: Some("aGVsbG8=".to_owned()),
        charged: None,
    };
    let picture = memory.keep_picture(&who, picture).await.expect("kept");
    (chat, picture.expect("nothing is kept"))
}

/// Fresh ids of a tenant: a key, the member, a call, and one of the member's two sessions, which is
/// the second browser's when there were none before.
pub(super) async fn ids(
    place: &Place,
    db: &TestDb,
    token: &str,
    tenant: &TenantFixture,
) -> (Ids, [Browser; 2]) {
    let (key, _) = add_key(place, token, &tenant.id, &json!({"name": "k"})).await;
    let call = format!("gen_{}", key.trim_start_matches("key_"));
    record(db, tenant, &call, &quoted(&tenant.member), "NULL").await;
    let mut here = portal(place, tenant, "mia").await;
    let there = portal(place, tenant, "mia").await;
    let page = here.get("/portal/security").await;
    let (_, rest) = page
        .body
        .split_once("/portal/security/sessions/ses_")
        .expect("the other session");
    let session = rest.split('/').next().expect("an id");
    let suspended = json!({"end_user": format!("eve of {key}"), "reason": "a test"});
    let path = format!("/tenants/{}/end-users/suspended", tenant.id);
    let suspended = admin(place, token, Method::POST, &path, &suspended).await;
    let end_user = suspended["identity"].as_str().expect("a name").to_owned();
    let (chat, picture) = studio(place, db, tenant).await;
    let ids = Ids {
        end_user,
        chat,
        picture,
        key,
        user: tenant.member.clone(),
        call,
        session: format!("ses_{session}"),
    };
    (ids, [here, there])
}
