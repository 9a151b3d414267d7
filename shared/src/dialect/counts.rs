//! What providers count, in any of the shapes of those that speak OpenAI's dialect, merged over reports.
//! Reads and merges; what is believed of it is `believe`'s to say.

use crate::dialect::walk::{Walk, count};
use crate::link::Bounds;
use crate::units::{MEASURE_MAX, Unit, Usage};

/// Counts of one call as the provider told them. Totals hold their parts: `input` the cached and the
/// written tokens and those of sound and pictures, `output` the reasoning and likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) written: u64,
    /// Of the written ones, those that live for an hour or longer.
    pub(crate) written_long: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
    pub(crate) images: u64,
    input_of: Media,
    cached_of: Media,
    output_of: Media,
    /// All tokens, where only their sum is told.
    pub(crate) sum: u64,
}

/// Of a total, the tokens that are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Media {
    sound: u64,
    pictures: u64,
    film: u64,
}

/// Which total details belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Input,
    Cached,
    Output,
}

/// One report as it stands there; names that mean the same are one field, the largest wins.
#[derive(Debug, Default)]
struct Report {
    input: u64,
    /// The input's name is that of vendors who count the cache beside it.
    is_input_bare: bool,
    output: u64,
    total: u64,
    cached: u64,
    /// Under names that some use for a part of the input, others for tokens beside it.
    cached_apart: u64,
    missed: u64,
    written: u64,
    written_apart: u64,
    written_short: u64,
    written_long: u64,
    reasoning: u64,
    /// Under names of vendors who never count it as output.
    thoughts: u64,
    tools: u64,
    images: u64,
    input_of: Media,
    cached_of: Media,
    output_of: Media,
}

/// What a field of a report means.
enum Meaning {
    Input { bare: bool },
    Output,
    Total,
    Cached,
    CachedApart,
    Missed,
    Written,
    WrittenApart,
    WrittenShort,
    WrittenLong,
    Reasoning,
    Thoughts,
    Tools,
    Images,
    Parts(Part),
    Sound,
    Pictures,
    WrittenParts,
    Modalities(Part),
}

/// Anthropic's name of cache writes that live for an hour; the others live for minutes.
const LONG_LIVED: &[u8] = b"ephemeral_1h_input_tokens";

/// The names in use: OpenAI (chat, responses, images), DeepSeek, Moonshot, xAI, Groq, Anthropic's and
/// Google's compatible doors, Bedrock's, and proxies that mix them.
fn meaning(name: &[u8]) -> Option<Meaning> {
    use Meaning as M;
    Some(match name {
        b"prompt_tokens"
        | b"promptTokens"
        | b"promptTokenCount"
        | b"prompt_token_count"
        | b"total_input_tokens" => M::Input { bare: false },
        b"input_tokens" | b"inputTokens" | b"input_token_count" => M::Input { bare: true },
        b"completion_tokens"
        | b"completionTokens"
        | b"output_tokens"
        | b"outputTokens"
        | b"output_token_count"
        | b"candidatesTokenCount"
        | b"candidates_token_count"
        | b"responseTokenCount"
        | b"total_output_tokens" => M::Output,
        b"total_tokens" | b"totalTokens" | b"totalTokenCount" | b"total_token_count" => M::Total,
        b"cached_tokens"
        | b"prompt_cache_hit_tokens"
        | b"cachedContentTokenCount"
        | b"cached_content_token_count"
        | b"cached_input_tokens"
        | b"num_cached_tokens"
        | b"total_cached_tokens" => M::Cached,
        b"cache_read_input_tokens" | b"cacheReadInputTokens" | b"cache_read_tokens" => {
            M::CachedApart
        }
        b"prompt_cache_miss_tokens" => M::Missed,
        b"cache_write_tokens" | b"cached_write_tokens" => M::Written,
        b"cache_creation_input_tokens"
        | b"cacheWriteInputTokens"
        | b"cache_creation_tokens"
        | b"cache_write_input_tokens" => M::WrittenApart,
        b"ttl_30m_tokens" => M::WrittenShort,
        b"ttl_12h_tokens" => M::WrittenLong,
        b"reasoning_tokens" | b"reasoningTokens" | b"thinking_tokens" => M::Reasoning,
        b"thoughtsTokenCount" | b"thoughts_token_count" | b"total_thought_tokens" => M::Thoughts,
        b"toolUsePromptTokenCount" | b"tool_use_prompt_token_count" => M::Tools,
        b"generated_images" | b"image_count" => M::Images,
        b"prompt_tokens_details"
        | b"prompt_token_details"
        | b"input_tokens_details"
        | b"input_token_details"
        // Within those of the input.
        | b"cache_write_tokens_details" => M::Parts(Part::Input),
        b"completion_tokens_details"
        | b"completion_token_details"
        | b"output_tokens_details"
        | b"output_token_details" => M::Parts(Part::Output),
        b"cached_tokens_details" => M::Parts(Part::Cached),
        b"audio_tokens" => M::Sound,
        b"image_tokens" => M::Pictures,
        b"cache_creation" => M::WrittenParts,
        b"promptTokensDetails"
        | b"toolUsePromptTokensDetails"
        | b"tool_use_prompt_tokens_details" => M::Modalities(Part::Input),
        b"candidatesTokensDetails" | b"candidates_tokens_details" | b"responseTokensDetails" => {
            M::Modalities(Part::Output)
        }
        b"cacheTokensDetails" | b"cache_tokens_details" => M::Modalities(Part::Cached),
        _ => return None,
    })
}

