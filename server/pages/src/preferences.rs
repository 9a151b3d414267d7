//! Language and theme, kept in cookies of the browser.

use admin_templates::page::{Lang, Theme};
use poem::handler;

use super::cookie::Jar;
use super::error::PageResult;
use super::form::FormData;
use super::page_context::answers::{add_cookie, see_other};
use super::page_context::{PageContext, local_path};

/// `POST {root}/preferences`
#[handler]
pub(super) async fn choose(context: PageContext, posted: FormData) -> PageResult {
    let next = local_path(posted.text("next"), context.area(), context.root());
    let (mut response, secure) = (see_other(next), context.services().secure());
    if let Some(lang) = posted.optional("lang").and_then(Lang::from_code) {
        add_cookie(&mut response, &Jar::Language.set(lang.code(), None, secure));
    }
    if let Some(theme) = posted.optional("theme").map(Theme::from_code) {
        add_cookie(&mut response, &Jar::Theme.set(theme.code(), None, secure));
    }
    Ok(response)
}
