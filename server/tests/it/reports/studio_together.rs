//! What the studio keeps while several are at it, on both databases: turns that are taken back while others follow,
//! refusals that move nothing, deletions part by part, people who leave, and sweeps that meet what can't be deleted.

use futures_util::StreamExt;
use server::store::accounts::{UserPatch, UserPlace, UserStatus};
use server::store::audit::Actor;
use server::store::studio::StudioForgot;
use server::studio::{StudioEnd, StudioMemory, StudioPerson, TurnRefused};
use shared::db::Db;
use shared::link::Operation;

use super::kept::texts_of;
use super::studio::{ITEM_BYTES, PNG, begun, memory, person, picture, said, shown, turn, until};
use super::studio_ends::{DAY, set_days, sweep};
use super::{Room, rooms};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_others_follow_is_not_taken_back_from_under_them() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let chat = said(&memory, &mia, turn(None, 0, "w.1", "one"), "1").await;
        // The page was stopped, and its window goes on before the call of the second message is refused.
        let refused = begun(&memory, &mia, turn(Some(&chat), 1, "w.2", "two")).await;
        said(&memory, &mia, turn(Some(&chat), 1, "w.3", "three"), "3").await;
        refused.undo().await;
        let stands: Vec<String> = shown(&memory, &mia, &chat)
            .await
            .into_iter()
            .map(|(asked, answers)| format!("{asked} {}", answers.join(" ")))
            .collect();
        assert_eq!(
            stands,
            ["one whole:1", "two failed:", "three whole:3"],
            "{name}"
        );
        // One that nothing follows goes, and so does a second answer alone.
        let last = begun(&memory, &mia, turn(Some(&chat), 3, "w.4", "four")).await;
        last.undo().await;
        let mut again = turn(Some(&chat), 3, "w.5", "three");
        again.again = Some(2);
        begun(&memory, &mia, again).await.undo().await;
        let after = shown(&memory, &mia, &chat).await;
        assert_eq!(after.len(), 3, "{name}: {after:?}");
        assert_eq!(after[2].1, ["whole:3"], "{name}");

        // At once, over and over: whatever comes first, the way leads back to the first message.
        for round in 0..12_u32 {
            let known = memory
                .chat(&mia, &chat)
                .await
                .expect("read")
                .expect("there");
            let (one, two) = (format!("w.{round}a"), format!("w.{round}b"));
            let refused = begun(&memory, &mia, turn(Some(&chat), known.turns, &one, "x")).await;
            let next = turn(Some(&chat), known.turns, &two, "y");
            let ((), chat) = tokio::join!(refused.undo(), said(&memory, &mia, next, "z"));
            let path = shown(&memory, &mia, &chat).await;
            assert_eq!(path[0].0, "one", "{name}: {path:?}");
            assert_eq!(path.last().expect("one").0, "y", "{name}: {path:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_is_refused_moves_nothing() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let chat = said(&memory, &mia, turn(None, 0, "w.1", "one"), "1").await;
        for n in 0..15 {
            let mut again = turn(Some(&chat), 1, &format!("w.again{n}"), "one");
            again.again = Some(0);
            said(&memory, &mia, again, "1").await;
        }
        let before = memory
            .chat(&mia, &chat)
            .await
            .expect("read")
            .expect("there");
        room.clock.advance(DAY);
        let late = turn(Some(&chat), 0, "x.1", "late");
        let mut nowhere = turn(Some(&chat), 1, "w.2", "nowhere");
        nowhere.again = Some(7);
        let mut instead = turn(Some(&chat), 1, "w.3", "nowhere");
        instead.instead = Some(7);
        let mut full = turn(Some(&chat), 1, "w.4", "one");
        full.again = Some(0);
        let twice = turn(Some(&chat), 0, "w.1", "one");
        for (new, expected) in [
            (late, TurnRefused::Newer),
            (nowhere, TurnRefused::Gone),
            (instead, TurnRefused::Gone),
            (full, TurnRefused::Full),
            (twice, TurnRefused::Twice),
        ] {
            let mut new = new;
            new.model = "other".to_owned();
            let refused = memory.begin(&mia, new).await;
            let refused = refused.expect_err("refused");
            assert_eq!(refused, expected, "{name}");
            let after = memory
                .chat(&mia, &chat)
                .await
                .expect("read")
                .expect("there");
            assert_eq!(after, before, "{name}: {expected:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_answer_that_is_too_large_the_words_stay() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let image = |bytes: usize| format!("data:image/png;base64,{}", "A".repeat(bytes));
        let chat = said(&memory, &mia, turn(None, 0, "w.1", "one"), "1").await;
        // Images before the words leave them no room; one that is too large alone takes none.
        for (place, images) in [(1, vec![9_000]), (2, vec![ITEM_BYTES, 100]), (3, vec![100])] {
            let nonce = format!("w.2{place}");
            let mut awaited = begun(&memory, &mia, turn(Some(&chat), place, &nonce, "draw")).await;
            for bytes in images {
                awaited.show(&image(bytes));
            }
            awaited.say(&"w".repeat(4_000));
            assert!(awaited.end(StudioEnd::Whole, None).await, "{name}");
        }
        let found = memory
            .chat(&mia, &chat)
            .await
            .expect("read")
            .expect("there");
        let kept: Vec<(usize, usize, bool)> = found.path[1..]
            .iter()
            .map(|turn| &turn.answers[0].answered)
            .map(|said| (said.text.len(), said.images.len(), said.is_cut))
            .collect();
        assert_eq!(
            kept,
            [(4_000, 0, true), (4_000, 1, true), (4_000, 1, false)],
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_turned_off_during_an_answer_does_not_keep_it() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let mut awaited = begun(&memory, &mia, turn(None, 0, "w.1", "long")).await;
        let chat = awaited.chat().to_owned();
        awaited.say("what nobody may keep");
        set_days(&room, &tenant, Some(0)).await;
        assert!(!awaited.end(StudioEnd::Whole, None).await, "{name}");
        let answers = texts_of(&room, "studio_answers", "sealed").await;
        assert!(answers.is_empty(), "{name}: {answers:?}");
        // Where it is turned on again before the sweep, nobody waits for that answer.
        set_days(&room, &tenant, None).await;
        assert_eq!(
            shown(&memory, &mia, &chat).await[0].1,
            ["failed:"],
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn something_large_goes_part_by_part_and_is_found_by_nobody_meanwhile() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let chat = said(&memory, &mia, turn(None, 0, "w.1", "one"), "1").await;
        for (seen, nonce) in [(1, "w.2"), (2, "w.3")] {
            said(&memory, &mia, turn(Some(&chat), seen, nonce, "more"), "x").await;
        }
        let late = begun(&memory, &mia, turn(Some(&chat), 3, "w.4", "late")).await;
        let rows = async |table: &str| texts_of(&room, table, "tenant_id").await.len();
        assert_eq!(rows("studio_answers").await, 4, "{name}");
        let part = async || {
            let place = (&tenant, chat.as_str());
            let forgot = room.store.forget_studio_chat(place, mia.user.as_str(), 2);
            forgot.await.expect("deleted")
        };
        assert_eq!(part().await, StudioForgot::Part, "{name}");
        assert_eq!(rows("studio_answers").await, 2, "{name}");
        assert_eq!(
            memory.chat(&mia, &chat).await.expect("read"),
            None,
            "{name}"
        );
        let refused = memory.begin(&mia, turn(Some(&chat), 4, "w.5", "on")).await;
        assert!(
            matches!(refused, Err(TurnRefused::Gone)),
            "{name}: {refused:?}"
        );
        assert!(!late.end(StudioEnd::Whole, None).await, "{name}");
        assert_eq!(
            memory.chat(&mia, &chat).await.expect("read"),
            None,
            "{name}"
        );
        // The process died there: the sweep goes on with it.
        assert_eq!(sweep(&room).await, 1, "{name}");
        assert_eq!(part().await, StudioForgot::Nothing, "{name}");
        for table in ["studio_chats", "studio_turns", "studio_answers"] {
            assert_eq!(rows(table).await, 0, "{name}: {table}");
        }

        // A picture of three parts, which ends with an error where it goes while it is read.
        let bytes = [PNG, &vec![7_u8; 600_000]].concat();
        let id = memory.keep_picture(&mia, picture(&bytes)).await;
        let id = id.expect("kept").expect("on");
        let head = memory
            .picture(&mia, &id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!(head.bytes, bytes.len(), "{name}");
        let mut parts = Box::pin(memory.picture_parts(&mia, &head));
        let first = parts.next().await.expect("a part").expect("read");
        assert!(
            first.len() < bytes.len() && bytes.starts_with(&first),
            "{name}"
        );
        let place = (&tenant, id.as_str());
        let forgot = room.store.forget_studio_image(place, "", 1).await;
        assert_eq!(forgot.expect("deleted"), StudioForgot::Part, "{name}");
        assert_eq!(
            memory.picture(&mia, &id).await.expect("read"),
            None,
            "{name}"
        );
        assert!(
            !memory
                .forget_picture(&person(&tenant), &id)
                .await
                .expect("looked")
        );
        assert!(
            memory.forget_picture(&mia, &id).await.expect("deleted"),
            "{name}"
        );
        assert!(parts.next().await.expect("an end").is_err(), "{name}");
        assert_eq!(rows("studio_parts").await, 0, "{name}");
    }
}

async fn choice_of(memory: &StudioMemory, who: &StudioPerson) -> Option<String> {
    let known = memory.last_model(who, Operation::Chat).await;
    known.expect("read")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_deleted_people_leave_goes_with_them() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia, max) = (memory(&room), person(&tenant), person(&tenant));
        for who in [&mia, &max] {
            let (user, tenant) = (&who.user, &who.tenant);
            let text = format!(
                "INSERT INTO users (id, tenant_id, username, role, password_hash, status, created_at, updated_at) \
                 VALUES ('{user}', '{tenant}', '{user}', 'member', '', 'active', 1, 1)"
            );
            room.db.execute(&text).await.expect("a person");
            said(&memory, who, turn(None, 0, "w.1", "one"), "1").await;
            memory.keep_picture(who, picture(PNG)).await.expect("kept");
            memory.used_model(who, Operation::Chat, "a");
            until("the choice", async || choice_of(&memory, who).await).await;
        }
        assert_eq!(sweep(&room).await, 0, "{name}");
        // As where the process dies right behind it.
        let patch = UserPatch {
            status: Some(UserStatus::Deleted),
            ..UserPatch::default()
        };
        let place = UserPlace {
            tenant: &tenant,
            id: &mia.user,
        };
        let (actor, now) = (Actor::system(), room.clock.now());
        let deleted = room.store.update_user(&actor, place, &patch, now).await;
        deleted.expect("deleted");
        assert_eq!(sweep(&room).await, 2, "{name}: a conversation and an image");
        assert_eq!(choice_of(&memory, &mia).await, None, "{name}");
        assert!(choice_of(&memory, &max).await.is_some(), "{name}");
        let page = memory.chats(&max, ("", None), 10).await.expect("read");
        assert_eq!(page.rows.len(), 1, "{name}");
        // What a call wrote that was under way still goes, for a day.
        said(&memory, &mia, turn(None, 0, "w.2", "late"), "2").await;
        assert_eq!(sweep(&room).await, 1, "{name}");
        let first = async || {
            let next = room.store.next_studio_leaver(("", "")).await;
            next.expect("read").map(|(_, user, _)| user)
        };
        assert_eq!(first().await, Some(mia.user.to_string()), "{name}");
        room.clock.advance(DAY);
        assert_eq!(sweep(&room).await, 0, "{name}");
        assert_eq!(
            first().await,
            None,
            "{name}: nobody is looked after for ever"
        );
    }
}

/// Makes the database refuse to delete a conversation.
async fn nail_down(room: &Room, chat: &str) {
    let text = match room.db.db {
        Db::Sqlite { .. } => format!(
            "CREATE TRIGGER nailed BEFORE DELETE ON studio_chats WHEN old.id = '{chat}' \
             BEGIN SELECT RAISE(ABORT, 'nailed down'); END"
        ),
        Db::Postgres(_) => format!(
            "CREATE FUNCTION nail() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN RAISE EXCEPTION ''nailed down''; END'; \
             CREATE TRIGGER nailed BEFORE DELETE ON studio_chats FOR EACH ROW \
             WHEN (old.id = '{chat}') EXECUTE FUNCTION nail()"
        ),
    };
    room.db.execute(&text).await.expect("nailed down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_passes_over_what_it_can_not_delete() {
    for room in rooms().await {
        let name = room.db.name;
        let (acme, other) = (room.tenant("Acme").await, room.tenant("Other").await);
        let memory = memory(&room);
        let (mia, eve) = (person(&acme), person(&other));
        let nailed = said(&memory, &mia, turn(None, 0, "w.1", "nailed"), "1").await;
        for n in 0..11 {
            said(&memory, &mia, turn(None, 0, &format!("w.{n}"), "one"), "1").await;
        }
        said(&memory, &eve, turn(None, 0, "w.1", "theirs"), "1").await;
        memory.keep_picture(&mia, picture(PNG)).await.expect("kept");
        nail_down(&room, &nailed).await;
        room.clock.advance(DAY * 100);
        assert_eq!(sweep(&room).await, 13, "{name}: all but one");
        assert_eq!(sweep(&room).await, 0, "{name}");
        // Their own word is answered with the failure, and takes all else along.
        said(&memory, &mia, turn(None, 0, "w.9", "new"), "1").await;
        assert!(memory.forget_all(&mia).await.is_err(), "{name}");
        let page = memory.chats(&mia, ("", None), 10).await.expect("read");
        assert_eq!(page.rows, [], "{name}");
    }
}

#[derive(diesel::QueryableByName)]
struct OddColumn {
    #[diesel(sql_type = diesel::sql_types::Text)]
    place: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_in_byte_order() {
    use diesel_async::RunQueryDsl as _;
    for room in rooms().await {
        let Db::Postgres(pool) = &room.db.db else {
            continue;
        };
        let text = "SELECT table_name || '.' || column_name AS place FROM information_schema.columns \
                    WHERE table_schema = current_schema() AND table_name LIKE 'studio%' \
                    AND (column_name = 'id' OR column_name IN ('tenant_id', 'user_id', 'chat_id', 'image_id')) \
                    AND collation_name IS DISTINCT FROM 'C'";
        let mut conn = pool.get().await.expect("a connection");
        let odd: Vec<OddColumn> = diesel::sql_query(text)
            .load(&mut conn)
            .await
            .expect("columns");
        let odd: Vec<String> = odd.into_iter().map(|row| row.place).collect();
        assert_eq!(odd, Vec::<String>::new());
    }
}
