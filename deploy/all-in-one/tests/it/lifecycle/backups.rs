//! Copies that are made under load: whole, restored, and refused where the database has tools of
//! its own.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use futures_util::future::join_all;

use super::process::{Process, command};
use super::{chat, get_json};
use crate::support::{long, places, until};

/// Runs `waule backup`.
fn back_up(folder: &Path, to: &Path) -> Output {
    let mut command = command("waule", folder, "");
    command.arg("backup").arg(to).output().expect("ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole_and_what_is_restored_from_it_adds_up_and_serves() {
    let [place, _] = places().await;
    let folder = place.folder().join("data");
    let mut process = Process::spawn("waule", &folder, "", &[]);
    process.alive().await;
    let to = place.folder().join("backup");
    let (calls, rounds) = (8, if long() { 40 } else { 10 });
    let load = join_all((0..calls).map(|_| async {
        for _ in 0..rounds {
            let (status, body) = chat(&process, "hi").await;
            assert_eq!(status, 200, "{body}");
        }
    }));
    let saving = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (folder, to) = (folder.clone(), to.clone());
        let saved = tokio::task::spawn_blocking(move || back_up(&folder, &to)).await;
        saved.expect("ran")
    };
    let (_, saved) = tokio::join!(load, saving);
    let said = String::from_utf8_lossy(&saved.stderr).into_owned();
    assert!(saved.status.success(), "{said}");
    for (name, mode) in [
        ("", 0o700),
        ("server.db", 0o600),
        ("gateway.db", 0o600),
        ("secrets.toml", 0o600),
    ] {
        let known = std::fs::metadata(to.join(name)).expect(name);
        assert_eq!(known.mode() & 0o777, mode, "{name}");
    }
    let again = back_up(&folder, &to);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && said.contains("not overwritten"),
        "{said}"
    );
    // The process dies, and its folder with it.
    drop(process);
    std::fs::remove_dir_all(&folder).expect("gone");
    let restored = place.folder().join("restored");
    std::fs::create_dir(&restored).expect("a folder");
    for name in ["server.db", "gateway.db", "secrets.toml"] {
        std::fs::copy(to.join(name), restored.join(name)).expect(name);
    }
    let verify = || {
        let mut command = command("waule", &restored, "");
        let output = command.args(["ledger", "verify"]).output().expect("ran");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
        assert_eq!(said, "no differences\n");
    };
    verify();
    let more = ["--recovery-seconds", "1", "--owner-silent-seconds", "1"];
    let mut process = Process::spawn("waule", &restored, "", &more);
    process.alive().await;
    let (status, body) = chat(&process, "hi").await;
    assert_eq!(
        status, 200,
        "the demo key and the sandbox's key are known: {body}"
    );
    // What ran at the moment of the backup is settled or released.
    until("nothing is held", Duration::from_secs(30), async || {
        get_json(&process, "/api/v1/credits/balance").await["held"] == 0
    })
    .await;
    drop(process);
    verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_postgresql_is_left_to_its_own_tools() {
    let [_, place] = places().await;
    let mut command = command("server", place.folder(), &place.database_url);
    let output = command.arg("backup").arg(place.folder().join("b")).output();
    let output = output.expect("ran");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("pg_dump"),
        "{said}"
    );
}
