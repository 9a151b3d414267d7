//! What is kept of answers, on both databases: sealed, ended once, failed where its process is gone, and
//! deleted with its time or its tenant.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use server::auth::{Principal, Role};
use server::kept::{
    CANCELLED, IN_PROGRESS, KeepBounds, KeepError, Keeping, KeptEnded, KeptPage, NewKept, NewTurn,
    Reader, Running, kinds,
};
use server::limits::LimitSettings;
use server::reports::sweep::Sweeper;
use server::store::accounts::Scopes;
use shared::id::{TenantId, UserId};
use shared::on;
use shared::seal::Sealer;
use shared::secret::Secret;
use tokio_util::sync::CancellationToken;

use super::{Room, rooms};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn keeping(room: &Room) -> Keeping {
    let secret = Secret::new("a secret of more than thirty-two bytes".to_owned());
    let bounds = KeepBounds {
        item_bytes: 10_000,
        tenant_bytes: 1_000_000,
        running: 2,
    };
    let parts = (Sealer::new(&secret), room.clock.clone());
    Keeping::new(
        room.store.clone(),
        parts,
        (room.ledger.boot().clone(), CancellationToken::new()),
        bounds,
    )
}

pub(super) fn caller(tenant: &TenantId, user: Option<&UserId>) -> Principal {
    Principal {
        tenant: tenant.clone(),
        tenant_name: "Acme".to_owned(),
        user: user.cloned(),
        username: None,
        key: None,
        key_name: None,
        scopes: Scopes::ALL,
        role: if user.is_some() {
            Role::Member
        } else {
            Role::Owner
        },
        test: false,
        price_multiplier_ppm: 1_000_000,
        tenant_limits: LimitSettings::default(),
        key_limits: LimitSettings::default(),
        allowed_models: None,
        zone: None,
        route: None,
        parent: None,
        ends_at: None,
        keep_days: Some(2),
    }
}

pub(super) fn new<'a>(kind: &'static str, id: &'a str, said: &'a Value) -> NewKept<'a> {
    NewKept {
        kind,
        id,
        status: "",
        model: "m",
        said,
        names: &[],
    }
}

#[derive(QueryableByName)]
struct Sealed {
    #[diesel(sql_type = Text)]
    sealed: String,
}

/// Texts that a statement finds, each called `sealed`.
async fn texts(room: &Room, statement: &'static str) -> Vec<Sealed> {
    use diesel_async::RunQueryDsl as _;
    let rows: Result<Vec<Sealed>, shared::db::DbError> = async {
        on!(room.db.db, |conn| diesel::sql_query(statement)
            .load(conn)
            .await)
    }
    .await;
    rows.expect(room.db.name)
}

#[derive(QueryableByName)]
struct SealedBytes {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    sealed: Vec<u8>,
}

