//! The database is away for longer than all waits, and then processes die as well: what was delivered
//! is charged once all the same.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use serde_json::Value;
use shared::db::{Db, DbTarget};

use super::cluster::Cluster;
use super::process::Program;
use super::{NO_FSYNC, Reading, by_token, credits, exact, figures, folder, paced};
use crate::case::{Case, case};
use crate::fake::bodies::whole;
use crate::fake::{Row, always};
use crate::support::{long, until};
use crate::world::{Shape, run};

/// The longest row of waits between tries to write was 39 s.
const AWAY: Duration = Duration::from_secs(45);
const AWAY_IN_SHORT: Duration = Duration::from_secs(6);
const WORDS: usize = 40;
const STREAMS: usize = 4;

/// Streams that run while the database goes, and whole answers that come while it is away; all are
/// delivered.
async fn delivered(case: &Case, gone: impl Future<Output = ()>) -> usize {
    let mut streams = join_all((0..STREAMS).map(|_| Reading::begin(case))).await;
    for stream in &mut streams {
        stream.until(2).await;
    }
    gone.await;
    join_all(streams.iter_mut().map(Reading::rest)).await;
    for stream in &streams {
        // Whole, though its end can't be written down: with the ledger in the process the end may say
        // that it is not settled, and what was received counts.
        assert_eq!(stream.words(), WORDS, "{}", stream.text);
    }
    STREAMS
}

/// Streams that come word by word.
fn by_words() -> Vec<Row> {
    vec![always(paced(WORDS, Duration::from_millis(50)))]
}

/// A server and a gateway of their own over a database that can be taken away, with a tenant that has
/// credits for all.
struct Apart {
    case: Case,
    server: Program,
    gateway: Program,
    // The last to go: who writes goes before it.
    cluster: Cluster,
}

impl Apart {
    async fn start(rows: Vec<Row>, of_server: &[(&str, &str)]) -> Self {
        let cluster = Cluster::start_new(&NO_FSYNC);
        let folder = folder();
        let mut gateway = Program::gateway(&folder, &[]);
        gateway.start().await;
        let urls = (cluster.url(), gateway.url());
        let mut server = Program::server(&folder, (&urls.0, &urls.1), of_server);
        server.start().await;
        let case = case(Shape::Apart, rows)
            .price(by_token())
            .balance("100000")
            .start_on(server.product().await)
            .await;
        Self {
            case,
            server,
            gateway,
            cluster,
        }
    }

    /// The database, and then the two that died.
    async fn come_back(&mut self) {
        self.cluster.start();
        self.gateway.start().await;
        self.server.start().await;
    }
}

/// The charge of every stream is the provider's count, once.
async fn charged_once(scene: &str, case: &Case, program: &Program, away: Duration) {
    let bills = exact(case, program, STREAMS).await;
    for bill in &bills {
        assert_eq!(bill.status, "succeeded", "{bill:?}");
        bill.costs(credits(WORDS));
    }
    let used = case.settled().await["used"].clone();
    figures(
        scene,
        &format!(
            "{STREAMS} streams of {WORDS} tokens delivered, database away for {away:?}: charged {used}, of {}",
            STREAMS * WORDS
        ),
    );
}

#[test]
fn postgres_away_for_longer_than_all_waits_under_one_process() {
    run(async {
        let mut cluster = Cluster::start_new(&NO_FSYNC);
        let folder = folder();
        let mut waule = Program::whole(&folder, &cluster.url(), &[]);
        waule.start().await;
        let case = case(Shape::Whole, by_words())
            .price(by_token())
            .balance("100000")
            .start_on(waule.product().await)
            .await;
        delivered(&case, async { cluster.kill() }).await;
        tokio::time::sleep(AWAY).await;
        cluster.start();
        charged_once("database away, one process", &case, &waule, AWAY).await;
        waule.ready().await;
    });
}

#[test]
fn postgres_away_for_longer_than_all_waits_under_server_and_gateway() {
    run(async {
        let mut stand = Apart::start(by_words(), &[]).await;
        delivered(&stand.case, async { stand.cluster.kill() }).await;
        tokio::time::sleep(AWAY).await;
        stand.cluster.start();
        charged_once("database away, apart", &stand.case, &stand.server, AWAY).await;
        stand.server.ready().await;
    });
}

