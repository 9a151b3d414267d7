//! Frames whole, in pieces and broken, and what is written of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A header of a text.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).expect("short")];
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(7);
    let length = u16::try_from(value.len()).expect("short");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes
}

fn frame(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(PRELUDE + headers.len() + payload.len() + SUM).expect("small");
    let mut bytes = total.to_be_bytes().to_vec();
    let length = u32::try_from(headers.len()).expect("small");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&sum(&bytes).to_be_bytes());
    bytes.extend_from_slice(headers);
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&sum(&bytes).to_be_bytes());
    bytes
}

pub(in super::super) fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [
        header(":event-type", name),
        header(":content-type", "application/json"),
        header(":message-type", "event"),
    ];
    frame(&headers.concat(), payload.as_bytes())
}

/// What is written of bytes that arrive in these parts, and how they end.
fn written<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (String, Result<bool, BadFrame>) {
    let (mut frames, mut to) = (Frames::default(), Vec::new());
    for part in parts {
        if let Err(bad) = frames.push(part, |frame| write_event(frame, &mut to)) {
            assert_eq!(frames.push(b"", |_| {}), Err(bad), "it stays broken");
            return (String::from_utf8_lossy(&to).into_owned(), Err(bad));
        }
    }
    let text = String::from_utf8_lossy(&to).into_owned();
    (text, Ok(frames.is_between()))
}

fn whole(bytes: &[u8]) -> (String, Result<bool, BadFrame>) {
    written(std::iter::once(bytes))
}

/// The sum of the bytes of `123456789` is known of old (CRC-32 of ISO 3309).
#[test]
fn the_sum_is_the_one_that_everybody_knows() {
    assert_eq!(sum(b"123456789"), 0xcbf4_3926);
}

/// An empty message, as Amazon's documents of the format have it, is 16 bytes with known sums.
#[test]
fn the_smallest_frame_has_no_type_and_is_refused_for_that() {
    let bytes = [
        0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8,
        0xff,
    ];
    assert_eq!(frame(b"", b""), bytes);
    assert_eq!(whole(&bytes).1, Err(BadFrame::Headers));
}

#[test]
fn frames_are_written_as_events() {
    let mut bytes = event("messageStart", "{\"role\":\"assistant\"}");
    bytes.extend(event("contentBlockStop", "{\n\"contentBlockIndex\":\r\n0}"));
    bytes.extend(event("bad\nname", ""));
    let others = [
        vec![1, b'a', 0],
        vec![1, b'b', 1],
        vec![1, b'c', 2, 9],
        vec![1, b'd', 3, 9, 9],
        vec![1, b'e', 4, 9, 9, 9, 9],
        [&[1, b'f', 5][..], &[9; 8]].concat(),
        vec![1, b'g', 6, 0, 2, 0xff, 0xff],
        [&[1, b'h', 8][..], &[9; 8]].concat(),
        [&[1, b'i', 9][..], &[9; 16]].concat(),
        header(":message-type", "exception"),
        header(":exception-type", "throttlingException"),
    ];
    bytes.extend(frame(
        &others.concat(),
        b"{\"message\":\"Too many \\\"tokens\\\"\"}",
    ));
    let error = [
        header(":message-type", "error"),
        header(":error-code", "InternalError"),
        header(":error-message", "Boom."),
    ];
    bytes.extend(frame(&error.concat(), b"no JSON"));
    let (text, end) = whole(&bytes);
    assert_eq!(end, Ok(true));
    assert_eq!(
        text,
        "event: messageStart\ndata: {\"role\":\"assistant\"}\n\n\
         event: contentBlockStop\ndata: { \"contentBlockIndex\":  0}\n\n\
         event: unknown\ndata: {}\n\n\
         event: error\ndata: {\"type\":\"throttlingException\",\"message\":\"Too many \\\"tokens\\\"\"}\n\n\
         event: error\ndata: {\"type\":\"InternalError\",\"message\":\"Boom.\"}\n\n"
    );
}

