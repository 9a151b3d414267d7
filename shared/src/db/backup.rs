//! A copy of SQLite databases while processes use them: each as it was at one moment, private, whole
//! on the disk before it is called a backup. Copying the files by other means misses what stands in
//! the log beside them. Knows no table.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};

use super::DbTarget;
use crate::config::Common;
use crate::files;
use crate::process::say;

/// Name of the server's database in a backup, as in the data folder.
pub const SERVER: &str = "server.db";
/// Name of the gateway's.
pub const GATEWAY: &str = "gateway.db";

/// How long the copy waits for a process that has the file for itself, which one that starts has.
const BUSY_MAX: Duration = Duration::from_secs(60);

/// Why there is no backup; one sentence.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// All databases are PostgreSQL.
    #[error("{0} is PostgreSQL: back it up with `pg_dump`")]
    Postgres(String),
    /// Something is where the backup should be.
    #[error("{0} is there already and is not overwritten: name another folder")]
    Taken(String),
    /// There is nothing to back up.
    #[error("there is no database at {0}")]
    Missing(String),
    /// The disk refused.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// SQLite refused.
    #[error("{0} was not copied: {1}")]
    Sqlite(String, String),
    /// What was written can't be read.
    #[error("the copy of {0} is damaged: {1}")]
    Damaged(String, String),
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Where it is.
    pub place: PathBuf,
    /// How large it is.
    pub bytes: u64,
}

/// What is saved, and what is not.
#[derive(Debug, Default)]
pub struct Backup {
    /// Files of the backup.
    pub saved: Vec<Saved>,
    /// Databases that are to be saved by other means, without their passwords.
    pub elsewhere: Vec<String>,
}

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    text: String,
}

/// [`save`] for a program's command: tells on standard output what is where.
pub async fn run(
    databases: Vec<(DbTarget, &'static str)>,
    common: &Common,
    to: PathBuf,
) -> Result<(), BackupError> {
    let (secrets, shown) = (common.secrets_file(), to.display().to_string());
    let work = tokio::task::spawn_blocking(move || save(&databases, &secrets, &to));
    let backup = match work.await {
        Ok(saved) => saved?,
        Err(error) => return Err(BackupError::Sqlite(shown, error.to_string())),
    };
    for Saved { place, bytes } in &backup.saved {
        say(&format!("{}  {bytes} bytes\n", place.display()));
    }
    for place in &backup.elsewhere {
        say(&format!(
            "{place} is PostgreSQL and not in it: back it up with `pg_dump`\n"
        ));
    }
    Ok(())
}

/// Saves each database of `databases` under its name, and the `secrets` where that file is there, in
/// the new folder `to`. It has its name only when it is whole.
pub fn save(
    databases: &[(DbTarget, &str)],
    secrets: &Path,
    to: &Path,
) -> Result<Backup, BackupError> {
    let mut backup = Backup::default();
    let mut files = Vec::new();
    for (target, name) in databases {
        match target {
            DbTarget::Postgres(_) => backup.elsewhere.push(target.shown()),
            DbTarget::Sqlite(path) if path.is_file() => files.push((path.as_path(), *name)),
            DbTarget::Sqlite(_) => return Err(BackupError::Missing(target.shown())),
        }
    }
    if files.is_empty() {
        return Err(BackupError::Postgres(backup.elsewhere.join(" and ")));
    }
    let shown = to.display().to_string();
    if is_taken(to) {
        return Err(BackupError::Taken(shown));
    }
    let io = |place: &Path, error| BackupError::Io(place.display().to_string(), error);
    let beside = beside(to);
    files::folder(&beside).map_err(|e| io(&beside, e))?;
    let outcome = fill(&files, secrets, &beside)
        .and_then(|()| std::fs::rename(&beside, to).map_err(|e| io(to, e)));
    if outcome.is_err() {
        // Only what was made here a moment ago.
        let _ = std::fs::remove_dir_all(&beside);
    }
    outcome?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    files::sync_folder(parent).map_err(|e| io(parent, e))?;
    for entry in std::fs::read_dir(to).map_err(|e| io(to, e))? {
        let entry = entry.map_err(|e| io(to, e))?;
        let bytes = entry.metadata().map_err(|e| io(to, e))?.len();
        let place = entry.path();
        backup.saved.push(Saved { place, bytes });
    }
    backup.saved.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(backup)
}

/// Anything but an empty folder.
fn is_taken(to: &Path) -> bool {
    match std::fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// On the same disk as `to`, and not there yet.
fn beside(to: &Path) -> PathBuf {
    let mut name = to.components().as_path().as_os_str().to_owned();
    name.push(format!(".part-{}", crate::id::random_text(8)));
    PathBuf::from(name)
}

fn fill(databases: &[(&Path, &str)], secrets: &Path, folder: &Path) -> Result<(), BackupError> {
    let io = |place: &Path, error| BackupError::Io(place.display().to_string(), error);
    for (from, name) in databases {
        let to = folder.join(name);
        copy(from, &to)?;
        check(from, &to)?;
        let synced = File::open(&to).and_then(|file| file.sync_all());
        synced.map_err(|e| io(&to, e))?;
    }
    if secrets.is_file() {
        let to = folder.join("secrets.toml");
        let copied = || -> io::Result<()> {
            let mut copy = files::create(&to)?;
            io::copy(&mut File::open(secrets)?, &mut copy)?;
            copy.sync_all()
        };
        copied().map_err(|e| io(&to, e))?;
    }
    files::sync_folder(folder).map_err(|e| io(folder, e))
}

/// One reading transaction writes the whole database as it was when that began; writers go on.
fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let shown = from.display().to_string();
    let failed = |why: String| BackupError::Sqlite(shown.clone(), why);
    let io = |error| BackupError::Io(to.display().to_string(), error);
    // An empty file is taken as the place to write to, and keeps its rights.
    files::create(to).map_err(io)?;
    let mut conn = SqliteConnection::establish(&shown).map_err(|e| failed(e.to_string()))?;
    let busy = format!("PRAGMA busy_timeout={};", BUSY_MAX.as_millis());
    conn.batch_execute(&busy)
        .map_err(|e| failed(e.to_string()))?;
    diesel::sql_query("VACUUM INTO $1")
        .bind::<Text, _>(to.display().to_string())
        .execute(&mut conn)
        .map(drop)
        .map_err(|e| failed(e.to_string()))
}

/// Reads the copy to its end.
fn check(from: &Path, to: &Path) -> Result<(), BackupError> {
    let damaged = |why: String| BackupError::Damaged(from.display().to_string(), why);
    let mut conn = SqliteConnection::establish(&to.display().to_string())
        .map_err(|e| damaged(e.to_string()))?;
    let rows: Vec<Checked> =
        diesel::sql_query("SELECT quick_check AS text FROM pragma_quick_check")
            .load(&mut conn)
            .map_err(|e| damaged(e.to_string()))?;
    match rows.as_slice() {
        [only] if only.text == "ok" => Ok(()),
        [first, ..] => Err(damaged(first.text.clone())),
        [] => Err(damaged("nothing is known of it".to_owned())),
    }
}

#[cfg(test)]
mod tests;
