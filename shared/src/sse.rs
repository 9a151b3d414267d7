//! Server-sent events, read as they pass: finds the end of each event in any split of the bytes.
//! Keeps at most one unfinished event, bounded by itself and over all streams; changes no byte.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};

/// A picture in a delta may be as large as this; a larger event is a fault, not a reason to grow.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What every stream may keep of an unfinished event; usual events are far smaller.
const KEPT_FREE: usize = 64 * 1024;
/// A piece that waits for its reader takes of the budget only when it is larger.
const ROOM_FREE: usize = 1024 * 1024;
/// What all streams of a process may keep beyond that: eight of the largest events at once.
const KEPT_ALL_MAX: usize = 128 * 1024 * 1024;

/// The budget of this process.
static KEPT: Budget = Budget::new(KEPT_ALL_MAX);

/// An unfinished event was larger than [`EVENT_BYTES_MAX`], or than what is left for all streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTooLarge;

/// Bytes that streams may keep together.
#[derive(Debug)]
struct Budget {
    max: usize,
    taken: AtomicUsize,
}

impl Budget {
    const fn new(max: usize) -> Self {
        Self {
            max,
            taken: AtomicUsize::new(0),
        }
    }

    fn take(&self, bytes: usize) -> Result<(), EventTooLarge> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.max {
            self.give(bytes);
            return Err(EventTooLarge);
        }
        Ok(())
    }

    fn give(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A part of what streams may keep together, for what is whole and waits to be taken; given back when
/// dropped.
#[derive(Debug)]
pub struct Room(usize);

impl Room {
    /// Room for so many bytes; for usual pieces none is needed.
    pub fn of(bytes: usize) -> Result<Option<Self>, EventTooLarge> {
        if bytes <= ROOM_FREE {
            return Ok(None);
        }
        KEPT.take(bytes).map(|()| Some(Self(bytes)))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        KEPT.give(self.0);
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It goes on as it is.
    All,
    /// It goes on without these bytes.
    Without(Range<usize>),
    /// It ends here.
    Nothing,
    /// This goes on in its place.
    Instead(Bytes),
}

/// Cuts a stream of bytes into whole events, each with its closing blank line.
#[derive(Debug)]
pub struct Events {
    kept: BytesMut,
    /// Of `kept`, where the line begins in which the next end may be found.
    looked: usize,
    /// Bytes of the budget that are taken for `kept`.
    taken: usize,
    budget: &'static Budget,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            kept: BytesMut::new(),
            looked: 0,
            taken: 0,
            budget: &KEPT,
        }
    }
}

