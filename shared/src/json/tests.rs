//! Fields are found and changed in place, and every other byte is left alone.

use super::*;

#[test]
fn wanted_fields_are_found_and_the_rest_is_left_alone() {
    let body = br#" {"a":[{"model":"no"}], "model" : "m1","\u0078":1} "#;
    let [model, x, none] = fields(body, ["model", "x", "none"]).expect("valid");
    assert_eq!(model.map(RawValue::get), Some("\"m1\""));
    assert_eq!(
        x.map(RawValue::get),
        Some("1"),
        "an escaped key is the same key"
    );
    assert!(none.is_none());
}

#[test]
fn broken_bodies_are_refused() {
    for body in [
        &b""[..],
        b"[]",
        b"{",
        b"{}x",
        b"{\"model\":1,\"model\":2}",
        b"{\"a\":\"\xff\"}",
        b"null",
        b"{\"a\" 1}",
    ] {
        assert!(
            fields(body, ["model"]).is_err(),
            "{:?}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn changes_touch_only_their_own_bytes() {
    let body = Bytes::from_static(br#"{ "model":"a" ,"x":{"model":"a"}, "max_tokens": 9}"#);
    let [model, max] = fields(&body, ["model", "max_tokens"]).expect("valid");
    let at = |raw: Option<&RawValue>| span(&body, raw.expect("there"));
    let changed = apply(
        &body,
        vec![
            Edit::replace(at(max), "5".into()),
            Edit::replace(at(model), "\"bb\"".into()),
            Edit::insert(&body, "stream_options", "{}"),
        ],
    );
    assert_eq!(
        changed,
        Bytes::from_static(
            br#"{"stream_options":{}, "model":"bb" ,"x":{"model":"a"}, "max_tokens": 5}"#
        )
    );
}

#[test]
fn a_field_is_taken_out_with_its_comma() {
    for (body, left) in [
        (r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1,"c":3}"#),
        (r#"{"b":2,"c":3}"#, r#"{"c":3}"#),
        (r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
        (r#"{ "b" : {"x":[1,2]} }"#, "{  }"),
        (
            r#"{"a":"b" , "\u0062" : "x" , "c":3}"#,
            r#"{"a":"b"  , "c":3}"#,
        ),
    ] {
        let body = Bytes::from_static(body.as_bytes());
        let [old] = fields(&body, ["b"]).expect("valid");
        let at = span(&body, old.expect("there"));
        let changed = apply(&body, vec![Edit::remove(&body, &at)]);
        assert_eq!(changed, Bytes::from_static(left.as_bytes()));
        fields(&changed, ["b"]).expect("still JSON");
    }
}

#[test]
fn a_field_is_taken_where_it_is_one_of_the_body() {
    for (body, value, left) in [
        (
            r#"{"model":"m","max_cost":0.5,"x":[]}"#,
            "0.5",
            r#"{"model":"m","x":[]}"#,
        ),
        (
            r#"{"max\u005fcost":null,"a":"max_cost"}"#,
            "null",
            r#"{"a":"max_cost"}"#,
        ),
    ] {
        let body = Bytes::from_static(body.as_bytes());
        let taken = take(&body, "max_cost").expect("valid").expect("there");
        assert_eq!(
            taken,
            (value.to_owned(), Bytes::from_static(left.as_bytes()))
        );
    }
    let inner = Bytes::from_static(br#"{"a":{"max_cost":1}}"#);
    assert_eq!(take(&inner, "max_cost"), Ok(None));
    assert_eq!(take(&Bytes::from_static(b"no JSON"), "max_cost"), Ok(None));
    let twice = Bytes::from_static(br#"{"max_cost":1,"max_cost":2}"#);
    assert!(take(&twice, "max_cost").is_err(), "which of them is meant?");
    assert!(take(&Bytes::from_static(b"max_cost"), "max_cost").is_err());
}

#[test]
fn fields_can_be_added_to_an_empty_object() {
    let body = Bytes::from_static(b"{ }");
    let two = vec![Edit::insert(&body, "a", "1"), Edit::insert(&body, "b", "2")];
    assert_eq!(apply(&body, two), Bytes::from_static(b"{\"a\":1,\"b\":2 }"));
}

#[test]
fn fields_side_by_side_are_taken_out_together_wherever_they_stand() {
    for (body, expected) in [
        (r#"{"a":1,"b":2,"x":3}"#, r#"{"x":3}"#),
        (r#"{ "a":1 , "b":2 , "x":3}"#, r#"{  "x":3}"#),
        (r#"{"x":3,"a":1,"b":2}"#, r#"{"x":3}"#),
        (r#"{"x":3,"a":1,"b":2,"y":4}"#, r#"{"x":3,"y":4}"#),
        (r#"{"a":1,"x":3,"b":2}"#, r#"{"x":3}"#),
        (r#"{"a":1,"b":2}"#, "{}"),
    ] {
        let bytes = Bytes::from_static(body.as_bytes());
        let [a, b] = fields(&bytes, ["a", "b"]).expect("JSON");
        let out = [a, b].into_iter().flatten();
        let edits = out.map(|value| Edit::remove(&bytes, &span(&bytes, value)));
        let left = apply(&bytes, edits.collect());
        let left = String::from_utf8(left.to_vec()).expect("text");
        let read: serde_json::Value = serde_json::from_str(&left).expect(&left);
        let expected: serde_json::Value = serde_json::from_str(expected).expect("JSON");
        assert_eq!(read, expected, "{body}: {left}");
    }
}