#[test]
fn the_dialect_reads_what_is_written() {
    use shared::dialect::bedrock_converse::BEDROCK_CONVERSE;
    use shared::dialect::{Dialect, Metered, Verdict};

    let mut bytes = event(
        "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hi\"}}",
    );
    bytes.extend(event("messageStop", "{\"stopReason\":\"end_turn\"}"));
    bytes.extend(event(
        "metadata",
        "{\"usage\":{\"inputTokens\":3,\"outputTokens\":2}}",
    ));
    let (text, _) = whole(&bytes);
    let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
    for event in text.split_inclusive("\n\n") {
        assert_eq!(meter.event(event.as_bytes()), Verdict::Pass);
    }
    assert!(meter.is_done() && meter.is_told());
    assert_eq!(meter.usage().output_total(), 2);
}

#[test]
fn lengths_beyond_reason_are_refused_before_anything_is_kept() {
    for (total, headers) in [
        (u32::MAX, 0),
        (0, 0),
        (15, 0),
        (16, 1),
        (100, u32::MAX),
        (200_000, 140_000),
    ] {
        let mut bytes = Vec::new();
        for length in [total, headers] {
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        bytes.extend_from_slice(&sum(&bytes).to_be_bytes());
        assert_eq!(whole(&bytes).1, Err(BadFrame::Length), "{total} {headers}");
    }
}

#[test]
fn headers_that_end_too_soon_are_refused() {
    let good = header(":message-type", "event");
    for cut in 1..good.len() {
        let bytes = frame(&good[..cut], b"");
        assert_eq!(whole(&bytes).1, Err(BadFrame::Headers), "{cut}");
    }
    for headers in [vec![1, b'a', 10], header(":message-type", "other")] {
        assert_eq!(whole(&frame(&headers, b"")).1, Err(BadFrame::Headers));
    }
}

#[test]
fn a_large_frame_gives_its_memory_back() {
    let payload = "x".repeat(1024 * 1024);
    let bytes = event("metadata", &format!("\"{payload}\""));
    let mut frames = Frames::default();
    let mut count = 0;
    for part in bytes.chunks(1_000) {
        frames.push(part, |_| count += 1).expect("well");
    }
    assert_eq!(count, 1);
    assert!(frames.is_between());
    assert_eq!(frames.kept.capacity(), 0);
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_writes_the_same(
        payloads in vec("\\PC{0,20}", 1..6),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let all: Vec<u8> = payloads.iter().flat_map(|payload| event("metadata", payload)).collect();
        let expected = whole(&all);
        prop_assert_eq!(&expected.1, &Ok(true));
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
        places.extend([0, all.len()]);
        places.sort_unstable();
        let parts = places.windows(2).map(|pair| &all[pair[0]..pair[1]]);
        prop_assert_eq!(&written(parts), &expected);
        prop_assert_eq!(&written(all.chunks(1)), &expected);
    }

    #[test]
    fn one_changed_bit_is_an_error(
        payload in "\\PC{0,20}",
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let mut bytes = event("metadata", &payload);
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let (text, end) = whole(&bytes);
        prop_assert!(end.is_err(), "{:?}", end);
        prop_assert_eq!(text, "");
    }

    #[test]
    fn any_bytes_end(bytes in vec(any::<u8>(), 0..80), headers in vec(any::<u8>(), 0..40)) {
        let _ = whole(&bytes);
        let _ = whole(&frame(&headers, &bytes));
    }

    #[test]
    fn a_cut_stream_is_known_to_be_cut(payload in "\\PC{0,20}", at in any::<prop::sample::Index>()) {
        let bytes = event("metadata", &payload);
        let place = at.index(bytes.len() - 1) + 1;
        prop_assume!(place < bytes.len());
        prop_assert_eq!(whole(&bytes[..place]).1, Ok(false));
    }
}
