//! Parts of messages as this format writes them, in requests and in answers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dialect::neutral::{CacheMark, Citation, Signature, SignatureFormat};

/// One part.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<Cited<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Image {
        source: BlockSource<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Document {
        source: BlockSource<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Thinking {
        thinking: &'a str,
        signature: Cow<'a, str>,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Cow<'a, RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where media are.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum BlockSource<'a> {
    Base64 {
        media_type: &'a str,
        data: &'a str,
    },
    Url {
        url: &'a str,
    },
    File {
        file_id: &'a str,
    },
    Text {
        media_type: &'static str,
        data: Cow<'a, str>,
    },
}

/// That a cache ends behind a part.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CacheControl {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl CacheControl {
    pub(super) fn of(mark: CacheMark) -> Self {
        Self {
            kind: "ephemeral",
            ttl: (mark == CacheMark::Long).then_some("1h"),
        }
    }
}

/// The same as tenants write it.
#[derive(Debug, Deserialize)]
pub(super) struct CacheRead<'a> {
    #[serde(default, borrow)]
    ttl: Option<Cow<'a, str>>,
}

impl CacheRead<'_> {
    pub(super) fn mark(&self) -> CacheMark {
        if self.ttl.as_deref() == Some("1h") {
            CacheMark::Long
        } else {
            CacheMark::Short
        }
    }
}

/// A place that a text was taken from. Only that of a search on the web has an address here.
#[derive(Debug, Serialize)]
pub(super) struct Cited<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "cited_text")]
    quote: &'a str,
    url: &'a str,
    title: Option<&'a str>,
    /// Proves the place to the provider that searched, which did not.
    encrypted_index: &'static str,
}

impl<'a> Cited<'a> {
    pub(super) fn of(citation: &'a Citation) -> Self {
        Self {
            kind: "web_search_result_location",
            quote: citation.quote.as_deref().unwrap_or_default(),
            url: &citation.url,
            title: citation.title.as_deref(),
            encrypted_index: "",
        }
    }
}

/// The same as it is read, of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CitedRead {
    cited_text: Option<String>,
    url: Option<String>,
    /// The address of a result that the request held.
    source: Option<String>,
    title: Option<String>,
    document_title: Option<String>,
}

impl CitedRead {
    pub(super) fn citation(self) -> Citation {
        Citation {
            url: self.url.or(self.source).unwrap_or_default(),
            title: self.title.or(self.document_title),
            quote: self.cited_text.filter(|text| !text.is_empty()),
        }
    }
}

/// The citations of a text; what is no list of them is none.
pub(super) fn citations(raw: Option<&RawValue>) -> Vec<Citation> {
    let list: Vec<CitedRead> = raw
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    list.into_iter().map(CitedRead::citation).collect()
}

/// What a thinking block's signature stands for; an empty one for nothing.
pub(super) fn signature(text: Option<String>) -> Option<Signature> {
    let text = text.filter(|text| !text.is_empty())?;
    Signature::read_in(Some(SignatureFormat::Anthropic), &text)
}

/// What the data of a redacted thinking block stand for.
pub(super) fn redacted(data: &str) -> Option<Signature> {
    Signature::read_in(Some(SignatureFormat::AnthropicRedacted), data)
}

/// Arguments as an object; what is none stands in one as a text.
pub(super) fn input(arguments: &str) -> Cow<'_, RawValue> {
    let text = arguments.trim();
    if text.starts_with('{')
        && let Ok(raw) = serde_json::from_str::<&RawValue>(text)
    {
        return Cow::Borrowed(raw);
    }
    let json = if text.is_empty() || text == "null" {
        "{}".to_owned()
    } else {
        serde_json::json!({"arguments": arguments}).to_string()
    };
    RawValue::from_string(json).map_or(Cow::Borrowed(RawValue::NULL), Cow::Owned)
}
