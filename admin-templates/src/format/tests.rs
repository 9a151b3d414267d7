//! Numbers, money, shares, spans and moments as people read them, in both languages.

use super::*;

#[test]
fn numbers_keep_their_thousands_apart() {
    assert_eq!(count(0), "0");
    assert_eq!(count(999), "999");
    assert_eq!(count(1_000), "1,000");
    assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
}

#[test]
fn short_numbers_follow_the_language() {
    let both = |n| (short(n, Lang::En), short(n, Lang::Zh));
    assert_eq!(both(999), ("999".into(), "999".into()));
    assert_eq!(both(12_345), ("12.3k".into(), "1.2万".into()));
    assert_eq!(both(1_200_000), ("1.2M".into(), "120万".into()));
    assert_eq!(both(345_600_000), ("345M".into(), "3.4亿".into()));
    assert_eq!(both(2_000_000_000_000), ("2T".into(), "2万亿".into()));
}

#[test]
fn money_is_exact_and_its_decimals_are_lighter() {
    assert_eq!(
        money(Credits::from_micros(-1_234_500_000)).to_string(),
        r#"<span class="money pad-5">−1,234<span class="decimals">.5</span></span>"#
    );
    assert_eq!(
        money(Credits::from_micros(7_000_000)).to_string(),
        r#"<span class="money pad-7">7</span>"#
    );
    assert_eq!(credits(Credits::MAX), "9,223,372,036,854.775807");
}

#[test]
fn large_amounts_are_cut_to_hundredths_where_they_are_compared() {
    assert_eq!(
        about(Credits::from_micros(1_234_567_891)).to_string(),
        r#"<span class="money" title="1,234.567891">1,234<span class="decimals">.56</span></span>"#
    );
    assert_eq!(
        about(Credits::from_micros(-500_000_000)).to_string(),
        r#"<span class="money" title="−500">−500<span class="decimals">.00</span></span>"#
    );
    assert!(
        about(Credits::from_micros(45))
            .to_string()
            .contains(">0.000045<")
    );
}

#[test]
fn exact_text_is_filled_to_as_many_places() {
    let text = exact("0.0103491", 9).to_string();
    assert!(text.contains(">.0103491<"));
    assert!(text.contains(r#"data-zeros="00""#));
    assert!(exact("3", 2).to_string().contains(r#"data-zeros=".00""#));
}

#[test]
fn shares_and_factors_are_short() {
    assert_eq!(share(9_987), "99.87%");
    assert_eq!(share(10_000), "100%");
    assert_eq!(share(-1_250), "−12.5%");
    assert_eq!(factor(1_250_000), "×1.25");
}

#[test]
fn spans_are_in_the_unit_people_use() {
    let text = |ms| span(ms, Lang::En);
    assert_eq!(text(842), "842 ms");
    assert_eq!(text(1_849), "1.84 s");
    assert_eq!(text(200_000), "3 min 20 s");
    assert_eq!(text(7_200_000), "2 h");
    assert_eq!(text(90_000_000), "1 d 1 h");
}

#[test]
fn moments_are_utc_and_never_out_of_range() {
    let text = |ms| rfc3339(Moment::from_unix_ms(ms));
    assert_eq!(text(0), "1970-01-01T00:00:00Z");
    assert_eq!(text(951_782_400_000), "2000-02-29T00:00:00Z");
    assert_eq!(text(1_795_246_496_789), "2026-11-21T07:34:56Z");
    assert_eq!(text(i64::MAX), "9999-12-31T23:59:59Z");
    assert_eq!(text(i64::MIN), "1970-01-01T00:00:00Z");
}

#[test]
fn labels_of_charts_are_hours_and_days_in_utc() {
    let at = Moment::from_unix_ms(1_795_246_496_789);
    assert_eq!(
        (hour(at), day(at)),
        ("07:00".to_owned(), "11-21".to_owned())
    );
}

#[test]
fn midnight_is_a_day() {
    let html = |ms| when(Moment::from_unix_ms(ms)).to_string();
    assert!(html(951_782_400_000).contains(">2000-02-29<"));
    assert!(html(951_782_401_000).contains(">2000-02-29 00:00:01 UTC<"));
}

#[test]
fn ages_name_one_unit() {
    let now = Moment::from_unix_ms(10_000_000_000);
    let at = |ms: i64| Moment::from_unix_ms(10_000_000_000 + ms);
    assert!(
        ago(at(-192_000), now, Lang::En)
            .to_string()
            .contains(">3 min ago<")
    );
    assert!(
        ago(at(5_000), now, Lang::Zh)
            .to_string()
            .contains(">5 秒后<")
    );
    assert!(ago(at(0), now, Lang::En).to_string().contains(">now<"));
}
