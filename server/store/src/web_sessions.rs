//! Logins of browsers; a cookie is kept as its hash. Ended ones are deleted, and the audit log
//! remembers them. Knows no lengths of time; the room `browser_sessions` does.

use std::collections::HashMap;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use serde_json::json;
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::{SessionId, TenantId};
use shared::secret::Secret;
use shared::{on, write_tx};

use super::Store;
use super::accounts::{damaged, words};
use super::audit::{Actor, Note, note};
use super::schema::web_sessions;

/// Sessions of one person that a page shows.
const SESSIONS_SHOWN: i64 = 100;

words! {
    /// Whose session it is.
    PersonKind {
        /// A superadmin's.
        Superadmin = "superadmin",
        /// A tenant's user's.
        TenantUser = "tenant_user",
    }
}

words! {
    /// What is still asked for after the right password.
    Stage {
        /// The code of the second factor.
        SecondFactor = "second_factor",
        /// A password of their own.
        NewPassword = "new_password",
        /// A second factor, which the settings ask for.
        FactorSetup = "factor_setup",
        /// Nothing: they are in.
        Open = "open",
    }
}

/// One login of a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSession {
    /// Its id, which is not the cookie's value.
    pub id: SessionId,
    /// Whose.
    pub kind: PersonKind,
    /// How far the login has come.
    pub stage: Stage,
    /// The tenant of a user.
    pub tenant: Option<TenantId>,
    /// The id of the superadmin or user.
    pub subject: String,
    /// When it began.
    pub created_at: Moment,
    /// When it was last used, to about a minute.
    pub seen_at: Moment,
    /// When it ends unless it is used.
    pub idle_expires_at: Moment,
    /// When it ends whatever happens.
    pub expires_at: Moment,
    /// From where it began.
    pub address: String,
    /// The browser, as it says.
    pub agent: String,
    /// What forms must carry.
    pub csrf: Secret<String>,
    /// When the person last proved to be the one who logged in.
    pub confirmed_at: Option<Moment>,
}

/// Which session, and whose; another person's is not there.
#[derive(Debug, Clone, Copy)]
pub struct SessionPlace<'a> {
    /// The id of the superadmin or user.
    pub subject: &'a str,
    /// The session.
    pub id: &'a SessionId,
}

/// Why sessions end, as the audit log says it.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Who ends them.
    pub actor: &'a Actor,
    /// The tenant of a user.
    pub tenant: Option<&'a TenantId>,
    /// `session.end` and the like.
    pub action: &'static str,
}

impl<'a> Ending<'a> {
    /// The audit entry of what ended.
    pub(super) fn note(self, subject: &'a str) -> Note<'a> {
        Note {
            tenant: self.tenant.map(TenantId::as_str),
            action: self.action,
            subject,
            ..Note::default()
        }
    }
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = web_sessions)]
struct Row {
    id: String,
    hash: String,
    kind: String,
    stage: String,
    tenant_id: Option<String>,
    subject_id: String,
    created_at: i64,
    seen_at: i64,
    idle_expires_at: i64,
    expires_at: i64,
    address: String,
    agent: String,
    csrf: String,
    confirmed_at: Option<i64>,
}

impl TryFrom<Row> for WebSession {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let wrong = || damaged("session", &row.id);
        Ok(Self {
            kind: PersonKind::from_word(&row.kind).ok_or_else(wrong)?,
            stage: Stage::from_word(&row.stage).ok_or_else(wrong)?,
            id: SessionId::from_stored(row.id),
            tenant: row.tenant_id.map(TenantId::from_stored),
            subject: row.subject_id,
            created_at: Moment::from_unix_ms(row.created_at),
            seen_at: Moment::from_unix_ms(row.seen_at),
            idle_expires_at: Moment::from_unix_ms(row.idle_expires_at),
            expires_at: Moment::from_unix_ms(row.expires_at),
            address: row.address,
            agent: row.agent,
            csrf: Secret::new(row.csrf),
            confirmed_at: row.confirmed_at.map(Moment::from_unix_ms),
        })
    }
}

impl WebSession {
    fn row(&self, hash: &str) -> Row {
        Row {
            id: self.id.to_string(),
            hash: hash.to_owned(),
            kind: self.kind.word().to_owned(),
            stage: self.stage.word().to_owned(),
            tenant_id: self.tenant.as_ref().map(ToString::to_string),
            subject_id: self.subject.clone(),
            created_at: self.created_at.unix_ms(),
            seen_at: self.seen_at.unix_ms(),
            idle_expires_at: self.idle_expires_at.unix_ms(),
            expires_at: self.expires_at.unix_ms(),
            address: self.address.clone(),
            agent: self.agent.clone(),
            csrf: self.csrf.expose().clone(),
            confirmed_at: self.confirmed_at.map(Moment::unix_ms),
        }
    }

    /// The audit entry of a login that is complete.
    fn begun(&self) -> Note<'_> {
        Note {
            tenant: self.tenant.as_ref().map(TenantId::as_str),
            action: "session.begin",
            subject: self.id.as_str(),
            before: None,
            after: Some(json!({"agent": self.agent}).to_string()),
        }
    }
}

