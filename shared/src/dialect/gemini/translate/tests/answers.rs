//! Whole answers.

use serde_json::json;

use super::*;
use crate::dialect::neutral::{
    Candidate, Citation, MediaKind, Part, Signature, SignatureFormat, Source, Stop, Thought,
    ToolCall,
};
use crate::units::Unit;

fn parts_and_stop(candidate: &Value) -> (Vec<Part>, Stop) {
    let answer = json!({"candidates": [candidate], "responseId": "a/b c"});
    let answer = translator()
        .read_answer(answer.to_string().as_bytes())
        .expect("an answer");
    let one = answer.candidates.into_iter().next().expect("one");
    (one.parts, one.stop)
}

#[test]
fn an_answer_is_read_part_by_part() {
    let (parts, stop) = parts_and_stop(&json!({
        "content": {"role": "model", "parts": [
            {"text": "Hm, ", "thought": true},
            {"text": "yes.", "thought": true},
            {"inlineData": {"mimeType": "image/png", "data": "on the way"}, "thought": true},
            {"text": "Here ", "thoughtSignature": "AAA="},
            {"text": "it is."},
            {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"functionCall": {"name": "f", "args": {"b": 1, "a": [2]}}, "thoughtSignature": "BBB="},
            {"functionCall": {"id": "own", "name": "g"}}
        ]},
        "finishReason": "STOP",
        "groundingMetadata": {
            "groundingChunks": [{"web": {"uri": "https://x.example/", "title": "x"}}, {"web": {"uri": "https://x.example/"}}],
            "webSearchQueries": ["q"]
        }
    }));
    assert_eq!(stop, Stop::ToolCalls);
    let signature = |data: &str| {
        Some(Signature {
            format: SignatureFormat::Google,
            data: data.to_owned(),
        })
    };
    let Part::Text {
        text, citations, ..
    } = &parts[1]
    else {
        panic!("{parts:?}");
    };
    assert_eq!(text, "Here it is.```python\nprint(1)\n```");
    assert_eq!(
        citations,
        &[Citation {
            url: "https://x.example/".to_owned(),
            title: Some("x".to_owned()),
            quote: None
        }]
    );
    assert_eq!(
        parts[0],
        Part::Thought(Thought {
            text: "Hm, yes.".to_owned(),
            signature: signature("AAA=")
        })
    );
    assert!(matches!(&parts[2], Part::Media(media)
        if media.kind == MediaKind::Image && media.source == Source::Base64("AAAA".to_owned())));
    let call = |id: &str, name: &str, arguments: &str, signature| {
        Part::ToolCall(ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            signature,
            cache: None,
        })
    };
    // Made out of the answer's id, so that calls of several turns are told apart.
    assert_eq!(
        parts[3],
        call(
            "call_abc_0_0",
            "f",
            "{\"a\":[2],\"b\":1}",
            signature("BBB=")
        )
    );
    assert_eq!(parts[4], call("own", "g", "{}", None));
}

#[test]
fn every_reason_is_read_for_what_it_means() {
    let said = json!({"parts": [{"text": "x"}]});
    for (reason, stop) in [
        ("STOP", Stop::End),
        ("MAX_TOKENS", Stop::MaxTokens),
        ("SAFETY", Stop::Refused(Some("safety".to_owned()))),
        (
            "PROHIBITED_CONTENT",
            Stop::Refused(Some("prohibited_content".to_owned())),
        ),
        ("MALFORMED_FUNCTION_CALL", Stop::End),
        ("CONTINUATION", Stop::Paused),
        ("WHAT_COMES_NEXT", Stop::End),
        ("FINISH_REASON_UNSPECIFIED", Stop::End),
    ] {
        let (parts, found) = parts_and_stop(&json!({"content": said, "finishReason": reason}));
        assert_eq!((parts, found), (vec![Part::text("x")], stop), "{reason}");
    }
    // Where nothing was said, the reason is.
    for (candidate, words) in [
        (
            json!({"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call: f("}),
            "Malformed function call: f(",
        ),
        (
            json!({"finishReason": "NO_IMAGE"}),
            "The model ended without an answer: NO_IMAGE.",
        ),
        (
            json!({"finishReason": "SAFETY", "finishMessage": "Blocked."}),
            "Blocked.",
        ),
    ] {
        assert_eq!(
            parts_and_stop(&candidate).0,
            [Part::Refusal(words.to_owned())]
        );
    }
    assert_eq!(
        parts_and_stop(&json!({"finishReason": "STOP"})),
        (vec![], Stop::End)
    );
    assert_eq!(parts_and_stop(&json!({})), (vec![], Stop::End));
}

