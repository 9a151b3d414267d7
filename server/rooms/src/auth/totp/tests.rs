//! Codes are those of the RFCs' own vectors, and fit one step around their own.

use super::*;

const RFC_SECRET: &[u8] = b"12345678901234567890";

#[test]
fn codes_are_those_of_rfc_6238() {
    for (seconds, expected) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ] {
        let step = step_of(Moment::from_unix_ms(seconds * 1_000));
        assert_eq!(code(RFC_SECRET, step, 8), expected, "at {seconds}");
    }
}

#[test]
fn counters_are_those_of_rfc_4226() {
    let expected = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, expected) in (0..).zip(expected) {
        assert_eq!(code(RFC_SECRET, counter, 6), expected, "{counter}");
    }
}

#[test]
fn a_code_fits_one_step_around_its_own_and_no_further() {
    let at = |step: i64| Moment::from_unix_ms(step * STEP_SECONDS * 1_000);
    let typed = code_at(RFC_SECRET, at(100));
    for step in 99..=101 {
        assert_eq!(matching_step(RFC_SECRET, &typed, at(step)), Some(100));
    }
    for step in [97, 98, 102, 103] {
        assert_eq!(matching_step(RFC_SECRET, &typed, at(step)), None, "{step}");
    }
    let spaced = format!(" {} {}", &typed[..3], &typed[3..]);
    assert_eq!(matching_step(RFC_SECRET, &spaced, at(100)), Some(100));
    for wrong in ["", "1", "abcdef", &typed[..5], &format!("{typed}0")] {
        assert_eq!(matching_step(RFC_SECRET, wrong, at(100)), None, "{wrong}");
    }
}

#[test]
fn letters_are_those_of_rfc_4648() {
    for (bytes, expected) in [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foo", "MZXW6"),
        ("foob", "MZXW6YQ"),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ] {
        assert_eq!(letters(bytes.as_bytes()), expected);
    }
    assert_eq!(letters(secret().expose()).len(), 32);
}

#[test]
fn the_account_of_a_uri_is_encoded() {
    let uri = uri("a b&c=中", RFC_SECRET);
    assert!(
        uri.starts_with("otpauth://totp/Waule:a%20b%26c%3D%E4%B8%AD?secret=GEZD"),
        "{uri}"
    );
}
