//! The ends of what people do in the studio, on both databases: its days, the tenant's switch, a data policy, the
//! person's own word; and lists that go on page by page.

use std::time::Duration;

use serde_json::{Value, json};
use server::accounts::Field;
use server::reports::sweep::Sweeper;
use server::store::accounts::TenantSettingsPatch;
use server::store::audit::Actor;
use server::store::routes::RouteSubject;
use server::studio::{ChatOpening, TurnRefused};
use shared::id::TenantId;
use shared::link::Operation;
use tokio_util::sync::CancellationToken;

use super::studio::{PNG, memory, person, picture, said, turn, until};
use super::{Room, rooms};

pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// A moment later than the one before, so that lists have an order.
const TICK: Duration = Duration::from_millis(5);

pub(super) async fn set_days(room: &Room, tenant: &TenantId, days: Option<u32>) {
    let patch = TenantSettingsPatch {
        studio_days: Field::from(days),
        ..TenantSettingsPatch::default()
    };
    let (actor, now) = (Actor::system(), room.clock.now());
    let put = room.store.put_tenant_settings(&actor, tenant, &patch, now);
    put.await.expect("set");
}

pub(super) async fn sweep(room: &Room) -> usize {
    let sweeper = Sweeper::new(room.store.clone(), room.clock.clone());
    let swept = sweeper.sweep(&CancellationToken::new()).await;
    swept.expect("swept").studio
}

#[tokio::test(flavor = "multi_thread")]
async fn days_the_switch_and_a_policy_end_what_is_kept() {
    for room in rooms().await {
        let name = room.db.name;
        let (tenant, other) = (room.tenant("Acme").await, room.tenant("Other").await);
        let memory = memory(&room);
        let (mia, eve) = (person(&tenant), person(&other));
        assert_eq!(
            memory.days(&tenant).await.expect("read"),
            Some(90),
            "{name}"
        );
        let old = said(&memory, &mia, turn(None, 0, "w.1", "old"), "1").await;
        memory.keep_picture(&mia, picture(PNG)).await.expect("kept");
        room.clock.advance(DAY * 60);
        let new = said(&memory, &mia, turn(None, 0, "w.2", "new"), "2").await;
        let theirs = said(&memory, &eve, turn(None, 0, "w.3", "theirs"), "3").await;
        assert_eq!(sweep(&room).await, 0, "{name}");

        // Fewer days hold for what is there, at once; the sweep deletes it.
        set_days(&room, &tenant, Some(30)).await;
        assert_eq!(memory.chat(&mia, &old).await.expect("read"), None, "{name}");
        let refused = memory
            .begin(&mia, turn(Some(&old), 1, "w.4", "go on"))
            .await;
        assert!(
            matches!(refused, Err(TurnRefused::Gone)),
            "{name}: {refused:?}"
        );
        assert!(memory.chat(&mia, &new).await.expect("read").is_some());
        assert_eq!(sweep(&room).await, 2, "{name}: a conversation and an image");
        assert_eq!(sweep(&room).await, 0, "{name}");

        // Off: nothing is read, nothing is kept, all is deleted.
        set_days(&room, &tenant, Some(0)).await;
        assert_eq!(memory.chat(&mia, &new).await.expect("read"), None, "{name}");
        let opened = memory.begin(&mia, turn(None, 0, "w.5", "off")).await;
        assert!(matches!(opened, Ok(ChatOpening::Off)), "{name}: {opened:?}");
        let kept = memory.keep_picture(&mia, picture(PNG)).await;
        assert_eq!(kept, Ok(None), "{name}");
        assert_eq!(sweep(&room).await, 1, "{name}");
        set_days(&room, &tenant, None).await;
        assert_eq!(
            memory.chat(&mia, &new).await.expect("read"),
            None,
            "for good"
        );

        // A policy that nobody keeps data, whatever the switch says.
        set_days(&room, &other, Some(365)).await;
        let rule = json!({"zdr": true}).to_string();
        let (actor, now) = (Actor::system(), room.clock.now());
        let subject = RouteSubject::Own(&other);
        let put = room.store.put_route_rule(&actor, subject, Some(&rule), now);
        put.await.expect("put");
        assert_eq!(memory.days(&other).await.expect("read"), None, "{name}");
        assert_eq!(memory.chat(&eve, &theirs).await.expect("read"), None);
        let opened = memory.begin(&eve, turn(None, 0, "w.6", "policy")).await;
        assert!(matches!(opened, Ok(ChatOpening::Off)), "{name}: {opened:?}");
        assert_eq!(sweep(&room).await, 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_page_by_page_and_all_of_it_can_be_forgotten() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let memory = memory(&room);
        let (mia, max) = (person(&tenant), person(&tenant));
        for n in 0..25 {
            room.clock.advance(TICK);
            let words = format!("number {n}");
            said(&memory, &mia, turn(None, 0, "w.1", &words), "x").await;
        }
        said(&memory, &max, turn(None, 0, "w.1", "his"), "x").await;
        memory.keep_picture(&mia, picture(PNG)).await.expect("kept");
        let (mut titles, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = memory
                .chats(&mia, ("", after.as_deref()), 10)
                .await
                .expect("read");
            titles.extend(page.rows.into_iter().map(|row| row.title));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (0..25).rev().map(|n| format!("number {n}")).collect();
        assert_eq!(titles, expected, "{name}");
        memory.forget_all(&mia).await.expect("deleted");
        let page = memory.chats(&mia, ("", None), 10).await.expect("read");
        assert_eq!(page.rows, [], "{name}");
        let page = memory.pictures(&mia, None, 10).await.expect("read");
        assert_eq!(page.rows, [], "{name}");
        let page = memory.chats(&max, ("", None), 10).await.expect("read");
        assert_eq!(page.rows.len(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_begins_with_the_model_they_used_last() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let memory = memory(&room);
        let (mia, max) = (person(&tenant), person(&tenant));
        for (operation, model) in [
            (Operation::Chat, "a"),
            (Operation::Image, "b"),
            (Operation::Chat, "c\0"),
        ] {
            memory.used_model(&mia, operation, model);
            let wanted = model.trim_end_matches('\0');
            until("the choice", async || {
                let known = memory.last_model(&mia, operation).await.expect("read");
                known.filter(|known| known == wanted)
            })
            .await;
        }
        let image = memory.last_model(&mia, Operation::Image).await;
        assert_eq!(image.expect("read").as_deref(), Some("b"));
        let other = memory.last_model(&max, Operation::Chat).await;
        assert_eq!(other.expect("read"), None, "{}", room.db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_of_itself_is_not_believed() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let hostile: &[&str] = &[
            "",
            "a b",
            "'; DROP TABLE studio_turns; --",
            "\0",
            "é",
            &"x".repeat(500),
        ];
        for nonce in hostile {
            let mut new = turn(None, 0, nonce, "hello");
            new.model = "m\0".to_owned();
            new.asked.parameters.insert("a\0".to_owned(), Value::Null);
            said(&memory, &mia, new, "nul \0 inside").await;
        }
        let page = memory
            .chats(&mia, ("", Some("x\0'")), 50)
            .await
            .expect("read");
        assert_eq!(page.rows.len(), hostile.len(), "{}", room.db.name);
        for id in ["\0", "", "chat_", "' OR 1=1"] {
            assert_eq!(memory.chat(&mia, id).await.expect("read"), None);
            assert_eq!(memory.picture(&mia, id).await.expect("read"), None);
            assert!(!memory.forget_chat(&mia, id).await.expect("looked"));
            assert!(!memory.forget_picture(&mia, id).await.expect("looked"));
        }
    }
}
