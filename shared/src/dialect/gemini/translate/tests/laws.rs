//! What comes back from the dialect is what it was, as far as the dialect can say it; and any bytes end.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::dialect::neutral::{
    Candidate, ChatEvent, Citation, Effort, Format, Json, Media, MediaKind, Part, Reasoning, Role,
    Sampling, Signature, SignatureFormat, Source, Stop, Thought, Tool, ToolCall, ToolChoice,
    ToolResult, Turn,
};

fn words() -> impl Strategy<Value = String> {
    "[\\PC\"\\\\\n]{1,12}"
}

fn object() -> impl Strategy<Value = String> {
    prop::collection::btree_map(
        "[a-z]{1,5}",
        prop_oneof![
            Just("1".to_owned()),
            Just("[true,null]".to_owned()),
            words().prop_map(|text| serde_json::to_string(&text).expect("JSON"))
        ],
        0..3,
    )
    .prop_map(|map| {
        let fields: Vec<String> = map
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    })
}

fn signature(of: Vec<SignatureFormat>) -> impl Strategy<Value = Option<Signature>> {
    let one = (prop::sample::select(of), "[A-Za-z0-9+/]{1,12}=")
        .prop_map(|(format, data)| Signature { format, data });
    prop::option::of(one)
}

fn media() -> impl Strategy<Value = Media> {
    let kinds = prop::sample::select(vec![
        (MediaKind::Image, "image/png"),
        (MediaKind::Audio, "audio/wav"),
        (MediaKind::Video, "video/mp4"),
        (MediaKind::Document, "application/pdf"),
    ]);
    let source = prop_oneof![
        "[A-Za-z0-9+/]{1,20}".prop_map(Source::Base64),
        "https://x.example/[a-z]{1,9}".prop_map(Source::Url),
    ];
    (kinds, source).prop_map(|((kind, mime), source)| Media {
        kind,
        media_type: Some(mime.to_owned()),
        source,
        name: None,
        detail: None,
        cache: None,
    })
}

fn call(of: Vec<SignatureFormat>) -> impl Strategy<Value = ToolCall> {
    ("[a-zA-Z0-9_-]{1,8}", "[a-z_]{1,8}", object(), signature(of)).prop_map(
        |(id, name, arguments, signature)| ToolCall {
            id,
            name,
            arguments,
            signature,
            cache: None,
        },
    )
}

/// What a model says, in the form in which the dialect says it: no two texts side by side, and a thought that
/// is signed right before a call has another part between, since the signature would be the call's.
fn model_parts(of: Vec<SignatureFormat>, unsigned: bool) -> impl Strategy<Value = Vec<Part>> {
    let thought = (words(), signature(of.clone()))
        .prop_map(move |(text, signature)| Thought { text, signature });
    let part = prop_oneof![
        3 => words().prop_map(Part::text),
        2 => thought.prop_map(Part::Thought),
        2 => call(of).prop_map(Part::ToolCall),
        1 => media().prop_map(Part::Media),
    ];
    prop::collection::vec(part, 1..6).prop_map(move |mut parts| {
        if !unsigned {
            parts.retain(
                |part| !matches!(part, Part::Thought(thought) if thought.signature.is_none()),
            );
        }
        let mut at = 1;
        while at < parts.len() {
            let clash = match (&parts[at - 1], &parts[at]) {
                (Part::Text { .. }, Part::Text { .. }) => true,
                (Part::Thought(one), Part::Thought(_)) => one.signature.is_none() || unsigned,
                (Part::Thought(one), Part::ToolCall(_)) => one.signature.is_some() || unsigned,
                // An unsigned thought takes a signature that follows.
                (Part::Thought(one), _) => one.signature.is_none() && unsigned,
                _ => false,
            };
            if clash {
                parts.remove(at);
            } else {
                at += 1;
            }
        }
        // A signed thought with words that nothing follows is a thought and an empty text.
        if matches!(parts.last(), Some(Part::Thought(_))) {
            parts.push(Part::text("end"));
        }
        if parts.is_empty() {
            parts.push(Part::text("x"));
        }
        parts
    })
}

fn user_parts() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![3 => words().prop_map(Part::text), 1 => media().prop_map(Part::Media)];
    prop::collection::vec(part, 1..4)
}

