//! Many keys at once over a gateway of its own: what is added, what is left out, and what stops it all.

use shared::link::key_batch::{KEYS_AT_ONCE_MAX, KeyLineVerdict, KeysChange, NewProviderKeys};
use shared::link::{AdminError, KeyHeaders, KeyTerms, NewProviderKey, ProviderAdmin, TermsChange};
use shared::secret::Secret;
use shared::supervisor::Supervisor;

use super::super::tests::providers;
use super::*;

fn key(secret: &str, label: &str) -> NewProviderKey {
    NewProviderKey {
        secret: Secret::new(secret.to_owned()),
        label: label.to_owned(),
        weight: 2,
        terms: KeyTerms {
            tags: vec!["pasted".to_owned()],
            ..KeyTerms::default()
        },
    }
}

fn list(keys: Vec<NewProviderKey>, dry_run: bool) -> NewProviderKeys {
    NewProviderKeys { keys, dry_run }
}

async fn labels(providers: &ProviderList) -> Vec<String> {
    let keys = providers.provider_keys("p").await.expect("keys");
    let mut labels: Vec<String> = keys.into_iter().map(|key| key.label).collect();
    labels.sort();
    labels
}

#[tokio::test(flavor = "multi_thread")]
async fn good_keys_are_added_together_and_known_ones_are_left_out_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let keys = || {
        vec![
            key("sk-first-0123456789", "one"),
            key("a-key-that-its-provider-refuses", "known"),
            key("sk-first-0123456789", "again"),
            key("sk-second-0123456789", "two"),
        ]
    };
    let words = |lines: &[KeyLine]| -> Vec<&'static str> {
        lines.iter().map(|line| line.verdict.word()).collect()
    };
    let expected = ["good", "known", "repeated", "good"];
    let asked = providers.add_provider_keys("p", list(keys(), true)).await;
    let asked = asked.expect("told");
    assert_eq!(
        (asked.added, words(&asked.lines)),
        (false, expected.to_vec())
    );
    assert_eq!(labels(&providers).await, [""], "nothing was added");
    let added = providers.add_provider_keys("p", list(keys(), false)).await;
    let added = added.expect("added");
    assert_eq!(
        (added.added, words(&added.lines)),
        (true, expected.to_vec())
    );
    assert_eq!(labels(&providers).await, ["", "one", "two"]);
    assert_eq!(added.lines[3].last4, "6789");
    let KeyLineVerdict::Good { key: Some(id) } = &added.lines[3].verdict else {
        panic!("{added:?}");
    };
    let all = providers.provider_keys("p").await.expect("keys");
    let second = all.iter().find(|one| one.id == *id).expect("it is there");
    assert_eq!((second.label.as_str(), second.weight), ("two", 2));
    assert_eq!(
        added.lines[2].verdict,
        KeyLineVerdict::Repeated { first: 0 }
    );
    // The same list again adds nothing.
    let again = providers.add_provider_keys("p", list(keys(), false)).await;
    let again = again.expect("told");
    assert!(!again.added);
    assert_eq!(words(&again.lines), ["known"; 4]);
    supervisor.finish(std::time::Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_key_stops_them_all_and_is_told_with_its_rule() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let with = |terms: KeyTerms| NewProviderKey {
        terms,
        ..key("sk-fine-0123456789", "fine")
    };
    let headers = |name: &str, value: &str| KeyTerms {
        headers: Some(KeyHeaders([(name.to_owned(), value.to_owned())].into())),
        ..KeyTerms::default()
    };
    let zero = KeyTerms {
        tokens_per_day: Some(0),
        ..KeyTerms::default()
    };
    let elsewhere = KeyTerms {
        base_url: Some("file:///etc/passwd".to_owned()),
        ..KeyTerms::default()
    };
    for (wrong, field) in [
        (key("sk-with-\0-nul", "x"), "secret"),
        (key("sk with blanks", "x"), "secret"),
        (key("", "x"), "secret"),
        (key("sk-odd-label-0123", "a\0b"), "label"),
        (with(headers("Authorization", "Bearer x")), "terms.headers"),
        (with(headers("host", "internal")), "terms.headers"),
        (with(headers("x-a", "b\r\nhost: c")), "terms.headers"),
        (with(zero), "terms.tokens_per_day"),
        (with(elsewhere), "terms.base_url"),
    ] {
        let keys = vec![key("sk-good-0123456789", "good"), wrong];
        let told = providers.add_provider_keys("p", list(keys, false)).await;
        let told = told.expect("told");
        assert!(!told.added, "{field}");
        let KeyLineVerdict::Wrong(wrong) = &told.lines[1].verdict else {
            panic!("{field}: {told:?}");
        };
        assert_eq!(wrong.field, field);
        assert_eq!(labels(&providers).await, [""], "{field}");
    }
    let many = (0..=KEYS_AT_ONCE_MAX).map(|at| key(&format!("sk-{at:020}"), ""));
    let refused = providers.add_provider_keys("p", list(many.collect(), false));
    assert!(matches!(refused.await, Err(AdminError::Invalid(_))));
    // A pool that is as full as it may be takes no more.
    let many = (0..KEYS_AT_ONCE_MAX).map(|at| key(&format!("sk-{at:020}"), ""));
    let refused = providers.add_provider_keys("p", list(many.collect(), false));
    assert!(matches!(refused.await, Err(AdminError::Invalid(_))));
    let none = providers.add_provider_keys("nobody", list(vec![key("sk-0123456789ab", "")], true));
    assert_eq!(none.await, Err(AdminError::NotFound));
    supervisor.finish(std::time::Duration::from_secs(5)).await;
}

