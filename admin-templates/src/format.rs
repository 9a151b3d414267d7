//! Numbers, money, lengths of time and moments as text. Whole numbers only, no floating point.
//! Knows no page.

use shared::calendar::CivilDate;
use shared::clock::Moment;
use shared::credits::Credits;

use crate::html::{Html, escape};
use crate::page::Lang;

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// An amount as plain text with its thousands apart: `-1,234.05`.
pub(crate) fn credits(amount: Credits) -> String {
    let exact = amount.to_string();
    let (sign, size) = match exact.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", exact.as_str()),
    };
    match size.split_once('.') {
        Some((whole, decimals)) => format!("{sign}{}.{decimals}", grouped(whole)),
        None => format!("{sign}{}", grouped(size)),
    }
}

/// How many places an amount lacks to its full six decimals and the point, which the style sheet
/// fills in columns, so that points stand below one another.
fn missing(decimals: Option<&str>) -> usize {
    decimals.map_or(7, |decimals| 6_usize.saturating_sub(decimals.len()))
}

/// An amount, its decimals lighter.
pub(crate) fn money(amount: Credits) -> Html {
    let text = credits(amount);
    if let Some((whole, decimals)) = text.split_once('.') {
        let pad = missing(Some(decimals));
        return Html::from_escaped(format!(
            r#"<span class="money pad-{pad}">{whole}<span class="decimals">.{decimals}</span></span>"#
        ));
    }
    // Nothing is told more quietly than something.
    let faint = if amount == Credits::ZERO {
        " faint"
    } else {
        ""
    };
    let pad = missing(None);
    Html::from_escaped(format!(
        r#"<span class="money{faint} pad-{pad}">{text}</span>"#
    ))
}

/// Exact decimal text with its decimals lighter. What it lacks to `places` the style sheet writes
/// in the background: it is not part of the text.
pub(crate) fn exact(text: &str, places: usize) -> Html {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let point = if decimals.is_empty() { "" } else { "." };
    let zeros = "0".repeat(places.saturating_sub(decimals.len()));
    let lacking = if decimals.is_empty() && !zeros.is_empty() {
        format!(".{zeros}")
    } else {
        zeros
    };
    Html::from_escaped(format!(
        r#"<span class="exact" data-zeros="{lacking}">{}<span class="decimals">{point}{}</span></span>"#,
        escape(whole),
        escape(decimals)
    ))
}

/// From one credit on, hundredths say enough where amounts are only compared.
const LARGE_MICROS: u64 = 1_000_000;

