//! What lists say, and the rates that it becomes.

use super::super::draft::{Takes, draft};
use super::super::{ListShape, ListedModel, Offer, PriceSheet, read};
use super::{credits, plain_terms, terms};
use crate::catalogue::price::PriceList;

fn sheet(file: &str) -> PriceSheet {
    read(file, None).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn one(sheet: &PriceSheet) -> &ListedModel {
    match sheet.models.as_slice() {
        [model] => model,
        other => panic!("one model: {other:?} {:?}", sheet.problems),
    }
}

/// The lines `unit,per,credits,cost,when` of the price that an entry makes.
fn rates(entry: &str) -> String {
    let sheet = sheet(&format!("{{\"m\": {entry}}}"));
    assert_eq!(sheet.shape, ListShape::Public);
    let made = draft(&one(&sheet).offer, None, &plain_terms());
    assert_eq!(made.left_out, [], "{entry}");
    without_currency(&made.list)
}

fn without_currency(list: &PriceList) -> String {
    let text = list.to_text();
    let lines = text.lines().filter(|line| !line.starts_with("currency"));
    let short = |line: &str| line.trim_end_matches(",1").to_owned();
    lines.map(short).collect::<Vec<_>>().join("\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn entries_of_the_public_list_become_exact_rates() {
    for (entry, told) in [
        (
            r#"{"mode": "chat", "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6E-07}"#,
            "input_token,1000000,0.15,0.15,\noutput_token,1000000,0.6,0.6,",
        ),
        (
            r#"{"mode": "chat", "input_cost_per_token": 0.00000125, "output_cost_per_token": 0.00001,
                "cache_read_input_token_cost": 1.25e-07}"#,
            "input_token,1000000,1.25,1.25,\ncached_input_token,1000000,0.125,0.125,\noutput_token,1000000,10,10,",
        ),
        (
            r#"{"mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
                "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
                "cache_read_input_token_cost": 3e-07}"#,
            "input_token,1000000,3,3,\ncached_input_token,1000000,0.3,0.3,\ncache_write_token,1000000,3.75,3.75,\n\
             cache_write_long_token,1000000,6,6,\noutput_token,1000000,15,15,",
        ),
        (
            r#"{"mode": "chat", "input_cost_per_token": 3e-06, "input_cost_per_token_above_200k_tokens": 6e-06,
                "output_cost_per_token": 1.5e-05, "output_cost_per_token_above_200k_tokens": 2.25e-05}"#,
            "input_token,1000000,6,6,context_over=200000\ninput_token,1000000,3,3,\n\
             output_token,1000000,22.5,22.5,context_over=200000\noutput_token,1000000,15,15,",
        ),
        (
            r#"{"cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05}"#,
            "cache_write_long_token,1000000,12,12,context_over=200000",
        ),
        (
            r#"{"input_cost_per_token": 1e-06, "input_cost_per_token_above_128k_tokens": 2e-06,
                "input_cost_per_token_above_272k_tokens": 3e-06}"#,
            "input_token,1000000,3,3,context_over=272000\ninput_token,1000000,2,2,context_over=128000\n\
             input_token,1000000,1,1,",
        ),
        (
            r#"{"input_cost_per_token": 2e-06, "input_cost_per_token_flex": 1e-06,
                "input_cost_per_token_priority": 3.5e-06, "input_cost_per_token_batches": 1e-06}"#,
            "input_token,1000000,1,1,tier=flex\ninput_token,1000000,3.5,3.5,tier=priority\n\
             input_token,1000000,1,1,tier=batch\ninput_token,1000000,2,2,",
        ),
        (
            r#"{"input_cost_per_token": 2e-06, "input_cost_per_token_priority": 4e-06,
                "input_cost_per_token_above_200k_tokens": 5e-06,
                "input_cost_per_token_above_200k_tokens_priority": 9e-06}"#,
            "input_token,1000000,9,9,tier=priority; context_over=200000\ninput_token,1000000,5,5,context_over=200000\n\
             input_token,1000000,4,4,tier=priority\ninput_token,1000000,2,2,",
        ),
        (
            r#"{"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
                "input_cost_per_audio_token": 4e-05, "output_cost_per_audio_token": 8e-05}"#,
            "input_token,1000000,2.5,2.5,\ninput_audio_token,1000000,40,40,\noutput_token,1000000,10,10,\n\
             output_audio_token,1000000,80,80,",
        ),
        (
            r#"{"output_cost_per_reasoning_token": 3e-06, "output_cost_per_token": 8e-06}"#,
            "output_token,1000000,8,8,\nreasoning_token,1000000,3,3,",
        ),
        (
            r#"{"mode": "image_generation", "output_cost_per_image": 0.04}"#,
            "image,1,0.04,0.04,",
        ),
        (
            r#"{"mode": "image_generation", "input_cost_per_pixel": 1.9e-08, "output_cost_per_pixel": 0.0}"#,
            "kilopixel,1,0.000019,0.000019,",
        ),
        (
            r#"{"mode": "image_generation", "input_cost_per_pixel": 3.81469e-08}"#,
            "kilopixel,1000000,38.1469,38.1469,",
        ),
        (
            r#"{"mode": "chat", "input_cost_per_image_token": 5e-06, "output_cost_per_image_token": 3e-05}"#,
            "input_image_token,1000000,5,5,\noutput_image_token,1000000,30,30,",
        ),
        (
            r#"{"mode": "video_generation", "output_cost_per_second": 0.1, "output_cost_per_second_1080p": 0.3}"#,
            "video_ms,1000,0.3,0.3,resolution=1080p\nvideo_ms,1000,0.1,0.1,",
        ),
        (
            r#"{"mode": "video_generation", "output_cost_per_video_per_second": 0.35}"#,
            "video_ms,1000,0.35,0.35,",
        ),
        (
            r#"{"mode": "audio_transcription", "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0}"#,
            "input_audio_ms,1000,0.0001,0.0001,",
        ),
        (
            r#"{"mode": "audio_transcription", "input_cost_per_second": 7.1667e-05}"#,
            "input_audio_ms,3600000,0.258002,0.258002,",
        ),
        (
            r#"{"mode": "audio_speech", "input_cost_per_character": 1.5e-05}"#,
            "character,1000000,15,15,",
        ),
        (
            r#"{"mode": "rerank", "input_cost_per_query": 0.002}"#,
            "search,1,0.002,0.002,",
        ),
        (
            r#"{"mode": "chat", "search_context_cost_per_query": {"search_context_size_low": 0.03,
                "search_context_size_medium": 0.035, "search_context_size_high": 0.05}}"#,
            "search,1,0.03,0.03,search_context=low\nsearch,1,0.035,0.035,search_context=medium\n\
             search,1,0.05,0.05,search_context=high\nsearch,1,0.05,0.05,",
        ),
        (
            r#"{"search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 1e-2}}"#,
            "search,1,0.01,0.01,",
        ),
        (
            r#"{"mode": "ocr", "ocr_cost_per_page": 0.001}"#,
            "page,1,0.001,0.001,",
        ),
        (
            r#"{"mode": "chat", "output_cost_per_second": 0.0011}"#,
            "compute_ms,1000,0.0011,0.0011,",
        ),
        (
            r#"{"mode": "embedding", "input_cost_per_token": 2e-08, "output_cost_per_token": 0.0}"#,
            "input_token,1000000,0.02,0.02,\noutput_token,1000000,0,0,",
        ),
        // Two fields for one thing: the dearer counts.
        (
            r#"{"cache_read_input_token_cost": 1e-07, "input_cost_per_token_cache_hit": 2e-07}"#,
            "cached_input_token,1000000,0.2,0.2,",
        ),
    ] {
        assert_eq!(rates(entry), told, "{entry}");
    }
}

