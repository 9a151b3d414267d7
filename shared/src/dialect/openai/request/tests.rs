//! What of a tenant's bytes is changed on the way to a provider.

use super::*;
use crate::dialect::Quirks;
use crate::dialect::openai::Chunk;
use crate::dialect::pictures::PictureTask;

fn sent(body: &str, stream: bool, quirks: Quirks) -> String {
    let shape = Shape::Choices(Chunk {
        object: "chat.completion.chunk",
        nothing: "\"delta\":{}",
    });
    let to = Forward {
        model: "theirs",
        asks_usage: stream,
        quirks,
        end_user: None,
    };
    let body = Bytes::copy_from_slice(body.as_bytes());
    let bytes = forwarded(&body, shape, to).expect("translates");
    let _: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn maximum(maximum: Maximum) -> Quirks {
    Quirks {
        maximum,
        ..Quirks::default()
    }
}

#[test]
fn only_the_fields_that_must_change_do() {
    let plain = Quirks::default();
    for (body, stream, expected) in [
        (
            r#"{ "model" : "ours", "x":{"max_tokens":1} , "logprobs":true}"#,
            false,
            r#"{ "model" : "theirs", "x":{"max_tokens":1} , "logprobs":true}"#,
        ),
        (
            r#"{"model":"ours","max_completion_tokens":7}"#,
            false,
            r#"{"model":"theirs","max_completion_tokens":7}"#,
        ),
        (
            r#"{"model":"ours","stream":true}"#,
            true,
            r#"{"stream_options":{"include_usage":true},"model":"theirs","stream":true}"#,
        ),
        (
            r#"{"model":"ours","stream_options":{"include_obfuscation":false}}"#,
            true,
            r#"{"model":"theirs","stream_options":{"include_obfuscation":false,"include_usage":true}}"#,
        ),
    ] {
        assert_eq!(sent(body, stream, plain), expected);
    }
    let without = Quirks {
        no_usage_option: true,
        ..plain
    };
    let body = r#"{"model":"ours","stream":true}"#;
    assert_eq!(
        sent(body, true, without),
        r#"{"model":"theirs","stream":true}"#
    );
}

#[test]
fn exactly_one_maximum_goes_out_in_the_field_that_is_obeyed() {
    let both = r#"{"max_tokens": 5,"model":"o","max_completion_tokens":9 }"#;
    let rows = [
        (
            both,
            Maximum::AsAsked,
            r#"{"max_tokens": 9,"model":"theirs" }"#,
        ),
        (
            both,
            Maximum::MaxCompletionTokens,
            r#"{"model":"theirs","max_completion_tokens":9 }"#,
        ),
        (
            r#"{"max_completion_tokens":3,"max_tokens":4,"model":"o"}"#,
            Maximum::AsAsked,
            r#"{"max_tokens":4,"model":"theirs"}"#,
        ),
        (
            r#"{"model":"o","max_tokens":null,"max_completion_tokens":9}"#,
            Maximum::AsAsked,
            r#"{"model":"theirs","max_completion_tokens":9}"#,
        ),
        (
            r#"{"max\u005ftokens":4,"model":"o"}"#,
            Maximum::MaxCompletionTokens,
            r#"{"max_completion_tokens":4,"model":"theirs"}"#,
        ),
        (
            r#"{"model":"o","max_completion_tokens":4}"#,
            Maximum::MaxTokens,
            r#"{"model":"theirs","max_tokens":4}"#,
        ),
        (
            r#"{"model":"o","max_tokens":null}"#,
            Maximum::MaxCompletionTokens,
            r#"{"model":"theirs","max_tokens":null}"#,
        ),
    ];
    for (body, field, expected) in rows {
        assert_eq!(
            sent(body, false, maximum(field)),
            expected,
            "{body} {field:?}"
        );
    }
}

/// The body for a provider that is told of an end user in `field`.
fn named(shape: Shape, field: EndUserField, body: &str) -> String {
    let quirks = Quirks {
        end_user: field,
        ..Quirks::default()
    };
    let to = Forward {
        model: "theirs",
        asks_usage: false,
        quirks,
        end_user: Some("wu_1_2"),
    };
    let body = Bytes::copy_from_slice(body.as_bytes());
    let bytes = forwarded(&body, shape, to).expect("translates");
    let _: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Chats: the field that is taken, what is sent, and what becomes of it.
const CHATS_OF_END_USERS: [(EndUserField, &str, &str); 7] = [
    (
        EndUserField::OfDialect,
        r#"{"model":"o","messages":[]}"#,
        r#"{"user":"wu_1_2","model":"theirs","messages":[]}"#,
    ),
    (
        EndUserField::OfDialect,
        r#"{"user":"a@b.c","model":"o","messages":[]}"#,
        r#"{"user":"wu_1_2","model":"theirs","messages":[]}"#,
    ),
    (
        EndUserField::SafetyIdentifier,
        r#"{"user":"a@b.c","model":"o","messages":[]}"#,
        r#"{"safety_identifier":"wu_1_2","model":"theirs","messages":[]}"#,
    ),
    (
        EndUserField::OfDialect,
        r#"{"model":"o","safety_identifier":"a","user" : 7 ,"messages":[]}"#,
        r#"{"model":"theirs","user" : "wu_1_2" ,"messages":[]}"#,
    ),
    (
        EndUserField::UserId,
        r#"{"model":"o","user":"a","user_id":"b","messages":[]}"#,
        r#"{"model":"theirs","user_id":"wu_1_2","messages":[]}"#,
    ),
    (
        EndUserField::Nowhere,
        r#"{"user":"a", "safety_identifier":"b" ,"model":"o","messages":[]}"#,
        r#"{"model":"theirs","messages":[]}"#,
    ),
    (
        EndUserField::Nowhere,
        r#"{"model":"o","messages":[],"user":"a","safety_identifier":"b"}"#,
        r#"{"model":"theirs","messages":[]}"#,
    ),
];

#[test]
fn the_tenants_words_for_an_end_user_give_way_to_the_name_in_the_one_field_that_is_taken() {
    use EndUserField as F;
    let chat = Shape::Choices(Chunk {
        object: "chat.completion.chunk",
        nothing: "\"delta\":{}",
    });
    let completion = Shape::Choices(Chunk {
        object: "text_completion",
        nothing: "\"text\":\"\"",
    });
    let chats = CHATS_OF_END_USERS.map(|(field, body, expected)| (chat, field, body, expected));
    let others = [
        // These know the older field alone.
        (
            completion,
            F::SafetyIdentifier,
            r#"{"model":"o","prompt":"x"}"#,
            r#"{"user":"wu_1_2","model":"theirs","prompt":"x"}"#,
        ),
        (
            Shape::Vectors,
            F::SafetyIdentifier,
            r#"{"model":"o","input":"x"}"#,
            r#"{"user":"wu_1_2","model":"theirs","input":"x"}"#,
        ),
        (
            Shape::Pictures(PictureTask::Generation),
            F::SafetyIdentifier,
            r#"{"model":"o","prompt":"x","user":"a"}"#,
            r#"{"safety_identifier":"wu_1_2","model":"theirs","prompt":"x"}"#,
        ),
        // And this one knows none.
        (
            Shape::Verdicts,
            F::OfDialect,
            r#"{"model":"o","input":"x","user":"a"}"#,
            r#"{"model":"theirs","input":"x"}"#,
        ),
    ];
    for (shape, field, body, expected) in chats.into_iter().chain(others) {
        assert_eq!(named(shape, field, body), expected, "{field:?} {body}");
    }
}

#[test]
fn nothing_is_kept_at_a_provider_whatever_the_wish_is_written_like() {
    let plain = Quirks::default();
    for (body, expected) in [
        (
            r#"{"store":true,"model":"a","metadata":{"b":"c"}}"#,
            r#"{"model":"theirs"}"#,
        ),
        (
            r#"{"model":"a","metadata":{"b":"c"}, "st\u006fre" : true}"#,
            r#"{"model":"theirs"}"#,
        ),
        (r#"{"model":"a","store":true}"#, r#"{"model":"theirs"}"#),
        (
            r#"{"model":"a","store":false,"metadata":{"b":"c"}}"#,
            r#"{"model":"theirs","store":false,"metadata":{"b":"c"}}"#,
        ),
        (
            r#"{"model":"a","x":{"store":true},"metadata":{}}"#,
            r#"{"model":"theirs","x":{"store":true},"metadata":{}}"#,
        ),
    ] {
        assert_eq!(sent(body, false, plain), expected);
    }
}
