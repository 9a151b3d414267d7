//! Tenants, their users and keys, superadmins: rows, nouns and the statements over them. Each change
//! is one transaction with its audit entry and its announcement.

mod bounds;
mod directory;
mod folding;
mod keys;
mod own;
mod scopes;
mod superadmins;
mod tenants;
mod users;

pub use self::directory::{DirectoryAsk, DirectoryOrder, DirectoryStatus};
pub use self::keys::{
    ApiKey, ApiKeyKind, Field, KeyChange, KeyPatch, KeyPlace, PreviousSecret, Rotation,
};
pub use self::own::{OwnPatch, OwnSettings};
pub use self::scopes::{Scope, Scopes};
pub use self::superadmins::{AdminRole, Superadmin, SuperadminChanged, SuperadminPatch};
pub use self::tenants::{Founding, Tenant, TenantPatch, TenantStatus};
pub use self::users::{Role, User, UserChanged, UserPatch, UserPlace, UserStatus};

/// Maps an enum to the words of a column and back.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// As the database and the API write it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// From its word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(in crate::store) use words;

/// Of rows that were found without case, the one that is written exactly so, else the first.
fn exactly_first<R>(mut rows: Vec<R>, is_exact: impl Fn(&R) -> bool) -> Option<R> {
    let place = rows.iter().position(is_exact).unwrap_or(0);
    (place < rows.len()).then(|| rows.swap_remove(place))
}

/// A row that holds a word no code writes.
pub(in crate::store) fn damaged(what: &str, id: &str) -> shared::db::DbError {
    shared::db::DbError::Damaged(format!("{what} {id}"))
}
