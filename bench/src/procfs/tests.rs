//! Lines of `/proc` are read with odd names and without values, and this process finds itself.

use super::*;

#[test]
fn a_stat_line_is_read_behind_a_name_with_brackets_and_spaces() {
    let line = "77 (nginx: (w) 1) S 42 77 77 0 -1 4194560 100 0 0 0 150 50 7 3 20 0 1 0 99 1 2";
    let stat = parse_stat(line).unwrap();
    assert_eq!(
        stat,
        Stat {
            parent: 42,
            cpu: Duration::from_secs(2)
        }
    );
}

#[test]
fn a_broken_stat_line_is_no_process() {
    assert_eq!(parse_stat("77 (x) S 1"), None);
    assert_eq!(parse_stat(""), None);
}

#[test]
fn memory_is_read_in_bytes_and_a_kernel_thread_has_none() {
    let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
    let memory = parse_memory(status);
    assert_eq!(
        memory,
        Memory {
            resident_bytes: 1_048_576,
            peak_bytes: 2_097_152
        }
    );
    assert_eq!(parse_memory("Name:\tkthreadd\n"), Memory::default());
}

#[test]
fn this_process_is_in_its_own_family_and_has_memory() {
    let me = std::process::id();
    assert!(family(me).contains(&me));
    assert!(memory(me).resident_bytes > 0);
}
