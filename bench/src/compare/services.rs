//! The neighbours of Waule in a comparison: the mock provider, nginx and a private PostgreSQL.
//! Leaves Waule's own processes to `targets`.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::processes::{Launch, RunAs, Stage, free_port};
use crate::failure::{Failure, Outcome, Step};

/// A first start has to write and sync its files.
const POSTGRES_READY_MAX: Duration = Duration::from_secs(30);

/// Something that listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listening {
    pub(crate) port: u16,
    pub(crate) pid: u32,
}

pub(crate) async fn start_mock(stage: &mut Stage) -> Outcome<Listening> {
    let port = free_port()?;
    let own = std::env::current_exe().step(|| "the bench's own path is unknown".into())?;
    let launch = Launch::new("mock", own)
        .arg("mock")
        .arg("--port")
        .arg(port.to_string());
    let pid = launch.start(stage)?;
    stage
        .await_ready(&format!("http://127.0.0.1:{port}/_count"))
        .await?;
    Ok(Listening { port, pid })
}

pub(crate) async fn start_nginx(stage: &mut Stage, mock: Listening) -> Outcome<Listening> {
    let program = nginx_program()?;
    let port = free_port()?;
    let folder = stage.make_folder("nginx")?;
    let config = folder.join("nginx.conf");
    let text = nginx_config(
        &folder,
        Ports {
            listen: port,
            mock: mock.port,
        },
    );
    std::fs::write(&config, text).step(|| format!("`{}`", config.display()))?;
    let pid = Launch::new("nginx", program)
        .arg("-p")
        .arg(folder.display().to_string())
        .arg("-c")
        .arg(config.display().to_string())
        .start(stage)?;
    stage
        .await_ready(&format!("http://127.0.0.1:{port}/_count"))
        .await?;
    Ok(Listening { port, pid })
}

pub(crate) fn nginx_program() -> Outcome<&'static str> {
    ["nginx", "/usr/sbin/nginx"]
        .into_iter()
        .find(|name| answers(name, "-v"))
        .ok_or_else(|| {
            Failure::new(
                "nginx is the yardstick and is not installed: run `apt-get install nginx-light`",
            )
        })
}

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

#[derive(Debug, Clone, Copy)]
struct Ports {
    listen: u16,
    mock: u16,
}

/// As a plain reverse proxy is usually set up; `/stream/` is the same without response buffering.
fn nginx_config(folder: &Path, ports: Ports) -> String {
    let folder = folder.display();
    let Ports { listen, mock } = ports;
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {folder}/{kind};\n"))
        .concat();
    // The default of 1,000 requests per connection would measure reconnecting.
    format!(
        "daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
{temporary}  access_log off;
  keepalive_requests 1000000000;
  upstream mock {{
    server 127.0.0.1:{mock};
    keepalive 256;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{listen};
    proxy_http_version 1.1;
    proxy_set_header Connection \"\";
    location / {{ proxy_pass http://mock; }}
    location /stream/ {{ proxy_buffering off; proxy_pass http://mock/; }}
  }}
}}
"
    )
}

fn answers(program: &str, flag: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(flag)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
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

fn passwd_entry(users: &str, name: &str) -> Option<RunAs> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:\npostgres:x:105:112:a:/v:/b\n";
        let user = passwd_entry(users, "postgres").unwrap();
        assert_eq!((user.user, user.group), (105, 112));
        assert!(passwd_entry(users, "nobody").is_none());
    }

    #[test]
    fn only_the_stream_location_of_nginx_is_unbuffered() {
        let config = nginx_config(Path::new("/tmp/x"), Ports { listen: 1, mock: 2 });
        let unbuffered: Vec<_> = config
            .lines()
            .filter(|line| line.contains("proxy_buffering off"))
            .collect();
        assert_eq!(unbuffered.len(), 1);
        assert!(unbuffered[0].contains("location /stream/"));
        assert!(config.contains("keepalive 256;"));
    }
}
