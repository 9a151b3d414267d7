//! Prices as vendors bill in 2026, reckoned to the micro-credit; and what holds for any price.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the properties restate the sums plainly"
)]

use proptest::prelude::*;
use shared::calendar::CivilDate;
use shared::units::Facts;
use shared::zone::Zone;

use super::super::list::{Currency, RATE_MAX};
use super::super::when::{Hours, Minute};
use super::*;

mod properties;

const PLAIN: i64 = 1_000_000;

/// A text model with cache classes of two lives, tiers, and a band of long contexts.
const TEXT: &str = r#"{"rates":[
    {"unit":"input_token","per":1000000,"credits":1.25,"cost":1,"when":{"tier":["batch","flex"],"context_over":200000}},
    {"unit":"input_token","per":1000000,"credits":0.625,"cost":0.5,"when":{"tier":["batch","flex"]}},
    {"unit":"input_token","per":1000000,"credits":2.5,"cost":2,"when":{"tier":"priority"}},
    {"unit":"input_token","per":1000000,"credits":2.5,"when":{"context_over":200000}},
    {"unit":"input_token","per":1000000,"credits":1.25,"cost":1},
    {"unit":"cached_input_token","per":1000000,"credits":0.25,"when":{"context_over":200000}},
    {"unit":"cached_input_token","per":1000000,"credits":0.125,"cost":0.1},
    {"unit":"cache_write_token","per":1000000,"credits":1.5625,"cost":1.25},
    {"unit":"cache_write_long_token","per":1000000,"credits":2.5,"cost":2},
    {"unit":"output_token","per":1000000,"credits":5,"when":{"tier":["batch","flex"]}},
    {"unit":"output_token","per":1000000,"credits":20,"when":{"tier":"priority"}},
    {"unit":"output_token","per":1000000,"credits":15,"when":{"context_over":200000}},
    {"unit":"output_token","per":1000000,"credits":10,"cost":8}]}"#;
/// Sound and pictures in and out, each class with its price.
const OMNI: &str = r#"{"rates":[
    {"unit":"input_token","per":1000000,"credits":4},
    {"unit":"cached_input_token","per":1000000,"credits":0.4},
    {"unit":"input_audio_token","per":1000000,"credits":32},
    {"unit":"cached_input_audio_token","per":1000000,"credits":0.4},
    {"unit":"input_image_token","per":1000000,"credits":5},
    {"unit":"output_token","per":1000000,"credits":16},
    {"unit":"output_audio_token","per":1000000,"credits":64},
    {"unit":"output_image_token","per":1000000,"credits":40},
    {"unit":"tool_call","per":1000,"credits":10}]}"#;
/// Cheaper at night, by the clocks of Beijing; and by those of New York, which are put forward.
const NIGHT: &str = r#"{"rates":[
    {"unit":"input_token","per":1000000,"credits":0.5,"when":{"hours":{"zone":"Asia/Shanghai","from":"00:30","to":"08:30"}}},
    {"unit":"input_token","per":1000000,"credits":2},
    {"unit":"output_token","per":1000000,"credits":1,"when":{"hours":{"zone":"America/New_York","days":["sat"],"from":"22:00","to":"03:00"}}},
    {"unit":"output_token","per":1000000,"credits":8}]}"#;
/// Images by size and quality, and what none of them fits.
const IMAGES: &str = r#"{"rates":[
    {"unit":"image","credits":0.167,"when":{"size":"1024x1024","quality":"high"}},
    {"unit":"image","credits":0.25,"when":{"size":["1024x1536","1536x1024"],"quality":"high"}},
    {"unit":"image","credits":0.042,"when":{"quality":["medium","auto"]}},
    {"unit":"image","credits":0.011,"when":{"quality":"low"}},
    {"unit":"image","credits":0.25},
    {"unit":"input_token","per":1000000,"credits":5},
    {"unit":"output_token","per":1000000,"credits":0}],"minimum":0.02}"#;
/// Pictures by their area, and time of machines.
const AREA: &str = r#"{"rates":[
    {"unit":"kilopixel","per":1000,"credits":0.03,"step":1000},
    {"unit":"compute_ms","per":1000,"credits":0.001400}]}"#;
