//! Cookies carry their flags and are found by their whole name.

use http::HeaderValue;

use super::*;

#[test]
fn a_cookie_has_its_flags() {
    let jar = Jar::Session(Area::Admin);
    assert_eq!(
        jar.set("abc", Some(Duration::from_secs(9)), true),
        "__Host-waule_admin=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=9"
    );
    assert_eq!(
        jar.set("abc", None, false),
        "waule_admin=abc; Path=/; HttpOnly; SameSite=Lax"
    );
    assert!(jar.clear(true).ends_with("; Max-Age=0"));
}

#[test]
fn a_cookie_is_found_among_others_and_not_by_a_part_of_its_name() {
    let mut headers = HeaderMap::new();
    let jar = Jar::Session(Area::Portal);
    for text in [
        "xwaule_portal=1; a=b;waule_portal=yes; waule_portal=no",
        "c=d",
    ] {
        headers.append(COOKIE, HeaderValue::from_static(text));
    }
    assert_eq!(jar.read(&headers, false), Some("yes"));
    assert_eq!(jar.read(&headers, true), None);
    assert_eq!(Jar::Flash.read(&headers, false), None);
}
