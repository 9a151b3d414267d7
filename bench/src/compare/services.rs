//! The neighbours of Waule in a comparison: the mock provider, nginx and a private PostgreSQL.
//! Leaves Waule's own processes to `targets`.

pub(crate) mod database;

use std::path::Path;
use std::process::{Command, Stdio};

use super::processes::{Launch, Stage, free_port};
use crate::failure::{Failure, Outcome, Step};

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

#[cfg(test)]
mod tests {
    use super::database::passwd_entry;
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
