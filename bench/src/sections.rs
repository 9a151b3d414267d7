//! The results file: a section for each command, replaced by its next run. Measures nothing.

use std::path::Path;

use crate::failure::{Outcome, Step};

const TITLE: &str = "# Benchmark results\n";

/// Replaces the section `name` of the file by `text`, or appends it.
pub(crate) fn put(path: &Path, name: &str, text: &str) -> Outcome<()> {
    let old = std::fs::read_to_string(path).unwrap_or_else(|_| TITLE.to_owned());
    let new = replaced(&old, name, text);
    std::fs::write(path, new).step(|| format!("`{}`", path.display()))
}

fn replaced(old: &str, name: &str, text: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->\n"),
    );
    let section = format!("{begin}{}\n{end}", text.trim_end());
    match (old.find(&begin), old.find(&end)) {
        (Some(from), Some(to)) if from < to => {
            let (before, after) = (&old[..from], &old[to + end.len()..]);
            format!("{before}{section}{after}")
        }
        _ => format!("{}\n\n{section}", old.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_appended_once_and_replaced_in_its_place() {
        let first = replaced(TITLE, "a", "one");
        let second = replaced(&first, "b", "two");
        let third = replaced(&second, "a", "three");
        assert_eq!(
            third,
            "# Benchmark results\n\n<!-- a -->\nthree\n<!-- end of a -->\n\n<!-- b -->\ntwo\n<!-- end of b -->\n"
        );
    }
}
