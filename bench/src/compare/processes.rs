//! Processes the comparison starts, the temporary folder they live in, and their end. Leaves what
//! they are to `targets`; a dropped process is stopped, whatever the reason.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::failure::{Failure, Outcome, Step};
use crate::http::Call;

/// A stop that takes longer becomes a kill.
const STOP_MAX: Duration = Duration::from_secs(8);
/// Migrations on a cold disk included.
const READY_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// The last lines of a log say why a process ended.
const LOG_TAIL_BYTES: u64 = 3_000;

/// Settings a person's shell may hold and that must not reach the processes under test.
const SETTINGS: [&str; 25] = [
    "CONFIG",
    "WAULE_CONFIG",
    "WAULE_MODE",
    "DATABASE_URL",
    "GATEWAY_DATABASE_URL",
    "REDIS_URL",
    "GATEWAY_URLS",
    "INTERNAL_SECRET",
    "JWT_SECRET",
    "CONFIG_ENCRYPTION_KEY",
    "HOST",
    "PORT",
    "GATEWAY_HOST",
    "GATEWAY_PORT",
    "METRICS_HOST",
    "METRICS_PORT",
    "DATA_DIR",
    "DEMO_TENANT_KEY",
    "ADMIN_PASSWORD",
    "LOG",
    "LOG_FORMAT",
    "SHUTDOWN_SECONDS",
    "PGOPTIONS",
    "PGDATA",
    "PGHOST",
];

/// The user a process runs as, when it is not ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunAs {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) run_as: Option<RunAs>,
    /// What asks it to stop: PostgreSQL waits for clients on TERM and ends at once on INT.
    pub(crate) stop_signal: &'static str,
}

impl Launch {
    pub(crate) fn new(name: &'static str, program: impl Into<PathBuf>) -> Self {
        Self {
            name,
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            run_as: None,
            stop_signal: "TERM",
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        for name in SETTINGS {
            command.env_remove(name);
        }
        command
            .args(&self.args)
            .current_dir(folder)
            .stdin(Stdio::null());
        command.envs(self.env.iter().map(|(name, value)| (*name, value)));
        if let Some(run_as) = self.run_as {
            command.uid(run_as.user).gid(run_as.group);
        }
        command
    }

    /// Runs it to its end, for tools such as `initdb`.
    pub(crate) fn finish(&self, stage: &Stage) -> Outcome<String> {
        let done = self
            .command(stage.folder())
            .output()
            .step(|| format!("`{}` cannot be run", self.program.display()))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(Failure::new(format!(
            "{} ended with {}: {}",
            self.name,
            done.status,
            said.trim()
        )))
    }

    pub(crate) fn start(self, stage: &mut Stage) -> Outcome<u32> {
        let running = self.start_apart(stage)?;
        let pid = running.pid();
        stage.running.push(running);
        Ok(pid)
    }

    /// Starts it without keeping it on the stage; it stops when the answer is dropped.
    pub(crate) fn start_apart(self, stage: &mut Stage) -> Outcome<Running> {
        let log = stage
            .folder()
            .join(format!("{}-{}.log", self.name, stage.started));
        stage.started += 1;
        let file = File::create(&log).step(|| format!("`{}`", log.display()))?;
        let errors = file.try_clone().step(|| format!("`{}`", log.display()))?;
        let child = self
            .command(stage.folder())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .step(|| format!("`{}` cannot be started", self.program.display()))?;
        Ok(Running {
            name: self.name,
            child,
            log,
            stop_signal: self.stop_signal,
        })
    }
}

/// A started process; a drop stops it and waits for its end.
#[derive(Debug)]
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stop_signal: &'static str,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error when it has ended by itself.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(Failure::new(format!(
                "{} ended with {status}; the end of its log:\n{}",
                self.name,
                log_tail(&self.log)
            ))),
            Err(error) => Err(Failure::new(format!(
                "{} cannot be watched: {error}",
                self.name
            ))),
        }
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // Asked first: nginx and PostgreSQL take their children along only when they are asked.
        let ask = format!("kill -{} {}", self.stop_signal, self.child.id());
        let _ = Command::new("sh")
            .args(["-c", &ask])
            .stderr(Stdio::null())
            .status();
        let deadline = Instant::now() + STOP_MAX;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The temporary folder and everything that runs in it; the last started is stopped first.
#[derive(Debug)]
pub(crate) struct Stage {
    running: Vec<Running>,
    started: usize,
    folder: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Outcome<Self> {
        let folder = tempfile::Builder::new()
            .prefix("waule-bench-")
            .tempdir()
            .step(|| "a temporary folder cannot be made".into())?;
        // PostgreSQL and nginx workers run as other users and have to pass through it.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))
            .step(|| "the temporary folder cannot be opened to others".into())?;
        Ok(Self {
            running: Vec::new(),
            started: 0,
            folder,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn make_folder(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.folder().join(name);
        std::fs::create_dir_all(&path).step(|| format!("`{}`", path.display()))?;
        Ok(path)
    }

    /// An error when any process has ended by itself.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        self.running.iter_mut().try_for_each(Running::check)
    }

    /// Waits until `url` answers 200.
    pub(crate) async fn await_ready(&mut self, url: &str) -> Outcome<()> {
        let call = Call::get(url)?;
        let deadline = Instant::now() + READY_MAX;
        let mut last;
        loop {
            match call.once(Duration::from_secs(2)).await {
                Ok(reply) if reply.status == 200 => return Ok(()),
                Ok(reply) => last = format!("{}: {}", reply.status, reply.excerpt()),
                Err(failure) => last = failure.to_string(),
            }
            self.check()?;
            if Instant::now() >= deadline {
                let tails = self.running.last().map(|last| log_tail(&last.log));
                return Err(Failure::new(format!(
                    "{url} was not ready within {READY_MAX:?}; last answer: {last}\n{}",
                    tails.unwrap_or_default()
                )));
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        while let Some(running) = self.running.pop() {
            drop(running);
        }
    }
}

fn log_tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(tail)
    };
    String::from_utf8_lossy(&read().unwrap_or_default())
        .trim()
        .to_owned()
}

/// A port nobody listens on now. Taken up moments later, so a clash is possible but unlikely.
pub(crate) fn free_port() -> Outcome<u16> {
    let probe = TcpListener::bind("127.0.0.1:0").step(|| "no port is free".into())?;
    Ok(probe.local_addr().step(|| "no port is free".into())?.port())
}

#[cfg(test)]
mod tests;
