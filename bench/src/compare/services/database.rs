//! PostgreSQL for a comparison, from the programs that the machine has.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::super::processes::{Launch, RunAs, Stage, free_port};
use super::Listening;
use crate::failure::{Failure, Outcome, Step};

/// A first start has to write and sync its files.
const POSTGRES_READY_MAX: Duration = Duration::from_secs(30);

/// A private PostgreSQL 15 or newer with the databases `server` and `gateway`.
pub(crate) async fn start_postgres(stage: &mut Stage) -> Outcome<Listening> {
    let tools = postgres_tools()?;
    let run_as = postgres_user()?;
    let port = free_port()?;
    let folder = stage.make_folder("postgres")?;
    if let Some(run_as) = run_as {
        std::os::unix::fs::chown(&folder, Some(run_as.user), Some(run_as.group))
            .step(|| "the folder of PostgreSQL cannot be given to its user".into())?;
    }
    let data = folder.join("data").display().to_string();
    let tool = |name: &'static str| {
        let mut launch = Launch::new(name, tools.join(name));
        launch.run_as = run_as;
        launch
    };
    // Durability of the initial files is not measured; that of the running server is.
    let initdb = [
        "-D",
        &data,
        "-U",
        "waule",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
    ];
    initdb
        .iter()
        .fold(tool("initdb"), |launch, arg| launch.arg(*arg))
        .arg("-N")
        .finish(stage)?;
    let mut postgres = tool("postgres")
        .arg("-D")
        .arg(&data)
        .arg("-p")
        .arg(port.to_string());
    postgres = postgres.arg("-k").arg(folder.display().to_string());
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=on",
        "synchronous_commit=on",
        "max_connections=200",
    ] {
        postgres = postgres.arg("-c").arg(setting);
    }
    postgres.stop_signal = "INT";
    let pid = postgres.start(stage)?;
    let port_text = port.to_string();
    let client = |name| {
        let args = ["-h", "127.0.0.1", "-p", &port_text, "-U", "waule"];
        args.iter().fold(tool(name), |launch, arg| launch.arg(*arg))
    };
    let deadline = Instant::now() + POSTGRES_READY_MAX;
    while let Err(failure) = client("pg_isready").finish(stage) {
        stage.check()?;
        if Instant::now() > deadline {
            return Err(Failure::new(format!(
                "PostgreSQL did not become ready: {failure}"
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for database in ["server", "gateway"] {
        client("createdb").arg(database).finish(stage)?;
    }
    Ok(Listening { port, pid })
}

/// The folder of the newest installed PostgreSQL.
fn postgres_tools() -> Outcome<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let newest = versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let tools = entry.path().join("bin");
            tools.join("initdb").exists().then_some((version, tools))
        })
        .max();
    if let Some((_, tools)) = newest {
        return Ok(tools);
    }
    // Elsewhere the tools are on PATH; pg_config knows the folder that also holds `postgres`.
    let found = Command::new("pg_config").arg("--bindir").output();
    let folder = found
        .ok()
        .filter(|done| done.status.success())
        .map(|done| PathBuf::from(String::from_utf8_lossy(&done.stdout).trim().to_owned()));
    folder
        .filter(|folder| folder.join("initdb").exists())
        .ok_or_else(|| {
            Failure::new("PostgreSQL is not installed: run `apt-get install postgresql`")
        })
}

/// PostgreSQL refuses to run as root; then its packaged user is taken.
fn postgres_user() -> Outcome<Option<RunAs>> {
    let own = std::fs::metadata("/proc/self").step(|| "/proc cannot be read".into())?;
    if own.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").step(|| "/etc/passwd".into())?;
    let user = passwd_entry(&users, "postgres").ok_or_else(|| {
        Failure::new("PostgreSQL does not run as root, and there is no user `postgres`")
    })?;
    Ok(Some(user))
}

pub(super) fn passwd_entry(users: &str, name: &str) -> Option<RunAs> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let user = fields.nth(1)?.parse().ok()?;
        Some(RunAs {
            user,
            group: fields.next()?.parse().ok()?,
        })
    })
}
