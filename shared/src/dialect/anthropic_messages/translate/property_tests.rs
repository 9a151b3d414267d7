//! What this format can say comes back as it was, and no bytes do harm.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::dialect::Quirks;
use crate::dialect::neutral::{
    CacheMark, Candidate, ChatEvent, Citation, Effort, Format, Json, Media, MediaKind, Part,
    Reasoning, Role, Sampling, Signature, SignatureFormat, Source, Thought, Tool, ToolCall,
    ToolChoice, ToolResult, Turn,
};

const MODEL: &str = "claude-sonnet-4-6";

/// Texts that are sent: not blank, and no blanks at the end.
fn text() -> impl Strategy<Value = String> {
    "[a-z\"\\\\\u{6c49}\u{1f600}\n ]{0,12}[a-z.\u{6c49}]"
}

fn cache() -> impl Strategy<Value = Option<CacheMark>> {
    option::of(select(vec![CacheMark::Short, CacheMark::Long]))
}

fn said() -> impl Strategy<Value = Part> {
    (text(), cache()).prop_map(|(text, cache)| Part::Text {
        text,
        citations: Vec::new(),
        cache,
    })
}

fn medium() -> impl Strategy<Value = Part> {
    let image = |source, media_type: Option<&str>| {
        (MediaKind::Image, source, media_type.map(str::to_owned))
    };
    let file = |source, media_type: Option<&str>| {
        (MediaKind::Document, source, media_type.map(str::to_owned))
    };
    let what = prop_oneof![
        "[A-Za-z0-9]{0,9}".prop_map(move |data| image(
            Source::Base64(format!("iVBORw0KGgo{data}")),
            Some("image/png")
        )),
        text().prop_map(move |url| image(Source::Url(url), None)),
        "[a-z0-9]{1,9}".prop_map(move |id| image(Source::Id(format!("file_{id}")), None)),
        "[A-Za-z0-9]{0,9}".prop_map(move |data| file(
            Source::Base64(format!("JVBER{data}")),
            Some("application/pdf")
        )),
        text().prop_map(move |text| file(Source::Text(text), Some("text/plain"))),
        text().prop_map(move |url| file(Source::Url(url), None)),
    ];
    (what, option::of(text()), cache()).prop_map(|((kind, source, media_type), name, cache)| {
        Part::Media(Media {
            kind,
            media_type,
            source,
            name: name.filter(|_| kind == MediaKind::Document),
            detail: None,
            cache,
        })
    })
}

fn arguments() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        text().prop_map(|text| serde_json::json!({"a": text, "b": [1, null]}).to_string()),
    ]
}

/// A turn of the model with its calls, and the user's with their results.
fn round() -> impl Strategy<Value = [Turn; 2]> {
    let thought =
        (text(), any::<bool>(), "[A-Za-z0-9+/=]{1,12}").prop_map(|(text, redacted, data)| {
            let (text, format) = if redacted {
                (String::new(), SignatureFormat::AnthropicRedacted)
            } else {
                (text, SignatureFormat::Anthropic)
            };
            let signature = Some(Signature { format, data });
            Part::Thought(Thought { text, signature })
        });
    let results = prop::collection::vec(prop_oneof![said(), medium()], 0..3);
    let call = (arguments(), cache(), results, any::<bool>(), cache());
    (
        prop::collection::vec(thought, 0..2),
        prop::collection::vec(said(), 1..3),
        prop::collection::vec(call, 0..3),
        prop::collection::vec(prop_oneof![said(), medium()], 1..3),
    )
        .prop_map(|(thoughts, texts, calls, others)| {
            let mut model: Vec<Part> = thoughts.into_iter().chain(texts).collect();
            let mut user = Vec::new();
            for (at, (arguments, cache, parts, is_error, marked)) in calls.into_iter().enumerate() {
                let id = format!("toolu_{at}");
                let name = format!("f{at}");
                model.push(Part::ToolCall(ToolCall {
                    id: id.clone(),
                    name: name.clone(),
                    arguments,
                    signature: None,
                    cache,
                }));
                user.push(Part::ToolResult(ToolResult {
                    id,
                    name: Some(name),
                    parts,
                    is_error,
                    cache: marked,
                }));
            }
            user.extend(others);
            let turn = |role, parts| Turn { role, parts };
            [turn(Role::Assistant, model), turn(Role::User, user)]
        })
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<ToolChoice>, Option<bool>)> {
    let tool = (option::of(text()), option::of(any::<bool>()), cache());
    let choice = select(vec![
        ToolChoice::Auto,
        ToolChoice::None,
        ToolChoice::Required,
        ToolChoice::Function("f0".to_owned()),
    ]);
    let tools = prop::collection::vec(tool, 1..4);
    (tools, option::of(choice), option::of(any::<bool>())).prop_map(|(tools, choice, parallel)| {
        let tools = tools.into_iter().enumerate();
        let tools = tools.map(|(at, (description, strict, cache))| Tool {
            name: format!("f{at}"),
            description,
            parameters: Json::of(r#"{"type":"object","properties":{"z":{},"a":{}}}"#),
            strict,
            cache,
        });
        // This is said with a choice, and beside none there is nothing to say.
        let is_said = !matches!(choice, None | Some(ToolChoice::None));
        (tools.collect(), choice, parallel.filter(|_| is_said))
    })
}

fn reasoning() -> impl Strategy<Value = Reasoning> {
    let effort = select(vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max]);
    let budget = 1_024_u64..4_000;
    (
        option::of(effort),
        option::of(budget),
        option::of(any::<bool>()),
    )
        .prop_map(|(effort, budget, shows)| Reasoning {
            effort,
            budget,
            shows,
        })
}

