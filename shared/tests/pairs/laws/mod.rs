//! There and back between all dialects: what both can say is the same after it was said in one, read of it,
//! said in the other and read of that; and nothing of it is named as lost.

mod limit;
mod say;
mod says;

use proptest::prelude::*;
use shared::dialect::Head;
use shared::dialect::neutral::{AnswerShown, ChatAnswer, ChatEvent, ChatRequest, Part, WriteTo};
use shared::units::{Unit, Usage};

use self::limit::{canonical, limited};
use self::say::{answer, request};
use self::says::{Says, TABLE};
use crate::fold::{Fold, plain};
use crate::streams::each_event;
use crate::translator;

/// The request said in a dialect and read of it again.
fn said(request: &ChatRequest, says: &Says) -> ChatRequest {
    let room = translator(says.dialect);
    let to = WriteTo {
        model: says.model,
        quirks: shared::dialect::Quirks::default(),
        output_max: None,
    };
    let written = room.write_request(request, to);
    let written = written.unwrap_or_else(|bad| panic!("{}: {bad}", says.dialect));
    let lost = Vec::<String>::new();
    assert_eq!(written.dropped, lost, "{} names what it says", says.dialect);
    let head = Head {
        model: Some("m".to_owned()),
        stream: Some(request.stream),
        headers: Vec::new(),
    };
    let read = room.read_request(&head, &written.body);
    let mut read = read.unwrap_or_else(|bad| panic!("{}: {bad}", says.dialect));
    // What is written to providers and is none of the request.
    read.unsaid.retain(|name| name != "store");
    assert_eq!(
        read.unsaid, lost,
        "{} does not know its own words",
        says.dialect
    );
    read
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "m".to_owned(),
        id: "1".to_owned(),
        created: 1,
        shows_usage: true,
        input_estimate: 1,
        repeated: bytes::Bytes::new(),
    }
}

fn usage() -> Usage {
    Usage::of([(Unit::InputToken, 7), (Unit::OutputToken, 5)])
}

fn answered(answer: &ChatAnswer, says: &Says) -> ChatAnswer {
    let room = translator(says.dialect);
    let written = room.write_answer(answer, &usage(), &shown());
    room.read_answer(&written)
        .unwrap_or_else(|fault| panic!("{}: {fault:?}", says.dialect))
}

/// The steps of an answer, texts and arguments in pieces of so many characters.
fn steps(answer: &ChatAnswer, size: usize, each: &mut dyn FnMut(ChatEvent<'_>)) {
    let pieces = |text: &str| -> Vec<String> {
        let all: Vec<char> = text.chars().collect();
        all.chunks(size)
            .map(|piece| piece.iter().collect())
            .collect()
    };
    let (answer, parts, stop) = match &answer.candidates[..] {
        [one] => (0, &one.parts, one.stop.clone()),
        _ => panic!("one answer"),
    };
    each(ChatEvent::Begin { id: "1".into() });
    let mut call = 0;
    for part in parts {
        match part {
            Part::Text { text, .. } => {
                for text in pieces(text) {
                    let text = text.into();
                    each(ChatEvent::Text { answer, text });
                }
            }
            Part::Thought(thought) => {
                for text in pieces(&thought.text) {
                    let text = text.into();
                    each(ChatEvent::Thought { answer, text });
                }
            }
            Part::ToolCall(made) => {
                each(ChatEvent::ToolCall {
                    answer,
                    call,
                    id: (&made.id).into(),
                    name: (&made.name).into(),
                    signature: None,
                });
                for json in pieces(&made.arguments) {
                    let json = json.into();
                    each(ChatEvent::Arguments { answer, call, json });
                }
                call += 1;
            }
            Part::Refusal(_) | Part::Media(_) | Part::ToolResult(_) => panic!("none is made"),
        }
    }
    each(ChatEvent::Stop { answer, stop });
}

fn written(says: &Says, of: impl FnOnce(&mut dyn FnMut(ChatEvent<'_>))) -> Vec<u8> {
    let mut writer = translator(says.dialect).stream_writer(shown());
    let mut out = Vec::new();
    of(&mut |event| writer.write(event, &mut out));
    writer.end(&usage(), &mut out);
    out
}

fn read(says: &Says, stream: &[u8], each: &mut dyn FnMut(ChatEvent<'_>)) {
    let mut reader = translator(says.dialect).stream_reader();
    each_event(stream, |event| reader.read(event, each));
}

/// An answer as it counts: whose id it bears is the dialect's.
fn counted(answer: ChatAnswer) -> ChatAnswer {
    use shared::dialect::neutral::Stop;

    let mut answer = plain(answer);
    answer.id.clear();
    for candidate in &mut answer.candidates {
        if let Stop::Refused(why) = &mut candidate.stop {
            *why = None;
        }
    }
    answer
}

/// Every dialect after every other, itself among them.
fn pairs() -> impl Iterator<Item = (&'static Says, &'static Says)> {
    static ROWS: [Says; 6] = TABLE;
    ROWS.iter()
        .flat_map(|one| ROWS.iter().map(move |other| (one, other)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_the_same_behind_two_dialects(asked in request()) {
        for (one, other) in pairs() {
            let asked = limited(asked.clone(), &one.and(other));
            let there = said(&asked, one);
            let back = said(&there, other);
            prop_assert_eq!(
                canonical(back), canonical(asked), "{} then {}", one.dialect, other.dialect
            );
        }
    }

    #[test]
    fn an_answer_is_the_same_behind_two_dialects(said in answer()) {
        for (one, other) in pairs() {
            let back = answered(&answered(&said, one), other);
            prop_assert_eq!(
                counted(back), counted(said.clone()), "{} then {}", one.dialect, other.dialect
            );
        }
    }

    #[test]
    fn a_stream_is_the_same_behind_two_dialects(said in answer(), size in 1..9_usize) {
        for (one, other) in pairs() {
            let there = written(one, |each| steps(&said, size, each));
            let back = written(other, |each| read(one, &there, each));
            let mut fold = Fold::default();
            read(other, &back, &mut |event| fold.take(event));
            prop_assert_eq!(
                counted(fold.answer()), counted(said.clone()), "{} then {}", one.dialect, other.dialect
            );
        }
    }
}
