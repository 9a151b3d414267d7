//! Vendors that a connector reaches as it is: a row of data each, which the console offers to begin a
//! provider with. Facts: the vendors' documentation as of 2026-11; a vendor whose models come and go by the
//! week has none listed.

use std::borrow::Cow;

use shared::link::connectors::ProviderPreset;
use shared::link::options::ProviderOptions;

use super::balance::{
    BalanceVendor, DEEPSEEK, MOONSHOT as MOONSHOT_TELLS, MOONSHOT_CN, OPENROUTER, SILICONFLOW,
};

/// A vendor.
struct Row {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    base_url: &'static str,
    /// Where its keys are made.
    keys_url: &'static str,
    models: &'static [&'static str],
    /// What it speaks beside what is usual for its kind; all of it, where there is any.
    dialects: &'static [&'static str],
    /// How it tells what is left on a key's account, where it does.
    balance: Option<&'static BalanceVendor>,
}

const OF_OPENAI: Row = Row {
    name: "",
    label: "",
    kind: "openai",
    base_url: "",
    keys_url: "",
    models: &[],
    dialects: &[],
    balance: None,
};

/// OpenAI's formats with Responses.
const WITH_RESPONSES: &[&str] = &[
    "openai_chat",
    "openai_responses",
    "openai_embeddings",
    "openai_images",
    "openai_completions",
    "openai_moderations",
];

/// OpenAI's formats, with pictures by chat (OpenRouter).
const PICTURES_BY_CHAT: &[&str] = &["openai_chat", "openai_embeddings", "openai_completions"];
/// With pictures in the vendor's own format.
const ARK: &[&str] = &[
    "openai_chat",
    "openai_responses",
    "openai_embeddings",
    "ark_images",
];
const MINIMAX: &[&str] = &["openai_chat", "minimax_images"];
const RECRAFT: &[&str] = &["recraft_images"];
const XAI: &[&str] = &["openai_chat", "openai_responses", "xai_images"];

/// Keys of the two regions are not shared.
const MOONSHOT: &[&str] = &["kimi-k2.6", "kimi-k2.7-code", "kimi-k3"];

