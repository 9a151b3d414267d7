//! The pages of Waule: the superadmin's console under `/admin` and the tenant's portal under
//! `/portal`. The server fills a view struct and renders it with a `Page`.
//! Holds all HTML, CSS and script; knows no database, no session and no HTTP, and adds no money up.
//!
//! Each view says at its struct which paths it is shown at and which forms it has. Besides, every
//! page needs from the server:
//!
//! - the three files of [`assets::assets`] at their paths, which never change their content, and
//!   the header [`assets::CONTENT_SECURITY_POLICY`];
//! - `POST {root}/preferences` with `lang` or `theme` (see [`page::Lang::from_code`] and
//!   [`page::Theme::from_code`]) and `next`: keeps the choice in a cookie and leads back;
//! - `POST {root}/logout`;
//! - on every `POST` a check of the form's field `csrf`, or of the header `x-csrf-token` where the
//!   script sends JSON, against the session's token.
//!
//! To add a page: a struct inside `sampled!`, its ordinary contents as `Typical`, a template, and
//! a line in [`views`]. The tests then look at it in every language and with hostile contents.

pub mod account;
pub mod admin;
pub mod alert_text;
pub mod assets;
pub mod border;
pub mod catalogue;
pub mod chart;
pub mod docs;
pub mod end_users;
pub mod fixtures;
pub mod form;
mod format;
pub mod given;
pub mod html;
mod icon;
pub mod labels;
pub mod lanes;
pub mod list;
mod narrow;
pub mod nav;
pub mod notices;
pub mod page;
pub mod parts;
pub mod portal;
pub mod search;
pub mod text;
pub mod views;
mod widgets;
