//! Where each maker's models are asked, and in which words.

use shared::link::options::ProviderOptions;
use shared::secret::Secret;

use super::*;
use crate::providers::learned::Learned;
use crate::providers::vendor::doors::dialect;

#[test]
fn the_model_says_in_which_words_and_where_it_is_asked() {
    let (key, learned) = (Secret::new("ya29.x".to_owned()), Learned::default());
    let options = ProviderOptions::default();
    for (model, word, whole, stream) in [
        (
            "gemini-3.8-flash",
            "gemini",
            "/publishers/google/models/gemini-3.8-flash:generateContent",
            "/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        ),
        (
            "claude-haiku-4-5@20251001",
            "anthropic_messages",
            "/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict",
            "/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict",
        ),
        (
            "endpoints/123",
            "gemini",
            "/endpoints/123:generateContent",
            "/endpoints/123:streamGenerateContent?alt=sse",
        ),
        (
            "../a?b",
            "gemini",
            "/publishers/google/models/..%2Fa%3Fb:generateContent",
            "/publishers/google/models/..%2Fa%3Fb:streamGenerateContent?alt=sse",
        ),
    ] {
        let route = Route {
            base_url: "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
            options: &options,
            key: &key,
            model,
            learned: &learned,
        };
        for surface in shared::surface::SURFACES {
            let found = dialect(&&VERTEX, surface, route);
            if surface.operation != Operation::Chat {
                assert!(found.is_none());
                continue;
            }
            let found = found.expect("it does chats");
            assert_eq!(found.name(), word, "{model} {}", surface.path);
            let door = &VERTEX;
            assert_eq!(door.path(surface, found, route, false), whole);
            assert_eq!(door.path(surface, found, route, true), stream);
        }
    }
}
