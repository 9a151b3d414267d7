//! Finding tenants, people and keys by what somebody remembers of them. Knows no page.

use server_store::accounts::FoundName;
use shared::db::DbError;
use shared::id::TenantId;

use super::Accounts;

/// As many of a kind are found; whoever wants another types more of its name.
const FOUND_MAX: i64 = 8;

/// What was found, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundAccounts {
    /// Tenants; none where one tenant looks.
    pub tenants: Vec<FoundName>,
    /// People.
    pub people: Vec<FoundName>,
    /// Keys.
    pub keys: Vec<FoundName>,
}

impl Accounts {
    /// Tenants by a part of their name, in order of name: at most `limit`, all where nothing is said.
    pub async fn tenants_named(&self, part: &str, limit: i64) -> Result<Vec<FoundName>, DbError> {
        self.store.find_tenants(part, limit).await
    }

    /// Whatever has `text` in its name or as its id: of one tenant, or of the whole platform.
    pub async fn find(
        &self,
        tenant: Option<&TenantId>,
        text: &str,
    ) -> Result<FoundAccounts, DbError> {
        let tenants = async {
            if tenant.is_some() {
                return Ok(Vec::new());
            }
            self.store.find_tenants(text, FOUND_MAX).await
        };
        let (tenants, people, keys) = tokio::try_join!(
            tenants,
            self.store.find_users(tenant, text, FOUND_MAX),
            self.store.find_keys(tenant, text, FOUND_MAX)
        )?;
        Ok(FoundAccounts {
            tenants,
            people,
            keys,
        })
    }
}
