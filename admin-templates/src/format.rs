//! Numbers, money, lengths of time and moments as text. Whole numbers only, no floating point.
//! Knows no page.

use shared::calendar::CivilDate;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::zone::{Wall, Zone};

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

/// What is cut off an amount that is only compared: hundredths say enough from one credit on, three digits
/// below it.
fn noise(micros: i64) -> i64 {
    match micros.unsigned_abs() {
        1_000_000.. => 10_000,
        100_000.. => 1_000,
        10_000.. => 100,
        1_000.. => 10,
        _ => 1,
    }
}

/// An amount where exactness would be noise: cut off, with the exact amount in reach.
pub(crate) fn about(amount: Credits) -> Html {
    let micros = amount.micros();
    let cut = credits(Credits::from_micros(micros - micros % noise(micros)));
    let exact = credits(amount);
    let (whole, decimals) = cut.split_once('.').unwrap_or((&cut, ""));
    if micros.unsigned_abs() >= 1_000_000 {
        return Html::from_escaped(format!(
            r#"<span class="money" title="{exact}">{whole}<span class="decimals">.{decimals:0<2}</span></span>"#
        ));
    }
    Html::from_escaped(format!(
        r#"<span class="money" title="{exact}">{cut}</span>"#
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

/// `9999-12-31` is as far as `<time>` reaches; later moments are shown as it.
const LAST_MS: i64 = 253_402_300_799_000;

/// What a zone's clocks show, to the second; moments before the epoch are shown as it.
fn wall(moment: Moment, zone: &Zone) -> Wall {
    zone.wall(Moment::from_unix_ms(moment.unix_ms().clamp(0, LAST_MS)))
}

fn date(wall: Wall) -> String {
    let CivilDate { year, month, day } = wall.date;
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment as RFC 3339 in UTC.
pub(crate) fn rfc3339(moment: Moment) -> String {
    let wall = wall(moment, &Zone::utc());
    let day = date(wall);
    format!(
        "{day}T{:02}:{:02}:{:02}Z",
        wall.hour, wall.minute, wall.second
    )
}

/// A moment to the second, as the clocks of a zone show it, and how far they are ahead of UTC.
fn moment(at: Moment, zone: &Zone) -> String {
    let wall = wall(at, zone);
    let (day, ahead) = (date(wall), wall.offset());
    format!(
        "{day} {:02}:{:02}:{:02} {ahead}",
        wall.hour, wall.minute, wall.second
    )
}

/// A moment as the clocks of a zone show it, in one shape whatever day it is of; tables leave the seconds
/// to the title.
pub(crate) fn when(at: Moment, zone: &Zone) -> Html {
    let shown = wall(at, zone);
    Html::from_escaped(format!(
        r#"<time datetime="{}" title="{}">{} {:02}:{:02}<span class="seconds">:{:02}</span></time>"#,
        rfc3339(at),
        moment(at, zone),
        date(shown),
        shown.hour,
        shown.minute,
        shown.second
    ))
}

/// The day that a moment lies in.
pub(crate) fn day(at: Moment, zone: &Zone) -> Html {
    Html::from_escaped(format!(
        r#"<time datetime="{}" title="{}">{}</time>"#,
        rfc3339(at),
        moment(at, zone),
        date(wall(at, zone))
    ))
}

/// How long before `now`, or how long until.
pub(crate) fn ago(at: Moment, now: Moment, (lang, zone): (Lang, &Zone)) -> Html {
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
        moment(at, zone),
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
mod tests;
