//! There and back: what Converse can say comes back as it was; and any bytes end.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::dialect::neutral::{
    CacheMark, Candidate, Effort, Format, Json, Media, MediaKind, Reasoning, Role, Sampling,
    Signature, SignatureFormat, Source, Thought, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use crate::dialect::replay::each_event;

fn text() -> impl Strategy<Value = String> {
    "[a-z\"\\\\\n\u{4f60}\u{1f600}]{0,6}[a-z]"
}

fn cache() -> impl Strategy<Value = Option<CacheMark>> {
    option::of(prop_oneof![Just(CacheMark::Short), Just(CacheMark::Long)])
}

fn marked_text() -> impl Strategy<Value = Part> {
    (text(), cache()).prop_map(|(text, cache)| Part::Text {
        text,
        citations: Vec::new(),
        cache,
    })
}

fn media() -> impl Strategy<Value = Part> {
    let one = |kind, media_type: &str| {
        let media_type = Some(media_type.to_owned());
        let base = ("[A-Za-z0-9+/]{4,8}", cache());
        base.prop_map(move |(bytes, cache)| {
            Part::Media(Media {
                kind,
                media_type: media_type.clone(),
                source: Source::Base64(bytes),
                name: None,
                detail: None,
                cache,
            })
        })
    };
    prop_oneof![
        one(MediaKind::Image, "image/png"),
        one(MediaKind::Image, "image/webp"),
        one(MediaKind::Audio, "audio/mpeg"),
        one(MediaKind::Video, "video/mp4"),
    ]
}

fn object() -> impl Strategy<Value = String> {
    vec(("[a-z]{1,3}", 0..9_u8), 0..3).prop_map(|fields| {
        let fields: std::collections::BTreeMap<String, u8> = fields.into_iter().collect();
        serde_json::to_string(&fields).expect("JSON")
    })
}

fn call() -> impl Strategy<Value = Part> {
    ("[a-zA-Z0-9_-]{1,8}", "[a-z_]{1,6}", object(), cache()).prop_map(
        |(id, name, arguments, cache)| {
            Part::ToolCall(ToolCall {
                id,
                name,
                arguments,
                signature: None,
                cache,
            })
        },
    )
}

fn thought() -> impl Strategy<Value = Part> {
    (text(), any::<bool>(), "[A-Za-z0-9+/]{1,8}").prop_map(|(text, is_plain, data)| {
        let format = if is_plain {
            SignatureFormat::Anthropic
        } else {
            SignatureFormat::AnthropicRedacted
        };
        Part::Thought(Thought {
            text: if is_plain { text } else { String::new() },
            signature: Some(Signature { format, data }),
        })
    })
}

