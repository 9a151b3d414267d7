//! What a tenant's people are told ahead: models that the tenant uses and that end.

use admin_templates::notices::ModelEndNote;
use server_rooms::catalogue::retirement::ModelNotice;
use server_rooms::catalogue::{Catalogue, Model};

use super::super::error::PageError;
use super::super::session::{Member, Rank};

/// More of them would hide the page.
const NOTES_MAX: usize = 5;

/// Of the models that the person may use, the closest end first.
pub(super) async fn notes<R: Rank>(
    who: &Member<R>,
    catalogue: &Catalogue,
) -> Result<Vec<ModelEndNote>, PageError> {
    let principal = super::principal(who, None);
    let may = |model: &Model| model.enabled && principal.may_use(&model.id);
    let notices = catalogue.notices(&who.tenant.id).await?;
    let mine = notices
        .into_iter()
        .filter(|one| principal.may_use(&one.model));
    let note = |one: ModelNotice| {
        let next = one.successor.as_deref().and_then(|id| catalogue.model(id));
        let next = next.filter(|next| may(next));
        ModelEndNote {
            model: one.model,
            retires_at: one.retires_at,
            is_over: one.is_over,
            redirect: one.redirect && next.is_some(),
            successor: next.map(|next| next.id.clone()).unwrap_or_default(),
        }
    };
    Ok(mine.map(note).take(NOTES_MAX).collect())
}
