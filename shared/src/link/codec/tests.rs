//! Streams and bodies come out as they went in, however the wire is cut; hostile bytes end in an
//! error. `figures` measures, and is ignored in ordinary runs.

use bytes::Bytes;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use super::{
    CCtx, CParameter, CodecError, DICTIONARY, Decoder, Encoder, InBuffer, OutBuffer,
    PIECE_BYTES_MAX, VERSION, WINDOW_LOG, ZSTD_EndDirective, compress, decompress,
};

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn random_text(rng: &mut StdRng, signs: &[u8], length: usize) -> String {
    (0..length)
        .map(|_| char::from(signs[rng.random_range(0..signs.len())]))
        .collect()
}

/// Events as a provider of `OpenAI`'s dialect sends them, with ids of this stream's own. `word`
/// makes the text of each.
fn stream_of(
    rng: &mut StdRng,
    events: usize,
    mut word: impl FnMut(&mut StdRng) -> String,
) -> Vec<String> {
    let id = random_text(rng, SIGNS, 29);
    let print = random_text(rng, b"0123456789abcdef", 10);
    let created = rng.random_range(1_790_000_000..1_800_000_000_u64);
    let mut event = || {
        let word = word(rng);
        format!(
            "data: {{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion.chunk\",\
             \"created\":{created},\"model\":\"gpt-4o-mini-2024-07-18\",\
             \"service_tier\":\"default\",\"system_fingerprint\":\"fp_{print}\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" {word}\"}},\
             \"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
        )
    };
    (0..events).map(|_| event()).collect()
}

/// Two to eight random letters: no dictionary has them, unlike the words of a language.
fn random_word(rng: &mut StdRng) -> String {
    let length = rng.random_range(2..9);
    random_text(rng, LETTERS, length)
}

fn random_stream(seed: u64, events: usize) -> Vec<String> {
    stream_of(&mut StdRng::seed_from_u64(seed), events, random_word)
}

#[test]
fn an_event_costs_less_than_25_bytes_and_little_memory() {
    let (mut wire, mut events) = (0, 0);
    for seed in 0..20 {
        let stream = random_stream(seed, 100);
        let mut encoder = Encoder::new().unwrap();
        let first = encoder.encode(stream[0].as_bytes()).unwrap();
        assert!(first.len() < 120, "the first event took {}", first.len());
        for event in &stream[1..] {
            assert!(event.len() > 290);
            wire += encoder.encode(event.as_bytes()).unwrap().len();
            events += 1;
        }
        assert!(encoder.memory_bytes() < 64 * 1024);
    }
    assert!(wire < 25 * events, "{wire} bytes for {events} events");
}

#[test]
fn a_dictionary_belongs_to_its_version() {
    let hash = hex::encode(Sha256::digest(DICTIONARY));
    // Whoever changes the dictionary or the window changes VERSION, then this line.
    let expected = (
        1,
        12,
        "4513044388e24bcd80973bcbe3c47ea00c0fe5600ca05f4a2766377e470ad4de",
    );
    assert_eq!((VERSION, WINDOW_LOG, hash.as_str()), expected);
}

#[test]
fn another_version_is_named_and_ends_the_stream() {
    let mut decoder = Decoder::new(1024).unwrap();
    assert_eq!(
        decoder.decode(&[VERSION + 1, 7]),
        Err(CodecError::Version(VERSION + 1))
    );
    assert_eq!(decoder.decode(&[VERSION]), Err(CodecError::Failed));
    assert_eq!(decompress(&[9, 0], 10), Err(CodecError::Version(9)));
}

#[test]
fn a_bomb_is_an_error() {
    let zeros = vec![0; 1024 * 1024];
    let wire = Encoder::new().unwrap().encode(&zeros).unwrap();
    assert!(wire.len() < 4096, "{} bytes", wire.len());
    let mut decoder = Decoder::new(zeros.len() - 1).unwrap();
    let limit = zeros.len() - 1;
    assert_eq!(decoder.decode(&wire), Err(CodecError::TooLarge { limit }));
    assert_eq!(decoder.decode(&wire), Err(CodecError::Failed));
    assert_eq!(
        Decoder::new(zeros.len()).unwrap().decode(&wire).unwrap(),
        zeros
    );

    let wire = compress(&zeros).unwrap();
    assert_eq!(
        decompress(&wire, limit),
        Err(CodecError::TooLarge { limit })
    );
    assert_eq!(decompress(&wire, limit + 1).unwrap(), zeros);
}

#[test]
fn a_stream_that_asks_for_a_large_window_is_refused() {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::WindowLog(20)).unwrap();
    let mut wire = vec![VERSION; 256];
    let mut input = InBuffer::around(b"hello");
    let mut output = OutBuffer::around_pos(&mut wire[..], 1);
    context
        .compress_stream2(&mut output, &mut input, ZSTD_EndDirective::ZSTD_e_flush)
        .unwrap();
    let length = output.pos();
    let refused = Decoder::new(1024).unwrap().decode(&wire[..length]);
    assert!(
        matches!(refused, Err(CodecError::Damaged(_))),
        "{refused:?}"
    );
}

#[test]
fn a_piece_too_large_is_refused_and_the_stream_goes_on() {
    let mut encoder = Encoder::new().unwrap();
    let mut decoder = Decoder::new(1024).unwrap();
    let limit = PIECE_BYTES_MAX;
    let refused = encoder.encode(&vec![0; limit + 1]);
    assert_eq!(refused, Err(CodecError::TooLarge { limit }));
    let wire = encoder.encode(b"on").unwrap();
    assert_eq!(decoder.decode(&wire).unwrap(), "on");
}

