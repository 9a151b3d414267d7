//! A server whose clock is twelve minutes ahead, beside one whose clock is right, on one database:
//! the calls of the other run on.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use server::app::{Server, ServerParts};
use server::config::ServerSecrets;
use server::link::http::{HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::config::Common;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

use super::process::Program;
use super::{Reading, by_token, credits, exact, figures, folder, paced};
use crate::case::case;
use crate::fake::always;
use crate::support::{SECRET, places};
use crate::world::{Shape, run};

const AHEAD: Duration = Duration::from_secs(12 * 60);
const WORDS: usize = 120;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    server: server::config::Config,
}

fn settings(folder: &Path, database: &str) -> Settings {
    let folder = folder.display().to_string();
    let arguments = [
        "waule",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
        "--metrics-port",
        "0",
        "--data-dir",
        &folder,
        "--database-url",
        database,
        "--internal-secret",
        SECRET,
        "--recovery-seconds",
        "1",
        "--owner-silent-seconds",
        "2",
    ];
    let arguments = arguments.iter().map(OsString::from);
    shared::config::read("waule", "", arguments).expect("settings")
}

/// A clock that is ahead and runs.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock is not a part of the product"
)]
fn ahead() -> Clock {
    let right = Clock::system();
    let clock = Clock::fixed(right.now().after(AHEAD));
    let moved = clock.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let behind = right.now().after(AHEAD).since(moved.now());
            moved.advance(behind);
        }
    });
    clock
}

/// Serves nobody; recovers and shows signs of life, by the wrong time.
async fn wrong_server(folder: &Path, database: &str, gateway: &str) -> (Server, Supervisor) {
    let Settings { common, server } = settings(folder, database);
    let secrets = ServerSecrets::take(&server, &common).expect("secrets");
    let supervisor = Supervisor::new();
    let clock = ahead();
    let link = HttpLink::new(
        &[gateway.to_owned()],
        &secrets.internal,
        clock.clone(),
        LinkSettings::default(),
        LinkMetrics::default(),
    );
    let parts = ServerParts {
        config: &server,
        common: &common,
        secrets,
        link: Arc::new(link.expect("a link")),
        supervisor: &supervisor,
        metrics: &Metrics::default(),
        clock,
        gateway_inside: false,
        demo: false,
    };
    (Server::start(parts).await.expect("a server"), supervisor)
}

#[test]
fn a_clock_that_is_twelve_minutes_ahead_cancels_nobodys_calls() {
    run(async {
        for place in places().await {
            let folder = folder();
            let mut gateway = Program::gateway(&folder, &[]);
            gateway.start().await;
            let mut server = Program::server(&folder, (&place.database_url, &gateway.url()), &[]);
            server.start().await;
            // SQLite is in the folder, which both use.
            let (_wrong, supervisor) =
                wrong_server(&folder, &place.database_url, &gateway.url()).await;
            let rows = vec![always(paced(WORDS, Duration::from_millis(50)))];
            let product = server.product().await;
            let case = case(Shape::Apart, rows)
                .price(by_token())
                .balance("100000")
                .start_on(product)
                .await;
            let mut stream = Reading::begin(&case).await;
            stream.rest().await;
            assert!(
                stream.is_done() && stream.error().is_none(),
                "{}: {}",
                place.name,
                stream.text
            );
            assert_eq!(stream.words(), WORDS, "{}", place.name);
            let bills = exact(&case, &server, 1).await;
            bills[0].costs(credits(WORDS));
            figures(
                "clock 12 minutes ahead",
                &format!(
                    "{}: {WORDS} of {WORDS} tokens received and charged",
                    place.name
                ),
            );
            assert!(supervisor.finish(Duration::from_secs(10)).await);
        }
    });
}
