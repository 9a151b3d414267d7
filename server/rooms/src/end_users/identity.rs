//! Names of tenants' end users, as providers may hear them: the same on every replica and after every start,
//! different for each tenant, and telling nothing of anybody. What was made lately `recent` keeps.

use std::sync::Arc;

use hmac::{Hmac, Mac};
use server_rules::access::Principal;
use sha2::Sha256;
use shared::id::{ApiKeyId, TenantId, UserId};
use shared::secret::Secret;

use super::recent::RecentNames;

/// In front of each, so that people know one when a provider writes of it.
const PREFIX: &str = "wu_";
/// Bytes of a name that stand for the tenant, and for the end user: 48 bits tell tenants apart, 128 people.
/// Together with the prefix 48 characters, below what any provider takes.
const TENANT_BYTES: usize = 6;
const PERSON_BYTES: usize = 16;

/// Whose question a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUser {
    /// As providers hear it.
    pub identity: String,
    /// As the tenant says it, or who stands for them.
    pub named: Named,
}

/// How an end user is named here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By the tenant's own word.
    Word(String),
    /// By the id of the user or the key of Waule that the call was made with: the tenant named nobody.
    Subject(String),
}

/// Makes names.
pub(super) struct Namer {
    mac: Hmac<Sha256>,
    recent: RecentNames,
}

impl std::fmt::Debug for Namer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Namer")
    }
}

impl Namer {
    /// With the secret that everything at rest is sealed with: it outlives starts, and all replicas have it.
    pub(super) fn new(secret: &Secret<String>) -> Self {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&[0; 64].into()));
        mac.update(b"end users of tenants|");
        let recent = RecentNames::default();
        Self { mac, recent }
    }

    fn hex(&self, parts: [&str; 3], bytes: usize) -> String {
        let mut mac = self.mac.clone();
        for part in parts {
            // The length in front: no two lists of parts are the same bytes.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        hex::encode(&mac.finalize().into_bytes()[..bytes])
    }

    /// What the names of all end users of a tenant begin with.
    pub(super) fn of_tenant(&self, tenant: &TenantId) -> String {
        let tag = self.hex(["tenant", tenant.as_str(), ""], TENANT_BYTES);
        format!("{PREFIX}{tag}_")
    }

    /// The name of one.
    pub(super) fn name(&self, tenant: &TenantId, named: &Named) -> String {
        let (kind, text) = match named {
            Named::Word(word) => ("word", word),
            Named::Subject(subject) => ("subject", subject),
        };
        let person = self.hex([tenant.as_str(), kind, text], PERSON_BYTES);
        format!("{}{person}", self.of_tenant(tenant))
    }

    /// Who asks, where the tenant's request says `word`; never nobody.
    pub(super) fn end_user(&self, principal: &Principal, word: Option<&str>) -> Arc<EndUser> {
        let tenant = &principal.tenant;
        let word = word.filter(|word| !word.is_empty());
        let text = word.unwrap_or_else(|| subject(principal));
        if let Some(known) = self.recent.get(tenant, text, word.is_some()) {
            return known;
        }
        let named = match word {
            Some(word) => Named::Word(word.to_owned()),
            None => Named::Subject(text.to_owned()),
        };
        let who = Arc::new(EndUser {
            identity: self.name(tenant, &named),
            named,
        });
        self.recent.put(tenant, &who);
        who
    }
}

/// Who stands for an end user that was not named.
fn subject(principal: &Principal) -> &str {
    let user = principal.user.as_ref().map(UserId::as_str);
    let key = || principal.key.as_ref().map(ApiKeyId::as_str);
    user.or_else(key)
        .unwrap_or_else(|| principal.tenant.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn namer(secret: &str) -> Namer {
        Namer::new(&Secret::new(secret.to_owned()))
    }

    fn tenant(text: &str) -> TenantId {
        TenantId::from_stored(text.to_owned())
    }

    #[test]
    fn a_name_is_stable_bound_to_its_tenant_and_tells_nothing() {
        let (one, other) = (tenant("ten_a"), tenant("ten_b"));
        let word = |word: &str| Named::Word(word.to_owned());
        let ada = namer("s").name(&one, &word("ada@example.com"));
        assert_eq!(ada, namer("s").name(&one, &word("ada@example.com")));
        let mut names = HashSet::new();
        for (secret, tenant, named) in [
            ("s", &one, word("ada@example.com")),
            ("s", &one, word("bob@example.com")),
            ("s", &one, Named::Subject("ada@example.com".to_owned())),
            ("s", &other, word("ada@example.com")),
            ("t", &one, word("ada@example.com")),
        ] {
            let name = namer(secret).name(tenant, &named);
            assert!(name.len() <= shared::link::END_USER_BYTES_MAX, "{name}");
            let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(name.bytes().all(is_sign), "{name}");
            assert!(!name.contains("ada"), "{name}");
            let begins = namer(secret).of_tenant(tenant);
            assert!(name.starts_with(&begins), "{name} {begins}");
            assert!(names.insert(name), "every one has its own");
        }
    }
}
