//! PostgreSQL itself is killed and started again under a running server, and with it: what the
//! server told anybody is in the database when it is back.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::kill::{Log, Work, exact, prepare};
use super::process::{Waule, client};
use crate::support::{long, service};

/// A cluster of this test alone; its commits wait for the disk.
struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    port: u16,
    child: Option<Child>,
    kept: tempfile::TempDir,
}

/// PostgreSQL refuses to run as root.
fn is_root() -> bool {
    let own = std::fs::metadata("/proc/self").expect("a process");
    own.uid() == 0
}

impl Cluster {
    fn new() -> Self {
        let kept = tempfile::tempdir().expect("a folder");
        let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
        let cluster = Self {
            programs: service("TEST_POSTGRES_PROGRAMS").into(),
            data: kept.path().join("data"),
            port: probe.local_addr().expect("an address").port(),
            child: None,
            kept,
        };
        if is_root() {
            let mut own = Command::new("chown");
            own.arg("postgres").arg(cluster.kept.path());
            assert!(own.status().expect("chown").success());
        }
        let made = cluster
            .command("initdb")
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
                "-D",
            ])
            .arg(&cluster.data)
            .output()
            .expect("initdb");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
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

    fn start(&mut self) {
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(&self.data)
            .args(["-p", &self.port.to_string(), "-k", ""])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
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

    /// As `pg_ctl stop -m immediate`: no checkpoint, no goodbye.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let told = Command::new("kill")
                .args(["-QUIT", &child.id().to_string()])
                .status();
            assert!(told.expect("kill").success());
            child.wait().expect("gone");
        }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_under_load_has_what_was_told() {
    let mut cluster = Cluster::new();
    cluster.start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut waule = Waule::new(folder.path(), &cluster.url());
    let http = client();
    waule.start(&http).await;
    let (giving, token) = prepare(&http, &waule).await;
    let log = Log::default();
    for round in 0..if long() { 60 } else { 6 } {
        let work = Work::start(&http, &waule, (&giving, &token), round, &log);
        tokio::time::sleep(Duration::from_millis(150 + 40 * round)).await;
        cluster.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if round % 3 == 2 {
            waule.kill();
        }
        cluster.start();
        waule.verify();
        if round % 3 == 2 {
            waule.start(&http).await;
        }
        waule.ready(&http).await;
        work.stop().await;
    }
    exact(&http, &waule, &log, (&giving, &token), "postgres").await;
    waule.kill();
    waule.verify();
}
