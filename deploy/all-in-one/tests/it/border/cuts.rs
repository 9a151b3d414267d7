//! Cuts of the link in the middle of streams.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use server::link::http::{Enablement, LinkSettings};
use shared::supervisor::Supervisor;

use super::proxy::{Cut, Proxy};
use super::{KEY, PRICE, behind_a_proxy, expected, stream, vendor_script};
use crate::gateways::vendor::with_vendor;
use crate::support::joined::start_with;
use crate::support::product::Product;
use crate::support::{Place, places, until};

const STREAMS: usize = 300;
const CHUNKS: usize = 50;
/// Between two chunks: a stream takes two seconds and a half.
const PACE: Duration = Duration::from_millis(50);

/// Repeatable by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }
}

/// Cuts connections until it is dropped, none faster than it is replaced.
async fn chaos(proxy: &Proxy, seed: u64, cuts: &AtomicUsize) {
    let mut dice = Dice(seed);
    loop {
        let pause = 20 + dice.roll() % 100;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let cut = Cut::ALL[usize::try_from(dice.roll() % 4).expect("small")];
        if proxy.cut(dice.roll(), cut) {
            cuts.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn all_streams(
    product: &Product,
    customer: &crate::support::product::Customer,
) -> Vec<Result<String, String>> {
    join_all((0..STREAMS).map(|_| stream(product, customer))).await
}

/// What happened while the streams ran.
struct Survived {
    /// Connections that were cut.
    cuts: usize,
    /// Streams that went on over another one.
    resumed: u64,
}

/// Every stream arrives whole, is asked for once and paid once, while connections are cut.
async fn survive(place: &Place, settings: LinkSettings) -> Survived {
    let supervisor = Supervisor::new();
    let (_node, proxy, urls) = behind_a_proxy(place, &supervisor, &[]).await;
    let (product, metrics) = start_with(place, &urls, settings).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    vendor_script(&vendor, CHUNKS, PACE);
    let cuts = AtomicUsize::new(0);
    let ended = tokio::select! {
        () = chaos(&proxy, 0x5eed, &cuts) => unreachable!("it goes on"),
        ended = all_streams(&product, &customer) => ended,
    };
    for (n, ended) in ended.into_iter().enumerate() {
        assert_eq!(ended, Ok(expected(CHUNKS)), "{} stream {n}", place.name);
    }
    assert_eq!(vendor.calls(KEY), STREAMS, "{}: once each", place.name);
    assert_eq!(metrics.lost(), 0);
    // Each stream was compared with what its gateway sent: nothing lacks.
    assert_eq!(metrics.compared(), (STREAMS as u64, 0), "{}", place.name);
    let used = product.settled(&customer).await["used"].as_i64();
    let streams = i64::try_from(STREAMS).expect("few");
    assert_eq!(used, Some(PRICE * streams), "{}", place.name);
    product.stop().await;
    assert!(supervisor.finish(Duration::from_secs(10)).await);
    Survived {
        cuts: cuts.into_inner(),
        resumed: metrics.resumed(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_streams_survive_cuts_of_every_kind() {
    for place in places().await {
        // One place without and one with compression.
        let compression = if place.name == "sqlite" {
            Enablement::Off
        } else {
            Enablement::On
        };
        let settings = LinkSettings {
            compression,
            ..LinkSettings::default()
        };
        let resumed = survive(&place, settings).await.resumed;
        assert!(
            resumed >= STREAMS as u64,
            "{}: {resumed} resumes: nearly nothing was cut",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_come_twice_survive_cuts_and_come_out_once() {
    let [place, _] = places().await;
    let settings = LinkSettings {
        compression: Enablement::On,
        hedging: Enablement::On,
        ..LinkSettings::default()
    };
    let survived = survive(&place, settings).await;
    // Fewer have to go on elsewhere, because one of two connections is left; some do all the same.
    let Survived { cuts, resumed } = survived;
    assert!(cuts >= 20 && resumed > 0, "{cuts} cuts, {resumed} resumes");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_dawdle_are_overtaken_over_another_connection() {
    const FEW: usize = 8;
    let [place, _] = places().await;
    let supervisor = Supervisor::new();
    let (_node, proxy, urls) = behind_a_proxy(&place, &supervisor, &[]).await;
    let settings = LinkSettings {
        hedging: Enablement::On,
        ..LinkSettings::default()
    };
    let (product, metrics) = start_with(&place, &urls, settings).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    vendor_script(&vendor, CHUNKS, PACE);
    let silence = async {
        until("the streams run", Duration::from_secs(20), async || {
            vendor.calls(KEY) == FEW
        })
        .await;
        // Long enough to know their rhythm, long before they end.
        tokio::time::sleep(PACE * 10).await;
        for _ in 0..4 {
            proxy.cut(0, Cut::Silent);
        }
    };
    let streams = join_all((0..FEW).map(|_| stream(&product, &customer)));
    let ((), ended) = tokio::join!(silence, streams);
    for ended in ended {
        assert_eq!(ended, Ok(expected(CHUNKS)));
    }
    let (hedged, won) = metrics.hedged();
    assert!(hedged >= won && won >= 1, "{won} of {hedged} overtook");
    assert_eq!((vendor.calls(KEY), metrics.lost()), (FEW, 0));
    product.stop().await;
    assert!(supervisor.finish(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_link_costs_a_pause_and_an_answer_at_once_is_joined() {
    let [place, _] = places().await;
    let supervisor = Supervisor::new();
    let (_node, proxy, urls) = behind_a_proxy(&place, &supervisor, &[]).await;
    let (product, metrics) = start_with(&place, &urls, LinkSettings::default()).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    // An answer at once, cut while the vendor thinks.
    let body = r#"{"choices":[{"message":{"content":"well"}}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    for cut in Cut::ALL {
        vendor.script(
            KEY,
            vec![(Duration::from_millis(1_500), answer.clone().into_bytes())],
        );
        let cutting = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            proxy.cut_all(cut);
        };
        let calls = vendor.calls(KEY);
        let ((status, told), ()) = tokio::join!(product.chat(&customer, "ours", "hi"), cutting);
        assert_eq!(status, reqwest::StatusCode::OK, "{cut:?}: {told}");
        assert_eq!(told["choices"][0]["message"]["content"], "well");
        assert_eq!(vendor.calls(KEY), calls + 1, "{cut:?}: called once");
    }
    assert_eq!(metrics.lost(), 0);
    assert_eq!(product.settled(&customer).await["used"], 4);
    product.stop().await;
    assert!(supervisor.finish(Duration::from_secs(10)).await);
}
