//! Copies while somebody writes.

use std::os::unix::fs::MetadataExt;

use diesel::sql_types::BigInt;

use super::*;

#[derive(QueryableByName)]
struct Sums {
    #[diesel(sql_type = BigInt)]
    left: i64,
    #[diesel(sql_type = BigInt)]
    right: i64,
}

fn open(path: &Path) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(&path.display().to_string()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL;")
        .unwrap();
    conn
}

fn sums(path: &Path) -> (i64, i64) {
    let rows: Vec<Sums> =
        diesel::sql_query("SELECT COUNT(*) AS left, COALESCE(SUM(n), 0) AS right FROM t")
            .load(&mut open(path))
            .unwrap();
    (rows[0].left, rows[0].right)
}

#[test]
fn a_copy_under_load_is_of_one_moment_private_and_never_over_another() {
    let home = tempfile::tempdir().unwrap();
    let (server, gateway) = (
        home.path().join("server.db"),
        home.path().join("gateway.db"),
    );
    for path in [&server, &gateway] {
        open(path)
            .batch_execute("CREATE TABLE t (n BIGINT NOT NULL)")
            .unwrap();
    }
    let secrets = home.path().join("secrets.toml");
    std::fs::write(&secrets, "a = 'b'").unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (stopped, path) = (stop.clone(), server.clone());
    // Pairs that cancel each other out: half of one would be seen.
    let writer = std::thread::spawn(move || {
        let mut conn = open(&path);
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            conn.batch_execute(
                "BEGIN IMMEDIATE; INSERT INTO t VALUES (5); INSERT INTO t VALUES (-5); COMMIT;",
            )
            .unwrap();
        }
    });
    while sums(&server).0 < 20 {
        std::thread::yield_now();
    }
    let databases = [
        (DbTarget::Sqlite(server.clone()), "server.db"),
        (DbTarget::Sqlite(gateway), "gateway.db"),
    ];
    let to = home.path().join("backups/one/");
    let saved = save(&databases, &secrets, &to).unwrap().saved;
    let names: Vec<_> = saved
        .iter()
        .map(|one| one.place.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["gateway.db", "secrets.toml", "server.db"]);
    let (rows, sum) = sums(&to.join("server.db"));
    assert!(
        rows >= 20 && rows % 2 == 0 && sum == 0,
        "{rows} rows, {sum}"
    );
    for one in &saved {
        assert!(one.bytes > 0);
        assert_eq!(std::fs::metadata(&one.place).unwrap().mode() & 0o777, 0o600);
    }
    assert_eq!(std::fs::metadata(&to).unwrap().mode() & 0o777, 0o700);
    assert!(matches!(
        save(&databases, &secrets, &to),
        Err(BackupError::Taken(_))
    ));
    let parts = std::fs::read_dir(home.path().join("backups"))
        .unwrap()
        .count();
    assert_eq!(parts, 1, "nothing else is left behind");
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn what_cant_be_saved_is_said_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let (to, secrets) = (home.path().join("b"), home.path().join("none"));
    let postgres = DbTarget::Postgres("postgres://u:very-secret@h/d".to_owned());
    let sentence = |target: &DbTarget| {
        save(&[(target.clone(), "server.db")], &secrets, &to)
            .unwrap_err()
            .to_string()
    };
    let told = sentence(&postgres);
    assert!(
        told.contains("pg_dump") && !told.contains("very-secret"),
        "{told}"
    );
    let missing = DbTarget::Sqlite(home.path().join("missing.db"));
    assert!(sentence(&missing).contains("there is no database"));
    assert!(
        !home.path().join("missing.db").exists(),
        "looking creates nothing"
    );
    let broken = home.path().join("broken.db");
    std::fs::write(&broken, vec![7; 8_192]).unwrap();
    let told = sentence(&DbTarget::Sqlite(broken.clone()));
    assert!(told.contains("broken.db"), "{told}");
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        1,
        "only what was there"
    );
    // Where one database is PostgreSQL's, the other is saved and the first is named.
    std::fs::remove_file(&broken).unwrap();
    open(&broken)
        .batch_execute("CREATE TABLE t (n BIGINT)")
        .unwrap();
    let both = [
        (postgres, "server.db"),
        (DbTarget::Sqlite(broken), "gateway.db"),
    ];
    let backup = save(&both, &secrets, &to).unwrap();
    assert_eq!((backup.saved.len(), backup.elsewhere.len()), (1, 1));
}
