//! The figures in the codec's doc: `cargo test -p shared codec::tests::figures -- --ignored
//! --nocapture`. They are for reading; only what is encoded and decoded is checked.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Decoder, Encoder, SIGNS, compress, decompress, random_text, random_word, stream_of};
use crate::process::say;

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

type Event<'a> = &'a dyn Fn(u64, &str, &str) -> String;
type Word = fn(&mut StdRng) -> String;

/// Turn by turn, as live streams are: a stream's state is cold when its event comes.
fn measure(name: &str, word: Word, streams_count: usize, events_count: usize) {
    let mut rng = StdRng::seed_from_u64(7);
    let streams: Vec<_> = (0..streams_count)
        .map(|_| stream_of(&mut rng, events_count, word))
        .collect();
    let events = streams_count * (events_count - 1);

    let before = resident();
    let begun = Instant::now();
    let mut encoders: Vec<_> = (0..streams_count)
        .map(|_| Encoder::new().unwrap())
        .collect();
    let mut rounds = Vec::new();
    let mut opened = Duration::ZERO;
    for at in 0..events_count {
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
    let of_encoders = resident().saturating_sub(before) / streams_count;
    let first = rounds[0].iter().map(Bytes::len).sum::<usize>() / streams_count;
    let tenths = rounds[1..].iter().flatten().map(Bytes::len).sum::<usize>() * 10 / events;
    say(&format!(
        "{name}: an event takes {}.{} B, the first {first}; opening {} ns, encoding {} ns; an \
         encoder holds {} B, resident with its output {of_encoders} B\n",
        tenths / 10,
        tenths % 10,
        nanos(opened, streams_count),
        nanos(encoding, events),
        encoders[0].memory_bytes(),
    ));

    let before = resident();
    let begun = Instant::now();
    let mut decoders: Vec<_> = (0..streams_count)
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
        resident().saturating_sub(before) / streams_count,
    ));
}

// Each in a run of its own: memory that an earlier one freed would not be counted again.
#[test]
#[ignore = "measures"]
fn of_streams_with_random_words() {
    measure("random words", random_word, 1_000, 100);
}

#[test]
#[ignore = "measures"]
fn of_streams_with_plain_words() {
    measure("plain words", plain_word, 1_000, 100);
}

#[test]
#[ignore = "measures"]
fn of_one_stream() {
    measure("one stream alone", random_word, 1, 20_000);
    let event = stream_of(&mut StdRng::seed_from_u64(7), 1, random_word).concat();
    let mut encoder = Encoder::new().unwrap();
    let begun = Instant::now();
    for _ in 0..1_000 {
        encoder.reset().unwrap();
        encoder.encode(event.as_bytes()).unwrap();
    }
    let time = nanos(begun.elapsed(), 1_000);
    say(&format!("a reset and the first event: {time} ns\n"));
}

/// Anthropic's events, and `OpenAI`'s of both APIs with the random padding that they add by default.
#[test]
#[ignore = "measures"]
fn of_other_dialects() {
    let mut rng = StdRng::seed_from_u64(7);
    let id = random_text(&mut rng, SIGNS, 48);
    let anthropic = |_: u64, word: &str, _: &str| {
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
             \"delta\":{{\"type\":\"text_delta\",\"text\":\" {word}\"}}}}\n\n"
        )
    };
    let responses = |number: u64, word: &str, padding: &str| {
        format!(
            "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
             \"sequence_number\":{number},\"item_id\":\"msg_{id}\",\"output_index\":0,\
             \"content_index\":0,\"delta\":\" {word}\",\"logprobs\":[],\
             \"obfuscation\":\"{padding}\"}}\n\n"
        )
    };
    let chat = |_: u64, word: &str, padding: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion.chunk\",\
             \"created\":1792345678,\"model\":\"gpt-4o\",\"service_tier\":\"default\",\
             \"system_fingerprint\":\"fp_1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\
             \" {word}\"}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null,\
             \"obfuscation\":\"{padding}\"}}\n\n"
        )
    };
    let dialects: [(&str, Event<'_>); 3] = [
        ("Anthropic", &anthropic),
        ("OpenAI responses, padded", &responses),
        ("OpenAI chat, padded", &chat),
    ];
    for (name, event) in dialects {
        let mut encoder = Encoder::new().unwrap();
        let (mut plain, mut wire, events) = (0, 0, 1_000);
        for number in 0..events {
            let word = plain_word(&mut rng);
            // The padding makes all events of about the same length.
            let padding = random_text(&mut rng, SIGNS, 16_usize.saturating_sub(word.len()));
            let event = event(number, &word, &padding);
            plain += event.len() as u64;
            wire += encoder.encode(event.as_bytes()).unwrap().len() as u64;
        }
        let (plain, wire) = (plain / events, wire / events);
        say(&format!("{name}: {plain} B an event become {wire} B\n"));
    }
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
