//! Sentences of the audit log, of gateways and of alerts: whole in both languages, escaped, linked.

use shared::clock::Moment;

use super::*;
use crate::labels::{AlertKind, GatewayNews, Severity};
use crate::page::{Area, Lang, Theme};

fn page(lang: Lang) -> Page {
    Page {
        lang,
        theme: Theme::System,
        area: Area::Admin,
        csrf: String::new(),
        path: "/admin".to_owned(),
        person: None,
        flash: Vec::new(),
        announcement: None,
        now: Moment::default(),
        zone: shared::zone::Zone::utc(),
        opened: None,
    }
}

fn row(action: &str) -> AuditRow {
    AuditRow {
        id: "aud_1".to_owned(),
        at: Moment::default(),
        actor_kind: ActorKind::Superadmin,
        actor: "admin".to_owned(),
        address: String::new(),
        action: action.to_owned(),
        subject: "sub_1".to_owned(),
        subject_name: "<b>name".to_owned(),
        subject_path: "models/m".to_owned(),
        tenant: "Northwind {b}".to_owned(),
        tenant_id: "ten_1".to_owned(),
        value: "1,200".to_owned(),
    }
}

#[test]
fn a_recharge_is_a_sentence_with_a_link_to_the_tenant() {
    let html = page(Lang::En).told(&row("tenant.recharge"));
    assert_eq!(html.text(), "admin gave Northwind {b} 1,200 credits");
    let markup = html.to_string();
    assert!(
        markup.contains(r#"href="/admin/tenants/ten_1""#),
        "{markup}"
    );
    let html = page(Lang::Zh).told(&row("tenant.recharge"));
    assert_eq!(html.text(), "admin 为 Northwind {b} 充值 1,200 额度");
}

#[test]
fn every_action_is_whole_escaped_and_without_its_code() {
    for lang in Lang::ALL {
        for told in AuditTold::ALL {
            let html = page(lang).told(&row(told.code()));
            let (text, markup) = (html.text(), html.to_string());
            let text = text.replace("Northwind {b}", "");
            assert!(!text.contains('{') && !text.contains('_'), "{text}");
            assert!(!markup.contains("<b>name"), "{markup}");
            assert_eq!(lang == Lang::En, text.is_ascii(), "{text}");
        }
        for (words, gaps) in [
            (
                AuditTold::ALL
                    .iter()
                    .map(|w| (w.text(Lang::En), w.text(Lang::Zh)))
                    .collect::<Vec<_>>(),
                "abcd",
            ),
            (
                NewsTold::ALL
                    .iter()
                    .map(|w| (w.text(Lang::En), w.text(Lang::Zh)))
                    .collect(),
                "bcd",
            ),
            (
                AlertKind::ALL
                    .iter()
                    .map(|w| (w.text(Lang::En), w.text(Lang::Zh)))
                    .collect(),
                "b",
            ),
        ] {
            for (en, zh) in words {
                for gap in gaps.chars() {
                    let gap = format!("{{{gap}}}");
                    assert_eq!(en.contains(&gap), zh.contains(&gap), "{en} / {zh}");
                }
            }
        }
    }
    assert!(
        page(Lang::En)
            .told(&row("newer.action"))
            .text()
            .contains("changed")
    );
}

#[test]
fn gateways_and_alerts_tell_sentences_too() {
    let told = |kind, detail: &str| GatewayEventRow {
        at: Moment::default(),
        gateway: "fra-1".to_owned(),
        kind,
        provider: "moonshot".to_owned(),
        last4: "k2f9".to_owned(),
        detail: detail.to_owned(),
    };
    let text = |kind, detail| page(Lang::En).news(&told(kind, detail)).text();
    assert_eq!(
        text(GatewayNews::KeyDisabled, "invalid_key"),
        "moonshot refused the key …k2f9: key refused"
    );
    assert_eq!(
        text(GatewayNews::KeyBalance, "low 3.2 USD"),
        "The balance of the key …k2f9 of moonshot is low, 3.2 USD"
    );
    for kind in GatewayNews::ALL {
        assert!(
            NewsTold::from_code(kind.code()).is_some(),
            "{}",
            kind.code()
        );
    }
    let alert = AlertRow {
        id: "alt_1".to_owned(),
        severity: Severity::Critical,
        kind: AlertKind::NoKeys,
        subject: "moonshot".to_owned(),
        path: "providers/moonshot".to_owned(),
        since: Moment::default(),
        failed_calls: Some(1),
        at_least: false,
        model: String::new(),
        provider: "moonshot".to_owned(),
        key: String::new(),
        muted_until: None,
        muted_by: String::new(),
    };
    let since = |calls, at_least| {
        let alert = AlertRow {
            failed_calls: calls,
            at_least,
            ..alert.clone()
        };
        [Lang::En, Lang::Zh].map(|lang| page(lang).alarm_since(&alert).text().replace('\n', ""))
    };
    let [en, zh] = since(None, false);
    assert!(en.starts_with("since 1970-01-01 00:00"), "{en}");
    assert!(zh.starts_with("自 1970-01-01 00:00"), "{zh}");
    assert!(since(Some(1), false)[0].ends_with("· 1 call failed"));
    assert!(since(Some(37), false)[0].ends_with("· 37 calls failed"));
    assert!(since(Some(10_000), true)[0].ends_with("· at least 10,000 calls failed"));
    assert!(since(Some(37), false)[1].ends_with("· 37 次调用失败"));
    let html = page(Lang::En).alarm(&alert);
    assert_eq!(html.text(), "moonshot has no working key left");
    assert!(
        html.to_string()
            .contains(r#"href="/admin/providers/moonshot""#)
    );
    for kind in AlertKind::ALL {
        assert!(kind.text(Lang::En).contains("{b}"), "{}", kind.code());
    }
}