/// In the order in which they are offered.
const ROWS: &[Row] = &[
    Row {
        name: "openai",
        label: "OpenAI",
        base_url: "https://api.openai.com/v1",
        keys_url: "https://platform.openai.com/api-keys",
        dialects: WITH_RESPONSES,
        ..OF_OPENAI
    },
    Row {
        name: "anthropic",
        label: "Anthropic",
        kind: "anthropic",
        base_url: "https://api.anthropic.com/v1",
        keys_url: "https://console.anthropic.com/settings/keys",
        ..OF_OPENAI
    },
    Row {
        name: "gemini",
        label: "Google Gemini",
        kind: "gemini",
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        keys_url: "https://aistudio.google.com/apikey",
        ..OF_OPENAI
    },
    Row {
        name: "azure",
        label: "Azure OpenAI",
        kind: "azure",
        base_url: "https://your-resource.openai.azure.com/openai/v1",
        keys_url: "https://portal.azure.com",
        ..OF_OPENAI
    },
    Row {
        name: "bedrock",
        label: "Amazon Bedrock",
        kind: "bedrock",
        base_url: "https://bedrock-runtime.us-east-1.amazonaws.com",
        keys_url: "https://console.aws.amazon.com/bedrock",
        ..OF_OPENAI
    },
    Row {
        name: "vertex",
        label: "Google Vertex AI",
        kind: "vertex",
        base_url: "https://us-central1-aiplatform.googleapis.com/v1/projects/your-project/locations/us-central1",
        keys_url: "https://console.cloud.google.com/iam-admin/serviceaccounts",
        ..OF_OPENAI
    },
    Row {
        name: "openrouter",
        label: "OpenRouter",
        base_url: "https://openrouter.ai/api/v1",
        dialects: PICTURES_BY_CHAT,
        keys_url: "https://openrouter.ai/keys",
        balance: Some(&OPENROUTER),
        ..OF_OPENAI
    },
    Row {
        name: "deepseek",
        label: "DeepSeek",
        base_url: "https://api.deepseek.com/v1",
        keys_url: "https://platform.deepseek.com/api_keys",
        models: &["deepseek-v4-flash", "deepseek-v4-pro"],
        balance: Some(&DEEPSEEK),
        ..OF_OPENAI
    },
    Row {
        name: "moonshot",
        label: "Moonshot (international)",
        base_url: "https://api.moonshot.ai/v1",
        keys_url: "https://platform.moonshot.ai/console/api-keys",
        models: MOONSHOT,
        balance: Some(&MOONSHOT_TELLS),
        ..OF_OPENAI
    },
    Row {
        name: "moonshot-cn",
        label: "Moonshot (China)",
        base_url: "https://api.moonshot.cn/v1",
        keys_url: "https://platform.moonshot.cn/console/api-keys",
        models: MOONSHOT,
        balance: Some(&MOONSHOT_CN),
        ..OF_OPENAI
    },
    Row {
        name: "zai",
        label: "Z.ai",
        base_url: "https://api.z.ai/api/paas/v4",
        keys_url: "https://z.ai/manage-apikey/apikey-list",
        ..OF_OPENAI
    },
    Row {
        name: "zhipu",
        label: "Zhipu (China)",
        base_url: "https://open.bigmodel.cn/api/paas/v4",
        keys_url: "https://open.bigmodel.cn/usercenter/apikeys",
        ..OF_OPENAI
    },
    Row {
        name: "dashscope",
        label: "DashScope (Beijing)",
        kind: "dashscope",
        base_url: "https://dashscope.aliyuncs.com",
        keys_url: "https://bailian.console.aliyun.com",
        ..OF_OPENAI
    },
    Row {
        name: "dashscope-intl",
        label: "DashScope (Singapore)",
        kind: "dashscope",
        base_url: "https://dashscope-intl.aliyuncs.com",
        keys_url: "https://modelstudio.console.alibabacloud.com",
        ..OF_OPENAI
    },
    Row {
        name: "ark",
        label: "Volcengine Ark",
        base_url: "https://ark.cn-beijing.volces.com/api/v3",
        dialects: ARK,
        keys_url: "https://console.volcengine.com/ark",
        ..OF_OPENAI
    },
    Row {
        name: "siliconflow",
        label: "SiliconFlow",
        base_url: "https://api.siliconflow.cn/v1",
        keys_url: "https://cloud.siliconflow.cn/account/ak",
        balance: Some(&SILICONFLOW),
        ..OF_OPENAI
    },
    Row {
        name: "minimax",
        label: "MiniMax",
        base_url: "https://api.minimax.io/v1",
        dialects: MINIMAX,
        keys_url: "https://platform.minimax.io",
        models: &["MiniMax-M3", "MiniMax-M2.5"],
        ..OF_OPENAI
    },
    Row {
        name: "mistral",
        label: "Mistral",
        base_url: "https://api.mistral.ai/v1",
        keys_url: "https://console.mistral.ai/api-keys",
        ..OF_OPENAI
    },
    Row {
        name: "xai",
        label: "xAI",
        base_url: "https://api.x.ai/v1",
        dialects: XAI,
        keys_url: "https://console.x.ai",
        ..OF_OPENAI
    },
    Row {
        name: "groq",
        label: "Groq",
        base_url: "https://api.groq.com/openai/v1",
        keys_url: "https://console.groq.com/keys",
        ..OF_OPENAI
    },
    Row {
        name: "cohere",
        label: "Cohere",
        kind: "cohere",
        base_url: "https://api.cohere.com/v2",
        keys_url: "https://dashboard.cohere.com/api-keys",
        ..OF_OPENAI
    },
    Row {
        name: "jina",
        label: "Jina",
        kind: "jina",
        base_url: "https://api.jina.ai/v1",
        keys_url: "https://jina.ai/api-dashboard",
        ..OF_OPENAI
    },
    Row {
        name: "voyage",
        label: "Voyage",
        kind: "voyage",
        base_url: "https://api.voyageai.com/v1",
        keys_url: "https://dashboard.voyageai.com",
        ..OF_OPENAI
    },
    Row {
        name: "together",
        label: "Together",
        base_url: "https://api.together.xyz/v1",
        keys_url: "https://api.together.ai/settings/api-keys",
        ..OF_OPENAI
    },
    Row {
        name: "fireworks",
        label: "Fireworks",
        base_url: "https://api.fireworks.ai/inference/v1",
        keys_url: "https://app.fireworks.ai/settings/users/api-keys",
        ..OF_OPENAI
    },
    Row {
        name: "perplexity",
        label: "Perplexity",
        base_url: "https://api.perplexity.ai",
        keys_url: "https://www.perplexity.ai/settings/api",
        ..OF_OPENAI
    },
    Row {
        name: "cerebras",
        label: "Cerebras",
        base_url: "https://api.cerebras.ai/v1",
        keys_url: "https://cloud.cerebras.ai",
        ..OF_OPENAI
    },
    Row {
        name: "nvidia",
        label: "NVIDIA NIM",
        base_url: "https://integrate.api.nvidia.com/v1",
        keys_url: "https://build.nvidia.com",
        ..OF_OPENAI
    },
    Row {
        name: "github",
        label: "GitHub Models",
        base_url: "https://models.github.ai/inference",
        keys_url: "https://github.com/settings/tokens",
        ..OF_OPENAI
    },
    Row {
        name: "ollama",
        label: "Ollama",
        base_url: "http://127.0.0.1:11434/v1",
        ..OF_OPENAI
    },
    Row {
        name: "vllm",
        label: "vLLM",
        base_url: "http://127.0.0.1:8000/v1",
        ..OF_OPENAI
    },
    Row {
        name: "sglang",
        label: "SGLang",
        base_url: "http://127.0.0.1:30000/v1",
        ..OF_OPENAI
    },
    Row {
        name: "lm-studio",
        label: "LM Studio",
        base_url: "http://127.0.0.1:1234/v1",
        ..OF_OPENAI
    },
    Row {
        name: "llama-cpp",
        label: "llama.cpp",
        base_url: "http://127.0.0.1:8080/v1",
        ..OF_OPENAI
    },
    Row {
        name: "ideogram",
        label: "Ideogram",
        kind: "ideogram",
        base_url: "https://api.ideogram.ai",
        keys_url: "https://ideogram.ai/manage-api",
        models: &["ideogram-v3"],
        ..OF_OPENAI
    },
    Row {
        name: "recraft",
        label: "Recraft",
        base_url: "https://external.api.recraft.ai/v1",
        keys_url: "https://app.recraft.ai/profile/api",
        dialects: RECRAFT,
        models: &["recraftv4", "recraftv3"],
        ..OF_OPENAI
    },
    Row {
        name: "stability",
        label: "Stability AI",
        kind: "stability",
        base_url: "https://api.stability.ai/v2beta",
        keys_url: "https://platform.stability.ai/account/keys",
        models: &["core", "ultra", "sd3.5-large"],
        ..OF_OPENAI
    },
    Row {
        name: "custom",
        label: "Any other address",
        kind: "custom",
        base_url: "https://api.example.com/v1",
        ..OF_OPENAI
    },
];

