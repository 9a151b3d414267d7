//! Streams as providers send them, cut in any place, and what comes out.

use futures_util::{StreamExt, stream};
use shared::dialect::Metered;
use shared::dialect::openai::DONE;
use shared::link::{Bounds, Call, Operation};
use shared::units::Unit;

use super::*;
use crate::fixture;

fn call(operation: Operation, output_max: u64) -> Call {
    let bounds = Bounds {
        input_estimate: 10,
        input_max: 100,
        output_max,
    };
    Call {
        stream: true,
        bounds: Some(bounds),
        ..fixture::call(operation, "{\"messages\":[]}")
    }
}

/// What a provider's connection does after its bytes.
#[derive(Clone, Copy)]
enum Then {
    Ends,
    Stays,
    Breaks,
}

/// The flow of a provider that sends `text` in parts of `size`.
fn flow(call: &Call, text: &[u8], size: usize, then: Then) -> Flow {
    let parts: Vec<_> = text
        .chunks(size.max(1))
        .map(|part| Ok(Bytes::copy_from_slice(part)))
        .collect();
    let parts = stream::iter(parts);
    let bytes: ByteStream = match then {
        Then::Ends => Box::pin(parts),
        Then::Stays => Box::pin(parts.chain(stream::pending())),
        Then::Breaks => Box::pin(parts.chain(stream::once(async {
            Err(Fault::new(FaultKind::Interrupted, "reset"))
        }))),
    };
    Flow::new(
        bytes,
        call.surface.dialect.meter(Metered::of(call)),
        call.answer_model.as_deref().map(Arc::from),
    )
}

async fn read(mut flow: Flow) -> (Vec<Bytes>, Option<Fault>, Usage) {
    let mut pieces = Vec::new();
    loop {
        match std::future::poll_fn(|cx| flow.poll(cx)).await {
            Flowed::Piece(piece) => pieces.push(piece),
            Flowed::End(fault) => return (pieces, fault, flow.usage()),
        }
    }
}

/// The tenant's text, the word of the fault, and the output that is counted.
async fn told(text: &str, size: usize, then: Then) -> (String, Option<&'static str>, u64) {
    let flow = flow(&call(Operation::Chat, 1_000), text.as_bytes(), size, then);
    let (pieces, fault, usage) = read(flow).await;
    let text = String::from_utf8(pieces.concat()).expect("text");
    (text, fault.map(|fault| fault.word()), usage.output_total())
}

const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
const FINISH: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\n";
const END: &str = "data: [DONE]\n\n";

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
async fn every_end_of_a_stream_is_told_for_what_it_is() {
    let broken = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"del";
    for (name, sent, then, shown, fault) in [
        (
            "well",
            [WORD, FINISH, USAGE, END].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "no [DONE]",
            [WORD, FINISH, USAGE].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "no [DONE], no usage",
            [WORD, FINISH].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "no blank line",
            [WORD, FINISH, "data: [DONE]"].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "half a blank line",
            [WORD, FINISH, "data: [DONE]\n"].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "the last chunk without one",
            [WORD, FINISH.trim_end()].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "no end",
            WORD.to_owned(),
            Then::Ends,
            WORD.to_owned(),
            Some("interrupted"),
        ),
        (
            "in mid-event",
            [WORD, broken].concat(),
            Then::Ends,
            WORD.to_owned(),
            Some("interrupted"),
        ),
        (
            "in mid-event, broken",
            [WORD, broken].concat(),
            Then::Breaks,
            WORD.to_owned(),
            Some("interrupted"),
        ),
        (
            "broken behind the end",
            [WORD, FINISH, END].concat(),
            Then::Breaks,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "open behind the end",
            [WORD, FINISH, USAGE, END].concat(),
            Then::Stays,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "half a blank line, open",
            [WORD, FINISH, "data: [DONE]\n"].concat(),
            Then::Stays,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "no JSON",
            [WORD, "data: {not json}\n\n", END].concat(),
            Then::Ends,
            WORD.to_owned(),
            Some("invalid_answer"),
        ),
        (
            "[DONE] alone",
            END.to_owned(),
            Then::Ends,
            String::new(),
            Some("invalid_answer"),
        ),
        (
            "[DONE] alone, open",
            END.to_owned(),
            Then::Stays,
            String::new(),
            Some("invalid_answer"),
        ),
        (
            "an empty list",
            ["data: []\n\n", END].concat(),
            Then::Ends,
            String::new(),
            Some("invalid_answer"),
        ),
        (
            "nothing",
            String::new(),
            Then::Ends,
            String::new(),
            Some("interrupted"),
        ),
        (
            "an error behind a word",
            [
                WORD,
                "data: {\"id\":\"x\",\"choices\":[],\"error\":{\"code\":502}}\n\n",
                END,
            ]
            .concat(),
            Then::Ends,
            WORD.to_owned(),
            Some("overloaded"),
        ),
        (
            "a mark before it",
            ["\u{feff}", WORD, FINISH, END].concat(),
            Then::Ends,
            [WORD, FINISH, END].concat(),
            None,
        ),
        (
            "words behind the end",
            [WORD, FINISH, END, WORD].concat(),
            Then::Stays,
            [WORD, FINISH, END].concat(),
            None,
        ),
    ] {
        // What came in one read with the fault may be held back; so each event comes alone too.
        for size in [1, 7, sent.len() + 1] {
            let (text, word, _) = told(&sent, size, then).await;
            assert_eq!(
                (text, word),
                (shown.clone(), fault),
                "{name}, parts of {size}"
            );
        }
    }
}

