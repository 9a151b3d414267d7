//! A price list reads as it is written, and what is wrong is told with its line.

use super::*;

const TEXT: &str = "input_token,1000000,50,,context_over=200000; hours=sat|sun 22:00-03:00 America/New_York,1\n\
    input_token,1000000,25,2.5,,1\n\
    image,1,0.167,,size=1024x1024|1536x1024; quality=high,1\n\
    input_audio_ms,60000,0.006,,,60000\n\
    minimum,,0.001\n\
    currency,,7.1,,USD 2026-11-27";

#[test]
fn a_list_is_read_as_it_is_written() {
    let list = PriceList::from_text(TEXT).expect("a list");
    assert_eq!(list.rates.len(), 4);
    assert_eq!(list.to_text(), TEXT);
    let with_columns = format!("\u{feff}{}\r\n{TEXT}\r\n\r\n", COLUMNS.join(","));
    assert_eq!(PriceList::from_text(&with_columns), Ok(list.clone()));
    let json = serde_json::to_string(&list).expect("written");
    assert_eq!(
        serde_json::from_str::<PriceList>(&json).expect("read"),
        list
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, told) in [
        (
            "input_token,1,1\nparsec,1,1",
            "line 2: there is no unit `parsec`",
        ),
        (
            "input_token,1,1\r\nimage,1,1\r\nparsec,1,1\r\n",
            "line 3: there is no unit",
        ),
        ("input_token,x,1", "line 1: `x` is no whole number"),
        ("input_token,1,one", "line 1: an amount of credits"),
        (
            "input_token,1,1,,colour=red",
            "line 1: there is no condition `colour`",
        ),
        ("input_token,1,1,,flex", "line 1: `flex` is no condition"),
        ("input_token,1,1,,hours=nights", "are no hours"),
        (
            "input_token,1,1,,hours=22:00-03:00 Mars/Dome",
            "no time zone `Mars/Dome`",
        ),
        (
            "input_token,1,1,,hours=noday 22:00-03:00 UTC",
            "are no hours",
        ),
        (
            "input_token,1,1,,,1,more",
            "line 1: there are 6 columns at most",
        ),
        (
            "currency,,7.1,,USD",
            "line 1: a currency has a code and a day",
        ),
    ] {
        let error = PriceList::from_text(text).expect_err(text).to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
