//! The measurement itself, over a real border: where it can't run, a test says why.

use std::time::{Duration, Instant};

use super::client::{Caller, Route};
use super::figures::Durations;
use super::provider::{PORT, Provider, Rhythm};
use super::stream::Log;
use crate::http::Call;
use crate::netem::border::{Border, Cut, OVERSEAS};
use crate::netem::conditions::{Conditions, Loss};

const DELAY: Duration = Duration::from_millis(30);
const RHYTHM: Rhythm = Rhythm {
    first: Duration::from_millis(5),
    between: Duration::from_millis(5),
    tokens: 40,
};

struct Bench {
    provider: Provider,
    border: Border,
    epoch: Instant,
}

fn bench() -> Option<Bench> {
    if let Some(missing) = crate::netem::missing() {
        eprintln!("NOT TESTED: the border of `bench link` can't be had here: {missing}");
        return None;
    }
    let conditions = Conditions {
        delay: DELAY,
        jitter: Duration::ZERO,
        loss: Loss::NONE,
        bits_per_second: None,
        queue_bytes: None,
        seed: 1,
    };
    let border = Border::new(conditions, "reno").unwrap();
    let epoch = Instant::now();
    let provider = Provider::start(&border.overseas, RHYTHM, epoch).unwrap();
    Some(Bench {
        provider,
        border,
        epoch,
    })
}

impl Bench {
    /// Two streams, one after the other; `meanwhile` runs beside them.
    fn stream(&self, route: Route, meanwhile: impl Future<Output = ()> + Send) -> [Log; 2] {
        let url = format!("http://{OVERSEAS}:{PORT}/v1/chat/completions");
        let call = Call::post(&url, r#"{"stream":true}"#).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let inside = self.border.home.run(|| {
            runtime.block_on(async {
                let mut caller = Caller::new(route);
                let streams = async {
                    [
                        caller.stream(&call, self.epoch, RHYTHM.tokens).await,
                        caller.stream(&call, self.epoch, RHYTHM.tokens).await,
                    ]
                };
                tokio::join!(streams, meanwhile).0
            })
        });
        inside.unwrap()
    }
}

#[test]
fn the_measured_delay_is_that_of_the_border() {
    let Some(bench) = bench() else { return };
    for route in [Route::Own, Route::shared()] {
        let before = bench.provider.streams();
        let logs = bench.stream(route, async {});
        for log in &logs {
            assert_eq!(log.failure, None);
            let delay = Durations::of(log.arrivals.iter().map(|arrival| arrival.delay));
            assert!(delay.percentile_ms(1).unwrap() >= 30.0);
            // A busy machine is late at times, but not always.
            let quick = delay.percentile_ms(20).unwrap();
            assert!(quick < 60.0, "a fifth within {quick} ms");
        }
        assert_eq!(bench.provider.streams() - before, 2);
    }
}

#[test]
fn a_cut_stream_is_a_failure_and_the_next_one_lives() {
    let Some(bench) = bench() else { return };
    for route in [Route::Own, Route::shared()] {
        let began = bench.provider.streams();
        let cut = async {
            while bench.provider.streams() == began {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(bench.border.control().cut(Cut::Reset).unwrap() >= Some(1));
        };
        let [first, second] = bench.stream(route, cut);
        assert!(first.failure.is_some());
        assert_eq!(second.failure, None);
    }
}
