//! What vendors answer where they are asked, as recorded from their references: a whole answer, its stream
//! where there is one, and what both count. Those of OpenAI's formats are here.

mod others;
pub(super) mod pictures;

use serde_json::{Value, json};
use shared::surface::Surface;

use super::vendor::{self, Seen};

/// A request and its answers.
pub(super) struct Recorded {
    pub(super) request: Value,
    pub(super) whole: &'static str,
    pub(super) stream: &'static str,
    /// Tokens of input and output.
    pub(super) counted: (u64, u64),
}

/// Of a surface; a new one needs its recording here.
pub(super) fn recorded(surface: &Surface) -> Recorded {
    of(surface.path).unwrap_or_else(|| panic!("nothing was recorded of {}", surface.path))
}

fn of(path: &str) -> Option<Recorded> {
    // DashScope's door to the same formats.
    let path = path.strip_prefix("/compatible-mode/v1").unwrap_or(path);
    let of_openai = of_openai(path).or_else(|| pictures::of(path));
    of_openai.or_else(|| others::of(path))
}

fn of_openai(path: &str) -> Option<Recorded> {
    Some(match path {
        "/chat/completions" => Recorded {
            request: json!({"model": "ours", "messages": [{"role": "user", "content": "hi"}]}),
            whole: r#"{"id":"chatcmpl-1","object":"chat.completion","created":1764000000,"model":"theirs","choices":[{"index":0,"message":{"role":"assistant","content":"all well","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default"}"#,
            stream: "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"all well\"},\"finish_reason\":null}],\"usage\":null}\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":10,\"total_tokens\":29}}\n\ndata: [DONE]\n\n",
            counted: (19, 10),
        },
        "/completions" => Recorded {
            request: json!({"model": "ours", "prompt": "Once", "max_tokens": 9}),
            whole: r#"{"id":"cmpl-1","object":"text_completion","created":1764000000,"model":"theirs","choices":[{"text":" upon a time","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}}"#,
            stream: "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1764000000,\"choices\":[{\"text\":\" upon a\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}],\"model\":\"theirs\"}\n\ndata: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1764000000,\"choices\":[{\"text\":\" time\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"length\"}],\"model\":\"theirs\"}\n\ndata: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1764000000,\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":3,\"total_tokens\":4}}\n\ndata: [DONE]\n\n",
            counted: (1, 3),
        },
        "/embeddings" => Recorded {
            request: json!({"model": "ours", "input": "hi"}),
            whole: r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0023,-0.0093]}],"model":"theirs","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            stream: "",
            counted: (8, 0),
        },
        "/images/generations" => Recorded {
            request: json!({"model": "ours", "prompt": "a cat"}),
            whole: r#"{"created":1764000000,"data":[{"b64_json":"aGk="}],"usage":{"total_tokens":100,"input_tokens":50,"output_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}}"#,
            stream: "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aGk=\",\"created_at\":1764000000,\"usage\":{\"total_tokens\":100,\"input_tokens\":50,\"output_tokens\":50,\"input_tokens_details\":{\"text_tokens\":10,\"image_tokens\":40}}}\n\n",
            counted: (50, 50),
        },
        "/moderations" => Recorded {
            request: json!({"model": "ours", "input": "hi"}),
            whole: r#"{"id":"modr-1","model":"theirs","results":[{"flagged":true,"categories":{"violence":true},"category_scores":{"violence":0.99}}]}"#,
            stream: "",
            // Nothing is told: the estimate of the call.
            counted: (10, 0),
        },
        _ => return None,
    })
}

/// What was recorded, whole or as a stream.
pub(super) fn good(seen: &Seen) -> Vec<u8> {
    match of(pictures::meant(seen)) {
        Some(recorded) if seen.is_stream && seen.path.starts_with("/model/") => {
            vendor::frames(recorded.stream)
        }
        Some(recorded) if seen.is_stream => vendor::events(recorded.stream),
        Some(recorded) => vendor::answer("200 OK", recorded.whole),
        None => vendor::answer("404 Not Found", ""),
    }
}

/// The whole answer, whatever was asked for.
pub(super) fn whole_always(seen: &Seen) -> Vec<u8> {
    let recorded = of(&seen.path);
    let whole = recorded.map_or("", |recorded| recorded.whole);
    vendor::answer("200 OK", whole)
}

/// A stream up to before its first end, and what follows there.
pub(super) fn broken(seen: &Seen, what: &str) -> String {
    let stream = of(&seen.path).map_or("", |recorded| recorded.stream);
    let end = stream.find("\"finish_reason\":\"").unwrap_or(stream.len());
    let begun = stream[..end].rfind("data: ").unwrap_or(0);
    let behind = match what {
        "error" => {
            "data: {\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\"}}\n\n"
        }
        "nonsense" => "data: {\"id\":\n\n",
        _ => "",
    };
    format!("{}{behind}", &stream[..begun])
}

/// What the vendor of that kind counts of a call of this surface.
pub(super) fn counted_by(kind: &str, surface: &Surface) -> (u64, u64) {
    let asked_at = match (kind, surface.operation.word()) {
        ("gemini" | "vertex", "embedding") if surface.path == "/embed-content" => surface.path,
        ("gemini" | "vertex", "embedding") => "/batch-embed-contents",
        ("dashscope", "rerank") => "/api/v1/services/rerank/text-rerank/text-rerank",
        (_, "rerank") => "/rerank",
        ("cohere", "embedding") => "/embed",
        (kind, "image") => pictures::asked_at(kind).unwrap_or(surface.path),
        ("anthropic", _) => "/messages",
        ("gemini" | "vertex", _) => "/generate",
        ("bedrock", _) => "/model/theirs/converse",
        ("cohere", _) => "/chat",
        (_, "chat") => "/chat/completions",
        (_, "embedding") => "/embeddings",
        _ => surface.path,
    };
    of(asked_at)
        .unwrap_or_else(|| panic!("nothing was recorded of {asked_at}"))
        .counted
}

/// What was recorded, as a text.
pub(super) fn text(surface: &Surface, stream: bool) -> &'static str {
    let recorded = recorded(surface);
    if stream {
        recorded.stream
    } else {
        recorded.whole
    }
}

/// What was recorded of the stream that is asked for at that path.
pub(super) fn text_at(path: &str) -> &'static str {
    of(path).map_or("", |recorded| recorded.stream)
}

/// A stream without the event that counts, and without the fields that say that none is there.
pub(super) fn without_usage(stream: &str) -> String {
    let events = stream.split_inclusive("\n\n");
    let kept = events.filter(|event| !event.contains("\"choices\":[]"));
    kept.collect::<String>().replace(",\"usage\":null", "")
}
