//! Who made some calls, by name: people, and keys with whoever made them. Knows no page.

use std::collections::{BTreeSet, HashMap};

use server_store::accounts::CallerName;
use shared::db::DbError;
use shared::id::{ApiKeyId, TenantId, UserId};

use super::Accounts;

/// Whose calls are told, and so how much of who made a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading<'a> {
    /// A tenant's own people read: operators who made a key for them stay unnamed.
    Tenant(&'a TenantId),
    /// Operators read, of all tenants.
    Platform,
}

/// Names of those who called, by id.
#[derive(Debug, Clone, Default)]
pub struct Callers {
    names: HashMap<String, CallerName>,
    for_tenant: bool,
}

/// Somebody who called, as pages name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalledBy {
    /// The person, or else the key; its id where its name is gone, nothing where nobody is known.
    pub name: String,
    /// Who made that key; empty of a person.
    pub maker: String,
}

impl CalledBy {
    /// Both in one: `production (ada)`.
    pub fn text(&self) -> String {
        if self.maker.is_empty() {
            return self.name.clone();
        }
        format!("{} ({})", self.name, self.maker)
    }
}

impl Callers {
    /// Who made a call.
    pub fn of(&self, person: Option<&UserId>, key: Option<&ApiKeyId>) -> CalledBy {
        let id = person.map(UserId::as_str);
        let Some(id) = id.or_else(|| key.map(ApiKeyId::as_str)) else {
            return CalledBy::default();
        };
        let found = self.names.get(id);
        let maker = found.and_then(|found| found.maker.as_ref());
        let maker = maker.filter(|maker| maker.of_tenant || !self.for_tenant);
        CalledBy {
            name: found.map_or(id, |found| found.name.as_str()).to_owned(),
            maker: maker.map(|maker| maker.name.clone()).unwrap_or_default(),
        }
    }

    /// A name by id, or the id.
    pub fn name(&self, id: &str) -> String {
        let found = self.names.get(id);
        found.map_or(id, |found| found.name.as_str()).to_owned()
    }

    /// How a key ends.
    pub fn last4(&self, id: &str) -> Option<String> {
        self.names.get(id)?.last4.clone()
    }
}

impl Accounts {
    /// Who made some calls.
    pub async fn callers(
        &self,
        reading: Reading<'_>,
        calls: &[(Option<&UserId>, Option<&ApiKeyId>)],
    ) -> Result<Callers, DbError> {
        let (mut people, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (person, key) in calls {
            people.extend(person.map(UserId::as_str));
            keys.extend(key.map(ApiKeyId::as_str));
        }
        let people: Vec<&str> = people.into_iter().collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let tenant = match reading {
            Reading::Tenant(tenant) => Some(tenant),
            Reading::Platform => None,
        };
        Ok(Callers {
            names: self.store.caller_names(tenant, (&people, &keys)).await?,
            for_tenant: tenant.is_some(),
        })
    }

    /// The same of one tenant's people and keys that are named by their ids.
    pub async fn callers_by_id(&self, tenant: &TenantId, ids: &[&str]) -> Result<Callers, DbError> {
        let (people, others): (Vec<&str>, Vec<&str>) = ids
            .iter()
            .copied()
            .partition(|id| id.starts_with(UserId::PREFIX));
        let keys: Vec<&str> = others
            .into_iter()
            .filter(|id| id.starts_with(ApiKeyId::PREFIX))
            .collect();
        let whose = Some(tenant);
        Ok(Callers {
            names: self.store.caller_names(whose, (&people, &keys)).await?,
            for_tenant: true,
        })
    }

    /// Names of tenants, by id; those that are not there any more are absent.
    pub async fn tenant_names(
        &self,
        tenants: &[&TenantId],
    ) -> Result<HashMap<String, String>, DbError> {
        let ids: BTreeSet<&str> = tenants.iter().map(|id| id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        self.store.tenant_names(ids.into_iter()).await
    }
}
