//! The ways over the border that are compared, each ready to take calls. Leaves measuring to
//! `scenarios`.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use clap::ValueEnum;

use super::client::Route;
use super::provider::PORT as PROVIDER_PORT;
use crate::compare::admin;
use crate::compare::processes::{Launch, Stage};
use crate::compare::targets::Binaries;
use crate::failure::{Outcome, Step};
use crate::http::Call;
use crate::netem::border::{Border, OVERSEAS};

/// Ports are free in namespaces that are ours alone.
const GATEWAY_PORT: u16 = 9_000;
const SERVER_PORT: u16 = 3_000;
const NGINX_PORT: u16 = 8_080;

/// The default of `GATEWAY_CONNECTIONS`, set all the same: a person's shell may hold another.
pub(super) const CONNECTIONS: usize = 8;

/// A way from the tenant at home to the provider overseas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Way {
    NginxCubic,
    NginxBbr,
    H2Cubic,
    H2Bbr,
    Waule,
}

impl Way {
    pub(super) const ALL: [Self; 5] = [
        Self::NginxCubic,
        Self::NginxBbr,
        Self::H2Cubic,
        Self::H2Bbr,
        Self::Waule,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::NginxCubic => "nginx, HTTP/1.1 pool, CUBIC",
            Self::NginxBbr => "nginx, HTTP/1.1 pool, BBR",
            Self::H2Cubic => "one h2 connection, CUBIC",
            Self::H2Bbr => "one h2 connection, BBR",
            Self::Waule => "Waule as shipped",
        }
    }

    /// Of sockets that ask for none. Waule's ask for BBR themselves, and get reno if they forget.
    pub(super) fn congestion(self) -> &'static str {
        match self {
            Self::NginxCubic | Self::H2Cubic => "cubic",
            Self::NginxBbr | Self::H2Bbr => "bbr",
            Self::Waule => "reno",
        }
    }

    pub(super) fn is_waule(self) -> bool {
        self == Self::Waule
    }
}

/// A way that takes calls. The processes end when it is dropped, those at home first.
pub(super) struct Ready {
    pub(super) chat: Chat,
    pub(super) route: Route,
    home: Stage,
    overseas: Option<Stage>,
}

/// Where to send a chat request, and as whom.
#[derive(Clone)]
pub(super) struct Chat {
    url: String,
    authorisation: Option<String>,
}

impl Chat {
    pub(super) fn call(&self, body: String) -> Outcome<Call> {
        let call = Call::post(&self.url, body)?;
        match &self.authorisation {
            Some(value) => call.header("authorization", value),
            None => Ok(call),
        }
    }
}

impl Ready {
    /// An error when a process has ended by itself.
    pub(super) fn check(&mut self) -> Outcome<()> {
        self.home.check()?;
        self.overseas.as_mut().map_or(Ok(()), Stage::check)
    }
}

/// The part of a way that stands overseas, started from a thread over there.
pub(super) async fn start_overseas(way: Way, binaries: &Binaries) -> Outcome<Option<Stage>> {
    if !way.is_waule() {
        return Ok(None);
    }
    let mut stage = Stage::new()?;
    let folder = stage.make_folder("gateway")?;
    stopped_soon(binaries.launch("waule-gateway")?)
        .env("DATA_DIR", folder.display().to_string())
        .env("GATEWAY_HOST", OVERSEAS.to_string())
        .env("GATEWAY_PORT", GATEWAY_PORT.to_string())
        .env("INTERNAL_SECRET", admin::INTERNAL_SECRET)
        .start(&mut stage)?;
    stage
        .await_ready(&format!("http://{OVERSEAS}:{GATEWAY_PORT}/readyz"))
        .await?;
    Ok(Some(stage))
}

/// The part at home, started from a thread there, once the rest is up.
pub(super) async fn start_at_home(
    way: Way,
    binaries: &Binaries,
    connections: usize,
    overseas: Option<Stage>,
) -> Outcome<Ready> {
    let mut home = Stage::new()?;
    let (chat, route) = match way {
        Way::NginxCubic | Way::NginxBbr => {
            start_nginx(&mut home).await?;
            (plain(Ipv4Addr::LOCALHOST, NGINX_PORT), Route::Own)
        }
        Way::H2Cubic | Way::H2Bbr => (plain(OVERSEAS, PROVIDER_PORT), Route::shared()),
        Way::Waule => (
            start_server(&mut home, binaries, connections).await?,
            Route::Own,
        ),
    };
    Ok(Ready {
        chat,
        route,
        home,
        overseas,
    })
}

fn plain(host: Ipv4Addr, port: u16) -> Chat {
    let address = SocketAddrV4::new(host, port);
    Chat {
        url: format!("http://{address}/v1/chat/completions"),
        authorisation: None,
    }
}

