//! A form says what is wrong with its numbers, and shows what was typed but no password.

use super::*;
use crate::page::{Area, Lang, Theme};
use crate::views::VIEWS;

#[test]
fn what_is_wrong_is_said_with_its_numbers() {
    let said = |error: FieldError, lang| {
        error.text(&Page::sample(&VIEWS[0], Area::Admin, lang, Theme::System))
    };
    let wait = FieldError::Wait(90);
    assert_eq!(
        said(wait.clone(), Lang::En),
        "Too many attempts. Try again in 1 min 30 s."
    );
    assert_eq!(
        said(wait, Lang::Zh),
        "尝试次数过多，请在 1 分 30 秒后重试。"
    );
    let range = FieldError::OutOfRange(1, 100);
    assert_eq!(said(range, Lang::En), "Must be between 1 and 100.");
    assert_eq!(
        said(FieldError::TooShort(8), Lang::En),
        "At least 8 characters."
    );
}

#[test]
fn a_form_shows_what_was_typed_and_never_a_password() {
    let page = Page::sample(&VIEWS[0], Area::Admin, Lang::En, Theme::System);
    let form = Form::of([
        ("name", "a\"b"),
        ("password", "hunter2"),
        ("several", "x z"),
    ])
    .wrong("name", FieldError::Taken);
    let name = form.line("name", "Name").required().show(&page).to_string();
    assert!(name.contains(r#"value="a&quot;b""#) || name.contains(r#"value="a&#34;b""#));
    assert!(name.contains(r#"aria-describedby="f-name-error""#));
    let password = form.input("password", "password", "Password").show(&page);
    assert!(!password.to_string().contains("hunter2"));
    let names = ["x", "y", "z"].map(str::to_owned);
    let several = form
        .several("several", "Several")
        .choices(&names)
        .show(&page);
    assert_eq!(several.to_string().matches(" checked").count(), 2);
}
