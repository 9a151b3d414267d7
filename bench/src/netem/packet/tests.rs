//! A forged reset is a valid packet, and what is no whole TCP packet is left alone.

use super::*;

fn reset() -> Reset {
    Reset {
        source: "10.77.0.2:443".parse().unwrap(),
        target: "10.77.0.1:50000".parse().unwrap(),
        seq: 0xfeed_beef,
        ack: 77,
    }
}

#[test]
fn a_forged_reset_reads_back_and_its_checksums_come_out_even() {
    let packet = reset().packet();
    let segment = read(&packet, Direction::Back).unwrap();
    assert_eq!(segment.flow.home, reset().target);
    assert_eq!(segment.flow.overseas, reset().source);
    assert_eq!(segment.next, 0xfeed_beef);
    assert_eq!(segment.ack, Some(77));
    assert!(segment.is_reset && !segment.begins);
    // A sum over data that includes its own checksum is zero.
    assert_eq!(checksum(&[&packet[..20]]), 0);
    assert_eq!(tcp_checksum(&packet), 0);
}

#[test]
fn what_is_not_a_whole_tcp_packet_is_left_alone() {
    let packet = reset().packet();
    assert_eq!(read(&packet[..30], Direction::Out), None);
    assert_eq!(read(&[], Direction::Out), None);
    let mut udp = packet;
    udp[9] = 17;
    assert_eq!(read(&udp, Direction::Out), None);
    let mut fragment = packet;
    fragment[7] = 9;
    assert_eq!(read(&fragment, Direction::Out), None);
    let mut six = packet;
    six[0] = 0x65;
    assert_eq!(read(&six, Direction::Out), None);
}
