//! What names, targets and prices may be, and what an open price is told.

use super::*;

#[test]
fn names_of_models_are_short_and_plain() {
    for good in ["gpt-4o", "meta/llama-3:70b", "A_1.b", "x"] {
        assert!(id(good).is_ok(), "{good}");
    }
    let long = "x".repeat(101);
    for bad in ["", "a b", "é", "a\n", "<script>", long.as_str()] {
        assert!(id(bad).is_err(), "{bad}");
    }
}

#[test]
fn targets_are_bounded_in_every_part() {
    let good = WeightedTarget {
        provider: "openai-main".into(),
        model: "gpt".into(),
        weight: 1,
        priority: 0,
        gateway: Some("us-1".into()),
        cost: None,
    };
    let with = |change: fn(&mut WeightedTarget)| {
        let mut target = good.clone();
        change(&mut target);
        targets(&[target])
    };
    assert!(targets(std::slice::from_ref(&good)).is_ok());
    assert!(targets(&[]).is_err());
    assert!(targets(&vec![good.clone(); 17]).is_err());
    assert!(with(|target| target.weight = 0).is_err());
    assert!(with(|target| target.gateway = Some("US 1".into())).is_err());
    assert!(with(|target| target.weight = 1_001).is_err());
    assert!(with(|target| target.priority = 10).is_err());
    assert!(with(|target| target.provider = "Open AI".into()).is_err());
    assert!(with(|target| target.model = String::new()).is_err());
    assert!(max_output_tokens(Operation::Chat, 10_000_001).is_err());
    assert!(max_output_tokens(Operation::Chat, 0).is_err());
    assert!(max_output_tokens(Operation::Image, 0).is_ok());
    assert!(is_default(Operation::Chat, true).is_err());
    assert!(is_default(Operation::Chat, false).is_ok());
    assert!(is_default(Operation::Image, true).is_ok());
}

#[test]
fn prices_that_leave_something_open_are_refused_and_say_what() {
    let refused = |operation, json: &str| {
        let list: PriceList = serde_json::from_str(json).expect(json);
        match price(operation, &list) {
            Err(CatalogueError::Invalid { field, rule }) => format!("{field}: {rule}"),
            other => format!("{other:?}"),
        }
    };
    let input = r#"{"unit":"input_token","per":1000000,"credits":1}"#;
    let output = r#"{"unit":"output_token","per":1000000,"credits":1}"#;
    let both = format!(r#"{{"rates":[{input},{output}]}}"#);
    assert_eq!(refused(Operation::Chat, &both), "Ok(())");
    for (operation, json, told) in [
        (
            Operation::Chat,
            format!(r#"{{"rates":[{input}]}}"#),
            "`output_token` needs",
        ),
        (Operation::Image, both.clone(), "`image` needs"),
        (
            Operation::Embedding,
            r#"{"rates":[]}"#.to_owned(),
            "`input_token` needs",
        ),
        (
            Operation::Chat,
            format!(
                r#"{{"rates":[{input},{{"unit":"output_token","credits":1,"when":{{"tier":"flex"}}}}]}}"#
            ),
            "`output_token` needs",
        ),
        (
            Operation::Embedding,
            r#"{"rates":[{"unit":"input_token","credits":-1}]}"#.to_owned(),
            "amounts from 0",
        ),
        (
            Operation::Embedding,
            r#"{"rates":[{"unit":"input_token","credits":1,"per":7}]}"#.to_owned(),
            "rates.per",
        ),
        (
            Operation::Embedding,
            r#"{"rates":[{"unit":"input_token","credits":1,"step":1000}]}"#.to_owned(),
            "rates.step",
        ),
        (
            Operation::Embedding,
            r#"{"rates":[{"unit":"input_token","credits":1,"when":{"tier":[]}}]}"#.to_owned(),
            "rates.when",
        ),
        (
            Operation::Embedding,
            format!(
                r#"{{"rates":[{input}],"currency":{{"code":"usd","credits":1,"as_of":"2026-11-27"}}}}"#
            ),
            "currency",
        ),
    ] {
        let refused = refused(operation, &json);
        assert!(refused.contains(told), "{json}: {refused}");
    }
}
