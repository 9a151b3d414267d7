//! Tenants, their users and keys, superadmins: rows, nouns and the statements over them. Each change
//! is one transaction with its audit entry and its announcement.

mod bounds;
mod directory;
mod folding;
mod keys;
mod superadmins;
mod tenant_settings;
mod tenants;
mod users;

pub use server_rules::access::{Role, Scope, Scopes};
pub(crate) use server_rules::words;

pub use self::directory::{DirectoryOrder, DirectoryQuery, DirectoryStatus};
pub use self::keys::{
    ApiKey, ApiKeyKind, Field, KeyChange, KeyPatch, KeyPlace, KeyRotation, PreviousSecret,
};
pub use self::superadmins::{AdminRole, Superadmin, SuperadminChanged, SuperadminPatch};
pub use self::tenant_settings::{TenantSettings, TenantSettingsPatch};
pub use self::tenants::{Founding, Tenant, TenantPatch, TenantStatus};
pub use self::users::{User, UserChanged, UserPatch, UserPlace, UserStatus};

/// Of rows that were found without case, the one that is written exactly so, else the first.
fn exactly_first<R>(mut rows: Vec<R>, is_exact: impl Fn(&R) -> bool) -> Option<R> {
    let place = rows.iter().position(is_exact).unwrap_or(0);
    (place < rows.len()).then(|| rows.swap_remove(place))
}

/// A row that holds a word no code writes.
pub fn damaged(what: &str, id: &str) -> shared::db::DbError {
    shared::db::DbError::Damaged(format!("{what} {id}"))
}