#[test]
fn a_server_told_to_stop_while_the_database_is_away_keeps_what_it_knows() {
    run(async {
        let mut stand = Apart::start(by_words(), &[("SHUTDOWN_SECONDS", "2")]).await;
        delivered(&stand.case, async { stand.cluster.kill() }).await;
        stand.server.tell_to_stop();
        stand.server.end(Duration::from_secs(20)).await;
        // Its memory is gone, and the gateway's as well.
        stand.gateway.kill();
        stand.come_back().await;
        charged_once(
            "server stopped while the database is away",
            &stand.case,
            &stand.server,
            Duration::from_secs(5),
        )
        .await;
    });
}

#[test]
fn server_and_gateway_die_within_a_minute_and_a_delivered_answer_is_charged_once() {
    run(async {
        let mut stand = Apart::start(by_words(), &[]).await;
        // The end can't be written, so only the two processes know of it.
        delivered(&stand.case, async { stand.cluster.kill() }).await;
        stand.server.kill();
        tokio::time::sleep(Duration::from_secs(2)).await;
        stand.gateway.kill();
        stand.come_back().await;
        charged_once(
            "server and gateway killed",
            &stand.case,
            &stand.server,
            Duration::from_secs(4),
        )
        .await;
    });
}

#[test]
fn a_whole_answer_survives_the_death_of_both_in_the_books() {
    run(async {
        let counted = serde_json::json!({"prompt_tokens": 10, "completion_tokens": WORDS});
        let slow = whole(&"word ".repeat(WORDS), &counted).after(Duration::from_millis(1_500));
        let mut stand = Apart::start(vec![always(slow)], &[]).await;
        let none = Value::Null;
        let gone = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            stand.cluster.kill();
        };
        let (told, ()) = tokio::join!(stand.case.chat(&none), gone);
        stand.server.kill();
        stand.gateway.kill();
        stand.come_back().await;
        let balance = stand.case.settled().await;
        stand.server.verify();
        // Told and charged go together.
        let used = balance["used"].as_f64().expect("credits");
        figures(
            "a whole answer, both killed",
            &format!("told {}, charged {used}", told.status),
        );
        if told.status == 200 {
            assert!((used - credits(WORDS)).abs() < 1e-6, "{balance}");
        } else if told.text.contains("othing was charged") {
            assert!(used.abs() < 1e-6, "{} {balance}", told.text);
        }
        assert_eq!(stand.case.calls().len(), 1);
    });
}

/// In short for longer than an outcome waits for its settlement before it goes to disk.
#[test]
fn sqlite_locked_for_longer_than_all_waits() {
    run(async {
        let folder = folder();
        let mut waule = Program::whole(&folder, "", &[]);
        waule.start().await;
        let case = case(Shape::Whole, by_words())
            .price(by_token())
            .balance("100000")
            .start_on(waule.product().await)
            .await;
        let db = Db::connect(&DbTarget::Sqlite(folder.join("server.db")))
            .await
            .expect("it opens");
        let Db::Sqlite { writer, .. } = &db else {
            unreachable!("it is a file");
        };
        let mut conn = writer.get().await.expect("a connection");
        let begun = Instant::now();
        delivered(&case, async {
            conn.batch_execute("BEGIN EXCLUSIVE").await.expect("locked");
        })
        .await;
        let kept = folder.join("outcomes");
        until(
            "outcomes are on disk",
            Duration::from_secs(15),
            async || !is_empty(&kept),
        )
        .await;
        let away = if long() { AWAY } else { AWAY_IN_SHORT };
        tokio::time::sleep(away.saturating_sub(begun.elapsed())).await;
        conn.batch_execute("ROLLBACK").await.expect("free");
        charged_once("SQLite locked", &case, &waule, begun.elapsed()).await;
        until("the file is gone", Duration::from_secs(15), async || {
            is_empty(&kept)
        })
        .await;
    });
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut files| files.next().is_none())
}
