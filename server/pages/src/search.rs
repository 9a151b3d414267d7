//! One box for parts of names and ids of anything: the console's finds what the platform has (of
//! providers those that models name, as no gateway is asked), the portal's what its tenant has. Each source is small or asked by its key; no list of calls is read.

use std::collections::BTreeSet;

use admin_templates::labels::{FaultName, Label as _, SearchKind, Word as _};
use admin_templates::page::Lang;
use admin_templates::search::{SearchGroup, SearchHit, SearchPage};
use poem::handler;
use poem::web::{Data, Query};
use server_rooms::accounts::Accounts;
use server_rooms::catalogue::Catalogue;
use server_rooms::gateways::Gateways;
use server_rooms::reports::{Reports, ReportsError};
use shared::fold::folded;
use shared::id::{AuditId, GenerationId, TenantId};
use shared::link::Operation;

use super::error::{PageError, PageResult};
use super::page_context::PageContext;
use super::portal::{manages, usage::is_by};
use super::session::{Admin, Member};

/// Of a kind at most so many are shown.
const HITS_MAX: usize = 8;
/// No name and no id is longer.
const QUERY_CHARS_MAX: usize = 200;

/// What is looked for.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct SearchQuery {
    #[serde(default)]
    q: String,
}

impl SearchQuery {
    /// Without blanks around it; nothing where it is no text that anything could have.
    fn text(&self) -> &str {
        let text = self.q.trim();
        let is_odd = text.chars().any(char::is_control) || text.chars().count() > QUERY_CHARS_MAX;
        if is_odd { "" } else { text }
    }
}

fn hit(name: &str, note: &str, path: String) -> SearchHit {
    SearchHit {
        name: name.to_owned(),
        note: note.to_owned(),
        path,
    }
}

/// Groups with something in them.
#[derive(Debug, Default)]
struct Found(Vec<SearchGroup>);

impl Found {
    fn add(&mut self, kind: SearchKind, hits: impl IntoIterator<Item = SearchHit>) {
        let hits: Vec<SearchHit> = hits.into_iter().take(HITS_MAX).collect();
        if !hits.is_empty() {
            self.0.push(SearchGroup { kind, hits });
        }
    }

    fn page(self, text: &str) -> SearchPage {
        SearchPage {
            query: text.to_owned(),
            groups: self.0,
        }
    }
}

fn has(name: &str, wanted: &str) -> bool {
    folded(name).contains(wanted)
}

/// A model's page in the console; a name with slashes is no part of a path.
fn model_path(id: &str) -> String {
    if id.contains('/') {
        "models".to_owned()
    } else {
        format!("models/{id}")
    }
}

/// The area's pages whose name fits.
fn pages_of(context: &PageContext, links: Vec<(&str, &str)>, wanted: &str) -> Vec<SearchHit> {
    let root = format!("{}/", context.root());
    let fit = links.into_iter().filter(|(_, label)| has(label, wanted));
    let below = fit.filter_map(|(href, label)| {
        let path = href.strip_prefix(&root)?;
        Some(hit(label, "", path.to_owned()))
    });
    below.collect()
}

fn read(error: ReportsError) -> PageError {
    match error {
        ReportsError::Store(error) => error.into(),
        ReportsError::Cursor(_) | ReportsError::NoSuchTenant => PageError::NotFound,
        ReportsError::Busy | ReportsError::Ledger(_) => PageError::Unavailable,
    }
}

/// Kinds of failure by their name or their word.
fn faults(wanted: &str, lang: Lang) -> Vec<SearchHit> {
    let fit = FaultName::ALL.iter().filter(|name| {
        **name != FaultName::Other && (has(name.text(lang), wanted) || has(name.code(), wanted))
    });
    fit.map(|name| {
        let path = "usage?status=failed".to_owned();
        hit(name.text(lang), name.code(), path)
    })
    .collect()
}

