//! The emulator with real kernels' UDP and TCP over it. Where it can't run, a test says why and
//! proves the proxy only.

mod proxied;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::border::control::Control;
use super::border::{Border, Cut, HOME, OVERSEAS};
use super::conditions::{Conditions, Loss};

/// Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

const CALM: Conditions = Conditions {
    delay: Duration::from_millis(20),
    jitter: Duration::ZERO,
    loss: Loss::NONE,
    bits_per_second: None,
    queue_bytes: None,
    seed: 42,
};

/// `None` where the machine can't have a border, with the reason on standard error.
fn border(conditions: Conditions) -> Option<Border> {
    border_with(conditions, "cubic")
}

fn border_with(conditions: Conditions, congestion: &str) -> Option<Border> {
    let Some(missing) = super::missing() else {
        return Some(Border::new(conditions, congestion).unwrap());
    };
    eprintln!("NOT TESTED: the packet emulator can't run here: {missing}");
    None
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A socket in the namespace of each end; a socket stays where it was made.
fn udp_pair(border: &Border) -> (UdpSocket, UdpSocket) {
    let home = border.home.run(|| UdpSocket::bind((HOME, 0))).unwrap();
    let far = border.overseas.run(|| UdpSocket::bind((OVERSEAS, 0)));
    let (home, far) = (home.unwrap(), far.unwrap().unwrap());
    home.connect(far.local_addr().unwrap()).unwrap();
    far.connect(home.local_addr().unwrap()).unwrap();
    for socket in [&home, &far] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    (home, far)
}

/// A signal to the process, such as the end of another test's child, interrupts a wait.
fn patient<T>(mut receive: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    loop {
        match receive() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[test]
fn a_round_trip_takes_twice_the_delay() {
    let Some(border) = border(CALM) else { return };
    let (home, far) = udp_pair(&border);
    let bound = CALM.delay * 2 + Duration::from_millis(5);
    let mut medians = Vec::new();
    // A machine that is busy with other tests is late in one round or another; an emulator that is
    // wrong is so in all.
    for _ in 0..20 {
        let mut took = round_trips(&home, &far);
        took.sort_unstable();
        assert!(took[0] >= CALM.delay * 2, "too early: {:?}", took[0]);
        let median = took[took.len() / 2];
        if median <= bound {
            return;
        }
        medians.push(median);
    }
    panic!("medians of rounds: {medians:?}");
}

fn round_trips(home: &UdpSocket, far: &UdpSocket) -> Vec<Duration> {
    let mut buffer = [0; 16];
    let mut took = Vec::new();
    for _ in 0..11 {
        let begin = Instant::now();
        home.send(b"ping").unwrap();
        patient(|| far.recv(&mut buffer)).unwrap();
        far.send(b"pong").unwrap();
        patient(|| home.recv(&mut buffer)).unwrap();
        took.push(begin.elapsed());
    }
    took
}

#[test]
fn the_asked_fraction_of_datagrams_is_lost() {
    let asked = 0.05;
    let Some(border) = border(Conditions {
        delay: Duration::from_millis(1),
        loss: Loss::independent(asked),
        ..CALM
    }) else {
        return;
    };
    let (home, far) = udp_pair(&border);
    far.set_nonblocking(true).unwrap();
    let (mut sent, mut received) = (0_u64, 0_u64);
    let mut buffer = [0; 16];
    for _ in 0..40 {
        // Few enough for the receiver's buffer, however late this thread gets its turn.
        for _ in 0..50 {
            home.send(b"datagram").unwrap();
            sent += 1;
        }
        until("every datagram arrived or was lost", || {
            while far.recv(&mut buffer).is_ok() {
                received += 1;
            }
            received + border.control().counts().0.lost == sent
        });
    }
    let lost = (sent - received) as f64;
    let sigma = (sent as f64 * asked * (1.0 - asked)).sqrt();
    let off = (lost - sent as f64 * asked).abs();
    assert!(off <= 3.0 * sigma, "{lost} of {sent} lost, sigma {sigma}");
}

#[test]
fn a_black_hole_swallows_everything_until_the_line_is_restored() {
    let Some(border) = border(CALM) else { return };
    let (home, far) = udp_pair(&border);
    let control = border.control();
    let mut buffer = [0; 16];
    // Under way when the hole opens: lost as well.
    home.send(b"early").unwrap();
    until("the datagram is under way", || {
        control.counts().0.offered == 1
    });
    control.cut(Cut::BlackHole(PATIENCE * 10)).unwrap();
    for _ in 0..50 {
        home.send(b"swallowed").unwrap();
        far.send(b"swallowed").unwrap();
    }
    until("all are swallowed", || {
        let (out, back) = control.counts();
        out.cut == 51 && back.cut == 50
    });
    control.restore();
    home.send(b"alive").unwrap();
    // The first that arrives is the first that was sent after the hole.
    let length = patient(|| far.recv(&mut buffer)).unwrap();
    assert_eq!(&buffer[..length], b"alive");
    assert_eq!(control.counts().0.delivered, 1);
}

/// A connection over the border, home's end first.
fn tcp_pair(border: &Border, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let address = listener.local_addr().unwrap();
    let home = border.home.run(|| TcpStream::connect(address));
    let (far, _) = listener.accept().unwrap();
    let home = home.unwrap().unwrap();
    for stream in [&home, &far] {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
    }
    (home, far)
}

fn listen(border: &Border) -> TcpListener {
    let bound = border.overseas.run(|| TcpListener::bind((OVERSEAS, 0)));
    bound.unwrap().unwrap()
}

fn say_across(from: &mut TcpStream, to: &mut TcpStream, text: &[u8]) {
    let mut heard = vec![0; text.len()];
    from.write_all(text).unwrap();
    to.read_exact(&mut heard).unwrap();
    assert_eq!(heard, text);
}

#[test]
fn a_forged_reset_ends_both_ends_of_a_connection_and_new_ones_live() {
    let Some(border) = border(CALM) else { return };
    let listener = listen(&border);
    let (mut home, mut far) = tcp_pair(&border, &listener);
    say_across(&mut home, &mut far, b"before");
    say_across(&mut far, &mut home, b"answer");
    assert_eq!(border.control().cut(Cut::Reset).unwrap(), Some(1));
    for stream in [&mut home, &mut far] {
        let failed = patient(|| stream.read(&mut [0; 8])).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::ConnectionReset);
    }
    let (mut home, mut far) = tcp_pair(&border, &listener);
    say_across(&mut home, &mut far, b"after");
}

#[test]
fn connections_use_the_congestion_control_that_was_asked_for() {
    for asked in ["cubic", "reno"] {
        let Some(border) = border_with(CALM, asked) else {
            return;
        };
        let (home, far) = tcp_pair(&border, &listen(&border));
        for stream in [&home, &far] {
            let used = socket2::SockRef::from(stream).tcp_congestion().unwrap();
            let used = String::from_utf8_lossy(&used);
            assert_eq!(used.trim_end_matches('\0'), asked);
        }
    }
}

#[test]
fn a_silent_cut_hits_the_busiest_connection_only() {
    let Some(border) = border(CALM) else { return };
    let listener = listen(&border);
    let (mut busy, mut busy_far) = tcp_pair(&border, &listener);
    let (mut calm, mut calm_far) = tcp_pair(&border, &listener);
    say_across(&mut busy_far, &mut busy, &[7; 5_000]);
    say_across(&mut calm_far, &mut calm, b"little");
    assert_eq!(border.control().cut(Cut::SilentFlow).unwrap(), Some(1));
    busy_far.write_all(b"never heard").unwrap();
    say_across(&mut calm_far, &mut calm, b"heard");
    say_across(&mut calm, &mut calm_far, b"heard");
    until("the silenced packet was swallowed", || {
        border.control().counts().1.cut > 0
    });
    busy.set_nonblocking(true).unwrap();
    let nothing = busy.read(&mut [0; 8]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
}

#[test]
fn loss_can_be_changed_while_the_line_is_used() {
    let Some(border) = border(CALM) else { return };
    let (home, far) = udp_pair(&border);
    let control: Control = border.control().clone();
    let mut buffer = [0; 16];
    control.set_loss(Loss::independent(0.999_999_9));
    home.send(b"lost").unwrap();
    until("it is lost", || control.counts().0.lost == 1);
    control.set_loss(Loss::NONE);
    home.send(b"arrives").unwrap();
    let length = patient(|| far.recv(&mut buffer)).unwrap();
    assert_eq!(&buffer[..length], b"arrives");
}

#[test]
fn a_dropped_border_leaves_neither_namespaces_nor_processes() {
    let Some(border) = border(CALM) else { return };
    let path = std::path::Path::new("/run/netns").join(border.home.name());
    assert!(path.exists());
    let mut command = std::process::Command::new("sleep");
    let mut child = border
        .home
        .run(|| command.arg("600").spawn())
        .unwrap()
        .unwrap();
    drop(border);
    assert!(!path.exists());
    until("the process has ended", || {
        child.try_wait().unwrap().is_some()
    });
}

/// Tests run side by side; each border counts for itself.
#[test]
fn two_borders_do_not_meet() {
    let (Some(first), Some(second)) = (border(CALM), border(CALM)) else {
        return;
    };
    let (home, far) = udp_pair(&first);
    home.send(b"here").unwrap();
    let mut buffer = [0; 16];
    assert_eq!(patient(|| far.recv(&mut buffer)).unwrap(), 4);
    assert_eq!(second.control().counts().0.offered, 0);
}
