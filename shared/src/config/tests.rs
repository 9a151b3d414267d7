//! Flags beat files, files beat defaults, and secrets are made once or refused.

use super::*;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
}

fn read(arguments: &[&str]) -> Result<Settings, ConfigError> {
    let all = std::iter::once("waule")
        .chain(arguments.iter().copied())
        .map(Into::into);
    super::read("waule", "test", all)
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

#[test]
fn a_flag_beats_the_file_and_the_file_beats_the_default() {
    let toml = file("metrics_port = 7000\nlog = 'warn'\nwaule_mode = 'production'");
    let path = toml.path().display().to_string();
    let read = read(&["--config", &path, "--log", "debug"]).expect("valid");
    assert_eq!(
        (read.common.metrics_port, read.common.log.as_str()),
        (7000, "debug")
    );
    assert_eq!(read.common.mode, Mode::Production);
}

#[test]
fn unknown_keys_wrong_types_and_missing_files_end_in_one_sentence() {
    for (text, expected) in [
        ("colour = 'red'", "unknown setting `colour`"),
        ("metrics_port = 1.5", "`metrics_port` must be"),
        ("metrics_port = 'x'", "invalid value 'x'"),
        ("metrics_port =", ""),
    ] {
        let toml = file(text);
        let error = read(&["--config", &toml.path().display().to_string()]).expect_err(text);
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    assert!(read(&["--config", "/nowhere/waule.toml"]).is_err());
    assert!(read(&["--metrics-port", "70000"]).is_err());
}

#[test]
fn a_missing_secret_is_made_once_in_development_and_refused_in_production() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = read(&["--data-dir", &folder.path().display().to_string()])
        .expect("valid")
        .common;
    let first = Secrets::load(&settings)
        .and_then(|mut s| s.take("JWT_SECRET", None))
        .expect("made");
    let second = Secrets::load(&settings)
        .and_then(|mut s| s.take("JWT_SECRET", None))
        .expect("kept");
    assert_eq!(first, second);
    settings.mode = Mode::Production;
    assert!(
        Secrets::load(&settings)
            .and_then(|mut s| s.take("JWT_SECRET", None))
            .is_err()
    );
}

#[test]
fn processes_that_start_together_end_up_with_one_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new").display().to_string();
    let settings = read(&["--data-dir", &path]).expect("valid").common;
    // All have read before the first of them writes.
    let all: Vec<_> = (0..8)
        .map(|_| Secrets::load(&settings).expect("nothing there"))
        .collect();
    let takers = all.into_iter().map(|mut secrets| {
        std::thread::spawn(move || {
            ["JWT_SECRET", "INTERNAL_SECRET"].map(|name| secrets.take(name, None).expect(name))
        })
    });
    let takers: Vec<_> = takers.collect();
    let mut taken = takers.into_iter().map(|taker| taker.join().expect("taken"));
    let first = taken.next().expect("one");
    assert!(taken.all(|other| other == first));
}

#[test]
fn weak_secrets_are_named_in_production() {
    let check =
        |text: &str, mode| check_secret("JWT_SECRET", &Secret::new(text.to_owned()), mode).is_ok();
    assert!(!check("short", Mode::Development));
    assert!(!check(&"a".repeat(40), Mode::Production));
    assert!(!check(
        "changeme-changeme-changeme-changeme-1234",
        Mode::Production
    ));
    assert!(check(
        "8f0c1d2e7a6b5948372615049382716f5e4d3c2b",
        Mode::Production
    ));
}
