//! What vendors of pictures answer, from their API references as of 2026-11.

use serde_json::json;

use super::Recorded;
use crate::contract::vendor::Seen;

/// One dot, as a PNG in base64.
pub(in crate::contract) const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const WHOLE: &str = r#"{"created":1764000000,"data":[{"b64_json":"aGk="}],"usage":{"total_tokens":100,"input_tokens":50,"output_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}}"#;

/// By the path, in small letters.
pub(super) fn of(path: &str) -> Option<Recorded> {
    let image = format!("data:image/png;base64,{DOT}");
    Some(match path {
        "/images/edits" => Recorded {
            request: json!({"model": "ours", "prompt": "a blue cat", "image": image}),
            whole: WHOLE,
            stream: "event: image_edit.completed\ndata: {\"type\":\"image_edit.completed\",\"b64_json\":\"aGk=\",\"created_at\":1764000000,\"usage\":{\"total_tokens\":100,\"input_tokens\":50,\"output_tokens\":50,\"input_tokens_details\":{\"text_tokens\":10,\"image_tokens\":40}}}\n\n",
            counted: (50, 50),
        },
        "/images/variations" => Recorded {
            request: json!({"model": "ours", "image": image}),
            whole: WHOLE,
            stream: "",
            counted: (50, 50),
        },
        GOOGLES => whole(
            r#"{"candidates":[{"content":{"role":"model","parts":[{"thought":true,"inlineData":{"mimeType":"image/png","data":"bm8="}},{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":1290,"totalTokenCount":1299,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]},"modelVersion":"theirs"}"#,
            (9, 1_290),
        ),
        ALIYUNS => whole(
            r#"{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":[{"image":"https://dashscope-result.oss/a.png?Expires=1"}]}}]},"usage":{"image_count":1,"width":1024,"height":1024},"request_id":"r"}"#,
            (0, 0),
        ),
        "/theirs/generate" | "/theirs/remix" => whole(
            r#"{"created":"2026-11-01T00:00:00Z","data":[{"url":"https://ideogram.ai/api/images/ephemeral/a.png?exp=1&sig=2","prompt":"a cat","resolution":"1024x1024","is_image_safe":true,"seed":7}],"notice":"new"}"#,
            (0, 0),
        ),
        STABILITYS => whole(
            r#"{"image":"aGk=","finish_reason":"SUCCESS","seed":7}"#,
            (0, 0),
        ),
        _ => return None,
    })
}

fn whole(whole: &'static str, counted: (u64, u64)) -> Recorded {
    Recorded {
        request: json!({}),
        whole,
        stream: "",
        counted,
    }
}

/// Google has one path for all that it makes.
const GOOGLES: &str = "/generate-picture";
const ALIYUNS: &str = "/api/v1/services/aigc/multimodal-generation/generation";
const STABILITYS: &str = "/stable-image/generate/sd3";

/// What the vendor of that kind is asked for a picture at, where that is not the surface's path.
pub(super) fn asked_at(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "gemini" | "vertex" => GOOGLES,
        "dashscope" => ALIYUNS,
        "ideogram" => "/theirs/generate",
        "stability" => STABILITYS,
        _ => return None,
    })
}

/// What it was asked for, where a body tells more than its path.
pub(super) fn meant(seen: &Seen) -> &str {
    if seen
        .body
        .contains(r#""responseModalities":["TEXT","IMAGE"]"#)
    {
        GOOGLES
    } else {
        &seen.path
    }
}
