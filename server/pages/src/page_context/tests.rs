//! Nobody is sent outside the area, and a flash says known words only.

use super::*;

#[test]
fn only_paths_of_the_area_are_gone_to() {
    let to = |wanted| local_path(wanted, Area::Admin, "/admin");
    for good in [
        "/admin",
        "/admin/tenants",
        "/admin/tenants/ten_1?after=x&y=1",
        "/admin?x=1",
    ] {
        assert_eq!(to(good), good);
    }
    for bad in [
        "",
        "//evil.example",
        "https://evil.example/admin",
        "/\\evil.example",
        "/admin\\evil",
        "/admin//evil.example",
        "/admin/../x",
        "/admin/..//evil.example",
        "/admin/%2e%2e//evil.example",
        "/admin/x\r\nset-cookie: a=b",
        "/admin/ x",
        "/admin/#x",
        "/adminx",
        "/portal",
        "/admin/api/tenants",
        "javascript:alert(1)",
        "admin",
    ] {
        assert_eq!(to(bad), "/admin", "{bad}");
    }
    assert_eq!(
        local_path("/portal/keys", Area::Portal, "/portal"),
        "/portal/keys"
    );
    assert_eq!(
        local_path("/admin/keys", Area::Portal, "/portal"),
        "/portal"
    );
}

#[test]
fn a_flash_says_known_words_only() {
    assert_eq!(
        flash("good.saved"),
        Some(Flash {
            good: true,
            notice: Notice::Saved
        })
    );
    assert_eq!(flash("bad.saved").map(|flash| flash.good), Some(false));
    assert_eq!(flash("good.<script>"), None);
    assert_eq!(flash("saved"), None);
}
