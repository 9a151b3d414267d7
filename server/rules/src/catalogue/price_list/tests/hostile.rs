//! Lists that are wrong, large or written to do harm; and what of a price is told apart.

use shared::link::Operation;

use super::super::compare::PriceChanges;
use super::super::{FILE_BYTES_MAX, ListFault, MODELS_MAX, SheetError, read};
use crate::catalogue::price::PriceList;

const GOOD: &str = r#""good": {"input_cost_per_token": 1e-06}"#;

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_is_wrong_is_named_and_the_others_can_be_reviewed() {
    use ListFault::{
        BadName, Expression, Negative, NoPrice, NotANumber, NotAnObject, Null, TooLong, Twice,
    };
    for (entry, model, field, fault) in [
        (
            r#""bad": {"input_cost_per_token": "0.1"}"#,
            "bad",
            "input_cost_per_token",
            NotANumber,
        ),
        (
            r#""bad": {"input_cost_per_token": true}"#,
            "bad",
            "input_cost_per_token",
            NotANumber,
        ),
        (
            r#""bad": {"input_cost_per_token": {}}"#,
            "bad",
            "input_cost_per_token",
            NotANumber,
        ),
        (
            r#""bad": {"input_cost_per_token": NaN}"#,
            "bad",
            "input_cost_per_token",
            NotANumber,
        ),
        (
            r#""bad": {"input_cost_per_token": -Infinity}"#,
            "bad",
            "input_cost_per_token",
            NotANumber,
        ),
        (
            r#""bad": {"input_cost_per_token": -1e-9}"#,
            "bad",
            "input_cost_per_token",
            Negative,
        ),
        (
            r#""bad": {"input_cost_per_token": 1e-999999999}"#,
            "bad",
            "input_cost_per_token",
            TooLong,
        ),
        (
            r#""bad": {"input_cost_per_token": 1e9999}"#,
            "bad",
            "input_cost_per_token",
            TooLong,
        ),
        (
            r#""bad": {"input_cost_per_token": 1, "input_cost_per_token": 2}"#,
            "bad",
            "input_cost_per_token",
            Twice,
        ),
        (
            r#""bad": {"search_context_cost_per_query": 3}"#,
            "bad",
            "search_context_cost_per_query",
            NotAnObject,
        ),
        (
            r#""bad": {"input_cost_per_token": null}"#,
            "bad",
            "input_cost_per_token",
            Null,
        ),
        (
            r#""bad": {"mode": "chat", "max_tokens": 5}"#,
            "bad",
            "",
            NoPrice,
        ),
        (r#""bad": 7"#, "bad", "", NotAnObject),
        (
            r#""bad": {"input_cost_per_token": 1}, "bad": {"input_cost_per_token": 1}"#,
            "bad",
            "",
            Twice,
        ),
        (r#""": {"input_cost_per_token": 1}"#, "", "", BadName),
        (r#""a\nb": {"input_cost_per_token": 1}"#, "ab", "", BadName),
    ] {
        let file = format!("{{{entry}, {GOOD}}}");
        let sheet = read(&file, None).unwrap_or_else(|error| panic!("{file}: {error}"));
        let names: Vec<&str> = sheet
            .models
            .iter()
            .map(|model| model.name.as_str())
            .collect();
        assert_eq!(names, ["good"], "{file}");
        let told = sheet.problems.first().expect("a problem");
        assert_eq!(
            (told.model.as_str(), told.field.as_str(), told.fault),
            (model, field, fault),
            "{file}"
        );
    }
    let rows = r#"[{"model_name": "a", "model_ratio": "1"}, {"model_name": "b", "billing_mode": "tiered_expr"}, 5,
        {"model_ratio": 1}, {"model_name": "c", "model_ratio": 1}, {"model_name": "c", "model_ratio": 1},
        {"model_name": "d", "model_ratio": 1}]"#;
    let sheet = read(rows, None).expect("rows");
    assert_eq!(sheet.models.len(), 1);
    let told: Vec<_> = sheet
        .problems
        .iter()
        .map(|one| (one.model.as_str(), one.fault))
        .collect();
    let expected = [
        ("a", NotANumber),
        ("b", Expression),
        ("row 3", NotAnObject),
        ("row 4", BadName),
        ("c", Twice),
        ("c", Twice),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_null_beside_a_price_is_named_and_the_price_stays() {
    let sheet = read(
        r#"{"m": {"input_cost_per_token": 1e-06, "output_cost_per_token": null}}"#,
        None,
    );
    let sheet = sheet.expect("a list");
    assert_eq!((sheet.models.len(), sheet.problem_count), (1, 1));
}

#[test]
fn what_is_no_list_is_refused_whole() {
    let deep = format!("{{\"m\": {}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    for (file, why) in [
        ("", "model,unit"),
        ("hello", "model,unit"),
        ("{", "EOF"),
        (r#"{"m": {"input_cost_per_token": 1}} x"#, "trailing"),
        ("{}", "no model"),
        ("[]", "no model"),
        (r#"{"prices": []}"#, "no model"),
        ("[1, 2", "EOF"),
        ("\u{feff}{\"m\": }", "expected value"),
    ] {
        let refused = read(file, None).expect_err(file).to_string();
        assert!(refused.contains(why), "{file}: {refused}");
    }
    // Passed over without going down.
    let sheet = read(&deep, None).expect("a list");
    assert_eq!(
        sheet.problems.first().map(|one| one.fault),
        Some(ListFault::NotAnObject)
    );
    let group = read(&format!("{{{GOOD}}}"), Some("vip"));
    assert_eq!(group, Err(SheetError::NoSuchGroup));
    let large = " ".repeat(FILE_BYTES_MAX + 1);
    assert_eq!(read(&large, None), Err(SheetError::TooLarge));
}

#[test]
fn a_list_without_end_is_read_to_its_bounds() {
    let many = |count: usize| {
        let entry = |at: usize| format!("\"m{at}\":{{\"input_cost_per_token\":1e-6}}");
        let entries: Vec<String> = (0..count).map(entry).collect();
        format!("{{{}}}", entries.join(","))
    };
    let sheet = read(&many(MODELS_MAX + 300), None).expect("a list");
    assert_eq!(sheet.models.len(), MODELS_MAX);
    assert_eq!((sheet.problem_count, sheet.problems.len()), (300, 200));
    assert!(read(&many(MODELS_MAX * 2 + 10), None).is_err());
    let fields: Vec<String> = (0..600).map(|at| format!("\"cost{at}\":1")).collect();
    let sheet = read(&format!("{{\"m\": {{{}}}}}", fields.join(",")), None).expect("a list");
    assert_eq!(
        sheet.problems.first().map(|one| one.fault),
        Some(ListFault::TooMany)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_must_be_looked_at_twice_is_told_apart() {
    let list = |text: &str| PriceList::from_text(text).expect("a price");
    for (old, new, zero, large, below) in [
        ("input_token,10,4", "input_token,10,4", false, false, false),
        ("input_token,10,4", "input_token,10,6", false, false, false),
        (
            "input_token,10,4",
            "input_token,10,6.000001",
            false,
            true,
            false,
        ),
        ("input_token,10,4", "input_token,10,2", false, false, false),
        (
            "input_token,10,4",
            "input_token,10,1.999999",
            false,
            true,
            false,
        ),
        // The same in other words.
        (
            "input_token,10,4",
            "input_token,1000,400",
            false,
            false,
            false,
        ),
        ("input_token,10,4", "input_token,10,0", true, false, false),
        ("input_token,10,0", "input_token,10,0", false, false, false),
        (
            "input_token,10,0",
            "input_token,10,0.000001",
            false,
            true,
            false,
        ),
        // A unit that is gone is free.
        (
            "input_token,10,4\nsearch,1,1",
            "input_token,10,4",
            true,
            false,
            false,
        ),
        (
            "input_token,10,4\nminimum,,1",
            "input_token,10,4",
            true,
            false,
            false,
        ),
        // One that takes the price of another is not.
        (
            "input_token,10,4\ncached_input_token,10,3",
            "input_token,10,4",
            false,
            false,
            false,
        ),
        // A band that is new counts from the price that it had.
        (
            "input_token,10,4",
            "input_token,10,9,,context_over=5\ninput_token,10,4",
            false,
            true,
            false,
        ),
        (
            "input_token,10,4,1",
            "input_token,10,4,5",
            false,
            true,
            true,
        ),
        (
            "input_token,10,4,1",
            "input_token,10,4,0",
            true,
            false,
            false,
        ),
        (
            "input_token,10,4,1",
            "input_token,10,4",
            false,
            false,
            false,
        ),
        (
            "input_token,10,4",
            "input_token,10,4,4.000001",
            false,
            false,
            true,
        ),
        (
            "input_token,10,4,1\ncurrency,,2,,USD 2026-01-01",
            "input_token,10,4,2",
            false,
            false,
            false,
        ),
        // What is begun counts whole, or no longer.
        (
            "audio_ms,60000,4,,,60000",
            "audio_ms,60000,4",
            false,
            true,
            false,
        ),
        (
            "audio_ms,60000,4",
            "audio_ms,60000,4,,,1000",
            false,
            true,
            false,
        ),
        (
            "audio_ms,60000,4,,,60000",
            "audio_ms,60000,4,,,60000",
            false,
            false,
            false,
        ),
        ("", "input_token,10,0", true, false, false),
        ("", "input_token,10,5", false, false, false),
    ] {
        let old = Some(list(old)).filter(|list| !list.rates.is_empty());
        let changes = PriceChanges::between(Operation::Embedding, old.as_ref(), &list(new));
        let told = (
            changes.becomes_zero,
            changes.is_large,
            changes.is_below_cost,
        );
        assert_eq!(told, (zero, large, below), "{old:?} {new}");
    }
}
