//! A gateway for a test, in the process or as one of its own, and its door over HTTP/2 as a server uses
//! it, with trailers.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use gateway::config::{Config, GatewaySecrets};
use gateway::{Gateway, GatewayParts};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use shared::clock::Clock;
use shared::config::Common;
use shared::id::{GenerationId, RequestId};
use shared::link::{Bounds, Call, GenerationStatus, Operation, Outcome, Parting, Target, wire};
use shared::supervisor::Supervisor;
use shared::surface::Surface;
use shared::telemetry::Metrics;
use tokio::net::TcpStream;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    gateway: Config,
}

/// Whether the long form was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "`./test.sh --long` says so by the environment"
)]
pub(crate) fn long() -> bool {
    std::env::var_os("WAULE_TEST_LONG").is_some()
}

/// Waits for something to become true, at most `limit`.
pub(crate) async fn until(what: &str, limit: Duration, is_true: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(limit, waiting).await;
    assert!(
        waited.is_ok(),
        "in {limit:?} it did not come true that {what}"
    );
}

/// One life of a gateway in this process.
pub(crate) struct Node {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) supervisor: Supervisor,
    pub(crate) metrics: Metrics,
    pub(crate) address: SocketAddr,
}

impl Node {
    pub(crate) async fn start(folder: &Path, more: &[&str]) -> Self {
        let data = folder.display().to_string();
        let arguments = [
            ["waule-gateway", "--gateway-port=0"],
            ["--data-dir", &data],
            ["--internal-secret", SECRET],
            ["--metrics-port", "0"],
            ["--shutdown-seconds", "5"],
        ];
        let arguments = arguments.as_flattened().iter().chain(more);
        let arguments = arguments.map(OsString::from);
        let settings = shared::config::read::<Settings>("waule-gateway", "", arguments);
        let Settings {
            common,
            gateway: config,
        } = settings.expect("settings");
        shared::tls::install_provider();
        let (supervisor, metrics) = (Supervisor::new(), Metrics::default());
        let parts = GatewayParts {
            config: &config,
            common: &common,
            secrets: GatewaySecrets::take(&common).expect("secrets"),
            supervisor: &supervisor,
            metrics: &metrics,
            clock: Clock::system(),
        };
        let gateway = Gateway::start(parts).await.expect("a gateway");
        let door = Gateway::bind(&config).expect("a port");
        let address = door.local_addr().expect("an address");
        let (serving, inner) = (gateway.clone(), supervisor.clone());
        supervisor.spawn("door", async move {
            serving.serve(door, &common, &inner).await.expect("served");
        });
        Self {
            gateway,
            supervisor,
            metrics,
            address,
        }
    }

    pub(crate) async fn stop(self) {
        assert!(
            self.supervisor.finish(Duration::from_secs(10)).await,
            "everything ends when told to stop"
        );
    }
}

/// Waits until a life in this process has let go of its journal, as the end of a process does at once:
/// the next one reads what nobody writes any more.
pub(crate) async fn let_go(folder: &Path) {
    let files = std::fs::read_dir(folder.join("generations")).expect("a journal");
    for file in files {
        let file = std::fs::File::open(file.expect("readable").path()).expect("there");
        let began = std::time::Instant::now();
        while file.try_lock_shared().is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "it is kept");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A gateway as a process that can be killed.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
}

