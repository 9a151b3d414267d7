//! What this dialect can say comes back from it as it was, and no bytes stop it.

use proptest::prelude::*;

use super::{TRANSLATOR, read, shown, to};
use crate::dialect::Head;
use crate::dialect::neutral::{
    Candidate, ChatAnswer, ChatEvent, ChatRequest, Citation, Effort, Format, Json, Media,
    MediaKind, Part, Reasoning, Role, Sampling, Signature, SignatureFormat, Source, Stop, Thought,
    Tool, ToolCall, ToolChoice, ToolResult, Translator, Turn,
};
use crate::units::Usage;

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{1,12}",
        "\\PC{1,8}",
        Just("a\"\\\n\u{1}\u{2028}😀".to_owned())
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_]{1,12}"
}

fn picture() -> impl Strategy<Value = Part> {
    let source = prop_oneof![
        Just((Some("image/png"), Source::Base64("iVBORw==".to_owned()))),
        Just((None, Source::Url("https://a.example/b.png".to_owned()))),
        Just((None, Source::Id("file_1".to_owned()))),
    ];
    let detail = prop::option::of(Just("low".to_owned()));
    (source, detail).prop_map(|((media_type, source), detail)| {
        Part::Media(Media {
            kind: MediaKind::Image,
            media_type: media_type.map(str::to_owned),
            source,
            name: None,
            detail,
            cache: None,
        })
    })
}

fn file() -> impl Strategy<Value = Part> {
    let of = |kind, media_type: Option<&str>, source, name: Option<&str>| {
        Part::Media(Media {
            kind,
            media_type: media_type.map(str::to_owned),
            source,
            name: name.map(str::to_owned),
            detail: None,
            cache: None,
        })
    };
    let data = Source::Base64("JVBERg==".to_owned());
    let url = Source::Url("https://a.example/b.pdf".to_owned());
    let pdf = of(
        MediaKind::Document,
        Some("application/pdf"),
        data,
        Some("a.pdf"),
    );
    let away = of(MediaKind::Document, None, url, None);
    let sound = Source::Base64("UklGRg==".to_owned());
    let sound = of(MediaKind::Audio, Some("audio/wav"), sound, None);
    prop_oneof![Just(pdf), Just(away), Just(sound)]
}

fn user() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![words().prop_map(Part::text), picture(), file()];
    prop::collection::vec(part, 1..4)
}

fn call(id: String, name: String, arguments: String) -> ToolCall {
    ToolCall {
        id,
        name,
        arguments,
        signature: None,
        cache: None,
    }
}

fn assistant() -> impl Strategy<Value = Vec<Part>> {
    let thought = (prop_oneof![Just(String::new()), words()], "[A-Za-z]{4,8}");
    let part = prop_oneof![
        words().prop_map(Part::text),
        words().prop_map(Part::Refusal),
        thought.prop_map(|(text, data)| Part::Thought(Thought {
            text,
            signature: Some(Signature {
                format: SignatureFormat::OpenAi,
                data,
            }),
        })),
        // Blanks alone are written as an object without fields.
        ("[a-z]{1,9}", name(), words())
            .prop_map(|(id, name, more)| { Part::ToolCall(call(id, name, format!("{{{more}"))) }),
    ];
    prop::collection::vec(part, 1..5)
}

/// A call and its result, each on its side.
fn called() -> impl Strategy<Value = [Vec<Part>; 2]> {
    let result = prop_oneof![
        words().prop_map(|text| vec![Part::text(text)]),
        prop::collection::vec(prop_oneof![words().prop_map(Part::text), picture()], 2..4),
    ];
    ("[A-Z]{1,9}", name(), result).prop_map(|(id, name, parts)| {
        let called = Part::ToolCall(call(id.clone(), name.clone(), "{}".to_owned()));
        let result = Part::ToolResult(ToolResult {
            id,
            name: Some(name),
            parts,
            is_error: false,
            cache: None,
        });
        [vec![called], vec![result]]
    })
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let spoken = (assistant(), user()).prop_map(|(answer, more)| [answer, more]);
    let pairs = prop::collection::vec(prop_oneof![spoken, called()], 0..3);
    (user(), pairs).prop_map(|(first, pairs)| {
        let mut ids = std::collections::HashSet::new();
        let pairs = pairs.into_iter().filter(|pair| {
            let Part::ToolResult(result) = &pair[1][0] else {
                return true;
            };
            ids.insert(result.id.clone())
        });
        let sides = [Role::User, Role::Assistant].into_iter().cycle();
        let parts = std::iter::once(first).chain(pairs.flatten().collect::<Vec<_>>());
        let turns = parts.zip(sides);
        turns.map(|(parts, role)| Turn { role, parts }).collect()
    })
}

