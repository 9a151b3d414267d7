//! What of an item is shown only where it is asked for by a word of `include`. Facts: API reference, "Get a model
//! response", and `ResponseIncludable` of OpenAI's SDK for Python 3.57. Where nothing of the kind is kept, a word
//! changes nothing.

use poem_openapi::Enum;
use serde_json::{Value, json};

/// More of items that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum IncludeWord {
    /// What a search in files found.
    #[oai(rename = "file_search_call.results")]
    FileSearchResults,
    /// What a search in the web found.
    #[oai(rename = "web_search_call.results")]
    WebSearchResults,
    /// Where a search in the web looked.
    #[oai(rename = "web_search_call.action.sources")]
    WebSearchSources,
    /// Addresses of images in messages, which are always shown.
    #[oai(rename = "message.input_image.image_url")]
    InputImages,
    /// Addresses of images of computers, which are always shown.
    #[oai(rename = "computer_call_output.output.image_url")]
    ComputerImages,
    /// What code put out.
    #[oai(rename = "code_interpreter_call.outputs")]
    CodeOutputs,
    /// A model's thoughts, sealed by its provider.
    #[oai(rename = "reasoning.encrypted_content")]
    EncryptedReasoning,
    /// How probable the words of a message were.
    #[oai(rename = "message.output_text.logprobs")]
    Logprobs,
}

/// What is asked for: clients write the parameter with brackets, and others without.
#[derive(Debug, Clone, Default)]
pub(super) struct Include(Vec<IncludeWord>);

impl Include {
    pub(super) fn of(words: [Option<Vec<IncludeWord>>; 2]) -> Self {
        Self(words.into_iter().flatten().flatten().collect())
    }

    fn has(&self, word: IncludeWord) -> bool {
        self.0.contains(&word)
    }

    /// Takes what was not asked for out of an item.
    pub(super) fn show(&self, mut item: Value) -> Value {
        let kind = item["type"].as_str().unwrap_or_default().to_owned();
        let Some(fields) = item.as_object_mut() else {
            return item;
        };
        let mut hide = |word, name: &str| {
            if !self.has(word) && fields.contains_key(name) {
                fields.insert(name.to_owned(), Value::Null);
            }
        };
        match kind.as_str() {
            "reasoning" if !self.has(IncludeWord::EncryptedReasoning) => {
                // It is absent at OpenAI, and clients that find it send it back.
                fields.remove("encrypted_content");
            }
            "file_search_call" => hide(IncludeWord::FileSearchResults, "results"),
            "code_interpreter_call" => hide(IncludeWord::CodeOutputs, "outputs"),
            "web_search_call" => {
                hide(IncludeWord::WebSearchResults, "results");
                let action = fields.get_mut("action").and_then(Value::as_object_mut);
                if let Some(action) = action.filter(|_| !self.has(IncludeWord::WebSearchSources)) {
                    action.remove("sources");
                }
            }
            "message" if !self.has(IncludeWord::Logprobs) => {
                let parts = fields.get_mut("content").and_then(Value::as_array_mut);
                for part in parts.into_iter().flatten().filter_map(Value::as_object_mut) {
                    if part.contains_key("logprobs") {
                        part.insert("logprobs".to_owned(), json!([]));
                    }
                }
            }
            _ => {}
        }
        item
    }

    /// The same of all that an answer puts out.
    pub(super) fn show_answer(&self, mut answer: Value) -> Value {
        if let Some(items) = answer["output"].as_array_mut() {
            for item in items {
                *item = self.show(item.take());
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_is_not_shown() {
        use IncludeWord as Word;
        for (word, item, shown) in [
            (
                Word::EncryptedReasoning,
                json!({"type": "reasoning", "encrypted_content": "x", "summary": []}),
                json!({"type": "reasoning", "summary": []}),
            ),
            (
                Word::Logprobs,
                json!({"type": "message", "content": [{"text": "a", "logprobs": [1]}, {"text": "b"}]}),
                json!({"type": "message", "content": [{"text": "a", "logprobs": []}, {"text": "b"}]}),
            ),
            (
                Word::FileSearchResults,
                json!({"type": "file_search_call", "results": [1]}),
                json!({"type": "file_search_call", "results": null}),
            ),
            (
                Word::WebSearchSources,
                json!({"type": "web_search_call", "action": {"query": "q", "sources": [1]}}),
                json!({"type": "web_search_call", "action": {"query": "q"}}),
            ),
            (
                Word::CodeOutputs,
                json!({"type": "code_interpreter_call", "outputs": [1]}),
                json!({"type": "code_interpreter_call", "outputs": null}),
            ),
        ] {
            let asked = Include::of([None, Some(vec![word])]);
            assert_eq!(asked.show(item.clone()), item, "{word:?}");
            let nothing = Include::default();
            let answer = nothing.show_answer(json!({"output": [item, 7]}));
            assert_eq!(answer["output"], json!([shown, 7]), "{word:?}");
        }
        let image =
            json!({"type": "message", "content": [{"type": "input_image", "image_url": "x"}]});
        assert_eq!(Include::default().show(image.clone()), image);
        assert_eq!(
            Include::default().show_answer(json!({"output": null}))["output"],
            Value::Null
        );
    }
}
