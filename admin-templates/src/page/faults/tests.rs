//! Every fault has its words in both languages, for operators and for tenants, and no page shows its
//! code alone.

use shared::fault::FaultKind;
use shared::link::trail::NotTaken;

use super::*;
use crate::labels::RefusalTold;
use crate::page::{Area, Person, Theme};

fn page(area: Area, lang: Lang) -> Page {
    Page {
        lang,
        theme: Theme::System,
        area,
        csrf: String::new(),
        path: area.root().to_owned(),
        person: None::<Person>,
        flash: Vec::new(),
        announcement: None,
        now: shared::clock::Moment::default(),
        zone: shared::zone::Zone::utc(),
        opened: None,
    }
}

/// Every word that a call's record can have.
fn words() -> Vec<&'static str> {
    let kinds = FaultKind::ALL.iter().map(|kind| kind.word());
    kinds.chain(["unknown"]).collect()
}

/// What is read of a markup whose code elements are left out.
fn without_code(html: &Html) -> String {
    let whole = html.to_string();
    let mut kept = String::new();
    for (place, part) in whole.split("<code").enumerate() {
        let rest = part.split_once("</code>").map_or(part, |(_, rest)| rest);
        kept.push_str(if place == 0 { part } else { rest });
    }
    Html::from_escaped(kept).text()
}

#[test]
fn every_kind_of_fault_has_all_its_words() {
    for word in words() {
        assert!(FaultName::from_code(word).is_some(), "name of {word}");
        assert!(FaultCause::from_code(word).is_some(), "cause of {word}");
        assert!(FaultStep::from_code(word).is_some(), "step of {word}");
        assert!(FaultTold::from_code(word).is_some(), "told of {word}");
    }
    let passed = [NotTaken::Away, NotTaken::Full].map(NotTaken::word);
    for word in passed {
        assert!(FaultName::from_code(word).is_some(), "name of {word}");
    }
    // Nothing but the way out for words that are newer than this page stands beside them.
    assert_eq!(FaultName::ALL.len(), words().len() + passed.len() + 1);
}

#[test]
fn no_words_are_left_untranslated_and_gaps_are_the_same() {
    fn check<W: Word>() {
        for word in W::ALL {
            let (en, zh) = (word.text(Lang::En), word.text(Lang::Zh));
            assert!(en.is_ascii(), "{}: {en}", word.code());
            assert!(!zh.is_ascii(), "{}: {zh}", word.code());
            for gap in ["{a}", "{b}"] {
                assert_eq!(en.contains(gap), zh.contains(gap), "{}", word.code());
            }
            assert!(
                !en.contains('_') && !zh.contains('_'),
                "{}: a code",
                word.code()
            );
        }
    }
    check::<FaultName>();
    check::<FaultCause>();
    check::<FaultStep>();
    check::<FaultTold>();
    check::<RefusalTold>();
}

#[test]
fn no_code_stands_alone_and_tenants_read_no_provider() {
    for lang in Lang::ALL {
        for word in words().into_iter().chain(["newer_than_us"]) {
            let admin = page(Area::Admin, lang);
            for html in [
                admin.fault(word, "kimi-k2", "moonshot", Credits::ZERO),
                admin.fault_name(word),
            ] {
                let text = without_code(&html);
                assert!(!text.trim().is_empty(), "{word}");
                let is_plain = !word.contains('_');
                assert!(is_plain || !text.contains(word), "{word}: {text}");
            }
            let portal = page(Area::Portal, lang);
            for html in [
                portal.fault(word, "kimi-k2", "moonshot", Credits::ZERO),
                portal.fault_name(word),
            ] {
                let whole = html.to_string();
                assert!(!whole.contains("moonshot"), "{word}: {whole}");
                assert!(!whole.contains("<code"), "{word}: {whole}");
                assert!(!whole.contains("/admin"), "{word}: {whole}");
                let lower = html.text().to_lowercase();
                for secret in ["key", "account", "密钥", "账户", "{a}", "{b}"] {
                    assert!(!lower.contains(secret), "{word}: {lower}");
                }
            }
        }
    }
}

#[test]
fn an_operator_reads_the_cause_and_gets_the_way_to_the_keys() {
    let admin = page(Area::Admin, Lang::En);
    let html = admin.fault("no_capacity", "kimi-k2", "moonshot", Credits::ZERO);
    let text = html.text();
    assert!(
        text.contains("kimi-k2 is unavailable: no working key at moonshot."),
        "{text}"
    );
    assert!(text.contains("Nothing was charged."), "{text}");
    let markup = html.to_string();
    assert!(
        markup.contains(r#"href="/admin/providers/moonshot#pool-title""#),
        "{markup}"
    );
    let paid = admin.fault("interrupted", "m", "p", Credits::from_micros(1));
    assert!(!paid.text().contains("Nothing was charged"), "{paid}");
    // Without a provider to name, the way goes to the model's targets.
    let nobody = admin.fault("no_capacity", "kimi-k2", "", Credits::ZERO);
    assert!(
        nobody
            .to_string()
            .contains(r#"href="/admin/models/kimi-k2""#),
        "{nobody}"
    );
}
