//! Starting the binary: what a second start keeps, and one clear sentence for each thing that is wrong.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use shared::id::random_text;

use crate::support::{client, service};

fn command(data_dir: &Path) -> Command {
    command_at(data_dir, 0)
}

fn command_at(data_dir: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
    command.args(["--port", &port.to_string()]);
    command.args([
        "--gateway-port",
        "0",
        "--metrics-port",
        "0",
        "--host",
        "127.0.0.1",
    ]);
    command.arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    for variable in [
        "PORT",
        "GATEWAY_PORT",
        "DATABASE_URL",
        "DEMO_TENANT_KEY",
        "ADMIN_PASSWORD",
        "DATA_DIR",
        "WAULE_MODE",
    ] {
        command.env_remove(variable);
    }
    command
}

fn failed(output: &Output, expected: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("waule: ") && last.contains(expected),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

fn terminate(mut child: Child) -> String {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("kill")
            .success()
    );
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            assert!(status.success(), "{status}");
            let mut said = String::new();
            child
                .stdout
                .take()
                .expect("piped")
                .read_to_string(&mut said)
                .expect("text");
            return said;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it ends when told to stop"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts the binary and waits until its log says that both halves listen.
fn running(data_dir: &Path) -> Child {
    running_with(data_dir, &[])
}

fn running_with(data_dir: &Path, more: &[&str]) -> Child {
    let mut child = command(data_dir)
        .args(more)
        .env("LOG_FORMAT", "json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let log = BufReader::new(child.stderr.take().expect("piped"));
    let (said, listening) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        log.lines()
            .map_while(Result::ok)
            .for_each(|line| drop(said.send(line)));
    });
    let mut doors = 0;
    while doors < 2 {
        let line = listening
            .recv_timeout(Duration::from_secs(20))
            .expect("it starts");
        doors += usize::from(line.contains("listens on"));
    }
    child
}

/// Whether a word of a greeting is a key or a password: nothing else in it is as long without a sign.
fn is_secret(word: &str) -> bool {
    word.len() >= 16
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[test]
fn a_greeting_tells_the_address_that_people_type() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = "https://waule.example";
    let first = terminate(running_with(folder.path(), &["--public-url", public]));
    for path in [
        "/admin ",
        "/portal/login?",
        "/portal/docs",
        "/api/v1/chat/completions",
        "/api/v1\"",
    ] {
        assert!(
            first.contains(&format!("{public}{path}")),
            "{path}: {first}"
        );
    }
    assert!(!first.contains("127.0.0.1"), "{first}");
}

#[test]
fn production_makes_nobody_who_could_sign_in() {
    let folder = tempfile::tempdir().expect("a folder");
    // Production takes no secret that is easy to guess.
    let secret = &random_text(40);
    let first = terminate(running_with(
        folder.path(),
        &[
            "--mode",
            "production",
            "--internal-secret",
            secret,
            "--jwt-secret",
            secret,
            "--config-encryption-key",
            secret,
        ],
    ));
    assert!(first.contains("user admin"), "{first}");
    assert!(!first.contains("user demo"), "{first}");
}

