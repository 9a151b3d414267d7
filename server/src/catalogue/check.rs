//! What a model or a price must look like before it is stored. Pure; names the field and the rule.

use shared::link::Operation;

use super::CatalogueError;
use super::model::WeightedTarget;
use super::price::{IMAGE_PRICES_MAX, ITEM_MAX, PriceItems};

/// A model's name goes into paths, headers and logs.
pub(crate) const ID_BYTES_MAX: usize = 100;
/// More places to try would outlast a call's deadline.
const TARGETS_MAX: usize = 16;
/// The gateway's bound of a provider's name.
pub(crate) const PROVIDER_BYTES_MAX: usize = 40;
/// Vendors' longest names with a path are half of it.
pub(crate) const PROVIDER_MODEL_BYTES_MAX: usize = 200;
/// Shares finer than a thousandth are not seen in any traffic.
pub(crate) const WEIGHT_MAX: u32 = 1_000;
/// Ten steps of fallback.
pub(crate) const PRIORITY_MAX: u32 = 9;
/// Ten times the largest output of 2026.
pub(crate) const OUTPUT_TOKENS_MAX: u64 = 10_000_000;
/// `1024x1024`, `standard` and the like.
pub(crate) const IMAGE_WORD_BYTES_MAX: usize = 40;

type Checked = Result<(), CatalogueError>;

fn rule(holds: bool, field: &'static str, rule: impl Into<String>) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(CatalogueError::Invalid {
            field,
            rule: rule.into(),
        })
    }
}

fn is_text(text: &str, bytes_max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(allowed)
}

/// A model's public name.
pub(super) fn id(id: &str) -> Checked {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    rule(
        is_text(id, ID_BYTES_MAX, allowed),
        "id",
        format!("1 to {ID_BYTES_MAX} of A-Z a-z 0-9 . _ : / -"),
    )
}

/// Where a model runs.
pub(super) fn targets(targets: &[WeightedTarget]) -> Checked {
    let count = (1..=TARGETS_MAX).contains(&targets.len());
    rule(count, "targets", format!("1 to {TARGETS_MAX} targets"))?;
    for target in targets {
        let provider = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let bytes = PROVIDER_BYTES_MAX;
        let holds = is_text(&target.provider, bytes, provider);
        rule(
            holds,
            "targets.provider",
            format!("1 to {bytes} of a-z 0-9 -"),
        )?;
        let bytes = PROVIDER_MODEL_BYTES_MAX;
        let holds = is_text(&target.model, bytes, |b| b.is_ascii_graphic());
        rule(
            holds,
            "targets.model",
            format!("1 to {bytes} visible ASCII characters"),
        )?;
        let holds = (1..=WEIGHT_MAX).contains(&target.weight);
        rule(
            holds,
            "targets.weight",
            format!("a number from 1 to {WEIGHT_MAX}"),
        )?;
        let holds = target.priority <= PRIORITY_MAX;
        rule(
            holds,
            "targets.priority",
            format!("a number from 0 to {PRIORITY_MAX}"),
        )?;
        let holds = |name: &str| is_text(name, PROVIDER_BYTES_MAX, provider);
        rule(
            target.gateway.as_deref().is_none_or(holds),
            "targets.gateway",
            format!("a gateway's name or region: 1 to {PROVIDER_BYTES_MAX} of a-z 0-9 -"),
        )?;
    }
    Ok(())
}

/// How much a call can bring.
pub(super) fn max_output_tokens(operation: Operation, tokens: u64) -> Checked {
    // A chat that may answer nothing could neither be held for nor be lowered.
    let least = u64::from(operation == Operation::Chat);
    let holds = (least..=OUTPUT_TOKENS_MAX).contains(&tokens);
    rule(
        holds,
        "max_output_tokens",
        format!("a number from {least} to {OUTPUT_TOKENS_MAX}"),
    )
}

/// Whether calls may leave the model's name out: OpenAI's clients do so for images alone.
pub(super) fn is_default(operation: Operation, is_default: bool) -> Checked {
    let holds = !is_default || operation == Operation::Image;
    rule(
        holds,
        "is_default",
        "false for a model that makes no images",
    )
}

/// A price or a cost.
pub(super) fn items(items: &PriceItems) -> Checked {
    let count = items.per_image.len() <= IMAGE_PRICES_MAX;
    rule(
        count,
        "per_image",
        format!("at most {IMAGE_PRICES_MAX} rows"),
    )?;
    for (index, row) in items.per_image.iter().enumerate() {
        for word in [&row.size, &row.quality].into_iter().flatten() {
            let holds = is_text(word, IMAGE_WORD_BYTES_MAX, |b| b.is_ascii_graphic());
            rule(
                holds,
                "per_image",
                format!("size and quality of 1 to {IMAGE_WORD_BYTES_MAX} visible ASCII characters"),
            )?;
        }
        let same = |other: &super::price::ImagePrice| {
            other.size == row.size && other.quality == row.quality
        };
        let twice = items
            .per_image
            .iter()
            .skip(index.saturating_add(1))
            .any(same);
        rule(!twice, "per_image", "one row for each size and quality")?;
    }
    rule(
        items.is_sound(),
        "price",
        format!("amounts from 0 to {ITEM_MAX} credits"),
    )
}

#[cfg(test)]
mod tests {
    use shared::credits::Credits;

    use super::*;
    use crate::catalogue::price::ImagePrice;

    #[test]
    fn names_of_models_are_short_and_plain() {
        for good in ["gpt-4o", "meta/llama-3:70b", "A_1.b", "x"] {
            assert!(id(good).is_ok(), "{good}");
        }
        let long = "x".repeat(101);
        for bad in ["", "a b", "é", "a\n", "<script>", long.as_str()] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn targets_are_bounded_in_every_part() {
        let good = WeightedTarget {
            provider: "openai-main".into(),
            model: "gpt".into(),
            weight: 1,
            priority: 0,
            gateway: Some("us-1".into()),
        };
        let with = |change: fn(&mut WeightedTarget)| {
            let mut target = good.clone();
            change(&mut target);
            targets(&[target])
        };
        assert!(targets(std::slice::from_ref(&good)).is_ok());
        assert!(targets(&[]).is_err());
        assert!(targets(&vec![good.clone(); 17]).is_err());
        assert!(with(|target| target.weight = 0).is_err());
        assert!(with(|target| target.gateway = Some("US 1".into())).is_err());
        assert!(with(|target| target.weight = 1_001).is_err());
        assert!(with(|target| target.priority = 10).is_err());
        assert!(with(|target| target.provider = "Open AI".into()).is_err());
        assert!(with(|target| target.model = String::new()).is_err());
        assert!(max_output_tokens(Operation::Chat, 10_000_001).is_err());
        assert!(max_output_tokens(Operation::Chat, 0).is_err());
        assert!(max_output_tokens(Operation::Image, 0).is_ok());
        assert!(is_default(Operation::Chat, true).is_err());
        assert!(is_default(Operation::Chat, false).is_ok());
        assert!(is_default(Operation::Image, true).is_ok());
    }

    #[test]
    fn prices_are_neither_negative_nor_doubled() {
        let row = ImagePrice {
            size: Some("1x1".into()),
            quality: None,
            credits: Credits::ZERO,
        };
        let twice = PriceItems {
            per_image: vec![row.clone(), row],
            ..PriceItems::default()
        };
        assert!(items(&twice).is_err());
        let negative = PriceItems {
            per_request: Credits::from_micros(-1),
            ..PriceItems::default()
        };
        assert!(items(&negative).is_err());
        assert!(items(&PriceItems::default()).is_ok());
    }
}
