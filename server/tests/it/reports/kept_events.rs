//! Responses in the background, on both databases: kept with what is to be paid for them, and their events followed
//! from memory and through the database.

use std::time::Duration;

use serde_json::json;
use server::auth::Principal;
use server::kept::{
    EVENTS, Follower, Forgotten, IN_PROGRESS, KeepError, Keeping, KeptDue, KeptEnded, NewKept,
    Next, Reader, Running, kinds,
};
use shared::id::{GenerationId, TenantId};

use super::kept::{caller, keeping, new};
use super::rooms;

/// A response in progress.
async fn begun(keeping: &Keeping, who: &Principal, is_stream: bool) -> Running {
    let said = json!({"answer": {}});
    let begun = NewKept {
        status: IN_PROGRESS,
        ..new(kinds::RESPONSE, "resp_1", &said)
    };
    let running = keeping.begin(who, begun, (None, is_stream)).await;
    running.expect("begun")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nothing_is_held_for_any_more_is_not_kept() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, key) = (keeping(&room), caller(&tenant, None));
        let running = begun(&keeping, &key, false).await;
        let (hold, said) = (GenerationId::random(), json!({"answer": {}}));
        let due = KeptDue {
            hold: &hold,
            call: "{}",
        };
        let end = ("completed", &said, [].as_slice());
        let ended = running.end(&key, end, (None, Some(due))).await;
        assert_eq!(
            ended.expect("looked"),
            KeptEnded::NotHeld,
            "{}",
            room.db.name
        );
        let found = keeping
            .get(Reader::of(&key), kinds::RESPONSE, "resp_1")
            .await;
        let found = found.expect("read").expect("there");
        assert_eq!(found.status, IN_PROGRESS, "nothing is written");
    }
}

fn follow(keeping: &Keeping, tenant: &TenantId, id: &str, after: Option<u64>) -> Follower {
    let follower = keeping.follow(tenant, id, after);
    follower.expect("few follow")
}

