//! A crash at every effect: a child process runs a fixed scenario and ends without warning at its
//! i-th statement, commit or send, for every i; another child recovers, itself ended at every
//! effect for some of them; the books must then be what the client of the first one saw.

mod background;
mod scenario;
mod spot;

use std::path::Path;

use shared::db::{Db, DbTarget};
use shared::id::random_text;

use self::scenario::{prepare, recover, scenario};
use self::spot::{Spot, execute};
use crate::support::{long, service};

/// What a child was told by its environment.
#[expect(
    clippy::disallowed_methods,
    reason = "a child of this test takes its part from the environment"
)]
fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a child of the other test"]
async fn child() {
    let spot = Spot {
        folder: told("WAULE_TEST_FOLDER").into(),
        database_url: told("WAULE_TEST_DATABASE"),
    };
    let end_at = told("WAULE_TEST_END_AT").parse().expect("a number");
    let count = match told("WAULE_TEST_PART").as_str() {
        "prepare" => prepare(&spot).await,
        "scenario" => scenario(&spot, end_at).await,
        "recover" => recover(&spot, end_at).await,
        "background" => background::scenario(&spot, end_at).await,
        "recover background" => background::recover(&spot, end_at).await,
        other => panic!("`{other}` is no part"),
    };
    shared::process::say(&format!("effects: {count}\n"));
}

/// After so many runs in a row that came to their end, there is no later effect to end at: filing
/// and signs of life have a pace of their own, so one run has a few effects more than another.
const OUTLIVED: u32 = 2;

/// Crashes at every `every`-th effect, until there are none left; answers the last one.
async fn crash_everywhere(ready: &Spot, admin: &Db, kept: &Path, every: u64) -> u64 {
    let dry = ready.copy(admin, kept).await;
    dry.whole("scenario");
    dry.whole("recover");
    dry.remove(admin).await;
    let (mut recoveries_cut, mut last, mut outlived) = (0, 0, 0);
    let mut end_at = every;
    while outlived < OUTLIVED {
        let spot = ready.copy(admin, kept).await;
        if spot.child("scenario", end_at).status.success() {
            outlived += 1;
        } else {
            (last, outlived) = (end_at, 0);
        }
        // Of recoveries that have something to do, some are ended at each of their effects too.
        if end_at.is_multiple_of(16) && recoveries_cut < 3 {
            let dry = spot.copy(admin, kept).await;
            let inner = dry.whole("recover");
            dry.remove(admin).await;
            if inner > 20 {
                recoveries_cut += 1;
                let cut = crash_recovery(&spot, admin, kept, 2 * every).await;
                assert!(
                    cut > 10,
                    "only {cut} effects of a recovery that had {inner}"
                );
            }
        }
        spot.whole("recover");
        spot.remove(admin).await;
        end_at += every;
    }
    assert!(recoveries_cut > 0, "some crash left something to recover");
    last
}

/// Ends a recovery at every `every`-th effect, and recovers from that; answers the last one.
async fn crash_recovery(spot: &Spot, admin: &Db, kept: &Path, every: u64) -> u64 {
    let (mut last, mut outlived, mut end_at) = (0, 0, 1);
    while outlived < OUTLIVED {
        let twice = spot.copy(admin, kept).await;
        if twice.child("recover", end_at).status.success() {
            outlived += 1;
        } else {
            (last, outlived) = (end_at, 0);
        }
        twice.whole("recover");
        twice.remove(admin).await;
        end_at += every;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_effect_leaves_what_the_client_saw() {
    let url = service("TEST_DATABASE_URL");
    let admin = Db::connect(&DbTarget::Postgres(url.clone()))
        .await
        .expect("PostgreSQL answers");
    let kept = tempfile::tempdir().expect("a folder");
    let database = format!("crash_{}", random_text(12));
    execute(&admin, &format!("CREATE DATABASE {database}")).await;
    let (server, _) = url.rsplit_once('/').expect("a database");
    let spots = [
        ("sqlite", String::new(), 1),
        ("postgres", format!("{server}/{database}"), 5),
    ];
    for (name, database_url, every) in spots {
        let folder = kept.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let ready = Spot {
            folder,
            database_url,
        };
        ready.whole("prepare");
        let every = if long() { 1 } else { every };
        let effects = crash_everywhere(&ready, &admin, kept.path(), every).await;
        assert!(effects > 40, "{name}: only {effects} effects");
        ready.remove(&admin).await;
    }
}

/// Crashes a response in the background at every `every`-th effect; answers the last one.
async fn crash_background(ready: &Spot, admin: &Db, kept: &Path, every: u64) -> u64 {
    let (mut last, mut outlived, mut end_at) = (0, 0, 1);
    while outlived < OUTLIVED {
        let spot = ready.copy(admin, kept).await;
        if spot.child("background", end_at).status.success() {
            outlived += 1;
        } else {
            (last, outlived) = (end_at, 0);
        }
        spot.whole("recover background");
        spot.remove(admin).await;
        end_at += every;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_background_is_readable_exactly_where_it_is_charged() {
    let url = service("TEST_DATABASE_URL");
    let admin = Db::connect(&DbTarget::Postgres(url.clone()))
        .await
        .expect("PostgreSQL answers");
    let kept = tempfile::tempdir().expect("a folder");
    let database = format!("crash_{}", random_text(12));
    execute(&admin, &format!("CREATE DATABASE {database}")).await;
    let (server, _) = url.rsplit_once('/').expect("a database");
    let spots = [
        ("sqlite", String::new(), 2),
        ("postgres", format!("{server}/{database}"), 5),
    ];
    for (name, database_url, every) in spots {
        let folder = kept.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let ready = Spot {
            folder,
            database_url,
        };
        ready.whole("prepare");
        let every = if long() { 1 } else { every };
        let effects = crash_background(&ready, &admin, kept.path(), every).await;
        assert!(effects > 20, "{name}: only {effects} effects");
        ready.remove(&admin).await;
    }
}
