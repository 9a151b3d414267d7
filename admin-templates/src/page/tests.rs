//! The browser's first known language is taken, and no path leads to another host.

use super::*;

#[test]
fn the_browser_chooses_the_first_language_there_is() {
    assert_eq!(Lang::accepted("fr-FR, zh-TW;q=0.9, en;q=0.8"), Lang::Zh);
    assert_eq!(Lang::accepted("en-GB,zh"), Lang::En);
    assert_eq!(Lang::accepted("de"), Lang::En);
    assert_eq!(Lang::accepted(""), Lang::En);
}

fn at(path: &str) -> Page {
    Page {
        lang: Lang::En,
        theme: Theme::System,
        area: Area::Admin,
        csrf: String::new(),
        path: path.to_owned(),
        person: None,
        flash: Vec::new(),
        announcement: None,
        now: Moment::from_unix_ms(0),
        zone: Zone::utc(),
        opened: None,
    }
}

#[test]
fn a_path_to_another_host_is_not_linked() {
    assert_eq!(at("/admin/usage?x=1").here(), "/admin/usage");
    assert_eq!(at("//evil.example/").here(), "/admin");
    assert_eq!(at("/\\evil.example/").here(), "/admin");
    assert_eq!(at("javascript:x").here(), "/admin");
}

#[test]
fn the_link_of_the_section_is_marked() {
    assert!(at("/admin/tenants/ten_1/keys?x=1").is_here("/admin/tenants"));
    assert!(!at("/admin/tenants").is_here("/admin"));
    assert!(at("/admin").is_here("/admin"));
    assert!(!at("/admin/tenantsx").is_here("/admin/tenants"));
}
