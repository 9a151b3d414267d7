//! The tenant's end users who may make no calls. Changes nothing.

use admin_templates::end_users::{OwnEndUserRow, OwnEndUsers};
use admin_templates::list::ListState;
use poem::handler;
use poem::web::{Data, Query};
use server_rooms::end_users::{EndUsers, SuspendedQuery};

use super::super::admin::end_users::{cursor, place, why};
use super::super::error::PageResult;
use super::super::session::{Manager, Member};
use super::rows::Asked;

/// Rows of a page.
const ROWS: i64 = 50;

/// `GET /portal/end-users`
#[handler]
pub(super) async fn end_users_page(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    end_users: Data<&EndUsers>,
) -> PageResult {
    let after = asked.get("after").map(|text| place(text)).transpose()?;
    let query = SuspendedQuery {
        tenant: Some(&who.tenant.id),
        in_force_at: Some(end_users.now()),
        after: after.as_ref().map(|(at, id)| (*at, id.as_str())),
        limit: ROWS + 1,
    };
    let mut found = end_users.list(query).await?;
    let rows_max = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = found.len() > rows_max;
    found.truncate(rows_max);
    let next = found.last().filter(|_| has_more).map(cursor);
    let rows = found.into_iter().map(|one| OwnEndUserRow {
        named: end_users.named(&one).unwrap_or_default(),
        why: why(&one),
        since: one.since,
        until: one.until,
        identity: one.identity,
    });
    let view = OwnEndUsers {
        rows: rows.collect(),
        list: ListState {
            next,
            ..ListState::whole()
        },
    };
    who.show(&view).await
}