/// The place behind the first blank line: `\n\n`, `\r\n\r\n` or `\r\r` (WHATWG HTML, 9.2.5). `Err` with
/// the place of the last line end that may become one.
fn event_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    while let Some(end) = memchr::memchr2(b'\n', b'\r', &bytes[at..]).map(|found| found + at) {
        let Some(next) = line_end(bytes, end) else {
            return Err(end);
        };
        match bytes.get(next) {
            None => return Err(end),
            Some(b'\n' | b'\r') => return line_end(bytes, next).ok_or(end),
            Some(_) => at = next,
        }
    }
    Err(bytes.len())
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
    /// Adds `bytes`, asks `each` of every event that is whole now, and adds to `out` what goes on: as few
    /// slices of the bytes as can be.
    pub fn push(
        &mut self,
        mut bytes: Bytes,
        out: &mut Vec<Bytes>,
        mut each: impl FnMut(&[u8]) -> Keep,
    ) -> Result<(), EventTooLarge> {
        let mut looked = 0;
        if !self.kept.is_empty() {
            self.grow(bytes.len())?;
            self.kept.extend_from_slice(&bytes);
            looked = self.looked;
            match event_end(&self.kept, looked) {
                Ok(_) => bytes = self.take(),
                Err(place) => {
                    self.looked = place;
                    return Ok(());
                }
            }
        }
        // `begin` of what goes on in one slice, `at` of the event that is looked at.
        let (mut begin, mut at) = (0, 0);
        let rest = loop {
            let end = match event_end(&bytes, looked) {
                Ok(end) => end,
                Err(place) => break place,
            };
            let keep = each(&bytes[at..end]);
            let mut pass = |from: usize, to: usize| {
                if from < to {
                    out.push(bytes.slice(from..to));
                }
            };
            match keep {
                Keep::All => {}
                Keep::Without(range) => {
                    pass(begin, (at + range.start).min(end));
                    begin = (at + range.end).min(end);
                }
                Keep::Nothing => {
                    pass(begin, at);
                    begin = end;
                }
                Keep::Instead(other) => {
                    pass(begin, at);
                    out.push(other);
                    begin = end;
                }
            }
            (at, looked) = (end, end);
        };
        if begin < at {
            out.push(bytes.slice(begin..at));
        }
        if at < bytes.len() {
            self.grow(bytes.len() - at)?;
            self.kept.extend_from_slice(&bytes[at..]);
            self.looked = rest - at;
        }
        Ok(())
    }

    /// Makes sure that so much more may be kept.
    fn grow(&mut self, more: usize) -> Result<(), EventTooLarge> {
        let size = self.kept.len().saturating_add(more);
        if size > EVENT_BYTES_MAX {
            return Err(EventTooLarge);
        }
        let needed = size.saturating_sub(KEPT_FREE);
        if needed > self.taken {
            self.budget.take(needed - self.taken)?;
            self.taken = needed;
        }
        Ok(())
    }

    /// What is kept; nothing is afterwards.
    fn take(&mut self) -> Bytes {
        self.budget.give(std::mem::take(&mut self.taken));
        self.looked = 0;
        // A buffer that grew for one large event is not kept for small ones.
        if self.kept.capacity() > KEPT_FREE {
            return std::mem::take(&mut self.kept).freeze();
        }
        self.kept.split().freeze()
    }

    /// Whether the bytes so far end with a whole event.
    pub fn is_between(&self) -> bool {
        self.kept.is_empty()
    }

    /// What is kept of an unfinished event.
    pub fn unfinished(&self) -> &[u8] {
        &self.kept
    }

    /// What is left when the stream has ended.
    pub fn rest(&mut self) -> Bytes {
        self.take()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.budget.give(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Events of any form a provider may send, with one kind of line end each.
    fn event() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            4 => "[a-z ]{0,12}".prop_map(|text| {
                format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}")
            }),
            1 => Just("data: [DONE]".to_owned()),
            1 => ": [a-z]{0,8}".prop_map(|text| text),
        ];
        let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
        (prop::collection::vec(line, 1..3), end).prop_map(|(lines, end)| {
            let text = lines.join(end);
            format!("{text}{end}{end}").into_bytes()
        })
    }

    /// The events of a stream that arrives in these parts, what goes on of it, and its rest.
    fn read<'a>(
        parts: impl Iterator<Item = &'a [u8]>,
        keep: fn(&[u8]) -> Keep,
    ) -> (Vec<Vec<u8>>, Vec<u8>, Bytes) {
        let (mut events, mut whole, mut out) = (Events::default(), Vec::new(), Vec::new());
        for part in parts {
            let pushed = events.push(Bytes::copy_from_slice(part), &mut out, |event| {
                whole.push(event.to_vec());
                keep(event)
            });
            pushed.expect("small events");
        }
        (whole, out.concat(), events.rest())
    }

    /// Each event by its length in another way.
    fn mixed(event: &[u8]) -> Keep {
        match event.len() % 4 {
            0 => Keep::All,
            1 => Keep::Without(1..3),
            2 => Keep::Nothing,
            _ => Keep::Instead(Bytes::from_static(b"other")),
        }
    }

    fn kept(event: &[u8]) -> Vec<u8> {
        match mixed(event) {
            Keep::All => event.to_vec(),
            Keep::Without(range) => [&event[..range.start], &event[range.end..]].concat(),
            Keep::Nothing => Vec::new(),
            Keep::Instead(other) => other.to_vec(),
        }
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_events_and_the_same_output(
            events in prop::collection::vec(event(), 1..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let all = events.concat();
            let expected = read(std::iter::once(all.as_slice()), |_| Keep::All);
            let joined: Vec<u8> = expected.1.iter().chain(&expected.2).copied().collect();
            prop_assert_eq!(&joined, &all, "no byte is lost or changed");
            prop_assert_eq!(&expected.0.concat(), &expected.1);
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
            places.extend([0, all.len()]);
            places.sort_unstable();
            let parts = || places.windows(2).map(|pair| &all[pair[0]..pair[1]]);
            prop_assert_eq!(&read(parts(), |_| Keep::All), &expected);
            prop_assert_eq!(&read(all.chunks(1), |_| Keep::All), &expected);
            let changed: Vec<u8> = expected.0.iter().flat_map(|event| kept(event)).collect();
            prop_assert_eq!(&read(parts(), mixed).1, &changed);
            prop_assert_eq!(&read(all.chunks(1), mixed).1, &changed);
        }
    }

    #[test]
    fn events_that_came_whole_go_on_as_one_slice() {
        let (mut events, mut out) = (Events::default(), Vec::new());
        let bytes = Bytes::from_static(b"data: a\n\ndata: b\n\ndata: c\n\ndata: d");
        events
            .push(bytes.clone(), &mut out, |_| Keep::All)
            .expect("small");
        assert_eq!(out, [bytes.slice(..27)]);
        assert_eq!(out[0].as_ptr(), bytes.as_ptr(), "nothing is copied");
        assert!(!events.is_between());
    }

    fn of_budget(budget: &'static Budget) -> Events {
        let mut events = Events::default();
        events.budget = budget;
        events
    }

    #[test]
    fn a_large_event_passes_and_a_larger_one_is_refused_before_it_grows() {
        let (mut events, mut out) = (Events::default(), Vec::new());
        let part = Bytes::from(vec![b'x'; EVENT_BYTES_MAX / 4]);
        for _ in 0..4 {
            assert!(events.push(part.clone(), &mut out, |_| Keep::All).is_ok());
        }
        let one_more = events.push(part, &mut out, |_| Keep::All);
        assert_eq!(one_more, Err(EventTooLarge));
        // Looked through once and not again with each part: a thousand parts are not a thousand times
        // the work.
        let mut events = Events::default();
        let line = Bytes::from(vec![b'y'; 8 * 1024]);
        for _ in 0..2_000 {
            events
                .push(line.clone(), &mut out, |_| Keep::All)
                .expect("below the bound");
        }
        let end = Bytes::from_static(b"\n\n");
        events.push(end, &mut out, |_| Keep::All).expect("its end");
        assert_eq!(out.last().map(Bytes::len), Some(2_000 * 8 * 1024 + 2));
        assert_eq!(events.kept.capacity(), 0, "the memory is given back");
    }

    #[test]
    fn streams_share_a_budget_for_large_events_and_give_it_back() {
        static BUDGET: Budget = Budget::new(1_000_000);
        let part = Bytes::from(vec![b'x'; 700_000]);
        let mut out = Vec::new();
        let (mut first, mut second) = (of_budget(&BUDGET), of_budget(&BUDGET));
        assert!(first.push(part.clone(), &mut out, |_| Keep::All).is_ok());
        let refused = second.push(part.clone(), &mut out, |_| Keep::All);
        assert_eq!(refused, Err(EventTooLarge));
        let small = Bytes::from_static(b"data: small");
        let mut third = of_budget(&BUDGET);
        assert!(third.push(small, &mut out, |_| Keep::All).is_ok());
        first
            .push(Bytes::from_static(b"\n\n"), &mut out, |_| Keep::All)
            .expect("its end");
        let mut fourth = of_budget(&BUDGET);
        assert!(fourth.push(part, &mut out, |_| Keep::All).is_ok());
        drop(fourth);
        assert_eq!(BUDGET.taken.load(Ordering::Relaxed), 0);
    }
}
