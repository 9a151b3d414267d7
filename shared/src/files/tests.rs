//! What is made is private, and what is not ours to change is left alone.

use std::io::Write;

use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn what_is_made_is_private_and_what_was_there_becomes_so() {
    let home = tempfile::tempdir().unwrap();
    let inner = home.path().join("a/b");
    folder(&inner).unwrap();
    assert_eq!((mode(&inner), mode(&home.path().join("a"))), (0o700, 0o700));
    let file = inner.join("secret");
    create(&file).unwrap().write_all(b"1").unwrap();
    assert_eq!(mode(&file), 0o600);
    let again = create(&file).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    append(&file).unwrap().write_all(b"2").unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"12");
    assert_eq!(mode(&file), 0o600);
    std::fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
    tighten(&inner);
    assert_eq!(mode(&inner), 0o700);
    sync_folder(&inner).unwrap();
}

#[test]
fn what_is_everybodys_missing_or_a_link_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let shared = home.path().join("tmp");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    tighten(&shared);
    assert_eq!(mode(&shared), 0o1777);
    tighten(&home.path().join("missing"));
    let (file, link) = (home.path().join("file"), home.path().join("link"));
    std::fs::write(&file, "x").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    tighten(&link);
    assert_eq!(mode(&file), 0o644);
}
