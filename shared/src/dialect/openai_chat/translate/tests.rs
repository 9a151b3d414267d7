//! There and back: what this dialect can say comes back as it was, and any bytes end.

use proptest::prelude::*;

use super::stream::owned;
use super::*;
use crate::dialect::neutral::{
    CacheMark, Candidate, ChatEvent, Citation, Effort, Format, Json, Media, MediaKind, Part,
    Reasoning, Role, Sampling, Signature, SignatureFormat, Source, Stop, Thought, Tool, ToolCall,
    ToolChoice, ToolResult, Turn,
};
use crate::dialect::openai_chat::OPENAI_CHAT;
use crate::dialect::{Dialect, Look, Metered, Quirks, Verdict};
use crate::units::Unit;

/// A model whose maker takes all there is.
const MODEL: &str = "anthropic/claude-opus-4.6";

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 \\\\\"\n\u{e9}\u{6c49}\u{1f600}]{1,12}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_]{1,10}"
}

fn mark() -> impl Strategy<Value = Option<CacheMark>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(CacheMark::Short)),
        1 => Just(Some(CacheMark::Long)),
    ]
}

fn text() -> impl Strategy<Value = Part> {
    (words(), mark()).prop_map(|(text, cache)| Part::Text {
        text,
        citations: Vec::new(),
        cache,
    })
}

fn json() -> impl Strategy<Value = Json> {
    let of = |(key, number): (String, i32)| Json::of(format!("{{\"{key}\": {number}, \"a\":[]}}"));
    (name(), any::<i32>()).prop_filter_map("JSON", of)
}

fn media() -> impl Strategy<Value = Media> {
    let base64 = || "[A-Za-z0-9+/]{4,20}".prop_map(Source::Base64);
    let url = || "https://[a-z]{1,9}\\.example".prop_map(Source::Url);
    let id = || "file-[a-z]{1,9}".prop_map(Source::Id);
    let of = |kind, media_type: &'static str, source: BoxedStrategy<Source>| {
        let detail = prop::option::of(prop_oneof![Just("low"), Just("high")]);
        let named = prop::option::of("[a-z]{1,8}");
        (source, detail, named, mark()).prop_map(move |(source, detail, named, cache)| {
            let is_here = matches!(source, Source::Base64(_));
            let is_file = kind == MediaKind::Document;
            let is_picture = kind == MediaKind::Image;
            Media {
                kind,
                media_type: is_here.then(|| media_type.to_owned()),
                name: if is_file && (is_here || named.is_some()) {
                    Some(named.unwrap_or_else(|| "document".to_owned()))
                } else {
                    None
                },
                source,
                detail: detail.filter(|_| is_picture).map(str::to_owned),
                cache,
            }
        })
    };
    prop_oneof![
        of(
            MediaKind::Image,
            "image/webp",
            prop_oneof![base64(), url()].boxed()
        ),
        of(
            MediaKind::Video,
            "video/mp4",
            prop_oneof![base64(), url()].boxed()
        ),
        of(MediaKind::Audio, "audio/mpeg", base64().boxed()),
        of(
            MediaKind::Document,
            "application/pdf",
            prop_oneof![base64(), id()].boxed()
        ),
    ]
}

fn thought() -> impl Strategy<Value = Thought> {
    use SignatureFormat as F;
    let proof = |format, data| Some(Signature { format, data });
    prop_oneof![
        (words(), "[A-Za-z0-9+=]{1,9}").prop_map(move |(text, data)| Thought {
            text,
            signature: proof(F::Anthropic, data),
        }),
        "[A-Za-z0-9+=]{1,9}".prop_map(move |data| Thought {
            text: String::new(),
            signature: proof(F::AnthropicRedacted, data),
        }),
    ]
}

fn call() -> impl Strategy<Value = ToolCall> {
    let arguments = prop_oneof![Just("{}".to_owned()), Just("{\"a\": [1]}".to_owned())];
    ("[A-Za-z0-9_]{1,20}", name(), arguments).prop_map(|(id, name, arguments)| ToolCall {
        id,
        name,
        arguments,
        signature: None,
        cache: None,
    })
}

