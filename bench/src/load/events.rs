//! Counts server-sent events in a byte stream, however it is cut. Leaves their content alone,
//! but for the `[DONE]` that says the stream is whole.

const DONE: &[u8] = b"data: [DONE]\n\n";

/// Grows with every part of one response body.
#[derive(Debug, Default)]
pub(crate) struct EventCount {
    pub(crate) events: u64,
    /// The last bytes seen, at most as many as `DONE` has.
    tail: Vec<u8>,
}

impl EventCount {
    pub(crate) fn push(&mut self, part: &[u8]) {
        let mut before = self.tail.last() == Some(&b'\n');
        let mut after_previous = 0;
        for at in memchr::memchr_iter(b'\n', part) {
            let blank_line = before && at == after_previous;
            if blank_line {
                self.events += 1;
            }
            // The newline that ended an event does not begin the next blank line.
            before = !blank_line;
            after_previous = at + 1;
        }
        self.keep_tail(part);
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.tail == DONE
    }

    fn keep_tail(&mut self, part: &[u8]) {
        let fresh = &part[part.len().saturating_sub(DONE.len())..];
        let surplus = (self.tail.len() + fresh.len()).saturating_sub(DONE.len());
        self.tail.drain(..surplus.min(self.tail.len()));
        self.tail.extend_from_slice(fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_of_a_stream_gives_the_same_count() {
        let stream = b"data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE]\n\n";
        for size in 1..=stream.len() {
            let mut count = EventCount::default();
            stream.chunks(size).for_each(|part| count.push(part));
            assert_eq!(count.events, 3, "parts of {size}");
            assert!(count.is_whole(), "parts of {size}");
        }
    }

    #[test]
    fn a_stream_without_done_is_not_whole() {
        let mut count = EventCount::default();
        count.push(b"data: {\"a\":1}\n\ndata: {\"b\"");
        assert_eq!(count.events, 1);
        assert!(!count.is_whole());
    }
}
