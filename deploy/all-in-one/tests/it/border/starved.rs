//! Both cores busy with other work: links that live are not taken for dead, streams are not lost and
//! new calls are not refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use server::link::http::LinkSettings;
use shared::supervisor::Supervisor;

use super::{KEY, behind_a_proxy, expected, stream, vendor_script};
use crate::gateways::vendor::with_vendor;
use crate::support::joined::start_with;
use crate::support::{long, places};

const CHUNKS: usize = 40;
const PACE: Duration = Duration::from_millis(50);

/// Keeps every core busy many times over until it is dropped.
struct Load(Arc<AtomicBool>);

impl Load {
    fn begin(threads_a_core: usize) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for _ in 0..cores * threads_a_core {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut n: u64 = 1;
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..10_000 {
                        n = n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7);
                    }
                    std::hint::black_box(n);
                }
            });
        }
        Self(stop)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_time_loses_no_stream_and_refuses_no_call() {
    let (streams, new_calls, load) = if long() {
        (300, 2_500, 24)
    } else {
        (60, 200, 12)
    };
    let [place, _] = places().await;
    let supervisor = Supervisor::new();
    let (_node, _proxy, urls) = behind_a_proxy(&place, &supervisor, &[]).await;
    let (product, metrics) = start_with(&place, &urls, LinkSettings::default()).await;
    let (vendor, _) = with_vendor(&product, &[KEY]).await;
    let customer = product.customer("10000").await;
    // Limits of a tenant are not what is tried here.
    let (path, none) = (format!("/tenants/{}", customer.id), json!({"limits": {}}));
    let (status, told) = product.admin(Method::PATCH, &path, Some(none)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    vendor_script(&vendor, CHUNKS, PACE);
    let running = join_all((0..streams).map(|_| stream(&product, &customer)));
    let load = Load::begin(load);
    let coming = async {
        tokio::time::sleep(PACE * 8).await;
        join_all((0..new_calls).map(|_| stream(&product, &customer))).await
    };
    let (running, coming) = tokio::join!(running, coming);
    drop(load);
    let bad = |ended: Vec<Result<String, String>>| {
        let whole = Ok(expected(CHUNKS));
        let bad: Vec<_> = ended.into_iter().filter(|one| *one != whole).collect();
        (bad.len(), bad.into_iter().next())
    };
    let (lost, refused) = (bad(running), bad(coming));
    assert_eq!((lost.0, refused.0), (0, 0), "{lost:?} {refused:?}");
    assert_eq!(
        (vendor.calls(KEY), metrics.lost()),
        (streams + new_calls, 0)
    );
    // Nothing was cut: whatever went on over another connection had been given up for nothing.
    let resumed = metrics.resumed();
    assert!(
        resumed <= streams as u64,
        "{resumed} streams went on elsewhere without a cut"
    );
    product.stop().await;
    assert!(supervisor.finish(Duration::from_secs(10)).await);
}
