//! Vendors stand where they run, once each, and are found by their names and formats.

use shared::id::JournalId;
use shared::link::Operation;
use shared::link::connectors::{AddressRule, SecretRule, Speaks};

use super::*;

fn kind(kind: &'static str, speaks: &[&'static str]) -> ConnectorFacts {
    let speaks = speaks.iter().map(|name| Speaks::new(Operation::Chat, name));
    ConnectorFacts {
        kind: kind.into(),
        label: "A label".into(),
        address: AddressRule::Needed,
        secret: SecretRule::IN_A_HEADER,
        speaks: speaks.collect(),
        media: false,
    }
}

fn preset(name: &'static str, base_url: &'static str, keys_url: &'static str) -> ProviderPreset {
    ProviderPreset {
        name: name.into(),
        label: name.to_uppercase().into(),
        kind: "vendor".into(),
        base_url: base_url.into(),
        keys_url: keys_url.into(),
        models: Vec::new().into(),
        options: ProviderOptions::default(),
    }
}

/// Two gateways that say the same, and one that says nothing.
fn known() -> Vec<Connectors> {
    let mut stranger = preset("stranger", "https://c.example", "https://c.example");
    stranger.kind = "unheard".into();
    let mut speaker = preset("north", "https://a.example/v1", "https://a.example/keys");
    speaker.options.dialects = vec!["openai_responses".to_owned()];
    let facts = GatewayFacts {
        journal: JournalId::random(),
        connectors: vec![kind("vendor", &["openai_chat"]), kind("toy", &["toy"])],
        presets: vec![
            speaker,
            preset("near", "http://127.0.0.1:11434/v1", ""),
            preset("custom", "https://api.example.com/v1", ""),
            stranger,
        ],
    };
    let of = |facts| Connectors {
        gateway: "g".to_owned(),
        facts,
    };
    let facts = std::sync::Arc::new(facts);
    vec![of(Some(facts.clone())), of(None), of(Some(facts))]
}

fn names(wanted: &str) -> Vec<(VendorPlace, Vec<String>)> {
    let groups = groups(&known(), wanted).into_iter();
    groups
        .map(|group| {
            let names = group.rows.into_iter().map(|row| row.name);
            (group.place, names.collect())
        })
        .collect()
}

#[test]
fn each_vendor_stands_once_where_it_runs() {
    let of = |name: &str| vec![name.to_owned()];
    let other = vec!["custom".to_owned(), "toy".to_owned()];
    let all = vec![
        (VendorPlace::Hosted, of("north")),
        (VendorPlace::Here, of("near")),
        (VendorPlace::Other, other),
    ];
    assert_eq!(names(""), all);
    assert_eq!(names(" NORTH "), [(VendorPlace::Hosted, of("north"))]);
    assert_eq!(names("responses"), [(VendorPlace::Hosted, of("north"))]);
    assert_eq!(names("对话 near"), [(VendorPlace::Here, of("near"))]);
    assert_eq!(names("north toy"), []);
    assert_eq!(names("openai"), [], "codes are not shown");
}

#[test]
fn a_new_provider_begins_with_a_vendor_or_a_connector() {
    let known = known();
    let north = vendor(&known, "north").expect("a vendor");
    assert_eq!(
        north.row().speaks,
        ["openai_responses"],
        "what it says itself"
    );
    assert_eq!(
        vendor(&known, "near").expect("a vendor").row().speaks,
        ["openai_chat"]
    );
    assert!(
        vendor(&known, "stranger").is_none(),
        "of a kind that is not there"
    );
    assert!(vendor(&known, "toy").is_none());
    let toy = connector(&known, "toy").expect("a connector");
    assert!(toy.row().is_connector);
    assert!(connector(&known, "north").is_none());
}
