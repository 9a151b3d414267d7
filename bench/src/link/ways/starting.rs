//! Starting a way: programs overseas and at home, each with its settings.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use super::super::client::Route;
use super::super::provider::PORT as PROVIDER_PORT;
use super::{Chat, GATEWAY_PORT, NGINX_PORT, Ready, SERVER_PORT, Way};
use crate::compare::admin;
use crate::compare::processes::{Launch, Stage};
use crate::compare::targets::Binaries;
use crate::failure::{Outcome, Step};
use crate::netem::border::OVERSEAS;

/// The part of a way that stands overseas, started from a thread over there.
pub(in super::super) async fn start_overseas(
    way: Way,
    binaries: &Binaries,
) -> Outcome<Option<Stage>> {
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
pub(in super::super) async fn start_at_home(
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
