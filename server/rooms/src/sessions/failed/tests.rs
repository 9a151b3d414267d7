//! An hour of guessing leaves a few entries that tell of all of it, and a typing error none.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_hour_of_guessing_is_four_entries_that_tell_of_the_guesses_before_them() {
    let (book, mut now) = (FailedLogins::default(), Moment::from_unix_ms(1_000_000));
    let mut entries = Vec::new();
    let mut guesses = 0;
    for _ in 0..3_600 {
        guesses += 1;
        if let Some(told) = book.count("usr_1", now) {
            entries.push(told.failures);
            guesses -= told.failures;
        }
        now = now.after(SECOND);
    }
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0], 4);
    assert!(guesses < 900, "{guesses} are not told yet");
    assert_eq!(book.count("usr_2", now), None, "others count on their own");
}

#[test]
fn who_mistypes_and_comes_in_leaves_no_entry() {
    let (book, mut now) = (FailedLogins::default(), Moment::from_unix_ms(1_000_000));
    for _ in 0..10 {
        for _ in 0..3 {
            assert_eq!(book.count("usr_1", now), None);
            now = now.after(SECOND);
        }
        book.forget("usr_1");
    }
    for _ in 0..10 {
        assert_eq!(book.count("usr_1", now), None, "one a quarter of an hour");
        now = now.after(EVERY);
    }
}

#[test]
fn a_flood_of_accounts_stays_bounded() {
    let (book, now) = (FailedLogins::default(), Moment::from_unix_ms(1_000_000));
    for n in 0..3 * BOOK_MAX {
        book.count(&n.to_string(), now);
    }
    assert!(book.0.lock().expect("whole").len() <= BOOK_MAX);
}