fn schema() -> Json {
    Json::of(r#"{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"null"}},"required":["a","b"],"additionalProperties":false}"#)
        .expect("JSON")
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let tool = (
        name(),
        prop::option::of(words()),
        any::<bool>(),
        any::<bool>(),
    );
    let tool = tool.prop_map(|(name, description, takes, strict)| Tool {
        name,
        description,
        parameters: takes.then(schema),
        strict: Some(strict),
        cache: None,
    });
    prop::collection::vec(tool, 0..3)
}

fn format() -> impl Strategy<Value = Option<Format>> {
    prop_oneof![
        Just(None),
        Just(Some(Format::Text)),
        Just(Some(Format::JsonObject)),
        (
            name(),
            prop::option::of(words()),
            prop::option::of(any::<bool>())
        )
            .prop_map(|(name, description, strict)| Some(Format::JsonSchema {
                name,
                description,
                schema: schema(),
                strict,
            })),
    ]
}

fn reasoning() -> impl Strategy<Value = Option<Reasoning>> {
    let effort = prop_oneof![
        Just(None),
        Just(Some(Effort::None)),
        Just(Some(Effort::High)),
        Just(Some(Effort::Max)),
    ];
    (effort, prop::option::of(Just(true))).prop_map(|(effort, shows)| {
        let says = effort.is_some() || shows.is_some();
        says.then_some(Reasoning {
            effort,
            budget: None,
            shows,
        })
    })
}

/// Numbers that are read as they were, however they are written.
fn eighths(most: u8) -> impl Strategy<Value = Option<f64>> {
    prop::option::of((0..=most).prop_map(|eighths| f64::from(eighths) / 8.0))
}

prop_compose! {
    fn request()(
        instructions in prop::collection::vec(words().prop_map(Part::text), 0..3),
        turns in turns(),
        tools in tools(),
        choice in 0..4_usize,
        format in format(),
        reasoning in reasoning(),
        (temperature, top_p) in (eighths(16), eighths(8)),
        output_max in prop::option::of(16..9_000_u64),
        texts in prop::collection::vec(prop::option::of(name()), 3),
        flags in prop::collection::vec(prop::option::of(any::<bool>()), 2),
    ) -> ChatRequest {
        let choices = [ToolChoice::Auto, ToolChoice::None, ToolChoice::Required];
        let tool_choice = choices.get(choice).cloned().or_else(|| {
            tools.first().map(|tool| ToolChoice::Function(tool.name.clone()))
        });
        ChatRequest {
            tool_choice: tool_choice.filter(|_| !tools.is_empty()),
            instructions,
            turns,
            tools,
            parallel_tool_calls: flags[0],
            output_max,
            sampling: Sampling { temperature, top_p, ..Default::default() },
            format,
            reasoning,
            end_user: texts[0].clone(),
            tier: texts[1].clone().map(|_| "flex".to_owned()),
            cache_key: texts[2].clone(),
            stream: flags[1] == Some(true),
            ..Default::default()
        }
    }
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        Just(Stop::End),
        Just(Stop::MaxTokens),
        Just(Stop::Refused(Some("content_filter".to_owned()))),
    ]
}

fn cited() -> impl Strategy<Value = Part> {
    (words(), prop::collection::vec((words(), words()), 0..3)).prop_map(|(text, places)| {
        let citations = places.into_iter().map(|(url, title)| Citation {
            url,
            title: Some(title),
            quote: None,
        });
        Part::Text {
            text,
            citations: citations.collect(),
            cache: None,
        }
    })
}

fn made() -> impl Strategy<Value = Part> {
    prop_oneof![Just("image/png"), Just("image/jpeg"), Just("image/webp")].prop_map(|kind| {
        Part::Media(Media {
            kind: MediaKind::Image,
            media_type: Some(kind.to_owned()),
            source: Source::Base64("iVBORw==".to_owned()),
            name: None,
            detail: None,
            cache: None,
        })
    })
}

