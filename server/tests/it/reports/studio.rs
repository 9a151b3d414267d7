//! What people do in the studio is kept for themselves alone, on both databases: sealed, bounded, refused where
//! another window went on, and ended however a call ends.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use serde_json::json;
use server::kept::{KeepBounds, Keeping};
use server::studio::{
    Awaited, ChatOpening, NewPicture, NewTurnKept, NotKept, PictureHead, PictureKind, StudioAsked,
    StudioEnd, StudioMemory, StudioPerson, StudioPrompt, TurnRefused,
};
use shared::credits::Credits;
use shared::id::{ChatId, GenerationId, TenantId, UserId};
use shared::seal::Sealer;
use shared::secret::Secret;
use tokio_util::sync::CancellationToken;

use super::kept::texts_of;
use super::{Room, rooms};

pub(super) const ITEM_BYTES: usize = 10_000;
const TENANT_BYTES: u64 = 1_000_000;
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\nheron heron heron";

pub(super) fn memory(room: &Room) -> StudioMemory {
    let secret = Secret::new("a secret of more than thirty-two bytes".to_owned());
    let bounds = KeepBounds {
        item_bytes: ITEM_BYTES,
        tenant_bytes: TENANT_BYTES,
        running: 2,
    };
    let keeping = Keeping::new(
        room.store.clone(),
        (Sealer::new(&secret), room.clock.clone()),
        (room.ledger.boot().clone(), CancellationToken::new()),
        bounds,
    );
    StudioMemory::new(keeping, room.supervisor.clone())
}

pub(super) fn person(tenant: &TenantId) -> StudioPerson {
    StudioPerson {
        tenant: tenant.clone(),
        user: UserId::random(),
    }
}

pub(super) fn turn(chat: Option<&str>, seen: u32, nonce: &str, words: &str) -> NewTurnKept {
    NewTurnKept {
        chat: chat.map(|id| id.parse().expect("an id")),
        seen,
        instead: None,
        again: None,
        answer: 0,
        nonce: Some(nonce.to_owned()),
        model: "heron-1".to_owned(),
        asked: StudioAsked {
            asked: json!(words),
            ..StudioAsked::default()
        },
    }
}

/// All of a picture.
async fn bytes_of(memory: &StudioMemory, who: &StudioPerson, picture: &PictureHead) -> Vec<u8> {
    let parts = memory.picture_parts(who, picture);
    parts.try_concat().await.expect("read")
}

pub(super) async fn begun(
    memory: &StudioMemory,
    who: &StudioPerson,
    new: NewTurnKept,
) -> Box<Awaited> {
    match memory.begin(who, new).await {
        Ok(ChatOpening::Awaited(awaited)) => awaited,
        other => panic!("{other:?}"),
    }
}

/// A message with its answer; answers its conversation.
pub(super) async fn said(
    memory: &StudioMemory,
    who: &StudioPerson,
    new: NewTurnKept,
    answer: &str,
) -> String {
    let mut awaited = begun(memory, who, new).await;
    let chat = awaited.chat().to_owned();
    awaited.say(answer);
    assert!(awaited.end(StudioEnd::Whole, Some(micros(7))).await);
    chat
}

fn micros(n: i64) -> Credits {
    Credits::from_micros(n)
}

/// What is shown of a conversation: each message with its answers and how they stand.
pub(super) async fn shown(
    memory: &StudioMemory,
    who: &StudioPerson,
    chat: &str,
) -> Vec<(String, Vec<String>)> {
    let chat = memory.chat(who, chat).await.expect("read").expect("there");
    let turns = chat.path.iter().map(|turn| {
        let answers = turn.answers.iter();
        let answers = answers.map(|answer| format!("{}:{}", answer.status, answer.answered.text));
        (turn.asked.words(), answers.collect())
    });
    turns.collect()
}

/// Waits until what nobody waits for is written.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what}")
}

