//! Server-sent events, read as they pass: finds the end of each event in any split of the bytes.
//! Keeps at most one unfinished event, bounded; changes no byte.

use bytes::{Buf, Bytes, BytesMut};

/// No provider sends an event near this; a larger one is a fault, not a reason to grow.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// An event was larger than [`EVENT_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTooLarge;

/// Cuts a stream of bytes into whole events, each with its closing blank line.
#[derive(Debug, Default)]
pub struct Events {
    kept: BytesMut,
}

/// The place behind the first blank line: `\n\n`, `\r\n\r\n` or `\r\r` (WHATWG HTML, 9.2.5).
fn event_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &bytes[from..]).map(|at| at + from) {
        let next = line_end(bytes, at)?;
        match bytes.get(next)? {
            b'\n' | b'\r' => return line_end(bytes, next),
            _ => from = next,
        }
    }
    None
}

/// The place behind the line ending at `at`; `None` while a `\r` may still become `\r\n`.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'\n', _) => Some(at + 1),
        (_, Some(b'\n')) => Some(at + 2),
        (_, Some(_)) => Some(at + 1),
        (_, None) => None,
    }
}

impl Events {
    /// Adds `bytes` and hands every event that is whole now to `each`.
    pub fn push(
        &mut self,
        mut bytes: Bytes,
        mut each: impl FnMut(Bytes),
    ) -> Result<(), EventTooLarge> {
        if !self.kept.is_empty() {
            self.kept.extend_from_slice(&bytes);
            bytes = self.kept.split().freeze();
        }
        while let Some(end) = event_end(&bytes) {
            each(bytes.split_to(end));
        }
        if bytes.remaining() > EVENT_BYTES_MAX {
            return Err(EventTooLarge);
        }
        self.kept.extend_from_slice(&bytes);
        Ok(())
    }

    /// Whether the bytes so far end with a whole event.
    pub fn is_between(&self) -> bool {
        self.kept.is_empty()
    }

    /// What is left when the stream has ended.
    pub fn rest(&mut self) -> Bytes {
        self.kept.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::meter::Meter;

    /// Events of any form a provider may send, with one kind of line end each.
    fn event() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            4 => "[a-z ]{0,12}".prop_map(|text| {
                format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}")
            }),
            1 => Just("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}".to_owned()),
            1 => Just("data: [DONE]".to_owned()),
            1 => ": [a-z]{0,8}".prop_map(|text| text),
        ];
        let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
        (prop::collection::vec(line, 1..3), end).prop_map(|(lines, end)| {
            let text = lines.join(end);
            format!("{text}{end}{end}").into_bytes()
        })
    }

    /// What comes out of a stream that arrives in these parts, and what was counted.
    fn read<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Vec<Bytes>, Bytes, String) {
        let (mut events, mut whole) = (Events::default(), Vec::new());
        let mut meter = Meter::new(true, 40);
        for part in parts {
            let pushed = events.push(Bytes::copy_from_slice(part), |event| {
                meter.event(&event);
                whole.push(event);
            });
            pushed.expect("small events");
        }
        (whole, events.rest(), format!("{:?}", meter.usage()))
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_events_and_the_same_count(
            events in prop::collection::vec(event(), 1..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let all = events.concat();
            let expected = read(std::iter::once(all.as_slice()));
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
            places.extend([0, all.len()]);
            places.sort_unstable();
            let parts = places.windows(2).map(|pair| &all[pair[0]..pair[1]]);
            let (whole, rest, counted) = read(parts);
            let joined: Vec<u8> = whole.iter().flatten().chain(&rest).copied().collect();
            prop_assert_eq!(&joined, &all, "no byte is lost or changed");
            prop_assert_eq!((&whole, &rest, &counted), (&expected.0, &expected.1, &expected.2));
            let bytewise = read(all.chunks(1));
            prop_assert_eq!((&bytewise.0, &bytewise.2), (&expected.0, &expected.2));
        }
    }

    #[test]
    fn an_event_without_end_is_refused_before_it_grows() {
        let mut events = Events::default();
        let part = Bytes::from(vec![b'x'; EVENT_BYTES_MAX / 2]);
        assert!(events.push(part.clone(), |_| {}).is_ok());
        assert!(events.push(part.clone(), |_| {}).is_ok());
        assert_eq!(events.push(part, |_| {}), Err(EventTooLarge));
    }
}
