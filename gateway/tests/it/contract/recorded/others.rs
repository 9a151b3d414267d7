//! What vendors of other formats answer: Anthropic, Google, Amazon and Cohere, from their API references as of
//! 2026-11, and OpenAI's Responses.

use serde_json::json;

use super::Recorded;

/// By the end of the path, in small letters.
pub(super) fn of(path: &str) -> Option<Recorded> {
    Some(match path {
        "/messages"
        | "/publishers/anthropic/models/claude-haiku-4-5@20251001:rawpredict"
        | "/publishers/anthropic/models/claude-haiku-4-5@20251001:streamrawpredict" => Recorded {
            request: json!({"model": "ours", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}),
            whole: ANTHROPIC_WHOLE,
            stream: ANTHROPIC_STREAM,
            counted: (19, 10),
        },
        "/generate"
        | "/models/theirs:generatecontent"
        | "/models/theirs:streamgeneratecontent?alt=sse"
        | "/publishers/google/models/theirs:generatecontent"
        | "/publishers/google/models/theirs:streamgeneratecontent?alt=sse" => Recorded {
            request: json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
            whole: GEMINI_WHOLE,
            stream: GEMINI_STREAM,
            counted: (8, 14),
        },
        "/embed-content"
        | "/models/theirs:embedcontent"
        | "/publishers/google/models/theirs:embedcontent" => Recorded {
            request: json!({"content": {"parts": [{"text": "hi"}]}}),
            whole: r#"{"embedding":{"values":[0.0125,-0.5]}}"#,
            stream: "",
            // Nothing is told: the estimate of the call.
            counted: (10, 0),
        },
        "/batch-embed-contents"
        | "/models/theirs:batchembedcontents"
        | "/publishers/google/models/theirs:batchembedcontents" => Recorded {
            request: json!({"requests": [{"model": "models/ours", "content": {"parts": [{"text": "hi"}]}}]}),
            whole: r#"{"embeddings":[{"values":[0.0125,-0.5]}],"usageMetadata":{"promptTokenCount":6,"totalTokenCount":6}}"#,
            stream: "",
            counted: (6, 0),
        },
        "/responses" => Recorded {
            request: json!({"model": "ours", "input": "hi"}),
            whole: RESPONSES_WHOLE,
            stream: RESPONSES_STREAM,
            counted: (36, 87),
        },
        "/model/theirs/converse" | "/model/theirs/converse-stream" => Recorded {
            request: json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}),
            whole: CONVERSE_WHOLE,
            stream: CONVERSE_STREAM,
            counted: (12, 6),
        },
        "/chat" => Recorded {
            request: json!({"model": "ours", "messages": [{"role": "user", "content": "hi"}]}),
            whole: COHERE_WHOLE,
            stream: COHERE_STREAM,
            counted: (5, 7),
        },
        _ => return rank_or_embed(path),
    })
}

/// Those that rank and embed, in forms of their own.
fn rank_or_embed(path: &str) -> Option<Recorded> {
    Some(match path {
        "/rerank" => Recorded {
            request: json!({"model": "ours", "query": "q", "documents": ["a", "b"]}),
            whole: r#"{"model":"theirs","object":"list","usage":{"total_tokens":42,"prompt_tokens":42},"results":[{"index":1,"relevance_score":0.93},{"index":0,"relevance_score":0.02}]}"#,
            stream: "",
            counted: (42, 0),
        },
        "/api/v1/services/rerank/text-rerank/text-rerank" => Recorded {
            request: json!({}),
            whole: r#"{"output":{"results":[{"index":1,"relevance_score":0.93},{"index":0,"relevance_score":0.02}]},"usage":{"total_tokens":79},"request_id":"85ba5752"}"#,
            stream: "",
            counted: (79, 0),
        },
        "/embed" => Recorded {
            request: json!({}),
            whole: r#"{"id":"e-1","embeddings":{"float":[[0.0125,-0.5]]},"texts":["hi"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":2}},"response_type":"embeddings_by_type"}"#,
            stream: "",
            counted: (2, 0),
        },
        _ => return None,
    })
}

const ANTHROPIC_WHOLE: &str = r#"{"id":"msg_01","type":"message","role":"assistant","model":"theirs","content":[{"type":"text","text":"all well"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":10,"output_tokens":10,"service_tier":"standard"}}"#;