fn result() -> impl Strategy<Value = (Option<String>, bool, Option<Media>)> {
    (
        prop::option::of(prop_oneof![
            words(),
            object().prop_filter("something", |json| json != "{}"),
            Just("{\"output\":\"x\"}".to_owned()),
            Just("{\"error\":1}".to_owned())
        ]),
        any::<bool>(),
        prop::option::of(media()),
    )
}

/// Each turn of the model, what its functions answered, and what is said next.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let step = (
        model_parts(vec![SignatureFormat::Google], false),
        prop::collection::vec(result(), 6),
        user_parts(),
    );
    (user_parts(), prop::collection::vec(step, 0..3)).prop_map(|(first, steps)| {
        let mut turns = vec![Turn {
            role: Role::User,
            parts: first,
        }];
        let mut made = 0;
        for (mut parts, results, next) in steps {
            let mut answers = Vec::new();
            for (part, (text, is_error, media)) in parts.iter_mut().zip(results) {
                if let Part::ToolCall(call) = part {
                    call.id = format!("c{made}");
                    made += 1;
                    let is_error = is_error && text.is_some();
                    let parts = text
                        .map(Part::text)
                        .into_iter()
                        .chain(media.map(Part::Media))
                        .collect();
                    answers.push(Part::ToolResult(ToolResult {
                        id: call.id.clone(),
                        name: Some(call.name.clone()),
                        parts,
                        is_error,
                        cache: None,
                    }));
                }
            }
            answers.extend(next);
            turns.push(Turn {
                role: Role::Assistant,
                parts,
            });
            turns.push(Turn {
                role: Role::User,
                parts: answers,
            });
        }
        turns
    })
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let number = || prop::option::of((0_i32..8).prop_map(|eighths| f64::from(eighths) / 8.0));
    (
        number(),
        number(),
        prop::option::of(1_u64..99),
        prop::option::of(-9_i64..9),
        number(),
        number(),
    )
        .prop_map(
            |(temperature, top_p, top_k, seed, frequency_penalty, presence_penalty)| Sampling {
                temperature,
                top_p,
                top_k,
                seed,
                frequency_penalty,
                presence_penalty,
            },
        )
}

fn format() -> impl Strategy<Value = Option<Format>> {
    prop_oneof![
        Just(None),
        Just(Some(Format::Text)),
        Just(Some(Format::JsonObject)),
        object().prop_map(|json| {
            Some(Format::JsonSchema {
                name: "answer".to_owned(),
                description: None,
                schema: Json::of(json).expect("JSON"),
                strict: None,
            })
        }),
    ]
}

fn reasoning() -> impl Strategy<Value = Option<Reasoning>> {
    let effort = prop::option::of(prop::sample::select(vec![
        Effort::Low,
        Effort::Medium,
        Effort::High,
    ]));
    (effort, prop::option::of(any::<bool>())).prop_map(|(effort, shows)| {
        let reasoning = Reasoning {
            effort,
            budget: None,
            shows,
        };
        (reasoning != Reasoning::default()).then_some(reasoning)
    })
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>)> {
    let tool = (
        "[a-z]{1,8}",
        prop::option::of(words()),
        prop::option::of(object()),
    )
        .prop_map(|(name, description, parameters)| Tool {
            name,
            description,
            parameters: parameters.and_then(Json::of),
            strict: None,
            cache: None,
        });
    let choice = prop_oneof![
        Just(None),
        Just(Some(ToolChoice::Auto)),
        Just(Some(ToolChoice::None)),
        Just(Some(ToolChoice::Required)),
        "[a-z]{1,8}".prop_map(|name| Some(ToolChoice::Function(name))),
    ];
    (prop::collection::vec(tool, 0..3), choice).prop_map(|(tools, choice)| {
        if tools.is_empty() {
            (tools, None)
        } else {
            (tools, choice)
        }
    })
}

