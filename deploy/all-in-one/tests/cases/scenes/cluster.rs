//! A PostgreSQL of a test's own, which can be killed and started again.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::service;

pub(crate) struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    port: u16,
    child: Option<Child>,
    settings: &'static [&'static str],
    kept: tempfile::TempDir,
}

/// PostgreSQL refuses to run as root.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").expect("a process").uid() == 0
}

impl Cluster {
    /// A new one that runs, with these settings more.
    pub(crate) fn start_new(settings: &'static [&'static str]) -> Self {
        let kept = tempfile::tempdir().expect("a folder");
        let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut cluster = Self {
            programs: service("TEST_POSTGRES_PROGRAMS").into(),
            data: kept.path().join("data"),
            port: probe.local_addr().expect("an address").port(),
            child: None,
            settings,
            kept,
        };
        drop(probe);
        if is_root() {
            let mut own = Command::new("chown");
            own.arg("postgres").arg(cluster.kept.path());
            assert!(own.status().expect("chown").success());
        }
        let mut init = cluster.command("initdb");
        init.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
            "-D",
        ]);
        let made = init.arg(&cluster.data).output().expect("initdb");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        cluster.start();
        cluster
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                "--",
            ]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    pub(crate) fn start(&mut self) {
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(&self.data)
            .args(["-p", &self.port.to_string(), "-k", ""]);
        command
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(self.settings);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("postgres"));
        let begun = Instant::now();
        let port = self.port.to_string();
        let ready = || {
            let mut ask = self.command("pg_isready");
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port]);
            ask.status().is_ok_and(|status| status.success())
        };
        while !ready() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "PostgreSQL starts"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("it runs");
        let told = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(told.expect("kill").success());
    }

    /// As `pg_ctl stop -m immediate`: no checkpoint, no goodbye.
    pub(crate) fn kill(&mut self) {
        if self.child.is_some() {
            self.signal("-QUIT");
        }
        if let Some(mut child) = self.child.take() {
            child.wait().expect("gone");
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}
