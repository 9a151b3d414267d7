//! Options of the TCP sockets that cross the border: what a long, lossy path needs that the
//! kernel's defaults do not give. Opens no connection and listens on nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use socket2::{Domain, Socket, TcpKeepalive, Type};
use tracing::{debug, warn};

/// Bytes unacknowledged for that long mean a dead path: eight lost retransmissions at 300 ms round
/// trip, and far sooner than the kernel's quarter of an hour.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);
/// Unsent bytes the kernel may hold: more would wait there in order, where no fresh token can
/// overtake a large body on the same connection.
const UNSENT_BYTES_MAX: u32 = 16 * 1024;
/// Behind HTTP/2's own pings; finds peers that vanished where nobody pings.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
/// Keeps its rate under loss, where CUBIC holds a connection at a dozen segments in flight.
const CONGESTION: &str = "bbr";

/// A socket for one connection of the link to `address`, ready to connect, not blocking.
pub fn for_link(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    prepare(&socket, address)?;
    Ok(socket)
}

/// Sets the link's options on `socket`, which connects to or listens on `address`. Connections that
/// a listening socket accepts inherit them on Linux.
pub fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    // Loopback loses nothing, and pacing would only cost timers there.
    if !address.ip().is_loopback() {
        for_long_paths(socket);
    }
    Ok(())
}

/// A kernel that lacks one of these still carries the link, only worse.
#[cfg(target_os = "linux")]
fn for_long_paths(socket: &Socket) {
    if let Err(error) = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX)) {
        debug!(%error, "TCP_USER_TIMEOUT was not set: {error}");
    }
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
        debug!(%error, "TCP_NOTSENT_LOWAT was not set: {error}");
    }
    if let Err(error) = socket.set_tcp_congestion(CONGESTION.as_bytes()) {
        warn_of_slow_control(&error);
    }
}

#[cfg(not(target_os = "linux"))]
fn for_long_paths(_socket: &Socket) {
    warn_of_slow_control(&io::ErrorKind::Unsupported.into());
}

/// Once a process: every connection would say the same.
fn warn_of_slow_control(error: &io::Error) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        warn!(
            %error,
            "the kernel refuses the congestion control `{CONGESTION}` ({error}): under loss, tokens \
             will come seconds late over the border; load it with `modprobe tcp_bbr` (deploy/sysctl)"
        );
    });
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_socket_for_the_border_has_the_options_and_one_for_loopback_only_the_harmless_ones() {
        let far = for_link("192.0.2.1:443".parse().unwrap()).unwrap();
        assert!(far.tcp_nodelay().unwrap());
        assert!(far.keepalive().unwrap());
        assert_eq!(far.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED_MAX));
        assert_eq!(far.tcp_notsent_lowat().unwrap(), UNSENT_BYTES_MAX);
        let near = for_link("127.0.0.1:443".parse().unwrap()).unwrap();
        assert!(near.tcp_nodelay().unwrap());
        assert!(near.keepalive().unwrap());
        assert_eq!(near.tcp_user_timeout().unwrap(), None);
    }

    #[test]
    fn bbr_is_chosen_where_the_kernel_has_it() {
        let available =
            std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control").unwrap();
        let far = for_link("192.0.2.1:443".parse().unwrap()).unwrap();
        let chosen = String::from_utf8(far.tcp_congestion().unwrap()).unwrap();
        let offered = available.split_whitespace().any(|name| name == CONGESTION);
        assert_eq!(
            chosen.trim_end_matches('\0') == CONGESTION,
            offered,
            "{chosen}"
        );
    }
}
