//! Two servers start for the first time on one empty database, each with a demo tenant.

use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::process::Program;
use super::{NO_FSYNC, figures, folder};
use crate::support::long;
use crate::world::run;

const DEMO: (&str, &str) = (
    "DEMO_TENANT_KEY",
    "wk_live_0123456789abcdefghijklmnopqrstuv",
);

#[test]
fn two_first_starts_on_one_empty_database_both_serve() {
    run(async {
        let pairs = if long() { 10 } else { 3 };
        let secrets = [
            DEMO,
            ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
            ("CONFIG_ENCRYPTION_KEY", "0123456789abcdef0123456789abcdef"),
        ];
        let mut both = 0;
        let mut slowest = Duration::ZERO;
        for _ in 0..pairs {
            let cluster = Cluster::start_new(&NO_FSYNC);
            let (url, gateway) = (cluster.url(), "http://127.0.0.1:9");
            let mut one = Program::server(&folder(), (&url, gateway), &secrets);
            let mut other = Program::server(&folder(), (&url, gateway), &secrets);
            let begun = Instant::now();
            one.launch();
            other.launch();
            one.serves().await;
            other.serves().await;
            slowest = slowest.max(begun.elapsed());
            both += 1;
            for program in [&one, &other] {
                // The same demo tenant, once.
                let product = program.product().await;
                let (_, tenants) = product.admin(reqwest::Method::GET, "/tenants", None).await;
                let count = tenants["data"].as_array().map(Vec::len);
                assert_eq!(count, Some(1), "{tenants}");
                let me = product
                    .send(reqwest::Method::GET, "/api/v1/me", Some(DEMO.1), None)
                    .await;
                assert_eq!(me.0, reqwest::StatusCode::OK, "{}", me.1);
            }
            one.verify();
        }
        figures(
            "two first starts",
            &format!("{both} of {pairs} pairs served, at most after {slowest:?}"),
        );
    });
}
