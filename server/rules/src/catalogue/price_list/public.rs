//! The public list of model prices (`model_prices_and_context_window.json`): fields as
//! `input_cost_per_token_above_200k_tokens_priority`, dollars for one unit each. Its schema says that new
//! fields come often and that readers pass over those they don't know: these are told, not guessed.

use serde_json::value::RawValue;
use shared::link::Operation;
use shared::units::{Fact, Unit};

use super::decimal::Decimal;
use super::text::{Fields, number};
use super::{ListFault, ListedModel, ListedTraits, Offer, PriceSheet, Quote};
use crate::catalogue::facts::{Capability, ModelFacts};
use crate::catalogue::price::when::When;

/// Entries of the list that are no models.
const NO_MODELS: [&str; 2] = ["sample_spec", "fallback_generalizations"];
/// Words at the end of a field, and the tier that they mean here.
const TIERS: [(&str, &str); 3] = [
    ("_priority", "priority"),
    ("_flex", "flex"),
    ("_batches", "batch"),
];
/// What a search brings into the context, by the list's names.
const SEARCHES: [(&str, &str); 3] = [
    ("search_context_size_low", "low"),
    ("search_context_size_medium", "medium"),
    ("search_context_size_high", "high"),
];
/// Prices by the resolution of a video.
const RESOLUTIONS: [&str; 4] = ["480p", "720p", "1080p", "4k"];

/// What the list calls the operations that Waule has.
const MODES: [(&str, Operation); 7] = [
    ("chat", Operation::Chat),
    ("responses", Operation::Chat),
    ("completion", Operation::Completion),
    ("embedding", Operation::Embedding),
    ("image_generation", Operation::Image),
    ("moderation", Operation::Moderation),
    ("rerank", Operation::Rerank),
];
/// What it calls what models can.
const CAPABILITIES: [(&str, Capability); 11] = [
    ("supports_function_calling", Capability::Tools),
    ("supports_vision", Capability::Vision),
    ("supports_audio_input", Capability::AudioInput),
    ("supports_audio_output", Capability::AudioOutput),
    ("supports_video_input", Capability::VideoInput),
    ("supports_pdf_input", Capability::FileInput),
    ("supports_response_schema", Capability::StructuredOutput),
    ("supports_reasoning", Capability::Reasoning),
    ("supports_prompt_caching", Capability::PromptCaching),
    ("supports_web_search", Capability::WebSearch),
    ("supports_native_streaming", Capability::Streaming),
];

/// A field's unit, and to what power of ten one of the list's is more of ours; `None` where the model's
/// mode does not tell what is meant.
fn unit(field: &str, mode: &str) -> Option<(Unit, i32)> {
    let is_image = mode == "image_generation" || mode == "image_edit";
    Some(match field {
        "input_cost_per_token" => (Unit::InputToken, 0),
        "output_cost_per_token" => (Unit::OutputToken, 0),
        "cache_read_input_token_cost" | "input_cost_per_token_cache_hit" => {
            (Unit::CachedInputToken, 0)
        }
        "cache_creation_input_token_cost" => (Unit::CacheWriteToken, 0),
        "cache_creation_input_token_cost_above_1hr" => (Unit::CacheWriteLongToken, 0),
        "input_cost_per_audio_token" => (Unit::InputAudioToken, 0),
        "cache_read_input_audio_token_cost" => (Unit::CachedInputAudioToken, 0),
        "input_cost_per_image_token" => (Unit::InputImageToken, 0),
        "cache_read_input_image_token_cost" => (Unit::CachedInputImageToken, 0),
        "input_cost_per_video_token" => (Unit::InputVideoToken, 0),
        "output_cost_per_reasoning_token" => (Unit::ReasoningToken, 0),
        "output_cost_per_audio_token" => (Unit::OutputAudioToken, 0),
        "output_cost_per_image_token" => (Unit::OutputImageToken, 0),
        "output_cost_per_image" => (Unit::Image, 0),
        "input_cost_per_image" if is_image => (Unit::Image, 0),
        // A thousand pixels are one of ours.
        "input_cost_per_pixel" | "output_cost_per_pixel" if is_image => (Unit::Kilopixel, 3),
        "output_cost_per_video_per_second" => (Unit::VideoMs, -3),
        "output_cost_per_second" => match mode {
            "video_generation" => (Unit::VideoMs, -3),
            "audio_speech" => (Unit::AudioMs, -3),
            "audio_transcription" => (Unit::InputAudioMs, -3),
            // Machines by the hour.
            _ => (Unit::ComputeMs, -3),
        },
        "input_cost_per_second" if mode == "audio_transcription" => (Unit::InputAudioMs, -3),
        "input_cost_per_audio_per_second" => (Unit::InputAudioMs, -3),
        "input_cost_per_character" if mode == "audio_speech" => (Unit::Character, 0),
        "input_cost_per_query" if mode == "rerank" || mode == "search" => (Unit::Search, 0),
        "input_cost_per_request" => (Unit::Request, 0),
        "ocr_cost_per_page" => (Unit::Page, 0),
        _ => return None,
    })
}

/// A field without its tier and its band, and what these say.
fn condition(field: &str) -> (String, When) {
    let (mut name, mut when) = (field.to_owned(), When::default());
    for (ending, tier) in TIERS {
        if let Some(at) = name.find(ending) {
            name.replace_range(at..at + ending.len(), "");
            when.facts.insert(Fact::Tier, vec![tier.to_owned()]);
        }
    }
    for resolution in RESOLUTIONS {
        if let Some(rest) = name.strip_suffix(&format!("_{resolution}")) {
            name = rest.to_owned();
            let words = vec![resolution.to_owned()];
            when.facts.insert(Fact::Resolution, words);
        }
    }
    // The last one: an hour of the cache is `above` too.
    if let Some((before, band)) = name.rsplit_once("_above_") {
        let thousands = band.strip_suffix("k_tokens");
        let over = thousands.and_then(|digits| digits.parse::<u64>().ok()?.checked_mul(1_000));
        if over.is_some() {
            when.context_over = over;
            name = before.to_owned();
        }
    }
    (name, when)
}

