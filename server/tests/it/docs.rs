//! The pages of `docs/` that tell how to add things quote code that is compiled and run: a block that is
//! no longer there makes the page untrue.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// The blocks of a page, each with the file that it is quoted from.
fn quotes(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let file = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        let Some(file) = file else {
            assert!(
                line != "```rust",
                "a block of code without the file it is from"
            );
            continue;
        };
        assert_eq!(
            lines.next(),
            Some("```rust"),
            "{file} is named without a quote"
        );
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        found.push((file.to_owned(), block.join("\n")));
    }
    found
}

#[test]
fn pages_that_show_how_to_add_things_quote_what_is_run() {
    let mut seen = 0;
    for page in ["adding-a-surface.md", "adding-a-provider.md"] {
        let text = fs::read_to_string(root().join("docs").join(page)).expect(page);
        let quotes = quotes(&text);
        assert!(!quotes.is_empty(), "{page} quotes nothing");
        for (file, block) in quotes {
            let source = fs::read_to_string(root().join(&file)).expect(&file);
            assert!(
                source.contains(&block),
                "{page}: not in {file} any more:\n{block}"
            );
            seen += 1;
        }
        let paths = text.split('`').skip(1).step_by(2);
        let is_path =
            |word: &&str| word.contains('/') && !word.starts_with('/') && !word.contains(' ');
        for path in paths.filter(is_path) {
            assert!(
                root().join(path).exists(),
                "{page} speaks of {path}, which is not there"
            );
        }
    }
    assert!(seen >= 6, "{seen}");
}

/// Every Rust source below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

#[test]
fn decisions_that_code_leans_on_are_there_and_listed() {
    const PLACE: &str = "docs/decisions/";
    let list = fs::read_to_string(root().join(PLACE).join("README.md")).expect("the list");
    let mut pages = 0;
    for entry in fs::read_dir(root().join(PLACE)).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy().into_owned();
        if name != "README.md" {
            assert!(list.contains(&format!("({name})")), "{name} is not listed");
            pages += 1;
        }
    }
    assert!(pages >= 10, "{pages}");
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let mut seen = 0;
    let own = Path::new(file!()).file_name();
    for file in files.iter().filter(|file| file.file_name() != own) {
        let text = fs::read_to_string(file).expect("text");
        for (at, _) in text.match_indices(PLACE) {
            let rest = &text[at + PLACE.len()..];
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            let page = &rest[..end.unwrap_or(rest.len())];
            assert!(
                root().join(PLACE).join(format!("{page}.md")).exists(),
                "{} leans on {page}, which is not there",
                file.display()
            );
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}