impl Report {
    fn read(&mut self, walk: &mut Walk<'_>, within: Option<Part>) -> Option<()> {
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        walk.object(|walk, name| {
            let Some(meaning) = meaning(name) else {
                return walk.value().map(drop);
            };
            self.take(&meaning, walk, within)
        })
    }

    fn take(&mut self, meaning: &Meaning, walk: &mut Walk<'_>, within: Option<Part>) -> Option<()> {
        use Meaning as M;
        let is_top = within.is_none();
        let field = match meaning {
            // Google's name in small letters is OpenAI's, and tells apart by its form.
            M::Parts(part) if walk.peek()? == b'[' => return self.modalities(walk, *part),
            M::Parts(part) => return self.read(walk, Some(*part)),
            M::Modalities(part) => return self.modalities(walk, *part),
            M::WrittenParts => return self.lives(walk),
            // Within the details of a total these are of something else.
            M::Input { .. } | M::Output | M::Total if !is_top => return walk.value().map(drop),
            M::Sound | M::Pictures => {
                let of = match within {
                    Some(Part::Input) => &mut self.input_of,
                    Some(Part::Cached) => &mut self.cached_of,
                    Some(Part::Output) => &mut self.output_of,
                    None => return walk.value().map(drop),
                };
                if matches!(meaning, M::Sound) {
                    &mut of.sound
                } else {
                    &mut of.pictures
                }
            }
            M::Input { bare } => {
                self.is_input_bare |= bare;
                &mut self.input
            }
            M::Output => &mut self.output,
            M::Total => &mut self.total,
            M::CachedApart if is_top => &mut self.cached_apart,
            M::Cached | M::CachedApart => &mut self.cached,
            M::Missed => &mut self.missed,
            M::WrittenApart if is_top => &mut self.written_apart,
            M::Written | M::WrittenApart => &mut self.written,
            M::WrittenShort => &mut self.written_short,
            M::WrittenLong => &mut self.written_long,
            M::Reasoning => &mut self.reasoning,
            M::Thoughts => &mut self.thoughts,
            M::Tools => &mut self.tools,
            M::Images => &mut self.images,
        };
        *field = (*field).max(count(walk.value()?).min(MEASURE_MAX));
        Some(())
    }

    /// Google's list of what a total consists of: `[{"modality":"IMAGE","tokenCount":258}]`.
    fn modalities(&mut self, walk: &mut Walk<'_>, part: Part) -> Option<()> {
        if walk.peek()? != b'[' {
            return walk.value().map(drop);
        }
        let mut found = Media::default();
        walk.array(|walk| {
            if walk.peek()? != b'{' {
                return walk.value().map(drop);
            }
            let (mut modality, mut tokens) = (&b""[..], 0);
            walk.object(|walk, name| {
                let value = walk.value()?;
                match name {
                    b"modality" => modality = value,
                    b"tokenCount" | b"token_count" => tokens = count(value).min(MEASURE_MAX),
                    _ => {}
                }
                Some(())
            })?;
            let field = match modality {
                b"\"AUDIO\"" => &mut found.sound,
                b"\"IMAGE\"" => &mut found.pictures,
                b"\"VIDEO\"" => &mut found.film,
                _ => return Some(()),
            };
            *field = field.saturating_add(tokens).min(MEASURE_MAX);
            Some(())
        })?;
        match part {
            Part::Input => self.input_of.merge(found),
            Part::Cached => self.cached_of.merge(found),
            Part::Output => self.output_of.merge(found),
        }
        Some(())
    }

