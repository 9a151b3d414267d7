//! Two network namespaces, home and overseas, and the bad line between them, with a handle to make
//! it worse while it is in use. Leaves the packets to `mover`.

pub(crate) mod control;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tun_rs::{DeviceBuilder, SyncDevice};

use self::control::Control;
use super::conditions::{Conditions, Line};
use super::mover::{Mover, Shared, lock};
use super::namespace::{self, Namespace, ip};
use super::packet::Direction;
use crate::failure::{Outcome, Step};

/// Home's address on the border.
pub(crate) const HOME: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The address under which home reaches overseas.
pub(crate) const OVERSEAS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const NETWORK: &str = "10.77.0.0/24";
const DEVICE: &str = "border0";
const MTU: u16 = 1_500;
/// A mover that waits for a core must not lose what it has not read: 10,000 packets are 2.4 s at
/// 50 Mbit/s.
const DEVICE_QUEUE: u32 = 10_000;

/// The two ends and the line between them; a drop removes all of it.
#[derive(Debug)]
pub(crate) struct Border {
    control: Control,
    movers: Vec<JoinHandle<()>>,
    pub(crate) home: Namespace,
    pub(crate) overseas: Namespace,
}

/// A cut in the middle of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Resets are forged to both ends of every connection that crosses now, as a middlebox does;
    /// what was under way on them vanishes. New connections are not hindered.
    Reset,
    /// All packets vanish for that long, also those under way.
    BlackHole(Duration),
    /// The busiest connection is dropped for ever, without a sign; the others live.
    SilentFlow,
}

impl Border {
    /// Needs root and `/dev/net/tun`. `congestion` is the congestion control of sockets that do not
    /// ask for one; the kernel's default is not taken, because results would depend on the machine.
    /// Where the machine does not allow it to every user, sockets can't ask for another.
    pub(crate) fn new(conditions: Conditions, congestion: &str) -> Outcome<Self> {
        namespace::remove_stale();
        let home = Namespace::new("home")?;
        let overseas = Namespace::new("overseas")?;
        let control = Control {
            shared: Arc::new(Mutex::new(Shared::new(conditions.loss))),
            home: Arc::new(end(&home, HOME, congestion)?),
            overseas: Arc::new(end(&overseas, OVERSEAS, congestion)?),
        };
        let mut border = Self {
            control,
            movers: Vec::new(),
            home,
            overseas,
        };
        border.start(Direction::Out, conditions)?;
        // Not the same packets in both directions.
        let seed = conditions.seed.wrapping_add(1);
        border.start(Direction::Back, Conditions { seed, ..conditions })?;
        Ok(border)
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    fn start(&mut self, way: Direction, conditions: Conditions) -> Outcome<()> {
        let Control { home, overseas, .. } = &self.control;
        let (from, to) = match way {
            Direction::Out => (home, overseas),
            Direction::Back => (overseas, home),
        };
        let mover = Mover {
            way,
            from: from.clone(),
            to: to.clone(),
            line: Line::new(conditions, Instant::now()),
            shared: self.control.shared.clone(),
            under_way: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("border {way:?}"))
            .spawn(move || mover.run())
            .step(|| "a thread cannot be started".into())?;
        self.movers.push(thread);
        Ok(())
    }
}

impl Drop for Border {
    fn drop(&mut self) {
        lock(&self.control.shared).stop = true;
        for mover in self.movers.drain(..) {
            // A mover that panicked has nothing left to stop.
            let _ = mover.join();
        }
    }
}

/// Sets a namespace up and gives the device through which its packets come out.
fn end(namespace: &Namespace, address: Ipv4Addr, congestion: &str) -> Outcome<SyncDevice> {
    namespace.run(|| {
        ip(&["link", "set", "lo", "up"])?;
        // Router solicitations would be packets nobody sent.
        for scope in ["all", "default"] {
            // Without IPv6 in the kernel the file is not there, and nothing has to be done.
            let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6"), "1");
        }
        // Otherwise a connection begins with the bad luck of the one before it.
        setting("tcp_no_metrics_save", "1")?;
        let device = DeviceBuilder::new()
            .name(DEVICE)
            .mtu(MTU)
            .tx_queue_len(DEVICE_QUEUE)
            .build_sync()
            .step(|| "no TUN device (needs root and /dev/net/tun)".into())?;
        device
            .set_nonblocking(true)
            .step(|| "the TUN device".into())?;
        let address = address.to_string();
        ip(&["address", "add", &address, "dev", DEVICE])?;
        ip(&["link", "set", DEVICE, "up"])?;
        let mut route = vec!["route", "add", NETWORK, "dev", DEVICE, "src", &address];
        if setting("tcp_congestion_control", congestion).is_err() {
            // A namespace may set only what the machine allows every user, and that may leave out
            // CUBIC. A route may name any; it also overrides what a socket asks for before it
            // connects.
            route.extend(["congctl", congestion]);
        }
        ip(&route)?;
        Ok(device)
    })?
}

/// A kernel setting of the calling thread's namespace, under `net.ipv4`.
pub(crate) fn setting(name: &str, value: &str) -> Outcome<()> {
    let path = format!("/proc/sys/net/ipv4/{name}");
    std::fs::write(&path, value).step(|| format!("`{value}` into `{path}`"))
}