/// What the console's box looks in.
async fn everything(
    who: &Admin,
    text: &str,
    (accounts, catalogue): (&Accounts, &Catalogue),
    (gateways, reports): (&Gateways, &Reports),
) -> Result<Found, PageError> {
    let (mut found, wanted) = (Found::default(), folded(text));
    if let Ok(id) = text.parse::<GenerationId>() {
        let call = reports.call_detail(&id, None).await.map_err(read)?;
        let of = call.map(|call| hit(text, call.tenant.as_str(), format!("usage/{text}")));
        found.add(SearchKind::Call, of);
    }
    if let Ok(id) = text.parse::<AuditId>() {
        let entry = reports.audit_entry(&id).await?;
        let of = entry.map(|entry| hit(text, &entry.action, format!("audit/{text}")));
        found.add(SearchKind::Page, of);
    }
    let names = accounts.find(None, text).await?;
    let tenants = names.tenants.iter();
    found.add(
        SearchKind::Tenant,
        tenants.map(|one| hit(&one.name, &one.id, format!("tenants/{}", one.id))),
    );
    let people = names.people.iter();
    let below = |tenant: &TenantId, part: &str| format!("tenants/{tenant}/{part}");
    found.add(
        SearchKind::Person,
        people.map(|one| hit(&one.name, &one.id, below(&one.tenant, "members"))),
    );
    let keys = names.keys.iter();
    found.add(
        SearchKind::Key,
        keys.map(|one| hit(&one.name, &one.id, below(&one.tenant, "keys"))),
    );
    let models = catalogue.models();
    let fit = models.iter().filter(|model| has(&model.id, &wanted));
    found.add(
        SearchKind::Model,
        fit.map(|model| hit(&model.id, "", model_path(&model.id))),
    );
    let targets = models.iter().flat_map(|model| &model.targets);
    let providers: BTreeSet<&str> = targets.map(|target| target.provider.as_str()).collect();
    let fit = providers.into_iter().filter(|name| has(name, &wanted));
    found.add(
        SearchKind::Provider,
        fit.map(|name| hit(name, "", format!("providers/{name}"))),
    );
    let all = gateways.all().await?;
    let kept = all.iter().filter_map(|gateway| gateway.kept.as_ref());
    let fit = kept.filter(|kept| {
        let names = [
            kept.place.name.as_str(),
            kept.place.url.as_str(),
            kept.id.as_str(),
        ];
        names.iter().any(|name| has(name, &wanted))
    });
    found.add(
        SearchKind::Gateway,
        fit.map(|kept| hit(&kept.place.url, &kept.place.name, "gateways".to_owned())),
    );
    let admins = accounts.superadmins().await?;
    let fit = admins
        .iter()
        .filter(|admin| has(&admin.username, &wanted) || admin.id.as_str() == text);
    found.add(
        SearchKind::Superadmin,
        fit.map(|admin| hit(&admin.username, admin.id.as_str(), "superadmins".to_owned())),
    );
    found.add(SearchKind::Fault, faults(&wanted, who.lang()));
    Ok(found)
}

/// `GET /admin/search?q=…`
#[handler]
pub(super) async fn admin_search(
    who: Admin,
    Query(query): Query<SearchQuery>,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    gateways: Data<&Gateways>,
    reports: Data<&Reports>,
) -> PageResult {
    let text = query.text();
    let mut found = Found::default();
    if !text.is_empty() {
        found = everything(&who, text, (&accounts, &catalogue), (&gateways, &reports)).await?;
        let links = admin_templates::nav::links(&who.page().await);
        found.add(SearchKind::Page, pages_of(&who, links, &folded(text)));
    }
    who.show(&found.page(text)).await
}

/// `GET /portal/search?q=…`: what the tenant has; who does not run it finds their own calls.
#[handler]
pub(super) async fn portal_search(
    who: Member,
    Query(query): Query<SearchQuery>,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    reports: Data<&Reports>,
) -> PageResult {
    let (text, tenant) = (query.text(), &who.tenant.id);
    let (mut found, wanted) = (Found::default(), folded(text));
    if text.is_empty() {
        return who.show(&found.page(text)).await;
    }
    if let Ok(id) = text.parse::<GenerationId>() {
        let call = reports.call_detail(&id, Some(tenant)).await.map_err(read)?;
        let own = call.filter(|call| manages(&who) || is_by(call, &who.user.id));
        found.add(
            SearchKind::Call,
            own.map(|_| hit(text, "", format!("usage/{text}"))),
        );
    }
    if manages(&who) {
        let names = accounts.find(Some(tenant), text).await?;
        let people = names.people.iter();
        found.add(
            SearchKind::Person,
            people.map(|one| hit(&one.name, &one.id, format!("members/{}", one.id))),
        );
        let keys = names.keys.iter();
        found.add(
            SearchKind::Key,
            keys.map(|one| hit(&one.name, &one.id, format!("keys/{}", one.id))),
        );
    }
    let models = catalogue.models();
    let allowed = who.tenant.allowed_models.as_ref();
    let fit = models
        .iter()
        .filter(|model| model.enabled && has(&model.id, &wanted))
        .filter(|model| allowed.is_none_or(|allowed| allowed.contains(&model.id)));
    // A model that the studio does not know would open another one there, which costs.
    let in_studio = fit.filter_map(|model| {
        let place = match model.operation {
            Operation::Chat => "chat",
            Operation::Image => "images",
            Operation::Embedding | Operation::Completion | Operation::Moderation => return None,
        };
        let id = server_edge::doors::text::part(&model.id);
        Some(hit(&model.id, "", format!("studio/{place}?model={id}")))
    });
    found.add(SearchKind::Model, in_studio);
    let links = admin_templates::nav::links(&who.page().await);
    found.add(SearchKind::Page, pages_of(&who, links, &wanted));
    who.show(&found.page(text)).await
}