fn answer() -> impl Strategy<Value = ChatAnswer> {
    let part = prop_oneof![3 => assistant().prop_map(|mut parts| parts.remove(0)), 1 => cited(), 1 => made()];
    let tier = prop::option::of(Just("flex".to_owned()));
    let answer = (prop::collection::vec(part, 0..6), stop(), tier);
    answer.prop_map(|(parts, stop, tier)| {
        let calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        let stop = if calls && stop == Stop::End {
            Stop::ToolCalls
        } else {
            stop
        };
        ChatAnswer {
            id: "resp_g1".to_owned(),
            candidates: vec![Candidate { parts, stop }],
            tier,
        }
    })
}

/// The events that would bring an answer, texts in pieces.
fn events(answer: &ChatAnswer) -> Vec<ChatEvent<'_>> {
    let mut events = vec![ChatEvent::Begin {
        id: answer.id.as_str().into(),
    }];
    let mut call = 0;
    let candidate = &answer.candidates[0];
    for part in &candidate.parts {
        let answer = 0;
        match part {
            Part::Text {
                text, citations, ..
            } => {
                for (at, c) in text.char_indices() {
                    let text = text[at..at + c.len_utf8()].into();
                    events.push(ChatEvent::Text { answer, text });
                }
                for citation in citations {
                    let citation = Box::new(citation.clone());
                    events.push(ChatEvent::Citation { answer, citation });
                }
            }
            Part::Refusal(text) => events.push(ChatEvent::Refusal {
                answer,
                text: text.as_str().into(),
            }),
            Part::Thought(thought) => {
                let text = thought.text.as_str().into();
                events.push(ChatEvent::Thought { answer, text });
                if let Some(signature) = thought.signature.clone() {
                    events.push(ChatEvent::Signature { answer, signature });
                }
            }
            Part::ToolCall(made) => {
                events.push(ChatEvent::ToolCall {
                    answer,
                    call,
                    id: made.id.as_str().into(),
                    name: made.name.as_str().into(),
                    signature: None,
                });
                let json = made.arguments.as_str().into();
                events.push(ChatEvent::Arguments { answer, call, json });
                call += 1;
            }
            Part::Media(media) => {
                let media = Box::new(media.clone());
                events.push(ChatEvent::Media { answer, media });
            }
            Part::ToolResult(_) => {}
        }
    }
    let (answer, stop) = (0, candidate.stop.clone());
    events.push(ChatEvent::Stop { answer, stop });
    events
}