/// All of them, in the order in which they are offered.
pub(crate) fn presets() -> Vec<ProviderPreset> {
    let words = |words: &'static [&'static str]| words.iter().copied();
    let preset = |row: &Row| ProviderPreset {
        name: Cow::Borrowed(row.name),
        label: Cow::Borrowed(row.label),
        kind: Cow::Borrowed(row.kind),
        base_url: Cow::Borrowed(row.base_url),
        keys_url: Cow::Borrowed(row.keys_url),
        models: words(row.models).map(Cow::Borrowed).collect(),
        options: ProviderOptions {
            dialects: words(row.dialects).map(str::to_owned).collect(),
            ..ProviderOptions::default()
        },
    };
    ROWS.iter().map(preset).collect()
}

/// Those that tell what is left on a key's account.
pub(super) fn balance_vendors() -> impl Iterator<Item = &'static BalanceVendor> {
    ROWS.iter().filter_map(|row| row.balance)
}

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
        for preset in presets() {
            let name = preset.name.clone();
            assert!(names.insert(name.clone()), "{name} is there twice");
            let connector = providers::provider(&preset.kind).expect("a connector");
            assert_eq!(connector.facts().address, AddressRule::Needed);
            assert_eq!(rules::name(&name), Ok(()));
            let url = preset.base_url.as_ref();
            assert_eq!(rules::base_url(url), Ok(url), "{url} is kept as it stands");
            let is_here = url.starts_with("http://127.0.0.1:");
            assert!(url.starts_with("https://") || is_here, "{url}");
            let makes_keys = preset.keys_url.starts_with("https://");
            assert!(makes_keys || is_here || name == "custom", "{name}");
            assert!(
                preset
                    .models
                    .iter()
                    .all(|model| rules::model(model).is_ok())
            );
            assert_eq!(preset.options.checked(), Ok(()));
            let speaks = &connector.facts().speaks;
            let can = |dialect: &String| speaks.iter().any(|one| one.dialect == *dialect);
            assert!(preset.options.dialects.iter().all(can), "{name}");
        }
    }
}
