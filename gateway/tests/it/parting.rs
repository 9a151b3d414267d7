//! The ends that servers ask for: a tenant left, a server died, an answer was not delivered. Each is
//! charged by another count.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use shared::fault::FaultKind;
use shared::id::GenerationId;
use shared::link::{Call, GenerationStatus, Outcome, Parting, Piece, ReplyBody};
use shared::units::{Unit, Usage};

use crate::support::{Door, Node, call, outcome, rest, until, words};

/// Leaves a call after some words, through one of the two doors, and asks for the end twice.
async fn left(node: &Node, door: Option<&Door>, asked: &Call, read: usize) -> [Outcome; 2] {
    let local = node.gateway.local();
    let why = Parting::TenantLeft;
    let id = &asked.generation;
    if let Some(door) = door {
        let response = door.open(asked, &[]).await;
        let mut body = response.into_body();
        words(&mut body, read).await;
        drop(body);
        let (one, other) = tokio::join!(door.finish(id, why), door.finish(id, why));
        return [outcome(one), outcome(other)];
    }
    let ReplyBody::Stream(mut pieces) = local.open(asked.clone()).await.expect("taken").body else {
        panic!("a stream")
    };
    // The first one names the role.
    for _ in 0..=read {
        assert!(matches!(pieces.next().await, Some(Ok(Piece::Bytes(_)))));
    }
    drop(pieces);
    let (one, other) = tokio::join!(local.cancel(&[], id, why), local.cancel(&[], id, why));
    [one, other].map(|status| outcome(status.expect("told")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_left_pays_what_the_provider_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    for door in [None, Some(&door)] {
        let asked = call("hello [tokens:40][pace:20]", true);
        let begun = Instant::now();
        let [told, again] = left(&node, door, &asked, 3).await;
        assert!(
            begun.elapsed() > Duration::from_millis(700),
            "it was read on"
        );
        assert_eq!(
            (told.usage.count(Unit::OutputToken), told.usage.estimated),
            (40, false)
        );
        assert_eq!(
            told.fault.as_ref().map(|fault| fault.kind),
            Some(FaultKind::Canceled)
        );
        assert_eq!((told.taken, &told.usage), (None, &again.usage));
        // Whoever asks later is told the same, whatever for.
        let later = node
            .gateway
            .local()
            .cancel(&[], &asked.generation, Parting::Abandoned)
            .await;
        let later = outcome(later.expect("told"));
        assert_eq!((later.usage, later.taken), (told.usage, None));
    }
    assert!(
        node.metrics
            .page()
            .contains("waule_generations_read_on_told_total 2")
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_count_comes_in_time_the_tenant_pays_its_input_and_what_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    for seconds in ["0", "1"] {
        let node = Node::start(folder.path(), &["--read-on-seconds", seconds]).await;
        let door = Door::to(node.address).await;
        for door in [None, Some(&door)] {
            let begun = Instant::now();
            let asked = call("hello [tokens:400][pace:20]", true);
            let [told, again] = left(&node, door, &asked, 5).await;
            let limit = Duration::from_millis(if seconds == "0" { 900 } else { 2_000 });
            assert!(begun.elapsed() < limit, "{seconds}: {:?}", begun.elapsed());
            assert!(told.usage.estimated);
            assert_eq!(
                told.usage.count(Unit::InputToken),
                777,
                "as the hold counts it"
            );
            let output = told.usage.count(Unit::OutputToken);
            assert!(
                (5..=8).contains(&output),
                "{seconds}: {output} of what it was given"
            );
            assert_eq!(told.usage, again.usage);
        }
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_left_before_the_answer_pays_the_providers_count_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &["--read-on-seconds", "1"]).await;
    let door = Door::to(node.address).await;
    for (text, counted) in [
        ("[delay:500][tokens:9]", true),
        ("[delay:9000][tokens:9]", false),
    ] {
        for stream in [true, false] {
            let asked = call(text, stream);
            let (opened, id) = (door.open(&asked, &[]), &asked.generation);
            let opening = tokio::time::timeout(Duration::from_millis(200), opened);
            assert!(opening.await.is_err(), "it is being worked for");
            match door.finish(id, Parting::TenantLeft).await {
                GenerationStatus::Ended { outcome } => {
                    assert!(counted);
                    assert_eq!(outcome.usage.count(Unit::OutputToken), 9);
                    let kind = outcome.fault.map(|fault| fault.kind);
                    assert_eq!(kind, Some(FaultKind::Canceled));
                }
                GenerationStatus::Failed { failure } => {
                    assert!(!counted);
                    assert_eq!(failure.fault.kind, FaultKind::Canceled);
                }
                GenerationStatus::Unknown { .. } => panic!("it came"),
            }
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_stream_ends_at_once_and_is_told_by_what_its_reader_took() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    for ends_before in [false, true] {
        let asked = call("hello [tokens:60][pace:20]", true);
        let mut body = door.open(&asked, &[]).await.into_body();
        words(&mut body, 5).await;
        // The server dies: its stream is reset, and nobody comes again for a while.
        drop(body);
        let pause = if ends_before { 2_500 } else { 500 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let begun = Instant::now();
        let told = outcome(door.finish(&asked.generation, Parting::Abandoned).await);
        assert!(begun.elapsed() < Duration::from_secs(1));
        let taken = told.taken.expect("not all was taken");
        assert!(
            (5..=8).contains(&taken.count(Unit::OutputToken)),
            "{taken:?}"
        );
        assert_eq!(
            taken.count(Unit::InputToken),
            told.usage.count(Unit::InputToken)
        );
        assert_eq!(told.fault.is_none(), ends_before, "the gateway went on");
        let produced = told.usage.count(Unit::OutputToken);
        assert!(
            produced > 10 && (produced == 60) == ends_before,
            "{produced}"
        );
    }
    // One that was read to its end was taken whole, and one of which nothing was read not at all.
    let asked = call("hello [tokens:6]", true);
    let (_, told) = rest(door.open(&asked, &[]).await.into_body()).await;
    assert_eq!(told.expect("an outcome").taken, None);
    let told = outcome(door.finish(&asked.generation, Parting::Abandoned).await);
    assert_eq!((told.usage.count(Unit::OutputToken), told.taken), (6, None));
    let asked = call("hello [delay:300][tokens:6]", true);
    let opening = tokio::time::timeout(Duration::from_millis(100), door.open(&asked, &[]));
    assert!(opening.await.is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = outcome(door.finish(&asked.generation, Parting::Abandoned).await);
    assert_eq!(told.usage.count(Unit::OutputToken), 6);
    assert_eq!(told.taken, Some(Usage::default()), "nothing was taken");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_is_taken_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    let taken = call("hello [tokens:7]", false);
    let (bytes, _) = rest(door.open(&taken, &[]).await.into_body()).await;
    assert!(!bytes.is_empty());
    let told = outcome(door.finish(&taken.generation, Parting::Abandoned).await);
    assert_eq!((told.usage.count(Unit::OutputToken), told.taken), (7, None));
    let missed = call("hello [delay:300][tokens:7]", false);
    let opening = tokio::time::timeout(Duration::from_millis(100), door.open(&missed, &[]));
    assert!(opening.await.is_err(), "the server dies while it waits");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let told = outcome(door.finish(&missed.generation, Parting::Abandoned).await);
    assert_eq!((told.usage.count(Unit::OutputToken), told.fault), (7, None));
    assert_eq!(told.taken, Some(Usage::default()));
    // A server that lives attaches again, and takes it.
    let (bytes, _) = rest(door.attach(&missed.generation, 0).await.into_body()).await;
    assert!(!bytes.is_empty());
    let told = outcome(door.finish(&missed.generation, Parting::Abandoned).await);
    assert_eq!(told.taken, None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_delivered_ends_at_once_also_while_it_is_read_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    let asked = call("hello [tokens:400][pace:20]", true);
    let mut body = door.open(&asked, &[]).await.into_body();
    words(&mut body, 2).await;
    let id = &asked.generation;
    let begun = Instant::now();
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        door.finish(id, Parting::NotDelivered).await
    };
    let (one, other) = tokio::join!(door.finish(id, Parting::TenantLeft), later);
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(outcome(one).usage, outcome(other).usage);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_starts_and_leaves_piles_up_no_streams_at_a_provider() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &["--read-on-seconds", "3"]).await;
    let local = node.gateway.local();
    let calls: Vec<Call> = (0..40)
        .map(|_| call("[tokens:40][pace:20]", true))
        .collect();
    let other = Call {
        caller: 6,
        ..call("[tokens:40][pace:20]", true)
    };
    let ended = join_all(calls.iter().chain([&other]).map(|asked| async {
        let ReplyBody::Stream(mut pieces) = local.open(asked.clone()).await.expect("taken").body
        else {
            panic!("a stream")
        };
        pieces.next().await;
        drop(pieces);
        outcome(
            local
                .cancel(&[], &asked.generation, Parting::TenantLeft)
                .await
                .expect("told"),
        )
    }))
    .await;
    let (of_one, of_other) = ended.split_at(40);
    let read_on = of_one
        .iter()
        .filter(|told| told.usage.count(Unit::OutputToken) == 40);
    let read_on = read_on.count();
    assert_eq!(read_on, 16, "the others by estimate");
    assert!(
        of_other[0].usage.count(Unit::OutputToken) == 40,
        "another caller has its own places"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_does_not_wait_for_a_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    let asked = call("hello [tokens:900][pace:20]", true);
    let mut body = door.open(&asked, &[]).await.into_body();
    words(&mut body, 4).await;
    let id = &asked.generation;
    let begun = Instant::now();
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        node.supervisor.stop();
    };
    let (status, ()) = tokio::join!(door.finish(id, Parting::TenantLeft), stopping);
    assert!(begun.elapsed() < Duration::from_secs(2));
    let told = outcome(status);
    assert!(
        told.usage.estimated && (4..=8).contains(&told.usage.count(Unit::OutputToken)),
        "{told:?}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_runs_also_while_a_reader_stands_still() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let local = node.gateway.local();
    let asked = Call {
        deadline: Duration::from_secs(1),
        ..call("hello [tokens:900][pace:20]", true)
    };
    let ReplyBody::Stream(mut pieces) = local.open(asked.clone()).await.expect("taken").body else {
        panic!("a stream")
    };
    pieces.next().await;
    until("nothing runs", Duration::from_secs(4), async || {
        node.gateway.count_kept();
        node.metrics.page().contains("waule_generations_running 0")
    })
    .await;
    // Nobody polled it, and it is over: a provider's stream is not kept by a reader that sleeps.
    let told = loop {
        match pieces.next().await {
            Some(Ok(Piece::Outcome(outcome))) => break *outcome,
            Some(Ok(Piece::Bytes(_) | Piece::Waiting)) => {}
            other => panic!("an outcome comes last: {other:?}"),
        }
    };
    assert_eq!(told.fault.map(|fault| fault.kind), Some(FaultKind::Timeout));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_waits_for_as_long_as_its_server_says_and_the_gateway_allows() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = ["--detached-seconds", "1", "--detached-seconds-max", "4"];
    let node = Node::start(folder.path(), &more).await;
    let door = Door::to(node.address).await;
    let cases = [(None, 1), (Some("2500"), 2), (Some("3600000"), 4)];
    let one = |told: Option<&'static str>, seconds: u64| {
        let door = &door;
        async move {
            let asked = call("hello [tokens:900][pace:20]", true);
            let headers: Vec<_> = told.iter().map(|ms| ("x-waule-patience-ms", *ms)).collect();
            let mut body = door.open(&asked, &headers).await.into_body();
            words(&mut body, 2).await;
            drop(body);
            let left = Instant::now();
            tokio::time::sleep(Duration::from_secs(seconds + 2)).await;
            let told = outcome(door.finish(&asked.generation, Parting::Abandoned).await);
            let ran = Duration::from_millis(told.duration_ms);
            assert!(left.elapsed() > ran);
            let expected = Duration::from_secs(seconds);
            assert!(
                ran >= expected && ran < expected + Duration::from_millis(1_600),
                "{ran:?}"
            );
        }
    };
    join_all(cases.map(|(told, seconds)| one(told, seconds))).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_came_is_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    for why in Parting::ALL {
        let id = GenerationId::random();
        let status = door.finish(&id, why).await;
        assert!(
            matches!(status, GenerationStatus::Unknown { had: false, .. }),
            "{status:?}"
        );
        let late = Call {
            generation: id,
            ..call("late", true)
        };
        let refused = door.open(&late, &[]).await;
        assert_eq!(
            refused.status(),
            http::StatusCode::CONFLICT,
            "it is not started any more"
        );
    }
    node.stop().await;
}
