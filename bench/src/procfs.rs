//! Reads memory and CPU of processes from /proc. Leaves sampling times and arithmetic per request
//! to `load` and `compare`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// Linux reports CPU time to user space in hundredths of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Memory of one process or the sum over several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    pub(crate) resident_bytes: u64,
    pub(crate) peak_bytes: u64,
}

/// One line of /proc/PID/stat, as far as it is used.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    cpu: Duration,
}

/// A process with all its descendants: nginx and PostgreSQL work in children.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for pid in all_pids() {
        if let Some(stat) = read_stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.get(pid).into_iter().flatten());
        next += 1;
    }
    found
}

/// CPU time of the family of `root`; zero when it is gone.
pub(crate) fn cpu(root: u32) -> Duration {
    family(root)
        .into_iter()
        .filter_map(read_stat)
        .map(|stat| stat.cpu)
        .sum()
}

/// Memory of the family of `root`. Shared pages are counted once per process.
pub(crate) fn memory(root: u32) -> Memory {
    let mut sum = Memory::default();
    for pid in family(root) {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let memory = parse_memory(&status);
        sum.resident_bytes += memory.resident_bytes;
        sum.peak_bytes += memory.peak_bytes;
    }
    sum
}

fn all_pids() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn read_stat(pid: u32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(line: &str) -> Option<Stat> {
    // The name is in brackets and may itself hold spaces and brackets.
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        cpu: TICK * ticks,
    })
}

fn parse_memory(status: &str) -> Memory {
    let kilobytes = |name: &str| -> u64 {
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_suffix("kB")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0)
    };
    Memory {
        resident_bytes: kilobytes("VmRSS:") * 1024,
        peak_bytes: kilobytes("VmHWM:") * 1024,
    }
}

#[cfg(test)]
mod tests;