async fn told(follower: &mut Follower) -> String {
    let next = follower.next().await.expect("read");
    if let Next::Events(bytes) = &next {
        return String::from_utf8(bytes.to_vec()).expect("text");
    }
    format!("{next:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_followed_here_and_elsewhere_from_where_somebody_was() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        // Another process has a memory of its own.
        let (keeping, elsewhere) = (keeping(&room), keeping(&room));
        let key = caller(&tenant, None);
        let running = begun(&keeping, &key, true).await;
        let event = |number: u64| format!("event {number}\n\n");
        for _ in 0..3 {
            running.tell(|number| event(number).into());
        }
        let mut here = running.follow();
        assert_eq!(told(&mut here).await, event(0) + &event(1) + &event(2));
        running.write(&key).await;
        running.tell(|number| event(number).into());
        let mut behind = follow(&keeping, &tenant, "resp_1", Some(1));
        assert_eq!(told(&mut behind).await, event(2) + &event(3));
        let mut there = follow(&elsewhere, &tenant, "resp_1", Some(0));
        assert_eq!(
            told(&mut there).await,
            event(1) + &event(2),
            "what is written"
        );
        let early = tokio::time::timeout(Duration::from_millis(700), there.next()).await;
        assert!(early.is_err(), "{}: it is in progress", room.db.name);
        running.write(&key).await;
        assert_eq!(told(&mut there).await, event(3));
        let other = room.tenant("Other").await;
        let mut stranger = follow(&elsewhere, &other, "resp_1", None);
        assert!(matches!(stranger.next().await, Ok(Next::Gone)), "a wall");

        let ended = json!({"answer": {}, EVENTS: running.next_event()});
        let end = ("completed", &ended, [].as_slice());
        let kept = running.end(&key, end, (None, None)).await;
        assert_eq!(kept.expect("ended"), KeptEnded::Now);
        drop(running);
        for follower in [&mut here, &mut behind, &mut there] {
            let mut next = follower.next().await.expect("read");
            if matches!(next, Next::Events(_)) {
                next = follower.next().await.expect("read");
            }
            let Next::Over(thing, number) = next else {
                panic!("{next:?}");
            };
            assert_eq!((thing.status.as_str(), number), ("completed", Some(4)));
        }
        let mut knows = follow(&keeping, &tenant, "resp_1", Some(4));
        assert!(
            matches!(knows.next().await, Ok(Next::Over(_, None))),
            "it saw the end"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_before_their_answer_which_says_how_many_there_were() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, key) = (keeping(&room), caller(&tenant, None));
        let running = begun(&keeping, &key, true).await;
        for _ in 0..4 {
            running.tell(|number| format!("event {number}\n\n").into());
        }
        running.write(&key).await;
        let said = json!({"answer": {}, EVENTS: running.next_event()});
        let end = ("completed", &said, [].as_slice());
        let kept = running.end(&key, end, (None, None)).await;
        assert_eq!(kept.expect("ended"), KeptEnded::Now);
        drop(running);
        let mut again = follow(&keeping, &tenant, "resp_1", None);
        assert_eq!(told(&mut again).await.matches("event").count(), 4);
        let has_events = keeping.has_events(&tenant, "resp_1").await;
        assert!(has_events.expect("read"), "{}", room.db.name);
        // Their time is shorter than the answer's.
        room.db
            .execute("UPDATE kept SET expires_at = 0 WHERE parent = 'resp_1'")
            .await
            .expect("changed");
        let mut late = follow(&keeping, &tenant, "resp_1", Some(1));
        assert!(
            matches!(late.next().await, Ok(Next::Missing)),
            "{}",
            room.db.name
        );
        let has_events = keeping.has_events(&tenant, "resp_1").await;
        assert!(!has_events.expect("read"), "{}", room.db.name);
        let mut end = follow(&keeping, &tenant, "resp_1", Some(3));
        assert!(matches!(end.next().await, Ok(Next::Over(_, Some(4)))));
        assert!(
            keeping
                .forget(Reader::of(&key), kinds::RESPONSE, "resp_1")
                .await
                .expect("gone")
        );
        assert!(matches!(end.next().await, Ok(Next::Gone)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_beyond_their_bound_are_not_kept_and_are_told_to_be_missing() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, elsewhere) = (keeping(&room), keeping(&room));
        let key = caller(&tenant, None);
        let running = begun(&keeping, &key, true).await;
        // Four times what one thing may weigh here.
        for _ in 0..6 {
            running.tell(|_| vec![b'x'; 9_000].into());
            running.write(&key).await;
        }
        let mut here = running.follow();
        let all = told(&mut here).await;
        assert_eq!(all.len(), 6 * 9_000, "it is in memory");
        let weight = room.store.kept_bytes(&tenant).await.expect("read");
        assert!(weight < 70_000, "{}: {weight}", room.db.name);
        let answer = json!({"answer": {}, EVENTS: running.next_event()});
        let end = ("completed", &answer, [].as_slice());
        running.end(&key, end, (None, None)).await.expect("ended");
        let mut there = follow(&elsewhere, &tenant, "resp_1", Some(4));
        assert!(matches!(there.next().await, Ok(Next::Missing)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_process_has_in_progress_and_does_not_work_on_fails() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, key) = (keeping(&room), caller(&tenant, None));
        let running = begun(&keeping, &key, true).await;
        let mut before = Forgotten::default();
        let mut round = async || keeping.fail_forgotten(&mut before).await.expect("looked");
        assert_eq!((round().await, round().await), (0, 0), "it is worked on");
        // As where the database is away at its end.
        drop(running);
        assert_eq!(round().await, 0, "its end may be on its way");
        assert_eq!(round().await, 1, "{}", room.db.name);
        assert_eq!(round().await, 0, "once");
        let mut follower = follow(&keeping, &tenant, "resp_1", None);
        let next = follower.next().await.expect("read");
        let Next::Over(thing, Some(0)) = next else {
            panic!("{next:?}");
        };
        assert_eq!(thing.status, "failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_cancelled_through_another_process_stops_at_its_next_write_and_tells_its_end() {
    for room in rooms().await {
        let tenant = room.tenant("Acme").await;
        let (keeping, elsewhere) = (keeping(&room), keeping(&room));
        let key = caller(&tenant, None);
        let running = begun(&keeping, &key, true).await;
        elsewhere
            .cancel(Reader::of(&key), "resp_1")
            .await
            .expect("cancelled");
        let mut behind = running.follow();
        running.tell(|_| "event\n\n".into());
        running.write(&key).await;
        let soon = tokio::time::timeout(Duration::from_millis(500), running.cancelled());
        assert!(soon.await.is_ok(), "{}: heard at once", room.db.name);
        // More than stays in memory, and none of it is written any more.
        for _ in 0..6 {
            running.tell(|_| vec![b'x'; 100_000].into());
        }
        running.write(&key).await;
        let next = behind.next().await.expect("read");
        let Next::Over(thing, Some(0)) = next else {
            panic!("{}: {next:?}", room.db.name);
        };
        assert_eq!(thing.status, "cancelled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_of_a_tenant_follow_through_the_database_and_no_more() {
    for room in rooms().await {
        let (tenant, other) = (room.tenant("Acme").await, room.tenant("Other").await);
        let keeping = keeping(&room);
        let mut all: Vec<_> = (0..32)
            .map(|_| follow(&keeping, &tenant, "resp_1", None))
            .collect();
        let more = keeping.follow(&tenant, "resp_1", None);
        assert!(matches!(more, Err(KeepError::Followed(32))), "{more:?}");
        drop(follow(&keeping, &other, "resp_1", None));
        all.pop();
        drop(follow(&keeping, &tenant, "resp_1", None));
    }
}