/// Video by the second, resolution and sound.
const VIDEO: &str = r#"{"rates":[
    {"unit":"video_ms","per":1000,"credits":0.6,"when":{"resolution":"4k","audio":"on"}},
    {"unit":"video_ms","per":1000,"credits":0.4,"when":{"resolution":["720p","1080p"],"audio":"on"}},
    {"unit":"video_ms","per":1000,"credits":0.2,"when":{"audio":"off"},"step":1000},
    {"unit":"video_ms","per":1000,"credits":0.5}],"minimum":0.8}"#;
/// Sound: read by begun minutes, made by the minute, spoken by characters.
const SOUND: &str = r#"{"rates":[
    {"unit":"input_audio_ms","per":60000,"credits":0.006,"step":60000,"when":{"mode":"begun_minutes"}},
    {"unit":"input_audio_ms","per":3600000,"credits":0.111,"when":{"mode":"by_hour"}},
    {"unit":"input_audio_ms","per":60000,"credits":0.006},
    {"unit":"audio_ms","per":60000,"credits":0.015},
    {"unit":"character","per":1000000,"credits":15,"when":{"mode":"plain"}},
    {"unit":"character","per":1000,"credits":0.1}]}"#;
/// Searches and pages.
const SEARCH: &str = r#"{"rates":[
    {"unit":"request","credits":0.001},
    {"unit":"search","per":1000,"credits":2},
    {"unit":"page","per":1000,"credits":1},
    {"unit":"tool_call","per":1000,"credits":10,"when":{"search_context":"high"}},
    {"unit":"tool_call","per":1000,"credits":5},
    {"unit":"input_token","per":1000000,"credits":0},
    {"unit":"output_token","per":1000000,"credits":0}]}"#;
/// All that falls back.
const BARE: &str = r#"{"rates":[
    {"unit":"input_token","per":1000000,"credits":3},{"unit":"output_token","per":1000000,"credits":15}]}"#;
const FREE: &str =
    r#"{"rates":[{"unit":"input_token","credits":0},{"unit":"output_token","credits":0}]}"#;
/// The smallest prices.
const TINY: &str = r#"{"rates":[
    {"unit":"input_token","per":1000000,"credits":0.000001},{"unit":"output_token","per":1000000,"credits":0.000001}]}"#;

const DAY: &str = "2026-11-27T12:00:00Z";

/// What is billed, a case a line.
const CASES: &str = include_str!("tests/cases.txt");

fn list_of(name: &str) -> Tariff {
    list(match name {
        "text" => TEXT,
        "omni" => OMNI,
        "night" => NIGHT,
        "images" => IMAGES,
        "area" => AREA,
        "video" => VIDEO,
        "sound" => SOUND,
        "search" => SEARCH,
        "bare" => BARE,
        "free" => FREE,
        "tiny" => TINY,
        other => panic!("there is no list `{other}`"),
    })
}

fn list(json: &str) -> Tariff {
    let list: PriceList = serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"));
    Tariff::new(list).unwrap_or_else(|| panic!("unsound: {json}"))
}

/// Reads `2026-11-27T12:00:00Z`.
fn at(text: &str) -> Moment {
    let number = |from: usize, to: usize| -> i64 { text[from..to].parse().expect(text) };
    let day = CivilDate {
        year: i32::try_from(number(0, 4)).expect(text),
        month: u8::try_from(number(5, 7)).expect(text),
        day: u8::try_from(number(8, 10)).expect(text),
    };
    let second = number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19);
    let midnight = day.start().expect(text);
    Moment::from_unix_ms(midnight.unix_ms() + second * 1_000)
}

fn usage(measures: &str, facts: &str) -> Usage {
    let measures = measures
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (unit, count) = part.split_once(' ').expect(part);
            (unit.parse().expect(part), count.parse().expect(part))
        });
    let mut usage = Usage::of(measures);
    for fact in facts.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = fact.split_once('=').expect(fact);
        let known = Fact::ALL.into_iter().find(|known| known.word() == name);
        usage.facts.note(known.expect(name), value);
    }
    usage
}

