//! Lists of every form that there is, and such as nobody should send.

use super::*;

fn read(body: &str) -> Option<ProviderModels> {
    let page = Page::read(body.as_bytes())?;
    let mut reading = Reading::default();
    reading.take(&page);
    Some(reading.models)
}

fn names(body: &str) -> Option<String> {
    read(body).map(|models| models.names.join(" "))
}

#[test]
fn every_form_of_a_list_is_read() {
    for (body, expected) in [
        (
            r#"{"object":"list","data":[{"id":"gpt-5","object":"model"},{"id":"o4"}]}"#,
            Some("gpt-5 o4"),
        ),
        (
            r#"{"data":[{"type":"model","id":"claude-opus-5"}],"has_more":false,"last_id":"claude-opus-5"}"#,
            Some("claude-opus-5"),
        ),
        (
            r#"{"models":[{"name":"models/gemini-3-pro","displayName":"x"}],"nextPageToken":"t"}"#,
            Some("gemini-3-pro"),
        ),
        (
            r#"{"models":[{"name":"command-r","endpoints":["chat"]}],"next_page_token":""}"#,
            Some("command-r"),
        ),
        (r#" [{"id":"meta/llama"},{"id":"b"}]"#, Some("meta/llama b")),
        (r#"{"data":["plain","names"]}"#, Some("plain names")),
        (r#"{"data":[]}"#, Some("")),
        (r#"{"models":null,"data":[{"id":"a"}]}"#, Some("a")),
        (r#"{"models":null}"#, None),
        (r#"{"data":{"id":"a"}}"#, None),
        (r#"{"data":"a"}"#, None),
        (r#"{"object":"list"}"#, None),
        ("{}", None),
        ("", None),
        ("null", None),
        (r#"{"data":[{"id":"a"}"#, None),
        ("<html>", None),
    ] {
        assert_eq!(names(body).as_deref(), expected, "{body}");
    }
}

#[test]
fn what_is_no_name_is_counted_and_left_out() {
    let long = "x".repeat(201);
    let body = format!(
        r#"{{"data":[null,7,[],{{}},{{"id":null}},{{"id":7}},{{"id":""}},{{"id":"a b"}},{{"id":"模型"}},
            {{"id":"{long}"}},{{"id":"line\nbreak"}},{{"id":"<script>x</script>"}},{{"id":"ok"}},{{"id":"ok"}}]}}"#
    );
    let models = read(&body).expect("a list");
    // Markup is a name like another: pages escape what they show.
    assert_eq!(models.names, ["<script>x</script>", "ok"]);
    assert_eq!((models.odd, models.cut), (11, false));
}

#[test]
fn a_list_of_a_million_is_read_to_its_bounds() {
    let mut body = String::from(r#"{"data":["#);
    for number in 0..300_000 {
        let _ = write!(body, r#"{{"id":"m{number}"}},"#);
    }
    body.push_str(r#"{"id":"last"}]}"#);
    let models = read(&body).expect("a list");
    assert_eq!((models.names.len(), models.cut), (NAMES_MAX, true));

    let mut reading = Reading::default();
    for number in 0..NAMES_MAX {
        reading.add(Some(&format!("{number:0>200}")));
    }
    let bytes: usize = reading.models.names.iter().map(String::len).sum();
    assert!(bytes <= NAMES_BYTES_MAX && reading.models.cut, "{bytes}");
}

#[test]
fn a_page_says_where_the_next_begins_in_its_vendors_words() {
    for (body, path, next) in [
        (
            r#"{"data":[],"has_more":true,"last_id":"a&b"}"#,
            "/models?limit=1000",
            Some("/models?limit=1000&after_id=a%26b"),
        ),
        (
            r#"{"models":[],"nextPageToken":"p 2"}"#,
            "/models",
            Some("/models?pageToken=p%202"),
        ),
        (
            r#"{"models":[],"next_page_token":"x"}"#,
            "/models",
            Some("/models?page_token=x"),
        ),
        (
            r#"{"data":[],"has_more":true,"last_id":null}"#,
            "/models",
            None,
        ),
        (
            r#"{"data":[],"has_more":"yes","last_id":"a"}"#,
            "/models",
            None,
        ),
        (
            r#"{"data":[],"has_more":false,"last_id":"a"}"#,
            "/models",
            None,
        ),
        (r#"{"models":[],"nextPageToken":""}"#, "/models", None),
        (r#"{"models":[],"nextPageToken":7}"#, "/models", None),
    ] {
        let page = Page::read(body.as_bytes()).expect("a page");
        let mark = page.next().map(|mark| mark.behind(path));
        assert_eq!(mark.as_deref(), next, "{body}");
    }
    let long = format!(r#"{{"models":[],"nextPageToken":"{}"}}"#, "x".repeat(2_000));
    assert_eq!(Page::read(long.as_bytes()).expect("a page").next(), None);
}

#[test]
fn a_page_without_the_mark_of_the_next_is_no_whole_list() {
    let long = "x".repeat(MARK_BYTES_MAX + 1);
    for (rest, cut) in [
        (r#""has_more":true"#.to_owned(), true),
        (r#""has_more":true,"last_id":null"#.to_owned(), true),
        (r#""has_more":true,"last_id":7"#.to_owned(), true),
        (r#""has_more":true,"last_id":"""#.to_owned(), true),
        (format!(r#""has_more":true,"last_id":"{long}""#), true),
        (r#""has_more":true,"last_id":"a""#.to_owned(), false),
        (r#""has_more":false,"last_id":null"#.to_owned(), false),
        (format!(r#""nextPageToken":"{long}""#), true),
        (r#""nextPageToken":7"#.to_owned(), true),
        (r#""nextPageToken":"t""#.to_owned(), false),
        (r#""nextPageToken":"""#.to_owned(), false),
        (r#""nextPageToken":null"#.to_owned(), false),
        (format!(r#""next_page_token":"{long}""#), true),
        (r#""object":"list""#.to_owned(), false),
    ] {
        let models = read(&format!(r#"{{"data":[{{"id":"a"}}],{rest}}}"#)).expect("a list");
        assert_eq!((models.names.len(), models.cut), (1, cut), "{rest:.60}");
    }
}
