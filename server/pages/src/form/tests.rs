//! Fields are read and trimmed, secrets are left as typed, and a new password is typed twice.

use super::*;

#[test]
fn fields_are_read_and_secrets_are_not_trimmed() {
    let body = b"name=+Ada+&password=+a+b+&on=on&tag=x&tag=y";
    let posted = FormData::parse(body).expect("a form");
    assert_eq!(posted.text("name"), "Ada");
    assert_eq!(posted.secret("password").expose(), " a b ");
    assert!(posted.is_ticked("on") && !posted.is_ticked("off"));
    assert_eq!(posted.several("tag"), ["x", "y"]);
    assert_eq!(posted.optional("missing"), None);
    assert_eq!(
        format!("{posted:?}"),
        r#"["name", "on", "password", "tag"]"#
    );
}

#[test]
fn a_new_password_is_long_enough_and_typed_twice() {
    let chosen = |body: &str| {
        let posted = FormData::parse(body.as_bytes()).expect("a form");
        posted
            .new_password()
            .map(|password| password.expose().clone())
    };
    assert_eq!(
        chosen("password=long+enough&repeat=long+enough"),
        Ok("long enough".to_owned())
    );
    assert_eq!(
        chosen("password=short&repeat=short"),
        Err(("password", FieldError::TooShort(8)))
    );
    assert_eq!(
        chosen("password=long+enough&repeat=other"),
        Err(("repeat", FieldError::Different))
    );
}
