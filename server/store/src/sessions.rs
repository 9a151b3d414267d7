//! Logins and the refresh tokens that follow from them; a token is kept as its hash.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{SessionId, TenantId};
use shared::{on, write_tx};

use super::Store;
use super::audit::note;
use super::changes::{TENANT, announce};
use super::schema::{refresh_tokens, sessions};
use super::web_sessions::Ending;

/// More logins of one person than anybody looks through.
const SESSIONS_SHOWN: i64 = 100;

/// One login of a tenant's user.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// Its id; also the family of its refresh tokens.
    pub id: String,
    /// `tenant_user` or `superadmin`.
    pub kind: String,
    /// The tenant.
    pub tenant_id: Option<String>,
    /// The user or superadmin.
    pub subject_id: String,
    /// When it began, in unix milliseconds.
    pub created_at: i64,
    /// When it ends whatever happens.
    pub expires_at: i64,
    /// When it was ended.
    pub revoked_at: Option<i64>,
    /// From where it began.
    pub address: Option<String>,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = refresh_tokens)]
struct TokenRow {
    hash: String,
    session_id: String,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

/// What came of showing a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRotation {
    /// It was good and is used up; the new one is in its place.
    Rotated(Session),
    /// It was used before: the whole family is revoked now.
    Reused,
    /// Unknown, expired or of a revoked session.
    Refused,
}

/// Revokes a session inside the transaction of `conn`, and lets the tenant's replicas know.
macro_rules! revoke {
    ($conn:expr, $session:expr, $now:expr) => {{
        let session: &Session = $session;
        if let Some(tenant) = &session.tenant_id {
            announce!($conn, format!("{TENANT}{tenant}"), $now);
        }
        diesel::update(sessions::table.find(&session.id))
            .set(sessions::revoked_at.eq($now.unix_ms()))
            .execute($conn)
            .await?;
    }};
}

impl Store {
    /// Keeps a login with its first refresh token.
    pub async fn insert_session(&self, session: &Session, token_hash: &str) -> Result<(), DbError> {
        let token = TokenRow {
            hash: token_hash.to_owned(),
            session_id: session.id.clone(),
            created_at: session.created_at,
            expires_at: session.expires_at,
            used_at: None,
        };
        write_tx!(self.db, |conn| -> DbError {
            diesel::insert_into(sessions::table)
                .values(session)
                .execute(conn)
                .await?;
            diesel::insert_into(refresh_tokens::table)
                .values(&token)
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Deletes sessions that have ended by their age; their tokens end with them.
    pub async fn delete_ended_sessions(&self, now: Moment) -> Result<(), DbError> {
        let at = now.unix_ms();
        write_tx!(self.db, |conn| -> DbError {
            let tokens = refresh_tokens::table.filter(refresh_tokens::expires_at.le(at));
            diesel::delete(tokens).execute(conn).await?;
            let ended = sessions::table.filter(sessions::expires_at.le(at));
            diesel::delete(ended).execute(conn).await?;
            Ok(())
        })
    }

    /// Whether a token of that hash was ever given out; a read, so that strangers with invented
    /// tokens do not queue for the one writer of SQLite.
    async fn knows_token(&self, hash: &str) -> Result<bool, DbError> {
        let found: Option<String> = on!(self.db, |conn| {
            refresh_tokens::table
                .find(hash)
                .select(refresh_tokens::hash)
                .first(conn)
                .await
                .optional()
        })?;
        Ok(found.is_some())
    }

    /// One session.
    pub async fn session(&self, id: &SessionId) -> Result<Option<Session>, DbError> {
        on!(self.db, |conn| sessions::table
            .find(id.as_str())
            .first(conn)
            .await
            .optional())
    }

    /// A person's sessions that have not ended, the newest first.
    pub async fn sessions_of(&self, subject: &str, now: Moment) -> Result<Vec<Session>, DbError> {
        on!(self.db, |conn| {
            sessions::table
                .filter(sessions::subject_id.eq(subject))
                .filter(sessions::revoked_at.is_null())
                .filter(sessions::expires_at.gt(now.unix_ms()))
                .order(sessions::id.desc())
                .limit(SESSIONS_SHOWN)
                .load(conn)
                .await
        })
    }

    /// Ends a person's session, or with `None` all of them; how many there were.
    pub async fn revoke_sessions(
        &self,
        ending: Ending<'_>,
        subject: &str,
        id: Option<&SessionId>,
        now: Moment,
    ) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            if let Some(tenant) = ending.tenant {
                announce!(conn, format!("{TENANT}{tenant}"), now);
            }
            let open = sessions::table
                .filter(sessions::subject_id.eq(subject))
                .filter(sessions::revoked_at.is_null());
            let ended = match id {
                Some(id) => {
                    diesel::update(open.filter(sessions::id.eq(id.as_str())))
                        .set(sessions::revoked_at.eq(now.unix_ms()))
                        .execute(conn)
                        .await?
                }
                None => {
                    diesel::update(open)
                        .set(sessions::revoked_at.eq(now.unix_ms()))
                        .execute(conn)
                        .await?
                }
            };
            if ended > 0 {
                let entry = ending.note(id.map_or(subject, SessionId::as_str));
                note!(conn, ending.actor, entry, now);
            }
            Ok(ended)
        })
    }

