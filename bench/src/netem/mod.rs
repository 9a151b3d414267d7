//! `bench netem`: a bad network on one machine, for any command. Reads arguments and cleans up;
//! `border` makes the network of packets, `proxy` the poorer one of bytes.
//!
//! Two network namespaces are joined by TUN devices, so that real kernels' TCP and UDP meet the
//! loss. The emulator is exact to the kernel's timers: how late packets were is said at the end.

pub(crate) mod border;
pub(crate) mod conditions;
mod flows;
mod mover;
pub(crate) mod namespace;
mod packet;
mod proxy;
mod schedule;
#[cfg(test)]
mod tests;

pub(crate) use mover::{Counts, Lateness};

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use border::control::Control;
use border::{Border, HOME, OVERSEAS};
use conditions::{Conditions, Loss};
use schedule::Planned;

use crate::failure::{Failure, Outcome, Step};
use crate::say;
use crate::stop::Stop;

/// How often a running command and the time of the next cut are looked at.
const LOOK: Duration = Duration::from_millis(2);

#[derive(Debug, clap::Args)]
pub(crate) struct NetemArgs {
    /// Delay one way, in milliseconds; the round trip is twice that.
    #[arg(long, default_value_t = 100.0)]
    delay_ms: f64,
    /// Up to so many milliseconds more; the order of packets is kept.
    #[arg(long, default_value_t = 0.0)]
    jitter_ms: f64,
    /// Packets lost out of a hundred, in each direction.
    #[arg(long, default_value_t = 0.0)]
    loss_percent: f64,
    /// Mean number of packets lost in a row.
    #[arg(long, default_value_t = 1.0)]
    burst: f64,
    /// Bandwidth in Mbit/s, each way; no limit when 0.
    #[arg(long, default_value_t = 50.0)]
    mbit: f64,
    /// Queue before the line in KiB; one round trip's worth when absent.
    #[arg(long)]
    queue_kib: Option<u64>,
    /// The same seed loses the same packets of the same traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A cut, so many milliseconds after the start: `reset@5000`, `blackhole:3000@5000` or
    /// `flow@5000` (the busiest connection vanishes); also `loss:2@5000` and `restore@5000`. With
    /// `--proxy` the first three and `halfclose@5000`. May be repeated.
    #[arg(long = "cut")]
    cuts: Vec<Planned>,
    /// Congestion control of sockets that do not ask for one.
    #[arg(long, default_value = "cubic")]
    congestion: String,
    /// Shell command to run overseas meanwhile.
    #[arg(long)]
    overseas: Option<String>,
    /// Without namespaces and root: forward this address, given as LISTEN=TARGET, as bytes, with
    /// delay, bandwidth and cuts. Loss has no meaning there.
    #[arg(long)]
    proxy: Option<String>,
    /// Command to run at home; overseas is 10.77.0.2.
    #[arg(last = true)]
    command: Vec<String>,
}

pub(crate) fn run(args: &NetemArgs) -> Outcome<()> {
    let conditions = args.conditions()?;
    let stop = Stop::on_signals()?;
    if let Some(route) = &args.proxy {
        if args.loss_percent > 0.0 || args.jitter_ms > 0.0 {
            return Err(Failure::new(
                "a proxy of bytes can show neither loss nor jitter; leave --loss-percent and --jitter-ms out",
            ));
        }
        return proxy::run(route, conditions, &args.cuts, &stop);
    }
    let Some((program, rest)) = args.command.split_first() else {
        return Err(Failure::new("give a command to run at home, after `--`"));
    };
    let border = Border::new(conditions, &args.congestion)?;
    say(&format!(
        "home {HOME} in `{}`, overseas {OVERSEAS} in `{}` (`ip netns exec NAME …` runs things there)",
        border.home.name(),
        border.overseas.name()
    ));
    let mut overseas = match &args.overseas {
        None => None,
        Some(line) => {
            let mut command = Command::new("sh");
            command.args(["-c", line]);
            let started = border.overseas.run(|| command.spawn())?;
            Some(Guarded(started.step(|| format!("`{line}`"))?))
        }
    };
    let mut command = Command::new(program);
    command
        .args(rest)
        .env("WAULE_HOME_NETNS", border.home.name())
        .env("WAULE_OVERSEAS_NETNS", border.overseas.name());
    let started = border.home.run(|| command.spawn())?;
    let mut command = Guarded(started.step(|| format!("`{program}`"))?);
    let done = attend(&mut command, border.control(), &args.cuts, &stop);
    if let Some(overseas) = &mut overseas {
        overseas.end();
    }
    report(border.control());
    done
}

