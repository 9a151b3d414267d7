//! Conversations that went from one vendor to another and speak the same dialect with both: what proves the
//! thoughts of one is refused by the other. Only the turns are written anew, by the dialect's own translator,
//! which knows whose proofs go where; every other byte of the request stays.

use bytes::Bytes;

use super::Head;
use super::neutral::{Translator, WriteTo};
use crate::json::{self, Edit};

/// Whether one of these stands in a body.
pub(super) fn holds(body: &[u8], words: &[&str]) -> bool {
    let mut words = words.iter();
    words.any(|word| memchr::memmem::find(body, word.as_bytes()).is_some())
}

/// The request with its turns, which stand in the field `turns`, as `translator` writes them. The field
/// `wish` goes out where it does not write it for them. `None` where it can't read or write the request:
/// whoever gets it then refuses it better than we could.
pub(super) fn rewritten(
    translator: &dyn Translator,
    body: &Bytes,
    to: WriteTo<'_>,
    [turns, wish]: [&str; 2],
) -> Option<Bytes> {
    let head = Head {
        model: Some(to.model.to_owned()),
        ..Head::default()
    };
    let request = translator.read_request(&head, body).ok()?;
    let written = translator.write_request(&request, to).ok()?.body;
    let [new_turns, new_wish] = json::fields(&written, [turns, wish]).ok()?;
    let [old_turns, old_wish] = json::fields(body, [turns, wish]).ok()?;
    let mut edits = vec![Edit::replace(
        json::span(body, old_turns?),
        new_turns?.get().to_owned(),
    )];
    if let Some(old) = old_wish.filter(|_| new_wish.is_none()) {
        edits.push(Edit::remove(body, &json::span(body, old)));
    }
    Some(json::apply(body, edits))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::{Quirks, named};

    fn without(dialect: &str, model: &str, body: &Value) -> Option<Value> {
        let translator = named(dialect)?.translator()?;
        let to = WriteTo {
            model,
            quirks: Quirks::default(),
            output_max: None,
        };
        let left = translator.without_others(&body.to_string().into(), to)?;
        serde_json::from_slice(&left).ok()
    }

    fn messages(signature: &str) -> Value {
        json!({"model": "claude-sonnet-4-5", "max_tokens": 4096, "mystery": 1,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "messages": [
                {"role": "user", "content": "When?"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": signature},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "now"}]}],
            "tools": [{"name": "f", "input_schema": {"type": "object"}}]})
    }

    #[test]
    fn anthropic_gets_no_thoughts_that_it_can_not_prove() {
        let model = "claude-sonnet-4-5";
        assert_eq!(
            without("anthropic_messages", model, &messages("EqQB")),
            None
        );
        for signature in ["wsg1.x", "wso1.x", ""] {
            let left = without("anthropic_messages", model, &messages(signature)).expect(signature);
            let said = &left["messages"][1]["content"];
            assert_eq!(said[0]["type"], "tool_use", "{signature}");
            assert_eq!(left["mystery"], 1);
            // It thinks on only where it is told what was thought.
            assert!(left.get("thinking").is_none(), "{signature}");
        }
    }

    #[test]
    fn google_is_told_which_calls_others_made() {
        let of = |signature: Option<&str>| {
            let mut call = json!({"functionCall": {"name": "f", "args": {}}});
            if let Some(signature) = signature {
                call["thoughtSignature"] = signature.into();
            }
            json!({"cachedContent": "c", "contents": [
                {"role": "user", "parts": [{"text": "When?"}]},
                {"role": "model", "parts": [call]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "now"}}}]}]})
        };
        let model = "gemini-3.8-flash";
        assert_eq!(without("gemini", model, &of(Some("EqQB"))), None);
        // "wsa1.x" and "wso1.x" in base64.
        for signature in [None, Some("d3NhMS54"), Some("d3NvMS54")] {
            let left = without("gemini", model, &of(signature)).expect("changed");
            let proof = &left["contents"][1]["parts"][0]["thoughtSignature"];
            assert_eq!(*proof, "skip_thought_signature_validator", "{signature:?}");
            assert_eq!(left["cachedContent"], "c");
        }
        assert_eq!(without("gemini", "gemini-2.5-flash", &of(None)), None);
    }

    #[test]
    fn openai_gets_no_fields_of_other_makers() {
        let of = |name: &str, value: Value| {
            let mut said = json!({"role": "assistant", "content": "Now."});
            said[name] = value;
            json!({"model": "m", "mystery": 1, "messages": [{"role": "user", "content": "When?"}, said]})
        };
        let details = json!([{"type": "reasoning.text", "text": "Hm.", "signature": "EqQB",
            "format": "anthropic-claude-v1", "index": 0}]);
        let body = of("reasoning_details", details);
        let left = without("openai_chat", "gpt-5.4", &body).expect("changed");
        assert_eq!(
            left["messages"][1],
            json!({"role": "assistant", "content": "Now."})
        );
        assert_eq!(left["mystery"], 1);
        for model in ["openai/gpt-5.4", "deepseek-v4-pro", "gemini-3.8-flash"] {
            assert_eq!(without("openai_chat", model, &body), None, "{model}");
        }
        let plain = of("reasoning_content", json!("Hm."));
        assert_eq!(without("openai_chat", "gpt-5.4", &plain), None);
    }
}