/// What the user says, an answer to it with calls, and their results.
fn exchange() -> impl Strategy<Value = Vec<Turn>> {
    let asked = prop::collection::vec(
        prop_oneof![2 => text(), 1 => media().prop_map(Part::Media)],
        1..4,
    );
    let thoughts = prop::collection::vec(thought(), 0..3);
    let calls = prop::collection::vec((call(), words(), mark()), 0..3);
    (asked, thoughts, words(), calls).prop_map(|(asked, thoughts, said, calls)| {
        let mut parts: Vec<Part> = thoughts.into_iter().map(Part::Thought).collect();
        parts.push(Part::text(said));
        let mut results = Vec::new();
        for (at, (mut call, text, cache)) in calls.into_iter().enumerate() {
            call.id = format!("{}_{at}", call.id);
            let result = ToolResult {
                id: call.id.clone(),
                name: Some(call.name.clone()),
                parts: vec![Part::text(text)],
                is_error: false,
                cache,
            };
            results.push(Turn {
                role: Role::User,
                parts: vec![Part::ToolResult(result)],
            });
            parts.push(Part::ToolCall(call));
        }
        let mut turns = vec![
            Turn {
                role: Role::User,
                parts: as_one(asked),
            },
            Turn {
                role: Role::Assistant,
                parts,
            },
        ];
        turns.append(&mut results);
        turns
    })
}

/// Texts without marks side by side would be one.
fn as_one(parts: Vec<Part>) -> Vec<Part> {
    let are_plain = parts
        .iter()
        .all(|part| matches!(part, Part::Text { cache: None, .. }));
    if are_plain {
        parts.into_iter().take(1).collect()
    } else {
        parts
    }
}

/// A schema that OpenAI takes as strict, where it is to be one.
fn for_strict(schema: Json, strict: Option<bool>) -> Json {
    let closed = r#"{"type":"object","properties":{"b":{"type":"string"}},"required":["b"],"additionalProperties":false}"#;
    if strict == Some(true) {
        Json::of(closed).expect("JSON")
    } else {
        schema
    }
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let tool = (
        name(),
        prop::option::of(words()),
        prop::option::of(json()),
        any::<Option<bool>>(),
        mark(),
    );
    let tool = tool.prop_map(|(name, description, parameters, strict, cache)| Tool {
        name,
        description,
        parameters: parameters.map(|schema| for_strict(schema, strict)),
        strict,
        cache,
    });
    prop::collection::vec(tool, 1..4)
}

fn format() -> impl Strategy<Value = Option<Format>> {
    let schema = (
        name(),
        prop::option::of(words()),
        json(),
        any::<Option<bool>>(),
    );
    let schema = schema.prop_map(|(name, description, schema, strict)| Format::JsonSchema {
        name,
        description,
        schema: for_strict(schema, strict),
        strict,
    });
    prop::option::of(prop_oneof![
        Just(Format::Text),
        Just(Format::JsonObject),
        schema
    ])
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let number = || prop::option::of(0.0..2.0_f64);
    let wholes = (prop::option::of(1..100_u64), any::<Option<i64>>());
    (number(), number(), wholes, number(), number()).prop_map(
        |(temperature, top_p, (top_k, seed), frequency_penalty, presence_penalty)| Sampling {
            temperature,
            top_p,
            top_k,
            seed,
            frequency_penalty,
            presence_penalty,
        },
    )
}

prop_compose! {
    fn request()(
        instructions in prop::collection::vec(text(), 0..3).prop_map(as_one),
        exchanges in prop::collection::vec(exchange(), 1..4),
        tools in tools(),
        tool_choice in prop::option::of(prop_oneof![
            Just(ToolChoice::Auto), Just(ToolChoice::None), Just(ToolChoice::Required),
            name().prop_map(ToolChoice::Function),
        ]),
        (parallel_tool_calls, stream, output_max) in any::<(Option<bool>, bool, Option<u64>)>(),
        sampling in sampling(),
        stop in prop::collection::vec(words(), 0..3),
        answers in prop_oneof![Just(0_u64), 2..128_u64],
        format in format(),
        effort in prop::option::of(prop_oneof![Just(Effort::None), Just(Effort::High), Just(Effort::Max)]),
        end_user in prop::option::of(words()),
        tier in prop::option::of(prop_oneof![Just("flex"), Just("default"), Just("priority")]),
    ) -> ChatRequest {
        let reasoning = effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() });
        ChatRequest {
            instructions, turns: exchanges.concat(), tools, tool_choice, parallel_tool_calls, output_max,
            sampling, stop, answers, format, reasoning, end_user, tier: tier.map(str::to_owned),
            cache_key: None, stream, unsaid: Vec::new(),
        }
    }
}

