//! A gateway that is told to stop: what runs has all of the time, and what is cut off is told and known.

use shared::units::Unit;
use std::time::{Duration, Instant};

use http::StatusCode;
use shared::fault::FaultKind;
use shared::link::Parting;

use crate::support::{Door, Node, call, let_go, outcome, rest, words};

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_has_all_of_the_time_and_is_told_when_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let door = Door::to(node.address).await;
    // One that takes 3.7 of the 5 seconds, and one that takes 10.
    let (short, long) = (
        call("[tokens:34][pace:100]", true),
        call("[tokens:100][pace:100]", true),
    );
    let (short_body, mut long_body) = (
        door.open(&short, &[]).await.into_body(),
        door.open(&long, &[]).await.into_body(),
    );
    words(&mut long_body, 1).await;
    let begun = Instant::now();
    node.supervisor.stop();
    let looks = async {
        let looker = Door::to(node.address).await;
        let mut looks = 0;
        while begun.elapsed() < Duration::from_secs(3) {
            let (status, text) = looker.get("/readyz").await;
            assert_eq!(
                (status, text.as_str()),
                (StatusCode::SERVICE_UNAVAILABLE, "draining")
            );
            let refused = looker.open(&call("new", true), &[]).await;
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(refused.headers().contains_key("x-waule-not-started"));
            looks += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        looks
    };
    let (looks, (bytes, told), (_, cut)) = tokio::join!(looks, rest(short_body), rest(long_body));
    assert!(looks > 5);
    assert!(bytes.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(told.expect("an outcome").fault, None);
    let cut = cut.expect("an outcome");
    assert!(
        begun.elapsed() > Duration::from_millis(4_200),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        cut.fault.map(|fault| fault.kind),
        Some(FaultKind::Interrupted)
    );
    assert!(cut.usage.count(Unit::OutputToken) > 25);
    node.stop().await;
    assert!(
        begun.elapsed() < Duration::from_millis(6_500),
        "{:?}",
        begun.elapsed()
    );

    let_go(folder.path()).await;
    let later = Node::start(folder.path(), &[]).await;
    let door = Door::to(later.address).await;
    let known = outcome(door.finish(&long.generation, Parting::Abandoned).await);
    assert_eq!(known.usage, cut.usage, "it is in the journal");
    later.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_gateway_says_that_it_drains_before_its_port_closes() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start(folder.path(), &[]).await;
    let begun = Instant::now();
    node.supervisor.stop();
    let door = Door::to(node.address).await;
    let (status, text) = door.get("/readyz").await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    );
    node.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "nothing is waited for"
    );
}
