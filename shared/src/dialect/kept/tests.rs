//! State of requests, and answers as they are kept.

use super::*;

const MOST: usize = 10_000;

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn what_a_request_says_of_state_is_taken_out_of_it() {
    let body = r#"{"model":"m","store":true,"input":"hi","previous_response_id":"resp_1","background":false,
        "metadata":{"a":"b"},"instructions":"be kind"}"#;
    let (state, rest) = responses::take(&bytes(body), MOST).expect("read");
    assert!(state.store && !state.background && !state.stream);
    assert_eq!(state.previous.as_deref(), Some("resp_1"));
    assert_eq!(state.instructions, "be kind");
    assert_eq!(state.metadata["a"], "b");
    assert_eq!(state.input[0]["content"][0]["text"], "hi");
    let rest: Value = serde_json::from_slice(&rest).expect("JSON");
    for gone in ["store", "previous_response_id", "background"] {
        assert!(rest.get(gone).is_none(), "{gone}: {rest}");
    }
    assert_eq!(rest["input"], "hi");
    let (state, _) = responses::take(&bytes(r#"{"input":[{"role":"user","content":"x"}]}"#), MOST)
        .expect("read");
    assert!(state.store, "as at OpenAI");
    assert_eq!(state.input.len(), 1);
    let named = r#"{"input":"x","conversation":{"id":"conv_1"},"store":false}"#;
    let (state, _) = responses::take(&bytes(named), MOST).expect("read");
    assert_eq!(state.conversation.as_deref(), Some("conv_1"));
    assert!(!state.store);
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (body, param) in [
        (r#"{"store":1}"#, "store"),
        (r#"{"previous_response_id":7}"#, "previous_response_id"),
        (r#"{"conversation":[]}"#, "conversation"),
        (
            r#"{"conversation":"c","previous_response_id":"p"}"#,
            "conversation",
        ),
        (r#"{"background":true,"store":false}"#, "background"),
        (r#"{"metadata":{"a":1}}"#, "metadata"),
        (r#"{"metadata":"x"}"#, "metadata"),
    ] {
        let refused = responses::take(&bytes(body), MOST).expect_err(body);
        assert_eq!(refused.param, Some(param), "{body}");
    }
    let many: Map<String, Value> = (0..17).map(|n| (n.to_string(), Value::from("x"))).collect();
    assert!(metadata(Some(&Value::Object(many))).is_err());
    let long = serde_json::json!({"a": "x".repeat(513)});
    assert!(metadata(Some(&long)).is_err());
    assert!(metadata(Some(&Value::Null)).expect("none").is_empty());
}

#[test]
fn what_was_said_before_stands_in_front() {
    let body = bytes(r#"{"a":1,"input":"hi","b":2}"#);
    let (state, rest) = responses::take(&body, MOST).expect("read");
    let context = [serde_json::json!({"type": "message", "role": "user", "content": "before"})];
    let with = responses::with_context(&rest, &context, &state.input).expect("an input");
    let with: Value = serde_json::from_slice(&with).expect("JSON");
    assert_eq!(with["input"][0]["content"], "before");
    assert_eq!(with["input"][1]["content"][0]["text"], "hi");
    assert_eq!((&with["a"], &with["b"]), (&Value::from(1), &Value::from(2)));
}

#[test]
fn events_that_tell_the_response_tell_how_it_is_kept() {
    let event = b"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"theirs\",\"instructions\":null}}\n\n";
    let mut read = responses::ResponseEvent::read(event).expect("one that tells it");
    assert!(read.is_last());
    let mark = responses::ResponseMark {
        id: "resp_own".to_owned(),
        store: true,
        previous: None,
        conversation: Some("conv_1".to_owned()),
        background: false,
        metadata: Map::new(),
        instructions: Value::from("be kind"),
    };
    mark.mark(read.response().expect("a response"));
    let text = String::from_utf8(read.bytes().to_vec()).expect("text");
    let data = text
        .strip_prefix("event: response.completed\ndata: ")
        .expect("its name");
    let told: Value = serde_json::from_str(data.trim()).expect("JSON");
    assert_eq!(told["response"]["id"], "resp_own");
    assert_eq!(told["response"]["conversation"]["id"], "conv_1");
    assert_eq!(told["response"]["instructions"], "be kind");
    let delta =
        b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"\\\"response\\\"\"}\n\n";
    assert_eq!(responses::ResponseEvent::read(delta), None);
}

#[test]
fn a_completion_is_put_together_of_its_chunks() {
    let mut all = chat::Assembled::default();
    for chunk in [
        r#"{"id":"x","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":"He"}},{"index":1,"delta":{"content":"B"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"llo","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\":1}"}}]},"finish_reason":"tool_calls"}]}"#,
        r#"{"choices":[],"usage":{"total_tokens":3}}"#,
    ] {
        all.add(format!("data: {chunk}\n\n").as_bytes());
    }
    all.add(b": keep-alive\n\n");
    let mut answer = all.answer().expect("an answer");
    chat::mark(&mut answer, "chatcmpl-own", &Map::new());
    let answer = Value::Object(answer);
    assert_eq!(answer["id"], "chatcmpl-own");
    assert_eq!(answer["object"], "chat.completion");
    let message = &answer["choices"][0]["message"];
    assert_eq!(
        (&message["content"], &message["role"]),
        (&"Hello".into(), &"assistant".into())
    );
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        "{\"a\":1}"
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(answer["choices"][1]["message"]["content"], "B");
    assert_eq!(answer["usage"]["total_tokens"], 3);
    assert_eq!(chat::Assembled::default().answer(), None);
}

#[test]
fn a_chunk_takes_another_id_and_nothing_else_changes() {
    let event = b"data: {\"id\":\"theirs\",\"choices\":[{\"id\":\"stays\"}]}\n\n";
    let own = chat::with_id(event, "own").expect("it has an id");
    assert_eq!(
        own.as_ref(),
        b"data: {\"id\":\"own\",\"choices\":[{\"id\":\"stays\"}]}\n\n"
    );
    assert_eq!(chat::with_id(b"data: [DONE]\n\n", "own"), None);
    assert!(chat::is_end(b"data: [DONE]\n\n") && !chat::is_end(event));
}

#[test]
fn only_what_is_asked_to_be_kept_is_taken_apart() {
    for plain in [
        r#"{"messages":[]}"#,
        r#"{"store":false,"metadata":{"a":"b"}}"#,
        r#"{"store":null}"#,
    ] {
        assert_eq!(
            chat::take(&bytes(plain), MOST).expect("read"),
            None,
            "{plain}"
        );
    }
    let asked = r#"{"messages":[{"role":"user","content":"x"}],"metadata":{"a":"b"},"store":true}"#;
    let (state, rest) = chat::take(&bytes(asked), MOST)
        .expect("read")
        .expect("kept");
    assert_eq!(
        rest.as_ref(),
        br#"{"messages":[{"role":"user","content":"x"}]}"#
    );
    assert_eq!(
        (state.messages.len(), &state.metadata["a"]),
        (1, &"b".into())
    );
}

#[test]
fn items_are_listed_with_ids_and_parts() {
    let shown = responses::item_with_id(
        &serde_json::json!({"role": "user", "content": "x"}),
        |prefix| format!("{prefix}_1"),
    );
    assert_eq!(shown["id"], "msg_1");
    assert_eq!(
        shown["content"][0],
        serde_json::json!({"type": "input_text", "text": "x"})
    );
    let own = serde_json::json!({"type": "function_call", "id": "fc_9", "name": "f"});
    let shown = responses::item_with_id(&own, |_| "other".to_owned());
    assert_eq!(shown, own);
    for odd in ["", "a\u{0}", "a b", "é", &"x".repeat(129)] {
        let item = serde_json::json!({"type": "function_call", "id": odd});
        let shown = responses::item_with_id(&item, |_| "other".to_owned());
        assert_eq!(shown["id"], "other", "{odd:?}");
    }
}

#[test]
fn what_can_not_be_read_is_refused_and_what_is_too_large_not_read() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for odd in ["7", "true", "{}", r#"["\ud800"]"#, r#""\ud800""#, &deep] {
        let body = format!(r#"{{"input":{odd}}}"#);
        let refused = responses::take(&bytes(&body), MOST).expect_err(&body);
        assert_eq!(refused.param, Some("input"), "{body}");
        assert!(
            refused.message.contains("a text or an array of items"),
            "{}",
            refused.message
        );
        let body = format!(r#"{{"store":true,"messages":{odd}}}"#);
        let refused = chat::take(&bytes(&body), MOST).expect_err(&body);
        assert_eq!(refused.param, Some("messages"), "{body}");
        // Nobody keeps this, and the format says what it thinks of it.
        let body = format!(r#"{{"store":false,"input":{odd}}}"#);
        assert!(responses::take(&bytes(&body), MOST).is_ok(), "{body}");
    }
    let text = r#"{"store":true,"messages":"x"}"#;
    assert!(chat::take(&bytes(text), MOST).is_err());
    let long = format!("[{}0]", "0,".repeat(MOST / 2));
    let body = format!(r#"{{"input":{long}}}"#);
    let (state, rest) = responses::take(&bytes(&body), MOST).expect("read");
    assert!(state.too_large && state.input.is_empty() && rest.len() == body.len());
    let body = format!(r#"{{"store":true,"messages":{long}}}"#);
    let (state, _) = chat::take(&bytes(&body), MOST)
        .expect("read")
        .expect("kept");
    assert!(state.too_large && state.messages.is_empty());
    let words = format!("[{}0]", "0,".repeat(FIELD_BYTES_MAX));
    for name in [
        "store",
        "previous_response_id",
        "conversation",
        "background",
        "metadata",
    ] {
        let body = format!(r#"{{"{name}":{words}}}"#);
        let refused = responses::take(&bytes(&body), MOST).expect_err(name);
        assert_eq!(refused.param, Some(name));
    }
}

#[test]
fn a_reference_is_an_id_alone_or_says_that_it_is_one() {
    use serde_json::json;
    for (item, id) in [
        (
            json!({"type": "item_reference", "id": "msg_1"}),
            Some("msg_1"),
        ),
        (json!({"type": null, "id": "msg_1"}), Some("msg_1")),
        (json!({"id": "msg_1"}), Some("msg_1")),
        (json!({"type": "item_reference"}), None),
        (json!({"type": "item_reference", "id": 7}), None),
        (json!({"id": "msg_1", "role": "user", "content": "x"}), None),
        (json!({"type": "message", "id": "msg_1"}), None),
        (json!("msg_1"), None),
    ] {
        assert_eq!(responses::referred(&item), id, "{item}");
    }
    let answer = json!({"output": [{"id": "rs_1"}, {"type": "message"}, {"id": "msg_2"}]});
    let ids = responses::item_ids(answer.as_object().expect("an object"));
    assert_eq!(ids, ["rs_1", "msg_2"]);
    assert_eq!(responses::item_ids(&Map::new()), [""; 0]);
}
