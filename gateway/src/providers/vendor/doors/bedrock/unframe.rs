//! Makes events of the frames that a stream comes in. What comes as text all the same is left as it is: a
//! proxy before the service may have made it that, and a whole answer always is.

use bytes::Bytes;
use shared::fault::{Fault, FaultKind};

use super::frames::{BadFrame, Frames, write_event};
use crate::providers::http::Stage;

/// The stage.
#[derive(Debug, Default)]
pub(super) struct Unframe {
    frames: Frames,
    form: Form,
    broken: Option<BadFrame>,
}

/// What a stream is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    /// Nothing came yet.
    #[default]
    Unknown,
    Frames,
    Text,
}

impl Form {
    /// A frame begins with its length, which is below 2^25; no text begins with such a byte.
    fn of(first: u8) -> Self {
        if first < 2 { Self::Frames } else { Self::Text }
    }
}

impl Unframe {
    fn fault(broken: BadFrame) -> Fault {
        Fault::new(FaultKind::InvalidAnswer, broken.to_string())
    }
}

impl Stage for Unframe {
    fn feed(&mut self, bytes: Bytes) -> Result<Bytes, Fault> {
        if let Some(broken) = self.broken {
            return Err(Self::fault(broken));
        }
        match (self.form, bytes.first()) {
            (_, None) => return Ok(bytes),
            (Form::Unknown, Some(first)) => self.form = Form::of(*first),
            (Form::Frames | Form::Text, Some(_)) => {}
        }
        if self.form == Form::Text {
            return Ok(bytes);
        }
        // Names and marks of events take about as much as the headers and sums of frames.
        let mut events = Vec::with_capacity(bytes.len());
        let read = self
            .frames
            .push(&bytes, |frame| write_event(frame, &mut events));
        if let Err(broken) = read {
            self.broken = Some(broken);
            // What came before it is good, and told first.
            if events.is_empty() {
                return Err(Self::fault(broken));
            }
        }
        Ok(Bytes::from(events))
    }

    fn end(&mut self) -> Result<(), Fault> {
        if let Some(broken) = self.broken {
            return Err(Self::fault(broken));
        }
        if self.frames.is_between() {
            return Ok(());
        }
        let why = "the stream ended within a frame";
        Err(Fault::new(FaultKind::Interrupted, why))
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::event;
    use super::*;

    fn fed(stage: &mut Unframe, bytes: &[u8]) -> Result<String, FaultKind> {
        let fed = stage.feed(Bytes::copy_from_slice(bytes));
        fed.map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"))
            .map_err(|fault| fault.kind)
    }

    #[test]
    fn frames_become_events_in_whatever_pieces_they_come() {
        let frame = event("messageStop", r#"{"stopReason":"end_turn"}"#);
        let text = "event: messageStop\ndata: {\"stopReason\":\"end_turn\"}\n\n";
        let mut stage = Unframe::default();
        assert_eq!(fed(&mut stage, b""), Ok(String::new()));
        assert_eq!(fed(&mut stage, &frame[..9]), Ok(String::new()));
        assert_eq!(
            stage.end().map_err(|fault| fault.kind),
            Err(FaultKind::Interrupted)
        );
        let rest = [&frame[9..], &frame].concat();
        assert_eq!(fed(&mut stage, &rest), Ok(text.repeat(2)));
        assert!(stage.end().is_ok());
    }

    #[test]
    fn a_broken_frame_is_told_behind_the_good_ones_and_ends_the_stream() {
        let frame = event("messageStop", "{}");
        let mut broken = frame.clone();
        broken[20] ^= 1;
        let mut stage = Unframe::default();
        let came = fed(&mut stage, &[&frame[..], &broken].concat());
        assert_eq!(came, Ok("event: messageStop\ndata: {}\n\n".to_owned()));
        assert_eq!(fed(&mut stage, &frame), Err(FaultKind::InvalidAnswer));
        assert_eq!(
            stage.end().map_err(|fault| fault.kind),
            Err(FaultKind::InvalidAnswer)
        );
    }

    #[test]
    fn text_is_left_as_it_is() {
        for text in ["{\"output\":{}}", "event: ping\n\n", "\u{feff}{}", "<html>"] {
            let mut stage = Unframe::default();
            assert_eq!(fed(&mut stage, text.as_bytes()), Ok(text.to_owned()));
            assert_eq!(fed(&mut stage, b"\0\0\0\x10"), Ok("\0\0\0\x10".to_owned()));
            assert!(stage.end().is_ok());
        }
    }
}