fn stopped_soon(launch: Launch) -> Launch {
    // Streams that hang at the end of a run are not waited for.
    launch.env("SHUTDOWN_SECONDS", "1")
}

async fn start_server(stage: &mut Stage, binaries: &Binaries, connections: usize) -> Outcome<Chat> {
    let folder = stage.make_folder("server")?;
    stopped_soon(binaries.launch("waule-server")?)
        .env("DATA_DIR", folder.display().to_string())
        .env("HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("PORT", SERVER_PORT.to_string())
        .env("GATEWAY_CONNECTIONS", connections.to_string())
        .env("GATEWAY_URLS", format!("http://{OVERSEAS}:{GATEWAY_PORT}"))
        .env("INTERNAL_SECRET", admin::INTERNAL_SECRET)
        .env("ADMIN_PASSWORD", admin::ADMIN_PASSWORD)
        .start(stage)?;
    let root = format!("http://127.0.0.1:{SERVER_PORT}");
    stage.await_ready(&format!("{root}/readyz")).await?;
    // For the gateway the provider is on its own machine.
    let provider = format!("http://127.0.0.1:{PROVIDER_PORT}/v1");
    let account = admin::prepare_server(&root, &provider).await?;
    let chat = Chat {
        url: format!("{root}/api/v1/chat/completions"),
        authorisation: Some(format!("Bearer {}", account.key)),
    };
    admin::first_success(stage, &chat.call(admin::json_body())?).await?;
    Ok(chat)
}

async fn start_nginx(stage: &mut Stage) -> Outcome<()> {
    let folder = stage.make_folder("nginx")?;
    let config = folder.join("nginx.conf");
    std::fs::write(&config, nginx_config(&folder)).step(|| format!("`{}`", config.display()))?;
    let program = crate::compare::services::nginx_program()?;
    Launch::new("nginx", program)
        .arg("-p")
        .arg(folder.display().to_string())
        .arg("-c")
        .arg(config.display().to_string())
        .start(stage)?;
    stage
        .await_ready(&format!("http://127.0.0.1:{NGINX_PORT}/ready"))
        .await
}

/// A reverse proxy with a kept-alive pool. Not the `stream` module, which many packages leave out;
/// the pool gives each stream a connection of its own all the same.
fn nginx_config(folder: &Path) -> String {
    let folder = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {folder}/{kind};\n"))
        .concat();
    format!(
        "daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
{temporary}  access_log off;
  keepalive_requests 1000000000;
  client_body_buffer_size 1m;
  upstream provider {{
    server {OVERSEAS}:{PROVIDER_PORT};
    keepalive 1024;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{NGINX_PORT};
    proxy_http_version 1.1;
    proxy_set_header Connection \"\";
    proxy_buffering off;
    location / {{ proxy_pass http://provider; }}
    location = /ready {{ return 200; }}
  }}
}}
"
    )
}

/// Which congestion control the sockets of the calling thread's namespace use towards `peer`, and
/// how many do.
pub(super) fn congestion_seen(peer: Ipv4Addr) -> Outcome<Vec<(String, usize)>> {
    let done = std::process::Command::new("ss")
        .args(["-HtinO", "state", "established", "dst", &peer.to_string()])
        .output()
        .step(|| "`ss`".into())?;
    Ok(controls(&String::from_utf8_lossy(&done.stdout)))
}

fn controls(text: &str) -> Vec<(String, usize)> {
    /// Names of congestion controls that a kernel may have.
    const KNOWN: [&str; 6] = ["bbr", "cubic", "reno", "vegas", "westwood", "dctcp"];
    KNOWN
        .iter()
        .map(|name| {
            let uses = |line: &&str| line.split_ascii_whitespace().any(|word| word == *name);
            ((*name).to_owned(), text.lines().filter(uses).count())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Where the border's two ends are asked.
pub(super) fn congestion_at_both_ends(border: &Border) -> Outcome<Vec<(String, usize)>> {
    let mut seen = border
        .home
        .run(|| congestion_seen(crate::netem::border::OVERSEAS))??;
    let far = border
        .overseas
        .run(|| congestion_seen(crate::netem::border::HOME))??;
    for (name, count) in far {
        match seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => seen.push((name, count)),
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn congestion_controls_are_counted_by_socket() {
        let said = "0 0 10.77.0.1:5 10.77.0.2:9\t bbr wscale:7,7 rto:404 cubic_like:1\n\
                    0 0 10.77.0.1:6 10.77.0.2:9\t bbr wscale:7,7\n\
                    0 0 10.77.0.1:7 10.77.0.2:9\t cubic cwnd:10\n";
        let expected = vec![("bbr".to_owned(), 2), ("cubic".to_owned(), 1)];
        assert_eq!(controls(said), expected);
        assert_eq!(controls(""), Vec::new());
    }
}