fn request() -> impl Strategy<Value = ChatRequest> {
    let own = (
        prop::collection::vec(words().prop_map(Part::text), 0..3),
        tools(),
        prop::option::of(1_u64..9_999),
        prop::collection::vec(words(), 0..3),
        prop::sample::select(vec![0_u64, 2, 3]),
        prop::option::of(prop::sample::select(vec!["flex", "standard", "priority"])),
    );
    (turns(), own, sampling(), format(), reasoning()).prop_map(
        |(
            turns,
            (instructions, (tools, tool_choice), output_max, stop, answers, tier),
            sampling,
            format,
            reasoning,
        )| ChatRequest {
            instructions,
            turns,
            tools,
            tool_choice,
            output_max,
            sampling,
            stop,
            answers,
            format,
            reasoning,
            tier: tier.map(str::to_owned),
            ..ChatRequest::default()
        },
    )
}

const ALL: [SignatureFormat; 4] = [
    SignatureFormat::Google,
    SignatureFormat::Anthropic,
    SignatureFormat::AnthropicRedacted,
    SignatureFormat::OpenAi,
];

fn stop(parts: &[Part], number: u8) -> Stop {
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    match number {
        0 => Stop::MaxTokens,
        1 => Stop::Refused(Some("safety".to_owned())),
        2 => Stop::Paused,
        _ if has_calls => Stop::ToolCalls,
        _ => Stop::End,
    }
}

fn answer() -> impl Strategy<Value = ChatAnswer> {
    let one = (
        model_parts(ALL.to_vec(), true),
        0_u8..6,
        prop::option::of(words()),
    )
        .prop_map(|(mut parts, number, cited)| {
            let last = parts
                .iter_mut()
                .rev()
                .find(|part| matches!(part, Part::Text { .. }));
            if let (Some(Part::Text { citations, .. }), Some(url)) = (last, cited) {
                let title = Some("t".to_owned());
                citations.push(Citation {
                    url,
                    title,
                    quote: None,
                });
            }
            let stop = stop(&parts, number);
            Candidate { parts, stop }
        });
    (
        prop::collection::vec(one, 1..3),
        prop::option::of(Just("flex".to_owned())),
    )
        .prop_map(|(candidates, tier)| ChatAnswer {
            id: shown().id,
            candidates,
            tier,
        })
}

