//! PostgreSQL itself is killed and started again under a running server, and with it: what the
//! server told anybody is in the database when it is back.

use std::time::Duration;

use super::cluster::Cluster;
use super::kill::{Log, Work, exact, prepare};
use super::process::{Waule, client};
use crate::support::long;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_under_load_has_what_was_told() {
    // Its commits wait for the disk.
    let mut cluster = Cluster::start_new(&["-c", "fsync=on"]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut waule = Waule::new(folder.path(), &cluster.url());
    let http = client();
    waule.start(&http).await;
    let (giving, token) = prepare(&http, &waule).await;
    let log = Log::default();
    for round in 0..if long() { 60 } else { 6 } {
        let work = Work::start(&http, &waule, (&giving, &token), round, &log);
        tokio::time::sleep(Duration::from_millis(150 + 40 * round)).await;
        cluster.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if round % 3 == 2 {
            waule.kill();
        }
        cluster.start();
        waule.verify();
        if round % 3 == 2 {
            waule.start(&http).await;
        }
        waule.ready(&http).await;
        work.stop().await;
    }
    exact(&http, &waule, &log, (&giving, &token), "postgres").await;
    waule.kill();
    waule.verify();
}
