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
