//! What an operator pasted, sealed, while it is looked at before it is done: the page carries it back, and
//! nobody but this server reads it there.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use server_store::audit::Actor;
use shared::clock::Moment;
use shared::seal::Sealer;
use shared::secret::Secret;

use super::{ProviderRef, Providers};

/// How long a draft may be looked at.
const DRAFT_MAX: Duration = Duration::from_secs(15 * 60);
/// The moment at which it ends, in front of it.
const END_BYTES: usize = 8;

/// What a draft is sealed for: somebody's own, of one provider.
fn place(actor: &Actor, of: &ProviderRef) -> String {
    format!("keys to be added|{}|{of}", actor.id)
}

fn sealed(sealer: &Sealer, place: &str, text: &Secret<String>, now: Moment) -> String {
    let ends = now.after(DRAFT_MAX).unix_ms();
    let plain = [&ends.to_be_bytes(), text.expose().as_bytes()].concat();
    URL_SAFE_NO_PAD.encode(sealer.seal(place, &plain))
}

fn opened(sealer: &Sealer, place: &str, draft: &str, now: Moment) -> Option<Secret<String>> {
    let sealed = URL_SAFE_NO_PAD.decode(draft).ok()?;
    let plain = sealer.open(place, &sealed).ok()?;
    let (ends, text) = plain.split_first_chunk::<END_BYTES>()?;
    if now.unix_ms() > i64::from_be_bytes(*ends) {
        return None;
    }
    String::from_utf8(text.to_vec()).ok().map(Secret::new)
}

impl Providers {
    /// Seals `text` for whoever pasted it.
    pub fn seal_draft(&self, actor: &Actor, of: &ProviderRef, text: &Secret<String>) -> String {
        sealed(&self.sealer, &place(actor, of), text, self.clock.now())
    }

    /// The text again; nothing when it is another one's, changed or too old.
    pub fn open_draft(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        draft: &str,
    ) -> Option<Secret<String>> {
        opened(&self.sealer, &place(actor, of), draft, self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_its_owners_and_ends() {
        let sealer = Sealer::new(&Secret::new(
            "a secret of thirty-two bytes and more".to_owned(),
        ));
        let text = Secret::new("sk-0123456789ab".to_owned());
        let at = |ms: i64| Moment::from_unix_ms(1_000_000_000_000 + ms);
        let draft = sealed(&sealer, "mine", &text, at(0));
        assert!(!draft.contains("sk-"));
        let read = |place: &str, draft: &str, ms: i64| {
            let read = opened(&sealer, place, draft, at(ms));
            read.map(|text| text.expose().clone())
        };
        let end = 15 * 60 * 1_000;
        assert_eq!(
            read("mine", &draft, end).as_deref(),
            Some("sk-0123456789ab")
        );
        assert_eq!(read("mine", &draft, end + 1), None);
        assert_eq!(read("another's", &draft, 0), None);
        assert_eq!(read("mine", &draft[1..], 0), None);
        assert_eq!(read("mine", "", 0), None);
        assert_eq!(read("mine", "not base64!", 0), None);
    }
}
