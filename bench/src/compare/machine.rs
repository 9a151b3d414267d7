//! Describes the machine and the day, for the head of the report.

use std::process::Command;

/// What a reader has to know to compare figures of two reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) model: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) date: String,
}

pub(crate) fn describe() -> Machine {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Machine {
        cores: crate::cores(),
        model: cpu_model(&cpus).unwrap_or("an unnamed CPU").to_owned(),
        kernel: kernel.trim().to_owned(),
        rustc: said_by("rustc", "-V"),
        date: said_by("date", "+%F"),
    }
}

fn cpu_model(cpus: &str) -> Option<&str> {
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim())
}

fn said_by(program: &str, arg: &str) -> String {
    let output = Command::new(program).arg(arg).output();
    output.map_or_else(
        |_| format!("{program} unknown"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_named_by_the_first_model_line() {
        let cpus = "processor\t: 0\nmodel name\t: Example 9000 @ 3 GHz\nmodel name\t: Other\n";
        assert_eq!(cpu_model(cpus), Some("Example 9000 @ 3 GHz"));
        assert_eq!(cpu_model("processor : 0\n"), None);
    }
}
