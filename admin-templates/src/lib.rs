//! The pages of Waule: the superadmin's console under `/admin` and the tenant's portal under
//! `/portal`. The server fills a view struct and renders it with a `Page`.
//! Holds all HTML, CSS and script; knows no database, no session and no HTTP, and adds no money up.

pub mod account;
pub mod admin;
pub mod assets;
pub mod chart;
pub mod form;
mod format;
pub mod given;
pub mod html;
mod icon;
pub mod list;
mod nav;
pub mod page;
pub mod parts;
pub mod portal;
pub mod sample;
pub mod text;
pub mod typical;
pub mod views;
mod widgets;
pub mod words;