fn answer_parts() -> impl Strategy<Value = (Vec<Part>, bool)> {
    use SignatureFormat as F;
    let proof = prop::option::of((
        prop_oneof![Just(F::Anthropic), Just(F::Google), Just(F::OpenAi)],
        "[a-z]{1,9}",
    ));
    let signed = (words(), proof).prop_map(|(text, proof)| Thought {
        text,
        signature: proof.map(|(format, data)| Signature { format, data }),
    });
    let signed = signed.boxed();
    // Of those without a proof only one text is left.
    let thoughts = prop_oneof![
        signed.clone().prop_map(|thought| vec![thought]),
        prop::collection::vec(
            signed.prop_filter("signed", |one| one.signature.is_some()),
            0..3
        ),
    ];
    let citation = (name(), name(), prop::option::of(words()));
    let citation = citation.prop_map(|(url, title, quote)| Citation {
        url,
        title: Some(title),
        quote,
    });
    let said = (words(), prop::collection::vec(citation, 0..3));
    let refusal = prop::option::of(words());
    let images = prop::collection::vec("[A-Za-z0-9+/]{4,20}", 0..3);
    let signature = prop::option::of("[a-z]{1,9}");
    let calls = prop::collection::vec((call(), signature), 0..3);
    (thoughts, prop::option::of(said), refusal, images, calls).prop_map(
        |(thoughts, said, refusal, images, calls)| {
            let mut parts: Vec<Part> = thoughts.into_iter().map(Part::Thought).collect();
            parts.extend(said.map(|(text, citations)| Part::Text {
                text,
                citations,
                cache: None,
            }));
            parts.extend(refusal.map(Part::Refusal));
            parts.extend(images.into_iter().map(|data| {
                Part::Media(Media {
                    kind: MediaKind::Image,
                    media_type: Some("image/png".to_owned()),
                    source: Source::Base64(data),
                    name: None,
                    detail: None,
                    cache: None,
                })
            }));
            let has_calls = !calls.is_empty();
            parts.extend(
                calls
                    .into_iter()
                    .enumerate()
                    .map(|(at, (call, signature))| {
                        Part::ToolCall(ToolCall {
                            id: format!("{}_{at}", call.id),
                            signature: signature.map(|data| Signature {
                                format: F::Google,
                                data,
                            }),
                            ..call
                        })
                    }),
            );
            (parts, has_calls)
        },
    )
}

fn candidate() -> impl Strategy<Value = Candidate> {
    (answer_parts(), any::<bool>()).prop_map(|((parts, has_calls), is_cut)| Candidate {
        parts,
        stop: match (is_cut, has_calls) {
            (true, _) => Stop::MaxTokens,
            (false, true) => Stop::ToolCalls,
            (false, false) => Stop::End,
        },
    })
}

fn shown() -> AnswerShown {
    AnswerShown {
        model: "m".to_owned(),
        id: "abc".to_owned(),
        created: 1_796_000_000,
        shows_usage: true,
        input_estimate: 0,
        repeated: bytes::Bytes::new(),
    }
}

/// The events that say what `candidate` does, its texts in pieces of a few characters.
fn events_of(answer: u32, candidate: &Candidate) -> Vec<ChatEvent<'static>> {
    let mut events = Vec::new();
    let mut call = 0;
    let pieces = |text: &str| {
        let characters: Vec<char> = text.chars().collect();
        let pieces = characters
            .chunks(3)
            .map(|piece| piece.iter().collect::<String>());
        pieces.map(std::borrow::Cow::Owned).collect::<Vec<_>>()
    };
    for part in &candidate.parts {
        match part {
            Part::Text {
                text, citations, ..
            } => {
                let texts = pieces(text).into_iter();
                events.extend(texts.map(|text| ChatEvent::Text { answer, text }));
                events.extend(citations.iter().map(|citation| ChatEvent::Citation {
                    answer,
                    citation: Box::new(citation.clone()),
                }));
            }
            Part::Refusal(text) => {
                let texts = pieces(text).into_iter();
                events.extend(texts.map(|text| ChatEvent::Refusal { answer, text }));
            }
            Part::Thought(thought) => {
                let texts = pieces(&thought.text).into_iter();
                events.extend(texts.map(|text| ChatEvent::Thought { answer, text }));
                if let Some(signature) = thought.signature.clone() {
                    events.push(ChatEvent::Signature { answer, signature });
                }
            }
            Part::Media(media) => events.push(ChatEvent::Media {
                answer,
                media: Box::new(media.clone()),
            }),
            Part::ToolCall(made) => {
                events.push(ChatEvent::ToolCall {
                    answer,
                    call,
                    id: made.id.clone().into(),
                    name: made.name.clone().into(),
                    signature: made.signature.clone(),
                });
                let json = pieces(&made.arguments).into_iter();
                events.extend(json.map(|json| ChatEvent::Arguments { answer, call, json }));
                call += 1;
            }
            Part::ToolResult(_) => {}
        }
    }
    events.push(ChatEvent::Stop {
        answer,
        stop: candidate.stop.clone(),
    });
    events
}

