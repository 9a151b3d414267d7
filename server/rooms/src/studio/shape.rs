//! The shape of what is kept of the studio, as it stands in its seals: what a person asked in a turn, what each
//! model answered, and what was asked for of an image. Reads no request and no answer.
//!
//! A conversation is turns, each of which follows another one, so that a message that is written anew begins a
//! branch and loses nothing; the newest turn ends the path that is shown. A turn is one message with all that
//! went with it, and one or more answers, each by its model: several where several models were asked at once, or
//! the same one once more.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Letters of a conversation's title.
const TITLE_CHARS: usize = 80;

/// What a person asked in a turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StudioAsked {
    /// The message, as `content` of a chat completion has it: text, or parts with text and images.
    pub asked: Value,
    /// The instructions above the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Other fields of the request, such as `temperature`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
}

/// What a model answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudioAnswered {
    /// Its words.
    pub text: String,
    /// Its thoughts, where it told them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// Images in it, as addresses that hold their bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Why it failed, by the fault's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether more was said, or shown, than is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// What was asked for of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudioPrompt {
    /// Of what.
    pub prompt: String,
    /// For example `1024x1024`.
    #[serde(default)]
    pub size: String,
    /// For example `high`.
    #[serde(default)]
    pub quality: String,
}

impl StudioAnswered {
    /// Takes its images out, which is noted where there are any.
    pub(super) fn drop_images(&mut self) -> Vec<String> {
        self.is_cut |= !self.images.is_empty();
        std::mem::take(&mut self.images)
    }
}

impl StudioAsked {
    /// The words of the message, without its images.
    pub fn words(&self) -> String {
        match &self.asked {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part["text"].as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
        }
    }

    /// The images of the message, as addresses that hold their bytes.
    pub fn images(&self) -> Vec<String> {
        let parts = self.asked.as_array().map_or(&[][..], Vec::as_slice);
        let addresses = parts
            .iter()
            .filter_map(|part| part["image_url"]["url"].as_str());
        addresses.map(str::to_owned).collect()
    }

    /// The first words, on one line.
    pub fn title(&self) -> String {
        let words = self.words();
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut title: String = line.chars().take(TITLE_CHARS).collect();
        if line.chars().nth(TITLE_CHARS).is_some() {
            title.push('…');
        }
        title
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_title_is_the_first_words_on_one_line() {
        let asked = |asked: Value| StudioAsked {
            asked,
            ..StudioAsked::default()
        };
        assert_eq!(asked(json!(" a\n\tb ")).title(), "a b");
        let parts = json!([{"type": "text", "text": "看"}, {"type": "image_url", "image_url": {"url": "data:x"}}]);
        assert_eq!(asked(parts.clone()).title(), "看");
        assert_eq!(asked(parts).images(), ["data:x"]);
        let long = asked(json!("é".repeat(200))).title();
        assert_eq!(long.chars().count(), TITLE_CHARS + 1);
        assert_eq!(asked(Value::Null).title(), "");
    }

    #[test]
    fn what_a_later_version_adds_is_read_past() {
        let read: StudioAnswered =
            serde_json::from_value(json!({"text": "hi", "later": 1})).expect("readable");
        assert_eq!(read.text, "hi");
    }
}
