//! What may be done, by its name: of the platform, to a tenant that is named, in the portal. Nobody is offered
//! what their role may not do; the page behind asks for the role again.

use admin_templates::labels::{Label as _, SearchAction};
use admin_templates::page::Lang;
use admin_templates::search::SearchHit;
use server_rooms::accounts::{Accounts, FoundName};
use server_rooms::auth::roles::{Action, may};
use shared::fold::folded;

use super::super::error::PageError;
use super::super::portal::manages;
use super::super::session::{Admin, Member};
use super::{has, hit};

/// To so many tenants of a name.
const TENANTS_MAX: usize = 3;

/// Something that can be done: its name, where, and who may.
type Doing = (SearchAction, &'static str, Action);

const OF_PLATFORM: [Doing; 7] = [
    (SearchAction::NewTenant, "tenants/new", Action::EditTenants),
    (SearchAction::NewModel, "models/new", Action::EditModels),
    (
        SearchAction::NewProvider,
        "providers/new",
        Action::EditProviders,
    ),
    (
        SearchAction::ImportPrices,
        "price-imports",
        Action::SetPrices,
    ),
    (
        SearchAction::NewSuperadmin,
        "superadmins",
        Action::EditSuperadmins,
    ),
    (SearchAction::Announce, "settings", Action::Announce),
    (SearchAction::ExportCalls, "usage.csv", Action::Look),
];

const OF_TENANT: [Doing; 3] = [
    (
        SearchAction::Recharge,
        "money#recharge",
        Action::MoveCredits,
    ),
    (SearchAction::NewKey, "keys", Action::EditKeys),
    (SearchAction::Limits, "limits", Action::EditTenants),
];

fn named(name: &str, tenant: &FoundName, part: &str) -> SearchHit {
    let words = name.replace("{}", &tenant.name);
    hit(&words, &tenant.id, format!("tenants/{}/{part}", tenant.id))
}

/// What may be done to some tenants.
pub(super) fn of_tenants(who: &Admin, tenants: &[FoundName]) -> Vec<SearchHit> {
    let lang = who.lang();
    let mut hits = Vec::new();
    for tenant in tenants.iter().take(TENANTS_MAX) {
        for (name, part, action) in OF_TENANT {
            if may(who.admin.role, action) {
                hits.push(named(name.text(lang), tenant, part));
            }
        }
    }
    hits
}

/// What stands before the gap of an action's name, as people type it first: `recharge`.
fn verb(name: &str) -> String {
    let verb = name.split("{}").find(|part| !part.trim().is_empty());
    folded(verb.unwrap_or_default().trim())
}

/// What of a text follows a verb, or its beginning; nothing where the text says something else.
fn object<'a>(text: &'a str, verb: &str) -> Option<&'a str> {
    let (first, rest) = match text.split_once(char::is_whitespace) {
        Some((first, rest)) => (first, rest.trim()),
        None => (text, ""),
    };
    let first = folded(first);
    (first.chars().count() > 1 && verb.starts_with(&first)).then_some(rest)
}

/// What may be done on the platform, by its name; of a tenant where one is named behind the verb.
pub(super) async fn of_admin(
    who: &Admin,
    text: &str,
    accounts: &Accounts,
) -> Result<Vec<SearchHit>, PageError> {
    let (lang, wanted) = (who.lang(), folded(text));
    let able = |action: &Action| may(who.admin.role, *action);
    let fit = OF_PLATFORM
        .iter()
        .filter(|(name, _, action)| able(action) && has(name.text(lang), &wanted));
    let mut hits: Vec<SearchHit> = fit
        .map(|(name, path, _)| hit(name.text(lang), "", (*path).to_owned()))
        .collect();
    for (name, part, _) in OF_TENANT.iter().filter(|(.., action)| able(action)) {
        let of = Lang::ALL.map(|lang| verb(name.text(lang)));
        let Some(of) = of.iter().find_map(|verb| object(text, verb)) else {
            continue;
        };
        let limit = i64::try_from(TENANTS_MAX).unwrap_or(1);
        let tenants = accounts.tenants_named(of, limit).await?;
        let each = tenants.iter().map(|one| named(name.text(lang), one, part));
        hits.extend(each);
    }
    Ok(hits)
}

/// What somebody may do in the portal, by its name.
pub(super) fn of_member(who: &Member, wanted: &str) -> Vec<SearchHit> {
    const ALL: [(SearchAction, &str, bool); 5] = [
        (SearchAction::OwnKey, "keys/new", true),
        (SearchAction::OwnMember, "members/new", true),
        (SearchAction::OwnLedger, "ledger.csv", true),
        (SearchAction::OwnChat, "studio/chat", false),
        (SearchAction::OwnImage, "studio/images", false),
    ];
    let lang = who.lang();
    let fit = ALL
        .iter()
        .filter(|(name, _, managers)| (!managers || manages(who)) && has(name.text(lang), wanted));
    fit.map(|(name, path, _)| hit(name.text(lang), "", (*path).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_or_its_beginning_leads_to_what_is_named_behind_it() {
        let verb = verb("Recharge {}");
        assert_eq!(verb, "recharge");
        for (text, names) in [
            ("recharge north", Some("north")),
            ("RECH  Northwind 100%", Some("Northwind 100%")),
            ("recharge", Some("")),
            ("r north", None),
            ("north", None),
            ("rechargeable", None),
        ] {
            assert_eq!(object(text, &verb), names, "{text}");
        }
        assert_eq!(super::verb("充值 {}"), "充值");
    }
}
