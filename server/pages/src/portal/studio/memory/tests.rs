//! What was asked of several models, with pictures and settings, comes back as it was.

use server_rooms::studio::{ChatHead, StudioAnswered};
use shared::clock::Moment;
use shared::credits::Credits;

use super::*;

const PICTURE: &str = "data:image/png;base64,aGVsbG8=";

fn answer(place: i64, model: &str, (status, text): (&str, &str)) -> ChatAnswer {
    ChatAnswer {
        place,
        model: model.to_owned(),
        status: status.to_owned(),
        call: Some(format!("gen_{place}")),
        charged: Some(Credits::from_micros(place)),
        answered: StudioAnswered {
            text: text.to_owned(),
            ..StudioAnswered::default()
        },
    }
}

fn form(json: Value) -> ChatForm {
    serde_json::from_value(json).expect("a conversation")
}

fn chat(asked: StudioAsked, answers: Vec<ChatAnswer>) -> Chat {
    Chat {
        head: ChatHead {
            id: "chat_1".to_owned(),
            title: String::new(),
            model: "m1".to_owned(),
            charged: Credits::ZERO,
            touched_at: Moment::from_unix_ms(0),
        },
        turns: 1,
        path: vec![ChatTurnKept {
            place: 7,
            asked,
            answers,
        }],
    }
}

#[test]
fn pictures_instructions_and_parameters_come_back() {
    let sent = form(json!({"model": "m1",
        "messages": [{"role": "user", "content": "what is it?", "images": [PICTURE]}],
        "settings": {"system": "Be kind.", "temperature": 0.5, "effort": "low", "top_p": "", "length": null}}));
    let kept = chat(asked(&sent), vec![answer(0, "m1", ("whole", "a cat"))]);
    let set = settings(&kept);
    let expected = json!({"system": "Be kind.", "temperature": 0.5, "effort": "low"});
    assert_eq!(json!(set), expected, "and nothing of what was not set");
    let (shown, history) = told(Lang::En, &kept);
    assert_eq!(shown[0].images, [PICTURE]);
    let expected = json!([
        {"role": "user", "content": "what is it?", "turn": 7, "images": [PICTURE]},
        {"role": "assistant", "content": "a cat", "model": "m1"}
    ]);
    assert_eq!(history, expected);
    let reads = |sees| {
        so_far(&kept, Reader { model: "m1", sees })[0]
            .images
            .clone()
    };
    assert_eq!(reads(true), [PICTURE]);
    assert!(reads(false).is_empty(), "a model that reads none gets none");
}

#[test]
fn nothing_set_comes_back_as_nothing() {
    let sent = form(json!({"model": "m1", "messages": [{"role": "user", "content": "hi"}]}));
    let asked = asked(&sent);
    assert_eq!((&asked.asked, &asked.system), (&json!("hi"), &None));
    assert!(settings(&chat(asked, Vec::new())).is_empty());
}

#[test]
fn each_models_newest_answer_stands_beside_the_others() {
    /// A model, how its answer stands, and what it said.
    type Given<'a> = (&'a str, &'a str, &'a str);
    /// The answers as they came, and each column with how many are folded under it.
    type Case<'a> = (&'a [Given<'a>], &'a [(&'a str, usize)]);
    let cases: &[Case<'_>] = &[
        (&[], &[]),
        (
            &[("m1", "whole", "a"), ("m2", "whole", "b")],
            &[("a", 0), ("b", 0)],
        ),
        // One was asked once more: it stays in its column.
        (
            &[
                ("m1", "whole", "a"),
                ("m2", "whole", "b"),
                ("m1", "whole", "c"),
            ],
            &[("c", 1), ("b", 0)],
        ),
        // What failed with nothing said takes no answer away, and what comes is awaited.
        (&[("m1", "whole", "a"), ("m1", "failed", "")], &[("a", 0)]),
        (&[("m1", "failed", ""), ("m1", "whole", "a")], &[("a", 0)]),
        (&[("m1", "whole", "a"), ("m1", "coming", "")], &[("", 1)]),
        (&[("m1", "failed", ""), ("m1", "lost", "")], &[("", 0)]),
    ];
    for (given, expected) in cases {
        let answers = given.iter().zip(0_i64..);
        let answers = answers.map(|(one, place)| answer(place, one.0, (one.1, one.2)));
        let kept = chat(StudioAsked::default(), answers.collect());
        let (shown, history) = told(Lang::En, &kept);
        let columns = shown[1..].iter();
        let columns: Vec<_> = columns
            .map(|one| (one.text.as_str(), one.earlier.len()))
            .collect();
        assert_eq!(columns, *expected, "{given:?}");
        let entries = history.as_array().expect("a list").len();
        assert_eq!(entries, shown.len(), "one entry for each that is shown");
    }
}

#[test]
fn a_model_goes_on_from_its_own_answer() {
    let answers = vec![
        answer(0, "m1", ("failed", "")),
        answer(1, "m2", ("whole", "two")),
        answer(2, "m3", ("whole", "three")),
        answer(3, "m3", ("whole", "three, anew")),
    ];
    let kept = chat(StudioAsked::default(), answers);
    for (model, said) in [
        ("m1", "two"),
        ("m2", "two"),
        ("m3", "three, anew"),
        ("m4", "two"),
    ] {
        let before = so_far(&kept, Reader { model, sees: false });
        assert_eq!(before[1], ChatTurn::words(Role::Assistant, said), "{model}");
        assert_eq!(before.len(), 2);
    }
}
