//! The table of rates: what is read, what is told beside which field, and what stays of what was typed.

use shared::credits::Credits;

use super::*;

fn posted(fields: &[(&str, &str)]) -> FormData {
    let body = serde_urlencoded::to_string(fields).expect("a form");
    FormData::parse(body.as_bytes()).expect("a form")
}

const CHAT: [(&str, &str); 8] = [
    ("unit-0", "input_token"),
    ("per-0", "1000000"),
    ("when-0", "context_over=200000; tier=flex|batch"),
    ("credits-0", "5"),
    ("unit-1", "input_token"),
    ("credits-1", "0.000002"),
    ("cost-1", "0.000001"),
    ("unit-2", "output_token"),
];

#[test]
fn a_price_is_read_as_it_is_shown() {
    let fields = [&CHAT[..], &[("credits-2", "0.00001"), ("minimum", "0.001")]].concat();
    let mut draft = Draft::posted(&posted(&fields));
    let list = draft.read(Operation::Chat).expect("a price");
    assert_eq!(list.rates.len(), 3);
    assert_eq!((list.rates[0].per, list.rates[1].per), (1_000_000, 1));
    assert_eq!(list.rates[0].cost, None, "what was left out is not known");
    assert_eq!(list.minimum, Some(Credits::from_micros(1_000)));
    let table = Draft::of(&list).table(false);
    assert!(
        table
            .form
            .is("when-0", "tier=flex|batch; context_over=200000")
    );
    assert!(table.form.is("cost-1", "0.000001") && table.form.is("cost-0", ""));
    let mut again = Draft::of(&list);
    assert_eq!(again.read(Operation::Chat), Some(list));
}

#[test]
fn every_fault_stands_beside_its_row_and_field_and_what_was_typed_stays() {
    let fields = [
        ("unit-0", "parsec"),
        ("credits-0", "-1"),
        ("unit-1", "input_token"),
        ("when-1", "tier=flex; colour=red"),
        ("cost-1", "much"),
        ("step-1", "1000"),
        ("unit-7", "output_token"),
        ("credits-7", "1"),
        ("step-7", "1000"),
        ("minimum", "no"),
        ("currency_code", "usd"),
    ];
    let mut draft = Draft::posted(&posted(&fields));
    assert_eq!(draft.read(Operation::Chat), None);
    let form = draft.table(true).form;
    let errors: Vec<(&str, &FieldError)> = form
        .errors
        .iter()
        .map(|(name, error)| (name.as_str(), error))
        .collect();
    assert_eq!(
        errors,
        [
            ("cost-1", &FieldError::NotAPrice),
            ("credits-0", &FieldError::NotAPrice),
            ("credits-1", &FieldError::Required),
            ("currency_credits", &FieldError::NotAPrice),
            ("minimum", &FieldError::NotAPrice),
            ("step-2", &FieldError::NoSteps),
            ("unit-0", &FieldError::Unknown),
            ("when-1", &FieldError::Condition("colour=red".to_owned())),
        ]
    );
    assert!(form.is("when-1", "tier=flex; colour=red") && form.is("cost-1", "much"));
    assert!(form.is("unit-2", "output_token"), "rows are numbered on");
}

#[test]
fn what_a_call_can_bring_must_have_a_price_without_conditions() {
    let mut draft = Draft::posted(&posted(&CHAT));
    assert_eq!(draft.read(Operation::Chat), None);
    let form = draft.table(true).form;
    assert_eq!(form.error, Some(FieldError::Uncovered(PriceItem::Output)));
    let mut empty = Draft::starting(Some(Operation::Chat));
    assert!(empty.is_blank());
    assert_eq!(empty.read(Operation::Chat), None);
    assert_eq!(empty.table(true).form.error, Some(FieldError::NoPrice));
}

#[test]
fn rows_come_and_go_and_the_rest_stays() {
    let mut draft = Draft::posted(&posted(&CHAT));
    draft.add_row();
    draft.remove_row("0");
    draft.remove_row("99");
    let table = draft.table(true);
    assert_eq!(table.rows.len(), 3);
    assert!(table.form.is("cost-0", "0.000001") && table.form.is("unit-1", "output_token"));
    let mut full = Draft::default();
    for _ in 0..=RATES_MAX {
        full.add_row();
    }
    let full = full.table(true);
    assert_eq!(
        (full.rows.len(), full.form.error),
        (RATES_MAX, Some(FieldError::TooMany(512)))
    );
}

#[test]
fn a_price_is_imported_from_either_form_and_nothing_is_lost_where_it_can_t_be_read() {
    let csv = "unit,per,credits,cost,when,step\ninput_token,1000000,2,1,tier=flex,1\nminimum,,0.5";
    let json = r#"{"rates":[{"unit":"input_token","per":1000000,"credits":2,"cost":1,"when":{"tier":"flex"}}],"minimum":0.5}"#;
    for text in [csv, json] {
        let mut draft = Draft::posted(&posted(&[("import", text), ("valid_from", "2030-01-01")]));
        draft.import();
        let form = draft.table(true).form;
        assert!(!form.has_errors(), "{text}: {form:?}");
        for (name, value) in [
            ("credits-0", "2"),
            ("when-0", "tier=flex"),
            ("minimum", "0.5"),
        ] {
            assert!(form.is(name, value), "{text}: {name}");
        }
        assert!(form.is("valid_from", "2030-01-01") && !form.is("import", text));
    }
    for (text, error) in [
        ("", FieldError::Required),
        ("input_token,1,1\nparsec,1,1", FieldError::Line(2)),
        ("{\"rates\":[{}]}", FieldError::NotAPriceFile),
    ] {
        let fields = [&CHAT[..], &[("import", text)]].concat();
        let mut draft = Draft::posted(&posted(&fields));
        draft.import();
        let table = draft.table(true);
        assert_eq!(table.form.errors.get("import"), Some(&error), "{text}");
        assert_eq!(table.rows.len(), 3);
    }
}
