//! Completions and moderations pass to a provider that speaks them, and come back as they were.

use reqwest::StatusCode;
use serde_json::json;

use super::{json_of, model, post};
use crate::faults::fake::{Fake, answer, provider, stream_of};
use crate::support::joined::{Joined, start};
use crate::support::places;

const TEXT: &str = r#"{"id":"c","object":"text_completion","created":1,"model":"theirs","choices":[{"text":" there was","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
const CHUNKS: &str = "data: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{\"text\":\" there\",\"index\":0,\"finish_reason\":null}]}\n\ndata: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{\"text\":\" was\",\"index\":0,\"finish_reason\":\"stop\"}],\"service_tier\":\"flex\"}\n\ndata: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

const VERDICT: &str =
    r#"{"id":"modr-1","model":"theirs","results":[{"flagged":false,"categories":{}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn both_pass_through_to_a_provider_that_speaks_the_format() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let (fake, address) = Fake::start(|seen| {
            if seen.head.starts_with("post /v1/moderations ") {
                answer("200 OK", "", VERDICT)
            } else if seen.says("\"stream\":true") {
                stream_of(CHUNKS)
            } else {
                answer("200 OK", "", TEXT)
            }
        })
        .await;
        provider(&product, "vendor", &format!("http://{address}/v1"), 1).await;
        // What is served at another tier has another price.
        let rates = json!({"rates": [
            {"unit": "input_token", "credits": 0},
            {"unit": "output_token", "credits": 1, "when": {"tier": ["flex"]}},
            {"unit": "output_token", "credits": 4}]});
        model(&product, "words", "completion", ("vendor", rates)).await;
        model(
            &product,
            "judge",
            "moderation",
            ("vendor", json!({"per_request": 1})),
        )
        .await;
        let customer = product.customer("5000").await;
        let body =
            json!({"model": "words", "prompt": "Once", "max_tokens": 9, "logit_bias": {"1": 2}});
        let (status, text) = post(&product, &customer, "/api/v1/completions", &body).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, TEXT));
        assert_eq!(
            product.settled(&customer).await["used"],
            8,
            "at the usual tier"
        );
        let sent = json_of(&fake.calls()[0].body);
        assert_eq!(sent["model"], "theirs");
        assert_eq!(
            sent["logit_bias"],
            json!({"1": 2}),
            "what nobody reads passes"
        );
        assert!(fake.calls()[0].head.starts_with("post /v1/completions "));
        let mut streamed = body.clone();
        streamed["stream"] = json!(true);
        let (status, text) = post(&product, &customer, "/api/v1/completions", &streamed).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(
            !text.contains("usage") && text.ends_with("data: [DONE]\n\n"),
            "{text}"
        );
        let asked = json_of(&fake.calls()[1].body);
        assert_eq!(asked["stream_options"]["include_usage"], true);
        assert_eq!(
            product.settled(&customer).await["used"],
            10,
            "flex as it was served"
        );
        let (status, text) = post(
            &product,
            &customer,
            "/api/v1/moderations",
            &json!({"model": "judge", "input": "x"}),
        )
        .await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, VERDICT));
        assert_eq!(product.settled(&customer).await["used"], 11);
        product.stop().await;
    }
}
