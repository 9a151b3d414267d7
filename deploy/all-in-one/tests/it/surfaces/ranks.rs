//! Rankings from the tenant's side: where they are called, what they hold and cost by searches and by tokens,
//! and how a refusal reads.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{json_of, model, name, post};
use crate::faults::fake::{Fake, answer, provider};
use crate::support::joined::{Joined, start};
use crate::support::places;

fn asked(model: &str) -> Value {
    json!({"model": model, "query": "what moves the tides", "top_n": 1, "return_documents": true,
        "documents": ["Bread is made of flour.", "The moon moves the tides."]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ranking_is_called_where_each_client_looks_for_it_and_priced_by_searches() {
    for place in places().await {
        for joined in [Joined::InProcess, Joined::OverHttp] {
            let product = start(&place, joined).await;
            let ranker = name("ranker", joined);
            let price = json!({"rates": [{"unit": "search", "credits": 2}, {"unit": "input_token", "credits": 0}]});
            model(&product, &ranker, "rerank", ("sandbox", price)).await;
            let customer = product.customer("100").await;
            let paths = [
                "/api/v1/rerank",
                "/api/v2/rerank",
                "/v2/rerank",
                "/v1/rerank",
                "/api/v1/v2/rerank",
                "/api/v1/v1/rerank",
            ];
            for (number, path) in (1..).zip(paths) {
                let (status, text) = post(&product, &customer, path, &asked(&ranker)).await;
                assert_eq!(status, StatusCode::OK, "{path}: {text}");
                let told = json_of(&text);
                assert_eq!(told["results"].as_array().map(Vec::len), Some(1), "{text}");
                let best = &told["results"][0];
                assert_eq!(
                    best["document"]["text"], "The moon moves the tides.",
                    "{text}"
                );
                assert_eq!(told["meta"]["billed_units"]["search_units"], 1, "{text}");
                let used = product.settled(&customer).await["used"].clone();
                assert_eq!(used, 2 * number, "{path}");
            }
            let many = json!({"model": ranker, "query": "q", "documents": vec!["a"; 201]});
            let (status, text) = post(&product, &customer, "/api/v1/rerank", &many).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            assert_eq!(product.settled(&customer).await["used"], 12 + 6);
            for (path, status) in [
                ("/v3/rerank", StatusCode::NOT_FOUND),
                ("/v2/chat/completions", StatusCode::NOT_FOUND),
                ("/v2/rerank/more", StatusCode::NOT_FOUND),
            ] {
                let (found, text) = post(&product, &customer, path, &asked(&ranker)).await;
                assert_eq!(found, status, "{path}: {text}");
            }
            product.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ranking_is_held_for_by_its_tokens_and_a_refusal_reads_in_either_shape() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let price = json!({"input_per_million": 1_000_000});
        model(&product, "by-token", "rerank", ("sandbox", price)).await;
        let customer = product.customer("120").await;
        // A query of 22 bytes with each of two documents, of 25 and 27.
        let (status, text) = post(&product, &customer, "/v2/rerank", &asked("by-token")).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let tokens = json_of(&text)["usage"]["total_tokens"].clone();
        assert_eq!(product.settled(&customer).await["used"], tokens);
        let mut dear = asked("by-token");
        dear["documents"] = json!(vec!["a document"; 10]);
        let none = json!({"model": "by-token", "query": "q", "documents": []});
        let unknown = asked("nobody");
        for (body, status, code) in [
            (&dear, StatusCode::PAYMENT_REQUIRED, "insufficient_credits"),
            (&unknown, StatusCode::NOT_FOUND, "model_not_found"),
            (&none, StatusCode::BAD_REQUEST, ""),
        ] {
            let (found, text) = post(&product, &customer, "/v2/rerank", body).await;
            assert_eq!(found, status, "{text}");
            let told = json_of(&text);
            assert!(
                told["message"]
                    .as_str()
                    .is_some_and(|said| !said.is_empty()),
                "{text}"
            );
            assert_eq!(told["message"], told["detail"], "{text}");
            assert_eq!(told["message"], told["error"]["message"], "{text}");
            if !code.is_empty() {
                assert_eq!(told["error"]["code"], code, "{text}");
            }
        }
        assert_eq!(product.settled(&customer).await["used"], tokens, "all free");
        product.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_makes_up_is_not_charged() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (_fake, address) = Fake::start(|seen| {
            let places = if seen.says("twice") {
                r#"[{"index":1,"relevance_score":0.9},{"index":1,"relevance_score":0.8}]"#
            } else if seen.says("beyond") {
                r#"[{"index":7,"relevance_score":0.9},{"index":1,"relevance_score":0.8}]"#
            } else {
                r#"[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]"#
            };
            let told =
                format!(r#"{{"id":"r","results":{places},"usage":{{"total_tokens":999999999}}}}"#);
            answer("200 OK", "", &told)
        })
        .await;
        provider(&product, "vendor", &format!("http://{address}/v1"), 1).await;
        let price = json!({"input_per_million": 1_000_000});
        model(&product, "ranker", "rerank", ("vendor", price)).await;
        let customer = product.customer("500").await;
        for query in ["twice", "beyond"] {
            let body = json!({"model": "ranker", "query": query, "documents": ["a", "b"]});
            let (status, text) = post(&product, &customer, "/v1/rerank", &body).await;
            assert_eq!(status, StatusCode::BAD_GATEWAY, "{text}");
        }
        assert_eq!(product.settled(&customer).await["used"], 0);
        // A count beyond what was sent is not believed: two documents and twice the query, each with its quotes.
        let body = json!({"model": "ranker", "query": "fair", "documents": ["a", "b"]});
        let (status, text) = post(&product, &customer, "/v1/rerank", &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert_eq!(product.settled(&customer).await["used"], 2 * 3 + 2 * 6);
        product.stop().await;
    }
}
