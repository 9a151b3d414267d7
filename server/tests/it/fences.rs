//! The tree obeys its plan: who may import whom, size of files, width of templates, module
//! sentences, migrations in pairs.

mod crates;
mod names;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// No file is longer, tests included; the generated tables are the exception.
const LINES_MAX: usize = 600;

/// No line of a template is longer, in letters: what stands further to the right is seen by nobody.
const COLUMNS_MAX: usize = 140;

/// Folder, and words that its sources may not say. What whole crates may not import, their manifests say
/// ([`crates`]).
const FENCES: &[(&str, &[&str])] = &[
    ("shared/src", &["use server", "use gateway"]),
    // What ends a stream is its dialect's to know.
    ("server/src", &["[DONE]"]),
    ("server/link/src", &["[DONE]", "poem"]),
    // What is decided without waiting.
    (
        "server/rules/src",
        &["async ", "tokio", "Clock", "StatusCode", "http::"],
    ),
    ("server/store/src", &["StatusCode", "http::"]),
    (
        "server/rooms/src",
        &["poem", "diesel", "StatusCode", "reqwest"],
    ),
    ("server/rooms/src/ledger", &["redis", "http::"]),
    ("server/rooms/src/catalogue", &["redis", "http::"]),
    ("server/rooms/src/reports", &["redis", "http::"]),
    ("server/calls/src", &["[DONE]", "StatusCode", "redis"]),
    ("server/edge/src", &["[DONE]"]),
    ("server/api/src", &["[DONE]"]),
    ("server/pages/src", &["[DONE]"]),
    (
        "gateway/src/providers",
        &[
            "crate::store",
            "crate::pool",
            "TenantId",
            "Credits",
            "reqwest",
        ],
    ),
    ("gateway/src/pool", &["poem", "sandbox", "openai"]),
    ("gateway/src/store", &["poem", "StatusCode"]),
];

/// Where the sources of the workspace's members are.
fn members() -> Vec<PathBuf> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("readable");
    let line = manifest.lines().find(|line| line.starts_with("members"));
    let names = line.expect("members").split('"').skip(1).step_by(2);
    let folders: Vec<PathBuf> = names.map(|name| root().join(name).join("src")).collect();
    assert!(folders.len() > 6, "{folders:?}");
    folders
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, "rs")
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for path in entries.map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|its| its == ending) {
            found.push(path);
        }
    }
    found
}

/// The code of a file, without its comments and in-file tests.
fn code(text: &str) -> String {
    let before_tests = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    before_tests
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn no_folder_says_what_its_fence_forbids() {
    let mut broken = Vec::new();
    for (folder, words) in FENCES {
        let files = sources(&root().join(folder));
        assert!(
            !files.is_empty(),
            "{folder} holds no source: the fence would check nothing"
        );
        for file in files {
            let code = code(&fs::read_to_string(&file).expect("readable"));
            let said = words.iter().filter(|word| code.contains(**word));
            broken.extend(said.map(|word| format!("{} says `{word}`", file.display())));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn nobody_reads_xml() {
    // The parser that poem-openapi brings along can be stopped by one odd tag (deny.toml).
    for folder in members() {
        for file in sources(&folder) {
            let code = code(&fs::read_to_string(&file).expect("readable"));
            let said = ["Xml", "quick_xml"]
                .iter()
                .find(|word| code.contains(**word));
            assert_eq!(said, None, "{} reads XML", file.display());
        }
    }
}

#[test]
fn hosted_actions_are_named_by_their_commit() {
    let folder = root().join(".github/workflows");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("workflows") {
        let path = entry.expect("readable").path();
        let text = fs::read_to_string(&path).expect("readable");
        for line in text.lines().filter(|line| line.contains("uses:")) {
            let commit = line
                .split('@')
                .nth(1)
                .and_then(|rest| rest.split(' ').next());
            let is_commit = commit.is_some_and(|commit| {
                commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit())
            });
            assert!(is_commit, "{}: {line}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_ledgers_tables_are_known_to_the_ledger_alone() {
    for file in members().iter().flat_map(|folder| sources(folder)) {
        let path = file.display().to_string();
        let allowed = ["store/src/ledger/", "store/src/schema.rs"]
            .iter()
            .any(|place| path.contains(place));
        let code = code(&fs::read_to_string(&file).expect("readable"));
        let said = [
            "ledger_accounts::",
            "ledger_grants::",
            "ledger_holds::",
            "ledger_entries::",
            "ledger_allocations::",
        ];
        assert!(
            allowed || !said.iter().any(|word| code.contains(word)),
            "{path} speaks of the ledger's tables"
        );
    }
}

#[test]
fn every_source_opens_with_a_sentence_and_none_is_too_long() {
    for folder in [
        "shared",
        "server",
        "gateway",
        "bench",
        "deploy",
        "admin-templates/src",
    ] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).expect("readable");
            let path = file.display();
            assert!(
                text.starts_with("//!"),
                "{path} does not say what it is for"
            );
            let lines = text.lines().count();
            assert!(
                lines <= LINES_MAX || path.to_string().ends_with("schema.rs"),
                "{path} has {lines} lines"
            );
        }
    }
}

#[test]
fn no_template_line_is_longer_than_140_columns() {
    let templates = files(&root().join("admin-templates/templates"), "html");
    assert!(!templates.is_empty(), "the fence would check nothing");
    let mut broken = Vec::new();
    for file in templates {
        let text = fs::read_to_string(&file).expect("readable");
        for (place, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                let (path, number) = (file.display(), place + 1);
                broken.push(format!("{path}:{number} has {columns} columns"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_source_is_reached_from_a_mod_line() {
    for folder in members() {
        let files = sources(&folder);
        let all: String = files
            .iter()
            .map(|file| fs::read_to_string(file).expect("readable"))
            .collect();
        for file in files {
            let stem = file
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or_default()
                .to_owned();
            let name = if stem == "mod" {
                file.parent()
                    .and_then(Path::file_name)
                    .and_then(|s| s.to_str())
                    .unwrap_or_default()
                    .to_owned()
            } else {
                stem
            };
            let reached = ["main", "lib", "src"].contains(&name.as_str())
                || all.contains(&format!("mod {name};"));
            assert!(reached, "{} is dead: no `mod {name};`", file.display());
        }
    }
}

#[test]
fn the_ledgers_statements_are_known_to_the_ledger_alone() {
    for file in members().iter().flat_map(|folder| sources(folder)) {
        let path = file.display().to_string();
        let code = code(&fs::read_to_string(&file).expect("readable"));
        assert!(
            path.contains("rooms/src/ledger/") || !code.contains("server_store::ledger"),
            "{path} speaks of the ledger's statements"
        );
    }
}

#[test]
fn both_databases_have_the_same_migrations_both_ways() {
    for side in ["server", "gateway"] {
        let names = |database: &str| -> BTreeSet<String> {
            let folder = root().join("migrations").join(side).join(database);
            fs::read_dir(&folder)
                .expect("a folder of migrations")
                .map(|entry| entry.expect("readable"))
                .inspect(|entry| {
                    for file in ["up.sql", "down.sql"] {
                        assert!(
                            entry.path().join(file).is_file(),
                            "{} has no {file}",
                            entry.path().display()
                        );
                    }
                })
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect()
        };
        let (postgres, sqlite) = (names("postgres"), names("sqlite"));
        assert!(!postgres.is_empty());
        assert_eq!(postgres, sqlite, "{side}");
    }
}
