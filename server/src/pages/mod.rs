//! The pages: the superadmin's console under `/admin`, the tenant's portal under `/portal`. A
//! handler loads from rooms, fills a view and renders it; it holds no SQL, no markup and no rule.
//!
//! How to add a page: a file with handlers whose first parameter says who may see it
//! (`session::Admin<kind::…>`, `session::Member<Manager>`, `Confirmed<…>` around them for secrets and
//! money), its rooms as `Data<&Room>`, and a line in [`routes`]. A form's handler takes
//! `form::Posted`, shows the view again with `show_again` when something is wrong, and ends with
//! `done`.

mod assets;
mod cookie;
mod device;
pub mod error;
pub mod form;
pub mod frame;
mod gate;
mod preferences;
mod security;
pub mod session;
mod settings;
mod sign_in;
pub mod site;
mod superadmins;

use poem::endpoint::BoxEndpoint;
use poem::web::Data;
use poem::{EndpointExt, Response, Route, get, handler, post};

use self::error::PageResult;
use self::frame::Frame;
use self::gate::Gate;
use self::session::{Admin, Member};
use self::site::Site;
use crate::api::Rooms;
use crate::web::Web;

/// What console and portal share: signing in, own security, preferences.
fn shared(routes: Route, root: &str) -> Route {
    let at = |path: &str| format!("{root}{path}");
    routes
        .at(at("/login"), get(sign_in::login_page).post(sign_in::log_in))
        .at(
            at("/login/second"),
            get(sign_in::second_page).post(sign_in::second),
        )
        .at(at("/logout"), post(sign_in::log_out))
        .at(
            at("/confirm"),
            get(sign_in::confirm_page).post(sign_in::confirm),
        )
        .at(at("/preferences"), post(preferences::choose))
        .at(at("/security"), get(security::security_page))
        .at(at("/security/password"), post(security::change_password))
        .at(
            at("/security/totp"),
            get(security::totp_page).post(security::totp_on),
        )
        .at(at("/security/totp/off"), post(security::totp_off))
        .at(at("/security/recovery"), post(security::renew_codes))
        .at(
            at("/security/sessions/:id/end"),
            post(security::end_session),
        )
        .at(
            at("/security/sessions/end-others"),
            post(security::end_others),
        )
}

fn admin(routes: Route) -> Route {
    shared(routes, "/admin")
        .at("/admin", get(admin_start))
        .at(
            "/admin/setup",
            get(sign_in::setup_page).post(sign_in::setup),
        )
        .at(
            "/admin/superadmins",
            get(superadmins::superadmin_list).post(superadmins::add_superadmin),
        )
        .at("/admin/superadmins/:id/role", post(superadmins::set_role))
        .at("/admin/superadmins/:id/disable", post(superadmins::disable))
        .at("/admin/superadmins/:id/enable", post(superadmins::enable))
        .at(
            "/admin/superadmins/:id/password",
            post(superadmins::reset_password),
        )
        .at("/admin/settings", get(settings::settings_page))
        .at("/admin/settings/security", post(settings::keep_security))
        .at("/admin/settings/retention", post(settings::keep_retention))
        .at(
            "/admin/settings/announcement",
            post(settings::keep_announcement),
        )
        .at("/admin/settings/tenants", post(settings::keep_tenants))
}

fn portal(routes: Route) -> Route {
    shared(routes, "/portal").at("/portal", get(portal_start))
}

/// Every page, behind its door, and the files that pages ask for.
pub fn routes(rooms: &Rooms, site: Site) -> BoxEndpoint<'static, Response> {
    let pages = portal(admin(Route::new().at("/", get(start))))
        .data(rooms.web.clone())
        .data(rooms.accounts.clone())
        .data(rooms.factors.clone())
        .data(rooms.settings.clone());
    Route::new()
        .at("/assets/:name", get(assets::asset))
        .nest_no_strip("/", Gate::new(pages, site))
        .map_to_response()
        .boxed()
}

/// Whether a path is a page's and not the API's.
pub fn is_page(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let below = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below("/assets") || below("/portal") || (below("/admin") && !below("/admin/api"))
}

/// `GET /`: to the portal, and before the first start is over to its page.
#[handler]
async fn start(frame: Frame, web: Data<&Web>) -> PageResult {
    let first = web.is_first_start().await?;
    frame.go(if first { "/admin/setup" } else { "/portal" })
}

/// `GET /admin`: where a superadmin begins.
#[handler]
async fn admin_start(who: Admin) -> PageResult {
    who.go("/admin/superadmins")
}

/// `GET /portal`: where a tenant's people begin.
#[handler]
async fn portal_start(who: Member) -> PageResult {
    who.go("/portal/security")
}

#[cfg(test)]
mod tests {
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
}
