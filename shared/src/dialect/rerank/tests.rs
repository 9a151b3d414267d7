//! What is read of a ranking, what it holds and costs, and how its answer is written, as tables.

use serde_json::{Value, json};

use super::super::Quirks;
use super::super::neutral::Ranked;
use super::*;
use crate::dialect::Output;
use crate::link::Bounds;
use crate::units::Unit;

fn read(body: &Value) -> Result<Asked, BadBody> {
    RERANK.read(&Head::default(), &Body::of_json(&body.to_string()))
}

fn neutral(body: &Value) -> RerankRequest {
    let read = RERANK.read_request(&Head::default(), body.to_string().as_bytes());
    read.expect("a request")
}

fn shown(body: &Value) -> AnswerShown {
    AnswerShown {
        model: "ours".to_owned(),
        id: "gen_1".to_owned(),
        created: 0,
        shows_usage: true,
        input_estimate: 0,
        repeated: RERANK.repeated(&body.to_string().into()),
    }
}

/// A request that is right, with this field otherwise, or without it.
fn with(field: &str, value: Option<Value>) -> Value {
    let mut body = json!({"model": "m", "query": "q", "documents": ["a", "b"]});
    match value {
        Some(value) => body[field] = value,
        None => drop(body.as_object_mut().and_then(|all| all.remove(field))),
    }
    body
}

#[test]
fn what_is_missing_or_wrong_is_refused_by_its_name() {
    assert!(read(&with("top_n", Some(json!(1)))).is_ok());
    for param in ["model", "query", "documents"] {
        let wrong = read(&with(param, None)).expect_err(param);
        assert_eq!(wrong.param, Some(param), "{}", wrong.message);
    }
    for (param, value) in [
        ("query", json!("")),
        ("query", json!(7)),
        ("query", json!(["q"])),
        ("query", json!({"image": ""})),
        ("documents", json!([])),
        ("documents", json!("a")),
        ("documents", json!({"0": "a"})),
        ("documents", json!(["a", 7])),
        ("documents", json!(["a", {"title": "b"}])),
        ("documents", json!([{"image": ""}])),
        ("documents", json!(vec!["a"; 2_049])),
        ("top_n", json!(0)),
        ("top_n", json!(1.5)),
        ("return_documents", json!("yes")),
        ("rank_fields", json!("a")),
        ("max_tokens_per_doc", json!(-1)),
        ("api_base", json!("http://x")),
    ] {
        let body = with(param, Some(value));
        let wrong = read(&body).expect_err(param);
        assert_eq!(wrong.param, Some(param), "{body}: {}", wrong.message);
    }
    let wrong = read(&with("Top_n", Some(json!(1)))).expect_err("letters");
    assert_eq!(wrong.param, Some("top_n"));
    let wrong = read(&with("documents", Some(json!(["a", 7])))).expect_err("7");
    assert!(wrong.message.contains("documents[1]"), "{}", wrong.message);
}

#[test]
fn documents_are_texts_objects_with_a_text_pictures_or_some_of_their_fields() {
    let text = |text: &str| Ranked::Text(text.to_owned());
    let body = json!({"model": "m", "query": {"text": "q"}, "documents": [
        "a", {"text": "b", "id": 1}, {"image": "https://x/y.png"}, ""]});
    let request = neutral(&body);
    assert_eq!(request.query, text("q"));
    let picture = Ranked::Image("https://x/y.png".to_owned());
    assert_eq!(request.documents, [text("a"), text("b"), picture, text("")]);
    let body = json!({"model": "m", "query": "q", "rank_fields": ["title", "year"], "documents": [
        {"year": 1999, "title": "T", "text": "unread"}, {"title": "only"}, "plain"]});
    assert_eq!(
        neutral(&body).documents,
        [
            text("title: T\nyear: 1999"),
            text("title: only"),
            text("plain")
        ]
    );
    let none =
        json!({"model": "m", "query": "q", "rank_fields": ["title"], "documents": [{"text": "a"}]});
    assert_eq!(read(&none).expect_err("no field").param, Some("documents"));
}

