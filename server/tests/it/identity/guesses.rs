//! Guessing at a login leaves few entries in the audit log, which tell of many guesses and of
//! nothing that was typed.

use std::time::Duration;

use server::sessions::SessionError;
use server::store::audit::AuditEntry;
use shared::secret::Secret;

use super::process::{Process, processes};
use super::{PASSWORD, first_superadmin, secret, shown};

/// As long as a wrong password makes the next attempt wait.
const BETWEEN: Duration = Duration::from_secs(60);

async fn guess(process: &Process, key: &Secret<String>, name: &str, password: &str) -> bool {
    process.clock.advance(BETWEEN);
    let password = secret(password);
    match process.sessions.log_in(key, shown(name, &password)).await {
        Ok(_) => true,
        Err(SessionError::Invalid) => false,
        Err(error) => panic!("{}: {error}", process.name),
    }
}

async fn entries(process: &Process) -> Vec<AuditEntry> {
    let mut entries = process.accounts.audit(None, 100).await.expect("entries");
    entries.retain(|entry| entry.action == "login.failed");
    entries.reverse();
    entries
}

fn failures(entry: &AuditEntry) -> u64 {
    let after = entry.after.as_deref().unwrap_or_default();
    let after: serde_json::Value = serde_json::from_str(after).expect("JSON");
    after["failures"].as_u64().expect("a number")
}

#[tokio::test]
async fn twenty_guesses_of_a_password_are_two_entries() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        for _ in 0..3 {
            assert!(!guess(&process, &who.secret, "ada", "mistyped").await);
        }
        assert!(guess(&process, &who.secret, "ada", PASSWORD).await);
        assert_eq!(entries(&process).await, [], "people mistype");
        for _ in 0..19 {
            assert!(!guess(&process, &who.secret, "ada", "a guess").await);
        }
        let told = entries(&process).await;
        let counts: Vec<u64> = told.iter().map(failures).collect();
        assert_eq!(counts, [4, 15], "{}", process.name);
        for entry in &told {
            assert_eq!(entry.subject, who.user.id.as_str());
            assert_eq!(entry.tenant.as_deref(), Some(who.tenant.id.as_str()));
            assert_eq!(entry.actor.address, super::HOME.to_string());
        }
        let all = format!("{told:?}");
        assert!(!all.contains("a guess") && !all.contains(who.secret.expose()));
    }
}

#[tokio::test]
async fn guesses_of_names_are_told_together_and_without_the_names() {
    for (process, _db) in processes().await {
        let who = process.somebody().await;
        first_superadmin(&process.accounts).await;
        for n in 0..8 {
            let name = format!("guess-{n}");
            assert!(!guess(&process, &who.secret, &name, "x").await);
            let password = secret("x");
            let refused = process.sessions.log_in_superadmin(shown(&name, &password));
            assert!(refused.await.is_err());
        }
        let told = entries(&process).await;
        let mut subjects: Vec<&str> = told.iter().map(|entry| entry.subject.as_str()).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["console", who.tenant.id.as_str()]);
        assert!(!format!("{told:?}").contains("guess-"));
    }
}
