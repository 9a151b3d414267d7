//! A process is killed, or told to stop, with answers under way: what was received is the most that is
//! paid, whoever can read is told, and readiness goes before the port.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;

use super::process::Program;
use super::{Reading, by_token, charged_as_received, credits, exact, figures, folder, paced};
use crate::case::{Case, case};
use crate::fake::always;
use crate::fake::bodies::whole;
use crate::support::{client, places};
use crate::world::{Shape, run};

const STREAMS: usize = 3;
const PACE: Duration = Duration::from_millis(25);

/// How the product of a scene stands.
struct Stand {
    name: String,
    server: Program,
    /// None where it is inside.
    _gateway: Option<Program>,
}

/// In one process and apart, on both databases.
async fn stands(more: &[(&str, &str)]) -> Vec<Stand> {
    let mut stands = Vec::new();
    for place in places().await {
        for apart in [false, true] {
            let folder = folder();
            let name = format!(
                "{}, {}",
                place.name,
                if apart { "apart" } else { "one process" }
            );
            let (server, gateway) = if apart {
                let mut gateway = Program::gateway(&folder, more);
                gateway.start().await;
                let urls = (place.database_url.as_str(), gateway.url());
                (
                    Program::server(&folder, (urls.0, &urls.1), more),
                    Some(gateway),
                )
            } else {
                (Program::whole(&folder, &place.database_url, more), None)
            };
            let mut stand = Stand {
                name,
                server,
                _gateway: gateway,
            };
            stand.server.start().await;
            stands.push(stand);
        }
    }
    stands
}

async fn streams(stand: &Stand, pace: Duration) -> (Case, Vec<Reading>) {
    let rows = vec![always(paced(600, pace))];
    let product = stand.server.product().await;
    let case = case(Shape::Whole, rows)
        .price(by_token())
        .balance("100000")
        .start_on(product)
        .await;
    let mut streams = join_all((0..STREAMS).map(|_| Reading::begin(&case))).await;
    for (n, stream) in streams.iter_mut().enumerate() {
        stream.until(20 + 5 * n).await;
    }
    (case, streams)
}

#[test]
fn a_server_that_is_killed_charges_what_its_clients_received() {
    run(async {
        for mut stand in stands(&[]).await {
            let (case, mut streams) = streams(&stand, PACE).await;
            // Within the first two seconds of each.
            stand.server.kill();
            join_all(streams.iter_mut().map(Reading::rest)).await;
            let received: Vec<usize> = streams.iter().map(Reading::words).collect();
            stand.server.start().await;
            let bills = exact(&case, &stand.server, STREAMS).await;
            let charged: f64 = bills.iter().map(|bill| bill.credits).sum();
            figures(
                "server killed",
                &format!(
                    "{}: received {received:?} tokens, charged {charged}",
                    stand.name
                ),
            );
            charged_as_received(charged, &received, PACE);
        }
    });
}

#[test]
fn a_whole_answer_that_nobody_got_is_free_when_its_server_is_killed() {
    run(async {
        for mut stand in stands(&[]).await {
            let counted = serde_json::json!({"prompt_tokens": 10, "completion_tokens": 100});
            let slow = whole(&"word ".repeat(100), &counted).after(Duration::from_millis(1_200));
            let product = stand.server.product().await;
            let case = case(Shape::Whole, vec![always(slow)])
                .price(by_token())
                .balance("100000")
                .start_on(product)
                .await;
            let body = case.chat_body(&Value::Null);
            let asking = case.request("/api/v1/chat/completions").json(&body).send();
            let killing = async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                stand.server.kill();
            };
            let (told, ()) = tokio::join!(asking, killing);
            assert!(told.is_err(), "nothing was answered");
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            stand.server.start().await;
            let balance = case.settled().await;
            stand.server.verify();
            let used = &balance["used"];
            figures(
                "server killed before a whole answer",
                &format!("{}: charged {used}", stand.name),
            );
            assert_eq!(*used, 0, "{}: {balance}", stand.name);
            assert_eq!(case.calls().len(), 1, "{}", stand.name);
        }
    });
}

