//! A network namespace of our own: made with `ip netns`, entered by threads, removed when dropped.
//! Does not connect it to anything; `border` does.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::failure::{Failure, Outcome, Step};

/// Where `ip netns` keeps names.
const NAMES: &str = "/run/netns";
/// Every name begins so, followed by the process that made it.
const PREFIX: &str = "waule-bench-";

/// One end of the border.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
    handle: File,
}

impl Namespace {
    /// Makes one; `role` tells the two of a border apart.
    pub(super) fn new(role: &str) -> Outcome<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{role}", std::process::id());
        ip(&["netns", "add", &name])?;
        let path = Path::new(NAMES).join(&name);
        let handle = File::open(&path).step(|| format!("`{}`", path.display()));
        match handle {
            Ok(handle) => Ok(Self { name, handle }),
            Err(failure) => {
                remove(&name);
                Err(failure)
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Moves the calling thread into it, for good. Threads and processes it starts are inside too.
    pub(crate) fn enter(&self) -> Outcome<()> {
        move_into_link_name_space(self.handle.as_fd(), Some(LinkNameSpaceType::Network))
            .step(|| format!("the namespace `{}` cannot be entered", self.name))
    }

    /// Runs `work` on a thread inside, to its end.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Outcome<T> {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| self.enter().map(|()| work()));
            inside
                .join()
                .unwrap_or_else(|_| Err(Failure::new("a thread in a namespace panicked")))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Runs `ip` and gives what it printed; its own sentence is the failure's.
pub(super) fn ip(args: &[&str]) -> Outcome<String> {
    let step = || format!("`ip {}`", args.join(" "));
    let done = Command::new("ip").args(args).output().step(step)?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(Failure::new(format!("{}: {}", step(), said.trim())))
}

/// With everything that still runs in it: a command's own children outlive it.
fn remove(name: &str) {
    let inside = ip(&["netns", "pids", name]).unwrap_or_default();
    let own = std::process::id().cast_signed();
    for pid in inside.lines().filter_map(|pid| pid.trim().parse().ok()) {
        if let Some(process) = Pid::from_raw(pid)
            && pid != own
        {
            // It may have ended by itself meanwhile.
            let _ = kill_process(process, Signal::KILL);
        }
    }
    // Where it is gone already, there is nothing to do.
    let _ = ip(&["netns", "del", name]);
}

/// Removes the namespaces of processes that were killed before they could.
pub(super) fn remove_stale() {
    let names = std::fs::read_dir(NAMES).into_iter().flatten();
    for entry in names.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if maker(name).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            remove(name);
        }
    }
}

/// The process that made a namespace of ours.
fn maker(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_have_a_maker() {
        assert_eq!(maker("waule-bench-812-0-home"), Some(812));
        assert_eq!(maker("waule-bench-x-home"), None);
        assert_eq!(maker("prod-812-0-home"), None);
    }
}
