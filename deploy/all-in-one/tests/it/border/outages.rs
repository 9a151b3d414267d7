//! Outages of the whole link that are longer than a pause and shorter than its patience: nothing is
//! lost, neither what runs nor what comes meanwhile.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::StatusCode;
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use super::proxy::Cut;
use super::{KEY, PRICE, behind_a_proxy, expected, stream, vendor_script};
use crate::gateways::vendor::{GOOD, answer, at_once, with_vendor};
use crate::support::joined::start_with;
use crate::support::{long, places, until};

const STREAMS: usize = 12;
const NEW_CALLS: usize = 12;
/// Streams end well before an outage does.
const CHUNKS: usize = 40;
const PACE: Duration = Duration::from_millis(50);

/// One outage: how long it takes, what the server's patience is, and how long a gateway keeps what
/// nobody is attached to where a server does not say.
struct Outage {
    lasts: Duration,
    patience: Duration,
    detached_seconds: &'static str,
}

fn outages() -> Vec<Outage> {
    let seconds = |lasts, patience, detached_seconds| Outage {
        lasts: Duration::from_secs(lasts),
        patience: Duration::from_secs(patience),
        detached_seconds,
    };
    if long() {
        // As they are set by default.
        vec![seconds(12, 30, "10"), seconds(25, 30, "10")]
    } else {
        vec![seconds(5, 12, "1")]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_within_the_servers_patience_loses_no_stream_and_refuses_no_call() {
    for outage in outages() {
        for place in places().await {
            let supervisor = Supervisor::new();
            let more = ["--detached-seconds", outage.detached_seconds];
            let (_node, proxy, urls) = behind_a_proxy(&place, &supervisor, &more).await;
            let settings = LinkSettings {
                patience: outage.patience,
                ..LinkSettings::default()
            };
            let (product, metrics) = start_with(&place, &urls, settings).await;
            let (vendor, customer) = with_vendor(&product, &[KEY]).await;
            vendor_script(&vendor, CHUNKS, PACE);
            let before = product.settled(&customer).await["used"]
                .as_i64()
                .unwrap_or(0);
            let dark = async {
                until("the streams run", Duration::from_secs(20), async || {
                    vendor.calls(KEY) >= STREAMS
                })
                .await;
                tokio::time::sleep(PACE * 8).await;
                proxy.black_out(outage.lasts).await;
            };
            // They begin in the dark.
            let new_calls = async {
                until("the streams run", Duration::from_secs(20), async || {
                    vendor.calls(KEY) >= STREAMS
                })
                .await;
                tokio::time::sleep(PACE * 8 + outage.lasts / 4).await;
                join_all((0..NEW_CALLS).map(|_| stream(&product, &customer))).await
            };
            let streams = join_all((0..STREAMS).map(|_| stream(&product, &customer)));
            let ((), new_calls, streams) = tokio::join!(dark, new_calls, streams);
            for (n, ended) in streams.into_iter().enumerate() {
                assert_eq!(ended, Ok(expected(CHUNKS)), "{} stream {n}", place.name);
            }
            for (n, ended) in new_calls.into_iter().enumerate() {
                assert_eq!(ended, Ok(expected(CHUNKS)), "{} new call {n}", place.name);
            }
            assert_eq!(
                vendor.calls(KEY),
                STREAMS + NEW_CALLS,
                "{}: once each",
                place.name
            );
            assert_eq!(metrics.lost(), 0);
            let used = product.settled(&customer).await["used"]
                .as_i64()
                .unwrap_or(0)
                - before;
            let calls = i64::try_from(STREAMS + NEW_CALLS).expect("few");
            assert_eq!(used, PRICE * calls, "{}", place.name);
            product.stop().await;
            assert!(supervisor.finish(Duration::from_secs(10)).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_call_waits_for_a_gateway_that_is_away_and_not_beyond_its_patience() {
    let [place, _] = places().await;
    let supervisor = Supervisor::new();
    let (_node, proxy, urls) = behind_a_proxy(&place, &supervisor, &[]).await;
    let settings = LinkSettings {
        patience: Duration::from_secs(3),
        ..LinkSettings::default()
    };
    let (product, metrics) = start_with(&place, &urls, settings).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    vendor.script(KEY, at_once(answer("200 OK", "", GOOD)));
    let (status, told) = product.chat(&customer, "ours", "hi").await;
    assert_eq!(status, StatusCode::OK, "{told}");
    // Away for good: refused when its patience is over, and it costs nothing.
    let began = Instant::now();
    let dark = async {
        proxy.cut_all(Cut::Reset);
        proxy.black_out(Duration::from_secs(20)).await;
    };
    let refused = tokio::select! {
        () = dark => panic!("a call waited for ever"),
        refused = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            product.chat(&customer, "ours", "hi").await
        } => refused,
    };
    assert_eq!(refused.0, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.1);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
    assert!(metrics.calls_that_waited() >= 1);
    assert_eq!(product.settled(&customer).await["used"], 1);
    assert_eq!(vendor.calls(KEY), 1);
    product.stop().await;
    assert!(supervisor.finish(Duration::from_secs(10)).await);
}
