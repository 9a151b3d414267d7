//! A place on disk where a child process runs and crashes, copied and removed as a whole.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diesel_async::SimpleAsyncConnection;
use shared::db::Db;
use shared::id::random_text;

use crate::support::Place;

/// One database in one folder, made ready once and copied for each crash.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) folder: PathBuf,
    pub(super) database_url: String,
}

impl Spot {
    pub(super) fn place(&self) -> Place {
        Place::at(
            self.folder.clone(),
            self.database_url.clone(),
            String::new(),
        )
    }

    /// Runs a part in a child; answers how it ended.
    pub(super) fn child(&self, part: &str, end_at: u64) -> Output {
        Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "crash::points::child",
                "--ignored",
                "--nocapture",
            ])
            .env("WAULE_TEST_PART", part)
            .env("WAULE_TEST_FOLDER", &self.folder)
            .env("WAULE_TEST_DATABASE", &self.database_url)
            .env("WAULE_TEST_END_AT", end_at.to_string())
            .stdin(Stdio::null())
            .output()
            .expect("a child")
    }

    /// A part that must come to its end; answers the effects it had.
    pub(super) fn whole(&self, part: &str) -> u64 {
        let output = self.child(part, u64::MAX);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{part}: {said}{wrong}");
        let count = said.lines().find_map(|line| line.split_once("effects: "));
        let (_, count) = count.unwrap_or_else(|| panic!("{part}: {said}"));
        count.trim().parse().expect("a number")
    }

    pub(super) async fn copy(&self, admin: &Db, kept: &Path) -> Self {
        let folder = kept.join(random_text(8));
        copy_folder(&self.folder, &folder);
        let mut copy = Self {
            folder,
            database_url: String::new(),
        };
        if let Some((server, template)) = self.database_url.rsplit_once('/') {
            let name = format!("crash_{}", random_text(12));
            execute(
                admin,
                &format!("CREATE DATABASE {name} TEMPLATE {template}"),
            )
            .await;
            copy.database_url = format!("{server}/{name}");
        }
        copy
    }

    pub(super) async fn remove(self, admin: &Db) {
        std::fs::remove_dir_all(&self.folder).expect("removed");
        if let Some((_, name)) = self.database_url.rsplit_once('/') {
            execute(admin, &format!("DROP DATABASE {name}")).await;
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("files") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().expect("a name"));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}

pub(super) async fn execute(db: &Db, statement: &str) {
    let Db::Postgres(pool) = db else {
        panic!("PostgreSQL")
    };
    let mut conn = pool.get().await.expect("a connection");
    conn.batch_execute(statement).await.expect(statement);
}
