//! Which TCP connections cross the border, and which of them were cut. Moves no packets.

use std::collections::HashMap;

use super::packet::{Direction, Flow, Reset, Segment};

/// What is known of one connection. Its number is bounded by the ports of two addresses.
#[derive(Debug, Default)]
struct Known {
    state: State,
    home: End,
    overseas: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Live,
    /// Every packet is answered with a reset.
    Reset,
    /// Every packet vanishes.
    Silent,
    /// Ended by its own ends: packets pass, and a cut has nothing to do here.
    Over,
}

/// What one end has said last.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    next: u32,
    ack: u32,
    bytes: u64,
    ended: bool,
}

/// What the border does with a segment.
#[derive(Debug)]
pub(super) enum Verdict {
    Pass,
    Vanish,
    /// Send this back to where the segment came from.
    Refuse(Reset),
}

/// All connections seen so far.
#[derive(Debug, Default)]
pub(super) struct Flows {
    known: HashMap<Flow, Known>,
}

impl Flows {
    /// Notes a segment of `bytes` on the wire and judges it.
    pub(super) fn arrive(&mut self, segment: &Segment, way: Direction, bytes: usize) -> Verdict {
        if segment.begins {
            // The ports are used again by a new connection.
            self.known.remove(&segment.flow);
        }
        let known = self.known.entry(segment.flow).or_default();
        let end = match way {
            Direction::Out => &mut known.home,
            Direction::Back => &mut known.overseas,
        };
        end.next = segment.next;
        end.ack = segment.ack.unwrap_or(end.ack);
        end.bytes += bytes as u64;
        end.ended |= segment.ends;
        let both_ended = known.home.ended && known.overseas.ended;
        match known.state {
            State::Silent => Verdict::Vanish,
            State::Reset if segment.is_reset => Verdict::Vanish,
            State::Reset => Verdict::Refuse(known.reset_towards(way, segment.flow)),
            State::Live if segment.is_reset || both_ended => {
                known.state = State::Over;
                Verdict::Pass
            }
            State::Live | State::Over => Verdict::Pass,
        }
    }

    /// May a packet that was under way still arrive?
    pub(super) fn passes(&self, flow: &Flow) -> bool {
        self.known
            .get(flow)
            .is_none_or(|known| matches!(known.state, State::Live | State::Over))
    }

    /// Cuts all live connections; gives the resets to send to home and overseas.
    pub(super) fn reset_all(&mut self) -> Vec<(Direction, Reset)> {
        let mut resets = Vec::new();
        for (flow, known) in &mut self.known {
            if known.state == State::Live {
                known.state = State::Reset;
                // To the end that a packet of this way comes from.
                resets.push((Direction::Out, known.reset_towards(Direction::Out, *flow)));
                resets.push((Direction::Back, known.reset_towards(Direction::Back, *flow)));
            }
        }
        resets
    }

    /// Drops the live connection that brought most bytes home, for ever and without a sign.
    pub(super) fn silence_busiest(&mut self) -> Option<Flow> {
        let live = self
            .known
            .iter_mut()
            .filter(|(_, known)| known.state == State::Live);
        // The address decides between equals, so that a run can be repeated.
        let (flow, known) = live.max_by_key(|(flow, known)| (known.overseas.bytes, **flow))?;
        known.state = State::Silent;
        Some(*flow)
    }
}

impl Known {
    /// A reset for the end that sends in direction `way`, in the name of the other. What this end
    /// acknowledged last is what it expects next; if more has reached it since, it answers with a
    /// challenge that carries the right number, and the answer to that is a reset again.
    fn reset_towards(&self, way: Direction, flow: Flow) -> Reset {
        let (end, target, source) = match way {
            Direction::Out => (self.home, flow.home, flow.overseas),
            Direction::Back => (self.overseas, flow.overseas, flow.home),
        };
        Reset {
            source,
            target,
            seq: end.ack,
            ack: end.next,
        }
    }
}

#[cfg(test)]
mod tests {
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
}
