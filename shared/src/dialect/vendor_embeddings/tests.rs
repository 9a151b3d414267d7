//! Vectors of each vendor: how they are asked for and what an answer counts, as tables.

use serde_json::{Value, json};

use super::super::Quirks;
use super::*;
use crate::dialect::openai_embeddings::OPENAI_EMBEDDINGS;
use crate::link::Bounds;
use crate::units::Unit;

fn written(
    vendor: &VendorEmbeddings,
    model: &str,
    body: &Value,
) -> Result<(Value, Vec<String>), BadBody> {
    let from = OPENAI_EMBEDDINGS.embeddings().expect("translated");
    let request = from.read_request(&Head::default(), body.to_string().as_bytes())?;
    let to = WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    };
    let written = vendor.write_request(&request, to)?;
    let body = serde_json::from_slice(&written.body).expect("JSON");
    Ok((body, written.dropped))
}

#[test]
fn what_a_vector_is_for_is_said_in_each_vendors_word() {
    for (word, cohere, jina, voyage) in [
        (
            "search_query",
            "search_query",
            json!("retrieval.query"),
            json!("query"),
        ),
        (
            "query",
            "search_query",
            json!("retrieval.query"),
            json!("query"),
        ),
        (
            "RETRIEVAL_DOCUMENT",
            "search_document",
            json!("retrieval.passage"),
            json!("document"),
        ),
        ("clustering", "clustering", json!("separation"), Value::Null),
        (
            "text-matching",
            "search_document",
            json!("text-matching"),
            Value::Null,
        ),
        ("mystery", "search_document", Value::Null, Value::Null),
    ] {
        let body = json!({"model": "m", "input": ["a", "b"], "input_type": word});
        let of = |vendor| written(vendor, "theirs", &body).expect("written").0;
        assert_eq!(of(&COHERE_EMBEDDINGS)["input_type"], cohere, "{word}");
        assert_eq!(of(&JINA_EMBEDDINGS)["task"], jina, "{word}");
        assert_eq!(of(&VOYAGE_EMBEDDINGS)["input_type"], voyage, "{word}");
        let (_, dropped) = written(&DASHSCOPE_EMBEDDINGS, "theirs", &body).expect("written");
        assert_eq!(dropped, ["task_type"], "{word}");
    }
    let body =
        json!({"model": "m", "input": "a", "task": "mystery", "user": "ann", "truncate": "END"});
    let (sent, dropped) = written(&COHERE_EMBEDDINGS, "theirs", &body).expect("written");
    assert_eq!(dropped, ["user", "task_type"]);
    assert_eq!(
        (&sent["truncate"], &sent["texts"]),
        (&json!("END"), &json!(["a"]))
    );
}

