//! Tenants, their users and keys, superadmins: rows, nouns and the statements over them. Each change
//! is one transaction with its audit entry and its announcement.

mod bounds;
mod callers;
mod directory;
mod folding;
mod keys;
mod search;
mod superadmins;
mod tenant_settings;
mod tenants;
mod users;

pub use server_rules::access::{Role, Scope, Scopes};
pub(crate) use server_rules::words;

pub use self::callers::{CallerName, KeyMaker};
pub use self::directory::{DirectoryOrder, DirectoryQuery, DirectoryStatus};
pub use self::keys::changes::{Field, KeyChange, KeyPatch, KeyPlace, KeyRotation, PreviousSecret};
pub use self::keys::{ApiKey, ApiKeyKind};
pub use self::search::FoundName;
pub use self::superadmins::{AdminRole, Superadmin, SuperadminChanged, SuperadminPatch};
pub use self::tenant_settings::{TenantSettings, TenantSettingsPatch};
pub use self::tenants::{Founding, Tenant, TenantPatch, TenantStatus};
pub use self::users::{User, UserChanged, UserPatch, UserPlace, UserStatus};

/// Rows of that name, whatever the case of its letters; two at most, of which [`exactly_first`] takes one.
macro_rules! named {
    ($rows:expr, $name:expr, $folded:expr, $text:expr) => {{
        let folded = shared::fold::folded($text);
        $rows
            .filter($name.eq($text).or($folded.eq(folded)))
            .limit(2)
    }};
}
use named;

/// Of rows that were found without case, the one that is written exactly so, else the first.
fn exactly_first<R>(mut rows: Vec<R>, is_exact: impl Fn(&R) -> bool) -> Option<R> {
    let place = rows.iter().position(is_exact).unwrap_or(0);
    (place < rows.len()).then(|| rows.swap_remove(place))
}

/// Ends every login of a person, inside the transaction of `conn`: whoever knows the old password, had
/// other rights, or is shut out, is logged out everywhere.
macro_rules! log_out_everywhere {
    ($conn:expr, $subject:expr, $now:expr) => {{
        use $crate::schema::{sessions, web_sessions};
        let open = sessions::table
            .filter(sessions::subject_id.eq($subject))
            .filter(sessions::revoked_at.is_null());
        diesel::update(open)
            .set(sessions::revoked_at.eq($now.unix_ms()))
            .execute($conn)
            .await?;
        let browsers = web_sessions::table.filter(web_sessions::subject_id.eq($subject));
        diesel::delete(browsers).execute($conn).await?;
    }};
}
use log_out_everywhere;

/// A row that holds a word no code writes.
pub fn damaged(what: &str, id: &str) -> shared::db::DbError {
    shared::db::DbError::Damaged(format!("{what} {id}"))
}
