//! Vendors that a connector reaches as it is: a row of data each, which the console offers to begin a
//! provider with. All of these take `Authorization: Bearer`. Facts: the vendors' documentation as of
//! 2026-11; a vendor whose models come and go by the week has none listed.

use std::borrow::Cow;

use shared::link::connectors::ProviderPreset;

type Text = Cow<'static, str>;

const fn speaks_openai(
    name: &'static str,
    label: &'static str,
    base_url: &'static str,
    models: &'static [Text],
) -> ProviderPreset {
    ProviderPreset {
        name: Cow::Borrowed(name),
        label: Cow::Borrowed(label),
        kind: Cow::Borrowed("openai"),
        base_url: Cow::Borrowed(base_url),
        models: Cow::Borrowed(models),
    }
}

const DEEPSEEK: &[Text] = &[
    Cow::Borrowed("deepseek-v4-flash"),
    Cow::Borrowed("deepseek-v4-pro"),
];
/// Keys of the two regions are not shared.
const MOONSHOT: &[Text] = &[
    Cow::Borrowed("kimi-k2.6"),
    Cow::Borrowed("kimi-k2.7-code"),
    Cow::Borrowed("kimi-k3"),
];

/// In the order in which they are offered.
pub(crate) static PRESETS: [ProviderPreset; 11] = [
    speaks_openai("openai", "OpenAI", "https://api.openai.com/v1", &[]),
    speaks_openai(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        &[],
    ),
    speaks_openai(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com/v1",
        DEEPSEEK,
    ),
    speaks_openai(
        "moonshot",
        "Moonshot (international)",
        "https://api.moonshot.ai/v1",
        MOONSHOT,
    ),
    speaks_openai(
        "moonshot-cn",
        "Moonshot (China)",
        "https://api.moonshot.cn/v1",
        MOONSHOT,
    ),
    speaks_openai(
        "dashscope",
        "DashScope (Beijing)",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        &[],
    ),
    speaks_openai(
        "gemini",
        "Gemini, as OpenAI speaks",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        &[],
    ),
    speaks_openai("mistral", "Mistral", "https://api.mistral.ai/v1", &[]),
    speaks_openai("xai", "xAI", "https://api.x.ai/v1", &[]),
    speaks_openai("groq", "Groq", "https://api.groq.com/openai/v1", &[]),
    speaks_openai("together", "Together", "https://api.together.xyz/v1", &[]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use shared::link::connectors::AddressRule;
    use shared::link::rules;

    use super::*;
    use crate::providers;

    #[test]
    fn every_preset_can_be_made_a_provider_as_it_stands() {
        let mut names = HashSet::new();
        for preset in &PRESETS {
            assert!(names.insert(&preset.name), "{} is there twice", preset.name);
            let connector = providers::provider(&preset.kind).expect("a connector");
            assert_eq!(connector.facts().address, AddressRule::Needed);
            assert_eq!(rules::name(&preset.name), Ok(()));
            let url = preset.base_url.as_ref();
            assert_eq!(rules::base_url(url), Ok(url), "{url} is kept as it stands");
            assert!(url.starts_with("https://"), "{url}");
            let mut models = preset.models.iter();
            assert!(models.all(|model| rules::model(model).is_ok()));
        }
    }
}
