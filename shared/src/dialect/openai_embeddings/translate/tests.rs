//! Embeddings from one dialect to the other and back, as tables.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::EmbeddedText;
use crate::units::Unit;

const HERE: OpenAiEmbeddingsTranslator = OpenAiEmbeddingsTranslator;

fn to() -> WriteTo<'static> {
    WriteTo {
        model: "theirs",
        quirks: Quirks::default(),
        output_max: None,
    }
}

fn shown(repeated: &'static [u8]) -> AnswerShown {
    AnswerShown {
        model: "ours".to_owned(),
        id: "1".to_owned(),
        created: 1,
        shows_usage: true,
        input_estimate: 1,
        repeated: Bytes::from_static(repeated),
    }
}

fn read(body: &str) -> Result<EmbeddingsRequest, BadBody> {
    HERE.read_request(&Head::default(), body.as_bytes())
}

#[test]
fn a_request_is_its_texts_and_what_has_no_words_is_named() {
    let request = read(
        r#"{"model":"m","input":["a","é\n"],"dimensions":256,"encoding_format":"base64","user":"u","x":null}"#,
    );
    let request = request.expect("texts");
    let texts: Vec<&str> = request.texts.iter().map(|one| one.text.as_str()).collect();
    assert_eq!((texts, request.dimensions), (vec!["a", "é\n"], Some(256)));
    assert_eq!(request.unsaid, ["user"]);
    assert_eq!(read(r#"{"input":"a"}"#).expect("a text").texts.len(), 1);
    for (body, param) in [
        (r#"{"input":[1,2]}"#, "input"),
        (r#"{"input":[[1,2]]}"#, "input"),
        (r#"{"input":[{"type":"image_url"}]}"#, "input"),
        (r#"{"input":"a","dimensions":"many"}"#, "dimensions"),
        (r#"{"input":"a","dimensions":-1}"#, "dimensions"),
    ] {
        assert_eq!(read(body).expect_err(body).param, Some(param), "{body}");
    }
}

#[test]
fn names_without_words_are_told_and_not_without_end() {
    let mut body = json!({"input": "a"});
    for at in 0..1_000 {
        body[format!("field_{at}")] = 1.into();
    }
    let unsaid = read(&body.to_string()).expect("read").unsaid;
    assert_eq!(unsaid.len(), unsaid::UNSAID_MAX);
}

#[test]
fn a_request_is_written_with_what_openai_knows() {
    let request = EmbeddingsRequest {
        texts: vec![EmbeddedText {
            text: "a".to_owned(),
            task: Some("RETRIEVAL_QUERY".to_owned()),
            title: Some("b".to_owned()),
            ..EmbeddedText::default()
        }],
        dimensions: Some(3),
        unsaid: vec!["autoTruncate".to_owned()],
        ..EmbeddingsRequest::default()
    };
    let Written { body, dropped } = HERE.write_request(&request, to()).expect("written");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        body,
        json!({"model": "theirs", "input": ["a"], "dimensions": 3})
    );
    assert_eq!(dropped, ["autoTruncate", "task_type", "title"]);
}

#[test]
fn vectors_are_read_in_the_order_of_their_texts_packed_or_not() {
    let packed = STANDARD.encode([0.5_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()].concat());
    let answer = format!(
        r#"{{"data":[{{"index":1,"embedding":"{packed}"}},{{"index":0,"embedding":[1,2.5e-1]}}]}}"#
    );
    let vectors = HERE.read_answer(answer.as_bytes()).expect("vectors");
    assert_eq!(vectors, [vec![1.0, 0.25], vec![0.5, -2.0]]);
    for wrong in [
        r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":1,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"embedding":[1]}]}"#,
        r#"{"data":[{"embedding":[]}]}"#,
        r#"{"data":[{"embedding":"AAAA"}]}"#,
        r#"{"data":[{"embedding":"AADAfw=="}]}"#,
        r#"{"data":[{"embedding":[1e99]}]}"#,
        r#"{"data":[{"embedding":["a"]}]}"#,
        r#"{"data":[{}]}"#,
        "{}",
        "[]",
    ] {
        let fault = HERE.read_answer(wrong.as_bytes()).expect_err(wrong);
        assert_eq!(fault.kind, FaultKind::InvalidAnswer, "{wrong}");
    }
}

#[test]
fn an_answer_is_packed_where_it_was_asked_for_so() {
    let usage = Usage::of([(Unit::InputToken, 7)]);
    let vectors = [vec![1.0, -0.5], vec![0.25, 0.0]];
    let whole = HERE.write_answer(&vectors, &usage, &shown(b""));
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(
        whole,
        json!({"object": "list", "model": "ours", "usage": {"prompt_tokens": 7, "total_tokens": 7}, "data": [
            {"object": "embedding", "index": 0, "embedding": [1.0, -0.5]},
            {"object": "embedding", "index": 1, "embedding": [0.25, 0.0]}]})
    );
    let packed = HERE.write_answer(&vectors, &usage, &shown(BASE64));
    let packed: Value = serde_json::from_slice(&packed).expect("JSON");
    assert_eq!(packed["data"][0]["embedding"], "AACAPwAAAL8=");
}

proptest! {
    #[test]
    fn there_and_back_no_number_changes(
        vectors in prop::collection::vec(
            prop::collection::vec(any::<f32>().prop_filter("finite", |one| one.is_finite()), 1..9), 1..4),
        is_packed in any::<bool>(),
    ) {
        let shown = shown(if is_packed { BASE64 } else { b"" });
        let written = HERE.write_answer(&vectors, &Usage::default(), &shown);
        prop_assert_eq!(HERE.read_answer(&written).expect("vectors"), vectors);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = HERE.read_answer(&bytes);
        let _ = HERE.read_request(&Head::default(), &bytes);
    }
}