#[test]
fn the_cases_of_the_world_come_to_the_micro_credit() {
    let mut cases = 0;
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[name, list, measures, facts, moment, ppm, expected] = parts.as_slice() else {
            panic!("{line}");
        };
        let (list, usage) = (list_of(list), usage(measures, facts));
        let at = at(if moment.is_empty() { DAY } else { moment });
        let ppm = if ppm.is_empty() {
            PLAIN
        } else {
            ppm.parse().expect(name)
        };
        let expected: Credits = expected.parse().expect(name);
        assert_eq!(list.charge(&usage, at, ppm), Some(expected), "{name}");
        let bill = list.bill(&usage, at, ppm).expect(name);
        assert_eq!((bill.total, bill.unpriced.len()), (expected, 0), "{name}");
        cases += 1;
    }
    assert!(cases >= 70, "{cases}");
}

#[test]
fn a_unit_without_a_rate_is_charged_at_the_dearest_of_its_family_and_told() {
    let images = list(
        r#"{"rates":[
        {"unit":"image","credits":1,"when":{"quality":"low"}},{"unit":"image","credits":4,"when":{"quality":"high"}}]}"#,
    );
    let made = usage("image 2", "quality=odd");
    let bill = images.bill(&made, at(DAY), PLAIN).expect("a bill");
    assert_eq!(bill.total.to_string(), "8");
    assert_eq!(bill.unpriced, [(Unit::Image, 2)]);
    assert_eq!(images.charge(&made, at(DAY), PLAIN), Some(bill.total));
    // Of a family without any price nothing can be made, but it is told.
    let searched = images
        .bill(&usage("search 2", ""), at(DAY), PLAIN)
        .expect("a bill");
    assert_eq!(
        (searched.total, searched.unpriced),
        (Credits::ZERO, vec![(Unit::Search, 2)])
    );
    assert_eq!(
        images.uncovered([Unit::Image, Unit::Search]),
        [Unit::Image, Unit::Search]
    );
    let text = list(TEXT);
    assert!(
        text.uncovered([Unit::CacheWriteLongToken, Unit::OutputAudioToken])
            .is_empty()
    );
}

#[test]
fn what_the_provider_takes_is_known_or_unknown_and_never_nothing() {
    let text = list(TEXT);
    let short = usage("input_token 1000,output_token 500", "");
    assert_eq!(
        text.cost(&short, at(DAY)).map(|cost| cost.to_string()),
        Some("0.005".to_owned())
    );
    let long = usage("input_token 200001,output_token 500", "");
    assert_eq!(text.cost(&long, at(DAY)), None);
    let mut abroad = PriceList::clone(&text);
    abroad.currency = Some(Currency {
        code: "USD".to_owned(),
        credits: "7.1234".parse().expect("credits"),
        as_of: "2026-11-27".to_owned(),
    });
    let abroad = Tariff::new(abroad).expect("sound");
    let cost = abroad.cost_bill(&short, at(DAY)).expect("a bill");
    assert_eq!(cost.total.to_string(), "0.035617");
    assert_eq!(abroad.cost(&short, at(DAY)), Some(cost.total));
}

#[test]
fn a_bill_reads_as_one_would_reckon_by_hand() {
    let list = list(
        r#"{"rates":[{"unit":"request","credits":0.0001},
        {"unit":"input_token","per":1000000,"credits":2.5},{"unit":"cached_input_token","per":1000000,"credits":1.25},
        {"unit":"output_token","per":1000000,"credits":10.000001},{"unit":"input_audio_ms","per":60000,"credits":0.001}],
        "minimum":0.01}"#,
    );
    let usage = usage(
        "input_token 1000,cached_input_token 500,output_token 7,input_audio_ms 1000",
        "",
    );
    let bill = list.bill(&usage, at(DAY), 1_100_000).expect("a bill");
    let shown = |line: &Line| {
        format!(
            "{} {} x {} / {} = {}",
            line.unit, line.count, line.price, line.per, line.amount
        )
    };
    let lines: Vec<String> = bill.lines.iter().map(shown).collect();
    let expected = [
        "request 1 x 0.0001 / 1 = 0.0001",
        "input_token 1000 x 2.5 / 1000000 = 0.0025",
        "cached_input_token 500 x 1.25 / 1000000 = 0.000625",
        "output_token 7 x 10.000001 / 1000000 = 0.000070000007",
        "input_audio_ms 1000 x 0.001 / 60000 = 0.000016666666666667",
    ];
    assert_eq!(lines, expected);
    let steps =
        [bill.subtotal, bill.raised, bill.multiplied, bill.rounded].map(|step| step.to_string());
    assert_eq!(
        steps,
        ["0.003311666673666667", "0.006688333326333333", "0.001", "0"]
    );
    assert_eq!(bill.total.to_string(), "0.011");
}