impl Store {
    /// Keeps a session under the hash of its cookie, and ends the one it takes the place of;
    /// `entered` says that a login is complete with it.
    pub async fn insert_web_session(
        &self,
        actor: &Actor,
        session: &WebSession,
        hash: &str,
        instead_of: Option<&SessionId>,
        entered: bool,
    ) -> Result<(), DbError> {
        let row = session.row(hash);
        write_tx!(self.db, |conn| -> DbError {
            if let Some(old) = instead_of {
                diesel::delete(web_sessions::table.find(old.as_str()))
                    .execute(conn)
                    .await?;
            }
            diesel::insert_into(web_sessions::table)
                .values(&row)
                .execute(conn)
                .await?;
            if entered {
                note!(conn, actor, session.begun(), session.created_at);
            }
            Ok(())
        })
    }

    /// The session of a cookie's hash, ended by time or not.
    pub async fn web_session(&self, hash: &str) -> Result<Option<WebSession>, DbError> {
        let row: Option<Row> = on!(self.db, |conn| {
            web_sessions::table
                .filter(web_sessions::hash.eq(hash))
                .first(conn)
                .await
                .optional()
        })?;
        row.map(WebSession::try_from).transpose()
    }

    /// The session of an id, ended by time or not.
    pub async fn web_session_of(&self, id: &SessionId) -> Result<Option<WebSession>, DbError> {
        let row: Option<Row> = on!(self.db, |conn| {
            web_sessions::table
                .find(id.as_str())
                .first(conn)
                .await
                .optional()
        })?;
        row.map(WebSession::try_from).transpose()
    }

    /// Notes that a session is in use.
    pub async fn touch_web_session(
        &self,
        id: &SessionId,
        seen_at: Moment,
        idle_expires_at: Moment,
    ) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::update(web_sessions::table.find(id.as_str()))
                .set((
                    web_sessions::seen_at.eq(seen_at.unix_ms()),
                    web_sessions::idle_expires_at.eq(idle_expires_at.unix_ms()),
                ))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// Notes that the person proved to be the one who logged in.
    pub async fn confirm_web_session(&self, id: &SessionId, at: Moment) -> Result<(), DbError> {
        write_tx!(self.db, |conn| -> DbError {
            diesel::update(web_sessions::table.find(id.as_str()))
                .set(web_sessions::confirmed_at.eq(at.unix_ms()))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    /// A person's open sessions that have not ended, the one last used first.
    pub async fn web_sessions_of(
        &self,
        subject: &str,
        now: Moment,
    ) -> Result<Vec<WebSession>, DbError> {
        let rows: Vec<Row> = on!(self.db, |conn| {
            web_sessions::table
                .filter(web_sessions::subject_id.eq(subject))
                .filter(web_sessions::stage.eq(Stage::Open.word()))
                .filter(web_sessions::expires_at.gt(now.unix_ms()))
                .filter(web_sessions::idle_expires_at.gt(now.unix_ms()))
                .order(web_sessions::seen_at.desc())
                .limit(SESSIONS_SHOWN)
                .load(conn)
                .await
        })?;
        rows.into_iter().map(WebSession::try_from).collect()
    }

    /// When each of these people last used a session that is still kept.
    pub async fn web_sessions_seen(
        &self,
        subjects: &[String],
    ) -> Result<HashMap<String, Moment>, DbError> {
        let rows: Vec<(String, Option<i64>)> = on!(self.db, |conn| {
            web_sessions::table
                .filter(web_sessions::subject_id.eq_any(subjects))
                .group_by(web_sessions::subject_id)
                .select((
                    web_sessions::subject_id,
                    diesel::dsl::max(web_sessions::seen_at),
                ))
                .load(conn)
                .await
        })?;
        let known = rows.into_iter();
        Ok(known
            .filter_map(|(subject, at)| Some((subject, Moment::from_unix_ms(at?))))
            .collect())
    }

    /// Ends one session; whether there was one of that person.
    pub async fn end_web_session(
        &self,
        ending: Ending<'_>,
        place: SessionPlace<'_>,
        now: Moment,
    ) -> Result<bool, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let one = web_sessions::table
                .filter(web_sessions::id.eq(place.id.as_str()))
                .filter(web_sessions::subject_id.eq(place.subject));
            let ended = diesel::delete(one).execute(conn).await?;
            if ended > 0 {
                note!(conn, ending.actor, ending.note(place.id.as_str()), now);
            }
            Ok(ended > 0)
        })
    }

    /// Ends all sessions of a person but the one at `place`; how many there were.
    pub async fn end_other_web_sessions(
        &self,
        ending: Ending<'_>,
        place: SessionPlace<'_>,
        now: Moment,
    ) -> Result<usize, DbError> {
        write_tx!(self.db, |conn| -> DbError {
            let others = web_sessions::table
                .filter(web_sessions::id.ne(place.id.as_str()))
                .filter(web_sessions::subject_id.eq(place.subject));
            let ended = diesel::delete(others).execute(conn).await?;
            let entry = Note {
                before: Some(json!({"sessions": ended}).to_string()),
                ..ending.note(place.subject)
            };
            note!(conn, ending.actor, entry, now);
            Ok(ended)
        })
    }

    /// Deletes sessions that have ended by time.
    pub async fn delete_ended_web_sessions(&self, now: Moment) -> Result<(), DbError> {
        let at = now.unix_ms();
        write_tx!(self.db, |conn| -> DbError {
            let old = web_sessions::table.filter(web_sessions::expires_at.le(at));
            diesel::delete(old).execute(conn).await?;
            let idle = web_sessions::table.filter(web_sessions::idle_expires_at.le(at));
            diesel::delete(idle).execute(conn).await?;
            Ok(())
        })
    }
}
