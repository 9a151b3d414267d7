//! A few whole pages, so that a change of a shared part is seen as what it does to pages.

use admin_templates::assets::assets;
use admin_templates::page::{Area, Lang};
use admin_templates::views::VIEWS;

use crate::pages;

/// The first ordinary page of a view; names of assets change with their content and are cut out.
fn page(view: &str, area: Area, lang: Lang) -> String {
    let entry = VIEWS
        .iter()
        .find(|entry| entry.name == view)
        .expect("a view of that name");
    let first = pages::of(entry, area, lang, |_| ()).remove(0);
    let mut html = first.html;
    for asset in assets().all() {
        html = html.replace(&asset.path, "/assets/file");
    }
    html
}

#[test]
fn the_portals_sign_in() {
    insta::assert_snapshot!(page("sign-in", Area::Portal, Lang::En));
}

#[test]
fn the_list_of_tenants() {
    insta::assert_snapshot!(page("tenants", Area::Admin, Lang::Zh));
}

#[test]
fn the_story_of_a_call() {
    insta::assert_snapshot!(page("call", Area::Admin, Lang::En));
}

#[test]
fn the_portals_overview() {
    insta::assert_snapshot!(page("overview", Area::Portal, Lang::Zh));
}

#[test]
fn the_studio() {
    insta::assert_snapshot!(page("studio-chat", Area::Portal, Lang::En));
}

#[test]
fn the_choice_of_a_vendor() {
    insta::assert_snapshot!(page("provider-pick", Area::Admin, Lang::En));
}

#[test]
fn a_new_provider() {
    insta::assert_snapshot!(page("provider-new", Area::Admin, Lang::Zh));
}
