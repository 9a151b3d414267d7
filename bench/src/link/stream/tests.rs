//! Delays are the same however a stream is cut, and what is missing or repeated is a failure.

use super::*;

fn event(index: u64, stamp: u64) -> String {
    format!("data: {{\"delta\":{{\"content\":\" w{index}@{stamp}\"}}}}\n\n")
}

fn read(text: &str, tokens: u32) -> Result<Vec<Duration>, String> {
    let epoch = Instant::now();
    let now = epoch + Duration::from_millis(100);
    let mut first = None;
    for size in 1..=text.len() {
        let mut reader = Reader::new(epoch);
        let mut pushed = Ok(());
        for part in text.as_bytes().chunks(size) {
            pushed = pushed.and_then(|()| reader.push(part, now));
        }
        let ended = pushed.and_then(|()| reader.end(tokens));
        let delays: Vec<_> = reader.arrivals.iter().map(|one| one.delay).collect();
        let this = ended.map(|()| delays);
        assert_eq!(*first.get_or_insert_with(|| this.clone()), this);
    }
    first.unwrap()
}

#[test]
fn delays_are_read_from_the_stamps_however_the_stream_is_cut() {
    let text = format!(
        ": keep-alive\n\n{}{}data: [DONE]\n\n",
        event(0, 40_000),
        event(1, 99_000)
    );
    let ms = Duration::from_millis;
    assert_eq!(read(&text, 2), Ok(vec![ms(60), ms(1)]));
}

#[test]
fn a_gap_a_repetition_an_error_and_a_missing_end_are_failures() {
    let done = "data: [DONE]\n\n";
    let (zero, one, two) = (event(0, 1), event(1, 2), event(2, 3));
    let gap = read(&format!("{zero}{two}{done}"), 2);
    assert_eq!(gap.unwrap_err(), "token 2 came instead of 1");
    let again = read(&format!("{zero}{one}{one}{done}"), 3);
    assert_eq!(again.unwrap_err(), "token 1 came instead of 2");
    let cut = read(&zero, 1).unwrap_err();
    assert_eq!(cut, "ended without [DONE] after 1 of 1 tokens");
    let short = read(&format!("{zero}{done}"), 2).unwrap_err();
    assert_eq!(short, "ended with [DONE] after 1 of 2 tokens");
    let error = read("data: {\"error\":{}}\n\n", 1).unwrap_err();
    assert!(error.starts_with("an error in the stream"), "{error}");
    let late = read(&format!("{zero}{done}{one}"), 1).unwrap_err();
    assert!(late.starts_with("after the end came"), "{late}");
}
