//! Server and gateway as processes that can be killed.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::support::product::{Customer, Product};
use crate::support::{SECRET, client, until};

/// One program, killed with the test at the latest.
pub(super) struct Program {
    command: Command,
    port: u16,
    ready: String,
    child: Option<Child>,
}

pub(super) fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
    probe.local_addr().expect("an address").port()
}

impl Program {
    /// `role` is "server" or "gateway", or empty for both in one process.
    pub(super) fn new(role: &str, folder: &Path, port: u16, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
        command
            .args((!role.is_empty()).then_some(role))
            .env_clear()
            .env("DATA_DIR", folder)
            .env("INTERNAL_SECRET", SECRET)
            .env("LOG", "error")
            .args(["--metrics-port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            command,
            port,
            ready: format!("http://127.0.0.1:{port}/readyz"),
            child: None,
        }
    }

    /// Starts it and waits until it is ready.
    pub(super) async fn start(&mut self) {
        self.child = Some(self.command.spawn().expect("started"));
        let (http, ready) = (client(), self.ready.clone());
        until("it is ready", Duration::from_secs(60), async || {
            let answer = http.get(&ready).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends it a signal by name.
    pub(super) fn signal(&self, name: &str) {
        let (signal, id) = (format!("-{name}"), self.pid().to_string());
        let sent = Command::new("kill").args([signal, id]).status();
        assert!(sent.expect("kill").success());
    }

    /// SIGKILL: nothing of it runs to an end.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The records of a customer once there are as many: a server that is another process files them a
/// moment after it settled.
pub(super) async fn records(product: &Product, customer: &Customer, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let key = Some(customer.key.as_str());
        let (_, usage) = product.send(Method::GET, "/api/v1/usage", key, None).await;
        let records = usage["data"].as_array().cloned().unwrap_or_default();
        if records.len() >= count {
            return records;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{usage}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