#[tokio::test]
async fn the_end_goes_out_at_once_and_counts_behind_it_are_taken() {
    let sent = [WORD, FINISH, END].concat();
    let mut open = flow(
        &call(Operation::Chat, 9),
        sent.as_bytes(),
        9_000,
        Then::Stays,
    );
    let before = tokio::time::Instant::now();
    let Flowed::Piece(piece) = std::future::poll_fn(|cx| open.poll(cx)).await else {
        panic!("no piece");
    };
    assert!(piece.ends_with(DONE) && before.elapsed() < AFTER_DONE / 2);
    let end = std::future::poll_fn(|cx| open.poll(cx)).await;
    assert!(matches!(end, Flowed::End(None)) && before.elapsed() < AFTER_DONE * 10);
    let (text, fault, output) = told(&[WORD, FINISH, END, USAGE].concat(), 5, Then::Stays).await;
    assert_eq!((fault, output), (None, 4), "{text}");
    assert!(text.ends_with(END));
}

#[tokio::test]
async fn usage_that_nobody_asked_for_leaves_no_trace() {
    let with_null = WORD.replace("}]}\n", "}],\"usage\":null}\n");
    let sent = [&with_null, &with_null, FINISH, END].concat();
    for size in [1, 50, 9_000] {
        let (text, ..) = told(&sent, size, Then::Ends).await;
        assert_eq!(text, [WORD, WORD, FINISH, END].concat());
    }
}

#[tokio::test]
async fn a_provider_beyond_the_maximum_is_cut_off_and_the_stream_ends_well() {
    let sent = WORD.replace("hi", "word ").repeat(500);
    let mut over = flow(
        &call(Operation::Chat, 10),
        sent.as_bytes(),
        1_000,
        Then::Stays,
    );
    let mut text = Vec::new();
    let fault = loop {
        match std::future::poll_fn(|cx| over.poll(cx)).await {
            Flowed::Piece(piece) => text.extend_from_slice(&piece),
            Flowed::End(fault) => break fault,
        }
    };
    let text = String::from_utf8(text).expect("text");
    let words = text.matches("word ").count();
    assert!((10..60).contains(&words), "{words} words");
    assert!(
        text.ends_with(&["\"finish_reason\":\"length\"}]}\n\n", END].concat()),
        "{text}"
    );
    assert!(fault.is_none() && over.usage().overrun && over.bytes.is_none());
}

#[tokio::test]
async fn answers_name_the_public_model_to_their_last_event() {
    let word = WORD.replace("{\"choices\"", "{\"model\":\"theirs\",\"choices\"");
    let word = word
        .replace("hi", "word ")
        .replace("}]}\n", "}],\"usage\":null}\n");
    let mut call = call(Operation::Chat, 10);
    call.answer_model = Some("ours".to_owned());
    let flow = flow(&call, word.repeat(500).as_bytes(), 3_000, Then::Ends);
    let (pieces, fault, _) = read(flow).await;
    let text = String::from_utf8(pieces.concat()).expect("text");
    assert!(fault.is_none() && text.ends_with(END) && text.contains("\"length\""));
    assert!(
        text.contains("\"model\":\"ours\"") && !text.contains("theirs") && !text.contains("usage")
    );
}

#[tokio::test]
async fn an_event_of_megabytes_passes_in_pieces_that_the_link_carries() {
    let picture = "A".repeat(5 * 1024 * 1024);
    let large = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"images\":[{{\"image_url\":{{\"url\":\"data:image/png;base64,{picture}\"}}}}]}}}}]}}\n\n"
    );
    let sent = [&large, FINISH, END].concat();
    let flow = flow(
        &call(Operation::Chat, 9_000),
        sent.as_bytes(),
        16 * 1024,
        Then::Ends,
    );
    let (pieces, fault, usage) = read(flow).await;
    assert!(fault.is_none() && pieces.iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
    assert_eq!(pieces.concat(), sent.as_bytes());
    assert_eq!(
        usage.output_total(),
        1_290,
        "one picture, whatever its bytes"
    );
    let too_large = [WORD.as_bytes(), b"data: ", &vec![b'x'; 17 * 1024 * 1024]].concat();
    let flow = self::flow(
        &call(Operation::Chat, 9_000),
        &too_large,
        64 * 1024,
        Then::Ends,
    );
    let (pieces, fault, _) = read(flow).await;
    assert_eq!(pieces.concat(), WORD.as_bytes());
    assert_eq!(fault.map(|fault| fault.word()), Some("invalid_answer"));
}

#[tokio::test]
async fn a_stream_of_images_ends_as_its_provider_ends_it() {
    let sent = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"AA\"}\n\n\
        event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AA\",\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}\n\n";
    let flow = flow(
        &call(Operation::Image, 9_000),
        sent.as_bytes(),
        11,
        Then::Ends,
    );
    let (pieces, fault, usage) = read(flow).await;
    assert_eq!(pieces.concat(), sent.as_bytes());
    assert_eq!(
        (
            fault.is_none(),
            usage.count(Unit::Image),
            usage.count(Unit::OutputToken)
        ),
        (true, 1, 5)
    );
}