#[expect(
    clippy::too_many_lines,
    reason = "every field that can be said, and what excludes what"
)]
fn request() -> impl Strategy<Value = ChatRequest> {
    let turns = (
        prop::collection::vec(prop_oneof![said(), medium()], 1..4),
        prop::collection::vec(round(), 0..3),
    );
    let sampled = prop_oneof![
        (0_u32..=100).prop_map(|t| (Some(f64::from(t) / 100.0), None)),
        (0_u32..=100).prop_map(|p| (None, Some(f64::from(p) / 100.0))),
        Just((None, None)),
    ];
    let others = (
        option::of(text()),
        prop::collection::vec("[a-z]{1,4}", 0..3),
        option::of(select(vec!["auto", "standard_only"])),
        any::<bool>(),
        any::<bool>(),
        5_000_u64..100_000,
    );
    (
        prop::collection::vec(said(), 0..3),
        turns,
        tools(),
        option::of(reasoning()),
        sampled,
        option::of(1_u64..500),
        others,
    )
        .prop_map(
            |(
                instructions,
                (first, rounds),
                tools,
                reasoning,
                (temperature, top_p),
                top_k,
                others,
            )| {
                let (end_user, stop, tier, stream, has_format, output_max) = others;
                let (tools, tool_choice, parallel_tool_calls) = tools;
                let mut turns = vec![Turn {
                    role: Role::User,
                    parts: first,
                }];
                turns.extend(rounds.into_iter().flatten());
                let schema = Json::of(r#"{"type":"object","additionalProperties":false}"#);
                let format = schema
                    .filter(|_| has_format)
                    .map(|schema| Format::JsonSchema {
                        name: "answer".to_owned(),
                        description: None,
                        schema,
                        strict: Some(true),
                    });
                let mut request = ChatRequest {
                    instructions,
                    turns,
                    tools,
                    tool_choice,
                    parallel_tool_calls,
                    output_max: Some(output_max),
                    sampling: Sampling {
                        temperature,
                        top_p,
                        top_k,
                        ..Sampling::default()
                    },
                    stop,
                    format,
                    end_user,
                    tier: tier.map(str::to_owned),
                    stream,
                    ..ChatRequest::default()
                };
                // Thinking excludes a forced call and most of what chooses words, and comes before calls.
                let is_forced = matches!(
                    request.tool_choice,
                    Some(ToolChoice::Required | ToolChoice::Function(_))
                );
                let is_by_budget = |reasoning: &Reasoning| reasoning.budget.is_some();
                let begins_with_thought = request
                    .turns
                    .iter()
                    .filter(|turn| turn.role == Role::Assistant)
                    .all(|turn| matches!(turn.parts.first(), Some(Part::Thought(_))));
                request.reasoning = reasoning
                    .filter(|_| !is_forced)
                    .filter(|reasoning| begins_with_thought || !is_by_budget(reasoning));
                if request.reasoning.is_some() {
                    request.sampling = Sampling::default();
                }
                request
            },
        )
}

fn answer() -> impl Strategy<Value = ChatAnswer> {
    let citation = (text(), option::of(text()), option::of(text()))
        .prop_map(|(url, title, quote)| Citation { url, title, quote });
    let cited =
        (text(), prop::collection::vec(citation, 0..3)).prop_map(|(text, citations)| Part::Text {
            text,
            citations,
            cache: None,
        });
    let format = select(vec![
        SignatureFormat::Anthropic,
        SignatureFormat::AnthropicRedacted,
        SignatureFormat::Google,
        SignatureFormat::OpenAi,
    ]);
    let signature =
        (format, "[A-Za-z0-9+/=]{1,12}").prop_map(|(format, data)| Signature { format, data });
    let thought = (text(), option::of(signature.clone())).prop_map(|(text, signature)| {
        let is_redacted = signature
            .as_ref()
            .is_some_and(|s| s.format == SignatureFormat::AnthropicRedacted);
        let text = if is_redacted { String::new() } else { text };
        Part::Thought(Thought { text, signature })
    });
    let call = (
        "[a-zA-Z0-9_-]{1,9}",
        arguments(),
        option::of("[A-Za-z0-9+/=]{1,12}"),
    )
        .prop_map(|(id, arguments, proof)| {
            Part::ToolCall(ToolCall {
                id,
                name: "f".to_owned(),
                arguments,
                signature: proof.map(|data| Signature {
                    format: SignatureFormat::Google,
                    data,
                }),
                cache: None,
            })
        });
    let stop = prop_oneof![
        Just(Stop::MaxTokens),
        Just(Stop::ContextFull),
        option::of(text()).prop_map(Stop::StopText),
        Just(Stop::ToolCalls),
        option::of(text()).prop_map(Stop::Refused),
        Just(Stop::Paused),
    ];
    let tier = option::of(select(vec!["standard", "priority", "batch"]));
    (
        prop::collection::vec(prop_oneof![cited, thought, call], 0..5),
        stop,
        tier,
    )
        .prop_map(|(parts, stop, tier)| ChatAnswer {
            id: "msg_gen_1".to_owned(),
            candidates: vec![Candidate { parts, stop }],
            tier: tier.map(str::to_owned),
        })
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "m".to_owned(),
        id: "gen_1".to_owned(),
        created: 7,
        shows_usage: true,
        input_estimate: 12,
        repeated: bytes::Bytes::new(),
    }
}

