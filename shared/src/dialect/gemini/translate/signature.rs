//! Signatures as they stand in `thoughtSignature`: bytes in base64, which Google's clients decode, and write
//! anew in either of its alphabets. A foreign one is put into base64 with its mark.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};

use crate::dialect::neutral::{Signature, SignatureFormat};

const HOME: SignatureFormat = SignatureFormat::Google;
/// What Google takes for a function call that another model made (Gemini API, "Thought signatures", 2026-11).
pub(super) const UNSIGNED: &str = "skip_thought_signature_validator";

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// How the marks of others' proofs begin in base64: `wsa1.`, `wsr1.`, `wso1.`.
pub(super) const OTHERS: [&str; 3] = ["\"d3NhMS", "\"d3NyMS", "\"d3NvMS"];
/// Characters that hold a mark.
const MARK_CHARS: usize = 4;

/// As it is written.
pub(super) fn written(signature: &Signature) -> String {
    let text = signature.written_in(Some(HOME));
    if signature.format == HOME {
        text
    } else {
        general_purpose::STANDARD.encode(text)
    }
}

fn decoded(text: &str) -> Option<String> {
    let standard: String = text
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let bytes = LENIENT.decode(standard).ok()?;
    String::from_utf8(bytes).ok()
}

/// Out of a part; `None` where it proves nothing.
pub(super) fn read(text: &str) -> Option<Signature> {
    if text.is_empty() || text == UNSIGNED {
        return None;
    }
    // Google's own are long, and none begins with a mark.
    let is_marked = text
        .get(..MARK_CHARS)
        .and_then(decoded)
        .is_some_and(|head| head.starts_with("ws"));
    let marked = is_marked
        .then(|| Signature::read_in(None, &decoded(text)?))
        .flatten();
    marked.or_else(|| Signature::read_in(Some(HOME), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_comes_back_in_whichever_alphabet_a_client_writes() {
        use SignatureFormat as F;
        for format in [F::Anthropic, F::AnthropicRedacted, F::Google, F::OpenAi] {
            for data in ["EqQBCg==", "\u{fb}\u{ff}>>>???~~~", "x"] {
                let signature = Signature {
                    format,
                    data: data.to_owned(),
                };
                let text = written(&signature);
                assert_eq!(read(&text), Some(signature.clone()), "{text}");
                if format != F::Google {
                    let other = text.replace('+', "-").replace('/', "_");
                    assert_eq!(read(&other), Some(signature.clone()), "{other}");
                    assert_eq!(
                        read(other.trim_end_matches('=')),
                        Some(signature),
                        "{other}"
                    );
                }
            }
        }
        assert_eq!(read(""), None);
        assert_eq!(read(UNSIGNED), None);
        assert_eq!(read("é").map(|one| one.format), Some(F::Google));
    }
}