    /// Cache writes by how long they live, which together are the cache writes.
    fn lives(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let (mut sum, mut long) = (0_u64, 0_u64);
        walk.object(|walk, name| {
            let value = walk.value()?;
            if name.ends_with(b"_input_tokens") {
                let tokens = count(value).min(MEASURE_MAX);
                sum = sum.saturating_add(tokens);
                if name == LONG_LIVED {
                    long = tokens;
                }
            }
            Some(())
        })?;
        self.written_apart = self.written_apart.max(sum);
        self.written_long = self.written_long.max(long);
        Some(())
    }

    fn counts(&self) -> Counts {
        let told = self
            .input
            .max(self.cached.saturating_add(self.missed) * u64::from(self.missed > 0));
        let apart = self.cached_apart.saturating_add(self.written_apart);
        // The cache is beside the input where the sum says so, the input is too small to hold it, or,
        // without a sum, by whose names these are.
        let is_beside = apart > 0
            && (apart > told
                || if self.total > 0 {
                    self.total == told.saturating_add(apart).saturating_add(self.output)
                } else {
                    self.is_input_bare
                });
        let beside = if is_beside { apart } else { 0 };
        let mut input = told.saturating_add(beside).saturating_add(self.tools);
        let thought = self.reasoning.max(self.thoughts);
        // Reasoning is on top of the output where the sum says so, by its name, or, without a sum,
        // where the output is too small to hold it.
        let with_thought = self.output.saturating_add(thought);
        let is_on_top = self.thoughts > 0
            || self.total == input.saturating_add(with_thought)
            || (self.total == 0 && self.reasoning > self.output);
        let mut output = if is_on_top { with_thought } else { self.output };
        if output == 0 && input > 0 {
            output = self.total.saturating_sub(input);
        } else if input == 0 && output > 0 {
            input = self.total.saturating_sub(output);
        }
        Counts {
            input,
            cached: self.cached.max(self.cached_apart),
            written: self
                .written
                .max(self.written_apart)
                .max(self.written_short.saturating_add(self.written_long)),
            written_long: self.written_long,
            output,
            reasoning: thought,
            images: self.images,
            input_of: self.input_of,
            cached_of: self.cached_of,
            output_of: self.output_of,
            sum: self.total,
        }
        .bounded()
    }
}

impl Counts {
    /// Reads a `usage` object; all zeros where it is none.
    pub(crate) fn read(walk: &mut Walk<'_>) -> Option<Self> {
        let mut report = Report::default();
        report.read(walk, None)?;
        Some(report.counts())
    }

    fn bounded(mut self) -> Self {
        for field in [
            &mut self.input,
            &mut self.cached,
            &mut self.written,
            &mut self.written_long,
            &mut self.output,
            &mut self.reasoning,
            &mut self.images,
            &mut self.sum,
        ] {
            *field = (*field).min(MEASURE_MAX);
        }
        self
    }

    /// Takes what `other` counts more of: zeros erase nothing, and a report without details keeps those
    /// of another.
    pub(crate) fn merge(&mut self, other: Self) {
        self.input = self.input.max(other.input);
        self.cached = self.cached.max(other.cached);
        self.written = self.written.max(other.written);
        self.written_long = self.written_long.max(other.written_long);
        self.output = self.output.max(other.output);
        self.reasoning = self.reasoning.max(other.reasoning);
        self.images = self.images.max(other.images);
        self.input_of.merge(other.input_of);
        self.cached_of.merge(other.cached_of);
        self.output_of.merge(other.output_of);
        self.sum = self.sum.max(other.sum);
    }