#[test]
fn candidates_come_in_the_order_of_their_indexes() {
    let json = json!({"candidates": [
        {"content": {"parts": [{"text": "second"}]}, "index": 1, "finishReason": "STOP"},
        {"content": {"parts": {"text": "first"}}, "finishReason": "MAX_TOKENS"}
    ], "usageMetadata": {"trafficType": "ON_DEMAND_PRIORITY"}, "responseId": "r"});
    let answer = translator()
        .read_answer(json.to_string().as_bytes())
        .expect("an answer");
    assert_eq!(
        answer.candidates,
        [
            Candidate {
                parts: vec![Part::text("first")],
                stop: Stop::MaxTokens
            },
            Candidate {
                parts: vec![Part::text("second")],
                stop: Stop::End
            },
        ]
    );
    assert_eq!(
        (answer.id.as_str(), answer.tier.as_deref()),
        ("r", Some("priority"))
    );
    for none in [
        "{}",
        "",
        "[]",
        "{\"candidates\":[]}",
        "{\"candidates\":[{}]",
    ] {
        assert!(translator().read_answer(none.as_bytes()).is_err(), "{none}");
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn an_answer_is_written_as_google_writes_it() {
    let foreign = Signature {
        format: SignatureFormat::Anthropic,
        data: "s".to_owned(),
    };
    let answer = ChatAnswer {
        id: "theirs".to_owned(),
        candidates: vec![
            Candidate {
                parts: vec![
                    Part::Thought(Thought {
                        text: "Hm.".to_owned(),
                        signature: Some(foreign),
                    }),
                    Part::Text {
                        text: "Hi \u{2028}\n".to_owned(),
                        citations: vec![Citation {
                            url: "u".to_owned(),
                            title: None,
                            quote: None,
                        }],
                        cache: None,
                    },
                    Part::ToolCall(ToolCall {
                        id: "c1".to_owned(),
                        name: "f".to_owned(),
                        arguments: "{}".to_owned(),
                        signature: None,
                        cache: None,
                    }),
                ],
                stop: Stop::ToolCalls,
            },
            Candidate {
                parts: vec![],
                stop: Stop::Refused(Some("because".to_owned())),
            },
        ],
        tier: Some("flex".to_owned()),
    };
    let usage = Usage::of([
        (Unit::InputToken, 10),
        (Unit::CachedInputToken, 5),
        (Unit::InputImageToken, 258),
        (Unit::CachedInputImageToken, 100),
        (Unit::OutputToken, 7),
        (Unit::ReasoningToken, 20),
        (Unit::OutputImageToken, 1_290),
    ]);
    let written = translator().write_answer(&answer, &usage, &shown());
    assert_eq!(
        value(&written),
        json!({
            "candidates": [
                {
                    "content": {"role": "model", "parts": [
                        {"text": "Hm.", "thought": true},
                        {"text": "Hi \u{2028}\n", "thoughtSignature": "d3NhMS5z"},
                        {"functionCall": {"id": "c1", "name": "f", "args": {}}}
                    ]},
                    "finishReason": "STOP", "index": 0,
                    "groundingMetadata": {"groundingChunks": [{"web": {"uri": "u"}}]}
                },
                {"content": {"role": "model", "parts": []}, "finishReason": "SAFETY", "finishMessage": "because", "index": 1}
            ],
            "usageMetadata": {
                "promptTokenCount": 373, "candidatesTokenCount": 1_297, "thoughtsTokenCount": 20, "totalTokenCount": 1_690,
                "cachedContentTokenCount": 105, "serviceTier": "flex",
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 15}, {"modality": "IMAGE", "tokenCount": 358}],
                "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 7}, {"modality": "IMAGE", "tokenCount": 1_290}],
                "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "IMAGE", "tokenCount": 100}]
            },
            "modelVersion": "our/model", "responseId": "r1"
        })
    );
    // What we tell is what we read.
    let told = GEMINI
        .usage(crate::dialect::Metered::default(), &written)
        .expect("usage");
    assert!(told.measures().eq(usage.measures()), "{told:?}");
    // What a client sends back of it is what it was.
    let back = json!({"contents": [value(&written)["candidates"][0]["content"]]});
    let request = read(&back.to_string()).expect("read");
    assert_eq!(request.turns[0].parts[0], answer.candidates[0].parts[0]);
}
