//! What goes to Google and comes from it, as tables.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::{AnswerShown, EmbeddingsRequest, Vector, WriteTo, Written};
use crate::link::Bounds;
use crate::units::Unit;

fn head() -> Head {
    Head {
        model: Some("m".to_owned()),
        ..Head::default()
    }
}

fn read(dialect: &GeminiEmbeddings, body: &str) -> Result<Asked, BadBody> {
    dialect.read(&head(), &Body::of_json(body))
}

fn neutral(dialect: &GeminiEmbeddings, body: &str) -> Result<EmbeddingsRequest, BadBody> {
    let translator = dialect.embeddings().expect("it is translated");
    translator.read_request(&head(), body.as_bytes())
}

fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    }
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "ours".to_owned(),
        id: "1".to_owned(),
        created: 1,
        shows_usage: true,
        input_estimate: 1,
        repeated: Bytes::new(),
    }
}

#[test]
fn what_is_asked_is_read_of_either_form_and_bounds_all_its_input() {
    let single =
        r#"{"content":{"parts":[{"text":"abcdefgh"}]},"taskType":"CLUSTERING","title":"t"}"#;
    let asked = read(&GEMINI_EMBEDDING, single).expect("read");
    assert_eq!(
        (asked.model.as_str(), asked.output),
        ("m", super::super::Output::None)
    );
    assert_eq!(asked.input_estimate, 3);
    let length = u64::try_from(single.len()).expect("short");
    assert_eq!(asked.bounds.count(Unit::InputToken), length);
    let batch = r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"abcdefgh"}]}},{"content":{"parts":[{"text":"abcdefgh"}]}}]}"#;
    assert_eq!(
        read(&GEMINI_EMBEDDINGS, batch)
            .expect("read")
            .input_estimate,
        4
    );
    // A title counts wherever it stands.
    let titled = |config: &str| {
        let body = format!(
            r#"{{"content":{{"parts":[{{"text":"a"}}]}},"embed_content_config":{{{config}}}}}"#
        );
        read(&GEMINI_EMBEDDING, &body).expect("read").input_estimate
    };
    let long = format!(r#""Title":"{}""#, "word ".repeat(100));
    assert!(titled(&long) > titled(r#""taskType":"CLUSTERING""#) + 50);
    // A picture is counted as one, and not by its letters.
    let picture = format!(
        r#"{{"content":{{"parts":[{{"inlineData":{{"mimeType":"image/png","data":"{}"}}}}]}}}}"#,
        "A".repeat(400_000)
    );
    let asked = read(&GEMINI_EMBEDDING, &picture).expect("read");
    assert!(asked.bounds.count(Unit::InputToken) < 10_000);
}

#[test]
fn what_is_no_request_is_refused_by_its_field() {
    for (dialect, body, param) in [
        (&GEMINI_EMBEDDING, "{}", Some("content")),
        (&GEMINI_EMBEDDING, r#"{"content":{}}"#, Some("content")),
        (&GEMINI_EMBEDDING, r#"{"content":"a"}"#, Some("content")),
        (
            &GEMINI_EMBEDDING,
            r#"{"requests":[{"content":{"parts":[]}}]}"#,
            Some("content"),
        ),
        (
            &GEMINI_EMBEDDINGS,
            r#"{"content":{"parts":[{"text":"a"}]}}"#,
            Some("requests"),
        ),
        (&GEMINI_EMBEDDINGS, r#"{"requests":[]}"#, Some("requests")),
        (&GEMINI_EMBEDDINGS, r#"{"requests":{}}"#, Some("requests")),
        (
            &GEMINI_EMBEDDINGS,
            r#"{"requests":["a"]}"#,
            Some("requests"),
        ),
        (&GEMINI_EMBEDDINGS, r#"{"requests":[{}]}"#, Some("requests")),
        (
            &GEMINI_EMBEDDING,
            r#"{"content":{"parts":[{"text":"a"}]},"fallbacks":["b"]}"#,
            Some("fallbacks"),
        ),
        (
            &GEMINI_EMBEDDING,
            r#"{"content":{"parts":[]},"Content":{"parts":[{"text":"long"}]}}"#,
            None,
        ),
        (
            &GEMINI_EMBEDDINGS,
            r#"{"requests":[{"content":{"parts":[]},"Model":"models/dear"}]}"#,
            None,
        ),
        (
            &GEMINI_EMBEDDING,
            r#"{"content":{"parts":[]},"embedContentConfig":{"Content":{"parts":[{"text":"long"}]}}}"#,
            None,
        ),
        (&GEMINI_EMBEDDING, "[]", None),
    ] {
        assert_eq!(read(dialect, body).expect_err(body).param, param, "{body}");
    }
    let many = format!(
        r#"{{"requests":[{}]}}"#,
        vec![r#"{"content":{"parts":[]}}"#; 2_049].join(",")
    );
    assert!(read(&GEMINI_EMBEDDINGS, &many).is_err());
    let nameless = GEMINI_EMBEDDING.read(
        &Head::default(),
        &Body::of_json(r#"{"content":{"parts":[]}}"#),
    );
    assert_eq!(nameless.expect_err("no model").param, Some("model"));
}

#[test]
fn bytes_pass_to_google_but_for_the_models_name() {
    for (body, sent) in [
        (
            r#"{ "model":"models/ours", "content":{"parts":[{"text":"é"}]} }"#,
            r#"{  "content":{"parts":[{"text":"é"}]} }"#,
        ),
        (
            r#"{"requests":[{"model":"models/ours","content":{"parts":[]}}, { "content":{} }]}"#,
            r#"{"requests":[{"model":"models/theirs","content":{"parts":[]}}, {"model":"models/theirs", "content":{} }]}"#,
        ),
    ] {
        let body = Bytes::from_static(body.as_bytes());
        let sent_body = GEMINI_EMBEDDINGS.forwarded(
            &body,
            Forward {
                model: "theirs",
                asks_usage: false,
                quirks: Quirks::default(),
                end_user: None,
            },
        );
        assert_eq!(sent_body.expect("sent"), sent.as_bytes());
    }
}

#[test]
fn an_answer_counts_what_it_tells_and_else_its_input() {
    let of = Metered {
        bounds: Some(Bounds {
            input_estimate: 7,
            input_max: 50,
            output_max: 0,
        }),
        ..Metered::default()
    };
    for (answer, expected) in [
        (r#"{"embedding":{"values":[0.5]}}"#, (7, true)),
        (
            r#"{"embeddings":[{"values":[0.5]},{"values":[1]}]}"#,
            (7, true),
        ),
        (
            r#"{"embeddings":[{"values":[0.5]}],"usageMetadata":{"promptTokenCount":9}}"#,
            (9, false),
        ),
        (
            r#"{"embeddings":[{"values":[0.5],"statistics":{"tokenCount":4}},{"values":[1],"statistics":{"tokenCount":5.0}}]}"#,
            (9, false),
        ),
        (
            r#"{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":0}}"#,
            (7, true),
        ),
        // More than the request can be is not believed.
        (
            r#"{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":900}}"#,
            (50, true),
        ),
    ] {
        let usage = GEMINI_EMBEDDINGS
            .usage(of, answer.as_bytes())
            .expect("JSON");
        assert_eq!(
            (usage.count(Unit::InputToken), usage.estimated),
            expected,
            "{answer}"
        );
        assert_eq!(usage.output_total(), 0, "{answer}");
        assert_eq!(GEMINI_EMBEDDINGS.judge(answer.as_bytes()), Judged::Answer);
    }
    for nothing in [
        "{}",
        r#"{"embeddings":[]}"#,
        r#"{"embedding":{"values":[]}}"#,
        r#"{"embedding":null}"#,
        r#"{"embeddings":{"values":[1]}}"#,
    ] {
        let usage = GEMINI_EMBEDDINGS
            .usage(of, nothing.as_bytes())
            .expect("JSON");
        assert!(usage.is_nothing(), "{nothing}");
        let judged = GEMINI_EMBEDDINGS.judge(nothing.as_bytes());
        assert!(matches!(judged, Judged::Nonsense(_)), "{nothing}");
    }
    let error = br#"{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}"#;
    assert!(matches!(GEMINI_EMBEDDINGS.judge(error), Judged::Error(_)));
    assert!(GEMINI_EMBEDDINGS.usage(of, b"<html>").is_err());
}

#[test]
fn names_without_words_are_told_and_not_without_end() {
    let fields: Vec<String> = (0..100_000).map(|at| format!(r#""f{at}":1,"#)).collect();
    let fields = fields.concat();
    let body = format!(r#"{{{fields}"content":{{"parts":[{{"text":"a"}}]}}}}"#);
    let begun = std::time::Instant::now();
    let request = neutral(&GEMINI_EMBEDDING, &body).expect("read");
    assert_eq!(request.unsaid.len(), 32);
    assert!(begun.elapsed().as_secs() < 10, "each is compared with few");
}

#[test]
fn a_request_is_read_into_texts_with_what_they_are_for() {
    let body = r#"{"content":{"role":"user","parts":[{"text":"a"},{"text":"b"}]},"task_type":"RETRIEVAL_DOCUMENT","title":"t","outputDimensionality":8,"autoTruncate":true,"model":"models/m"}"#;
    let request = neutral(&GEMINI_EMBEDDING, body).expect("read");
    let one = &request.texts[0];
    assert_eq!(
        (one.text.as_str(), one.task.as_deref(), one.title.as_deref()),
        ("a\nb", Some("RETRIEVAL_DOCUMENT"), Some("t"))
    );
    assert_eq!(
        (request.dimensions, request.unsaid.as_slice()),
        (Some(8), &["autoTruncate".to_owned()][..])
    );
    // As Vertex's clients write it.
    let body = r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"taskType":"CLUSTERING","outputDimensionality":4}}]}"#;
    let request = neutral(&GEMINI_EMBEDDINGS, body).expect("read");
    let other = r#"{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"content":{"parts":[{"text":"b"}]}}}"#;
    let counted = neutral(&GEMINI_EMBEDDING, other).expect("read");
    assert_eq!(
        counted.texts[0].text, "a",
        "what was not counted is not sent"
    );
    assert_eq!(
        (request.dimensions, request.texts[0].task.as_deref()),
        (Some(4), Some("CLUSTERING"))
    );
    for (body, param) in [
        (
            r#"{"requests":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"aa"}}]}}]}"#,
            "content",
        ),
        (r#"{"requests":[{"content":{"parts":[]}}]}"#, "content"),
        (
            r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"title":7}]}"#,
            "title",
        ),
        (
            r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":1},{"content":{"parts":[{"text":"a"}]}}]}"#,
            "outputDimensionality",
        ),
        (
            r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":"8"}]}"#,
            "outputDimensionality",
        ),
    ] {
        let wrong = neutral(&GEMINI_EMBEDDINGS, body).expect_err(body);
        assert_eq!(wrong.param, Some(param), "{body}");
    }
}

#[test]
fn an_answer_is_written_in_the_form_that_was_asked_for() {
    let usage = Usage::of([(Unit::InputToken, 7)]);
    let vectors: [Vector; 2] = [vec![0.5, -1.0], vec![0.25]];
    let write = |dialect: &GeminiEmbeddings| {
        let translator = dialect.embeddings().expect("it is translated");
        let written = translator.write_answer(&vectors, &usage, &shown());
        assert_eq!(dialect.judge(&written), Judged::Answer);
        let told = dialect.usage(Metered::default(), &written).expect("JSON");
        assert_eq!(told.count(Unit::InputToken), 7);
        serde_json::from_slice::<Value>(&written).expect("JSON")
    };
    let told = json!({"promptTokenCount": 7, "totalTokenCount": 7});
    assert_eq!(
        write(&GEMINI_EMBEDDINGS),
        json!({"embeddings": [{"values": [0.5, -1.0]}, {"values": [0.25]}], "usageMetadata": told})
    );
    assert_eq!(
        write(&GEMINI_EMBEDDING),
        json!({"embedding": {"values": [0.5, -1.0]}, "usageMetadata": told})
    );
}

proptest! {
    #[test]
    fn there_and_back_a_request_says_the_same(
        texts in prop::collection::vec(("\\PC{1,20}", prop::option::of("[A-Z_]{3,9}"), prop::option::of("\\PC{1,9}")), 1..4),
        dimensions in prop::option::of(1_u64..4_000),
    ) {
        use crate::dialect::neutral::EmbeddedText;
        let texts = texts.into_iter().map(|(text, task, title)| EmbeddedText { text, task, title, ..EmbeddedText::default() }).collect();
        let request = EmbeddingsRequest { texts, dimensions, ..EmbeddingsRequest::default() };
        let translator = GEMINI_EMBEDDINGS.embeddings().expect("it is translated");
        let Written { body, dropped } = translator.write_request(&request, to("theirs")).expect("written");
        prop_assert!(dropped.is_empty());
        prop_assert!(GEMINI_EMBEDDINGS.read(&head(), &Body::Json(body.clone())).is_ok());
        prop_assert_eq!(translator.read_request(&head(), &body).expect("read"), request);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for dialect in [&GEMINI_EMBEDDING, &GEMINI_EMBEDDINGS] {
            let _ = dialect.read(&head(), &Body::Json(bytes.clone().into()));
            let _ = dialect.usage(Metered::default(), &bytes);
            let _ = dialect.judge(&bytes);
            let translator = dialect.embeddings().expect("it is translated");
            let _ = translator.read_answer(&bytes);
            let _ = translator.read_request(&head(), &bytes);
        }
    }
}