pub(super) fn picture(bytes: &[u8]) -> NewPicture {
    NewPicture {
        model: "heron-1".to_owned(),
        call: GenerationId::random(),
        prompt: StudioPrompt {
            prompt: "a heron at dusk".to_owned(),
            size: "1024x1024".to_owned(),
            quality: String::new(),
        },
        base64: Some(STANDARD.encode(bytes)),
        charged: Some(micros(9)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_found_again_by_its_person_alone_and_is_sealed() {
    for room in rooms().await {
        let name = room.db.name;
        let (tenant, other) = (room.tenant("Acme").await, room.tenant("Other").await);
        let memory = memory(&room);
        let mia = person(&tenant);
        let first = turn(None, 0, "w.1", "Why do herons stand still?");
        let chat = said(&memory, &mia, first, "They wait for fish.").await;
        let second = turn(Some(&chat), 1, "w.2", "And at night?");
        said(&memory, &mia, second, "They sleep.").await;
        let expected = [
            ("Why do herons stand still?", "whole:They wait for fish."),
            ("And at night?", "whole:They sleep."),
        ];
        let expected = expected.map(|(asked, said)| (asked.to_owned(), vec![said.to_owned()]));
        assert_eq!(shown(&memory, &mia, &chat).await, expected, "{name}");
        let list = memory
            .chats(&mia, ("HERONS", None), 10)
            .await
            .expect("read");
        assert_eq!(list.rows.len(), 1, "{name}");
        assert_eq!(list.rows[0].title, "Why do herons stand still?");
        assert_eq!(list.rows[0].charged, micros(14), "{name}");
        let none = memory.chats(&mia, ("egret", None), 10).await.expect("read");
        assert!(none.rows.is_empty() && none.next.is_none(), "{name}");
        let kept = memory.keep_picture(&mia, picture(PNG)).await;
        let image = kept.expect("kept").expect("on");

        // Another member of the tenant, and somebody of another one who has the same id.
        let stranger = StudioPerson {
            tenant: other.clone(),
            user: mia.user.clone(),
        };
        for who in [person(&tenant), stranger] {
            assert_eq!(memory.chat(&who, &chat).await.expect("read"), None);
            let page = memory.chats(&who, ("", None), 10).await.expect("read");
            assert_eq!(page.rows, [], "{name}");
            assert_eq!(memory.picture(&who, &image).await.expect("read"), None);
            let page = memory.pictures(&who, None, 10).await.expect("read");
            assert_eq!(page.rows, [], "{name}");
            assert!(!memory.forget_chat(&who, &chat).await.expect("looked"));
            assert!(!memory.forget_picture(&who, &image).await.expect("looked"));
            let intrusion = turn(Some(&chat), 2, "x.1", "hello");
            let refused = memory.begin(&who, intrusion).await;
            assert!(matches!(refused, Err(TurnRefused::Gone)), "{refused:?}");
            // Nor does an id that is taken lead into it.
            let intrusion = turn(Some(&chat), 0, "x.2", "hello");
            let opened = memory.begin(&who, intrusion).await;
            let is_refused = matches!(opened, Err(TurnRefused::Gone));
            assert!(is_refused || who.tenant == other, "{name}: {opened:?}");
            drop(opened);
        }
        assert_eq!(shown(&memory, &mia, &chat).await, expected, "{name}");

        for table in [
            "studio_chats",
            "studio_turns",
            "studio_answers",
            "studio_images",
            "studio_parts",
        ] {
            let column = if table == "studio_chats" {
                "title"
            } else {
                "sealed"
            };
            let rows = texts_of(&room, table, column).await;
            assert!(!rows.is_empty(), "{name}: {table} has rows");
            for row in rows {
                for word in ["heron", "Heron", "fish", "night", "sleep"] {
                    let word = word.as_bytes();
                    let found = row.windows(word.len()).any(|bytes| bytes == word);
                    assert!(!found, "{name}: {table} says it in plain words");
                }
            }
        }
        let found = memory
            .picture(&mia, &image)
            .await
            .expect("read")
            .expect("there");
        assert_eq!(found.kind, Some(PictureKind::Png));
        assert_eq!(
            (found.prompt.prompt.as_str(), found.charged),
            ("a heron at dusk", Some(micros(9)))
        );
        assert_eq!(bytes_of(&memory, &mia, &found).await, PNG, "{name}");
        assert!(memory.forget_chat(&mia, &chat).await.expect("deleted"));
        assert_eq!(memory.chat(&mia, &chat).await.expect("read"), None);
        assert!(
            texts_of(&room, "studio_turns", "sealed").await.len() <= 1,
            "{name}"
        );
        assert!(memory.forget_picture(&mia, &image).await.expect("deleted"));
        assert!(
            texts_of(&room, "studio_parts", "sealed").await.is_empty(),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_windows_the_later_one_is_refused_and_one_window_goes_on() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let chat = said(&memory, &mia, turn(None, 0, "a.1", "one"), "1").await;
        said(&memory, &mia, turn(Some(&chat), 1, "b.1", "two"), "2").await;
        let refused = memory
            .begin(&mia, turn(Some(&chat), 1, "a.2", "other"))
            .await;
        assert!(
            matches!(refused, Err(TurnRefused::Newer)),
            "{name}: {refused:?}"
        );
        // The same attempt a second time, as a form that is sent twice.
        let refused = memory.begin(&mia, turn(Some(&chat), 1, "b.1", "two")).await;
        assert!(
            matches!(refused, Err(TurnRefused::Twice)),
            "{name}: {refused:?}"
        );
        // A window that was stopped before it heard of its turn goes on.
        drop(begun(&memory, &mia, turn(Some(&chat), 2, "b.2", "three")).await);
        said(&memory, &mia, turn(Some(&chat), 2, "b.3", "four"), "4").await;
        let words: Vec<String> = shown(&memory, &mia, &chat)
            .await
            .into_iter()
            .map(|t| t.0)
            .collect();
        assert_eq!(words, ["one", "two", "three", "four"], "{name}");
        // More than there is was never seen.
        let refused = memory
            .begin(&mia, turn(Some(&chat), 9, "b.4", "nine"))
            .await;
        assert!(
            matches!(refused, Err(TurnRefused::Newer)),
            "{name}: {refused:?}"
        );

        // Several windows at once: one of them goes on.
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..6 {
            let (memory, mia) = (memory.clone(), mia.clone());
            let new = turn(Some(&chat), 4, &format!("c{n}.1"), "at once");
            tasks.spawn(async move { memory.begin(&mia, new).await });
        }
        let outcomes = tasks.join_all().await;
        let went = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(went, 1, "{name}: {outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_models_answer_one_message_and_a_message_is_written_anew() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let id = ChatId::random().into_string();
        // Side by side, in whatever order they come, in a conversation that the page named.
        let mut tasks = tokio::task::JoinSet::new();
        for answer in 0..3 {
            let (memory, mia) = (memory.clone(), mia.clone());
            let mut new = turn(Some(&id), 0, "w.1", "which?");
            new.answer = answer;
            new.model = format!("m{answer}");
            tasks.spawn(async move { said(&memory, &mia, new, "mine").await });
        }
        tasks.join_all().await;
        let both = shown(&memory, &mia, &id).await;
        assert_eq!(both.len(), 1, "{name}: {both:?}");
        assert_eq!(both[0].1.len(), 3, "{name}");
        said(&memory, &mia, turn(Some(&id), 1, "w.2", "typo"), "what?").await;
        // Once more, and anew.
        let mut again = turn(Some(&id), 2, "w.3", "typo");
        again.again = Some(1);
        said(&memory, &mia, again, "again").await;
        assert_eq!(
            shown(&memory, &mia, &id).await[1].1,
            ["whole:what?", "whole:again"]
        );
        let mut anew = turn(Some(&id), 2, "w.4", "no typo");
        anew.instead = Some(1);
        said(&memory, &mia, anew, "I see").await;
        let path = shown(&memory, &mia, &id).await;
        let words: Vec<&str> = path.iter().map(|turn| turn.0.as_str()).collect();
        assert_eq!(words, ["which?", "no typo"], "{name}");
        let chat = memory.chat(&mia, &id).await.expect("read").expect("there");
        assert_eq!(
            (chat.turns, chat.path[1].place),
            (3, 2),
            "the old one is there still"
        );
        let mut nowhere = turn(Some(&id), 3, "w.5", "x");
        nowhere.again = Some(7);
        let refused = memory.begin(&mia, nowhere).await;
        assert!(
            matches!(refused, Err(TurnRefused::Gone)),
            "{name}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_a_call_ends_its_message_stays_and_no_answer_is_made_up() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        // Refused: nothing of it stays, not even the conversation.
        begun(&memory, &mia, turn(None, 0, "w.1", "dear"))
            .await
            .undo()
            .await;
        let page = memory.chats(&mia, ("", None), 10).await.expect("read");
        assert_eq!(page.rows, [], "{name}");

        let chat = said(&memory, &mia, turn(None, 0, "w.2", "whole"), "yes").await;
        let mut failing = begun(&memory, &mia, turn(Some(&chat), 1, "w.3", "fails")).await;
        failing.say("half");
        let fault = StudioEnd::Failed(Some("upstream_error".to_owned()));
        assert!(failing.end(fault, Some(micros(1))).await, "{name}");
        let mut left = begun(&memory, &mia, turn(Some(&chat), 2, "w.4", "leaves")).await;
        left.say("some words");
        left.leave(Box::pin(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some(micros(3))
        }));
        let left = until("the answer that was left", async || {
            let chat = memory
                .chat(&mia, &chat)
                .await
                .expect("read")
                .expect("there");
            let answer = chat.path[2].answers[0].clone();
            answer.is_stopped().then_some(answer)
        });
        let left = left.await;
        assert_eq!(
            (left.answered.text.as_str(), left.charged),
            ("some words", Some(micros(3)))
        );
        // One whose process died: its life shows no sign, as recovery would have seen.
        let dying = begun(&memory, &mia, turn(Some(&chat), 3, "w.5", "dies")).await;
        let text = "UPDATE studio_answers SET boot = 'boot_gone' WHERE turn = 3";
        assert_eq!(
            room.store.lose_studio_answers().await.expect("looked"),
            0,
            "{name}"
        );
        room.db.execute(text).await.expect("changed");
        assert_eq!(
            room.store.lose_studio_answers().await.expect("looked"),
            1,
            "{name}"
        );
        let path = shown(&memory, &mia, &chat).await;
        let stands: Vec<&str> = path.iter().map(|turn| turn.1[0].as_str()).collect();
        assert_eq!(
            stands,
            ["whole:yes", "failed:half", "stopped:some words", "lost:"],
            "{name}"
        );
        // It was only slow.
        assert!(dying.end(StudioEnd::Whole, None).await, "{name}");
        assert_eq!(shown(&memory, &mia, &chat).await[3].1, ["whole:"], "{name}");
        // What was deleted meanwhile is not written again.
        let late = begun(&memory, &mia, turn(Some(&chat), 4, "w.6", "late")).await;
        assert!(memory.forget_chat(&mia, &chat).await.expect("deleted"));
        assert!(!late.end(StudioEnd::Whole, None).await, "{name}");
        assert_eq!(
            memory.chat(&mia, &chat).await.expect("read"),
            None,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_too_much_is_told_and_keeps_no_call_from_being_made() {
    for room in rooms().await {
        let name = room.db.name;
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let large = turn(None, 0, "w.1", &"x".repeat(ITEM_BYTES));
        let opened = memory.begin(&mia, large).await;
        assert!(
            matches!(opened, Ok(ChatOpening::Not(NotKept::TooLarge))),
            "{opened:?}"
        );
        let mut long = begun(&memory, &mia, turn(None, 0, "w.2", "long")).await;
        let chat = long.chat().to_owned();
        long.say("so far");
        long.say(&"x".repeat(ITEM_BYTES));
        assert!(long.end(StudioEnd::Whole, None).await);
        let found = memory
            .chat(&mia, &chat)
            .await
            .expect("read")
            .expect("there");
        let answer = &found.path[0].answers[0].answered;
        assert!(
            answer.is_cut && answer.text == "so far",
            "{name}: {answer:?}"
        );

        let bytes = [PNG, &vec![7_u8; 400_000]].concat();
        let mut kept = 0;
        let refused = loop {
            match memory.keep_picture(&mia, picture(&bytes)).await {
                Ok(id) => kept += usize::from(id.is_some()),
                Err(why) => break why,
            }
            assert!(kept < 3, "{name}: a million bytes are full");
        };
        assert_eq!((refused, kept), (NotKept::Full, 2), "{name}");
        let opened = memory
            .begin(&mia, turn(None, 0, "w.3", &"y".repeat(9_000)))
            .await;
        drop(opened);
        // What is deleted makes room, also in a weight that was looked at before.
        let page = memory.pictures(&mia, None, 10).await.expect("read");
        assert_eq!(page.rows.len(), 2, "{name}");
        assert!(
            memory
                .forget_picture(&mia, &page.rows[0].id)
                .await
                .expect("deleted")
        );
        let kept = memory.keep_picture(&mia, picture(&bytes)).await;
        assert!(kept.expect("room").is_some(), "{name}");
        // The whole picture comes back, of however many parts.
        let page = memory.pictures(&mia, None, 1).await.expect("read");
        assert!(page.next.is_some(), "{name}");
        let whole = bytes_of(&memory, &mia, &page.rows[0]).await;
        assert_eq!(whole.len(), bytes.len(), "{name}");
        let far = vec![1_u8; 17 * 1024 * 1024];
        let refused = memory.keep_picture(&mia, picture(&far)).await;
        assert_eq!(refused, Err(NotKept::TooLarge), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pictures_of_a_list_are_shown_whatever_they_are_called() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        for (bytes, kind, is_there) in [
            (
                &b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"[..],
                None,
                true,
            ),
            (b"<html><script>1</script>", None, true),
            (b"", None, false),
            (b"\xff\xd8\xff\xe0 jpeg", Some(PictureKind::Jpeg), true),
        ] {
            let id = memory
                .keep_picture(&mia, picture(bytes))
                .await
                .expect("kept");
            let found = memory.picture(&mia, &id.expect("on")).await.expect("read");
            let found = found.expect("there");
            assert_eq!(
                (found.kind, found.is_there),
                (kind, is_there),
                "{}",
                room.db.name
            );
        }
        let mut broken = picture(PNG);
        broken.base64 = Some("%%%".to_owned());
        let id = memory
            .keep_picture(&mia, broken)
            .await
            .expect("kept")
            .expect("on");
        let found = memory
            .picture(&mia, &id)
            .await
            .expect("read")
            .expect("there");
        assert!(!found.is_there, "what can't be read is no picture");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_empty_conversation() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (memory, mia) = (memory(&room), person(&tenant));
        let mut new = turn(None, 0, "w.1", "x");
        new.again = Some(0);
        let refused = memory.begin(&mia, new.clone()).await;
        assert!(matches!(refused, Err(TurnRefused::Gone)), "{refused:?}");
        (new.again, new.instead) = (None, Some(3));
        let refused = memory.begin(&mia, new.clone()).await;
        assert!(matches!(refused, Err(TurnRefused::Gone)), "{refused:?}");
        (new.instead, new.answer) = (None, 16);
        let refused = memory.begin(&mia, new).await;
        assert!(matches!(refused, Err(TurnRefused::Full)), "{refused:?}");
        let page = memory.chats(&mia, ("", None), 10).await.expect("read");
        assert_eq!(page.rows, [], "{}", room.db.name);
    }
}