#[test]
fn more_results_than_documents_are_all_of_them() {
    let of = |top: Value| {
        neutral(&json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": top})).top
    };
    assert_eq!(of(json!(1)), Some(1));
    assert_eq!(of(json!(2)), Some(2));
    assert_eq!(of(json!(u64::MAX)), Some(2));
    assert_eq!(of(json!(null)), None);
}

#[test]
fn the_query_is_held_for_once_more_with_each_document() {
    let of = |query: &str, documents: usize| {
        let body =
            json!({"model": "m", "query": query, "documents": vec!["x".repeat(400); documents]});
        read(&body).expect("valid")
    };
    let (one, many) = (of(&"q".repeat(100), 1), of(&"q".repeat(100), 50));
    assert_eq!((one.output, one.stream), (Output::None, false));
    let tokens = |asked: &Asked| asked.bounds.count(Unit::InputToken);
    // A text of 400 letters and one of 100, each with its quotes.
    assert_eq!((tokens(&one), tokens(&many)), (504, 25_200));
    assert!(many.input_estimate >= 49 * one.input_estimate, "{many:?}");
    assert!(many.input_estimate <= tokens(&many));
    let told = json!({"model": "m", "query": "q", "documents": vec!["a"; 10], "instruction": "i".repeat(98)});
    assert_eq!(
        read(&told).expect("valid").bounds.count(Unit::InputToken),
        10 * (3 + 3 + 100)
    );
}

#[test]
fn a_picture_is_held_for_as_a_picture() {
    let data = "A".repeat(4_000_000);
    let body = json!({"model": "m", "query": "q", "documents": [{"image": format!("data:image/png;base64,{data}")}]});
    let tokens = read(&body).expect("valid").bounds.count(Unit::InputToken);
    assert!((8_192..8_400).contains(&tokens), "{tokens}");
}

#[test]
fn searches_are_a_hundred_documents_and_long_ones_count_as_several() {
    let of = |documents: Vec<String>, more: Value| {
        let mut body = json!({"model": "m", "query": "q".repeat(98), "documents": documents});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let most = read(&body).expect("valid").bounds.count(Unit::Search);
        let searches = request::searches(body.to_string().as_bytes());
        assert_eq!(searches.most, most);
        (searches.least, searches.most)
    };
    let short = |count: usize| vec!["a".to_owned(); count];
    assert_eq!(of(short(1), json!({})), (1, 1));
    assert_eq!(of(short(100), json!({})), (1, 1));
    assert_eq!(of(short(101), json!({})), (2, 2));
    // 400 tokens are left beside the query; of a document 4,096 are read at most.
    let long = vec!["x".repeat(100_000); 100];
    assert_eq!(of(long.clone(), json!({})), (1, 11));
    assert_eq!(of(long, json!({"max_tokens_per_doc": 400})), (1, 1));
}

#[test]
fn an_answer_has_what_both_clients_read_and_documents_where_they_are_asked_for() {
    let body = json!({"model": "m", "query": "q", "documents": ["a\u{e9}\"", {"text": "b", "n": [1]}], "return_documents": true});
    let ranks = |all: &[(usize, f64)]| -> Vec<Rank> {
        let each = all.iter().map(|(index, score)| Rank {
            index: *index,
            score: *score,
        });
        each.collect()
    };
    let usage = Usage::of([(Unit::InputToken, 9), (Unit::Search, 1)]);
    let written = RERANK.write_answer(ranks(&[(0, -0.5), (1, 0.25)]), &usage, &shown(&body));
    let told: Value = serde_json::from_slice(&written.expect("written")).expect("JSON");
    assert_eq!(
        told["results"],
        json!([
            {"index": 1, "relevance_score": 0.25, "document": {"text": "b", "n": [1]}},
            {"index": 0, "relevance_score": -0.5, "document": {"text": "a\u{e9}\""}},
        ])
    );
    assert_eq!(
        (&told["id"], &told["model"]),
        (&json!("gen_1"), &json!("ours"))
    );
    assert_eq!(
        told["meta"]["billed_units"],
        json!({"input_tokens": 9, "search_units": 1})
    );
    assert_eq!(told["usage"]["total_tokens"], 9);
    let plain = json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1});
    let written = RERANK.write_answer(ranks(&[(0, 0.1), (1, 0.9)]), &usage, &shown(&plain));
    let told: Value = serde_json::from_slice(&written.expect("written")).expect("JSON");
    assert_eq!(
        told["results"],
        json!([{"index": 1, "relevance_score": 0.9}])
    );
    for wrong in [&[][..], &[(2, 0.1)], &[(0, 0.1), (0, 0.1)]] {
        assert!(
            RERANK
                .write_answer(ranks(wrong), &usage, &shown(&plain))
                .is_err()
        );
    }
}

