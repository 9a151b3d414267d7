//! What the studio's script sends becomes a body, whether a conversation or images.

use super::*;

#[test]
fn the_scripts_json_is_a_conversation_or_images() {
    let read = |text: &str| serde_json::from_str::<StudioRequest>(text).ok();
    let chat = read(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
    assert_eq!(chat.expect("a request").operation(), Operation::Chat);
    let image = read(r#"{"model":"m","prompt":"a cat","n":2,"size":"1024x1024"}"#);
    assert_eq!(image.expect("a request").operation(), Operation::Image);
    assert!(read(r#"{"model":"m"}"#).is_none());
    let system = r#"{"model":"m","messages":[{"role":"root","content":"hi"}]}"#;
    assert!(read(system).is_none(), "no other roles");
}

#[test]
fn a_conversation_is_written_as_a_body() {
    let sent = json!({"model": "m", "messages": [{"role": "user", "content": "say \"hi\""}],
        "settings": {"system": "Be kind.", "temperature": 1, "effort": "low"}});
    let form: ChatForm = serde_json::from_value(sent).expect("a conversation");
    let settings = AnswerSettings::read(&form.settings).expect("sound");
    let written = |form: &ChatForm, settings: &AnswerSettings, stream| -> Value {
        serde_json::from_slice(&form.written(settings, true, stream)).expect("JSON")
    };
    let expected = json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true},
        "temperature": 1.0, "reasoning_effort": "low",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "say \"hi\""}
        ]
    });
    assert_eq!(written(&form, &settings, true), expected);
    // Without settings the body is the conversation.
    let plain = written(&form, &AnswerSettings::default(), false);
    let expected = json!({
        "model": "m", "stream": false,
        "messages": [{"role": "user", "content": "say \"hi\""}]
    });
    assert_eq!(plain, expected);
}