/// Two keys with a tag beside the one that is there.
async fn two_keys(providers: &ProviderList) -> Vec<ProviderKeyId> {
    let keys = vec![
        key("sk-first-0123456789", "one"),
        key("sk-second-0123456789", "two"),
    ];
    let added = providers.add_provider_keys("p", list(keys, false)).await;
    let lines = added.expect("added").lines.into_iter();
    let ids = lines.filter_map(|line| match line.verdict {
        KeyLineVerdict::Good { key } => key,
        KeyLineVerdict::Known { .. }
        | KeyLineVerdict::Repeated { .. }
        | KeyLineVerdict::Wrong(_) => None,
    });
    ids.collect()
}

fn active(keys: &[ProviderKeyId], tag: Option<&str>) -> KeysChange {
    KeysChange {
        keys: keys.to_vec(),
        tag: tag.map(str::to_owned),
        status: Some("active".to_owned()),
        ..KeysChange::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_tag_are_changed_alike_and_removed_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let ids = two_keys(&providers).await;
    let first = KeysChange {
        tag: Some("pasted".to_owned()),
        status: Some("disabled".to_owned()),
        weight: Some(7),
        terms: TermsChange {
            requests_per_minute: Some(60),
            tokens_per_day: Some(1_000_000),
            add_tags: vec!["eu".to_owned()],
            ..TermsChange::default()
        },
        ..KeysChange::default()
    };
    let changed = providers.change_provider_keys("p", first).await;
    let changed = changed.expect("changed");
    assert_eq!(changed.after.len(), 2);
    for (before, after) in changed.before.iter().zip(&changed.after) {
        assert_eq!((&*before.status, &*after.status), ("active", "disabled"));
        assert_eq!((before.weight, after.weight), (2, 7));
        assert_eq!(after.terms.requests_per_minute, Some(60));
        assert_eq!(after.terms.tags, ["pasted", "eu"]);
    }
    let on = KeysChange {
        terms: TermsChange {
            requests_per_minute: Some(0),
            ..TermsChange::default()
        },
        ..active(&ids, None)
    };
    let changed = providers.change_provider_keys("p", on).await;
    for key in changed.expect("changed").after {
        assert_eq!(key.status, "active");
        assert_eq!(key.terms.requests_per_minute, None);
        assert_eq!(key.terms.tokens_per_day, Some(1_000_000));
    }
    let remove = KeysChange {
        keys: ids,
        delete: true,
        ..KeysChange::default()
    };
    let removed = providers.change_provider_keys("p", remove).await;
    let removed = removed.expect("removed");
    assert_eq!((removed.before.len(), removed.after.len()), (2, 0));
    assert_eq!(labels(&providers).await, [""]);
    supervisor.finish(std::time::Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_can_not_be_made_of_all_is_made_of_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = providers(folder.path(), &supervisor).await;
    let ids = two_keys(&providers).await;
    let shown = async || {
        let keys = providers.provider_keys("p").await.expect("keys");
        let told = keys
            .into_iter()
            .map(|key| (key.label, key.status, key.weight));
        told.collect::<Vec<_>>()
    };
    let kept = shown().await;
    let off = |change: KeysChange| KeysChange {
        status: Some("disabled".to_owned()),
        ..change
    };
    let unknown = [ids[0].clone(), ProviderKeyId::random()];
    for (refused, what) in [
        (off(active(&unknown, None)), "unknown"),
        (off(active(&[], Some("nobody's"))), "no key of the tag"),
        (off(active(&[], None)), "none"),
        (off(active(&ids, Some("pasted"))), "both"),
        (
            KeysChange {
                weight: Some(101),
                ..off(active(&ids, None))
            },
            "weight",
        ),
        (
            KeysChange {
                status: None,
                ..active(&ids, None)
            },
            "nothing",
        ),
        (
            KeysChange {
                status: Some("cooling".to_owned()),
                ..active(&ids, None)
            },
            "status",
        ),
    ] {
        let outcome = providers.change_provider_keys("p", refused).await;
        assert!(outcome.is_err(), "{what}: {outcome:?}");
        assert_eq!(shown().await, kept, "{what}");
    }
    supervisor.finish(std::time::Duration::from_secs(5)).await;
}
