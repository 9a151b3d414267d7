//! The figures in the codec's doc: `cargo test -p shared codec::tests::figures -- --ignored
//! --nocapture`. They are for reading; only what is encoded and decoded is checked.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Decoder, Encoder, compress, decompress, random_word, stream_of};
use crate::process::say;

const STREAMS: usize = 1_000;
const EVENTS: usize = 100;

/// Resident memory of this process, in bytes; 0 where there is no `/proc`.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_usize) * 4096
}

/// Words of a language: those of the README, which the dictionary partly knows.
fn plain_word(rng: &mut StdRng) -> String {
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        include_str!("../../../../README.md")
            .split_whitespace()
            .filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()))
            .collect()
    });
    let words = &*WORDS;
    words[rng.random_range(0..words.len())].to_owned()
}

fn nanos(time: Duration, of: usize) -> u128 {
    time.as_nanos() / of as u128
}

/// Turn by turn, as live streams are: a stream's state is cold when its event comes.
fn measure(name: &str, word: fn(&mut StdRng) -> String) {
    let mut rng = StdRng::seed_from_u64(7);
    let streams: Vec<_> = (0..STREAMS)
        .map(|_| stream_of(&mut rng, EVENTS, word))
        .collect();
    let events = STREAMS * (EVENTS - 1);

    let before = resident();
    let begun = Instant::now();
    let mut encoders: Vec<_> = (0..STREAMS).map(|_| Encoder::new().unwrap()).collect();
    let mut rounds = Vec::new();
    let mut opened = Duration::ZERO;
    for at in 0..EVENTS {
        let round = encoders.iter_mut().zip(&streams);
        let round: Vec<Bytes> = round
            .map(|(encoder, stream)| encoder.encode(stream[at].as_bytes()).unwrap())
            .collect();
        rounds.push(round);
        if at == 0 {
            opened = begun.elapsed();
        }
    }
    let encoding = begun.elapsed().saturating_sub(opened);
    let of_encoders = resident().saturating_sub(before) / STREAMS;
    let first = rounds[0].iter().map(Bytes::len).sum::<usize>() / STREAMS;
    let tenths = rounds[1..].iter().flatten().map(Bytes::len).sum::<usize>() * 10 / events;
    say(&format!(
        "{name}: an event takes {}.{} B, the first {first}; opening {} ns, encoding {} ns; an \
         encoder holds {} B, resident with its output {of_encoders} B\n",
        tenths / 10,
        tenths % 10,
        nanos(opened, STREAMS),
        nanos(encoding, events),
        encoders[0].memory_bytes(),
    ));

    let before = resident();
    let begun = Instant::now();
    let mut decoders: Vec<_> = (0..STREAMS)
        .map(|_| Decoder::new(1 << 20).unwrap())
        .collect();
    for (at, round) in rounds.iter().enumerate() {
        for (stream, decoder) in decoders.iter_mut().enumerate() {
            let event = decoder.decode(&round[stream]).unwrap();
            assert_eq!(event, streams[stream][at]);
        }
    }
    let decoding = begun.elapsed();
    say(&format!(
        "{name}: decoding {} ns; a decoder holds {} B, resident {} B\n",
        nanos(decoding, events),
        decoders[0].memory_bytes(),
        resident().saturating_sub(before) / STREAMS,
    ));
}

// Each in a run of its own: memory that an earlier one freed would not be counted again.
#[test]
#[ignore = "measures"]
fn of_streams_with_random_words() {
    measure("random words", random_word);
}

#[test]
#[ignore = "measures"]
fn of_streams_with_plain_words() {
    measure("plain words", plain_word);
}

#[test]
#[ignore = "measures"]
fn of_bodies() {
    let mut rng = StdRng::seed_from_u64(7);
    for size in [200, 4_000, 64_000, 1_000_000] {
        let mut text =
            String::from(r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":""#);
        while text.len() < size {
            text.push_str(&plain_word(&mut rng));
            text.push(' ');
        }
        text.push_str(r#""}],"stream":true}"#);
        let rounds = 1 + 2_000_000 / text.len().max(20_000);
        let begun = Instant::now();
        let mut wire = Bytes::new();
        for _ in 0..rounds {
            wire = compress(text.as_bytes()).unwrap();
        }
        let compressing = nanos(begun.elapsed(), rounds);
        let begun = Instant::now();
        for _ in 0..rounds {
            assert_eq!(decompress(&wire, text.len()).unwrap(), text);
        }
        say(&format!(
            "a body of {} B becomes {} B: compressing {compressing} ns, decompressing {} ns\n",
            text.len(),
            wire.len(),
            nanos(begun.elapsed(), rounds),
        ));
    }
}