/// The events of a stream, each by itself.
fn split(stream: &[u8]) -> Vec<&[u8]> {
    let text = std::str::from_utf8(stream).expect("text");
    text.split_inclusive("\n\n").map(str::as_bytes).collect()
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_was(request in request()) {
        let to = WriteTo { model: MODEL, quirks: Quirks::default(), output_max: None };
        let written = ChatTranslator.write_request(&request, to).expect("it can be said");
        prop_assert!(written.dropped.is_empty(), "{:?}", written.dropped);
        let back = ChatTranslator.read_request(&Head::default(), &written.body).expect("it is good");
        prop_assert_eq!(back, request);
    }

    #[test]
    fn an_answer_comes_back_as_it_was(candidates in prop::collection::vec(candidate(), 1..3), tier in prop::option::of("default|flex|priority")) {
        let answer = ChatAnswer { id: "chatcmpl-abc".to_owned(), candidates, tier };
        let bytes = ChatTranslator.write_answer(&answer, &Usage::default(), &shown());
        prop_assert_eq!(ChatTranslator.read_answer(&bytes).expect("an answer"), answer);
    }

    #[test]
    fn a_stream_comes_back_event_by_event_and_is_whole_to_its_meter(candidates in prop::collection::vec(candidate(), 1..3)) {
        let mut events = vec![ChatEvent::Begin { id: "chatcmpl-abc".into() }];
        let answers = candidates.iter().zip(0..).map(|(candidate, answer)| events_of(answer, candidate));
        events.extend(answers.flatten());
        let usage = Usage::of([(Unit::InputToken, 7), (Unit::OutputToken, 9), (Unit::ReasoningToken, 4)]);
        let mut writer = ChatTranslator.stream_writer(shown());
        let mut stream = Vec::new();
        for event in events.clone() {
            writer.write(event, &mut stream);
        }
        writer.end(&usage, &mut stream);
        prop_assert_eq!(OPENAI_CHAT.look(&stream), Look::Event);
        prop_assert!(OPENAI_CHAT.ends(&stream));
        let mut reader = ChatTranslator.stream_reader();
        let mut meter = OPENAI_CHAT.meter(Metered { show_usage: true, ..Metered::default() });
        let mut read = Vec::new();
        for event in split(&stream) {
            prop_assert_eq!(meter.event(event), Verdict::Pass);
            reader.read(event, &mut |event| read.push(owned(event)));
        }
        prop_assert_eq!(read, events);
        prop_assert!(meter.is_whole() && meter.is_done());
        prop_assert_eq!(meter.missing(), None);
        prop_assert_eq!((meter.usage().input_total(), meter.usage().output_total()), (7, 13));
    }

    #[test]
    fn any_bytes_end(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        any_end(&noise);
    }

    #[test]
    fn what_is_almost_right_ends(at in 0..2_000_usize, byte in any::<u8>(), cut in any::<bool>()) {
        for whole in [REQUEST, ANSWER, CHUNK] {
            let mut bytes = whole.as_bytes().to_vec();
            let at = at % bytes.len();
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] = byte;
            }
            any_end(&bytes);
        }
    }
}

const REQUEST: &str = r#"{"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,AA","filename":"a.pdf"}}]},{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic-claude-v1"}],"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},"reasoning":{"effort":"low"},"stop":["a"],"temperature":0.5}"#;
const ANSWER: &str = r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"a\ud83d\ude00","refusal":null,"annotations":[{"type":"url_citation","url_citation":{"url":"u"}}],"images":[{"image_url":{"url":"data:image/png;base64,AA"}}],"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{}}"#;
const CHUNK: &str = "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\u00e9\",\"reasoning\":\"b\",\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"d\",\"id\":\"c\",\"format\":\"google-gemini-v1\"}],\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]},\"finish_reason\":\"stop\"}]}\n\n";