    /// As disjoint classes that sum to the totals. Where nothing says otherwise text is what was cached
    /// and what was written to the cache.
    pub(crate) fn usage(self) -> Usage {
        let [mut text, mut sound, mut pictures, mut film] = self.input_of.classes(self.input);
        let mut cached = self.cached.min(self.input);
        let mut written = self.written.min(self.input - cached);
        let long_writes = self.written_long.min(written);
        let cache_writes = written - long_writes;
        let told = self.cached_of;
        let told_sound = moved(&mut sound, &mut cached, told.sound);
        let told_pictures = moved(&mut pictures, &mut cached, told.pictures);
        // No class is for films that were cached: they are text there.
        let told_film = moved(&mut film, &mut cached, told.film);
        let cached_text = told_film + moved(&mut text, &mut cached, u64::MAX);
        let cached_sound = told_sound + moved(&mut sound, &mut cached, u64::MAX);
        let cached_pictures = told_pictures + moved(&mut pictures, &mut cached, u64::MAX);
        let cached_text = cached_text + moved(&mut film, &mut cached, u64::MAX);
        for class in [&mut text, &mut sound, &mut pictures, &mut film] {
            moved(class, &mut written, u64::MAX);
        }
        let reasoning = self.reasoning.min(self.output);
        let [answer, spoken, drawn, filmed] = self.output_of.classes(self.output - reasoning);
        Usage::of([
            (Unit::InputToken, text),
            (Unit::CachedInputToken, cached_text),
            (Unit::CacheWriteToken, cache_writes),
            (Unit::CacheWriteLongToken, long_writes),
            (Unit::InputAudioToken, sound),
            (Unit::CachedInputAudioToken, cached_sound),
            (Unit::InputImageToken, pictures),
            (Unit::CachedInputImageToken, cached_pictures),
            (Unit::InputVideoToken, film),
            (Unit::OutputToken, answer.saturating_add(filmed)),
            (Unit::ReasoningToken, reasoning),
            (Unit::OutputAudioToken, spoken),
            (Unit::OutputImageToken, drawn),
            (Unit::Image, self.images),
        ])
    }
}

impl Media {
    fn merge(&mut self, other: Self) {
        self.sound = self.sound.max(other.sound);
        self.pictures = self.pictures.max(other.pictures);
        self.film = self.film.max(other.film);
    }

    /// A total as text, sound, pictures and film.
    fn classes(self, total: u64) -> [u64; 4] {
        let sound = self.sound.min(total);
        let pictures = self.pictures.min(total - sound);
        let film = self.film.min(total - sound - pictures);
        [total - sound - pictures - film, sound, pictures, film]
    }
}

/// Takes what there is of `wanted` out of `class`, `most` at most.
fn moved(class: &mut u64, wanted: &mut u64, most: u64) -> u64 {
    let taken = most.min(*class).min(*wanted);
    *class -= taken;
    *wanted -= taken;
    taken
}

/// In the order in which what is not believed is taken away.
const INPUT_CLASSES: [Unit; 9] = [
    Unit::InputToken,
    Unit::InputAudioToken,
    Unit::InputImageToken,
    Unit::InputVideoToken,
    Unit::CacheWriteToken,
    Unit::CacheWriteLongToken,
    Unit::CachedInputToken,
    Unit::CachedInputAudioToken,
    Unit::CachedInputImageToken,
];
pub(super) const OUTPUT_CLASSES: [Unit; 4] = [
    Unit::ReasoningToken,
    Unit::OutputToken,
    Unit::OutputAudioToken,
    Unit::OutputImageToken,
];

/// Cuts `usage` to what the call can bring. More input than its bytes can be is not believed; more output
/// than its maximum only as far as it was `shown`, counted at its most, a token a byte: a provider that
/// ignores the maximum shows what it wrote.
pub(crate) fn believe(usage: &mut Usage, bounds: &Bounds, shown: u64) {
    let surplus = usage.input_total().saturating_sub(bounds.input_max);
    let output_max = bounds.output_max.max(shown);
    let unshown = usage.output_total().saturating_sub(output_max);
    usage.capped |= surplus > 0 || unshown > 0;
    usage.estimated |= usage.capped;
    usage.overrun |= usage.output_total() > bounds.output_max;
    usage.cut_from(INPUT_CLASSES, surplus);
    usage.cut_from(OUTPUT_CLASSES, unshown);
}

#[cfg(test)]
mod tests;
