//! What an operator pasted, sealed, while it is looked at before it is done: the page carries it back, and
//! nobody but this server reads it there.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use server_store::audit::Actor;
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

impl Providers {
    /// Seals `text` for whoever pasted it.
    pub fn seal_draft(&self, actor: &Actor, of: &ProviderRef, text: &Secret<String>) -> String {
        let ends = self.clock.now().after(DRAFT_MAX).unix_ms();
        let plain = [&ends.to_be_bytes(), text.expose().as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(self.sealer.seal(&place(actor, of), &plain))
    }

    /// The text again; nothing when it is another one's, changed or too old.
    pub fn open_draft(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        draft: &str,
    ) -> Option<Secret<String>> {
        let sealed = URL_SAFE_NO_PAD.decode(draft).ok()?;
        let plain = self.sealer.open(&place(actor, of), &sealed).ok()?;
        let (ends, text) = plain.split_first_chunk::<END_BYTES>()?;
        if self.clock.now().unix_ms() > i64::from_be_bytes(*ends) {
            return None;
        }
        String::from_utf8(text.to_vec()).ok().map(Secret::new)
    }
}
