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
    let form = ChatForm {
        model: "m".to_owned(),
        messages: vec![ChatTurn {
            role: Role::User,
            content: "say \"hi\"".to_owned(),
        }],
        kept: None,
    };
    let body: Value = serde_json::from_slice(&form.body(true)).expect("JSON");
    let expected = json!({
        "model": "m", "stream": true,
        "messages": [{"role": "user", "content": "say \"hi\""}]
    });
    assert_eq!(body, expected);
}