#[test]
fn prices_that_waule_has_no_unit_for_are_named_and_not_guessed() {
    let sheet = sheet(
        r#"{"sample_spec": {"input_cost_per_token": "text"}, "m": {"mode": "chat", "litellm_provider": "openai",
            "input_cost_per_token": 1e-06, "input_cost_per_image": 0.01, "max_tokens": 8192,
            "code_interpreter_cost_per_session": 0.03, "regional_endpoint_uplift_multiplier": 1.1,
            "input_cost_per_token_fast": 1e-05, "tiered_pricing": [{"range": [0, 1]}]}}"#,
    );
    let model = one(&sheet);
    assert_eq!(model.provider.as_deref(), Some("openai"));
    assert_eq!(
        model.unread,
        [
            "input_cost_per_image",
            "code_interpreter_cost_per_session",
            "regional_endpoint_uplift_multiplier",
            "input_cost_per_token_fast",
            "tiered_pricing"
        ]
    );
    assert_eq!(sheet.problems, []);
}

#[test]
fn ratios_become_exact_rates() {
    for (file, group, told) in [
        // 1 is 0.002 dollars for 1,000 tokens.
        (
            r#"{"model_ratio": {"m": 1}, "completion_ratio": {"m": 1}}"#,
            None,
            "input_token,1000000,2,2,\noutput_token,1000000,2,2,",
        ),
        (
            r#"{"success": true, "data": {"model_ratio": {"m": 1.25}, "completion_ratio": {"m": 8},
                "cache_ratio": {"m": 0.1}, "create_cache_ratio": {"m": 1.25}}}"#,
            None,
            "input_token,1000000,2.5,2.5,\ncached_input_token,1000000,0.25,0.25,\n\
             cache_write_token,1000000,3.125,3.125,\noutput_token,1000000,20,20,",
        ),
        (
            r#"{"model_ratio": {"m": 0.30000000000000004}}"#,
            None,
            // Six tenths and a bit: up to the next millionth.
            "input_token,1000000,0.600001,0.600001,",
        ),
        (
            r#"{"data": {"model_ratio": {"m": 7.5e-2}, "audio_ratio": {"m": 16}, "audio_completion_ratio": {"m": 2},
                "image_ratio": {"m": 3}}}"#,
            None,
            "input_token,1000000,0.15,0.15,\ninput_audio_token,1000000,2.4,2.4,\ninput_image_token,1000000,0.45,0.45,\n\
             output_audio_token,1000000,4.8,4.8,",
        ),
        (
            r#"{"model_price": {"m": 0.04}, "model_ratio": {"m": 1}}"#,
            None,
            "request,1,0.04,0.04,\ninput_token,1000000,0,0,\noutput_token,1000000,0,0,\nimage,1,0,0,",
        ),
        (
            r#"{"success": true, "group_ratio": {"default": 1, "vip": 0.8}, "data": [{"model_name": "m",
                "quota_type": 0, "model_ratio": 1.5, "model_price": 0, "completion_ratio": 5, "cache_ratio": null}]}"#,
            Some("vip"),
            "input_token,1000000,2.4,2.4,\noutput_token,1000000,12,12,",
        ),
        (
            r#"[{"model_name": "m", "quota_type": 1, "model_ratio": 0, "model_price": 0.1, "completion_ratio": 0}]"#,
            None,
            "request,1,0.1,0.1,\ninput_token,1000000,0,0,\noutput_token,1000000,0,0,\nimage,1,0,0,",
        ),
        (
            r#"{"data": {"model_price": {"m": 0.0000001}, "group_ratio": {"g": 0.5}}}"#,
            Some("g"),
            "request,1000,0.00005,0.00005,\ninput_token,1000000,0,0,\noutput_token,1000000,0,0,\nimage,1,0,0,",
        ),
    ] {
        let sheet = read(file, group).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(sheet.shape, ListShape::Ratios, "{file}");
        let made = draft(&one(&sheet).offer, None, &plain_terms());
        assert_eq!(without_currency(&made.list), told, "{file}");
    }
}

