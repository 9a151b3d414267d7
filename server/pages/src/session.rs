//! Who may see a page, as a parameter of its handler: `Admin<kind::…>`, `Member<…>`, `SignedIn`, and
//! `Confirmed<…>` around them. Finds no session itself; the guard did.

use std::marker::PhantomData;
use std::ops::Deref;

use admin_templates::page::Area;
use http::header::REFERER;
use poem::http::Method;
use poem::{FromRequest, Request, RequestBody};
use server_rooms::accounts::{Actor, Superadmin, Tenant, User};
use server_rooms::auth::Role;
use server_rooms::auth::roles::{Action, Kind, kind, may};
use server_rooms::browser_sessions::{BrowserSession, Person, Stage};

use super::error::PageError;
use super::page_context::{PageContext, local_path};

/// The path of a login's next step.
pub(super) fn step_path(context: &PageContext, stage: Stage) -> String {
    match stage {
        Stage::SecondFactor => context.at("/login/second"),
        Stage::NewPassword => context.at("/setup"),
        Stage::FactorSetup => context.at("/security/totp"),
        Stage::Open => context.root().to_owned(),
    }
}

/// A query with where to go afterwards.
pub(super) fn with_next(path: &str, next: &str) -> String {
    let pair = [("next", next)];
    serde_urlencoded::to_string(pair)
        .map_or_else(|_| path.to_owned(), |query| format!("{path}?{query}"))
}

/// The page a request belongs to: itself, or for a form the page it stood on.
fn page_of(context: &PageContext, request: &Request) -> String {
    if *request.method() == Method::GET {
        return context.path().to_owned();
    }
    let from = request.headers().get(REFERER);
    let from = from.and_then(|value| value.to_str().ok());
    let path = from.and_then(|url| url.split_once("://")?.1.find('/').map(|at| (url, at)));
    let path = path.map(|(url, at)| {
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        &rest[at..]
    });
    local_path(path.unwrap_or_default(), context.area(), context.root()).to_owned()
}

fn context_of(request: &Request) -> Result<&PageContext, PageError> {
    request.data::<PageContext>().ok_or(PageError::Internal)
}

/// The session of somebody who is in; else where they go first.
fn open(request: &Request) -> Result<(PageContext, BrowserSession), PageError> {
    let context = context_of(request)?;
    let Some(browser) = context.browser() else {
        let login = with_next(&context.at("/login"), &page_of(context, request));
        return Err(PageError::GoTo(login));
    };
    if browser.session.stage != Stage::Open {
        return Err(PageError::GoTo(step_path(context, browser.session.stage)));
    }
    Ok((context.clone(), browser.clone()))
}

/// Who may see a page.
pub trait Guard: Sized + Send {
    /// Somebody who is in, if this page is for them.
    fn admit(context: PageContext, browser: BrowserSession) -> Result<Self, PageError>;
}

fn guarded<G: Guard>(request: &Request) -> Result<G, PageError> {
    let (context, browser) = open(request)?;
    G::admit(context, browser)
}

/// Somebody who is in, of console or portal.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Their session.
    pub browser: BrowserSession,
    context: PageContext,
}

impl Deref for SignedIn {
    type Target = PageContext;

    fn deref(&self) -> &PageContext {
        &self.context
    }
}

impl Guard for SignedIn {
    fn admit(context: PageContext, browser: BrowserSession) -> Result<Self, PageError> {
        Ok(Self { browser, context })
    }
}

impl<'a> FromRequest<'a> for SignedIn {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(guarded(request)?)
    }
}

/// Somebody who is in, or who has only to set a second factor up.
#[derive(Debug, Clone)]
pub struct SettingUp {
    /// Their session.
    pub browser: BrowserSession,
    context: PageContext,
}

impl Deref for SettingUp {
    type Target = PageContext;

    fn deref(&self) -> &PageContext {
        &self.context
    }
}

impl<'a> FromRequest<'a> for SettingUp {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let context = context_of(request)?;
        let browser = context.browser();
        let browser = browser.filter(|browser| browser.session.stage == Stage::FactorSetup);
        let (context, browser) = match browser {
            Some(browser) => (context.clone(), browser.clone()),
            None => open(request)?,
        };
        Ok(Self { browser, context })
    }
}

/// A superadmin whose role may do `K`; without it, looking.
#[derive(Debug, Clone)]
pub struct Admin<K: Kind = kind::Look> {
    /// Who.
    pub admin: Superadmin,
    /// Their session.
    pub browser: BrowserSession,
    context: PageContext,
    action: PhantomData<K>,
}

