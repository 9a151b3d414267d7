//! Carries the packets of one direction from one TUN device to the other, each at its time. Leaves
//! what befalls a packet to `conditions` and `flows`.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::setpriority_process;
use tun_rs::SyncDevice;

use super::conditions::{Fate, Line, Loss};
use super::flows::{Flows, Verdict};
use super::packet::{self, Direction, Flow};

/// How soon a mover notices that it should stop.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Packets read before due ones are written: reading must not make others late.
const READ_AT_ONCE: usize = 64;
/// Before everything that has not asked for a priority, behind the system's own.
const PRIORITY: i32 = -15;
/// The devices carry 1,500.
const PACKET_BYTES_MAX: usize = 2_048;

/// What both movers and whoever controls the border share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) loss: Loss,
    /// Until then every packet vanishes, also one that is under way.
    pub(super) hole_until: Option<Instant>,
    pub(super) flows: Flows,
    pub(super) out: Counts,
    pub(super) back: Counts,
    pub(super) stop: bool,
    /// Why a mover ended before it was told to.
    pub(super) broken: Option<String>,
}

impl Shared {
    pub(super) fn new(loss: Loss) -> Self {
        Self {
            loss,
            hole_until: None,
            flows: Flows::default(),
            out: Counts::default(),
            back: Counts::default(),
            stop: false,
            broken: None,
        }
    }

    fn counts(&mut self, way: Direction) -> &mut Counts {
        match way {
            Direction::Out => &mut self.out,
            Direction::Back => &mut self.back,
        }
    }

    fn in_hole(&self, now: Instant) -> bool {
        self.hole_until.is_some_and(|until| now < until)
    }
}

/// What one direction has seen, in packets where not said otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Taken from the sender, retransmissions included.
    pub(crate) offered: u64,
    pub(crate) offered_bytes: u64,
    pub(crate) lost: u64,
    pub(crate) queue_full: u64,
    pub(crate) cut: u64,
    pub(crate) delivered: u64,
    /// How long after its time a packet was written: the emulator's own error.
    pub(crate) late: Lateness,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lateness {
    sum: Duration,
    packets: u64,
    pub(crate) max: Duration,
    /// Packets written more than a millisecond late.
    pub(crate) over_1_ms: u64,
}

impl Lateness {
    fn add(&mut self, late: Duration) {
        self.sum += late;
        self.packets += 1;
        self.max = self.max.max(late);
        self.over_1_ms += u64::from(late > Duration::from_millis(1));
    }

    /// The greater mean and the greater maximum.
    pub(crate) fn worse(self, other: Self) -> Self {
        let mut worse = if self.mean() >= other.mean() {
            self
        } else {
            other
        };
        worse.max = self.max.max(other.max);
        worse
    }

    pub(crate) fn mean(&self) -> Duration {
        let packets = u32::try_from(self.packets).unwrap_or(u32::MAX).max(1);
        self.sum / packets
    }
}

/// The lock is held for single packets only, and nothing under it panics half way.
pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One direction.
pub(super) struct Mover {
    pub(super) way: Direction,
    pub(super) from: Arc<SyncDevice>,
    pub(super) to: Arc<SyncDevice>,
    pub(super) line: Line,
    pub(super) shared: Arc<Mutex<Shared>>,
    /// In the order of their time, which is the order of their arrival.
    pub(super) under_way: VecDeque<UnderWay>,
}

/// A packet between the devices.
pub(super) struct UnderWay {
    due: Instant,
    flow: Option<Flow>,
    bytes: Box<[u8]>,
}

impl Mover {
    /// Until the border is dropped.
    pub(super) fn run(mut self) {
        // On Linux this is the thread's own: what it carries must not wait for a core behind those
        // it is sent by. Refused to who is not root, and then packets are a little later.
        let _ = setpriority_process(None, PRIORITY);
        if let Err(error) = self.carry() {
            lock(&self.shared).broken = Some(format!("{:?}: {error}", self.way));
        }
    }

    fn carry(&mut self) -> io::Result<()> {
        let mut buffer = [0; PACKET_BYTES_MAX];
        while !lock(&self.shared).stop {
            self.write_due()?;
            let now = Instant::now();
            let next = self.under_way.front();
            let wait = next.map_or(LOOK_UP, |next| next.due.saturating_duration_since(now));
            if self.wait_readable(wait.min(LOOK_UP))? {
                self.read_some(&mut buffer)?;
            }
        }
        Ok(())
    }

    /// Up to `limit`, to the microsecond as far as the kernel's timers go.
    fn wait_readable(&self, limit: Duration) -> io::Result<bool> {
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(limit.min(LOOK_UP).subsec_nanos()),
        };
        let mut readable = [PollFd::new(&*self.from, PollFlags::IN)];
        match poll(&mut readable, Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..READ_AT_ONCE {
            match self.from.recv(buffer) {
                Ok(length) => self.take(&buffer[..length])?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Decides about a packet that was sent just now.
    fn take(&mut self, packet: &[u8]) -> io::Result<()> {
        let now = Instant::now();
        let segment = packet::read(packet, self.way);
        let mut shared = lock(&self.shared);
        let loss = shared.loss;
        let counts = shared.counts(self.way);
        counts.offered += 1;
        counts.offered_bytes += packet.len() as u64;
        let verdict = segment.as_ref().map_or(Verdict::Pass, |segment| {
            shared.flows.arrive(segment, self.way, packet.len())
        });
        let passes = matches!(verdict, Verdict::Pass) && !shared.in_hole(now);
        if !passes {
            shared.counts(self.way).cut += 1;
            drop(shared);
            return match verdict {
                Verdict::Refuse(reset) => write(&self.from, &reset.packet()),
                Verdict::Pass | Verdict::Vanish => Ok(()),
            };
        }
        match self.line.admit(now, packet.len(), loss) {
            Fate::Lost => shared.counts(self.way).lost += 1,
            Fate::QueueFull => shared.counts(self.way).queue_full += 1,
            Fate::Due(due) => self.under_way.push_back(UnderWay {
                due,
                flow: segment.map(|segment| segment.flow),
                bytes: packet.into(),
            }),
        }
        Ok(())
    }

    fn write_due(&mut self) -> io::Result<()> {
        loop {
            let now = Instant::now();
            if self.under_way.front().is_none_or(|first| first.due > now) {
                return Ok(());
            }
            let Some(first) = self.under_way.pop_front() else {
                return Ok(());
            };
            let mut shared = lock(&self.shared);
            let is_cut =
                shared.in_hole(now) || first.flow.is_some_and(|flow| !shared.flows.passes(&flow));
            let counts = shared.counts(self.way);
            if is_cut {
                counts.cut += 1;
                continue;
            }
            counts.delivered += 1;
            counts.late.add(now - first.due);
            drop(shared);
            write(&self.to, &first.bytes)?;
        }
    }
}

/// A packet the kernel has no room for is a lost one, as on any network card.
pub(super) fn write(device: &SyncDevice, packet: &[u8]) -> io::Result<()> {
    match device.send(packet) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}
