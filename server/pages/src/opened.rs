//! A portal that a superadmin opened as one of its people: beginning, end, and the one list of what
//! such a look may see. Everything else is refused, also what is added to the portal later.

use std::net::IpAddr;

use admin_templates::page::Notice;
use poem::http::Method;
use poem::web::{Data, Path};
use poem::{Response, handler};
use server_rooms::auth::roles::kind;
use server_rooms::browser_sessions::{BrowserSessions, Client};

use super::cookie::Jar;
use super::error::{PageError, PageResult, parsed};
use super::page_context::PageContext;
use super::page_context::answers::{add_cookie, see_other};
use super::session::{Admin, Confirmed};

/// Where the look is ended.
pub const CLOSE: &str = "/portal/opened/end";

/// Pages that such a look may see, as the table of pages writes them: figures, calls without their words,
/// lists without secrets. No studio, where people's words are; nothing that makes or shows a secret, and
/// nothing about the person's own sign-in.
pub const SEEN: &[&str] = &[
    "/portal",
    "/portal/docs",
    "/portal/end-users",
    "/portal/history",
    "/portal/keys",
    "/portal/ledger",
    "/portal/members",
    "/portal/models",
    "/portal/search",
    "/portal/settings",
    "/portal/usage",
    "/portal/usage/:id",
];

/// Whether a path is of a pattern of the table of pages.
fn is_of(path: &str, pattern: &str) -> bool {
    let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some(wanted)) if wanted.starts_with(':') => {
                // A part that hides a slash leads elsewhere, whoever reads it.
                if part.is_empty() || part.contains('%') || part == ".." || part == "." {
                    return false;
                }
            }
            (Some(part), Some(wanted)) if part == wanted => {}
            _ => return false,
        }
    }
}

/// Whether a look may ask for it.
pub(super) fn may_ask(method: &Method, path: &str) -> bool {
    match *method {
        Method::GET | Method::HEAD => SEEN.iter().any(|pattern| is_of(path, pattern)),
        Method::POST => path == CLOSE,
        _ => false,
    }
}

/// `POST /admin/tenants/{id}/members/{member}/open`
#[handler]
pub(super) async fn open(
    who: Confirmed<Admin<kind::OpenPortals>>,
    Path((tenant, member)): Path<(String, String)>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let (tenant, member) = (parsed(&tenant)?, parsed(&member)?);
    let client: &Client = who.client();
    let opened = browsers.open_portal(&who.browser, (&tenant, &member), client);
    let opened = opened.await?;
    let mut response = see_other("/portal");
    let cookie = Jar::Opened.set(
        opened.cookie.expose(),
        Some(opened.life),
        who.services().secure(),
    );
    add_cookie(&mut response, &cookie);
    Ok(response)
}

/// `POST /portal/opened/end`; nothing else needs it.
#[handler]
pub(super) async fn close(context: PageContext, browsers: Data<&BrowserSessions>) -> PageResult {
    let opener = context
        .browser()
        .and_then(|browser| browser.opener.as_ref());
    let Some(opener) = opener else {
        return Err(PageError::NotFound);
    };
    let address: IpAddr = context.client().address;
    let tenant = browsers.close_portal(opener, address).await?;
    let path = format!("/admin/tenants/{tenant}/members");
    let mut response: Response = context.done(&path, &Notice::SessionEnded)?;
    let gone = Jar::Opened.clear(context.services().secure());
    add_cookie(&mut response, &gone);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_sees_what_is_listed_and_changes_nothing() {
        for (method, path, may) in [
            (Method::GET, "/portal", true),
            (Method::GET, "/portal/usage/gen_1", true),
            (Method::HEAD, "/portal/ledger", true),
            (Method::POST, CLOSE, true),
            (Method::GET, CLOSE, false),
            (Method::GET, "/portal/", false),
            (Method::GET, "/portal/usage/", false),
            (Method::GET, "/portal/usage/a/b", false),
            (Method::GET, "/portal/usage/..%2fkeys", false),
            (Method::GET, "/portal/usage/%2e%2e", false),
            (Method::GET, "/portal/usage/..", false),
            (Method::GET, "/portal/keys/new", false),
            (Method::GET, "/portal/security", false),
            (Method::GET, "/portal/studio/chat", false),
            (Method::GET, "/portal/whatever-comes-next", false),
            (Method::POST, "/portal/keys", false),
            (Method::PUT, "/portal", false),
            (Method::DELETE, CLOSE, false),
        ] {
            assert_eq!(may_ask(&method, path), may, "{method} {path}");
        }
    }
}