/// What events say, neighbours of one kind as one.
fn told(events: &[ChatEvent<'_>]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut last = "";
    for event in events {
        let (kind, text) = match event {
            ChatEvent::Text { text, .. } => ("text", text.to_string()),
            ChatEvent::Refusal { text, .. } => ("refusal", text.to_string()),
            ChatEvent::Thought { text, .. } => ("thought", text.to_string()),
            ChatEvent::Arguments { json, .. } => ("arguments", json.to_string()),
            ChatEvent::Begin { .. }
            | ChatEvent::Signature { .. }
            | ChatEvent::ToolCall { .. }
            | ChatEvent::Media { .. }
            | ChatEvent::Citation { .. }
            | ChatEvent::Stop { .. } => ("", format!("{event:?}")),
        };
        if !kind.is_empty() && text.is_empty() {
            continue;
        }
        match told.last_mut() {
            Some(before) if !kind.is_empty() && kind == last => before.push_str(&text),
            Some(_) | None => told.push(text),
        }
        last = kind;
    }
    told
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was(request in request()) {
        let written = TRANSLATOR.write_request(&request, to()).expect("a request");
        prop_assert!(written.dropped.is_empty(), "{:?}", written.dropped);
        let back = TRANSLATOR.read_request(&Head::default(), &written.body);
        prop_assert_eq!(back.expect("a request"), request);
    }

    #[test]
    fn an_answer_comes_back_as_it_was(answer in answer()) {
        let written = TRANSLATOR.write_answer(&answer, &Usage::default(), &shown());
        prop_assert_eq!(TRANSLATOR.read_answer(&written).expect("an answer"), answer);
    }

    #[test]
    fn a_stream_comes_back_as_it_was(answer in answer(), cut in any::<bool>()) {
        let events = events(&answer);
        let expected = told(&events);
        let mut writer = TRANSLATOR.stream_writer(shown());
        let mut written = Vec::new();
        for event in events {
            writer.write(event, &mut written);
        }
        writer.end(&Usage::default(), &mut written);
        let mut text = String::from_utf8(written).expect("text");
        if cut {
            text = text.replace('\n', "\r\n");
        }
        let blank = if cut { "\r\n\r\n" } else { "\n\n" };
        let mut reader = TRANSLATOR.stream_reader();
        let mut back = Vec::new();
        for event in text.split_inclusive(blank) {
            reader.read(event.as_bytes(), &mut |said| back.push(owned(said)));
        }
        prop_assert_eq!(told(&back), expected);
        // The last event says the whole answer again, places behind the texts that they are of.
        let data = text.trim_end().rsplit("data: ").next().expect("an event");
        let last: serde_json::Value = serde_json::from_str(data).expect("JSON");
        let whole = TRANSLATOR.read_answer(last["response"].to_string().as_bytes()).expect("an answer");
        let mut again = self::events(&whole);
        for events in [&mut again, &mut back] {
            events.retain(|event| !matches!(event, ChatEvent::Citation { .. }));
        }
        prop_assert_eq!(told(&again), told(&back));
    }

    #[test]
    fn any_bytes_end(noise in prop::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>(), request in request(), answer in answer()) {
        let _ = TRANSLATOR.read_request(&Head::default(), &noise);
        let _ = TRANSLATOR.read_answer(&noise);
        let mut reader = TRANSLATOR.stream_reader();
        let mut read = |event: &[u8]| reader.read(event, &mut |said| drop(owned(said)));
        read(&noise);
        let body = TRANSLATOR.write_request(&request, to()).expect("a request").body;
        let answer = TRANSLATOR.write_answer(&answer, &Usage::default(), &shown());
        for whole in [&body, &answer] {
            let cut = at.index(whole.len());
            let mut changed = whole.to_vec();
            changed[cut] = noise.first().copied().unwrap_or(b'7');
            for json in [&whole[..cut], &changed] {
                let _ = TRANSLATOR.read_request(&Head::default(), json);
                let _ = TRANSLATOR.read_answer(json);
                read(&[b"data: {\"type\":\"response.completed\",\"response\":", json, b"}\n\n"].concat());
                read(&[b"data: {\"type\":\"response.output_item.done\",\"item\":", json, b"}\n\n"].concat());
            }
        }
    }

    #[test]
    fn a_request_of_anything_is_read_or_refused(value in anything()) {
        let _ = read(&value);
    }
}

/// Requests whose fields hold what may stand there, and what may not.
fn anything() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        prop_oneof![
            Just("message"),
            Just("function"),
            Just("user"),
            Just("reasoning"),
            Just("input_text"),
            Just("function_call"),
            Just("json_schema"),
            Just("x")
        ]
        .prop_map(Into::into),
    ];
    let keys = prop_oneof![
        Just("type"),
        Just("role"),
        Just("content"),
        Just("input"),
        Just("tools"),
        Just("text"),
        Just("format"),
        Just("summary"),
        Just("call_id"),
        Just("name"),
        Just("arguments"),
        Just("output"),
        Just("reasoning"),
        Just("tool_choice"),
        Just("image_url"),
        Just("include"),
        Just("instructions")
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let object =
            prop::collection::hash_map(keys.clone().prop_map(str::to_owned), inner.clone(), 0..7);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Into::into),
            object.prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn owned(event: ChatEvent<'_>) -> ChatEvent<'static> {
    let text = |text: std::borrow::Cow<'_, str>| text.into_owned().into();
    match event {
        ChatEvent::Begin { id } => ChatEvent::Begin { id: text(id) },
        ChatEvent::Text { answer, text: said } => ChatEvent::Text {
            answer,
            text: text(said),
        },
        ChatEvent::Refusal { answer, text: said } => ChatEvent::Refusal {
            answer,
            text: text(said),
        },
        ChatEvent::Thought { answer, text: said } => ChatEvent::Thought {
            answer,
            text: text(said),
        },
        ChatEvent::Signature { answer, signature } => ChatEvent::Signature { answer, signature },
        ChatEvent::ToolCall {
            answer,
            call,
            id,
            name,
            signature,
        } => ChatEvent::ToolCall {
            answer,
            call,
            id: text(id),
            name: text(name),
            signature,
        },
        ChatEvent::Arguments { answer, call, json } => ChatEvent::Arguments {
            answer,
            call,
            json: text(json),
        },
        ChatEvent::Media { answer, media } => ChatEvent::Media { answer, media },
        ChatEvent::Citation { answer, citation } => ChatEvent::Citation { answer, citation },
        ChatEvent::Stop { answer, stop } => ChatEvent::Stop { answer, stop },
    }
}
