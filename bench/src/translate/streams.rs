//! A stream of each provider as it sends them: thoughts, a text, and a call in pieces. Measures nothing.

/// Pieces of a stream: thoughts, then a text, then a call's arguments.
const THOUGHTS: usize = 40;
const TEXTS: usize = 200;
const ARGUMENTS: usize = 60;

/// The usual length of a piece, with what JSON writes otherwise.
const PIECE: &str = r#" a \"word\" or two of it"#;

/// How one dialect sends what is said.
struct Form {
    begin: &'static [&'static str],
    thought: &'static str,
    between: &'static [&'static str],
    text: &'static str,
    call: &'static [&'static str],
    arguments: &'static str,
    end: &'static [&'static str],
}

/// The events of the stream of a dialect, which must be one of those below.
pub(super) fn stream(dialect: &str) -> Vec<Vec<u8>> {
    let form = match dialect {
        "openai_chat" => &CHAT,
        "openai_responses" => &RESPONSES,
        "anthropic_messages" => &MESSAGES,
        "gemini" => &GEMINI,
        "bedrock_converse" => &CONVERSE,
        _ => &COHERE,
    };
    let mut events: Vec<String> = Vec::new();
    let all = |lines: &[&str]| lines.iter().map(|line| framed(dialect, line)).collect();
    let pieces = |line: &str, piece: &str| framed(dialect, &line.replace('$', piece));
    events.append(&mut all(form.begin));
    events.extend((0..THOUGHTS).map(|_| pieces(form.thought, PIECE)));
    events.append(&mut all(form.between));
    events.extend((0..TEXTS).map(|_| pieces(form.text, PIECE)));
    events.append(&mut all(form.call));
    if !form.arguments.is_empty() {
        events.push(pieces(form.arguments, r#"{\"a\":\""#));
        events.extend((0..ARGUMENTS).map(|_| pieces(form.arguments, "some words ")));
        events.push(pieces(form.arguments, r#"\"}"#));
    }
    events.append(&mut all(form.end));
    events.into_iter().map(String::into_bytes).collect()
}

/// A line `name|data`, or data alone, as an event.
fn framed(dialect: &str, line: &str) -> String {
    match (line.split_once("|{"), dialect) {
        (Some((name, data)), _) => format!("event: {name}\ndata: {{{data}\n\n"),
        (None, "gemini") => format!("data: {line}\r\n\r\n"),
        (None, _) => format!("data: {line}\n\n"),
    }
}

const CHAT: Form = Form {
    begin: &[
        r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"4kQz"}"#,
    ],
    thought: r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"reasoning_content":"$"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"4kQz"}"#,
    between: &[],
    text: r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":"$"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"4kQz"}"#,
    call: &[
        r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a1","type":"function","function":{"name":"save","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"4kQz"}"#,
    ],
    arguments: r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"$"}}]},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"4kQz"}"#,
    end: &[
        r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}"#,
        r#"{"id":"chatcmpl-CgX1","object":"chat.completion.chunk","created":1764300000,"model":"gpt-5.6","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":900,"total_tokens":1000,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":120}}}"#,
        "[DONE]",
    ],
};

const RESPONSES: Form = Form {
    begin: &[
        r#"response.created|{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1764300000,"status":"in_progress","model":"gpt-5.6","output":[],"usage":null}}"#,
        r#"response.output_item.added|{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
        r#"response.reasoning_summary_part.added|{"type":"response.reasoning_summary_part.added","sequence_number":2,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
    ],
    thought: r#"response.reasoning_summary_text.delta|{"type":"response.reasoning_summary_text.delta","sequence_number":9,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"$","obfuscation":"4kQz"}"#,
    between: &[
        r#"response.output_item.done|{"type":"response.output_item.done","sequence_number":50,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Words."}],"encrypted_content":"Z0FBQUFB"}}"#,
        r#"response.output_item.added|{"type":"response.output_item.added","sequence_number":51,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
        r#"response.content_part.added|{"type":"response.content_part.added","sequence_number":52,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}"#,
    ],
    text: r#"response.output_text.delta|{"type":"response.output_text.delta","sequence_number":99,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"$","logprobs":[],"obfuscation":"4kQz"}"#,
    call: &[
        r#"response.output_item.done|{"type":"response.output_item.done","sequence_number":300,"output_index":1,"item":{"id":"msg_1","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Words."}],"role":"assistant"}}"#,
        r#"response.output_item.added|{"type":"response.output_item.added","sequence_number":301,"output_index":2,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_a1","name":"save"}}"#,
    ],
    arguments: r#"response.function_call_arguments.delta|{"type":"response.function_call_arguments.delta","sequence_number":310,"item_id":"fc_1","output_index":2,"delta":"$","obfuscation":"4kQz"}"#,
    end: &[
        r#"response.output_item.done|{"type":"response.output_item.done","sequence_number":400,"output_index":2,"item":{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"a\":\"b\"}","call_id":"call_a1","name":"save"}}"#,
        r#"response.completed|{"type":"response.completed","sequence_number":401,"response":{"id":"resp_1","object":"response","created_at":1764300000,"status":"completed","model":"gpt-5.6","output":[],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":0},"output_tokens":900,"output_tokens_details":{"reasoning_tokens":120},"total_tokens":1000}}}"#,
    ],
};