fn tool_result() -> impl Strategy<Value = Part> {
    (
        "[a-zA-Z0-9_-]{1,8}",
        vec(text().prop_map(Part::text), 0..3),
        any::<bool>(),
        cache(),
    )
        .prop_map(|(id, parts, is_error, cache)| {
            Part::ToolResult(ToolResult {
                id,
                name: None,
                parts,
                is_error,
                cache,
            })
        })
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let user = prop_oneof![marked_text(), media(), tool_result()];
    let assistant = prop_oneof![marked_text(), thought(), call()];
    vec((vec(user, 1..4), vec(assistant, 1..4)), 1..3).prop_map(|pairs| {
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

fn tool() -> impl Strategy<Value = Tool> {
    (
        "[a-z_]{1,6}",
        option::of(text()),
        object(),
        option::of(any::<bool>()),
        cache(),
    )
        .prop_map(|(name, description, schema, strict, cache)| Tool {
            name,
            description,
            parameters: Json::of(schema),
            strict,
            cache,
        })
}

prop_compose! {
    fn request()(
        instructions in vec(marked_text(), 0..2),
        turns in turns(),
        // Calls in the conversation need tools.
        tools in vec(tool(), 1..3),
        choice in option::of(prop_oneof![
            Just(ToolChoice::Auto), Just(ToolChoice::Required), Just(ToolChoice::Function("f".into()))]),
        output_max in option::of(1..9_000_u64),
        (temperature, top_k) in (option::of((0..=100_u8).prop_map(|t| f64::from(t) / 100.0)), option::of(0..99_u64)),
        stop in vec("[a-z]{1,4}", 0..3),
        schema in option::of((object(), option::of(text()))),
        effort in option::of(Just(Effort::None)),
        end_user in option::of("[a-z0-9-]{1,8}"),
        tier in option::of(prop_oneof![Just("default"), Just("flex"), Just("priority")]),
        stream in any::<bool>(),
    ) -> ChatRequest {
        ChatRequest {
            instructions,
            turns,
            tool_choice: choice,
            tools,
            output_max,
            sampling: Sampling { temperature, top_k, ..Sampling::default() },
            stop,
            format: schema.map(|(schema, description)| Format::JsonSchema {
                name: "s".to_owned(),
                description,
                schema: Json::of(schema).expect("JSON"),
                strict: None,
            }),
            reasoning: effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() }),
            end_user,
            tier: tier.map(str::to_owned),
            stream,
            ..ChatRequest::default()
        }
    }
}

fn answer() -> impl Strategy<Value = ChatAnswer> {
    let plain = text().prop_map(Part::text);
    let stop = prop_oneof![
        Just(Stop::End),
        Just(Stop::MaxTokens),
        Just(Stop::ContextFull),
        Just(Stop::StopText(None)),
        Just(Stop::ToolCalls),
        Just(Stop::Refused(Some("content_filtered".to_owned()))),
    ];
    let unmarked = call().prop_map(|mut part| {
        if let Part::ToolCall(call) = &mut part {
            call.cache = None;
        }
        part
    });
    (vec(prop_oneof![plain, thought(), unmarked], 0..5), stop).prop_map(|(parts, stop)| {
        ChatAnswer {
            id: String::new(),
            candidates: vec![Candidate { parts, stop }],
            tier: None,
        }
    })
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

/// Steps with neighbours of one kind joined.
fn joined(steps: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    'steps: for said in steps {
        if said.starts_with("begin") {
            continue;
        }
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
        let model = "anthropic.claude-haiku-4-5-20251001-v1:0";
        let written = BEDROCK_CONVERSE.write_request(&request, to(model)).expect("written");
        prop_assert_eq!(&written.dropped, &Vec::<String>::new());
        let head = Head { stream: Some(request.stream), ..Head::default() };
        let back = BEDROCK_CONVERSE.read_request(&head, &written.body).expect("read");
        prop_assert_eq!(back, request);
    }

    #[test]
    fn an_answer_comes_back_as_it_was(answer in answer()) {
        let usage = Usage::of([(Unit::InputToken, 3), (Unit::OutputToken, 2)]);
        let written = BEDROCK_CONVERSE.write_answer(&answer, &usage, &shown());
        prop_assert_eq!(BEDROCK_CONVERSE.judge(&written), Judged::Answer);
        prop_assert_eq!(BEDROCK_CONVERSE.read_answer(&written).expect("read"), answer.clone());
        if !answer.candidates[0].parts.is_empty() {
            prop_assert_eq!(BEDROCK_CONVERSE.usage(Metered::default(), &written), Ok(usage));
        }
    }

    #[test]
    fn a_stream_says_what_was_written(answer in answer()) {
        let usage = Usage::of([(Unit::InputToken, 3), (Unit::CachedInputToken, 4), (Unit::OutputToken, 2)]);
        let mut writer = BEDROCK_CONVERSE.stream_writer(shown());
        let mut bytes = Vec::new();
        each_event(&answer, &mut |event| writer.write(event, &mut bytes));
        writer.end(&usage, &mut bytes);
        let stream = String::from_utf8(bytes).expect("text");
        prop_assert_eq!(joined(steps(&stream)), joined(written_steps(&answer)));
        let mut meter = BEDROCK_CONVERSE.meter(Metered::default());
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
            let _ = BEDROCK_CONVERSE.judge(&bytes);
            let _ = BEDROCK_CONVERSE.usage(Metered::default(), &bytes);
            let _ = BEDROCK_CONVERSE.read_answer(&bytes);
            let _ = BEDROCK_CONVERSE.as_stream(&bytes);
            let _ = BEDROCK_CONVERSE.look(&bytes);
            let _ = BEDROCK_CONVERSE.read_request(&Head::default(), &bytes);
            let event = [b"data: ", &bytes[..], b"\n\n"].concat();
            for event in [&bytes, &event] {
                BEDROCK_CONVERSE.meter(Metered::default()).event(event);
                BEDROCK_CONVERSE.stream_reader().read(event, &mut |_| {});
            }
        }
    }
}

#[test]
fn deep_nesting_ends() {
    let deep = format!("{}1{}", "{\"delta\":".repeat(50_000), "}".repeat(50_000));
    let event = format!("data: {deep}\n\n");
    BEDROCK_CONVERSE
        .stream_reader()
        .read(event.as_bytes(), &mut |_| {});
    BEDROCK_CONVERSE
        .meter(Metered::default())
        .event(event.as_bytes());
    let _ = BEDROCK_CONVERSE.read_answer(deep.as_bytes());
    assert_ne!(BEDROCK_CONVERSE.judge(deep.as_bytes()), Judged::Answer);
}