fn any_end(bytes: &[u8]) {
    let to = WriteTo {
        model: "google/gemini-3.8-flash",
        quirks: Quirks::default(),
        output_max: None,
    };
    if let Ok(request) = ChatTranslator.read_request(&Head::default(), bytes)
        && let Ok(written) = ChatTranslator.write_request(&request, to)
    {
        serde_json::from_slice::<serde::de::IgnoredAny>(&written.body).expect("JSON");
    }
    if let Ok(answer) = ChatTranslator.read_answer(bytes) {
        let written = ChatTranslator.write_answer(&answer, &Usage::default(), &shown());
        serde_json::from_slice::<serde::de::IgnoredAny>(&written).expect("JSON");
    }
    let mut reader = ChatTranslator.stream_reader();
    let mut writer = ChatTranslator.stream_writer(shown());
    let mut stream = Vec::new();
    for event in [bytes, &[b"data: ", bytes, b"\n\n"].concat()] {
        reader.read(event, &mut |event| writer.write(event, &mut stream));
        OPENAI_CHAT.meter(Metered::default()).event(event);
    }
    writer.end(&Usage::default(), &mut stream);
    for event in split(&stream) {
        let data = event.strip_prefix(b"data: ").expect("data").trim_ascii();
        if data != b"[DONE]" {
            serde_json::from_slice::<serde::de::IgnoredAny>(data).expect("JSON");
        }
    }
}

#[test]
fn what_a_stream_makes_its_reader_keep_is_bounded() {
    let long = "x".repeat(100_000);
    let mut reader = ChatTranslator.stream_reader();
    let (mut calls, mut proofs) = (0, 0);
    for number in 0..200 {
        let event = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":{number},\"id\":\"{number}{long}\",\"function\":{{\"name\":\"f\"}}}}],\
             \"reasoning_details\":[{{\"data\":\"{long}\",\"id\":\"later{number}\",\"format\":\"google-gemini-v1\"}}]}}}}]}}\n\n"
        );
        reader.read(event.as_bytes(), &mut |event| {
            proofs += u32::from(matches!(&event, ChatEvent::Signature { .. }));
            if let ChatEvent::ToolCall { id, .. } = event {
                calls += u32::from(id.len() > 1_000);
            }
        });
    }
    assert!((3..20).contains(&calls), "{calls}");
    assert!(proofs > 100, "what is not kept is told at once: {proofs}");
}

#[test]
fn deep_and_huge_events_take_time_that_grows_with_them_alone() {
    let deep = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":{}1{}}}}}]}}\n\n",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let pieces = r#"{"function":{"name":"f","arguments":"{}"}},"#.repeat(50_000);
    let many =
        format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{pieces}null]}}}}]}}\n\n");
    let picture = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"images\":[{{\"image_url\":{{\"url\":\"data:image/png;base64,{}\"}}}}]}}}}]}}\n\n",
        "A".repeat(1_500_000)
    );
    let started = std::time::Instant::now();
    let mut reader = ChatTranslator.stream_reader();
    let mut found = 0;
    for event in [deep, many, picture] {
        reader.read(event.as_bytes(), &mut |_| found += 1);
    }
    assert_eq!(
        found,
        2 * 256 + 1,
        "so many calls are told apart, and no more"
    );
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn what_openai_would_not_take_as_strict_is_said_without_it_and_named() {
    let schema = r#"{"type":"object","properties":{"z":{}},"additionalProperties":false}"#;
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],"tools":[{{"type":"function","function":{{"name":"f","parameters":{schema},"strict":true}}}}],"response_format":{{"type":"json_schema","json_schema":{{"name":"o","schema":{schema},"strict":true}}}}}}"#
    );
    let request = ChatTranslator.read_request(&Head::default(), body.as_bytes());
    let to = WriteTo {
        model: MODEL,
        quirks: Quirks::default(),
        output_max: None,
    };
    let written = ChatTranslator.write_request(&request.expect("a request"), to);
    let written = written.expect("it can be said");
    let text = String::from_utf8_lossy(&written.body);
    assert!(!text.contains("strict"), "{text}");
    assert_eq!(text.matches(schema).count(), 2, "{text}");
    assert_eq!(written.dropped, ["strict"]);
}
