//! What a later life of a gateway knows of an earlier one that was killed.

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use shared::fault::FaultKind;
use shared::id::GenerationId;
use shared::link::{GenerationStatus, LinkError, Parting};
use shared::units::{Unit, Usage};

use crate::support::{Door, Node, Program, call, let_go, outcome, rest, words};

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_killed_knows_how_all_ended_that_was_read_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(folder.path(), &[]).await;
    let door = Door::to(program.address).await;
    let calls: Vec<_> = (0..60)
        .map(|n| call(&format!("[tokens:{}]", 5 + n % 7), n % 2 == 0))
        .collect();
    let read = calls
        .iter()
        .map(async |asked| rest(door.open(asked, &[]).await.into_body()).await);
    let read = join_all(read).await;
    // One that runs, one that has given nothing yet, one whose server died before it had its answer, one
    // of which a part was taken.
    let running = call("[tokens:900][pace:20]", true);
    let mut body = door.open(&running, &[]).await.into_body();
    words(&mut body, 3).await;
    let silent = call("[delay:60000][tokens:9]", true);
    let opening = tokio::time::timeout(Duration::from_millis(100), door.open(&silent, &[]));
    assert!(opening.await.is_err());
    let missed = call("[delay:200][tokens:9]", false);
    let opening = tokio::time::timeout(Duration::from_millis(100), door.open(&missed, &[]));
    assert!(opening.await.is_err());
    let partly = call("[tokens:30][pace:10]", true);
    let mut part = door.open(&partly, &[]).await.into_body();
    words(&mut part, 4).await;
    drop(part);
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    program.kill();
    drop(body);

    for _ in 0..2 {
        let program = Program::start(folder.path(), &[]).await;
        let door = Door::to(program.address).await;
        for ((n, asked), (bytes, _)) in (0_u64..).zip(&calls).zip(&read) {
            assert!(!bytes.is_empty());
            let told = outcome(door.finish(&asked.generation, Parting::Abandoned).await);
            assert_eq!(told.usage.count(Unit::OutputToken), 5 + n % 7, "{n}");
            assert_eq!(told.taken, None, "{n}: all was read");
            assert!(told.fault.is_none());
        }
        let told = outcome(door.finish(&missed.generation, Parting::Abandoned).await);
        assert_eq!(
            (told.usage.count(Unit::OutputToken), told.taken),
            (9, Some(Usage::default()))
        );
        let told = outcome(door.finish(&partly.generation, Parting::Abandoned).await);
        assert_eq!(told.usage.count(Unit::OutputToken), 30);
        let taken = told.taken.expect("a part").count(Unit::OutputToken);
        assert!((4..=8).contains(&taken), "{taken}");
        let told = outcome(door.finish(&running.generation, Parting::Abandoned).await);
        let taken = told.taken.expect("a part").count(Unit::OutputToken);
        assert!((3..=120).contains(&taken), "{taken}");
        assert_eq!(
            told.fault.map(|fault| fault.kind),
            Some(FaultKind::Interrupted)
        );
        let status = door.finish(&silent.generation, Parting::Abandoned).await;
        assert!(
            matches!(status, GenerationStatus::Unknown { had: true, .. }),
            "it died with it: {status:?}"
        );
        program.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_life_joins_and_starts_nothing_that_an_earlier_one_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Node::start(folder.path(), &[]).await;
    let door = Door::to(first.address).await;
    let (ended, failed) = (call("[tokens:5]", true), call("[fail:400]", true));
    let response = door.open(&ended, &[]).await;
    let life = response.headers()["x-waule-boot"]
        .to_str()
        .expect("text")
        .to_owned();
    let (bytes, _) = rest(response.into_body()).await;
    assert_eq!(
        door.open(&failed, &[]).await.status(),
        StatusCode::BAD_REQUEST
    );
    first.stop().await;
    let_go(folder.path()).await;

    let later = Node::start(folder.path(), &[]).await;
    let door = Door::to(later.address).await;
    let again = [("x-waule-life", life.as_str())];
    // The output is gone, and nothing is started a second time.
    let response = door.open(&ended, &again).await;
    assert_eq!(response.status(), StatusCode::GONE);
    assert_eq!(
        door.open(&failed, &again).await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        door.attach(&ended.generation, 0).await.status(),
        StatusCode::GONE
    );
    // Who has all of it is told how it ended.
    let whole = door.attach(&ended.generation, bytes.len()).await;
    assert_eq!(whole.status(), StatusCode::OK);
    let (more, told) = rest(whole.into_body()).await;
    assert!(more.is_empty());
    assert_eq!(told.expect("an outcome").usage.count(Unit::OutputToken), 5);
    later.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_one_process_no_end_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let local = node.gateway.local();
    let asked = call("[tokens:5]", false);
    local.open(asked.clone()).await.expect("taken");
    let status = local
        .cancel(&[], &asked.generation, Parting::Abandoned)
        .await
        .expect("told");
    assert_eq!(
        outcome(status).taken,
        None,
        "its server lives as long as it"
    );
    node.stop().await;
    let kept = std::fs::read_dir(folder.path().join("generations")).expect("it has a name");
    let kept: Vec<_> = kept.map(|entry| entry.expect("read").file_name()).collect();
    assert_eq!(kept, ["folder-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_one_process_only_the_same_folder_says_that_a_call_never_came() {
    let (folder, other) = (tempfile::tempdir(), tempfile::tempdir());
    let (folder, other) = (folder.expect("a folder"), other.expect("a folder"));
    let node = Node::start(folder.path(), &[]).await;
    let asked = call("[tokens:5]", false);
    let places = node.gateway.local().route(&asked.generation, &[]);
    node.stop().await;
    let_go(folder.path()).await;
    for (there, knows) in [(folder.path(), true), (other.path(), false)] {
        let node = Node::start(there, &[]).await;
        let local = node.gateway.local();
        let of = |places| local.cancel(places, &asked.generation, Parting::Abandoned);
        let told = of(&places).await;
        let is_clear = matches!(told, Ok(GenerationStatus::Unknown { had: false, .. }));
        assert_eq!(is_clear, knows, "{told:?}");
        assert_eq!(
            matches!(told, Err(LinkError::NotSent(_))),
            !knows,
            "{told:?}"
        );
        // Of a version that kept no place with a call.
        assert!(of(&[]).await.is_ok());
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_as_old_as_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let never = GenerationId::random();
    let remembers = async || {
        let node = Node::start(folder.path(), &[]).await;
        let door = Door::to(node.address).await;
        let told = door.finish(&never, Parting::Abandoned).await;
        node.stop().await;
        let GenerationStatus::Unknown { memory_ms, had, .. } = told else {
            panic!("{told:?}")
        };
        assert!(!had);
        memory_ms.expect("it says so")
    };
    assert!(remembers().await < 5_000);
    let_go(folder.path()).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(remembers().await >= 1_500, "another life, the same folder");
    let_go(folder.path()).await;
    std::fs::remove_dir_all(folder.path().join("generations")).expect("emptied");
    assert!(remembers().await < 1_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_keeps_no_call_up_and_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let place = folder.path().join("generations");
    std::fs::remove_dir_all(&place).expect("it had a name");
    std::fs::write(place, "in the way").expect("written");
    let door = Door::to(node.address).await;
    assert_eq!(
        door.get("/readyz").await,
        (StatusCode::OK, "ready".to_owned())
    );
    for stream in [true, false] {
        let asked = call("[tokens:5]", stream);
        let (bytes, _) = rest(door.open(&asked, &[]).await.into_body()).await;
        assert!(!bytes.is_empty());
        let told = outcome(door.finish(&asked.generation, Parting::Abandoned).await);
        assert_eq!(
            (told.usage.count(Unit::OutputToken), told.taken),
            (5, None),
            "this life knows it"
        );
    }
    let (status, text) = door.get("/readyz").await;
    assert_eq!(status, StatusCode::OK, "calls go on");
    assert!(
        text.starts_with("ready, but outcomes are not kept on disk"),
        "{text}"
    );
    node.stop().await;
}
