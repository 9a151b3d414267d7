//! Where items are by their ids alone: those of answers by a table of their own, which goes with the
//! responses, those of conversations by an index. Reads no item.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::TenantId;
use shared::on;

use super::{Store, kinds};
use crate::schema::{kept, kept_items};

/// Conversations are looked at in so many at most, since a caller may give items of many the same id.
const CONVERSATIONS_MAX: i64 = 1_000;

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptItemPlace {
    /// Its id.
    pub item: String,
    /// Of what it is an item: [`kinds::RESPONSE`] or [`kinds::CONVERSATION`].
    pub kind: &'static str,
    /// The id of that.
    pub parent: String,
    /// What is read to have it weighs so much.
    pub bytes: i64,
}

/// Says inside the transaction of `conn` that a response has these items.
macro_rules! name_items {
    ($conn:expr, $response:expr, $names:expr) => {{
        use crate::schema::kept_items;
        let (tenant, response): (&TenantId, &str) = $response;
        for name in $names {
            diesel::insert_into(kept_items::table)
                .values((
                    kept_items::tenant_id.eq(tenant.as_str()),
                    kept_items::item_id.eq(name.as_str()),
                    kept_items::parent.eq(""),
                    kept_items::response_id.eq(response),
                ))
                .on_conflict((kept_items::tenant_id, kept_items::item_id))
                .do_update()
                .set(kept_items::response_id.eq(response))
                .execute($conn)
                .await?;
        }
    }};
}
pub(super) use name_items;

impl Store {
    /// Where a tenant's items of these ids are, those of answers first; of answers only what a person made,
    /// where one is given. Who may read a conversation is for whoever asks to look at.
    pub async fn kept_item_places(
        &self,
        (tenant, user): (&TenantId, Option<&str>),
        ids: &[&str],
        now: Moment,
    ) -> Result<Vec<KeptItemPlace>, DbError> {
        let everybody = user.is_none();
        let answers: Vec<(String, String, i64, Option<String>)> = on!(self.db, |conn| {
            let is_its = kept::tenant_id
                .eq(kept_items::tenant_id)
                .and(kept::parent.eq(kept_items::parent))
                .and(kept::id.eq(kept_items::response_id));
            kept_items::table
                .inner_join(kept::table.on(is_its))
                .filter(kept_items::tenant_id.eq(tenant.as_str()))
                .filter(kept_items::item_id.eq_any(ids))
                .filter(kept::expires_at.gt(now.unix_ms()))
                .select((
                    kept_items::item_id,
                    kept_items::response_id,
                    kept::bytes,
                    kept::user_id,
                ))
                .load(conn)
                .await
        })?;
        let items: Vec<(String, String, i64)> = on!(self.db, |conn| kept::table
            .filter(kept::tenant_id.eq(tenant.as_str()))
            .filter(kept::id.eq_any(ids))
            .filter(kept::kind.eq(kinds::ITEM))
            .filter(kept::expires_at.gt(now.unix_ms()))
            .select((kept::id, kept::parent, kept::bytes))
            .limit(CONVERSATIONS_MAX)
            .load(conn)
            .await)?;
        let answers = answers
            .into_iter()
            .filter(|(_, _, _, made_by)| everybody || made_by.as_deref() == user)
            .map(|(item, response, bytes, _)| KeptItemPlace {
                item,
                kind: kinds::RESPONSE,
                parent: response,
                bytes,
            });
        let items = items
            .into_iter()
            .map(|(item, conversation, bytes)| KeptItemPlace {
                item,
                kind: kinds::CONVERSATION,
                parent: conversation,
                bytes,
            });
        Ok(answers.chain(items).collect())
    }
}
