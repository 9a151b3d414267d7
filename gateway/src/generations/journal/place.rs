//! The folder that a journal lies in: a name and an age that it keeps as long as it is there, so that a
//! process can tell calls that its own journal would know from those of another machine, and from those of
//! before the folder was emptied.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use shared::clock::Moment;
use shared::files;
use shared::id::random_text;

/// The file with the name.
const FILE: &str = "folder-id";
/// Letters of a name: no two folders of one product have the same.
const LETTERS: usize = 16;

/// A folder, as it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) made_at: Moment,
}

impl Place {
    /// Of a folder; it is given a name where it has none.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        if let Some(known) = read(&path)? {
            return Ok(known);
        }
        files::folder(folder)?;
        // Written whole under another name first: of two processes that start at once the second takes
        // the first one's.
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
        read(&path)?.ok_or_else(|| nameless(&path))
    }

    /// Of a process whose folder takes nothing: no later one will be taken for it.
    pub(super) fn nowhere(now: Moment) -> Self {
        Self {
            name: random_text(LETTERS),
            made_at: now,
        }
    }
}

fn nameless(path: &Path) -> io::Error {
    io::Error::other(format!("{} holds no name", path.display()))
}

fn read(path: &Path) -> io::Result<Option<Place>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = text.trim();
    if name.len() != LETTERS || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(nameless(path));
    }
    let made = fs::metadata(path)?.modified()?;
    let made = made.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(Place {
        name: name.to_owned(),
        made_at: Moment::from_unix_ms(i64::try_from(made.as_millis()).unwrap_or(i64::MAX)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_and_another_has_another() {
        let home = tempfile::tempdir().expect("a folder");
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        let place = Place::of(&one).expect("made");
        assert_eq!(Place::of(&one).expect("read"), place);
        assert_ne!(Place::of(&two).expect("made").name, place.name);
        let left: Vec<_> = fs::read_dir(&one).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn those_that_start_at_once_agree() {
        let home = tempfile::tempdir().expect("a folder");
        let places: Vec<Place> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Place::of(home.path())))
                .collect();
            let ends = starts
                .into_iter()
                .map(|start| start.join().expect("no panic"));
            ends.map(|place| place.expect("a name")).collect()
        });
        assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    }

    #[test]
    fn what_is_no_name_is_not_taken_for_one() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join(FILE), "torn").expect("written");
        Place::of(home.path()).expect_err("not a name");
    }
}