#[test]
fn the_worst_case_knows_what_is_known_and_no_more() {
    let text = list(TEXT);
    let worst = |measures: &str, facts: &str, open: &[Fact]| {
        let bounds = usage(measures, facts);
        let case = WorstCase {
            bounds: &bounds,
            open,
            at: at(DAY),
        };
        text.worst_case(case, PLAIN).expect("it fits").to_string()
    };
    // A cache write of an hour is the dearest input.
    assert_eq!(
        worst("input_token 1000,output_token 1000", "", &[]),
        "0.0125"
    );
    assert_eq!(
        worst("input_token 1000,output_token 1000", "", &[Fact::Tier]),
        "0.0225"
    );
    assert_eq!(
        worst("input_token 200001,output_token 1000", "", &[]),
        "0.515003"
    );
    let night = list(NIGHT);
    let bounds = usage("input_token 1000000", "");
    let case = |moment| WorstCase {
        bounds: &bounds,
        open: &[],
        at: at(moment),
    };
    assert_eq!(
        night.worst_case(case(DAY), PLAIN).map(|c| c.to_string()),
        Some("2".to_owned())
    );
    let by_night = night.worst_case(case("2026-11-26T17:00:00Z"), PLAIN);
    assert_eq!(by_night.map(|c| c.to_string()), Some("0.5".to_owned()));
}

#[test]
fn lists_are_refused_that_could_not_be_reckoned_with() {
    for wrong in [
        r#"{"rates":[{"unit":"parsec","credits":1}]}"#,
        r#"{"rates":[{"unit":"input_token","credits":1,"colour":"red"}]}"#,
        r#"{"rates":[{"unit":"input_token"}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"when":{"colour":"red"}}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"when":{"hours":{"zone":"Mars/Dome","from":"00:00","to":"01:00"}}}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"when":{"hours":{"zone":"UTC","from":"0:00","to":"25:00"}}}]}"#,
        r#"{"input_per_million":1}"#,
    ] {
        assert!(serde_json::from_str::<PriceList>(wrong).is_err(), "{wrong}");
    }
    for unsound in [
        r#"{"rates":[{"unit":"image","credits":-1}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"cost":-1}]}"#,
        r#"{"rates":[{"unit":"image","credits":1000000001}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"per":0}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"per":7}]}"#,
        r#"{"rates":[{"unit":"image","credits":1,"step":0}]}"#,
        r#"{"rates":[{"unit":"input_token","credits":1,"step":1000}]}"#,
        r#"{"rates":[],"minimum":-1}"#,
    ] {
        let list: PriceList = serde_json::from_str(unsound).expect(unsound);
        assert_eq!(Tariff::new(list), None, "{unsound}");
    }
}

#[test]
fn hours_are_those_of_the_zones_clocks() {
    let hours = |from: &str, to: &str| Hours {
        zone: Zone::utc(),
        days: Vec::new(),
        from: Minute::parse(from).expect(from),
        to: Minute::parse(to).expect(to),
    };
    assert!(hours("00:00", "24:00").include(at(DAY)));
    assert!(hours("23:00", "12:01").include(at(DAY)));
    assert!(!hours("23:00", "12:00").include(at(DAY)));
    for wrong in ["7:05", "24:01", "12:60", "aa:bb", "1205", "-1:00"] {
        assert_eq!(Minute::parse(wrong), None, "{wrong}");
    }
}