impl Program {
    pub(crate) async fn start(folder: &Path, more: &[&str]) -> Self {
        let probe = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = probe.local_addr().expect("an address");
        drop(probe);
        let child = Command::new(env!("CARGO_BIN_EXE_waule-gateway"))
            .env_clear()
            .env("DATA_DIR", folder)
            .env("INTERNAL_SECRET", SECRET)
            .env("LOG", "error")
            .args(["--metrics-port", "0", "--gateway-port"])
            .arg(address.port().to_string())
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        let this = Self { address, child };
        until("it listens", Duration::from_secs(30), async || {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        this
    }

    /// SIGKILL: nothing of it runs to an end.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call of the sandbox.
pub(crate) fn call(text: &str, stream: bool) -> Call {
    let body = serde_json::json!({"model": "m", "stream": stream,
        "messages": [{"role": "user", "content": text}]});
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface: Surface::of(Operation::Chat),
        targets: Arc::from([Target {
            provider: "sandbox".to_owned(),
            model: "sandbox-chat".to_owned(),
            gateway: None,
            answers: None,
        }]),
        body: Bytes::from(body.to_string()),
        stream,
        show_usage: false,
        headers: Vec::new(),
        tenant: None,
        caller: 5,
        end_user: None,
        answer_model: None,
        says_all: false,
        bounds: Some(Bounds {
            input_estimate: 777,
            input_max: 10_000,
            output_max: 10_000,
        }),
        deadline: Duration::from_secs(60),
    }
}

/// A connection to a gateway's door.
#[derive(Clone)]
pub(crate) struct Door(SendRequest<Full<Bytes>>);

/// How large the windows of a server are.
pub(crate) const WINDOW: u32 = 1024 * 1024;

impl Door {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::with_window(address, WINDOW).await
    }

    /// To readers that take little before they stand still.
    pub(crate) async fn narrow(address: SocketAddr) -> Self {
        Self::with_window(address, 32 * 1024).await
    }

    async fn with_window(address: SocketAddr, window: u32) -> Self {
        let tcp = TcpStream::connect(address).await.expect("connected");
        tcp.set_nodelay(true).expect("set");
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(window)
            .initial_connection_window_size(16 * WINDOW)
            .handshake(TokioIo::new(tcp))
            .await
            .expect("HTTP/2");
        let supervisor = Supervisor::new();
        supervisor.spawn_servant("connection", async move {
            // A killed gateway ends it with an error.
            let _ = connection.await;
        });
        Self(sender)
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.0
            .clone()
            .send_request(request)
            .await
            .expect("answered")
    }

    /// Sends a call, with these headers more.
    pub(crate) async fn open(&self, call: &Call, more: &[(&str, &str)]) -> Response<Incoming> {
        let path = format!("http://gateway{}{}", wire::PREFIX, call.surface.path);
        let mut request = Request::post(path)
            .header(wire::SECRET, SECRET)
            .body(Full::new(call.body.clone()))
            .expect("a request");
        wire::write_call(call, request.headers_mut());
        for (name, value) in more {
            let name: http::HeaderName = name.parse().expect("a name");
            request
                .headers_mut()
                .insert(name, value.parse().expect("a value"));
        }
        self.send(request).await
    }

    pub(crate) async fn attach(&self, id: &GenerationId, offset: usize) -> Response<Incoming> {
        let path = format!("http://gateway{}/generations/{id}/attach", wire::PREFIX);
        let request = Request::post(path)
            .header(wire::SECRET, SECRET)
            .header(wire::OFFSET, offset.to_string())
            .body(Full::default())
            .expect("a request");
        self.send(request).await
    }

    pub(crate) async fn finish(&self, id: &GenerationId, why: Parting) -> GenerationStatus {
        let why = why.word();
        let path = format!(
            "http://gateway{}/generations/{id}/finish?why={why}",
            wire::PREFIX
        );
        let request = Request::post(path)
            .header(wire::SECRET, SECRET)
            .body(Full::default())
            .expect("a request");
        let response = self.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = response
            .into_body()
            .collect()
            .await
            .expect("whole")
            .to_bytes();
        serde_json::from_slice(&body).expect("a status")
    }

    /// What `GET` of a path answers.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(format!("http://gateway{path}")).body(Full::default());
        let response = self.send(request.expect("a request")).await;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("whole")
            .to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

/// Asks an operator's thing of a gateway.
pub(crate) async fn admin(address: SocketAddr, path: &str, body: &serde_json::Value) {
    let door = Door::to(address).await;
    let request = Request::post(format!("http://gateway{}{path}", wire::ADMIN_PREFIX))
        .header(wire::SECRET, SECRET)
        .body(Full::new(Bytes::from(body.to_string())));
    let response = door.send(request.expect("a request")).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

/// Reads at least so many words of a stream, and no further than the piece they are in.
pub(crate) async fn words(body: &mut Incoming, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while contents(&bytes) < count {
        let frame = body.frame().await.expect("more").expect("whole");
        bytes.extend(frame.into_data().expect("no trailers yet"));
    }
    bytes
}

/// Words in a stream's text.
pub(crate) fn contents(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.matches("\"content\":\"").count() - text.matches("\"content\":\"\"").count()
}

/// The rest of a stream, and its outcome.
pub(crate) async fn rest(mut body: Incoming) -> (Vec<u8>, Option<Outcome>) {
    let (mut bytes, mut outcome) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        match frame.into_data() {
            Ok(data) => bytes.extend(data),
            Err(frame) => {
                let trailers = frame.into_trailers().expect("trailers");
                let json = trailers.get(wire::OUTCOME).expect("an outcome");
                outcome = Some(serde_json::from_slice(json.as_bytes()).expect("read"));
            }
        }
    }
    (bytes, outcome)
}

/// The outcome in a status.
pub(crate) fn outcome(status: GenerationStatus) -> Outcome {
    match status {
        GenerationStatus::Ended { outcome } => *outcome,
        GenerationStatus::Unknown { .. } | GenerationStatus::Failed { .. } => {
            panic!("it ended: {status:?}")
        }
    }
}
