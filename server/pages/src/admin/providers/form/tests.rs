//! What is wrong with a provider or its keys stands beside the field, and no secret's end is told.

use shared::id::JournalId;

use super::*;

fn posted(body: &str) -> FormData {
    FormData::parse(body.as_bytes()).expect("a form")
}

/// A gateway with one connector that has an address and one that has none.
fn known() -> Vec<Connectors> {
    let connector = |kind: &'static str, address| ConnectorFacts {
        kind: kind.into(),
        label: kind.into(),
        address,
        secret: SecretRule::IN_A_HEADER,
        speaks: Vec::new().into(),
        media: false,
    };
    let facts = GatewayFacts {
        journal: JournalId::random(),
        connectors: vec![
            connector("vendor", AddressRule::Needed),
            connector("toy", AddressRule::Absent),
        ],
        presets: Vec::new(),
    };
    vec![Connectors {
        gateway: "g".to_owned(),
        facts: Some(facts.into()),
    }]
}

#[test]
fn odd_providers_are_refused_beside_their_fields_by_what_the_gateway_says() {
    let wrong = |body: &str, known: &[Connectors]| {
        let wrong = drafted_provider(&posted(body), known).err()?;
        wrong.first().map(|(field, _)| *field)
    };
    let known = known();
    let good = "name=a-1&kind=vendor&base_url=https://x";
    assert_eq!(wrong(good, &known), None);
    assert_eq!(wrong("name=A&kind=toy", &known), Some("name"));
    assert_eq!(wrong("name=a/b&kind=toy", &known), Some("name"));
    assert_eq!(wrong("name=a&kind=toy", &known), None);
    assert_eq!(wrong("name=a&kind=vendor", &known), Some("base_url"));
    assert_eq!(wrong("name=a&kind=openai", &known), Some("kind"));
    assert_eq!(
        wrong("name=a&kind=vendor&base_url=javascript:x", &known),
        Some("base_url")
    );
    // A gateway that was never reached says itself what it has.
    let stranger = [Connectors {
        gateway: "g".to_owned(),
        facts: None,
    }];
    assert_eq!(wrong("name=a&kind=openai", &stranger), None);
}

#[test]
fn odd_keys_are_refused_beside_their_fields_all_at_once() {
    let rule = SecretRule {
        is_needed: true,
        chars_max: 6,
        is_json: false,
    };
    let wrong = |body: &str| {
        let drafted = drafted_key(&posted(body), rule);
        drafted.err().unwrap_or_default()
    };
    assert_eq!(wrong("secret=sk-1&label=x&weight=100"), []);
    assert_eq!(wrong("label=x"), [("secret", FieldError::Required)]);
    assert_eq!(
        wrong("secret=sk-1234"),
        [("secret", FieldError::TooLong(6))],
        "as the connector has it"
    );
    let range = FieldError::OutOfRange(1, 100);
    assert_eq!(
        wrong("secret=a+b&weight=0"),
        [("secret", FieldError::Letters), ("weight", range)],
    );
}

#[test]
fn short_secrets_are_not_told_by_their_end() {
    assert_eq!(last4("sk-1234567890"), "7890");
    assert_eq!(last4("short"), "");
}

#[test]
fn a_form_of_before_leaves_the_settings_as_they_are() {
    let patch = |body: &str| drafted_edit(&posted(body), None);
    let before = patch("base_url=https://x&enabled=on").expect("a patch");
    assert_eq!(before.base_url.as_deref(), Some("https://x"));
    assert_eq!(before.options, None);
    let now = patch("base_url=https://x&settings=on&leave_out=seed").expect("a patch");
    let options = now.options.expect("settings");
    assert_eq!(options.leave_out, ["seed"]);
    let wrong = patch("base_url=x&settings=on&leave_out=model").expect_err("errors");
    let fields: Vec<&str> = wrong.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["base_url", "leave_out"]);
}
