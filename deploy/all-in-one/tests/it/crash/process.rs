//! The real binary as a process that can be killed and started again in its place.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) const KEY: &str = "wk_live_0123456789abcdefghijklmnopqrstuv";
pub(super) const PASSWORD: &str = "correct-horse-battery";

/// Where a process runs and how it is started again.
pub(super) struct Waule<'a> {
    pub(super) port: u16,
    folder: &'a Path,
    database_url: String,
    child: Option<Child>,
}

/// A client that does not wait for ever.
pub(super) fn client() -> reqwest::Client {
    shared::tls::install_provider();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20));
    client.build().expect("a client")
}

fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
    probe.local_addr().expect("an address").port()
}

impl<'a> Waule<'a> {
    /// On that database; empty is SQLite in the folder.
    pub(super) fn new(folder: &'a Path, database_url: &str) -> Self {
        Self {
            port: free_port(),
            folder,
            database_url: database_url.to_owned(),
            child: None,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
        command
            .env_clear()
            .env("DATA_DIR", self.folder)
            .env("DATABASE_URL", &self.database_url)
            .env("DEMO_TENANT_KEY", KEY)
            .env("ADMIN_PASSWORD", PASSWORD)
            .env("LOG", "error")
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--gateway-port", "0", "--metrics-port", "0"])
            .args(["--recovery-seconds", "1", "--owner-silent-seconds", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Starts it and waits until it is ready.
    pub(super) async fn start(&mut self, http: &reqwest::Client) {
        self.child = Some(self.command().spawn().expect("started"));
        self.ready(http).await;
    }

    /// Waits until it serves calls.
    pub(super) async fn ready(&self, http: &reqwest::Client) {
        let begun = Instant::now();
        loop {
            let ready = http.get(self.url("/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it starts");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGKILL: nothing of it runs to an end.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
    }

    /// What `ledger verify` says; it fails when anything differs.
    pub(super) fn verify(&self) {
        let mut command = self.command();
        command.args(["ledger", "verify"]).stdout(Stdio::piped());
        let output = command.output().expect("verified");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert_eq!(said, "no differences\n");
    }
}

impl Drop for Waule<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}