#[test]
fn usage_is_told_where_it_is_and_else_reckoned() {
    let of = Metered {
        bounds: Some(Bounds {
            input_estimate: 70,
            input_max: 500,
            output_max: 0,
        }),
        searches: Searches { least: 2, most: 5 },
        ..Metered::default()
    };
    let usage = |told: Value| {
        let mut answer = json!({"results": [{"index": 0, "relevance_score": 1}]});
        for (name, value) in told.as_object().expect("an object") {
            answer[name] = value.clone();
        }
        let usage = COHERE_RERANK
            .usage(of, answer.to_string().as_bytes())
            .expect("JSON");
        (
            usage.count(Unit::InputToken),
            usage.count(Unit::Search),
            usage.estimated,
            usage.capped,
        )
    };
    assert_eq!(usage(json!({})), (70, 2, true, false));
    assert_eq!(
        usage(json!({"meta": {"billed_units": {"search_units": 3.0}}})),
        (70, 3, true, false)
    );
    assert_eq!(
        usage(
            json!({"meta": {"billed_units": {"search_units": 3}, "tokens": {"input_tokens": 40}}})
        ),
        (40, 3, false, false)
    );
    assert_eq!(
        usage(
            json!({"meta": {"billed_units": {"search_units": 99}}, "usage": {"total_tokens": 9_999}})
        ),
        (500, 5, true, true)
    );
    assert_eq!(
        usage(json!({"usage": {"total_tokens": 33}})),
        (33, 2, false, false)
    );
    assert_eq!(
        usage(json!({"tokens": {"input_tokens": 33, "output_tokens": 1}})).0,
        33
    );
    let with_output = json!({"results": [{"index": 0, "relevance_score": 1}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}});
    let counted = JINA_RERANK.usage(of, with_output.to_string().as_bytes());
    assert_eq!(counted.expect("JSON").output_total(), 0);
    assert_eq!(
        usage(json!({"usage": "none", "meta": []})),
        (70, 2, true, false)
    );
    let nothing = COHERE_RERANK.usage(of, br#"{"results":[],"usage":{"total_tokens":9}}"#);
    assert!(nothing.expect("JSON").is_nothing());
    assert!(COHERE_RERANK.usage(of, b"[]").is_err());
}

#[test]
fn each_vendor_has_a_name_that_finds_it() {
    let to = WriteTo {
        model: "theirs",
        quirks: Quirks::default(),
        output_max: None,
    };
    let request = neutral(
        &json!({"model": "m", "query": "q", "documents": ["a"], "mystery": 1, "seed": null}),
    );
    for name in [
        "cohere_rerank",
        "jina_rerank",
        "voyage_rerank",
        "dashscope_rerank",
    ] {
        let vendor = crate::dialect::named(name).expect(name);
        let rankings = vendor.rankings().expect(name);
        let written = rankings.write_request(&request, to).expect(name);
        assert_eq!(written.dropped, ["mystery"], "{name}");
        let body: Value = serde_json::from_slice(&written.body).expect("JSON");
        assert_eq!(body["model"], "theirs");
        assert!(vendor.read(&Head::default(), &Body::of_json("{}")).is_err());
        assert!(rankings.read_request(&Head::default(), b"{}").is_err());
    }
}

#[test]
fn a_refusal_reads_in_either_shape() {
    let told = ErrorText {
        status: 400,
        kind: "invalid_request_error",
        code: Some("bad"),
        param: Some("query"),
        message: "`query` is missing.",
    };
    let error: Value = serde_json::from_slice(&RERANK.error(told)).expect("JSON");
    assert_eq!(error["message"], told.message);
    assert_eq!(error["detail"], told.message);
    assert_eq!(error["error"]["param"], "query");
    assert_eq!(error["error"]["code"], "bad");
}
