//! Beginnings of streams in every split, and answers that are none.

use super::*;

const CHUNK: &str = "data: {\"id\":\"x\",\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";

#[test]
fn the_first_event_with_data_decides() {
    let error = "{\"error\":{\"message\":\"m\"}}";
    let rows: Vec<(String, &str)> = vec![
        (CHUNK.to_owned(), "event"),
        (CHUNK.replace('\n', "\r\n"), "event"),
        (CHUNK.replace('\n', "\r"), "event"),
        (format!("\u{feff}{CHUNK}"), "event"),
        (
            format!(": OPENROUTER PROCESSING\n\n: again\n\n{CHUNK}"),
            "event",
        ),
        (": only comments\n\n".to_owned(), "more"),
        ("event: ping\ndata: \n\n".to_owned(), "more"),
        ("data: {\"choices\":".to_owned(), "more"),
        ("data: {\"choices\":[\ndata: ]}\n".to_owned(), "more"),
        ("data: {\"choices\":[\ndata: ]}\n\n".to_owned(), "event"),
        ("data: [DONE]\n\n".to_owned(), "event"),
        (
            "data:{\"error\":null,\"choices\":[]}\n\n".to_owned(),
            "event",
        ),
        (format!("data: {error}\n\n"), "error"),
        (format!("data:{error}\n"), "error"),
        (
            format!(": wait\n\nevent: error\ndata: {error}\n\n"),
            "error",
        ),
        (
            "event: error\ndata: {\"message\":\"m\",\"choices\":[]}\n\n".to_owned(),
            "error",
        ),
        ("event: error\ndata: overloaded\n\n".to_owned(), "error"),
        (
            "data: { \"id\":\"x\", \"choices\":[], \"error\":{\"code\":502} }\n\n".to_owned(),
            "error",
        ),
        (
            "data: {\"error\":\ndata: {\"message\":\"m\"}}\n\n".to_string(),
            "error",
        ),
        (format!("\n {error}"), "json"),
        ("[{".to_owned(), "json"),
        ("<html>".to_owned(), "page"),
        (String::new(), "more"),
        (" \n".to_owned(), "more"),
    ];
    for (text, expected) in rows {
        let word = match look(text.as_bytes()) {
            Look::More => "more",
            Look::Event => "event",
            Look::Error(_) => "error",
            Look::Whole => "json",
            Look::Page => "page",
        };
        assert_eq!(word, expected, "{text:?}");
        if expected == "event" || expected == "error" {
            let first = (0..text.len()).find(|at| look(&text.as_bytes()[..*at]) != Look::More);
            let first = first.map(|at| look(&text.as_bytes()[..at]));
            let same = first.is_none_or(|look| matches!(look, Look::Error(_)) == (word == "error"));
            assert!(same, "no beginning says otherwise: {text:?}");
        }
    }
}

#[test]
fn json_that_is_no_answer_is_refused() {
    let chat = |text: &str| judge(text.as_bytes(), "choices");
    let good = chat(r#"{"choices":[{"message":{"content":""}}]}"#);
    assert_eq!(good, Judged::Answer);
    assert_eq!(chat(r#"{"error":null,"choices":[{}]}"#), Judged::Answer);
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"choices":null}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":{}}"#,
        "<html>",
        r#"{"choices":[{}]"#,
    ] {
        assert!(matches!(chat(text), Judged::Nonsense(_)), "{text}");
    }
    for text in [
        r#"{"error":{"message":"m","code":429}}"#,
        r#" {"detail":"no"}"#,
        r#"{"choices":[{}],"error":"late"}"#,
    ] {
        assert!(matches!(chat(text), Judged::Error(_)), "{text}");
    }
    let images = br#"{"created":1,"data":[{"url":"x"}]}"#;
    assert_eq!(judge(images, "data"), Judged::Answer);
    assert_ne!(judge(images, "choices"), Judged::Answer);
}
