//! The link between server and gateway is away: for a time that streams and new calls outlast, and for
//! longer than anybody waits.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::process::Program;
use super::{Reading, UNDER_WAY, by_token, credits, exact, figures, folder, paced};
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::whole;
use crate::support::{long, places};
use crate::world::{Shape, run};

/// A border that can be closed: nothing passes, and nobody is told.
struct Border {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

async fn pass(
    mut one: impl AsyncRead + AsyncWrite + Unpin,
    to: SocketAddr,
    mut open: watch::Receiver<bool>,
) {
    if !*open.borrow() {
        // It is taken, and never answered.
        let _ = open.wait_for(|open| *open).await;
        return;
    }
    let Ok(mut other) = TcpStream::connect(to).await else {
        return;
    };
    let _ = other.set_nodelay(true);
    let mut cut = open.clone();
    tokio::select! {
        _ = copy_bidirectional(&mut one, &mut other) => return,
        _ = cut.wait_for(|open| !*open) => {}
    }
    // The connection is kept as it is, and dead.
    let _ = open.wait_for(|open| *open).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the network is not a part of the product"
)]
impl Border {
    async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (open, state) = watch::channel(true);
        let to = SocketAddr::from(([127, 0, 0, 1], port));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                tokio::spawn(pass(socket, to, state.clone()));
            }
        });
        Self { address, open }
    }

    async fn closed_for(&self, time: Duration) {
        self.open.send_replace(false);
        tokio::time::sleep(time).await;
        self.open.send_replace(true);
    }
}

/// A server, a border and a gateway.
struct Stand {
    name: &'static str,
    server: Program,
    border: Border,
    _gateway: Program,
}

async fn stands(more: &[(&str, &str)]) -> Vec<Stand> {
    let mut stands = Vec::new();
    for place in places().await {
        let folder = folder();
        let mut gateway = Program::gateway(&folder, &[]);
        gateway.start().await;
        let border = Border::before(gateway.port).await;
        let urls = format!("http://{}", border.address);
        let mut server = Program::server(&folder, (&place.database_url, &urls), more);
        server.start().await;
        stands.push(Stand {
            name: place.name,
            server,
            border,
            _gateway: gateway,
        });
    }
    stands
}

const WORDS: usize = 80;
const STREAMS: usize = 5;

/// Streams and new calls outlast a cut of that length.
async fn outlasts(stand: &Stand, cut: Duration) {
    let rows = vec![always(paced(WORDS, Duration::from_millis(50)))];
    let product = stand.server.product().await;
    let case = case(Shape::Apart, rows)
        .price(by_token())
        .balance("100000")
        .start_on(product)
        .await;
    let mut streams = join_all((0..STREAMS).map(|_| Reading::begin(&case))).await;
    for stream in &mut streams {
        stream.until(10).await;
    }
    let begun = Instant::now();
    let late = async {
        tokio::time::sleep(cut / 2).await;
        let mut stream = Reading::begin(&case).await;
        stream.rest().await;
        stream
    };
    let reading = async {
        join_all(streams.iter_mut().map(Reading::rest)).await;
    };
    let ((), (), late) = tokio::join!(stand.border.closed_for(cut), reading, late);
    for stream in streams.iter().chain([&late]) {
        assert!(
            stream.error().is_none() && stream.is_done(),
            "{} {cut:?}: {}",
            stand.name,
            stream.text
        );
        assert_eq!(
            stream.words(),
            WORDS,
            "{} {cut:?}: {}",
            stand.name,
            stream.text
        );
    }
    let bills = exact(&case, &stand.server, STREAMS + 1).await;
    for bill in &bills {
        bill.costs(credits(WORDS));
    }
    figures(
        "link cut",
        &format!(
            "{}: {STREAMS} streams and a new call outlast {cut:?}, all whole after {:?}",
            stand.name,
            begun.elapsed()
        ),
    );
}

async fn all_outlast(cut: Duration) {
    let stands = stands(&[]).await;
    join_all(stands.iter().map(|stand| outlasts(stand, cut))).await;
}

#[test]
fn streams_and_new_calls_outlast_a_cut_of_twelve_seconds() {
    run(async {
        all_outlast(Duration::from_secs(12)).await;
    });
}

#[test]
fn streams_and_new_calls_outlast_a_cut_of_twenty_five_seconds() {
    if !long() {
        return;
    }
    run(async {
        all_outlast(Duration::from_secs(25)).await;
    });
}

/// Beyond the patience of the scenes' servers, and all that one try may take besides.
const GIVEN_UP: Duration = Duration::from_secs(25);

/// What a tenant was told about money, against what it paid.
fn told_the_truth(text: &str, generation: Option<&str>, charged: f64) {
    let free = text.contains("othing was charged");
    let maybe = text.contains("may be charged");
    assert!(free != maybe, "it says one of both: {text}");
    if free {
        assert!(charged.abs() < 1e-6, "told free, charged {charged}: {text}");
    } else {
        let id = generation.is_some_and(|id| text.contains(id)) || text.contains("gen_");
        assert!(id, "it says where to look: {text}");
    }
}

#[test]
fn what_is_told_when_the_link_is_away_for_longer_than_anybody_waits_is_true() {
    run(async {
        for stand in stands(&[("LINK_PATIENCE_SECONDS", "2")]).await {
            let counted = json!({"prompt_tokens": 10, "completion_tokens": 50});
            let slow = whole(&"word ".repeat(50), &counted).after(Duration::from_secs(3));
            let product = stand.server.product().await;
            let case = case(Shape::Apart, vec![always(slow)])
                .price(by_token())
                .balance("100000")
                .start_on(product)
                .await;
            let cutting = async {
                tokio::time::sleep(Duration::from_millis(700)).await;
                stand.border.closed_for(GIVEN_UP).await;
            };
            let (told, ()) = tokio::join!(case.chat(&Value::Null), cutting);
            let used = case.settled().await["used"].as_f64().expect("credits");
            assert!(told.status >= 500, "{} {}", told.status, told.text);
            figures(
                "link away, whole answer",
                &format!(
                    "{}: told {} `{}`, charged {used}",
                    stand.name,
                    told.status,
                    told.message()
                ),
            );
            told_the_truth(told.message(), told.header("x-waule-generation"), used);
            assert_eq!(case.calls().len(), 1);
            stand.server.verify();
        }
    });
}

#[test]
fn a_stream_that_is_given_up_costs_what_was_received_at_most() {
    run(async {
        for stand in stands(&[("LINK_PATIENCE_SECONDS", "2")]).await {
            let rows = vec![always(paced(400, Duration::from_millis(25)))];
            let product = stand.server.product().await;
            let case = case(Shape::Apart, rows)
                .price(by_token())
                .balance("100000")
                .start_on(product)
                .await;
            let mut stream = Reading::begin(&case).await;
            stream.until(10).await;
            let ((), ()) = tokio::join!(stand.border.closed_for(GIVEN_UP), stream.rest());
            let error = stream.error().expect("it is told");
            assert!(!stream.is_done(), "{}", stream.text);
            let bills = exact(&case, &stand.server, 1).await;
            figures(
                "link away, stream",
                &format!(
                    "{}: received {}, charged {}, told {error}",
                    stand.name,
                    stream.words(),
                    bills[0].credits
                ),
            );
            // The server lives and knows what it passed on.
            let words = stream.words();
            assert!(
                (credits(words)..=credits(words + UNDER_WAY)).contains(&bills[0].credits),
                "{words} {bills:?}"
            );
        }
    });
}