#[test]
fn own_exports_come_back_as_they_were() {
    let list = PriceList::from_text(
        "input_token,1000000,1,0.5,tier=flex; context_over=1000\ninput_token,1000000,2,,\noutput_token,1000,3,0.1,\n\
         audio_ms,60000,4,,,60000\nminimum,,0.005\ncurrency,,7.1,,USD 2026-11-27",
    )
    .expect("a price");
    let mut csv = "model,unit,per,credits,cost,when,step\r\n".to_owned();
    for row in list.rows() {
        csv.extend(["m,", &row.join(","), "\r\n"]);
    }
    let json = r#"{"prices": [{"model_id": "m", "rates": [
        {"unit": "input_token", "per": 1000000, "credits": 1, "cost": 0.5,
            "when": {"tier": ["flex"], "context_over": 1000}, "step": 1},
        {"unit": "input_token", "per": 1000000, "credits": 2},
        {"unit": "output_token", "per": 1000, "credits": "3", "cost": 0.1},
        {"unit": "audio_ms", "per": 60000, "credits": 4, "step": 60000}],
        "minimum": 0.005, "currency": {"code": "USD", "credits": 7.1, "as_of": "2026-11-27"}}]}"#;
    for file in [csv.as_str(), json] {
        let sheet = sheet(file);
        assert_eq!(sheet.shape, ListShape::Own);
        assert_eq!(one(&sheet).offer, Offer::Price(list.clone()), "{file}");
        let made = draft(&one(&sheet).offer, None, &terms(Takes::Cost, 1, "9"));
        assert_eq!(made.list, list, "terms are not for them");
    }
}

