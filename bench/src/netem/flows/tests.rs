//! A reset ends its connection at both ends, a silence takes the busiest, and others live on.

use super::*;

fn flow(port: u16) -> Flow {
    Flow {
        home: std::net::SocketAddrV4::new([10, 77, 0, 1].into(), port),
        overseas: "10.77.0.2:9000".parse().unwrap(),
    }
}

fn segment(port: u16) -> Segment {
    Segment {
        flow: flow(port),
        next: 1_000,
        ack: Some(2_000),
        begins: false,
        ends: false,
        is_reset: false,
    }
}

#[test]
fn after_a_reset_both_ends_are_told_and_later_packets_refused_until_a_new_connection_begins() {
    let mut flows = Flows::default();
    assert!(matches!(
        flows.arrive(&segment(1), Direction::Out, 40),
        Verdict::Pass
    ));
    let resets = flows.reset_all();
    assert_eq!(resets.len(), 2);
    assert!(!flows.passes(&flow(1)));
    let Verdict::Refuse(reset) = flows.arrive(&segment(1), Direction::Out, 40) else {
        panic!("a packet of a cut connection passed");
    };
    assert_eq!((reset.target, reset.seq), (flow(1).home, 2_000));
    assert!(flows.reset_all().is_empty());
    let fresh = Segment {
        begins: true,
        ack: None,
        ..segment(1)
    };
    assert!(matches!(
        flows.arrive(&fresh, Direction::Out, 40),
        Verdict::Pass
    ));
    assert!(flows.passes(&flow(1)));
}

#[test]
fn the_busiest_connection_is_silenced_and_the_others_live() {
    let mut flows = Flows::default();
    flows.arrive(&segment(1), Direction::Back, 100);
    flows.arrive(&segment(2), Direction::Back, 900);
    flows.arrive(&segment(3), Direction::Out, 5_000);
    assert_eq!(flows.silence_busiest(), Some(flow(2)));
    assert!(matches!(
        flows.arrive(&segment(2), Direction::Back, 40),
        Verdict::Vanish
    ));
    assert!(matches!(
        flows.arrive(&segment(1), Direction::Back, 40),
        Verdict::Pass
    ));
    assert!(flows.passes(&flow(3)) && !flows.passes(&flow(2)));
}

#[test]
fn a_connection_that_both_ends_have_ended_is_not_cut() {
    let mut flows = Flows::default();
    let last = Segment {
        ends: true,
        ..segment(1)
    };
    flows.arrive(&last, Direction::Out, 40);
    assert_eq!(flows.silence_busiest(), Some(flow(1)));
    let mut flows = Flows::default();
    flows.arrive(&last, Direction::Out, 40);
    flows.arrive(&last, Direction::Back, 40);
    assert_eq!(flows.silence_busiest(), None);
    assert!(flows.reset_all().is_empty());
}

#[test]
fn without_connections_there_is_nothing_to_silence() {
    assert_eq!(Flows::default().silence_busiest(), None);
}
