//! Everything dies within a second: server and gateway apart, and the one process, each on both
//! databases. What was delivered is charged by the count that somebody wrote down, what nobody got is
//! free, and nothing is charged twice.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::process::Program;
use super::{
    NO_FSYNC, Reading, WORD, by_token, charged_as_received, credits, exact, figures, folder, paced,
};
use crate::case::{Case, case};
use crate::fake::bodies::whole;
use crate::fake::saying;
use crate::world::{Shape, run};

const PACE: Duration = Duration::from_millis(40);
/// Tokens of an answer that arrives, and of one that does not.
const DELIVERED: usize = 30;
const ENDLESS: usize = 600;
const STREAMS: usize = 3;
/// Nobody knows how a call ended that ran in processes that died: it is given back soon here.
const MORE: [(&str, &str); 1] = [("UNKNOWN_RELEASE_SECONDS", "3")];

/// The database of a server, which can go away.
enum Books {
    /// Another process writes and does not end.
    File(PathBuf, Option<SqliteConnection>),
    Cluster(Cluster),
}

impl Books {
    /// Both kinds, with folders for those who use them.
    fn kinds() -> [(PathBuf, Self); 2] {
        let (file, other) = (folder(), folder());
        let path = file.join("server.db");
        let cluster = Cluster::start_new(&NO_FSYNC);
        [
            (file, Self::File(path, None)),
            (other, Self::Cluster(cluster)),
        ]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::File(..) => "sqlite",
            Self::Cluster(_) => "postgres",
        }
    }

    fn url(&self) -> String {
        match self {
            Self::File(..) => String::new(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    fn go(&mut self) {
        match self {
            Self::File(path, locked) => {
                let path = path.to_str().expect("text");
                let mut conn = SqliteConnection::establish(path).expect("it opens");
                let lock = "PRAGMA busy_timeout=5000; BEGIN EXCLUSIVE";
                conn.batch_execute(lock).expect("locked");
                *locked = Some(conn);
            }
            Self::Cluster(cluster) => cluster.kill(),
        }
    }

    fn come_back(&mut self) {
        match self {
            Self::File(_, locked) => *locked = None,
            Self::Cluster(cluster) => cluster.start(),
        }
    }
}

/// A provider that answers by what it is asked.
async fn asked_by_words(server: &Program, shape: Shape) -> Case {
    let counted = json!({"prompt_tokens": 10, "completion_tokens": DELIVERED});
    let at_once =
        |wait| whole(&WORD.repeat(DELIVERED), &counted).after(Duration::from_millis(wait));
    let rows = vec![
        saying("to its end", paced(DELIVERED, PACE)),
        saying("without end", paced(ENDLESS, PACE)),
        saying("soon, please", at_once(800)),
        saying("later, please", at_once(3_500)),
    ];
    case(shape, rows)
        .price(by_token())
        .balance("100000")
        .start_on(server.product().await)
        .await
}

fn saying_so(words: &str) -> Value {
    json!({"messages": [{"role": "user", "content": words}]})
}

async fn streams(case: &Case, words: &str) -> Vec<Reading> {
    let request = || case.stream_request(&saying_so(words));
    let mut streams = join_all((0..STREAMS).map(|_| Reading::of(request()))).await;
    for stream in &mut streams {
        stream.until(3).await;
    }
    streams
}

fn words_of(streams: &[Reading]) -> Vec<usize> {
    streams.iter().map(Reading::words).collect()
}

/// Records that charge that much, and what the others charge.
fn split(bills: &[crate::case::bill::Bill], full: f64) -> (usize, f64) {
    let is_full = |bill: &&crate::case::bill::Bill| (bill.credits - full).abs() < 1e-7;
    let rest = bills.iter().filter(|bill| !is_full(bill));
    (
        bills.iter().filter(is_full).count(),
        rest.map(|bill| bill.credits).sum(),
    )
}

#[test]
fn server_and_gateway_that_die_within_a_second_charge_what_was_delivered_once() {
    run(async {
        for (folder, mut books) in Books::kinds() {
            let mut gateway = Program::gateway(&folder, &MORE);
            gateway.start().await;
            let mut server = Program::server(&folder, (&books.url(), &gateway.url()), &MORE);
            server.start().await;
            let case = asked_by_words(&server, Shape::Apart).await;
            let mut half = streams(&case, "without end").await;
            let mut full = streams(&case, "to its end").await;
            books.go();
            // The end can't be written, so only the gateway's journal knows of it.
            join_all(full.iter_mut().map(Reading::rest)).await;
            assert_eq!(words_of(&full), [DELIVERED; STREAMS], "{}", books.name());
            server.kill();
            tokio::time::sleep(Duration::from_millis(700)).await;
            gateway.kill();
            join_all(half.iter_mut().map(Reading::rest)).await;
            books.come_back();
            gateway.start().await;
            server.start().await;
            let bills = exact(&case, &server, 2 * STREAMS).await;
            let (charged_full, rest) = split(&bills, credits(DELIVERED));
            let received = words_of(&half);
            figures(
                "server and gateway killed within a second",
                &format!(
                    "{}: {STREAMS} whole streams of {DELIVERED} tokens, {charged_full} charged so; broken ones received {received:?}, charged {rest}",
                    books.name()
                ),
            );
            assert_eq!(charged_full, STREAMS, "{bills:?}");
            charged_as_received(rest, &received, PACE);
        }
    });
}

#[test]
fn one_process_that_dies_charges_what_was_delivered_and_nothing_that_was_not() {
    run(async {
        for (folder, mut books) in Books::kinds() {
            let mut waule = Program::whole(&folder, &books.url(), &MORE);
            waule.start().await;
            let case = asked_by_words(&waule, Shape::Whole).await;
            let mut half = streams(&case, "without end").await;
            let (soon, late) = (saying_so("soon, please"), saying_so("later, please"));
            let late = case.chat_body(&late);
            let late = case.request("/api/v1/chat/completions").json(&late).send();
            let dying = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                books.go();
                tokio::time::sleep(Duration::from_millis(3_800)).await;
                // The late answer is known, and waits for its settlement.
                waule.kill();
            };
            let (soon, late, ()) = tokio::join!(case.chat(&soon), late, dying);
            assert_eq!(soon.status, 200, "{}: {}", books.name(), soon.text);
            assert!(late.is_err(), "{}: nothing was answered", books.name());
            join_all(half.iter_mut().map(Reading::rest)).await;
            books.come_back();
            waule.start().await;
            let bills = exact(&case, &waule, STREAMS + 2).await;
            let (charged_full, rest) = split(&bills, credits(DELIVERED));
            let received = words_of(&half);
            figures(
                "one process killed",
                &format!(
                    "{}: 1 of 2 whole answers of {DELIVERED} tokens delivered, {charged_full} charged so; broken streams received {received:?}, charged {rest}",
                    books.name()
                ),
            );
            assert_eq!(charged_full, 1, "{bills:?}");
            charged_as_received(rest, &received, PACE);
        }
    });
}
