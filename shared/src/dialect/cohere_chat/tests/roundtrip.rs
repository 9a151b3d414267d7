//! There and back: what Cohere can say comes back as it was; and any bytes end.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::dialect::neutral::{
    Candidate, Effort, Format, Json, Media, MediaKind, Reasoning, Role, Sampling, Source, Tool,
    ToolCall, ToolChoice, ToolResult, Turn,
};
use crate::dialect::replay::each_event;

fn text() -> impl Strategy<Value = String> {
    "[a-z\"\\\\\n\u{4f60}\u{1f600}]{0,6}[a-z]"
}

fn plain() -> impl Strategy<Value = Part> {
    text().prop_map(Part::text)
}

fn media() -> impl Strategy<Value = Part> {
    let base64 = "[A-Za-z0-9+/]{4,8}"
        .prop_map(|bytes| (Some("image/webp".to_owned()), Source::Base64(bytes)));
    let url =
        "[a-z]{1,8}".prop_map(|path| (None, Source::Url(format!("https://a.example/{path}"))));
    let detail = option::of(Just("low".to_owned()));
    (prop_oneof![base64, url], detail).prop_map(|((media_type, source), detail)| {
        Part::Media(Media {
            kind: MediaKind::Image,
            media_type,
            source,
            name: None,
            detail,
            cache: None,
        })
    })
}

fn object() -> impl Strategy<Value = String> {
    vec(("[a-z]{1,3}", 0..9_u8), 0..3).prop_map(|fields| {
        let fields: std::collections::BTreeMap<String, u8> = fields.into_iter().collect();
        serde_json::to_string(&fields).expect("JSON")
    })
}

fn call() -> impl Strategy<Value = Part> {
    ("[a-z|]{1,8}", "[a-z_]{1,6}", object()).prop_map(|(id, name, arguments)| {
        Part::ToolCall(ToolCall {
            id,
            name,
            arguments,
            signature: None,
            cache: None,
        })
    })
}

fn thought() -> impl Strategy<Value = Part> {
    text().prop_map(|text| {
        Part::Thought(Thought {
            text,
            signature: None,
        })
    })
}

fn tool_result() -> impl Strategy<Value = Part> {
    ("[a-z|]{1,8}", vec(plain(), 1..3)).prop_map(|(id, parts)| {
        Part::ToolResult(ToolResult {
            id,
            name: None,
            parts,
            is_error: false,
            cache: None,
        })
    })
}

/// What the model says: a plan only where it calls.
fn said() -> impl Strategy<Value = Vec<Part>> {
    let calls = (option::of(thought()), vec(plain(), 0..2), vec(call(), 1..3));
    let calls =
        calls.prop_map(|(plan, texts, calls)| plan.into_iter().chain(texts).chain(calls).collect());
    prop_oneof![calls, vec(plain(), 1..3)]
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let user = prop_oneof![plain(), media(), tool_result()];
    vec((vec(user, 1..4), said()), 1..3).prop_map(|pairs| {
        let turns = pairs.into_iter().flat_map(|(asked, said)| {
            let (user, assistant) = (Role::User, Role::Assistant);
            [
                Turn {
                    role: user,
                    parts: asked,
                },
                Turn {
                    role: assistant,
                    parts: said,
                },
            ]
        });
        turns.collect()
    })
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let tool = ("[a-z_]{1,6}", option::of(text()), object());
    let tools = vec(tool, 0..3);
    (tools, any::<bool>()).prop_map(|(tools, is_strict)| {
        let tools = tools.into_iter().map(|(name, description, schema)| Tool {
            name,
            description,
            parameters: Json::of(schema),
            strict: is_strict.then_some(true),
            cache: None,
        });
        tools.collect()
    })
}

fn hundredths() -> impl Strategy<Value = Option<f64>> {
    option::of((1..=99_u8).prop_map(|part| f64::from(part) / 100.0))
}

prop_compose! {
    fn sampling()(
        [temperature, top_p, frequency_penalty, presence_penalty] in
            [hundredths(), hundredths(), hundredths(), hundredths()],
        top_k in option::of(0..=500_u64),
        seed in option::of(0..i64::MAX),
    ) -> Sampling {
        Sampling { temperature, top_p, top_k, seed, frequency_penalty, presence_penalty }
    }
}

prop_compose! {
    fn request()(
        instructions in vec(plain(), 0..3),
        turns in turns(),
        tools in tools(),
        choice in option::of(prop_oneof![Just(ToolChoice::None), Just(ToolChoice::Required)]),
        output_max in option::of(1..9_000_u64),
        sampling in sampling(),
        stop in vec("[a-z]{1,4}", 0..5),
        format in option::of(option::of(object())),
        reasoning in option::of(option::of(1..9_000_u64)),
        stream in any::<bool>(),
    ) -> ChatRequest {
        ChatRequest {
            instructions,
            turns,
            tool_choice: choice.filter(|_| !tools.is_empty()),
            tools,
            output_max,
            sampling,
            stop,
            format: format.map(|schema| match schema {
                None => Format::JsonObject,
                Some(schema) => Format::JsonSchema {
                    name: super::super::read::SCHEMA_NAME.to_owned(),
                    description: None,
                    schema: Json::of(schema).expect("JSON"),
                    strict: None,
                },
            }),
            reasoning: reasoning.map(|budget| Reasoning {
                effort: budget.is_none().then_some(Effort::None),
                budget,
                shows: None,
            }),
            stream,
            ..ChatRequest::default()
        }
    }
}

