//! Who may import whom: the crates by their manifests, and the rooms inside of one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{code, root, sources};

/// The server's crates, the lowest first, and which of the workspace each stands on. What else a crate
/// may import, its manifest says as well: a rule without HTTP lists no `poem`.
const CRATES: &[(&str, &[&str], &[&str])] = &[
    ("link", &["shared"], &["poem", "diesel"]),
    ("rules", &["shared"], &["tokio", "poem", "diesel", "http"]),
    ("store", &["shared", "server-rules"], &["poem", "http"]),
    (
        "rooms",
        &["shared", "outbound", "server-rules", "server-store"],
        &["poem", "diesel", "reqwest"],
    ),
    (
        "calls",
        &["shared", "server-rules", "server-store", "server-rooms"],
        &["poem", "diesel", "http", "redis", "reqwest"],
    ),
    (
        "edge",
        &["shared", "server-rules", "server-store"],
        &["diesel", "redis", "reqwest"],
    ),
    (
        "api",
        &["shared", "server-rooms", "server-calls", "server-edge"],
        &["diesel", "redis", "reqwest"],
    ),
    (
        "pages",
        &[
            "shared",
            "admin-templates",
            "server-rules",
            "server-rooms",
            "server-calls",
            "server-edge",
        ],
        &["diesel", "redis", "reqwest"],
    ),
];

/// The names of the dependencies in a manifest that this workspace or a registry gives.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let listed = manifest
        .split("\n[")
        .find(|part| part.starts_with("dependencies]"));
    let lines = listed.unwrap_or_default().lines().skip(1);
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_of_the_servers_crates_stands_on_those_below_it_alone() {
    for (name, below, forbidden) in CRATES {
        let manifest = root().join("server").join(name).join("Cargo.toml");
        let listed = dependencies(&fs::read_to_string(&manifest).expect("readable"));
        assert!(
            listed.contains("shared"),
            "{name} lists nothing: {listed:?}"
        );
        for own in listed.iter().filter(|one| {
            one.starts_with("server")
                || ["shared", "outbound", "gateway", "admin-templates"].contains(&one.as_str())
        }) {
            assert!(below.contains(&own.as_str()), "{name} stands on {own}");
        }
        let said = forbidden.iter().find(|word| listed.contains(**word));
        assert_eq!(said, None, "{name}");
    }
    let known: BTreeSet<String> = CRATES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let folders = fs::read_dir(root().join("server")).expect("readable");
    let folders = folders.map(|entry| entry.expect("readable").path());
    let found: BTreeSet<String> = folders
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(found, known, "every crate of the server has its line");
}

#[test]
fn the_way_out_of_both_halves_knows_neither() {
    let manifest = root().join("shared/outbound/Cargo.toml");
    let listed = dependencies(&fs::read_to_string(&manifest).expect("readable"));
    assert!(listed.contains("shared"), "{listed:?}");
    let is_foreign = |one: &&String| {
        one.starts_with("server")
            || ["gateway", "admin-templates", "poem", "diesel"].contains(&one.as_str())
    };
    assert_eq!(listed.iter().find(is_foreign), None);
}

/// The modules at the top of a crate that `text` names with `crate::`.
fn named(text: &str) -> BTreeSet<String> {
    let rest = text.split("crate::").skip(1);
    let word = |rest: &str| -> String {
        let letters = rest.chars();
        letters
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect()
    };
    rest.map(word).filter(|word| !word.is_empty()).collect()
}

/// Which module at the top of the crate in `folder` imports which, tests aside.
fn imports(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(folder) {
        let inside = file.strip_prefix(folder).expect("inside");
        let top = inside.components().next().expect("a name");
        let module = top.as_os_str().to_string_lossy().replace(".rs", "");
        if module != "lib" && !inside.ends_with("tests.rs") {
            let code = code(&fs::read_to_string(&file).expect("readable"));
            let mut named = named(&code);
            named.remove(&module);
            all.entry(module).or_default().extend(named);
        }
    }
    all
}

#[test]
fn no_rooms_import_each_other_in_a_circle() {
    for crate_name in ["rules", "rooms"] {
        let folder = root().join("server").join(crate_name).join("src");
        let mut left = imports(&folder);
        assert!(left.len() > 4, "{left:?}");
        let modules: BTreeSet<String> = left.keys().cloned().collect();
        // Whoever imports nobody that is left is in no circle.
        while let Some(free) = left
            .iter()
            .find(|(_, on)| on.iter().all(|one| !modules.contains(one)))
            .map(|(name, _)| name.clone())
        {
            left.remove(&free);
            for on in left.values_mut() {
                on.remove(&free);
            }
        }
        assert!(left.is_empty(), "a circle in {crate_name}: {left:?}");
    }
}
