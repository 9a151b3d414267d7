//! What was consumed, as OpenAI's usage object: totals that hold their parts.

use super::super::out::JsonOut;
use crate::units::{Unit, Usage};

/// Writes the object.
pub(in super::super) fn write_usage(out: &mut Vec<u8>, usage: &Usage) {
    let sum = |units: &[Unit]| {
        let counts = units.iter().map(|unit| usage.count(*unit));
        counts.fold(0, u64::saturating_add)
    };
    let (input, output) = (usage.input_total(), usage.output_total());
    out.open(b'{').key("prompt_tokens").plain(input);
    out.key("completion_tokens").plain(output);
    out.key("total_tokens").plain(input.saturating_add(output));
    out.key("prompt_tokens_details").open(b'{');
    let cached = [
        Unit::CachedInputToken,
        Unit::CachedInputAudioToken,
        Unit::CachedInputImageToken,
    ];
    out.key("cached_tokens").plain(sum(&cached));
    out.key("audio_tokens")
        .plain(sum(&[Unit::InputAudioToken, Unit::CachedInputAudioToken]));
    let others = [
        (
            "cache_write_tokens",
            sum(&[Unit::CacheWriteToken, Unit::CacheWriteLongToken]),
        ),
        (
            "image_tokens",
            sum(&[Unit::InputImageToken, Unit::CachedInputImageToken]),
        ),
        ("video_tokens", sum(&[Unit::InputVideoToken])),
    ];
    for (name, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        out.key(name).plain(count);
    }
    out.close(b'}').key("completion_tokens_details").open(b'{');
    out.key("reasoning_tokens")
        .plain(usage.count(Unit::ReasoningToken));
    out.key("audio_tokens")
        .plain(usage.count(Unit::OutputAudioToken));
    let pictures = usage.count(Unit::OutputImageToken);
    if pictures > 0 {
        out.key("image_tokens").plain(pictures);
    }
    out.close(b'}').close(b'}');
}
