//! What people of each role are offered. The server decides; pages must not offer what it refuses.

use std::collections::BTreeSet;

use admin_templates::labels::PersonRole;
use admin_templates::page::{Area, Lang};
use admin_templates::views::VIEWS;

use crate::pages;

/// Where forms that can be sent lead, over all pages with ordinary contents; ids cut out.
fn offered(area: Area, role: PersonRole) -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    for entry in VIEWS.iter().filter(|entry| entry.areas.contains(&area)) {
        let change = |page: &mut admin_templates::page::Page| {
            if let Some(person) = &mut page.person {
                person.role = role;
            }
        };
        for page in pages::of(entry, area, Lang::En, change) {
            if !page.sample.starts_with("typical") {
                continue;
            }
            for found in page.document().select("form[method=post]") {
                if found.select("fieldset[disabled]").is_empty() {
                    let action = found.attr("action").unwrap_or_default();
                    actions.insert(format!("{}: {action}", entry.name));
                }
            }
        }
    }
    actions
}

/// Whether everybody may: their own session and security.
fn is_own(action: &str) -> bool {
    let own = [
        "/preferences",
        "/logout",
        "/login",
        "/login/second",
        "/login/second?recovery=1",
        "/setup",
        "/confirm",
    ];
    own.iter().any(|end| action.ends_with(end))
        || action.contains("/security/")
            && !action.starts_with("settings:")
            && !action.starts_with("own-settings:")
}

/// Pages that are nothing but a form; the server does not show them to whoever may not send it.
const FORM_PAGES: &[&str] = &[
    "bulk-add",
    "key",
    "member",
    "model-new",
    "provider-import",
    "provider-key",
    "provider-new",
    "tenant-new",
];

fn beyond_own(area: Area, role: PersonRole) -> Vec<String> {
    let shown = |action: &String| {
        let view = action.split(':').next().unwrap_or_default();
        !is_own(action) && !FORM_PAGES.contains(&view)
    };
    offered(area, role).into_iter().filter(shown).collect()
}

#[test]
fn whoever_only_looks_is_offered_no_change() {
    assert_eq!(
        beyond_own(Area::Admin, PersonRole::ReadOnly),
        Vec::<String>::new()
    );
}

/// What moves money. A price that has not begun is withdrawn below the prices; a call whose end nobody
/// knows is settled or released.
const MONEY: [&str; 8] = [
    "/recharge",
    "/adjust",
    "/prices",
    "/pin",
    "/price-imports",
    "/multiplier",
    "/settle",
    "/release",
];

#[test]
fn finance_is_offered_money_and_nothing_else() {
    for action in beyond_own(Area::Admin, PersonRole::Finance) {
        let is_money = MONEY.iter().any(|part| action.contains(part));
        assert!(is_money, "{action}");
    }
    assert_eq!(beyond_own(Area::Admin, PersonRole::Finance).len(), 10);
}

#[test]
fn an_operator_is_offered_no_money() {
    let offered = beyond_own(Area::Admin, PersonRole::Operator);
    assert!(offered.len() > 20, "{offered:#?}");
    for action in offered {
        assert!(!MONEY.iter().any(|part| action.contains(part)), "{action}");
        assert!(!action.contains("/superadmins/"), "{action}");
    }
}

#[test]
fn a_member_is_offered_the_studio() {
    let offered = beyond_own(Area::Portal, PersonRole::Member);
    let studio = offered
        .iter()
        .filter(|action| action.contains("/portal/studio/"))
        .count();
    // To send in both, and to delete each of three conversations and three images, or all.
    assert_eq!(studio, 9, "{offered:#?}");
    for action in offered {
        assert!(action.contains("/portal/studio/"), "{action}");
    }
}

/// Pages that a superadmin sees who looks at a portal as one of its people.
const SEEN: [&str; 11] = [
    "api-docs",
    "error-inside",
    "history",
    "keys",
    "ledger",
    "members",
    "model-choice",
    "overview",
    "own-call",
    "own-settings",
    "own-usage",
];

#[test]
fn whoever_looks_as_somebody_else_is_told_so_and_offered_the_way_out_alone() {
    for lang in Lang::ALL {
        for entry in VIEWS.iter().filter(|entry| SEEN.contains(&entry.name)) {
            let change = |page: &mut admin_templates::page::Page| {
                page.opened = Some(admin_templates::page::OpenedBy {
                    superadmin: "lin-who-looks".to_owned(),
                    until: page.now,
                });
            };
            for page in pages::of(entry, Area::Portal, lang, change) {
                if !page.sample.starts_with("typical") {
                    continue;
                }
                let at = format!("{} {lang:?}", entry.name);
                let document = page.document();
                assert!(page.html.contains("lin-who-looks"), "{at}");
                let forms = document.select("form[method=post]").into_iter();
                let open = forms.filter(|form| form.select("fieldset[disabled]").is_empty());
                let actions: Vec<String> = open
                    .map(|form| form.attr("action").unwrap_or_default().to_owned())
                    .collect();
                assert_eq!(actions, ["/portal/opened/end"], "{at}");
                for closed in ["/portal/security", "/portal/studio/chat"] {
                    let link = format!("href=\"{closed}\"");
                    assert!(!page.html.contains(&link), "{at}: {closed}");
                }
            }
        }
    }
}
