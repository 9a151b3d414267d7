//! Requests and answers of all that some two dialects can both say.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use shared::dialect::neutral::{
    CacheMark, Candidate, ChatAnswer, ChatRequest, Effort, Format, Json, Media, MediaKind, Part,
    Reasoning, Role, Sampling, Signature, SignatureFormat, Source, Stop, Thought, Tool, ToolCall,
    ToolChoice, ToolResult, Turn,
};

/// Words that are more than blanks at both ends, and in between whatever JSON and lines are broken by.
fn words() -> impl Strategy<Value = String> {
    "[a-z][a-z \"\\\\\n\u{e9}\u{4f60}\u{1f600}]{0,8}[a-z]"
}

fn arguments() -> impl Strategy<Value = String> {
    option::of(words()).prop_map(|text| match text {
        Some(text) => serde_json::json!({"q": text, "n": 1}).to_string(),
        None => "{}".to_owned(),
    })
}

fn media() -> impl Strategy<Value = Part> {
    let one = |kind, media_type: &str, source| Media {
        kind,
        media_type: Some(media_type.to_owned()),
        source,
        name: None,
        detail: None,
        cache: None,
    };
    prop_oneof![
        Just(one(
            MediaKind::Image,
            "image/png",
            Source::Base64("iVBORw0KGgo=".into())
        )),
        Just(Media {
            media_type: None,
            ..one(
                MediaKind::Image,
                "",
                Source::Url("https://a.example/p.png".into())
            )
        }),
        Just(one(
            MediaKind::Document,
            "application/pdf",
            Source::Base64("JVBERi0x".into())
        )),
    ]
    .prop_map(Part::Media)
}

/// What is asked, and what the model says to it, with calls and their results where it makes some.
#[derive(Debug, Clone)]
struct Round {
    asked: String,
    media: Option<Part>,
    thought: Option<String>,
    before: Option<String>,
    calls: Vec<(String, String, bool)>,
    answer: String,
}

prop_compose! {
    fn round()(
        asked in words(),
        media in option::of(media()),
        thought in option::of(words()),
        before in option::of(words()),
        calls in vec((arguments(), words(), any::<bool>()), 0..3),
        answer in words(),
    ) -> Round {
        Round { asked, media, thought, before, calls, answer }
    }
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts }
}

fn signed(text: String) -> Part {
    Part::Thought(Thought {
        text,
        signature: Some(Signature {
            format: SignatureFormat::Anthropic,
            data: "c2ln".to_owned(),
        }),
    })
}

fn turns(rounds: Vec<Round>, last: String) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut number = 0;
    for round in rounds {
        let mut asked = vec![Part::text(round.asked)];
        asked.extend(round.media);
        turns.push(turn(Role::User, asked));
        if !round.calls.is_empty() {
            let (mut said, mut results) = (Vec::new(), Vec::new());
            said.extend(round.thought.map(signed));
            said.extend(round.before.map(Part::text));
            for (arguments, result, is_error) in round.calls {
                let id = format!("id_{number}");
                number += 1;
                said.push(Part::ToolCall(ToolCall {
                    id: id.clone(),
                    name: "look".to_owned(),
                    arguments,
                    signature: None,
                    cache: None,
                }));
                results.push(Part::ToolResult(ToolResult {
                    id,
                    name: Some("look".to_owned()),
                    parts: vec![Part::text(result)],
                    is_error,
                    cache: None,
                }));
            }
            turns.push(turn(Role::Assistant, said));
            turns.push(turn(Role::User, results));
        }
        turns.push(turn(Role::Assistant, vec![Part::text(round.answer)]));
    }
    turns.push(turn(Role::User, vec![Part::text(last)]));
    turns
}

fn tool(name: &str, description: String) -> Tool {
    Tool {
        name: name.to_owned(),
        description: Some(description),
        parameters: Json::of(
            r#"{"type":"object","properties":{"q":{"type":"string"}},"required":["q"],"additionalProperties":false}"#,
        ),
        strict: None,
        cache: None,
    }
}

