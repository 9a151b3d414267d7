//! A model's faults are told all at once, and its price never begins in the past.

use super::*;
use shared::zone::Zone;

fn posted(body: &str) -> FormData {
    FormData::parse(body.as_bytes()).expect("a form")
}

fn names(wrong: Vec<FieldProblem>) -> Vec<&'static str> {
    wrong.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_fault_of_a_model_is_told_at_once() {
    let form = posted(
        "id=a+b&operation=chat&provider=Open&model=&gateway=US&weight=0&priority=10\
         &cost=1000001&max_output_tokens=0",
    );
    let wrong = names(model(&form, &Zone::default()).expect_err("errors"));
    assert_eq!(
        wrong,
        [
            "id",
            "provider",
            "model",
            "priority",
            "weight",
            "gateway",
            "cost",
            "max_output_tokens"
        ]
    );
}

#[test]
fn a_cost_is_known_where_it_is_typed() {
    let read = |text: &str| cost(&posted(&format!("cost={text}")));
    assert_eq!(read(""), Ok(None));
    assert_eq!(read("0"), Ok(Some(0)));
    assert_eq!(read("1000000"), Ok(Some(1_000_000)));
    assert_eq!(read("1.5"), Err(("cost", FieldError::NotANumber)));
    let bounds = FieldError::OutOfRange(0, 1_000_000);
    assert_eq!(read("1000001"), Err(("cost", bounds)));
}

#[test]
fn a_price_begins_now_or_later() {
    let now = Moment::from_unix_ms(1_795_255_200_000);
    let utc = Zone::utc();
    let read = |text: &str| {
        valid_from(
            &posted(&format!("valid_from={text}")),
            Here { now, zone: &utc },
        )
    };
    assert_eq!(read(""), Ok(None));
    assert_eq!(read("2026-11-21"), Ok(None), "today is now");
    assert_eq!(read("2026-11-20"), Err(("valid_from", FieldError::Past)));
    assert!(
        read("2026-11-22")
            .expect("a day")
            .is_some_and(|at| at > now)
    );
    assert_eq!(read("soon"), Err(("valid_from", FieldError::NotADate)));
}
