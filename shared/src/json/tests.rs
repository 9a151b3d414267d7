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
fn fields_can_be_added_to_an_empty_object() {
    let body = Bytes::from_static(b"{ }");
    let two = vec![Edit::insert(&body, "a", "1"), Edit::insert(&body, "b", "2")];
    assert_eq!(apply(&body, two), Bytes::from_static(b"{\"a\":1,\"b\":2 }"));
}