impl<K: Kind> Admin<K> {
    /// As the audit log names them.
    pub fn actor(&self) -> Actor {
        Actor::superadmin(&self.admin, self.context.client().address)
    }

    /// Refuses what their role may not do, where that depends on what was sent.
    pub fn must_be_able_to(&self, action: Action) -> Result<(), PageError> {
        if may(self.admin.role, action) {
            Ok(())
        } else {
            Err(PageError::Forbidden)
        }
    }
}

impl<K: Kind> Deref for Admin<K> {
    type Target = PageContext;

    fn deref(&self) -> &PageContext {
        &self.context
    }
}

impl<K: Kind> Guard for Admin<K> {
    fn admit(context: PageContext, browser: BrowserSession) -> Result<Self, PageError> {
        let Person::Superadmin(admin) = browser.person.clone() else {
            return Err(PageError::NotFound);
        };
        let caller = Self {
            admin,
            browser,
            context,
            action: PhantomData,
        };
        caller.must_be_able_to(K::ACTION)?;
        Ok(caller)
    }
}

impl<'a, K: Kind> FromRequest<'a> for Admin<K> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(guarded(request)?)
    }
}

/// Which of a tenant's people may see a page.
pub trait Rank: Send + Sync + 'static {
    /// Whether this role may.
    fn includes(role: Role) -> bool;
}

/// Everybody of the tenant.
#[derive(Debug, Clone, Copy)]
pub struct Anybody;

/// Owners and admins.
#[derive(Debug, Clone, Copy)]
pub struct Manager;

/// Owners.
#[derive(Debug, Clone, Copy)]
pub struct Owner;

impl Rank for Anybody {
    fn includes(role: Role) -> bool {
        match role {
            Role::Owner | Role::Admin | Role::Member => true,
        }
    }
}

impl Rank for Manager {
    fn includes(role: Role) -> bool {
        match role {
            Role::Owner | Role::Admin => true,
            Role::Member => false,
        }
    }
}

impl Rank for Owner {
    fn includes(role: Role) -> bool {
        match role {
            Role::Owner => true,
            Role::Admin | Role::Member => false,
        }
    }
}

/// A user of a tenant whose rank reaches this far.
#[derive(Debug, Clone)]
pub struct Member<R: Rank = Anybody> {
    /// Who.
    pub user: User,
    /// Their tenant; every query of a portal's page begins with it.
    pub tenant: Tenant,
    /// Their session.
    pub browser: BrowserSession,
    context: PageContext,
    rank: PhantomData<R>,
}

impl<R: Rank> Member<R> {
    /// As the audit log names them.
    pub fn actor(&self) -> Actor {
        Actor::user(&self.user, self.context.client().address)
    }
}

impl<R: Rank> Deref for Member<R> {
    type Target = PageContext;

    fn deref(&self) -> &PageContext {
        &self.context
    }
}

impl<R: Rank> Guard for Member<R> {
    fn admit(context: PageContext, browser: BrowserSession) -> Result<Self, PageError> {
        let Person::User(user, tenant) = browser.person.clone() else {
            return Err(PageError::NotFound);
        };
        if !R::includes(user.role) {
            return Err(PageError::Forbidden);
        }
        Ok(Self {
            user,
            tenant,
            browser,
            context,
            rank: PhantomData,
        })
    }
}

impl<'a, R: Rank> FromRequest<'a> for Member<R> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(guarded(request)?)
    }
}

/// Somebody who proved a short while ago to be the one who logged in; for secrets and money.
/// Whoever did not is asked, and comes back to the page.
#[derive(Debug, Clone)]
pub struct Confirmed<G>(pub G);

impl<G> Deref for Confirmed<G> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.0
    }
}

impl<'a, G: Guard> FromRequest<'a> for Confirmed<G> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let guard: G = guarded(request)?;
        let context = context_of(request)?;
        let now = context.now();
        if context
            .browser()
            .is_some_and(|browser| browser.is_confirmed(now))
        {
            return Ok(Self(guard));
        }
        let next = page_of(context, request);
        let confirm = with_next(&context.at("/confirm"), &next);
        Err(PageError::GoTo(confirm).into())
    }
}

/// The area's own kind of session.
pub(super) fn kind_of(area: Area) -> server_rooms::browser_sessions::PersonKind {
    match area {
        Area::Admin => server_rooms::browser_sessions::PersonKind::Superadmin,
        Area::Portal => server_rooms::browser_sessions::PersonKind::TenantUser,
    }
}
