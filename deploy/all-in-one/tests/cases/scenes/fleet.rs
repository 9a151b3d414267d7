//! Several gateways: one is gone for good, and the holds of calls on the others recover.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::process::Program;
use super::{Reading, by_token, charged_as_received, figures, folder, paced};
use crate::case::case;
use crate::fake::always;
use crate::support::{places, until};
use crate::world::{Shape, run};

const PACE: Duration = Duration::from_millis(30);

#[test]
fn one_gateway_that_is_gone_for_good_does_not_stop_the_recovery_of_the_others_calls() {
    run(async {
        for place in places().await {
            // Gateways share their providers; the server's database is the place's.
            let folders = [folder(), folder()];
            let mut gone = Program::gateway(&folders[0], &[]);
            let mut stays = Program::gateway(&folders[0], &[]);
            gone.start().await;
            stays.start().await;
            let urls = format!("{}#name=gone,{}#name=stays", gone.url(), stays.url());
            let mut server = Program::server(&folders[1], (&place.database_url, &urls), &[]);
            server.start().await;
            let product = server.product().await;
            let rows = vec![always(paced(400, PACE))];
            let case = case(Shape::Apart, rows)
                .price(by_token())
                .balance("100000")
                .start_on(product)
                .await;
            let streams = Mutex::new(Vec::new());
            for gateway in ["gone", "stays"] {
                let name = format!("{}-{gateway}", case.model);
                let target =
                    json!({"provider": case.first, "model": "their-name", "gateway": gateway});
                let body = json!({"id": name, "operation": "chat", "targets": [target],
                    "max_output_tokens": 1000, "price": by_token()});
                let (status, made) = product.admin(Method::POST, "/models", Some(body)).await;
                assert_eq!(status, StatusCode::CREATED, "{made}");
                let mut asked = case.chat_body(&json!({"model": name}));
                asked["stream"] = true.into();
                let request = || case.request("/api/v1/chat/completions").json(&asked);
                // A gateway sees within seconds what was told to the other.
                let knows = async || {
                    let answer = request().send().await.expect("an answer");
                    let is_known = answer.status().is_success();
                    if is_known {
                        streams
                            .lock()
                            .expect("no panic")
                            .push(Reading::read(answer));
                    }
                    is_known
                };
                until(
                    "the gateway knows the provider",
                    Duration::from_secs(30),
                    knows,
                )
                .await;
                for _ in 0..2 {
                    let stream = Reading::of(request()).await;
                    streams.lock().expect("no panic").push(stream);
                }
            }
            let mut streams = streams.into_inner().expect("no panic");
            for stream in &mut streams {
                stream.until(20).await;
            }
            server.kill();
            gone.kill();
            for stream in &mut streams {
                stream.rest().await;
            }
            let received: Vec<usize> = streams[3..].iter().map(Reading::words).collect();
            let begun = Instant::now();
            server.start().await;
            let settled = async {
                loop {
                    let key = Some(case.customer.key.as_str());
                    let path = "/api/v1/usage?limit=100";
                    let (_, page) = product.send(Method::GET, path, key, None).await;
                    let records = page["data"].as_array().cloned().unwrap_or_default();
                    let is_theirs = |record: &serde_json::Value| {
                        let model = record["model"].as_str();
                        let is_there = model.is_some_and(|model| model.ends_with("-stays"));
                        // Not those that came before the gateway knew the provider.
                        is_there && record["output_tokens"] != 0
                    };
                    let records: Vec<_> = records.into_iter().filter(is_theirs).collect();
                    if records.len() == 3 {
                        return records;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            let settled = tokio::time::timeout(Duration::from_secs(25), settled).await;
            let settled = settled.expect("calls on the living gateway are settled");
            let charged: f64 = settled
                .iter()
                .filter_map(|record| record["credits"].as_f64())
                .sum();
            figures(
                "a gateway gone for good",
                &format!(
                    "{}: the others' calls settled after {:?}, received {received:?}, charged {charged}",
                    place.name,
                    begun.elapsed()
                ),
            );
            charged_as_received(charged, &received, PACE);
            server.verify();
            assert_eq!(case.calls().len(), 6);
        }
    });
}
