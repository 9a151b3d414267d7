//! What a form says of a provider comes back as it was typed, and what is wrong stands beside its field.

use shared::link::Operation;
use shared::link::connectors::{AddressRule, SecretRule};

use super::*;

fn posted(pairs: &[(&str, &str)]) -> FormData {
    let body = serde_urlencoded::to_string(pairs).expect("a body");
    FormData::parse(body.as_bytes()).expect("a form")
}

fn connector() -> ConnectorFacts {
    ConnectorFacts {
        kind: "vendor".into(),
        label: "Vendor".into(),
        address: AddressRule::Needed,
        secret: SecretRule::IN_A_HEADER,
        speaks: vec![
            Speaks::new(Operation::Chat, "openai_chat"),
            Speaks::seldom(Operation::Chat, "anthropic_messages"),
            Speaks::new(Operation::Image, "openai_images"),
        ]
        .into(),
        media: false,
    }
}

const USUAL: [(&str, &str); 2] = [("dialects", "openai_chat"), ("dialects", "openai_images")];

fn whole() -> ProviderOptions {
    let pair = |name: &str, value: &str| Pair {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    ProviderOptions {
        dialects: vec!["anthropic_messages".to_owned(), "openai_chat".to_owned()],
        key_header: Some(KeyHeader {
            name: "api-key".to_owned(),
            prefix: "Token ".to_owned(),
        }),
        headers: vec![pair("x-title", "Waule: all"), pair("x-empty", "")],
        api_version: Some("2024-10-21".to_owned()),
        region: Some("eu-west-1".to_owned()),
        leave_out: vec!["seed".to_owned(), "logit_bias".to_owned()],
        rename: vec![pair("user", "end_user")],
        no_usage_option: true,
        maximum: Some(MaximumField::MaxCompletionTokens),
    }
}

/// The fields of a form as a browser sends them.
fn sent(form: &Form) -> FormData {
    let several = |(name, value): (&String, &String)| -> Vec<(String, String)> {
        let one = |value: &str| (name.clone(), value.to_owned());
        match name.as_str() {
            "dialects" => value.split_whitespace().map(one).collect(),
            _ => vec![one(&value.replace('\n', "\r\n"))],
        }
    };
    let pairs: Vec<(String, String)> = form.values.iter().flat_map(several).collect();
    let body = serde_urlencoded::to_string(pairs).expect("a body");
    FormData::parse(body.as_bytes()).expect("a form")
}

#[test]
fn what_a_form_was_filled_with_comes_back_the_same() {
    let connector = connector();
    for options in [ProviderOptions::default(), whole()] {
        let mut form = Form::default();
        fill(&mut form, &options, Some(&connector));
        assert_eq!(drafted(&sent(&form), Some(&connector)), Ok(options));
    }
}

#[test]
fn what_people_type_is_read_as_they_mean_it() {
    let typed = posted(&[
        ("key_header", " API-Key "),
        ("key_prefix", "Bearer"),
        ("headers", "\r\n X-Title :  Waule \r\n\r\nx-time: 1:2"),
        ("leave_out", "seed，logit_bias,\r\n user"),
        ("rename", "a->b\r\nc → d"),
    ]);
    let options = drafted(&typed, Some(&connector())).expect("options");
    let header = options.key_header.expect("a header");
    assert_eq!((&*header.name, &*header.prefix), ("api-key", "Bearer "));
    assert_eq!(lines(&options.headers, "="), "x-title=Waule\nx-time=1:2");
    assert_eq!(options.leave_out, ["seed", "logit_bias", "user"]);
    assert_eq!(lines(&options.rename, "="), "a=b\nc=d");
    assert!(options.dialects.is_empty());
    let usual = drafted(&posted(&USUAL), Some(&connector())).expect("options");
    assert!(usual.is_empty(), "the usual needs no words");
}

#[test]
fn all_that_is_wrong_stands_beside_its_fields_at_once() {
    let typed = posted(&[
        ("dialects", "gemini"),
        ("key_prefix", "Bearer"),
        ("headers", "x-a: b\r\nhost"),
        ("api_version", "2024&x"),
        ("region", "EU west"),
        ("leave_out", "model"),
        ("rename", "a b -> c"),
        ("maximum", "most"),
    ]);
    let mut wrong = drafted(&typed, Some(&connector())).expect_err("errors");
    wrong.sort_by_key(|(field, _)| *field);
    let expected = [
        ("api_version", FieldError::Letters),
        ("dialects", FieldError::Unknown),
        ("headers", FieldError::Line(2)),
        ("key_header", FieldError::Required),
        ("leave_out", FieldError::NeededField),
        ("maximum", FieldError::Unknown),
        ("region", FieldError::Letters),
        ("rename", FieldError::NotAField),
    ];
    assert_eq!(wrong, expected);
    let framing = [("headers", "host: elsewhere"), ("key_header", "te")];
    let wrong = drafted(&posted(&framing), None).expect_err("errors");
    let expected = ["key_header", "headers"].map(|name| (name, FieldError::NotAHeader));
    assert_eq!(wrong, expected);
}

#[test]
fn the_settings_are_closed_unless_something_is_set_and_keep_their_order() {
    let connector = Some(connector());
    let begin = ProviderOptions::default();
    let state = |options: &ProviderOptions| {
        let mut form = Form::default();
        fill(&mut form, options, connector.as_ref());
        settings(&form, &begin, connector.as_ref())
    };
    assert!(!state(&begin).is_open);
    let set = state(&whole());
    assert!(set.is_open);
    let order = ["anthropic_messages", "openai_chat", "openai_images"];
    assert_eq!(set.dialects, order, "the preferred one first");
    let wrong = Form::default().wrong("dialects", FieldError::Unknown);
    assert!(settings(&wrong, &begin, connector.as_ref()).is_open);
}

#[test]
fn options_are_read_as_lines() {
    let shown = shown(&whole());
    assert_eq!(shown.key_header, "api-key: Token …");
    assert_eq!(shown.headers, ["x-title: Waule: all", "x-empty: "]);
    assert_eq!(shown.rename, ["user → end_user"]);
    assert_eq!(shown.maximum, "max_completion_tokens");
    assert!(shown.no_usage_option);
}