/// Why this machine can't have a border, if it can't. Tests ask before they rely on one.
#[cfg(test)]
pub(crate) fn missing() -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;

    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Some("it needs root");
    }
    let has_tun = std::path::Path::new("/dev/net/tun").exists();
    (!has_tun).then_some("/dev/net/tun is missing")
}

impl NetemArgs {
    fn conditions(&self) -> Outcome<Conditions> {
        let duration = |milliseconds: f64, name: &str| {
            Duration::try_from_secs_f64(milliseconds / 1_000.0).step(|| format!("--{name}"))
        };
        if !(0.0..100.0).contains(&self.loss_percent) {
            return Err(Failure::new("--loss-percent is from 0 to below 100"));
        }
        if !(self.burst >= 1.0 && self.burst.is_finite()) {
            return Err(Failure::new("--burst is at least 1"));
        }
        Ok(Conditions {
            delay: duration(self.delay_ms, "delay-ms")?,
            jitter: duration(self.jitter_ms, "jitter-ms")?,
            loss: Loss {
                fraction: self.loss_percent / 100.0,
                burst: self.burst,
            },
            bits_per_second: bits_per_second(self.mbit)?,
            queue_bytes: self.queue_kib.map(|kib| kib.saturating_mul(1_024)),
            seed: self.seed,
        })
    }
}

/// Of a bandwidth in Mbit/s; 0 is no limit.
pub(crate) fn bits_per_second(mbit: f64) -> Outcome<Option<u64>> {
    // A terabit; more is a mistyped number.
    if !(0.0..=1e6).contains(&mbit) {
        return Err(Failure::new("--mbit is from 0 to 1000000"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be from 0 to 1e12"
    )]
    let bits = (mbit * 1e6) as u64;
    Ok((bits > 0).then_some(bits))
}

/// Waits for the command's end and makes the cuts meanwhile.
fn attend(command: &mut Guarded, control: &Control, cuts: &[Planned], stop: &Stop) -> Outcome<()> {
    let begin = Instant::now();
    let mut cuts: Vec<Planned> = cuts.to_vec();
    cuts.sort_by_key(|planned| planned.at);
    let mut cuts = cuts.into_iter().peekable();
    loop {
        if let Some(status) = command.0.try_wait().step(|| "the command".into())? {
            if status.success() {
                return Ok(());
            }
            return Err(Failure::new(format!("the command ended with {status}")));
        }
        stop.check()?;
        control.check()?;
        while let Some(planned) = cuts.next_if(|planned| begin.elapsed() >= planned.at) {
            let hit = planned.make(control)?;
            say(&planned.told(hit));
        }
        std::thread::sleep(LOOK);
    }
}

fn report(control: &Control) {
    let (out, back) = control.counts();
    for (name, counts) in [("out", out), ("back", back)] {
        say(&format!("{name}: {}", describe(&counts)));
    }
}

/// One line for a person.
pub(crate) fn describe(counts: &Counts) -> String {
    format!(
        "{} packets with {} bytes offered, {} delivered, {} lost, {} refused by the queue, {} cut; \
         late by {:.3} ms on average, {:.3} ms at most, {} more than 1 ms",
        counts.offered,
        counts.offered_bytes,
        counts.delivered,
        counts.lost,
        counts.queue_full,
        counts.cut,
        counts.late.mean().as_secs_f64() * 1e3,
        counts.late.max.as_secs_f64() * 1e3,
        counts.late.over_1_ms,
    )
}

/// A child that does not outlive us.
struct Guarded(Child);

impl Guarded {
    fn end(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            // It may have ended in between; then there is nothing left to kill.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}
