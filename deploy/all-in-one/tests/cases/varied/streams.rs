//! Streams that are well though they look odd.

use std::time::Duration;

use serde_json::{Value, json};

use super::each;
use crate::case::case;
use crate::fake::always;
use crate::fake::bodies::{
    DONE, chunk, event, finish, good_stream, sse, text, two_credits, usage, well,
};
use crate::fake::script::{End, Framing, Script};

const NONE: Value = Value::Null;

type Make = fn() -> Script;

fn whole() -> String {
    [&well(), &usage(&two_credits()), DONE].concat()
}

/// A chunk with the words and something more on its top level.
fn with(words: &str, finish: Option<&str>, more: &Value) -> String {
    let mut chunk = chunk(&json!({"content": words}), finish);
    for (name, value) in more.as_object().into_iter().flatten() {
        chunk[name] = value.clone();
    }
    event(&chunk)
}

/// The body in two pieces, cut at `at`.
fn cut(body: &str, at: usize) -> Script {
    let (one, two) = body.as_bytes().split_at(at);
    let pause = Duration::from_millis(30);
    Script::new(200, "text/event-stream")
        .body(one)
        .pause(pause)
        .body(two)
}

fn count(prompt: u64, completion: u64) -> Value {
    json!({"prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion})
}

/// All of them say "all well" and count 1,000 and 100 tokens.
const WELL: &[(&str, Make)] = &[
    ("a BOM at the start", || sse(format!("\u{feff}{}", whole()))),
    ("a BOM in two pieces", || {
        cut(&format!("\u{feff}{}", whole()), 2)
    }),
    ("lines that end with CR alone", || {
        sse(whole().replace('\n', "\r"))
    }),
    ("CR and LF in two pieces", || {
        let body = whole().replace('\n', "\r\n");
        let at = body.find("\r\n\r\n").expect("an end") + 1;
        cut(&body, at)
    }),
    ("every byte by itself", || sse(whole()).split(1)),
    ("lines of names, numbers and waits", || {
        sse(whole().replace("data: {", "event: message\nid: 7\nretry: 3000\ndata: {"))
    }),
    ("data before the name of the event", || {
        sse(whole().replace("}\n\n", "}\nevent: message\n\n"))
    }),
    ("an event in several lines of data", || {
        sse(whole().replace("\"choices\":", "\ndata: \"choices\":"))
    }),
    ("a comment inside of an event", || {
        sse(whole().replace("data: {", ": ping\ndata: {"))
    }),
    ("comments with the word error", || {
        sse(format!(": error {{\"error\":1}}\n\n{}", whole()))
    }),
    ("done without a blank", || {
        sse(whole().replace("data: [DONE]", "data:[DONE]"))
    }),
    ("done with blanks around it", || {
        sse(whole().replace("data: [DONE]", "data:  [DONE] "))
    }),
    ("done twice", || sse(format!("{}{DONE}", whole()))),
    ("done without an empty line behind it", || {
        sse(whole().trim_end().to_owned())
    }),
    ("done with one line end, then an open connection", || {
        sse(format!("{}\n", whole().trim_end())).ends(End::Hang(Duration::from_secs(4)))
    }),
    ("garbage behind done", || {
        sse(format!("{}data: {{\"cut\n\nrubbish", whole()))
    }),
    ("usage behind done", || {
        sse([&well(), DONE, &usage(&two_credits())].concat())
    }),
    ("ended by the end of the connection", || {
        sse(whole()).framed(Framing::Close)
    }),
    ("over HTTP/1.0", || sse(whole()).framed(Framing::Old)),
    ("trailers behind the body", || {
        sse(whole()).ends(End::Trailers)
    }),
    ("the connection cut behind done", || {
        sse(whole()).ends(End::Cut)
    }),
    ("no done, and the end of the connection", || {
        sse([&well()[..], &usage(&two_credits())].concat()).framed(Framing::Close)
    }),
    ("no content type", || {
        good_stream().without_header("content-type")
    }),
    ("another content type", || {
        good_stream().header("content-type", "application/octet-stream")
    }),
    ("the content type of lines of JSON", || {
        good_stream().header("content-type", "application/x-ndjson")
    }),
    ("the content type in capitals", || {
        good_stream().header("content-type", "Text/Event-Stream;charset=UTF-8")
    }),
    ("the content type of JSON though these are events", || {
        good_stream().header("content-type", "application/json")
    }),
    ("a separator of lines inside of the text", || {
        let odd =
            usage(&json!({"prompt_tokens": 1000, "completion_tokens": 100, "note": "a\u{2028}b"}));
        sse([&well(), &odd, DONE].concat())
    }),
    ("filters' results first, without choices (Azure)", || {
        let filter = json!({"choices": [], "created": 0, "id": "", "model": "", "object": "",
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {
                "hate": {"filtered": false, "severity": "safe"}}}]});
        sse([&event(&filter), &whole()[..]].concat())
    }),
    ("choices that are null", || {
        let odd = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": null});
        sse([&event(&odd), &whole()[..]].concat())
    }),
    ("an empty object as an event", || {
        sse(format!("data: {{}}\n\n{}", whole()))
    }),
    ("an empty event", || {
        sse(format!("data:\n\ndata: \n\n{}", whole()))
    }),
    ("counts from the first chunk that grow", || {
        let first = with("all ", None, &json!({"usage": count(1000, 1)}));
        let last = with(
            "well",
            Some("stop"),
            &json!({"usage": {"completion_tokens": 100}}),
        );
        sse([&first, &last, DONE].concat())
    }),
    ("running counts on every chunk", || {
        let chunks = ["all ", "well", ""].iter().zip([40, 80, 100]);
        let chunks: String = chunks
            .map(|(words, output)| with(words, None, &json!({"usage": count(1000, output)})))
            .collect();
        sse([&chunks, &finish("stop"), DONE].concat())
    }),
    ("details that come before the totals", || {
        let details = json!({"prompt_tokens": 1000, "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 0}});
        sse([&well(), &usage(&details), &usage(&count(1000, 100)), DONE].concat())
    }),
    ("usage inside of the choice (Moonshot)", || {
        let mut last = chunk(&json!({}), Some("stop"));
        last["choices"][0]["usage"] = two_credits();
        sse([&text("all well"), &event(&last), DONE].concat())
    }),
    (
        "usage beside the choices in a name of its own (Groq)",
        || {
            let groq = json!({"x_groq": {"id": "req_1", "usage": two_credits()}});
            let last = with("", Some("stop"), &groq);
            sse([&text("all well"), &last, DONE].concat())
        },
    ),
    ("counts as text", || {
        let counts = json!({"prompt_tokens": "1000", "completion_tokens": "100"});
        sse([&well(), &usage(&counts), DONE].concat())
    }),
    ("counts as floats", || {
        let counts = json!({"prompt_tokens": 1000.0, "completion_tokens": 99.5});
        sse([&well(), &usage(&counts), DONE].concat())
    }),
    ("text, finish and usage in one chunk", || {
        let all = with("all well", Some("stop"), &json!({"usage": two_credits()}));
        sse([&all, DONE].concat())
    }),
    ("usage that is null on every chunk but the last", || {
        let words = with("all well", None, &json!({"usage": null}));
        sse([&words, &finish("length"), &usage(&two_credits()), DONE].concat())
    }),
    ("a null error at the end of each chunk", || {
        let words = with(
            "all well",
            None,
            &json!({"error": null, "warning": "error"}),
        );
        sse([&words, &finish("stop"), &usage(&two_credits()), DONE].concat())
    }),
    ("a whole answer in place of a stream", || {
        crate::fake::bodies::whole("all well", &two_credits())
    }),
    (
        "a whole answer with a BOM and blanks in place of a stream",
        || {
            let body = json!({"object": "chat.completion", "choices": [{"index": 0, "message":
            {"role": "assistant", "content": "all well"}, "finish_reason": "stop"}],
            "usage": two_credits()});
            crate::fake::bodies::error(200, &format!("\u{feff}\n {body}"))
        },
    ),
    ("gzip that was not asked for", || {
        let small = crate::fake::bodies::gzip(whole().as_bytes());
        sse(small).header("content-encoding", "gzip").split(11)
    }),
];

#[test]
fn odd_streams_pass_whole_and_are_counted_as_the_provider_says() {
    each(WELL, async |shape, make: Make| {
        let case = case(shape, vec![always(make())]).start().await;
        let read = case.stream(&NONE).await;
        read.is_whole();
        assert_eq!(read.content(), "all well", "{}", read.text);
        let after = read.done_after.expect("it came");
        assert!(after < Duration::from_secs(3), "done after {after:?}");
        case.bill().await.is(2.0);
    });
}

#[test]
fn letters_of_several_bytes_survive_any_cut() {
    const SIZES: &[(&str, usize)] = &[("1", 1), ("2", 2), ("3", 3), ("5", 5), ("7", 7)];
    each(SIZES, async |shape, size: usize| {
        let words = "汉字🙂é\u{2028}ﷺ";
        let body = [&text(words), &finish("stop"), &usage(&two_credits()), DONE].concat();
        let case = case(shape, vec![always(sse(body).split(size))])
            .start()
            .await;
        let read = case.stream(&NONE).await;
        read.is_whole();
        assert_eq!(read.content(), words);
        case.bill().await.is(2.0);
    });
}

#[test]
fn nobody_who_did_not_ask_sees_usage_that_is_null() {
    const ROWS: &[(&str, bool)] = &[("unasked", false), ("asked", true)];
    each(ROWS, async |shape, asked: bool| {
        let words = with("all well", None, &json!({"usage": null}));
        let body = [&words, &finish("stop"), &usage(&two_credits()), DONE].concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        let more = if asked {
            json!({"stream_options": {"include_usage": true}})
        } else {
            NONE
        };
        let read = case.stream(&more).await;
        read.is_whole();
        assert_eq!(read.content(), "all well");
        assert_eq!(read.text.contains("\"usage\""), asked, "{}", read.text);
    });
}

#[test]
fn several_choices_pass_and_are_all_estimated() {
    const ROWS: &[(&str, usize)] = &[("two choices", 2), ("five choices", 5)];
    each(ROWS, async |shape, choices: usize| {
        let mut body = String::new();
        for _ in 0..40 {
            for index in 0..choices {
                let mut piece = chunk(&json!({"content": "four"}), None);
                piece["choices"][0]["index"] = json!(index);
                body += &event(&piece);
            }
        }
        for index in 0..choices {
            let mut last = chunk(&json!({}), Some("stop"));
            last["choices"][0]["index"] = json!(index);
            body += &event(&last);
        }
        let case = case(shape, vec![always(sse([&body[..], DONE].concat()))])
            .start()
            .await;
        let read = case.stream(&json!({"n": choices})).await;
        read.is_whole();
        let low = u64::try_from(choices * 36).expect("small");
        case.bill().await.is_estimate(low..=low * 2);
    });
}

#[test]
fn a_stream_goes_on_while_its_first_choice_has_ended() {
    // The first of two choices ends long before the second: that is not the stream's end.
    const ROWS: &[(&str, ())] = &[("two choices", ())];
    each(ROWS, async |shape, (): ()| {
        let mut second = chunk(&json!({"content": "later"}), None);
        second["choices"][0]["index"] = json!(1);
        let mut last = chunk(&json!({}), Some("stop"));
        last["choices"][0]["index"] = json!(1);
        let script = sse([text("first"), finish("stop")].concat())
            .pause(Duration::from_millis(300))
            .body([&event(&second), &event(&last), &usage(&two_credits()), DONE].concat());
        let case = case(shape, vec![always(script)]).start().await;
        let read = case.stream(&json!({"n": 2})).await;
        read.is_whole();
        assert!(read.text.contains("later"), "{}", read.text);
        case.bill().await.is(2.0);
    });
}

#[test]
fn large_events_pass() {
    const SIZES: &[(&str, usize)] = &[("4 MB", 4_000_000), ("12 MB", 12_000_000)];
    each(SIZES, async |shape, size: usize| {
        let data = "QUJD".repeat(size / 4);
        let body = [&text(&data), &finish("stop"), &usage(&two_credits()), DONE].concat();
        let case = case(shape, vec![always(sse(body))]).start().await;
        let read = case.stream(&NONE).await;
        read.is_whole();
        assert_eq!(read.content().len(), data.len());
        case.bill().await.is(2.0);
    });
}