/// Whether a field tells of money.
fn is_price(field: &str) -> bool {
    field.contains("cost") || field == "tiered_pricing" || field.contains("multiplier")
}

/// Reads one model into the sheet.
pub(super) fn model(sheet: &mut PriceSheet, name: &str, value: &RawValue) {
    if NO_MODELS.contains(&name) {
        return;
    }
    let Some(fields) = Fields::of(value) else {
        return sheet.problem(name, "", ListFault::NotAnObject);
    };
    if let Some((field, fault)) = fields.odd() {
        return sheet.problem(name, field, fault);
    }
    let mode = fields.text("mode").unwrap_or_default();
    let (mut quotes, mut unread, mut is_wrong) = (Vec::new(), Vec::new(), false);
    for (field, value) in fields.0.iter().filter(|(field, _)| is_price(field)) {
        let taken = if field == "search_context_cost_per_query" {
            searches(value).map(Some)
        } else {
            one(field, &mode, value)
        };
        match taken {
            Ok(Some(more)) => quotes.extend(more),
            Ok(None) => unread.push(field.to_string()),
            Err(ListFault::Null) => sheet.problem(name, field, ListFault::Null),
            Err(fault) => {
                is_wrong = true;
                sheet.problem(name, field, fault);
            }
        }
    }
    if is_wrong {
        return;
    }
    let quotes = in_order(quotes);
    if quotes.is_empty() {
        return sheet.problem(name, "", ListFault::NoPrice);
    }
    sheet.take(ListedModel {
        name: name.to_owned(),
        provider: fields.text("litellm_provider"),
        offer: Offer::Quotes(quotes),
        unread,
        traits: traits(&fields, &mode),
    });
}

/// What the list says beside prices. What can't be read is not known: nobody pays by it.
fn traits(fields: &Fields<'_>, mode: &str) -> ListedTraits {
    let count = |name: &str| {
        let number: Option<u64> = serde_json::from_str(fields.get(name)?.get()).ok();
        number.filter(|count| *count > 0)
    };
    let says = |name: &str| fields.get(name).is_some_and(|value| value.get() == "true");
    let can = CAPABILITIES.iter().filter(|(name, _)| says(name));
    ListedTraits {
        operation: MODES
            .iter()
            .find(|(name, _)| *name == mode)
            .map(|(_, operation)| *operation),
        max_output_tokens: count("max_output_tokens"),
        facts: ModelFacts {
            context_tokens: count("max_input_tokens"),
            capabilities: can.map(|(_, capability)| *capability).collect(),
            ..ModelFacts::default()
        },
    }
}

/// The quote of a field; `None` where Waule has no unit for it.
fn one(field: &str, mode: &str, value: &RawValue) -> Result<Option<Vec<Quote>>, ListFault> {
    let (name, when) = condition(field);
    let Some((unit, power)) = unit(&name, mode) else {
        return Ok(None);
    };
    let each = number(value)?.shifted(power);
    Ok(Some(vec![Quote { unit, when, each }]))
}

/// Searches by what they bring into the context; without a word on that, at the dearest.
fn searches(value: &RawValue) -> Result<Vec<Quote>, ListFault> {
    let fields = Fields::of(value).ok_or_else(|| match number(value) {
        Err(ListFault::Null) => ListFault::Null,
        Ok(_) | Err(_) => ListFault::NotAnObject,
    })?;
    let mut quotes = Vec::new();
    let mut dearest: Option<Decimal> = None;
    for (field, word) in SEARCHES {
        let Some(value) = fields.get(field) else {
            continue;
        };
        let each = number(value)?;
        if dearest.as_ref().is_none_or(|most| each.is_more_than(most)) {
            dearest = Some(each.clone());
        }
        let mut when = When::default();
        when.facts
            .insert(Fact::SearchContext, vec![word.to_owned()]);
        let unit = Unit::Search;
        quotes.push(Quote { unit, when, each });
    }
    let Some(each) = dearest else {
        return Ok(quotes);
    };
    if quotes.iter().all(|quote| quote.each == each) {
        quotes.clear();
    }
    quotes.push(Quote {
        unit: Unit::Search,
        when: When::default(),
        each,
    });
    Ok(quotes)
}

/// One quote for each unit and condition, the dearest where the list has two; what says more about a call
/// stands before what says less, since the first that fits applies.
pub(super) fn in_order(quotes: Vec<Quote>) -> Vec<Quote> {
    let mut kept: Vec<Quote> = Vec::new();
    for quote in quotes {
        let same = |other: &&mut Quote| other.unit == quote.unit && other.when == quote.when;
        match kept.iter_mut().find(same) {
            Some(other) if quote.each.is_more_than(&other.each) => other.each = quote.each,
            Some(_) => {}
            None => kept.push(quote),
        }
    }
    // A band before a tier: whose prices hold for both stands before either.
    let rank = |when: &When| {
        let facts = when.facts.len();
        let over = when.context_over.unwrap_or(0);
        let both = facts > 0 && over > 0;
        std::cmp::Reverse((both, over, facts))
    };
    kept.sort_by_key(|quote| (quote.unit, rank(&quote.when)));
    kept
}