fn hundredths() -> impl Strategy<Value = Option<f64>> {
    option::of((1..=99_u8).prop_map(|part| f64::from(part) / 100.0))
}

prop_compose! {
    fn sampling()(
        [temperature, top_p, frequency_penalty, presence_penalty] in
            [hundredths(), hundredths(), hundredths(), hundredths()],
        top_k in option::of(1..=100_u64),
        seed in option::of(0..1_000_i64),
    ) -> Sampling {
        Sampling { temperature, top_p, top_k, seed, frequency_penalty, presence_penalty }
    }
}

fn format() -> impl Strategy<Value = Option<Format>> {
    let schema = Format::JsonSchema {
        name: "s".to_owned(),
        description: None,
        schema: Json::of(
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#,
        )
        .expect("JSON"),
        strict: None,
    };
    option::of(prop_oneof![Just(Format::JsonObject), Just(schema)])
}

prop_compose! {
    fn choices()(
        choice in option::of(prop_oneof![
            Just(ToolChoice::Auto),
            Just(ToolChoice::None),
            Just(ToolChoice::Required),
            Just(ToolChoice::Function("look".to_owned())),
        ]),
        parallel in option::of(any::<bool>()),
        effort in option::of(prop_oneof![Just(Effort::Low), Just(Effort::Medium), Just(Effort::High)]),
        mark in option::of(prop_oneof![Just(CacheMark::Short), Just(CacheMark::Long)]),
        described in words(),
    ) -> (Option<ToolChoice>, Option<bool>, Option<Effort>, Option<CacheMark>, String) {
        (choice, parallel, effort, mark, described)
    }
}

prop_compose! {
    pub(super) fn request()(
        instruction in option::of(words()),
        (rounds, last) in (vec(round(), 0..3), words()),
        (tool_choice, parallel_tool_calls, effort, cache, described) in choices(),
        output_max in 2_000..9_000_u64,
        sampling in sampling(),
        stop in vec("[a-z]{1,4}", 0..3),
        format in format(),
        end_user in option::of("[a-z0-9-]{1,8}"),
        tier in option::of(Just("flex".to_owned())),
        stream in any::<bool>(),
    ) -> ChatRequest {
        ChatRequest {
            instructions: instruction
                .map(|text| Part::Text { text, citations: Vec::new(), cache })
                .into_iter()
                .collect(),
            turns: turns(rounds, last),
            tools: vec![tool("look", described.clone()), tool("save", described)],
            tool_choice,
            parallel_tool_calls,
            output_max: Some(output_max),
            sampling,
            stop,
            format,
            reasoning: effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() }),
            end_user,
            tier,
            stream,
            ..ChatRequest::default()
        }
    }
}

/// What all can answer: a thought that nobody proves, a text, calls.
pub(super) fn answer() -> impl Strategy<Value = ChatAnswer> {
    let thought = |text| {
        Part::Thought(Thought {
            text,
            signature: None,
        })
    };
    let calls = vec(arguments(), 0..3);
    let stop = prop_oneof![
        Just(Stop::End),
        Just(Stop::MaxTokens),
        Just(Stop::Refused(None))
    ];
    (option::of(words()), option::of(words()), calls, stop).prop_map(
        move |(thinks, says, calls, stop)| {
            let mut parts: Vec<Part> = thinks.map(thought).into_iter().collect();
            parts.extend(says.map(Part::text));
            let is_text = |part: &Part| matches!(part, Part::Text { .. });
            let has_calls = !calls.is_empty();
            for (number, arguments) in calls.into_iter().enumerate() {
                parts.push(Part::ToolCall(ToolCall {
                    id: format!("id_{number}"),
                    name: "look".to_owned(),
                    arguments,
                    signature: None,
                    cache: None,
                }));
            }
            // Who refuses and says nothing is read as saying why.
            let is_mute = stop == Stop::Refused(None) && !parts.iter().any(is_text);
            let stop = if has_calls {
                Stop::ToolCalls
            } else if is_mute {
                Stop::End
            } else {
                stop
            };
            ChatAnswer {
                id: String::new(),
                candidates: vec![Candidate { parts, stop }],
                tier: None,
            }
        },
    )
}