/// Events that say what an answer says, its texts in two pieces.
#[expect(clippy::too_many_lines, reason = "a part of each kind as events")]
fn events(answer: &ChatAnswer) -> Vec<ChatEvent<'_>> {
    let mut events = vec![ChatEvent::Begin {
        id: answer.id.as_str().into(),
    }];
    let candidate = &answer.candidates[0];
    let halves = |text: &'_ str| {
        let middle = text
            .char_indices()
            .nth(text.chars().count() / 2)
            .map_or(0, |(at, _)| at);
        (text[..middle].to_owned(), text[middle..].to_owned())
    };
    let mut calls = 0;
    for part in &candidate.parts {
        match part {
            Part::Text {
                text, citations, ..
            } => {
                let (one, two) = halves(text);
                events.push(ChatEvent::Text {
                    answer: 0,
                    text: one.into(),
                });
                events.push(ChatEvent::Text {
                    answer: 0,
                    text: two.into(),
                });
                events.extend(citations.iter().map(|citation| ChatEvent::Citation {
                    answer: 0,
                    citation: Box::new(citation.clone()),
                }));
            }
            Part::Thought(thought) => {
                let (one, two) = halves(&thought.text);
                events.push(ChatEvent::Thought {
                    answer: 0,
                    text: one.into(),
                });
                events.push(ChatEvent::Thought {
                    answer: 0,
                    text: two.into(),
                });
                events.extend(
                    thought
                        .signature
                        .clone()
                        .map(|signature| ChatEvent::Signature {
                            answer: 0,
                            signature,
                        }),
                );
            }
            Part::ToolCall(call) => {
                let (one, two) = halves(&call.arguments);
                events.push(ChatEvent::ToolCall {
                    answer: 0,
                    call: calls,
                    id: call.id.as_str().into(),
                    name: call.name.as_str().into(),
                    signature: None,
                });
                events.push(ChatEvent::Arguments {
                    answer: 0,
                    call: calls,
                    json: one.into(),
                });
                events.push(ChatEvent::Arguments {
                    answer: 0,
                    call: calls,
                    json: two.into(),
                });
                calls += 1;
            }
            Part::Refusal(_) | Part::Media(_) | Part::ToolResult(_) => {}
        }
    }
    events.push(ChatEvent::Stop {
        answer: 0,
        stop: candidate.stop.clone(),
    });
    events
}

