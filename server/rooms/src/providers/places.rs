//! Which gateways there are to set providers at, and which of them share a database, by what each says
//! of itself. What one said last counts while it is away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shared::id::JournalId;
use shared::link::connectors::GatewayFacts;
use shared::link::{GatewayName, ProviderAdmin};

/// A gateway seldom changes its database or its version.
const FRESH: Duration = Duration::from_secs(30);
/// One that did not answer is asked again sooner.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// An operator waits for the slowest gateway; from another continent an answer takes half a second.
const ASK_MAX: Duration = Duration::from_secs(2);

/// What a gateway said of itself.
#[derive(Debug, Clone)]
struct Known {
    facts: Option<Arc<GatewayFacts>>,
    asked_at: Instant,
    answered: bool,
}

/// What gateways said of themselves.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<HashMap<GatewayName, Known>>);

/// Gateways that share a database, and so their providers.
#[derive(Clone)]
pub(super) struct Database {
    /// Absent where none of them was ever reached.
    pub(super) facts: Option<Arc<GatewayFacts>>,
    /// In the order in which to ask.
    pub(super) admins: Vec<Arc<dyn ProviderAdmin>>,
}

impl Database {
    /// What operators call it by: the first of its gateways.
    pub(super) fn name(&self) -> String {
        let first = self.admins.first().map(|admin| admin.gateway());
        first.map_or_else(String::new, |gateway| gateway.shown().to_owned())
    }
}

impl Said {
    /// What is known of a gateway, asked where that is old.
    async fn facts(&self, admin: &Arc<dyn ProviderAdmin>) -> Option<Arc<GatewayFacts>> {
        let name = admin.gateway();
        let known = self.lock().get(&name).cloned();
        if let Some(known) = &known {
            let valid = if known.answered { FRESH } else { AGAIN_AFTER };
            if known.asked_at.elapsed() < valid {
                return known.facts.clone();
            }
        }
        let asked = tokio::time::timeout(ASK_MAX, admin.facts()).await;
        let told = asked.ok().and_then(Result::ok).map(Arc::new);
        let now = Known {
            answered: told.is_some(),
            facts: told.or(known.and_then(|known| known.facts)),
            asked_at: Instant::now(),
        };
        self.lock().insert(name, now.clone());
        now.facts
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<GatewayName, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether two gateways said that they share a database. Asks nobody.
    pub(super) fn share(&self, one: &GatewayName, other: &GatewayName) -> bool {
        let said = self.lock();
        let journal = |of| Some(&said.get(of)?.facts.as_ref()?.journal);
        journal(one).is_some_and(|one| journal(other) == Some(one))
    }

    /// These gateways by the database that they share. One that was never reached may belong to any:
    /// it is with the others where they have one database, and left out where they have several.
    pub(super) async fn databases(&self, admins: Vec<Arc<dyn ProviderAdmin>>) -> Vec<Database> {
        let facts = join_all(admins.iter().map(|admin| self.facts(admin))).await;
        let mut databases: Vec<(JournalId, Database)> = Vec::new();
        let mut strangers = Vec::new();
        for (admin, facts) in admins.into_iter().zip(facts) {
            let Some(facts) = facts else {
                strangers.push(admin);
                continue;
            };
            let same = |(journal, _): &&mut (JournalId, Database)| *journal == facts.journal;
            if let Some((_, database)) = databases.iter_mut().find(same) {
                database.admins.push(admin);
            } else {
                let database = Database {
                    facts: Some(facts.clone()),
                    admins: vec![admin],
                };
                databases.push((facts.journal.clone(), database));
            }
        }
        let mut databases: Vec<Database> = databases.into_iter().map(|(_, of)| of).collect();
        match databases.as_mut_slice() {
            [] if strangers.is_empty() => {}
            [] => databases.push(Database {
                facts: None,
                admins: strangers,
            }),
            [only] => only.admins.extend(strangers),
            [..] => {}
        }
        databases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_share_a_database_when_both_said_so() {
        let said = Said::default();
        let named = |name: &str| GatewayName {
            name: name.to_owned(),
            url: format!("http://{name}"),
        };
        let (one, other) = (JournalId::random(), JournalId::random());
        for (name, journal) in [
            ("a", Some(&one)),
            ("b", Some(&other)),
            ("c", Some(&one)),
            ("d", None),
        ] {
            let facts = journal.map(|journal| GatewayFacts {
                journal: journal.clone(),
                connectors: Vec::new(),
                presets: Vec::new(),
            });
            let known = Known {
                answered: facts.is_some(),
                facts: facts.map(Arc::new),
                asked_at: Instant::now(),
            };
            said.lock().insert(named(name), known);
        }
        for (one, other, expected) in [
            ("a", "c", true),
            ("a", "b", false),
            ("a", "d", false),
            ("d", "d", false),
            ("a", "nobody", false),
        ] {
            let shared = said.share(&named(one), &named(other));
            assert_eq!(shared, expected, "{one} {other}");
        }
    }
}
