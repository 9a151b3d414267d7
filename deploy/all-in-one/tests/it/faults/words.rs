//! What a tenant reads of a refusal: the provider's reason in any form, and nothing of whose account it
//! was.

use serde_json::json;

use super::fake::{Fake, answer, ask, model, provider};
use crate::support::joined::{Joined, start};
use crate::support::places;

/// Status line and body of a refusal; what the tenant gets, reads, and whether it is told not to retry.
const TOLD: [(&str, &str, u16, &str, bool); 16] = [
    (
        "400 Bad Request",
        r#"{"error":{"message":"bad temperature","param":"temperature","code":"invalid_value"}}"#,
        400,
        "bad temperature",
        true,
    ),
    (
        "400 Bad Request",
        r#"[{"error":{"code":400,"message":"Please use a valid role."}}]"#,
        400,
        "Please use a valid role.",
        true,
    ),
    (
        "400 Bad Request",
        r#"{"detail":"too many messages"}"#,
        400,
        "too many messages",
        true,
    ),
    (
        "422 Unprocessable Entity",
        r#"{"detail":[{"loc":["body","foo"],"msg":"Extra inputs are not permitted","type":"extra_forbidden"}]}"#,
        422,
        "foo: Extra inputs are not permitted",
        true,
    ),
    (
        "400 Bad Request",
        r#"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#,
        400,
        "too long",
        true,
    ),
    (
        "400 Bad Request",
        r#"{"error":"no tools here"}"#,
        400,
        "no tools here",
        true,
    ),
    (
        "400 Bad Request",
        r#"{"message":"at the top"}"#,
        400,
        "at the top",
        true,
    ),
    ("400 Bad Request", "plain words\n", 400, "plain words", true),
    (
        "400 Bad Request",
        "<html>400</html>",
        400,
        "The provider refused the request.",
        true,
    ),
    (
        "409 Conflict",
        r#"{"error":{"message":"it is there"}}"#,
        409,
        "it is there",
        true,
    ),
    (
        "413 Payload Too Large",
        r#"{"error":{"message":"too big"}}"#,
        413,
        "too big",
        true,
    ),
    (
        "429 Too Many Requests",
        r#"{"error":{"message":"Request too large for m in organization org-AbCdEf123456 on tokens per min (TPM): Limit 30000, Requested 50000.","code":"rate_limit_exceeded"}}"#,
        413,
        "Request too large for m in organization … on tokens per min (TPM): Limit 30000, Requested 50000.",
        true,
    ),
    (
        "200 OK",
        r#"{"error":{"message":"bad temperature","code":400}}"#,
        400,
        "bad temperature",
        true,
    ),
    (
        "400 Bad Request",
        r#"{"error":{"message":"Project proj_a1b2c3d4e5 of org-a1b2c3d4e5 with key-of-p13-0 at 127.0.0.1:9: see https://docs.vendor.example/errors or mail help@vendor.example"}}"#,
        400,
        "Project … of … with … at …: see … or mail …",
        true,
    ),
    (
        "400 Bad Request",
        r#"{"error":{"message":"https://mine.example/cat.png could not be fetched"}}"#,
        400,
        "https://mine.example/cat.png could not be fetched",
        true,
    ),
    (
        "500 Internal Server Error",
        r#"{"error":{"message":"secret stack trace"}}"#,
        503,
        "No provider is available for this call right now. Nothing was charged.",
        false,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_reads_the_reason_and_nothing_of_the_account() {
    for place in places().await {
        let product = start(&place, Joined::OverHttp).await;
        let customer = product.customer("1000").await;
        for (row, (line, body, status, message, is_final)) in TOLD.into_iter().enumerate() {
            let (_, address) = Fake::start(move |_| answer(line, "", body)).await;
            let name = format!("p{row}");
            provider(&product, &name, &format!("http://{address}/v1"), 1).await;
            model(&product, &name, &[&name]).await;
            let text = "look at https://mine.example/cat.png";
            let got = ask(&product, &customer, &name, (text, json!({}))).await;
            assert_eq!(got.status.as_u16(), status, "{line} {body}: {}", got.text);
            assert_eq!(got.json()["error"]["message"], message, "{line} {body}");
            let retry = got.header("x-should-retry");
            assert_eq!(retry, is_final.then_some("false"), "{line} {body}");
        }
        let answered = product.settled(&customer).await;
        assert_eq!(answered["used"], 0, "nothing of it is charged");
        product.stop().await;
    }
}
