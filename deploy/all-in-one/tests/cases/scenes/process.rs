//! The three programs as processes that can be killed, told to stop, and started again in their place.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::product::Product;
use crate::support::{ADMIN_PASSWORD, SECRET, client, until};

/// Starting takes a second; on a busy machine many.
const STARTED_WITHIN: Duration = Duration::from_secs(90);

/// One program of a scene, killed with it at the latest.
pub(crate) struct Program {
    role: String,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    pub(crate) port: u16,
    log: PathBuf,
    child: Option<Child>,
}

pub(crate) fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
    probe.local_addr().expect("an address").port()
}

/// What a program is told by its environment.
type Setting<'a> = (&'a str, &'a str);

impl Program {
    fn new(role: &str, folder: &Path, (port, ready): (&str, u16), more: &[Setting<'_>]) -> Self {
        let ready_port = ready.to_string();
        let usual = [
            ("DATA_DIR", folder.to_str().expect("text")),
            ("INTERNAL_SECRET", SECRET),
            ("ADMIN_PASSWORD", ADMIN_PASSWORD),
            ("LOG", "warn"),
            ("METRICS_PORT", "0"),
            ("HOST", "127.0.0.1"),
            ("RECOVERY_SECONDS", "1"),
            ("OWNER_SILENT_SECONDS", "2"),
            ("SHUTDOWN_SECONDS", "5"),
            (port, &ready_port),
        ];
        let mut settings: Vec<(String, String)> = Vec::new();
        for (name, value) in usual.iter().chain(more) {
            settings.retain(|(there, _)| there != name);
            settings.push(((*name).to_owned(), (*value).to_owned()));
        }
        Self {
            role: role.to_owned(),
            folder: folder.to_owned(),
            settings,
            port: ready,
            log: folder.join(format!("{role}-{ready}.log")),
            child: None,
        }
    }

    /// All in one process; an empty URL is SQLite in the folder.
    pub(crate) fn whole(folder: &Path, database: &str, more: &[Setting<'_>]) -> Self {
        let mut settings = vec![("DATABASE_URL", database), ("GATEWAY_PORT", "0")];
        settings.extend_from_slice(more);
        Self::new("waule", folder, ("PORT", free_port()), &settings)
    }

    /// A server whose gateways are at `urls`.
    pub(crate) fn server(
        folder: &Path,
        (database, urls): (&str, &str),
        more: &[Setting<'_>],
    ) -> Self {
        let mut settings = vec![("DATABASE_URL", database), ("GATEWAY_URLS", urls)];
        settings.extend_from_slice(more);
        Self::new("server", folder, ("PORT", free_port()), &settings)
    }

    pub(crate) fn gateway(folder: &Path, more: &[Setting<'_>]) -> Self {
        Self::new("gateway", folder, ("GATEWAY_PORT", free_port()), more)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
        command
            .args((self.role != "waule").then_some(&self.role))
            .env_clear()
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command.envs(self.settings.iter().cloned());
        command
    }

    /// Starts it and does not wait.
    pub(crate) fn launch(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("a log");
        let mut command = self.command();
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        self.child = Some(command.spawn().expect("started"));
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        self.launch();
        self.ready().await;
    }

    /// Waits until it takes calls.
    pub(crate) async fn ready(&mut self) {
        self.answers("/readyz").await;
    }

    /// Waits until it answers at all, with or without its gateways.
    pub(crate) async fn serves(&mut self) {
        self.answers("/healthz").await;
    }

    async fn answers(&mut self, path: &str) {
        let (http, ready) = (client(), format!("{}{path}", self.url()));
        let begun = Instant::now();
        loop {
            let answer = http.get(&ready).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().expect("a child"));
            assert!(ended.is_none(), "{} ended: {}", self.role, self.said());
            assert!(
                begun.elapsed() < STARTED_WITHIN,
                "{} starts: {}",
                self.role,
                self.said()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A superadmin's client of it, for as long as the tests run.
    pub(crate) async fn product(&self) -> &'static Product {
        Box::leak(Box::new(Product::at(self.port).await))
    }

    /// SIGKILL: nothing of it runs to an end.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().expect("gone");
        }
    }

    /// SIGTERM, and it goes on for as long as it needs.
    pub(crate) fn tell_to_stop(&self) {
        let child = self.child.as_ref().expect("it runs");
        let told = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(told.expect("kill").success());
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self, within: Duration) -> ExitStatus {
        let child = std::sync::Mutex::new(self.child.as_mut().expect("it runs"));
        until("it ended", within, async || {
            let ended = child.lock().expect("no panic").try_wait();
            ended.expect("a child").is_some()
        })
        .await;
        let mut child = self.child.take().expect("it ran");
        child.wait().expect("a status")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| child.try_wait().expect("a child").is_none())
    }

    /// What it wrote.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What `ledger verify` says of its database; any difference is a failure.
    pub(crate) fn verify(&self) {
        let mut command = self.command();
        command.args(["ledger", "verify"]).env("LOG", "error");
        let output = command.output().expect("verified");
        let said = String::from_utf8_lossy(&output.stdout);
        let erred = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{erred}");
        assert_eq!(said, "no differences\n", "{erred}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