/// An amount where exactness would be noise: large ones to the hundredth, cut off, with the exact
/// amount in reach.
pub(crate) fn about(amount: Credits) -> Html {
    const HUNDREDTH_MICROS: i64 = 10_000;
    let micros = amount.micros();
    if micros.unsigned_abs() < LARGE_MICROS {
        let text = credits(amount);
        return Html::from_escaped(format!(r#"<span class="money">{text}</span>"#));
    }
    let cut = credits(Credits::from_micros(micros - micros % HUNDREDTH_MICROS));
    let (whole, decimals) = cut.split_once('.').unwrap_or((&cut, "00"));
    Html::from_escaped(format!(
        r#"<span class="money" title="{}">{whole}<span class="decimals">.{decimals:0<2}</span></span>"#,
        credits(amount)
    ))
}

/// An amount with its sign, coloured.
pub(crate) fn change(amount: Credits) -> Html {
    let text = credits(amount);
    let pad = missing(text.split_once('.').map(|(_, decimals)| decimals));
    if amount == Credits::ZERO {
        return Html::from_escaped(format!(r#"<span class="money faint pad-{pad}">0</span>"#));
    }
    let (class, sign) = if amount.is_negative() {
        ("less", "")
    } else {
        ("more", "+")
    };
    Html::from_escaped(format!(
        r#"<span class="money {class} pad-{pad}">{sign}{text}</span>"#
    ))
}

/// `scaled / 10` with one decimal unless it is zero or the number is long.
fn tenths(scaled: u64, unit: &str) -> String {
    let (whole, tenth) = (scaled / 10, scaled % 10);
    if tenth == 0 || whole >= 100 {
        format!("{}{unit}", grouped(&whole.to_string()))
    } else {
        format!("{whole}.{tenth}{unit}")
    }
}

/// A number in few letters.
pub(crate) fn short(number: u64, lang: Lang) -> String {
    let steps: &[(u64, &str)] = match lang {
        Lang::En => &[
            (1_000_000_000_000, "T"),
            (1_000_000_000, "B"),
            (1_000_000, "M"),
            (10_000, ""),
            (1_000, "k"),
        ],
        Lang::Zh => &[
            (1_000_000_000_000, "万亿"),
            (100_000_000, "亿"),
            (10_000, "万"),
        ],
    };
    for &(step, unit) in steps {
        if number >= step {
            // Ten thousand and more are counted in thousands in English.
            let (step, unit) = if unit.is_empty() {
                (1_000, "k")
            } else {
                (step, unit)
            };
            return tenths(number / (step / 10), unit);
        }
    }
    count(number)
}

/// Hundredths of a per cent: `9987` as `99.87%`.
pub(crate) fn share(basis_points: i64) -> String {
    let size = basis_points.unsigned_abs();
    let sign = if basis_points < 0 { "−" } else { "" };
    let (whole, rest) = (size / 100, size % 100);
    if rest == 0 {
        format!("{sign}{}%", count(whole))
    } else if rest.is_multiple_of(10) {
        format!("{sign}{}.{}%", count(whole), rest / 10)
    } else {
        format!("{sign}{}.{rest:02}%", count(whole))
    }
}

/// Millionths as a factor: `1_250_000` as `×1.25`.
pub(crate) fn factor(millionths: i64) -> String {
    format!("×{}", credits(Credits::from_micros(millionths)))
}

/// A length of time.
pub(crate) fn span(milliseconds: u64, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let unit = |en: &'static str, cn: &'static str| if zh { cn } else { en };
    let seconds = milliseconds / 1_000;
    let pair = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{}{big_unit}", count(big))
        } else {
            format!("{}{big_unit} {small}{small_unit}", count(big))
        }
    };
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..=59 => {
            let hundredths = milliseconds / 10;
            format!("{}.{:02} s", hundredths / 100, hundredths % 100)
        }
        60..=3_599 => pair(
            seconds / 60,
            unit(" min", " 分"),
            seconds % 60,
            unit(" s", " 秒"),
        ),
        3_600..=86_399 => pair(
            seconds / 3_600,
            unit(" h", " 小时"),
            seconds % 3_600 / 60,
            unit(" min", " 分"),
        ),
        _ => pair(
            seconds / 86_400,
            unit(" d", " 天"),
            seconds % 86_400 / 3_600,
            unit(" h", " 小时"),
        ),
    }
}

struct Parts {
    day: String,
    time: String,
}

/// `9999-12-31` is as far as `<time>` reaches; later moments are shown as it.
const LAST_SECOND: i64 = 253_402_300_799;

fn parts(moment: Moment) -> Parts {
    let seconds = moment.unix_seconds().clamp(0, LAST_SECOND);
    let CivilDate { year, month, day } =
        CivilDate::of(Moment::from_unix_ms(seconds.saturating_mul(1_000)));
    let second = seconds.rem_euclid(86_400);
    Parts {
        day: format!("{year:04}-{month:02}-{day:02}"),
        time: format!(
            "{:02}:{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60
        ),
    }
}

/// A moment as RFC 3339 in UTC.
pub(crate) fn rfc3339(moment: Moment) -> String {
    let Parts { day, time } = parts(moment);
    format!("{day}T{time}Z")
}

/// A moment as people write it, in UTC.
pub(crate) fn moment(moment: Moment) -> String {
    let Parts { day, time } = parts(moment);
    format!("{day} {time} UTC")
}

/// The hour of a moment, in UTC: `14:00`.
pub(crate) fn hour(at: Moment) -> String {
    let hour = at.unix_seconds().rem_euclid(86_400) / 3_600;
    format!("{hour:02}:00")
}

/// The day of a moment without its year, in UTC: `11-21`.
pub(crate) fn day(at: Moment) -> String {
    let CivilDate { month, day, .. } = CivilDate::of(at);
    format!("{month:02}-{day:02}")
}

/// A moment that a script turns into the reader's time zone. Midnight in UTC means a day, as
/// expiries do, and stays one.
pub(crate) fn when(at: Moment) -> Html {
    let full = rfc3339(at);
    Html::from_escaped(match full.strip_suffix("T00:00:00Z") {
        Some(day) => format!(r#"<time datetime="{full}" data-day>{day}</time>"#),
        None => format!(r#"<time datetime="{full}">{}</time>"#, moment(at)),
    })
}

/// How long before `now`, or how long until.
pub(crate) fn ago(at: Moment, now: Moment, lang: Lang) -> Html {
    let (past, length) = if at > now {
        (false, at.since(now))
    } else {
        (true, now.since(at))
    };
    let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    // Whole units only: "3 min", not "3 min 12 s".
    let coarse = match length / 1_000 {
        0..=59 => length / 1_000 * 1_000,
        60..=3_599 => length / 60_000 * 60_000,
        3_600..=86_399 => length / 3_600_000 * 3_600_000,
        _ => length / 86_400_000 * 86_400_000,
    };
    let words = match (lang, past, coarse) {
        (Lang::En, _, 0) => "now".to_owned(),
        (Lang::Zh, _, 0) => "刚刚".to_owned(),
        (Lang::En, true, _) => format!("{} ago", said(coarse, lang)),
        (Lang::En, false, _) => format!("in {}", said(coarse, lang)),
        (Lang::Zh, true, _) => format!("{}前", said(coarse, lang)),
        (Lang::Zh, false, _) => format!("{}后", said(coarse, lang)),
    };
    Html::from_escaped(format!(
        r#"<time datetime="{}" data-ago title="{}">{}</time>"#,
        rfc3339(at),
        moment(at),
        escape(&words)
    ))
}

/// Like `span`, without decimals of seconds that are zero.
pub(crate) fn whole(milliseconds: u64, lang: Lang) -> String {
    if (1_000..60_000).contains(&milliseconds) && milliseconds.is_multiple_of(1_000) {
        format!("{} s", milliseconds / 1_000)
    } else {
        span(milliseconds, lang)
    }
}

/// A length of one unit in words, as people say it: `5 秒`, not `5 s`, in Chinese.
fn said(milliseconds: u64, lang: Lang) -> String {
    let text = whole(milliseconds, lang);
    match (lang, text.strip_suffix(" s")) {
        (Lang::Zh, Some(seconds)) => format!("{seconds} 秒"),
        (Lang::En | Lang::Zh, _) => text,
    }
}

#[cfg(test)]
mod tests {

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
}
