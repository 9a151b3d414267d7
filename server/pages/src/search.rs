//! One box for parts of names, ids of anything and what may be done: the console's finds what the platform
//! has, the portal's what its tenant has. Each source is small or asked by its key; no list of calls is read.

mod actions;
mod ids;
pub(super) mod suggest;

use std::collections::BTreeSet;
use std::time::Duration;

use admin_templates::labels::{FaultName, Label as _, SearchKind, Word as _};
use admin_templates::page::Lang;
use admin_templates::search::{SearchGroup, SearchHit, SearchPage};
use poem::handler;
use poem::web::{Data, Query};
use server_rooms::accounts::Accounts;
use server_rooms::catalogue::Catalogue;
use server_rooms::gateways::Gateways;
use server_rooms::ledger::Ledger;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use shared::fold::folded;
use shared::id::TenantId;
use shared::link::Operation;

use super::error::{PageError, PageResult};
use super::page_context::PageContext;
use super::portal::manages;
use super::session::{Admin, Member};

/// Of a kind at most so many are shown.
const HITS_MAX: usize = 8;
/// A gateway far away must not keep the box waiting.
const PATIENCE: Duration = Duration::from_millis(300);
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
        let mut hits: Vec<SearchHit> = hits.into_iter().take(HITS_MAX).collect();
        if hits.is_empty() {
            return;
        }
        match self.0.iter_mut().find(|group| group.kind == kind) {
            Some(group) => {
                hits.retain(|hit| group.hits.iter().all(|known| known.path != hit.path));
                group.hits.append(&mut hits);
                group.hits.truncate(HITS_MAX);
            }
            None => self.0.push(SearchGroup { kind, hits }),
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
#[derive(Debug, Clone)]
pub(super) struct SearchRooms {
    pub(super) accounts: Accounts,
    pub(super) catalogue: Catalogue,
    pub(super) gateways: Gateways,
    pub(super) ledger: Ledger,
    pub(super) providers: Providers,
    pub(super) reports: Reports,
}

/// Tenants, people and keys by a part of their name, and what may be done to the tenants.
async fn accounts_found(
    who: &Admin,
    text: &str,
    (accounts, found): (&Accounts, &mut Found),
) -> Result<(), PageError> {
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
    let of_tenants = actions::of_tenants(who, &names.tenants);
    found.add(SearchKind::Action, of_tenants);
    Ok(())
}

/// Models, and the providers that they name.
fn models_found(catalogue: &Catalogue, wanted: &str, found: &mut Found) -> BTreeSet<String> {
    let models = catalogue.models();
    let fit = models.iter().filter(|model| has(&model.id, wanted));
    found.add(
        SearchKind::Model,
        fit.map(|model| hit(&model.id, "", model_path(&model.id))),
    );
    let targets = models.iter().flat_map(|model| &model.targets);
    targets.map(|target| target.provider.clone()).collect()
}

/// Providers: those that models name, and all others that the gateways have, as far as these answer at once.
async fn providers_found(
    providers: &Providers,
    mut named: BTreeSet<String>,
    wanted: &str,
) -> Vec<SearchHit> {
    if let Ok(Ok(list)) = tokio::time::timeout(PATIENCE, providers.all()).await {
        let all = list.providers.into_iter();
        named.extend(all.map(|provider| provider.answer.name));
    }
    let fit = named.into_iter().filter(|name| has(name, wanted));
    fit.map(|name| hit(&name, "", format!("providers/{name}")))
        .collect()
}

/// Gateways and superadmins, of which there are few.
async fn house_found(
    rooms: &SearchRooms,
    (text, wanted): (&str, &str),
    found: &mut Found,
) -> Result<(), PageError> {
    let all = rooms.gateways.all().await?;
    let kept = all.iter().filter_map(|gateway| gateway.kept.as_ref());
    let fit = kept.filter(|kept| {
        let names = [
            kept.place.name.as_str(),
            kept.place.url.as_str(),
            kept.id.as_str(),
        ];
        names.iter().any(|name| has(name, wanted))
    });
    found.add(
        SearchKind::Gateway,
        fit.map(|kept| hit(&kept.place.url, &kept.place.name, "gateways".to_owned())),
    );
    let admins = rooms.accounts.superadmins().await?;
    let fit = admins
        .iter()
        .filter(|admin| has(&admin.username, wanted) || admin.id.as_str() == text);
    found.add(
        SearchKind::Superadmin,
        fit.map(|admin| hit(&admin.username, admin.id.as_str(), "superadmins".to_owned())),
    );
    Ok(())
}

/// What the console's box finds.
async fn everything(who: &Admin, text: &str, rooms: &SearchRooms) -> Result<Found, PageError> {
    let (mut found, wanted) = (Found::default(), folded(text));
    ids::of_platform(rooms, text, &mut found).await?;
    accounts_found(who, text, (&rooms.accounts, &mut found)).await?;
    let named = models_found(&rooms.catalogue, &wanted, &mut found);
    let providers = providers_found(&rooms.providers, named, &wanted).await;
    found.add(SearchKind::Provider, providers);
    house_found(rooms, (text, &wanted), &mut found).await?;
    found.add(SearchKind::Fault, faults(&wanted, who.lang()));
    found.add(
        SearchKind::Action,
        actions::of_admin(who, text, &rooms.accounts).await?,
    );
    Ok(found)
}

/// `GET /admin/search?q=…`
#[handler]
pub(super) async fn admin_search(
    who: Admin,
    Query(query): Query<SearchQuery>,
    rooms: Data<&SearchRooms>,
) -> PageResult {
    let text = query.text();
    let mut found = Found::default();
    if !text.is_empty() {
        found = everything(&who, text, &rooms).await?;
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
    ledger: Data<&Ledger>,
    reports: Data<&Reports>,
) -> PageResult {
    let (text, tenant) = (query.text(), &who.tenant.id);
    let (mut found, wanted) = (Found::default(), folded(text));
    if text.is_empty() {
        return who.show(&found.page(text)).await;
    }
    ids::of_tenant(&who, text, (&ledger, &reports), &mut found).await?;
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
            Operation::Embedding
            | Operation::Completion
            | Operation::Moderation
            | Operation::Rerank => return None,
        };
        let id = server_edge::doors::text::part(&model.id);
        Some(hit(&model.id, "", format!("studio/{place}?model={id}")))
    });
    found.add(SearchKind::Model, in_studio);
    found.add(SearchKind::Action, actions::of_member(&who, &wanted));
    let links = admin_templates::nav::links(&who.page().await);
    found.add(SearchKind::Page, pages_of(&who, links, &wanted));
    who.show(&found.page(text)).await
}
