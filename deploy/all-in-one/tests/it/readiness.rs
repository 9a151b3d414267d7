//! `/readyz` tells when a task is gone without which calls are not taken, not settled or not filed.

use std::time::Duration;

use reqwest::StatusCode;

use crate::support::joined::{Joined, start};
use crate::support::{places, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_a_task_it_needs_is_not_ready() {
    let [place, _] = places().await;
    for task in ["ledger", "filing", "outcomes", "changes", "recovery"] {
        let product = start(&place, Joined::InProcess).await;
        let asked = async |path: &str| {
            let answer = product.http.get(product.url(path)).send().await;
            let answer = answer.expect("an answer");
            (answer.status(), answer.text().await.expect("text"))
        };
        assert_eq!(asked("/readyz").await, (StatusCode::OK, "ready".to_owned()));
        product.supervisor.vital_tasks().kill(task);
        until(task, Duration::from_secs(5), async || {
            asked("/readyz").await.0 == StatusCode::SERVICE_UNAVAILABLE
        })
        .await;
        let (_, words) = asked("/readyz").await;
        assert_eq!(words, "a task has ended; restart this process", "{task}");
        let alive = asked("/healthz").await.0;
        assert_eq!(
            alive,
            StatusCode::OK,
            "it answers, and others may look at it"
        );
        product.supervisor.finish(Duration::from_secs(10)).await;
    }
}