/// What a stream says, whatever its pieces.
#[derive(Debug, Default, PartialEq)]
struct Gist {
    texts: String,
    thoughts: String,
    signatures: Vec<Signature>,
    calls: Vec<(String, String, String)>,
    citations: Vec<Citation>,
    stops: Vec<Stop>,
}

impl Gist {
    fn take(&mut self, event: ChatEvent<'_>) {
        match event {
            ChatEvent::Text { text, .. } => self.texts.push_str(&text),
            ChatEvent::Thought { text, .. } => self.thoughts.push_str(&text),
            ChatEvent::Signature { signature, .. } => self.signatures.push(signature),
            ChatEvent::ToolCall { id, name, .. } => {
                self.calls
                    .push((id.into_owned(), name.into_owned(), String::new()));
            }
            ChatEvent::Arguments { call, json, .. } => {
                let at = usize::try_from(call).expect("small");
                self.calls[at].2.push_str(&json);
            }
            ChatEvent::Citation { citation, .. } => self.citations.push(*citation),
            ChatEvent::Stop { stop, .. } => self.stops.push(stop),
            ChatEvent::Begin { .. } | ChatEvent::Refusal { .. } | ChatEvent::Media { .. } => {}
        }
    }
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was(request in request()) {
        let to = WriteTo { model: MODEL, quirks: Quirks::default(), output_max: None };
        let written = TRANSLATOR.write_request(&request, to).expect("it can be written");
        prop_assert_eq!(&written.dropped, &Vec::<String>::new());
        let back = TRANSLATOR.read_request(&Head::default(), &written.body).expect("it can be read");
        prop_assert_eq!(back, request);
    }

    #[test]
    fn an_answer_comes_back_as_it_was(answer in answer()) {
        let bytes = TRANSLATOR.write_answer(&answer, &Usage::default(), &shown());
        let back = TRANSLATOR.read_answer(&bytes).expect("it can be read");
        prop_assert_eq!(back, answer);
    }

    #[test]
    fn a_stream_says_what_it_said(answer in answer()) {
        let mut writer = TRANSLATOR.stream_writer(shown());
        let (mut said, mut bytes) = (Gist::default(), Vec::new());
        for event in events(&answer) {
            said.take(event.clone());
            writer.write(event, &mut bytes);
        }
        writer.end(&Usage::default(), &mut bytes);
        let text = String::from_utf8(bytes).expect("text");
        let mut reader = TRANSLATOR.stream_reader();
        let mut back = Gist::default();
        for event in text.split_inclusive("\n\n") {
            reader.read(event.as_bytes(), &mut |event| back.take(event));
        }
        prop_assert_eq!(back, said);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        noise in prop::collection::vec(any::<u8>(), 0..120),
        request in request(),
        answer in answer(),
        cut in any::<prop::sample::Index>(),
    ) {
        let to = WriteTo { model: MODEL, quirks: Quirks::default(), output_max: None };
        let body = TRANSLATOR.write_request(&request, to).expect("it can be written").body;
        let whole = TRANSLATOR.write_answer(&answer, &Usage::default(), &shown());
        let mut writer = TRANSLATOR.stream_writer(shown());
        let mut stream = Vec::new();
        for event in events(&answer) {
            writer.write(event, &mut stream);
        }
        for bytes in [&body[..], &whole[..], &stream[..]] {
            let mut bytes = bytes[..cut.index(bytes.len() + 1)].to_vec();
            bytes.extend_from_slice(&noise);
            let mut reader = TRANSLATOR.stream_reader();
            for event in bytes.split_inclusive(|byte| *byte == b'\n').chain([&noise[..], &bytes[..]]) {
                reader.read(event, &mut |_| ());
            }
            let _ = TRANSLATOR.read_request(&Head::default(), &bytes);
            let _ = TRANSLATOR.read_answer(&bytes);
        }
        let _ = TRANSLATOR.read_answer(&noise);
        let _ = TRANSLATOR.read_request(&Head::default(), &noise);
    }
}

#[test]
fn what_is_nested_without_end_is_refused() {
    for (open, close) in [("[", "]"), ("{\"content\":[", "]}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for body in [
            format!("{{\"model\":\"m\",\"messages\":{deep}}}"),
            format!("{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":{deep}}}]}}"),
            format!("{{\"content\":{deep}}}"),
        ] {
            let _ = TRANSLATOR.read_request(&Head::default(), body.as_bytes());
            let _ = TRANSLATOR.read_answer(body.as_bytes());
            let event = format!("data: {body}\n\n");
            TRANSLATOR
                .stream_reader()
                .read(event.as_bytes(), &mut |_| ());
        }
    }
}
