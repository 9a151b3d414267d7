//! Pictures that go with a message: only those that a browser made into text itself, few and small. Fetches
//! nothing and looks into none; providers do.

use admin_templates::form::FieldError;
use serde_json::{Value, json};

use super::super::super::form::FieldProblem;
use super::ChatTurn;

/// Of one message.
const OF_MESSAGE_MAX: usize = 4;
/// Of a conversation, which is sent whole each time.
const OF_TALK_MAX: usize = 16;
/// Bytes of one as it is written; the page's script makes them smaller than this.
const BYTES_MAX: usize = 600_000;
/// What every model that reads pictures reads.
const KINDS: [&str; 4] = [
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/webp;base64,",
    "data:image/gif;base64,",
];

fn is_picture(address: &str) -> bool {
    let mut kinds = KINDS.into_iter();
    let Some(data) = kinds.find_map(|kind| address.strip_prefix(kind)) else {
        return false;
    };
    let digits = data.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !digits.is_empty() && data.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

/// Refuses pictures that are none, that are too many or too large, or that the model does not read.
pub(super) fn check(messages: &[ChatTurn], reads: bool) -> Result<(), FieldProblem> {
    let wrong = |error| Err(("images", error));
    let all = messages.iter().map(|message| message.images.len());
    let most = all.clone().max().unwrap_or(0);
    for (found, bound) in [(most, OF_MESSAGE_MAX), (all.sum(), OF_TALK_MAX)] {
        if found > bound {
            return wrong(FieldError::TooMany(
                u64::try_from(bound).unwrap_or(u64::MAX),
            ));
        }
    }
    for address in messages.iter().flat_map(|message| &message.images) {
        if !reads {
            return wrong(FieldError::NoVision);
        }
        if address.len() > BYTES_MAX || !is_picture(address) {
            return wrong(FieldError::NotAPicture);
        }
    }
    Ok(())
}

/// A message as the body has it.
pub(super) fn message(turn: &ChatTurn) -> Value {
    json!({"role": turn.role, "content": content(turn)})
}

/// What is said in it: a text, or parts where there are pictures.
pub(super) fn content(turn: &ChatTurn) -> Value {
    if turn.images.is_empty() {
        return json!(turn.content);
    }
    let picture = |address| json!({"type": "image_url", "image_url": {"url": address}});
    let mut parts = vec![json!({"type": "text", "text": turn.content})];
    parts.extend(turn.images.iter().map(picture));
    Value::Array(parts)
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn turn(images: &[String]) -> ChatTurn {
        ChatTurn {
            role: Role::User,
            content: "what is it?".to_owned(),
            images: images.to_vec(),
        }
    }

    #[test]
    fn pictures_become_parts_behind_the_text() {
        let png = "data:image/png;base64,aGVsbG8=".to_owned();
        let expected = json!({"role": "user", "content": [
            {"type": "text", "text": "what is it?"},
            {"type": "image_url", "image_url": {"url": png}}
        ]});
        assert_eq!(message(&turn(&[png])), expected);
        assert_eq!(message(&turn(&[]))["content"], "what is it?");
    }

    #[test]
    fn what_is_no_small_picture_or_not_read_is_refused() {
        let good = "data:image/jpeg;base64,AAAA".to_owned();
        assert!(check(&[turn(&vec![good.clone(); 4])], true).is_ok());
        let hostile = [
            "https://example.com/a.png",
            "data:image/svg+xml;base64,AAAA",
            "data:text/html;base64,AAAA",
            "data:image/png;base64,",
            "data:image/png;base64,====",
            "data:image/png;base64,AA\"}],",
            "javascript:alert(1)",
            "",
        ];
        for address in hostile {
            let told = check(&[turn(&[address.to_owned()])], true);
            assert_eq!(told, Err(("images", FieldError::NotAPicture)), "{address}");
        }
        let large = format!("{}{}", KINDS[0], "A".repeat(BYTES_MAX));
        let told = check(&[turn(&[large])], true);
        assert_eq!(told, Err(("images", FieldError::NotAPicture)));
        let many = check(&[turn(&vec![good.clone(); 5])], true);
        assert_eq!(many, Err(("images", FieldError::TooMany(4))));
        let long = vec![turn(&vec![good.clone(); 4]); 5];
        assert_eq!(check(&long, true), Err(("images", FieldError::TooMany(16))));
        let blind = check(&[turn(&[good])], false);
        assert_eq!(blind, Err(("images", FieldError::NoVision)));
        assert!(check(&[turn(&[])], false).is_ok());
    }
}