/// A candidate as a stream would say it.
fn steps(answer: u32, one: &Candidate) -> Vec<ChatEvent<'static>> {
    let mut steps = Vec::new();
    let mut call = 0;
    for part in &one.parts {
        match part {
            Part::Text {
                text, citations, ..
            } => {
                let half = text
                    .char_indices()
                    .nth(text.chars().count() / 2)
                    .map_or(0, |(at, _)| at);
                for piece in [&text[..half], &text[half..]] {
                    steps.push(ChatEvent::Text {
                        answer,
                        text: Cow::Owned(piece.to_owned()),
                    });
                }
                for citation in citations {
                    steps.push(ChatEvent::Citation {
                        answer,
                        citation: Box::new(citation.clone()),
                    });
                }
            }
            Part::Thought(thought) => {
                steps.push(ChatEvent::Thought {
                    answer,
                    text: Cow::Owned(thought.text.clone()),
                });
                if let Some(signature) = &thought.signature {
                    steps.push(ChatEvent::Signature {
                        answer,
                        signature: signature.clone(),
                    });
                }
            }
            Part::ToolCall(made) => {
                let (id, name) = (Cow::Owned(made.id.clone()), Cow::Owned(made.name.clone()));
                steps.push(ChatEvent::ToolCall {
                    answer,
                    call,
                    id,
                    name,
                    signature: made.signature.clone(),
                });
                let json = Cow::Owned(made.arguments.clone());
                steps.push(ChatEvent::Arguments { answer, call, json });
                call += 1;
            }
            Part::Media(media) => steps.push(ChatEvent::Media {
                answer,
                media: Box::new(media.clone()),
            }),
            Part::Refusal(_) | Part::ToolResult(_) => {}
        }
    }
    steps.push(ChatEvent::Stop {
        answer,
        stop: one.stop.clone(),
    });
    steps
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was(request in request()) {
        let written = translator().write_request(&request, to(NEW)).expect("written");
        prop_assert_eq!(written.dropped, Vec::<String>::new());
        let text = std::str::from_utf8(&written.body).expect("UTF-8");
        prop_assert_eq!(read(text).expect("read"), request);
        // And it is one that the dialect takes.
        let head = Head { model: Some("m".to_owned()), ..Head::default() };
        let asked = GEMINI.read(&head, &crate::dialect::body::Body::of_json(text));
        prop_assert!(asked.is_ok() || text.contains("priority"), "{:?}", asked);
    }

    #[test]
    fn an_answer_comes_back_as_it_was(answer in answer()) {
        let written = translator().write_answer(&answer, &Usage::default(), &shown());
        prop_assert_eq!(GEMINI.judge(&written), crate::dialect::Judged::Answer);
        prop_assert_eq!(translator().read_answer(&written).expect("read"), answer);
    }

    #[test]
    fn a_stream_says_what_its_answer_says(answer in answer()) {
        let mut writer = translator().stream_writer(shown());
        let mut out = Vec::new();
        for (index, one) in (0_u32..).zip(&answer.candidates) {
            for step in steps(index, one) {
                writer.write(step, &mut out);
            }
        }
        writer.end(&Usage::default(), &mut out);
        prop_assert!(GEMINI.ends(&out));
        // All events as one answer.
        let mut found: Vec<Vec<ChatEvent<'static>>> = vec![Vec::new(); answer.candidates.len()];
        let mut reader = translator().stream_reader();
        for event in std::str::from_utf8(&out).expect("UTF-8").split_inclusive("\n\n") {
            reader.read(event.as_bytes(), &mut |event| if let Some((answer, event)) = owned(event) {
                found[usize::try_from(answer).expect("small")].push(event);
            });
        }
        for (index, one) in (0_u32..).zip(&answer.candidates) {
            let mut expected = steps(index, one);
            // Places are told at the end, and texts of nothing not at all.
            expected.sort_by_key(|event| {
                let is_stop = matches!(event, ChatEvent::Stop { .. });
                (is_stop, matches!(event, ChatEvent::Citation { .. }))
            });
            expected.retain(|event| !matches!(event, ChatEvent::Text { text, .. } if text.is_empty()));
            prop_assert_eq!(&found[usize::try_from(index).expect("small")], &expected);
        }
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..80), request in request(), answer in answer(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bodies = vec![bytes];
        let request = translator().write_request(&request, to(NEW)).expect("written").body;
        let answer = translator().write_answer(&answer, &Usage::default(), &shown());
        for whole in [request, answer] {
            let mut broken = whole.to_vec();
            let place = at % broken.len();
            bodies.push(broken[..place].to_vec());
            broken[place] = byte;
            bodies.push(broken);
        }
        for body in bodies {
            let _ = translator().read_request(&Head::default(), &body);
            let _ = translator().read_answer(&body);
            let mut reader = translator().stream_reader();
            reader.read(&body, &mut |_| {});
            reader.read(&[b"data: ", &body[..], b"\n\n"].concat(), &mut |_| {});
        }
    }
}

fn owned(event: ChatEvent<'_>) -> Option<(u32, ChatEvent<'static>)> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    Some(match event {
        ChatEvent::Begin { .. } => return None,
        ChatEvent::Text { answer, text } => (
            answer,
            ChatEvent::Text {
                answer,
                text: own(text),
            },
        ),
        ChatEvent::Refusal { answer, text } => (
            answer,
            ChatEvent::Refusal {
                answer,
                text: own(text),
            },
        ),
        ChatEvent::Thought { answer, text } => (
            answer,
            ChatEvent::Thought {
                answer,
                text: own(text),
            },
        ),
        ChatEvent::Signature { answer, signature } => {
            (answer, ChatEvent::Signature { answer, signature })
        }
        ChatEvent::ToolCall {
            answer,
            call,
            id,
            name,
            signature,
        } => (
            answer,
            ChatEvent::ToolCall {
                answer,
                call,
                id: own(id),
                name: own(name),
                signature,
            },
        ),
        ChatEvent::Arguments { answer, call, json } => (
            answer,
            ChatEvent::Arguments {
                answer,
                call,
                json: own(json),
            },
        ),
        ChatEvent::Media { answer, media } => (answer, ChatEvent::Media { answer, media }),
        ChatEvent::Citation { answer, citation } => {
            (answer, ChatEvent::Citation { answer, citation })
        }
        ChatEvent::Stop { answer, stop } => (answer, ChatEvent::Stop { answer, stop }),
    })
}
