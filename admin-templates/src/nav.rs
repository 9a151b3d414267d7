//! The side navigation: which sections there are and who sees them.
//! Hides links only; whether a person may do something is decided by the server.

use crate::icon::Icon;
use crate::labels::PersonRole;
use crate::page::{Area, Page};

/// A link of the side navigation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NavLink {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) icon: Icon,
}

/// A group of links with a heading, which may be empty.
#[derive(Debug, Clone)]
pub(crate) struct NavGroup {
    pub(crate) heading: &'static str,
    pub(crate) links: Vec<NavLink>,
}

const fn link(href: &'static str, label: &'static str, icon: Icon) -> NavLink {
    NavLink { href, label, icon }
}

/// What the signed-in person sees; nothing before signing in.
pub(crate) fn groups(page: &Page) -> Vec<NavGroup> {
    match (&page.person, page.area) {
        (None, _) => Vec::new(),
        (Some(_), Area::Admin) => admin(page),
        (Some(person), Area::Portal) => {
            let mut groups = portal(page, person.role);
            if page.opened.is_some() {
                for group in &mut groups {
                    group.links.retain(|link| !is_private(link.href));
                }
                groups.retain(|group| !group.links.is_empty());
            }
            groups
        }
    }
}

/// Whether a section is closed to a superadmin who looks as somebody else.
fn is_private(href: &str) -> bool {
    href.starts_with("/portal/studio") || href == "/portal/security"
}

/// Every link that the signed-in person sees, with its label, for a search among pages.
pub fn links(page: &Page) -> Vec<(&'static str, &'static str)> {
    let all = groups(page).into_iter().flat_map(|group| group.links);
    all.map(|link| (link.href, link.label)).collect()
}

fn admin(page: &Page) -> Vec<NavGroup> {
    let t = page.text();
    vec![
        NavGroup {
            heading: "",
            links: vec![
                link("/admin", t.nav_dashboard, Icon::Gauge),
                link("/admin/tenants", t.nav_tenants, Icon::Tenants),
                link("/admin/usage", t.nav_usage, Icon::Usage),
            ],
        },
        NavGroup {
            heading: t.nav_group_supply,
            links: vec![
                link("/admin/models", t.nav_models, Icon::Models),
                link("/admin/providers", t.nav_providers, Icon::Providers),
                link("/admin/gateways", t.nav_gateways, Icon::Gateways),
            ],
        },
        NavGroup {
            heading: t.nav_group_house,
            links: vec![
                link("/admin/superadmins", t.nav_superadmins, Icon::People),
                link("/admin/end-users", t.nav_end_users, Icon::People),
                link("/admin/audit", t.nav_audit, Icon::Audit),
                link("/admin/health", t.nav_health, Icon::Pulse),
                link("/admin/settings", t.nav_settings, Icon::Settings),
                link("/admin/security", t.nav_security, Icon::Lock),
                link("/admin/docs", t.g.nav_docs, Icon::Code),
            ],
        },
    ]
}

fn portal(page: &Page, role: PersonRole) -> Vec<NavGroup> {
    let t = page.text();
    let studio = NavGroup {
        heading: t.nav_group_studio,
        links: vec![
            link("/portal/studio/chat", t.nav_chat, Icon::Chat),
            link("/portal/studio/images", t.nav_image, Icon::Picture),
            link("/portal/history", t.nav_history, Icon::History),
        ],
    };
    let security = link("/portal/security", t.nav_security, Icon::Lock);
    let build = NavGroup {
        heading: t.g.nav_group_build,
        links: vec![
            link("/portal/models", t.g.nav_catalogue, Icon::Models),
            link("/portal/docs", t.g.nav_docs, Icon::Code),
        ],
    };
    if role == PersonRole::Member {
        let own = NavGroup {
            heading: t.nav_group_account,
            links: vec![security],
        };
        return vec![studio, build, own];
    }
    vec![
        NavGroup {
            heading: "",
            links: vec![
                link("/portal", t.nav_overview, Icon::Home),
                link("/portal/usage", t.nav_usage, Icon::Usage),
                link("/portal/ledger", t.nav_ledger, Icon::Ledger),
            ],
        },
        studio,
        build,
        NavGroup {
            heading: t.nav_group_account,
            links: vec![
                link("/portal/members", t.nav_members, Icon::People),
                link("/portal/keys", t.nav_keys, Icon::Key),
                link("/portal/end-users", t.nav_end_users, Icon::People),
                link("/portal/settings", t.nav_settings, Icon::Settings),
                security,
            ],
        },
    ]
}
