//! What a field of a filter may be filled with, while somebody types: names that fit, few and by a part of
//! them. Whoever may see the list may see these; a tenant's people are told its own.

use std::collections::BTreeSet;

use poem::web::{Data, Json, Query};
use poem::{IntoResponse, handler};
use serde::{Deserialize, Serialize};
use server_rooms::accounts::Accounts;
use server_rooms::catalogue::Catalogue;
use shared::fold::folded;

use super::super::error::PageResult;
use super::super::portal::manages;
use super::super::session::{Admin, Member};
use super::{QUERY_CHARS_MAX, SearchRooms, has};

/// A list that is longer helps nobody.
const OFFERED_MAX: usize = 8;

/// What is offered, and what was typed of it.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Typed {
    #[serde(default)]
    of: String,
    #[serde(default)]
    q: String,
}

impl Typed {
    /// What was typed; nothing where it is no text that a name could have.
    fn text(&self) -> &str {
        let text = self.q.trim();
        let is_odd = text.chars().any(char::is_control) || text.chars().count() > QUERY_CHARS_MAX;
        if is_odd { "" } else { text }
    }
}

/// One of what is offered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Offered {
    value: String,
    note: String,
}

fn offered(value: &str, note: &str) -> Offered {
    Offered {
        value: value.to_owned(),
        note: note.to_owned(),
    }
}

/// Names of a set that fit, in their order.
fn fitting<'a>(all: impl IntoIterator<Item = &'a str>, wanted: &str) -> Vec<Offered> {
    let names: BTreeSet<&str> = all.into_iter().filter(|name| has(name, wanted)).collect();
    let names = names.into_iter().take(OFFERED_MAX);
    names.map(|name| offered(name, "")).collect()
}

fn models_of(catalogue: &Catalogue, wanted: &str) -> Vec<Offered> {
    let models = catalogue.models();
    fitting(models.iter().map(|model| model.id.as_str()), wanted)
}

/// `GET /admin/suggest?of=tenant|model|provider&q=…`
#[handler]
pub(in super::super) async fn admin_suggest(
    _who: Admin,
    Query(typed): Query<Typed>,
    rooms: Data<&SearchRooms>,
) -> PageResult {
    let (text, wanted) = (typed.text(), folded(typed.text()));
    let all = match typed.of.as_str() {
        "tenant" => {
            let limit = i64::try_from(OFFERED_MAX).unwrap_or(1);
            let tenants = rooms.accounts.tenants_named(text, limit).await?;
            tenants
                .iter()
                .map(|one| offered(&one.name, &one.id))
                .collect()
        }
        "model" => models_of(&rooms.catalogue, &wanted),
        "provider" => {
            let models = rooms.catalogue.models();
            let targets = models.iter().flat_map(|model| &model.targets);
            fitting(targets.map(|target| target.provider.as_str()), &wanted)
        }
        _ => Vec::new(),
    };
    Ok(Json(all).into_response())
}

/// `GET /portal/suggest?of=model|caller&q=…`; who called is told to those who run the tenant.
#[handler]
pub(in super::super) async fn portal_suggest(
    who: Member,
    Query(typed): Query<Typed>,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let (text, wanted) = (typed.text(), folded(typed.text()));
    let all = match typed.of.as_str() {
        "model" => {
            let models = catalogue.models();
            let allowed = who.tenant.allowed_models.as_ref();
            let own = models
                .iter()
                .filter(|model| allowed.is_none_or(|allowed| allowed.contains(&model.id)));
            fitting(own.map(|model| model.id.as_str()), &wanted)
        }
        "caller" if manages(&who) && !text.is_empty() => {
            let found = accounts.find(Some(&who.tenant.id), text).await?;
            let both = found.people.iter().chain(&found.keys);
            let both = both.map(|one| offered(&one.name, &one.id));
            both.take(OFFERED_MAX).collect()
        }
        _ => Vec::new(),
    };
    Ok(Json(all).into_response())
}