const MESSAGES: Form = Form {
    begin: &[
        r#"message_start|{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-4-6","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":100,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}"#,
        r#"content_block_start|{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"ping|{"type":"ping"}"#,
    ],
    thought: r#"content_block_delta|{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"$"}}"#,
    between: &[
        r#"content_block_delta|{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCkYI"}}"#,
        r#"content_block_stop|{"type":"content_block_stop","index":0}"#,
        r#"content_block_start|{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    ],
    text: r#"content_block_delta|{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"$"}}"#,
    call: &[
        r#"content_block_stop|{"type":"content_block_stop","index":1}"#,
        r#"content_block_start|{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_01A","name":"save","input":{}}}"#,
    ],
    arguments: r#"content_block_delta|{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"$"}}"#,
    end: &[
        r#"content_block_stop|{"type":"content_block_stop","index":2}"#,
        r#"message_delta|{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":900}}"#,
        r#"message_stop|{"type":"message_stop"}"#,
    ],
};

const GEMINI: Form = Form {
    begin: &[],
    thought: r#"{"candidates": [{"content": {"parts": [{"text": "$","thought": true}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 100,"totalTokenCount": 140,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 100}],"thoughtsTokenCount": 40},"modelVersion": "gemini-3.8-flash","responseId": "Ab1Cd2"}"#,
    between: &[],
    text: r#"{"candidates": [{"content": {"parts": [{"text": "$"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 100,"candidatesTokenCount": 300,"totalTokenCount": 520,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 100}],"thoughtsTokenCount": 120},"modelVersion": "gemini-3.8-flash","responseId": "Ab1Cd2"}"#,
    call: &[],
    // Google's calls come whole.
    arguments: "",
    end: &[
        r#"{"candidates": [{"content": {"parts": [{"functionCall": {"name": "save","args": {"a": "some words"}},"thoughtSignature": "Z29vZ2xl"}],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 100,"candidatesTokenCount": 780,"totalTokenCount": 1000,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 100}],"thoughtsTokenCount": 120},"modelVersion": "gemini-3.8-flash","responseId": "Ab1Cd2"}"#,
    ],
};

const CONVERSE: Form = Form {
    begin: &[r#"messageStart|{"p":"abcdefgh","role":"assistant"}"#],
    thought: r#"contentBlockDelta|{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"$"}},"p":"abcdefghijklmnop"}"#,
    between: &[
        r#"contentBlockDelta|{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"EqQBCkYI"}},"p":"abcd"}"#,
        r#"contentBlockStop|{"contentBlockIndex":0,"p":"abcdefgh"}"#,
    ],
    text: r#"contentBlockDelta|{"contentBlockIndex":1,"delta":{"text":"$"},"p":"abcdefghijklmnop"}"#,
    call: &[
        r#"contentBlockStop|{"contentBlockIndex":1,"p":"abcdefgh"}"#,
        r#"contentBlockStart|{"contentBlockIndex":2,"p":"abcd","start":{"toolUse":{"name":"save","toolUseId":"tooluse_a"}}}"#,
    ],
    arguments: r#"contentBlockDelta|{"contentBlockIndex":2,"delta":{"toolUse":{"input":"$"}},"p":"abcdefghijklmnop"}"#,
    end: &[
        r#"contentBlockStop|{"contentBlockIndex":2,"p":"abcdefgh"}"#,
        r#"messageStop|{"p":"abcd","stopReason":"tool_use"}"#,
        r#"metadata|{"metrics":{"latencyMs":900},"p":"abcd","usage":{"inputTokens":100,"outputTokens":900,"totalTokens":1000}}"#,
    ],
};

const COHERE: Form = Form {
    begin: &[
        r#"message-start|{"id":"c1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
        r#"content-start|{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
    ],
    thought: r#"content-delta|{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"$"}}}}"#,
    between: &[
        r#"content-end|{"type":"content-end","index":0}"#,
        r#"content-start|{"type":"content-start","index":1,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
    ],
    text: r#"content-delta|{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"$"}}}}"#,
    call: &[
        r#"content-end|{"type":"content-end","index":1}"#,
        r#"tool-call-start|{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"save_1","type":"function","function":{"name":"save","arguments":""}}}}}"#,
    ],
    arguments: r#"tool-call-delta|{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"$"}}}}}"#,
    end: &[
        r#"tool-call-end|{"type":"tool-call-end","index":0}"#,
        r#"message-end|{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":100,"output_tokens":900},"tokens":{"input_tokens":600,"output_tokens":902}}}}"#,
    ],
};