#[test]
fn a_server_that_stops_ends_every_stream_with_an_error_that_can_be_read() {
    run(async {
        for mut stand in stands(&[("SHUTDOWN_SECONDS", "3")]).await {
            let (case, mut streams) = streams(&stand, Duration::from_millis(50)).await;
            let begun = Instant::now();
            stand.server.tell_to_stop();
            join_all(streams.iter_mut().map(Reading::rest)).await;
            let took = begun.elapsed();
            for stream in &streams {
                assert!(!stream.is_done(), "{}: it was not whole", stand.name);
                let error = stream.error();
                assert!(
                    error.is_some(),
                    "{}: no error after {took:?}: {}",
                    stand.name,
                    &stream.text[stream.text.len().saturating_sub(300)..]
                );
                assert!(!stream.torn, "{}: the body ends properly", stand.name);
            }
            stand.server.end(Duration::from_secs(20)).await;
            assert!(took < Duration::from_secs(8), "{}: {took:?}", stand.name);
            let received: usize = streams.iter().map(Reading::words).sum();
            stand.server.start().await;
            let bills = exact(&case, &stand.server, STREAMS).await;
            let charged: f64 = bills.iter().map(|bill| bill.credits).sum();
            figures(
                "server stopped",
                &format!(
                    "{}: {STREAMS} streams told after {took:?}, received {received}, charged {charged}",
                    stand.name
                ),
            );
            // What was on its way arrives before the error does.
            let off = (charged - credits(received)).abs();
            assert!(off < 1e-6, "{}: {received} {bills:?}", stand.name);
        }
    });
}

#[test]
fn readiness_goes_before_the_port() {
    run(async {
        for mut stand in stands(&[("SHUTDOWN_SECONDS", "6")]).await {
            let (_case, mut streams) = streams(&stand, Duration::from_millis(50)).await;
            let http = client();
            let ready = format!("{}/readyz", stand.server.url());
            stand.server.tell_to_stop();
            let begun = Instant::now();
            let mut told = None;
            while begun.elapsed() < Duration::from_secs(4) {
                let Ok(answer) = http.get(&ready).send().await else {
                    break;
                };
                if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                    let text = answer.text().await.unwrap_or_default();
                    told = Some((begun.elapsed(), text));
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let (after, text) = told.unwrap_or_else(|| panic!("{}: it never said so", stand.name));
            assert!(text.contains("draining"), "{}: {text}", stand.name);
            // The port stays for those that were sent here meanwhile.
            let fresh = client()
                .get(format!("{}/healthz", stand.server.url()))
                .send()
                .await;
            assert!(fresh.is_ok(), "{}: the port is closed already", stand.name);
            figures(
                "readiness",
                &format!("{}: draining said after {after:?}", stand.name),
            );
            join_all(streams.iter_mut().map(Reading::rest)).await;
            stand.server.end(Duration::from_secs(20)).await;
        }
    });
}

#[test]
fn a_gateway_that_stops_drains_for_its_time_and_says_so() {
    run(async {
        let [place, _] = places().await;
        let folder = folder();
        let mut gateway = Program::gateway(&folder, &[("SHUTDOWN_SECONDS", "8")]);
        gateway.start().await;
        let urls = (place.database_url.as_str(), gateway.url());
        let mut server = Program::server(&folder, (urls.0, &urls.1), &[]);
        server.start().await;
        let rows = vec![always(paced(60, Duration::from_millis(50)))];
        let case = case(Shape::Apart, rows)
            .price(by_token())
            .balance("100000")
            .start_on(server.product().await)
            .await;
        let mut stream = Reading::begin(&case).await;
        stream.until(5).await;
        gateway.tell_to_stop();
        let answer = client()
            .get(format!("{}/readyz", gateway.url()))
            .send()
            .await;
        let answer = answer.expect("the port is open while it drains");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.text().await.unwrap_or_default().contains("draining"));
        // Three seconds of stream fit into eight of time.
        stream.rest().await;
        assert!(stream.is_done() && stream.words() == 60, "{}", stream.text);
        gateway.end(Duration::from_secs(20)).await;
        let bills = exact(&case, &server, 1).await;
        bills[0].costs(credits(60));
        assert!(gateway.is_running() || server.is_running());
    });
}
