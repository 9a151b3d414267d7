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
mod tests;