fn answer() -> impl Strategy<Value = ChatAnswer> {
    let stop = prop_oneof![
        Just(Stop::End),
        Just(Stop::MaxTokens),
        Just(Stop::ContextFull),
        Just(Stop::StopText(None)),
        Just(Stop::ToolCalls),
        Just(Stop::Refused(None)),
    ];
    let contents = vec(prop_oneof![plain(), thought()], 0..4);
    ("[a-z0-9]{1,6}", contents, vec(call(), 0..3), stop).prop_map(|(id, contents, calls, stop)| {
        ChatAnswer {
            id,
            candidates: vec![Candidate {
                parts: contents.into_iter().chain(calls).collect(),
                stop,
            }],
            tier: None,
        }
    })
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "m".to_owned(),
        id: "other".to_owned(),
        created: 1,
        shows_usage: true,
        input_estimate: 1,
        repeated: bytes::Bytes::new(),
    }
}

/// Steps with neighbours of one kind joined.
fn joined(steps: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    'steps: for said in steps {
        for kind in ["text ", "thought "] {
            if let (Some(more), Some(last)) = (said.strip_prefix(kind), all.last_mut())
                && last.starts_with(kind)
            {
                last.push_str(more);
                continue 'steps;
            }
        }
        all.push(said);
    }
    all
}

fn written_steps(answer: &ChatAnswer) -> Vec<String> {
    let mut steps = Vec::new();
    each_event(answer, &mut |event| steps.push(short(&event)));
    steps
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was(request in request()) {
        let written = COHERE_CHAT.write_request(&request, TO).expect("written");
        prop_assert_eq!(&written.dropped, &Vec::<String>::new());
        let back = COHERE_CHAT.read_request(&Head::default(), &written.body).expect("read");
        prop_assert_eq!(back, request);
    }

    #[test]
    fn an_answer_comes_back_as_it_was(answer in answer()) {
        let usage = Usage::of([(Unit::InputToken, 3), (Unit::OutputToken, 2)]);
        let written = COHERE_CHAT.write_answer(&answer, &usage, &shown());
        prop_assert_eq!(COHERE_CHAT.judge(&written), Judged::Answer);
        prop_assert_eq!(COHERE_CHAT.read_answer(&written).expect("read"), answer);
        prop_assert_eq!(COHERE_CHAT.usage(Metered::default(), &written), Ok(usage));
    }

    #[test]
    fn a_stream_says_what_was_written(answer in answer()) {
        let usage = Usage::of([(Unit::InputToken, 3), (Unit::OutputToken, 2)]);
        let mut writer = COHERE_CHAT.stream_writer(shown());
        let mut bytes = Vec::new();
        each_event(&answer, &mut |event| writer.write(event, &mut bytes));
        writer.end(&usage, &mut bytes);
        let stream = String::from_utf8(bytes).expect("text");
        prop_assert_eq!(joined(steps(&stream)), joined(written_steps(&answer)));
        let mut meter = COHERE_CHAT.meter(Metered::default());
        for event in stream.split_inclusive("\n\n") {
            prop_assert_eq!(meter.event(event.as_bytes()), crate::dialect::Verdict::Pass);
        }
        prop_assert!(meter.is_done());
        prop_assert_eq!(meter.usage(), usage);
    }

    #[test]
    fn any_bytes_end(
        bytes in vec(any::<u8>(), 0..80),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut mutated = ANSWER.as_bytes().to_vec();
        let place = at.index(mutated.len());
        mutated[place] = byte;
        for bytes in [bytes, mutated] {
            let _ = COHERE_CHAT.judge(&bytes);
            let _ = COHERE_CHAT.usage(Metered::default(), &bytes);
            let _ = COHERE_CHAT.read_answer(&bytes);
            let _ = COHERE_CHAT.as_stream(&bytes);
            let _ = COHERE_CHAT.look(&bytes);
            let _ = COHERE_CHAT.read_request(&Head::default(), &bytes);
            let event = [b"data: ", &bytes[..], b"\n\n"].concat();
            for event in [&bytes, &event] {
                COHERE_CHAT.meter(Metered::default()).event(event);
                COHERE_CHAT.stream_reader().read(event, &mut |_| {});
            }
        }
    }
}

#[test]
fn deep_nesting_ends() {
    let deep = format!("{}1{}", "{\"delta\":".repeat(50_000), "}".repeat(50_000));
    let event = format!("data: {deep}\n\n");
    COHERE_CHAT
        .stream_reader()
        .read(event.as_bytes(), &mut |_| {});
    COHERE_CHAT
        .meter(Metered::default())
        .event(event.as_bytes());
    let _ = COHERE_CHAT.read_answer(deep.as_bytes());
    assert_ne!(COHERE_CHAT.judge(deep.as_bytes()), Judged::Answer);
}