/// What a column of a table holds.
pub(super) async fn texts_of(room: &Room, table: &str, column: &str) -> Vec<Vec<u8>> {
    use diesel_async::RunQueryDsl as _;
    let text = format!("SELECT {column} AS sealed FROM {table} WHERE {column} IS NOT NULL");
    let rows: Result<Vec<SealedBytes>, shared::db::DbError> =
        async { on!(room.db.db, |conn| diesel::sql_query(&text).load(conn).await) }.await;
    let rows = rows.expect(room.db.name);
    rows.into_iter().map(|row| row.sealed).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_sealed_read_by_its_own_and_gone_in_time() {
    for room in rooms().await {
        let (tenant, other) = (room.tenant("Acme").await, room.tenant("Other").await);
        let keeping = keeping(&room);
        let (key, mia) = (caller(&tenant, None), UserId::random());
        let member = caller(&tenant, Some(&mia));
        let said = json!({"answer": {"text": "heron"}});
        for (who, id) in [(&key, "resp_1"), (&member, "resp_2")] {
            keeping
                .keep(who, Some(new(kinds::RESPONSE, id, &said)), None)
                .await
                .expect("kept");
        }
        let read = async |reader: Reader<'_>, id: &str| {
            let found = keeping
                .get(reader, kinds::RESPONSE, id)
                .await
                .expect("read");
            found.map(|found| found.said)
        };
        let stranger = caller(&other, None);
        for (who, first, second) in [
            (&key, true, true),
            (&member, false, true),
            (&stranger, false, false),
        ] {
            let reader = Reader::of(who);
            assert_eq!(
                read(reader, "resp_1").await.is_some(),
                first,
                "{}",
                room.db.name
            );
            assert_eq!(
                read(reader, "resp_2").await.is_some(),
                second,
                "{}",
                room.db.name
            );
        }
        assert_eq!(read(Reader::of(&key), "resp_1").await, Some(said.clone()));
        let rows = texts(&room, "SELECT sealed FROM kept").await;
        for row in rows {
            assert!(
                !row.sealed.contains("heron") && row.sealed.len() > 40,
                "{}",
                row.sealed
            );
        }
        let large = json!("x".repeat(20_000));
        let refused = keeping
            .keep(&key, Some(new(kinds::RESPONSE, "resp_3", &large)), None)
            .await;
        assert!(
            matches!(refused, Err(KeepError::TooLarge(_))),
            "{refused:?}"
        );

        // A turn of a conversation moves its end; without one nothing is kept.
        let items = [
            ("msg_1".to_owned(), json!({"n": 1})),
            ("msg_2".to_owned(), json!({"n": 2})),
        ];
        let turn = NewTurn {
            conversation: "conv_1",
            items: &items,
        };
        let refused = keeping.keep(&key, None, Some(turn)).await;
        assert!(
            matches!(refused, Err(KeepError::NoConversation)),
            "{refused:?}"
        );
        let beside = new(kinds::RESPONSE, "resp_3", &said);
        let refused = keeping.keep(&key, Some(beside), Some(turn)).await;
        assert!(
            matches!(refused, Err(KeepError::NoConversation)),
            "{refused:?}"
        );
        assert_eq!(
            read(Reader::of(&key), "resp_3").await,
            None,
            "all or nothing"
        );
        let begun = new(kinds::CONVERSATION, "conv_1", &Value::Null);
        keeping.keep(&key, Some(begun), None).await.expect("kept");
        room.clock.advance(DAY);
        keeping.keep(&key, None, Some(turn)).await.expect("kept");
        keeping
            .keep(&key, None, Some(turn))
            .await
            .expect("the same items once");
        let page = KeptPage {
            kind: kinds::ITEM,
            parent: "conv_1",
            after: None,
            newest_first: true,
            limit: 1,
        };
        let (items, has_more) = keeping.page(Reader::of(&key), page).await.expect("a page");
        assert_eq!((items[0].id.as_str(), has_more), ("msg_2", true));
        let behind = KeptPage {
            after: Some((items[0].place, "msg_2")),
            ..page
        };
        let (items, has_more) = keeping
            .page(Reader::of(&key), behind)
            .await
            .expect("a page");
        assert_eq!((items[0].id.as_str(), has_more), ("msg_1", false));

        room.clock.advance(DAY + Duration::from_millis(1));
        assert_eq!(
            read(Reader::of(&key), "resp_1").await,
            None,
            "its time is over"
        );
        let stop = CancellationToken::new();
        let sweeper = Sweeper::new(room.store.clone(), room.clock.clone());
        let swept = sweeper.sweep(&stop).await.expect("swept");
        assert_eq!(swept.kept, 2, "{}: the conversation stays", room.db.name);
        let swept = room
            .store
            .forget_kept_of(&tenant, 100)
            .await
            .expect("deleted");
        assert_eq!(swept, 3, "{}: with its tenant", room.db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_has_so_many_items_and_keeps_them_as_long_as_itself() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, key) = (keeping(&room), caller(&tenant, None));
        let begun = new(kinds::CONVERSATION, "conv_1", &Value::Null);
        keeping.keep(&key, Some(begun), None).await.expect("kept");
        let named = |n: usize| (format!("msg_{n}"), json!(n));
        let items: Vec<(String, Value)> = (0..1_001).map(named).collect();
        let add = async |items: &[(String, Value)]| {
            let conversation = "conv_1";
            let turn = NewTurn {
                conversation,
                items,
            };
            keeping.keep(&key, None, Some(turn)).await
        };
        let refused = add(&items).await;
        let most = matches!(refused, Err(KeepError::TooManyItems(1_000)));
        assert!(most, "{}: {refused:?}", room.db.name);
        add(&items[..2]).await.expect("kept");
        // Nearly as long as it is kept, in which nothing is written anew, and then longer.
        for _ in 0..4 {
            room.clock.advance(DAY + Duration::from_secs(3_600));
            add(&items[2..3]).await.expect("kept");
            room.store
                .forget_kept_before(room.clock.now(), 100)
                .await
                .expect("swept");
            let many = room.store.kept_items(&tenant, "conv_1").await;
            assert_eq!(many.expect("counted"), 3, "{}", room.db.name);
        }
        // Rows without words, which nobody reads here.
        let fill = "INSERT INTO kept SELECT tenant_id, parent, CAST(n AS TEXT), kind, place, user_id, \
                    status, model, boot, created_at, expires_at, 1, sealed FROM kept, \
                    (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4996) \
                    SELECT n FROM c) AS c WHERE id = 'msg_0'";
        room.db.execute(fill).await.expect("filled");
        add(&items[3..4])
            .await
            .expect("5,000 are as many as may be");
        let more = add(&items[4..5]).await;
        let most = matches!(more, Err(KeepError::TooManyItems(5_000)));
        assert!(most, "{}: {more:?}", room.db.name);
        let later = NewKept {
            status: IN_PROGRESS,
            ..new(kinds::RESPONSE, "resp_1", &Value::Null)
        };
        let refused = keeping
            .begin(&key, later, (Some(("conv_1", 1)), false))
            .await;
        assert!(
            matches!(refused, Err(KeepError::TooManyItems(5_000))),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_words_take_room_where_they_are_more_and_something_is_there() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, key) = (keeping(&room), caller(&tenant, None));
        let (small, large) = (json!({"a": 1}), json!("x".repeat(9_400)));
        let first = new(kinds::COMPLETION, "chatcmpl-1", &small);
        keeping.keep(&key, Some(first), None).await.expect("kept");
        for n in 2..200 {
            let id = format!("chatcmpl-{n}");
            let next = new(kinds::COMPLETION, &id, &large);
            match keeping.keep(&key, Some(next), None).await {
                Ok(()) => assert!(n < 199, "a million bytes are full at last"),
                Err(KeepError::Full(_)) => break,
                Err(error) => panic!("{}: {error}", room.db.name),
            }
        }
        let rewrite = async |id: &str, said: &Value| {
            let reader = Reader::of(&key);
            keeping.rewrite(reader, id, said).await
        };
        let larger = json!("x".repeat(9_900));
        let refused = rewrite("chatcmpl-1", &larger).await;
        assert!(
            matches!(refused, Err(KeepError::Full(_))),
            "{}: {refused:?}",
            room.db.name
        );
        let same = rewrite("chatcmpl-1", &json!({"a": 2})).await;
        assert!(same.expect("no larger"), "{}", room.db.name);
        let gone = rewrite("chatcmpl-0", &small).await;
        assert!(!gone.expect("no failure"), "{}", room.db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_progress_ends_once_and_fails_where_its_process_is_gone() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, key) = (keeping(&room), caller(&tenant, None));
        let said = json!({"answer": {}});
        let begin = |id: &'static str| {
            let progress = NewKept {
                status: IN_PROGRESS,
                ..new(kinds::RESPONSE, id, &Value::Null)
            };
            keeping.begin(&key, progress, (None, false))
        };
        let first = begin("resp_1").await.expect("begun");
        let second = begin("resp_2").await.expect("begun");
        let refused = begin("resp_3").await;
        assert!(matches!(refused, Err(KeepError::Busy(2))), "{refused:?}");
        let end = async |running: &Running, status: &str| {
            let ended = running.end(&key, (status, &said, &[]), (None, None));
            ended.await.expect("looked")
        };
        assert_eq!(end(&first, "completed").await, KeptEnded::Now);
        assert_eq!(end(&first, "failed").await, KeptEnded::Before, "once");
        keeping
            .cancel(Reader::of(&key), "resp_2")
            .await
            .expect("cancelled");
        second.cancelled().await;
        // What ended by itself is not cancelled: neither by a look nor by somebody who comes too late.
        keeping
            .cancel(Reader::of(&key), "resp_1")
            .await
            .expect("too late");
        let own_end = tokio::time::timeout(Duration::from_millis(2_500), first.cancelled());
        assert!(own_end.await.is_err(), "{}", room.db.name);
        for odd in ["resp\0", "\0"] {
            let found = keeping.get(Reader::of(&key), kinds::RESPONSE, odd).await;
            assert_eq!(found.expect("no failure"), None, "{odd:?}");
        }
        let ended = end(&second, "completed").await;
        assert_eq!(ended, KeptEnded::Before, "{}", room.db.name);
        let status = async |id: &str| {
            let found = keeping
                .get(Reader::of(&key), kinds::RESPONSE, id)
                .await
                .expect("read");
            found.expect("there").status
        };
        assert_eq!(status("resp_1").await, "completed");
        assert_eq!(status("resp_2").await, CANCELLED);

        // This life shows itself, another never did.
        let third = begin("resp_4").await.expect("begun");
        assert_eq!(room.store.fail_orphans().await.expect("looked"), 0);
        assert_eq!(status("resp_4").await, IN_PROGRESS);
        let gone = "UPDATE kept SET boot = 'boot_gone' WHERE id = 'resp_4'";
        room.db.execute(gone).await.expect("changed");
        assert_eq!(
            room.store.fail_orphans().await.expect("looked"),
            1,
            "{}",
            room.db.name
        );
        assert_eq!(status("resp_4").await, "failed");
        assert_eq!(end(&third, "completed").await, KeptEnded::Before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_answers_are_found_by_their_ids_and_go_with_them() {
    for room in rooms().await {
        let (tenant, other) = (room.tenant("Acme").await, room.tenant("Other").await);
        let keeping = keeping(&room);
        let (key, mia) = (caller(&tenant, None), UserId::random());
        let (member, stranger) = (caller(&tenant, Some(&mia)), caller(&other, None));
        let said = json!({"answer": {}});
        let names =
            |names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
        let found = async |who: &Principal, ids: &[&str]| {
            let places = keeping.item_places(Reader::of(who), ids).await;
            let places = places.expect(room.db.name).into_iter();
            let mut found: Vec<_> = places.map(|place| (place.item, place.parent)).collect();
            found.sort();
            found
        };
        let pair = |item: &str, parent: &str| (item.to_owned(), parent.to_owned());
        for (who, id, items) in [
            (&key, "resp_1", names(&["msg_2", "fc_1", "msg_2"])),
            (&member, "resp_2", names(&["msg_3"])),
            (&stranger, "resp_3", names(&["msg_2"])),
        ] {
            let new = NewKept {
                names: &items,
                ..new(kinds::RESPONSE, id, &said)
            };
            keeping.keep(who, Some(new), None).await.expect("kept");
        }
        let all = ["fc_1", "msg_2", "msg_3", "msg_9"];
        let own = [
            pair("fc_1", "resp_1"),
            pair("msg_2", "resp_1"),
            pair("msg_3", "resp_2"),
        ];
        assert_eq!(found(&key, &all).await, own);
        assert_eq!(found(&member, &all).await, own[2..], "what a member made");
        assert_eq!(found(&stranger, &all).await, [pair("msg_2", "resp_3")]);

        // One in the background has them when it is over; of two the newest has it.
        let begun = NewKept {
            status: IN_PROGRESS,
            ..new(kinds::RESPONSE, "resp_4", &said)
        };
        let running = keeping.begin(&key, begun, (None, false)).await;
        let running = running.expect("begun");
        let items = names(&["msg_2", "msg_4"]);
        let end = ("completed", &said, items.as_slice());
        let ended = running.end(&key, end, (None, None)).await;
        assert_eq!(ended.expect("ended"), KeptEnded::Now);
        let two = ["msg_2", "msg_4"];
        let newest = [pair("msg_2", "resp_4"), pair("msg_4", "resp_4")];
        assert_eq!(found(&key, &two).await, newest);

        // Whoever deletes a response deletes the notes with it.
        let reader = Reader::of(&key);
        assert!(
            keeping
                .forget(reader, kinds::RESPONSE, "resp_4")
                .await
                .expect("deleted")
        );
        assert_eq!(found(&key, &two).await, []);
        let left = room
            .store
            .forget_kept_of(&tenant, 100)
            .await
            .expect("deleted");
        assert_eq!(left, 2, "{}", room.db.name);
        let text = "SELECT item_id AS sealed FROM kept_items";
        let rows = texts(&room, text).await;
        let rows: Vec<&str> = rows.iter().map(|row| row.sealed.as_str()).collect();
        assert_eq!(rows, ["msg_2"], "the other tenant's");
    }
}
