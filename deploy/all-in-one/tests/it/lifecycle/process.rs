//! A real process of the product on a free port, that is asked, told by signals and ended with its
//! test.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::KEY;
use crate::support::{ADMIN_PASSWORD, SECRET, client};

/// One program of the product, killed with the test at the latest.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) port: u16,
}

pub(super) fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
    probe.local_addr().expect("an address").port()
}

/// A program beside `waule`, over a folder and a database of the server.
/// `role` is "server", "gateway" or "waule" for both in one process.
pub(super) fn command(role: &str, folder: &Path, database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
    command
        .args((role != "waule").then_some(role))
        .env_clear()
        .env("DATA_DIR", folder)
        .env("DATABASE_URL", database_url)
        .env("INTERNAL_SECRET", SECRET)
        .env("ADMIN_PASSWORD", ADMIN_PASSWORD)
        .env("DEMO_TENANT_KEY", KEY)
        .env("LOG", "warn")
        .args(["--metrics-port", "0"])
        .stdin(Stdio::null());
    command
}

impl Process {
    /// Begins to start it; what it says is read by whoever ends it.
    pub(super) fn spawn(role: &str, folder: &Path, database_url: &str, more: &[&str]) -> Self {
        let port = free_port();
        let mut command = command(role, folder, database_url);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        if role == "waule" {
            command.args(["--gateway-port", "0"]);
        }
        command.args(more);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("started");
        Self { child, port }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The status and the text at a path; nothing while the port is closed.
    pub(super) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = client().get(self.url(path)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    pub(super) async fn alive(&mut self) {
        let begun = Instant::now();
        while self.get("/healthz").await.is_none() {
            if let Some(status) = self.child.try_wait().expect("a status") {
                let mut said = String::new();
                if let Some(mut err) = self.child.stderr.take() {
                    err.read_to_string(&mut said).expect("text");
                }
                panic!("it ended with {status}: {said}");
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end; what it said.
    pub(super) fn ended(mut self) -> Output {
        let begun = Instant::now();
        while self.child.try_wait().expect("a status").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut output = Output {
            status: self.child.wait().expect("a status"),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_end(&mut output.stdout).expect("read");
        }
        if let Some(mut err) = self.child.stderr.take() {
            err.read_to_end(&mut output.stderr).expect("read");
        }
        output
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