#[test]
fn pictures_are_written_as_each_vendor_takes_them() {
    let png = "iVBORw0KGgoAAAA";
    let at = "https://x/y.png";
    for input in [
        json!([{"image": png}]),
        json!([{"image": format!("data:image/png;base64,{png}")}]),
        json!([{"content": [{"type": "image_base64", "image_base64": png}]}]),
    ] {
        let body = json!({"model": "m", "input": input});
        let (sent, _) = written(&JINA_EMBEDDINGS, "theirs", &body).expect("written");
        assert_eq!(sent["input"], json!([{"image": png}]));
        let (sent, _) = written(&COHERE_EMBEDDINGS, "theirs", &body).expect("written");
        let url = &sent["inputs"][0]["content"][0]["image_url"]["url"];
        assert_eq!(*url, format!("data:image/png;base64,{png}"));
    }
    let body = json!({"model": "m", "input": [{"image": at}]});
    let (sent, _) = written(&VOYAGE_EMBEDDINGS, "voyage-multimodal-3", &body).expect("written");
    let part = json!({"type": "image_url", "image_url": at});
    assert_eq!(sent["inputs"], json!([{"content": [part]}]));
    assert!(written(&VOYAGE_EMBEDDINGS, "voyage-3.5", &body).is_err());
    let gemini = crate::dialect::gemini_embeddings::GEMINI_EMBEDDINGS.embeddings();
    let from = OPENAI_EMBEDDINGS.embeddings().expect("translated");
    let to = WriteTo {
        model: "theirs",
        quirks: Quirks::default(),
        output_max: None,
    };
    let google = |input: Value| {
        let body = json!({"model": "m", "input": input}).to_string();
        let request = from
            .read_request(&Head::default(), body.as_bytes())
            .expect("read");
        let written = gemini.expect("there").write_request(&request, to);
        written.map(|one| serde_json::from_slice::<Value>(&one.body).expect("JSON"))
    };
    let sent = google(json!([{"text": "a", "image": png}])).expect("written");
    assert_eq!(
        sent["requests"][0]["content"]["parts"],
        json!([{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": png}}])
    );
    assert!(google(json!([{"image": at}])).is_err(), "it fetches none");
    for wrong in [
        json!([{"image": "no picture"}]),
        json!([{"image": "ftp://x/y.png"}]),
        json!([{}]),
        json!([{"content": []}]),
        json!([{"content": [{"type": "video_url", "video_url": at}]}]),
        json!([[1, 2]]),
    ] {
        let body = json!({"model": "m", "input": wrong});
        let error = written(&JINA_EMBEDDINGS, "theirs", &body).expect_err("refused");
        assert_eq!(error.param, Some("input"), "{wrong}");
    }
}

#[test]
fn answers_of_every_form_are_read_and_counted() {
    let of = Metered {
        bounds: Some(Bounds {
            input_estimate: 7,
            input_max: 1_000,
            output_max: 0,
        }),
        ..Metered::default()
    };
    for (answer, tokens, pictures, is_estimated) in [
        (
            json!({"embeddings": {"float": [[1.0], [2.0]]}, "meta": {"billed_units": {"input_tokens": 4}}}),
            4,
            0,
            false,
        ),
        (
            json!({"embeddings": [[1.0], [2.0]], "response_type": "embeddings_floats"}),
            7,
            0,
            true,
        ),
        (
            json!({"embeddings": {"float": [[1], [2]]}, "meta": {"billed_units": {"image_tokens": 250}}}),
            0,
            250,
            false,
        ),
        (
            json!({"data": [{"embedding": [1]}, {"embedding": [2]}], "usage": {"total_tokens": 5}}),
            5,
            0,
            false,
        ),
        (
            json!({"output": {"embeddings": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]}, "usage": {"total_tokens": 5_000}}),
            1_000,
            0,
            true,
        ),
    ] {
        let bytes = answer.to_string();
        assert_eq!(
            COHERE_EMBEDDINGS.judge(bytes.as_bytes()),
            Judged::Answer,
            "{answer}"
        );
        let vectors = COHERE_EMBEDDINGS
            .read_answer(bytes.as_bytes())
            .expect("vectors");
        assert_eq!(vectors, [[1.0_f32], [2.0]], "{answer}");
        let usage = COHERE_EMBEDDINGS.usage(of, bytes.as_bytes()).expect("JSON");
        let counted = (
            usage.count(Unit::InputToken),
            usage.count(Unit::InputImageToken),
            usage.estimated,
        );
        assert_eq!(counted, (tokens, pictures, is_estimated), "{answer}");
    }
}

#[test]
fn an_answer_without_vectors_is_none_and_costs_nothing() {
    for none in [
        "{}",
        r#"{"data":[],"usage":{"total_tokens":9}}"#,
        r#"{"embeddings":{"float":[]}}"#,
        r#"{"embeddings":{"float":[[]]}}"#,
    ] {
        let judged = JINA_EMBEDDINGS.judge(none.as_bytes());
        assert!(matches!(judged, Judged::Nonsense(_)), "{none}");
        let usage = JINA_EMBEDDINGS.usage(Metered::default(), none.as_bytes());
        assert!(usage.expect("JSON").is_nothing(), "{none}");
    }
}