const ANTHROPIC_STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"theirs","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":10,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"all"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" well"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":10}}

event: message_stop
data: {"type":"message_stop"}

"#;

const GEMINI_WHOLE: &str = r#"{"candidates":[{"content":{"parts":[{"text":"all well"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":10,"thoughtsTokenCount":4,"totalTokenCount":22,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]},"modelVersion":"theirs","responseId":"r-1"}"#;

const GEMINI_STREAM: &str = concat!(
    r#"data: {"candidates":[{"content":{"parts":[{"text":"all"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1,"totalTokenCount":9},"modelVersion":"theirs","responseId":"r-1"}"#,
    "\r\n\r\n",
    r#"data: {"candidates":[{"content":{"parts":[{"text":" well"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":10,"thoughtsTokenCount":4,"totalTokenCount":22},"modelVersion":"theirs","responseId":"r-1"}"#,
    "\r\n\r\n",
);

const RESPONSES_WHOLE: &str = r#"{"id":"resp_1","object":"response","created_at":1764000000,"status":"completed","error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"theirs","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"all well","annotations":[]}]}],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":0},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":123}}"#;

const RESPONSES_STREAM: &str = concat!(
    "event: response.created\n",
    r#"data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1764000000,"status":"in_progress","error":null,"model":"theirs","output":[],"usage":null}}"#,
    "\n\nevent: response.output_item.added\n",
    r#"data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
    "\n\nevent: response.content_part.added\n",
    r#"data: {"type":"response.content_part.added","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#,
    "\n\nevent: response.output_text.delta\n",
    r#"data: {"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"all well"}"#,
    "\n\nevent: response.output_text.done\n",
    r#"data: {"type":"response.output_text.done","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"text":"all well"}"#,
    "\n\nevent: response.output_item.done\n",
    r#"data: {"type":"response.output_item.done","sequence_number":5,"output_index":0,"item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"all well","annotations":[]}]}}"#,
    "\n\nevent: response.completed\n",
    r#"data: {"type":"response.completed","sequence_number":6,"response":{"id":"resp_1","object":"response","created_at":1764000000,"status":"completed","error":null,"model":"theirs","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"all well","annotations":[]}]}],"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":0},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":123}}}"#,
    "\n\n",
);

const CONVERSE_WHOLE: &str = r#"{"metrics":{"latencyMs":551},"output":{"message":{"content":[{"text":"all well"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":9,"outputTokens":6,"totalTokens":18,"cacheReadInputTokens":3,"cacheWriteInputTokens":0}}"#;

/// Written as events; they come as frames.
const CONVERSE_STREAM: &str = r#"event: messageStart
data: {"p":"abcd","role":"assistant"}

event: contentBlockDelta
data: {"contentBlockIndex":0,"delta":{"text":"all"},"p":"ab"}

event: contentBlockDelta
data: {"contentBlockIndex":0,"delta":{"text":" well"},"p":"abcdefgh"}

event: contentBlockStop
data: {"contentBlockIndex":0,"p":"a"}

event: messageStop
data: {"p":"abc","stopReason":"end_turn"}

event: metadata
data: {"metrics":{"latencyMs":551},"p":"abcde","usage":{"inputTokens":9,"outputTokens":6,"totalTokens":18,"cacheReadInputTokens":3,"cacheWriteInputTokens":0}}

"#;

const COHERE_WHOLE: &str = r#"{"id":"c-1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"all well"}]},"usage":{"billed_units":{"input_tokens":5,"output_tokens":7},"tokens":{"input_tokens":71,"output_tokens":7}}}"#;

const COHERE_STREAM: &str = concat!(
    "event: message-start\n",
    r#"data: {"id":"c-1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
    "\n\nevent: content-start\n",
    r#"data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
    "\n\nevent: content-delta\n",
    r#"data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"all well"}}}}"#,
    "\n\nevent: content-end\n",
    r#"data: {"type":"content-end","index":0}"#,
    "\n\nevent: message-end\n",
    r#"data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":7},"tokens":{"input_tokens":71,"output_tokens":7}}}}"#,
    "\n\n",
);