#[test]
fn a_margin_and_a_currency_make_the_price_of_the_cost() {
    let sheet =
        sheet(r#"{"m": {"input_cost_per_token": 3e-07, "output_cost_per_token": 1.1111111e-06}}"#);
    let made = draft(
        &one(&sheet).offer,
        None,
        &terms(Takes::CostAndPrice, 1_250_000, "7.1"),
    );
    assert_eq!(
        without_currency(&made.list),
        "input_token,1000000,2.6625,0.3,\noutput_token,1000000,9.861112,1.111112,"
    );
    assert_eq!(made.rounded, [shared::units::Unit::OutputToken]);
    let currency = made.list.currency.expect("the list's");
    assert_eq!(
        (currency.code.as_str(), currency.credits),
        ("USD", credits("7.1"))
    );
}

#[test]
fn what_the_list_does_not_tell_stays() {
    let old = PriceList::from_text(
        "request,1,0.5,0.25\ninput_token,1000000,4,1,tier=flex\ninput_token,1000000,8,2\noutput_token,1000,0.03,\n\
         minimum,,0.01\ncurrency,,2,,EUR 2026-01-01",
    )
    .expect("a price");
    let sheet = sheet(
        r#"{"m": {"input_cost_per_token": 3e-06, "cache_read_input_token_cost": 3e-07, "output_cost_per_token": 9e-06}}"#,
    );
    let offer = &one(&sheet).offer;
    for (takes, told) in [
        (
            Takes::CostAndPrice,
            "request,1,0.5,0.125,\ninput_token,1000000,12,3,\ncached_input_token,1000000,1.2,0.3,\n\
             output_token,1000000,36,9,\nminimum,,0.01\ncurrency,,4,,USD 2026-11-28",
        ),
        // Tenants go on to pay what they did, under every condition.
        (
            Takes::Cost,
            "request,1,0.5,0.125,\ninput_token,1000000,4,3,tier=flex\ninput_token,1000000,8,3,\n\
             cached_input_token,1000000,8,0.3,\noutput_token,1000,0.03,0.009,\nminimum,,0.01\n\
             currency,,4,,USD 2026-11-28",
        ),
        (
            Takes::Price,
            "request,1,0.5,0.25,\ninput_token,1000000,12,2,\ncached_input_token,1000000,1.2,2,\n\
             output_token,1000000,36,,\nminimum,,0.01\ncurrency,,2,,EUR 2026-01-01",
        ),
    ] {
        let made = draft(offer, Some(&old), &terms(takes, 1_000_000, "4"));
        let text = made.list.to_text();
        let lines: Vec<&str> = text
            .lines()
            .map(|line| line.trim_end_matches(",1"))
            .collect();
        assert_eq!(lines.join("\n"), told, "{takes:?}");
        assert_eq!(made.kept, [shared::units::Unit::Request], "{takes:?}");
        // What was imported once changes nothing the second time.
        let again = draft(offer, Some(&made.list), &terms(takes, 1_000_000, "4"));
        assert_eq!(again.list, made.list, "{takes:?}");
    }
    let first = draft(offer, None, &terms(Takes::Cost, 1_000_000, "4"));
    assert_eq!(first.list.rates, [], "there is no price that could stay");
    assert_eq!(first.left_out.len(), 3);
}

#[test]
fn steps_stay_and_what_stays_is_not_rounded_unseen() {
    let second = |each: &str, more: &str| {
        sheet(&format!(
            r#"{{"m": {{"mode": "video_generation", "output_cost_per_second": {each}{more}}}}}"#
        ))
    };
    for (each, more, old, takes, told, is_rounded) in [
        (
            "0.15",
            "",
            "video_ms,1000,0.2,0.1,,60000",
            Takes::CostAndPrice,
            "video_ms,1000,0.15,0.15,,60000",
            false,
        ),
        (
            "0.15",
            r#", "output_cost_per_second_1080p": 0.3"#,
            "video_ms,1000,0.2,0.1,,60000",
            Takes::Cost,
            "video_ms,1000,0.2,0.3,resolution=1080p,60000\nvideo_ms,1000,0.2,0.15,,60000",
            false,
        ),
        // The price stays as it is written, where the cost is exact for as many.
        (
            "0.1",
            "",
            "video_ms,3600000,0.001,0.001",
            Takes::Cost,
            "video_ms,3600000,0.001,360,,1",
            false,
        ),
        // Where it is not, the amount that was rounded is told, whichever it was.
        (
            "7.8125e-06",
            "",
            "video_ms,1000000,0.000001",
            Takes::Cost,
            "video_ms,3600000,0.000004,0.028125,,1",
            true,
        ),
        (
            "7.8125e-06",
            "",
            "video_ms,1000000,0.5,0.000001",
            Takes::Price,
            "video_ms,3600000,0.028125,0.000004,,1",
            true,
        ),
        (
            "1e-04",
            "",
            "video_ms,1,0.001",
            Takes::Cost,
            "video_ms,1000,1,0.0001,,1",
            false,
        ),
    ] {
        let old = PriceList::from_text(old).expect(old);
        let sheet = second(each, more);
        let made = draft(
            &one(&sheet).offer,
            Some(&old),
            &terms(takes, 1_000_000, "1"),
        );
        let text = made.list.to_text();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("currency"))
            .collect();
        assert_eq!(lines.join("\n"), told, "{takes:?}");
        assert_eq!(!made.rounded.is_empty(), is_rounded, "{told}");
    }
}
