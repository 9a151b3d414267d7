//! How generations end over the link: left, finished, failed or unknown.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use server::link::http::{HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::fault::FaultKind;
use shared::id::GenerationId;
use shared::link::{GenerationStatus, Generations, LinkError, Parting};
use shared::secret::Secret;
use shared::units::Unit;

use super::{call, stream};
use crate::support::joined::links;
use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn leaving_or_finishing_cancels_within_a_second_and_counts_what_was_produced() {
    let [place, _] = places().await;
    let (supervisor, links) = links(&place).await;
    for (name, link) in &links {
        for leaves in [true, false] {
            let asked = call("hello [tokens:400] [pace:20]", true);
            let mut pieces = stream(link, asked.clone()).await;
            for _ in 0..3 {
                assert!(pieces.next().await.expect(name).is_ok());
            }
            let begun = Instant::now();
            let kept = (!leaves).then_some(pieces);
            let GenerationStatus::Ended { outcome } = link
                .cancel(&[], &asked.generation, Parting::Abandoned)
                .await
                .expect(name)
            else {
                panic!("{name}: it ran")
            };
            assert!(begun.elapsed() < Duration::from_secs(1), "{name}");
            let fault = outcome.fault.expect("cancelled");
            assert_eq!(fault.kind, FaultKind::Canceled, "{name}");
            let produced = outcome.usage.count(Unit::OutputToken);
            assert!((1..100).contains(&produced), "{name}: {produced}");
            drop(kept);
        }
    }
    assert!(
        supervisor.finish(Duration::from_secs(5)).await,
        "nothing is left running"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_unknown_generations_are_told_apart() {
    let [place, _] = places().await;
    let (supervisor, links) = links(&place).await;
    for (name, link) in &links {
        let asked = call("hello [fail:400]", true);
        let failed = link.open(asked.clone()).await;
        let Err(LinkError::Failed(failure)) = failed else {
            panic!("{name}: {failed:?}")
        };
        assert_eq!(failure.fault.kind, FaultKind::BadRequest, "{name}");
        let status = link
            .cancel(&[], &asked.generation, Parting::Abandoned)
            .await
            .expect(name);
        assert!(
            matches!(status, GenerationStatus::Failed { .. }),
            "{name}: {status:?}"
        );
        let status = link
            .cancel(&[], &GenerationId::random(), Parting::Abandoned)
            .await
            .expect(name);
        let own = link.health().await.expect(name);
        let GenerationStatus::Unknown {
            boot,
            had,
            memory_ms,
        } = status
        else {
            panic!("{name}: {status:?}")
        };
        assert_eq!((boot, had), (own, false), "{name}");
        assert!(
            memory_ms.is_some_and(|ms| ms < 600_000),
            "{name}: {memory_ms:?}"
        );
    }
    assert!(
        supervisor.finish(Duration::from_secs(5)).await,
        "nothing is left running"
    );
    // Nobody listens: nothing was started, and that is what is said.
    let secret = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
    let urls = ["http://127.0.0.1:1".to_owned()];
    let nowhere = HttpLink::new(
        &urls,
        &secret,
        Clock::system(),
        LinkSettings::default(),
        LinkMetrics::default(),
    )
    .expect("a link");
    let answer = nowhere.open(call("hello", true)).await;
    assert!(matches!(answer, Err(LinkError::NotSent(_))), "{answer:?}");
}
