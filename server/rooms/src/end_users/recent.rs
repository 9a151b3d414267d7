//! Names of end users that were made lately, so that nobody makes them again for the next call of the same
//! person. Bounded; knows nothing of how a name is made.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use shared::id::TenantId;

use super::identity::{EndUser, Named};

/// Names that are kept; with the longest words some 3 MB.
const NAMES_MAX: usize = 4_096;

#[derive(Debug, Default)]
struct OfTenant {
    words: HashMap<String, Arc<EndUser>>,
    subjects: HashMap<String, Arc<EndUser>>,
}

#[derive(Debug, Default)]
struct Names {
    tenants: HashMap<TenantId, OfTenant>,
    count: usize,
}

/// The names of one secret, which is one for the life of a process.
#[derive(Debug, Default)]
pub(super) struct RecentNames(RwLock<Names>);

impl RecentNames {
    /// Somebody whom the tenant calls so, or for whom a user or a key of that id stands.
    pub(super) fn get(&self, tenant: &TenantId, text: &str, is_word: bool) -> Option<Arc<EndUser>> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = names.tenants.get(tenant)?;
        let all = if is_word {
            &of_tenant.words
        } else {
            &of_tenant.subjects
        };
        all.get(text).cloned()
    }

    /// Keeps a name. Where there are too many all are forgotten: to make one anew is cheap, to know which is
    /// the oldest is not.
    pub(super) fn put(&self, tenant: &TenantId, who: &Arc<EndUser>) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if names.count >= NAMES_MAX {
            *names = Names::default();
        }
        let of_tenant = names.tenants.entry(tenant.clone()).or_default();
        let (all, text) = match &who.named {
            Named::Word(word) => (&mut of_tenant.words, word),
            Named::Subject(subject) => (&mut of_tenant.subjects, subject),
        };
        if all.insert(text.clone(), who.clone()).is_none() {
            names.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(identity: &str, named: Named) -> Arc<EndUser> {
        Arc::new(EndUser {
            identity: identity.to_owned(),
            named,
        })
    }

    #[test]
    fn words_ids_and_tenants_are_told_apart() {
        let names = RecentNames::default();
        let tenant = |text: &str| TenantId::from_stored(text.to_owned());
        let (one, other) = (tenant("ten_a"), tenant("ten_b"));
        names.put(&one, &who("1", Named::Word("ada".to_owned())));
        names.put(&one, &who("2", Named::Subject("ada".to_owned())));
        names.put(&other, &who("3", Named::Word("ada".to_owned())));
        let found = |tenant, text, is_word| {
            let found = names.get(tenant, text, is_word);
            found.map(|who| who.identity.clone())
        };
        assert_eq!(found(&one, "ada", true).as_deref(), Some("1"));
        assert_eq!(found(&one, "ada", false).as_deref(), Some("2"));
        assert_eq!(found(&other, "ada", true).as_deref(), Some("3"));
        assert_eq!(found(&other, "ada", false), None);
        assert_eq!(found(&one, "bob", true), None);
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let names = RecentNames::default();
        let tenant = TenantId::from_stored("ten_a".to_owned());
        for number in 0..=NAMES_MAX * 2 {
            let word = number.to_string();
            names.put(&tenant, &who(&word, Named::Word(word.clone())));
            assert!(names.get(&tenant, &word, true).is_some(), "the newest is");
            let kept = names.0.read().expect("kept");
            let all: usize = kept.tenants.values().map(|one| one.words.len()).sum();
            assert!(kept.count == all && all <= NAMES_MAX, "{number}: {all}");
        }
        // One that is kept already takes no room.
        let last = (NAMES_MAX * 2).to_string();
        names.put(&tenant, &who(&last, Named::Word(last.clone())));
        assert_eq!(names.0.read().expect("kept").count, 1);
    }
}
