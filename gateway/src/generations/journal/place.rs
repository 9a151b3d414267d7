//! Which folder a journal lies in: a name that lives as long as the folder, so that a process can tell
//! calls that its own journal would know from those of another machine's.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use shared::files;
use shared::id::random_text;

/// The file with the name.
const FILE: &str = "folder-id";
/// Letters of a name: no two folders of one product have the same.
pub(super) const LETTERS: usize = 16;

/// The folder's name; made where it has none.
pub(super) fn of(folder: &Path) -> io::Result<String> {
    let path = folder.join(FILE);
    if let Some(name) = read(&path)? {
        return Ok(name);
    }
    files::folder(folder)?;
    // Written whole under another name first: of two processes that start at once the second takes the
    // first one's.
    let made = random_text(LETTERS);
    let draft = folder.join(format!("{FILE}-{made}"));
    let mut file = files::create(&draft)?;
    file.write_all(made.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => files::sync_folder(folder)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    read(&path)?.ok_or_else(|| io::Error::other(format!("{} holds no name", path.display())))
}

fn read(path: &Path) -> io::Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = text.trim();
    let is_name = name.len() == LETTERS && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_name {
        Ok(Some(name.to_owned()))
    } else {
        Err(io::Error::other(format!(
            "{} holds no name",
            path.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_and_another_has_another() {
        let home = tempfile::tempdir().expect("a folder");
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        let name = of(&one).expect("made");
        assert_eq!(of(&one).expect("read"), name);
        assert_ne!(of(&two).expect("made"), name);
        let left: Vec<_> = fs::read_dir(&one).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn those_that_start_at_once_agree() {
        let home = tempfile::tempdir().expect("a folder");
        let names: Vec<String> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| of(home.path()))).collect();
            let ends = starts
                .into_iter()
                .map(|start| start.join().expect("no panic"));
            ends.map(|name| name.expect("a name")).collect()
        });
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    }

    #[test]
    fn what_is_no_name_is_not_taken_for_one() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join(FILE), "torn").expect("written");
        of(home.path()).expect_err("not a name");
    }
}
