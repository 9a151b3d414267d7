//! Which paths are pages and which the API's.

use super::*;

#[test]
fn pages_and_api_are_told_apart() {
    for path in [
        "/",
        "/admin",
        "/admin/",
        "/admin/login",
        "/portal",
        "/portal/x",
        "/assets/a.css",
    ] {
        assert!(is_page(path), "{path}");
    }
    for path in [
        "/admin/api",
        "/admin/api/login",
        "/adminx",
        "/api/v1/models",
        "/healthz",
    ] {
        assert!(!is_page(path), "{path}");
    }
}
