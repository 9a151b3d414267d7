//! A stage leaves no process and no folder behind, and failures bring their log along.

use super::*;

#[test]
fn a_dropped_stage_ends_its_processes_and_removes_its_folder() {
    let mut stage = Stage::new().unwrap();
    let folder = stage.folder().to_owned();
    let pid = Launch::new("sleeper", "sleep")
        .arg("600")
        .start(&mut stage)
        .unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    drop(stage);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

#[test]
fn a_process_that_ended_by_itself_is_reported_with_its_log() {
    let mut stage = Stage::new().unwrap();
    let launch = Launch::new("failing", "sh")
        .arg("-c")
        .arg("echo no database >&2; exit 3");
    let mut running = launch.start_apart(&mut stage).unwrap();
    let failure = loop {
        if let Err(failure) = running.check() {
            break failure.to_string();
        }
        std::thread::sleep(POLL);
    };
    assert!(
        failure.contains("failing ended with exit status: 3"),
        "{failure}"
    );
    assert!(failure.contains("no database"), "{failure}");
}

#[test]
fn a_tool_that_fails_says_what_it_said() {
    let stage = Stage::new().unwrap();
    let tool = Launch::new("tool", "sh")
        .arg("-c")
        .arg("echo broken >&2; exit 1");
    let failure = tool.finish(&stage).unwrap_err().to_string();
    assert!(failure.contains("broken"), "{failure}");
}
