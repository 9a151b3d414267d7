//! The files below `deploy`: they name settings that the program has, and files that are there. Knows
//! nothing of what Kubernetes and Docker make of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What belongs to others: PostgreSQL's container and our compose file's own words.
const OTHERS: &[&str] = &[
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_DB",
    "SERVER_ENCRYPTION_KEY",
    "GATEWAY_ENCRYPTION_KEY",
];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a folder above")
        .to_owned()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A word as settings are written.
fn setting(word: &str) -> Option<&str> {
    let is_of_one = |letter: u8| letter.is_ascii_uppercase() || letter == b'_';
    (word.len() >= 4 && word.bytes().all(is_of_one)).then_some(word)
}

/// The settings that a line gives, in a manifest, a compose file, a unit or a file of settings; also one
/// that stands behind a `#` to be taken out.
fn given(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['#', ' ', '-']);
    if let Some(rest) = line.strip_prefix("{ name: ") {
        return setting(rest.split(',').next()?);
    }
    let line = line.strip_prefix("Environment=").unwrap_or(line);
    let (word, _) = line.split_once(['=', ':'])?;
    setting(word)
}

fn help(role: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waule"));
    let output = command.args([role, "--help"]).output().expect("ran");
    assert!(output.status.success(), "{role}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_setting_of_a_deployment_is_one_of_the_half_it_is_for() {
    let (server, gateway) = (help("server"), help("gateway"));
    let mut files = vec![deploy().join("compose.yaml")];
    files_below(&deploy().join("k8s"), &mut files);
    files_below(&deploy().join("systemd"), &mut files);
    let mut seen = BTreeSet::new();
    for path in &files {
        let name = path.display().to_string();
        let halves: &[&String] = match () {
            () if name.contains("gateway") || name.contains("overseas") => &[&gateway],
            () if name.contains("server") || name.contains("home") => &[&server],
            () => &[&server, &gateway],
        };
        let text = text(path);
        for word in text.lines().filter_map(given) {
            if OTHERS.contains(&word) {
                continue;
            }
            let is_known = halves
                .iter()
                .any(|half| half.contains(&format!("[env: {word}")));
            assert!(is_known, "{name} gives {word}, which is no setting of it");
            seen.insert(word.to_owned());
        }
    }
    // Read, and not passed over.
    for word in [
        "GATEWAY_URLS",
        "GATEWAY_CLIENT_CA",
        "PUBLIC_URL",
        "DATABASE_URL",
        "INTERNAL_SECRET",
    ] {
        assert!(seen.contains(word), "{word} of {seen:?}");
    }
}

#[test]
fn every_file_that_a_manifest_names_is_there() {
    let mut files = Vec::new();
    files_below(&deploy().join("k8s"), &mut files);
    let manifests = files
        .iter()
        .filter(|path| path.ends_with("kustomization.yaml"));
    let mut named = 0;
    for manifest in manifests {
        let folder = manifest.parent().expect("a folder");
        let text = text(manifest);
        let mut is_resources = false;
        for line in text.lines() {
            if !line.starts_with(' ') {
                is_resources = line == "resources:" || line == "patches:";
                continue;
            }
            let entry = line
                .trim_start()
                .strip_prefix("- ")
                .filter(|_| is_resources);
            let Some(entry) = entry else { continue };
            let path = folder.join(entry.trim_start_matches("path: "));
            // Kustomize takes no file from outside of its folder, but folders.
            let is_own_file = path.is_file() && !entry.contains("..");
            let is_there = is_own_file || path.join("kustomization.yaml").is_file();
            assert!(is_there, "{} names {entry}", manifest.display());
            named += 1;
        }
        // Secrets are made of files that only their example is in the tree for.
        if text.contains("envs: [secrets.env]") {
            assert!(folder.join("secrets.example.env").is_file());
        }
    }
    assert!(named >= 10, "{named}");
}
