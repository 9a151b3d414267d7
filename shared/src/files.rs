//! Files and folders that only their owner may read: databases, journals, secrets, backups. Knows
//! nothing of what is in them.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tracing::warn;

/// Reading and writing for the owner, nothing for others.
const FILE_MODE: u32 = 0o600;
/// The same for a folder.
const FOLDER_MODE: u32 = 0o700;
/// What group and others may.
const OTHERS: u32 = 0o077;
/// Set on folders that are everybody's, such as `/tmp`: they are nobody's to close.
const STICKY: u32 = 0o1000;

/// Creates a file; one that is there already is an error.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    options.open(path)
}

/// Opens a file to append to it, or creates it; one that others could read is tightened.
pub fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(FILE_MODE);
    let file = options.open(path)?;
    tighten(path);
    Ok(file)
}

/// Creates a folder and those above it that are missing. One that is there stays as it is.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(FOLDER_MODE).create(path)
}

/// Takes away what group and others may do with a file or folder; earlier versions left it to the
/// umask. One that is missing or everybody's is left alone, one that can't be changed is told.
pub fn tighten(path: &Path) {
    // A link is not followed: what it leads to may be shared on purpose.
    let Ok(known) = std::fs::symlink_metadata(path) else {
        return;
    };
    let mode = known.mode() & 0o7777;
    if mode & OTHERS == 0 || mode & STICKY != 0 || known.is_symlink() {
        return;
    }
    if let Err(error) = std::fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS)) {
        let place = path.display();
        warn!(%error, "others on this machine may read {place}, and that can't be changed: {error}");
    }
}

/// Makes what was created, renamed or deleted in a folder survive a power cut.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