#[test]
fn a_body_is_the_same_again_and_nothing_may_follow_it() {
    for body in [
        &b""[..],
        b"{}",
        &random_stream(1, 300).concat().into_bytes(),
    ] {
        let wire = compress(body).unwrap();
        assert_eq!(decompress(&wire, body.len()).unwrap(), body);
        let twice = [&wire[..], &wire[1..]].concat();
        assert!(decompress(&twice, 1 << 20).is_err());
        assert!(decompress(&wire[..wire.len() - 1], 1 << 20).is_err());
    }
    let small = br#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#;
    assert!(compress(small).unwrap().len() < small.len() / 2);
    assert!(decompress(&[], 10).is_err());
}

#[test]
fn a_reset_begins_as_if_new_also_after_a_failure() {
    let stream = random_stream(3, 4);
    let encode = |encoder: &mut Encoder| -> Vec<Bytes> {
        let events = stream.iter();
        let wires = events.map(|event| encoder.encode(event.as_bytes()).unwrap());
        wires.collect()
    };
    let mut encoder = Encoder::new().unwrap();
    let mut decoder = Decoder::new(1024).unwrap();
    let wires = encode(&mut encoder);
    assert!(decoder.decode(b"nonsense").is_err());
    assert_eq!(decoder.decode(&wires[0]), Err(CodecError::Failed));
    for _ in 0..2 {
        encoder.reset().unwrap();
        decoder.reset().unwrap();
        assert_eq!(encode(&mut encoder), wires);
        for (wire, event) in wires.iter().zip(&stream) {
            assert_eq!(decoder.decode(wire).unwrap(), event.as_str());
        }
    }
}

#[test]
fn codecs_may_move_between_threads() {
    fn movable<T: Send + Sync>() {}
    movable::<Encoder>();
    movable::<Decoder>();
}

/// Bytes as they come: some random, some that repeat, some long.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let random = prop::collection::vec(any::<u8>(), 0..200);
    let repeating = (any::<u8>(), 0..20_000_usize).prop_map(|(byte, length)| vec![byte; length]);
    let event = any::<u64>().prop_map(|seed| random_stream(seed, 1).concat().into_bytes());
    prop::collection::vec(prop_oneof![random, repeating, event], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn each_piece_can_be_had_as_soon_as_its_bytes_are_there(pieces in pieces()) {
        let (mut encoder, mut decoder) = (Encoder::new().unwrap(), Decoder::new(1 << 20).unwrap());
        for piece in &pieces {
            let wire = encoder.encode(piece).unwrap();
            prop_assert_eq!(&decoder.decode(&wire).unwrap()[..], &piece[..]);
        }
    }

    #[test]
    fn any_cut_of_the_wire_gives_the_same_bytes(
        pieces in pieces(),
        cuts in prop::collection::vec(0..5_000_usize, 0..40),
    ) {
        let mut encoder = Encoder::new().unwrap();
        let wire: Vec<u8> = pieces.iter().flat_map(|piece| encoder.encode(piece).unwrap()).collect();
        let mut decoder = Decoder::new(1 << 20).unwrap();
        let (mut rest, mut whole) = (&wire[..], Vec::new());
        for cut in cuts {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            whole.extend_from_slice(&decoder.decode(now).unwrap());
            rest = later;
        }
        whole.extend_from_slice(&decoder.decode(rest).unwrap());
        prop_assert_eq!(whole, pieces.concat());
    }

    #[test]
    fn bytes_that_are_not_ours_never_panic_and_stay_within_the_limit(
        wire in prop::collection::vec(any::<u8>(), 0..400),
        as_frame in any::<bool>(),
    ) {
        let start: &[u8] = if as_frame { &[VERSION, 0x28, 0xb5, 0x2f, 0xfd, 0, 0x10] } else { &[VERSION] };
        let wire = [start, &wire].concat();
        let mut decoder = Decoder::new(10_000).unwrap();
        for part in wire.chunks(7) {
            let Ok(bytes) = decoder.decode(part) else { break };
            prop_assert!(bytes.len() <= 10_000);
        }
        if let Ok(body) = decompress(&wire, 10_000) {
            prop_assert!(body.len() <= 10_000);
        }
    }

    #[test]
    fn one_changed_byte_ends_in_an_error_or_in_bytes_within_the_limit(
        seed in any::<u64>(), at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let stream = random_stream(seed, 5);
        let mut encoder = Encoder::new().unwrap();
        let mut wire: Vec<u8> = stream.iter().flat_map(|event| encoder.encode(event.as_bytes()).unwrap()).collect();
        let mut body = compress(stream.concat().as_bytes()).unwrap().to_vec();
        let (in_wire, in_body) = (at.index(wire.len()), at.index(body.len()));
        wire[in_wire] ^= flip;
        body[in_body] ^= flip;
        if let Ok(bytes) = Decoder::new(20_000).unwrap().decode(&wire) {
            prop_assert!(bytes.len() <= 20_000);
        }
        if let Ok(bytes) = decompress(&body, 20_000) {
            prop_assert!(bytes.len() <= 20_000);
        }
    }

    #[test]
    fn any_body_comes_back(body in prop::collection::vec(any::<u8>(), 0..5_000)) {
        prop_assert_eq!(&decompress(&compress(&body).unwrap(), body.len()).unwrap()[..], &body[..]);
    }
}

#[path = "figures.rs"]
mod figures;