#[test]
fn the_first_start_shows_secrets_once_and_the_second_keeps_the_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = terminate(running(folder.path()));
    assert!(
        first.contains("wk_live_") && first.contains("wk_test_") && first.contains("password "),
        "{first}"
    );
    assert!(
        first.contains("curl http://") && first.contains("from openai import OpenAI"),
        "{first}"
    );
    assert!(
        first.contains("tenant demo, user demo, password "),
        "somebody of the demo tenant can sign in: {first}"
    );
    let second = terminate(running(folder.path()));
    assert!(
        second.contains("first start printed the passwords"),
        "{second}"
    );
    for secret in first.split_whitespace().filter(|word| is_secret(word)) {
        assert!(
            !second.contains(secret),
            "a second start prints no secret: {second}"
        );
    }
    assert!(!second.contains("wk_"), "{second}");
    for file in ["server.db", "gateway.db", "secrets.toml"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

/// 2026-11: a line that could not be written ended the task that wrote it, the ledger's writer among them,
/// and the process served nobody any more.
#[tokio::test]
async fn a_log_on_a_full_disk_ends_nothing() {
    shared::tls::install_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = free.expect("a port").port();
    // Every write to it fails as on a full disk (full(4)).
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut child = command_at(folder.path(), port)
        .stdout(Stdio::piped())
        .stderr(full.expect("Linux has it"))
        .spawn()
        .expect("started");
    let shown = BufReader::new(child.stdout.take().expect("piped")).lines();
    let key = tokio::task::spawn_blocking(move || {
        let lines = shown.map_while(Result::ok);
        let mut words = lines.flat_map(|line| {
            let words = line.split_whitespace().map(str::to_owned);
            words.collect::<Vec<_>>()
        });
        words.find(|word| word.starts_with("wk_live_"))
    });
    let key = tokio::time::timeout(Duration::from_secs(20), key).await;
    let key = key.expect("in time").expect("no panic").expect("it starts");
    let call = || {
        let body = serde_json::json!({"model": "sandbox-chat", "messages": [{"role": "user", "content": "hi"}]});
        let call = client()
            .post(format!("http://127.0.0.1:{port}/api/v1/chat/completions"))
            .bearer_auth(&key)
            .body(body.to_string());
        async move {
            let answer = call.send().await;
            answer.map_or(0, |answer| answer.status().as_u16())
        }
    };
    let begun = Instant::now();
    while call().await != 200 && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for _ in 0..3 {
        assert_eq!(call().await, 200);
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn each_thing_that_is_wrong_ends_with_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port().to_string();
    let run = |arguments: &[&str]| {
        command(folder.path())
            .args(arguments)
            .output()
            .expect("ran")
    };
    let with = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
        command
            .arg("--data-dir")
            .arg(folder.path())
            .args(["--metrics-port", "0"])
            .args(arguments);
        command.output().expect("ran")
    };
    failed(
        &with(&[
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--gateway-port",
            "0",
        ]),
        "set PORT to a free one",
    );
    failed(
        &with(&[
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--gateway-port",
            &port,
        ]),
        "set GATEWAY_PORT to a free one",
    );
    failed(&run(&["--log", "((("]), "is not a log filter");
    failed(
        &run(&["--call-seconds-max", "many"]),
        "invalid value 'many'",
    );
    failed(&run(&["--no-such-flag"]), "unexpected argument");
    failed(
        &run(&["--config", "/nowhere/waule.toml"]),
        "/nowhere/waule.toml",
    );
    failed(&run(&["--mode", "production"]), "JWT_SECRET is missing");
    failed(
        &run(&["--internal-secret", "short"]),
        "INTERNAL_SECRET must have at least 32 characters",
    );
    failed(
        &run(&["--database-url", "mysql://x"]),
        "DATABASE_URL must start with",
    );
    failed(
        &run(&["--database-url", "postgres://waule@127.0.0.1:1/waule"]),
        "can't be used",
    );
    failed(
        &run(&["--demo-tenant-key", "wk_live_short"]),
        "DEMO_TENANT_KEY must be",
    );
    failed(
        &run(&["--admin-password", "short"]),
        "ADMIN_PASSWORD must be",
    );
}

#[test]
fn a_folder_that_cant_be_written_ends_with_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a file");
    std::fs::write(&file, "").expect("written");
    // Below a file there is no folder, whoever asks; rights would not stop root.
    failed(
        &command(&file.join("data")).output().expect("ran"),
        "a file",
    );
}

#[test]
fn a_wrong_password_of_the_database_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service("TEST_DATABASE_URL").replace("//", "//nobody:very-secret@");
    let place = url.rsplit('@').next().unwrap_or_default();
    let url = format!("postgres://nobody:very-secret@{place}_missing");
    let output = command(folder.path())
        .args(["--database-url", &url])
        .output()
        .expect("ran");
    failed(&output, "can't be used");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("very-secret"));
}

#[test]
fn help_lists_every_setting_with_its_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = command(folder.path()).arg("--help").output().expect("ran");
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    for setting in [
        "DATABASE_URL",
        "REDIS_URL",
        "INTERNAL_SECRET",
        "JWT_SECRET",
        "CONFIG_ENCRYPTION_KEY",
        "PORT",
        "GATEWAY_PORT",
        "GATEWAY_TLS_CERT",
        "GATEWAY_TLS_KEY",
        "GATEWAY_CLIENT_CA",
        "METRICS_PORT",
        "DATA_DIR",
        "[default: 3000]",
    ] {
        assert!(help.contains(setting), "{setting}: {help}");
    }
}
