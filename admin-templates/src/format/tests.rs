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
    for (micros, text) in [
        (45, ">0.000045<"),
        (123_456, ">0.123<"),
        (12_345, ">0.0123<"),
        (-1_239, ">−0.00123<"),
        (500_000, ">0.5<"),
        (0, ">0<"),
    ] {
        let html = about(Credits::from_micros(micros)).to_string();
        assert!(html.contains(text), "{micros}: {html}");
    }
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
fn moments_have_one_shape_and_are_those_of_the_zone() {
    let shanghai = Zone::named("Asia/Shanghai").expect("a zone");
    let html = |ms, zone: &Zone| when(Moment::from_unix_ms(ms), zone).to_string();
    let midnight = html(951_782_400_000, &Zone::utc());
    assert!(midnight.contains(r#">2000-02-29 00:00<span class="seconds">:00</span>"#));
    let there = html(951_782_401_000, &shanghai);
    assert!(
        there.contains(r#"datetime="2000-02-29T00:00:01Z""#),
        "{there}"
    );
    assert!(
        there.contains(r#"title="2000-02-29 08:00:01 UTC+8""#),
        "{there}"
    );
    assert!(there.contains(r#">2000-02-29 08:00<span class="seconds">:01</span>"#));
    let last = day(
        Moment::from_unix_ms(951_782_400_000 + 16 * 3_600_000),
        &shanghai,
    );
    assert!(last.to_string().contains(">2000-03-01</time>"));
    html(i64::MAX, &shanghai);
    html(i64::MIN, &shanghai);
}

#[test]
fn ages_name_one_unit() {
    let now = Moment::from_unix_ms(10_000_000_000);
    let at = |ms: i64| Moment::from_unix_ms(10_000_000_000 + ms);
    assert!(
        ago(at(-192_000), now, (Lang::En, &Zone::utc()))
            .to_string()
            .contains(">3 min ago<")
    );
    assert!(
        ago(at(5_000), now, (Lang::Zh, &Zone::utc()))
            .to_string()
            .contains(">5 秒后<")
    );
    assert!(
        ago(at(0), now, (Lang::En, &Zone::utc()))
            .to_string()
            .contains(">now<")
    );
}