    /// Uses a refresh token up and puts a new one in its place. Of several at once one wins, and
    /// the others are reuse.
    pub async fn rotate_token(
        &self,
        hash: &str,
        new_hash: &str,
        now: Moment,
    ) -> Result<TokenRotation, DbError> {
        let at = now.unix_ms();
        if !self.knows_token(hash).await? {
            return Ok(TokenRotation::Refused);
        }
        write_tx!(self.db, |conn| -> DbError {
            let token = refresh_tokens::table.find(hash);
            let token: Option<TokenRow> = token.first(conn).await.optional()?;
            let Some(token) = token.filter(|token| token.expires_at > at) else {
                return Ok(TokenRotation::Refused);
            };
            let session: Option<Session> = sessions::table
                .find(&token.session_id)
                .first(conn)
                .await
                .optional()?;
            let open = |session: &Session| session.revoked_at.is_none() && session.expires_at > at;
            let Some(session) = session.filter(open) else {
                return Ok(TokenRotation::Refused);
            };
            let unused = refresh_tokens::table
                .find(hash)
                .filter(refresh_tokens::used_at.is_null());
            let used = diesel::update(unused)
                .set(refresh_tokens::used_at.eq(at))
                .execute(conn)
                .await?;
            if used == 0 {
                revoke!(conn, &session, now);
                return Ok(TokenRotation::Reused);
            }
            let next = TokenRow {
                hash: new_hash.to_owned(),
                session_id: session.id.clone(),
                created_at: at,
                expires_at: session.expires_at,
                used_at: None,
            };
            diesel::insert_into(refresh_tokens::table)
                .values(&next)
                .execute(conn)
                .await?;
            Ok(TokenRotation::Rotated(session))
        })
    }

    /// Ends the session that a refresh token belongs to; an unknown token ends none.
    pub async fn revoke_session_of(
        &self,
        token_hash: &str,
        now: Moment,
    ) -> Result<Option<TenantId>, DbError> {
        if !self.knows_token(token_hash).await? {
            return Ok(None);
        }
        write_tx!(self.db, |conn| -> DbError {
            let token = refresh_tokens::table.find(token_hash);
            let token: Option<TokenRow> = token.first(conn).await.optional()?;
            let Some(token) = token else { return Ok(None) };
            let session: Session = sessions::table.find(&token.session_id).first(conn).await?;
            revoke!(conn, &session, now);
            Ok(session.tenant_id.map(TenantId::from_stored))
        })
    }
}
