//! What is told of something in the studio that is kept, or is not. Decides none of it.

use crate::page::Lang;
use crate::text::PortalText;

/// Why a turn is refused or not kept, and how an answer stands that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptTold {
    /// Another window went on.
    Newer,
    /// It was sent before.
    Twice,
    /// The conversation is not there.
    Gone,
    /// The conversation is full.
    Long,
    /// It is not kept, being too large.
    TooLarge,
    /// It is not kept, since the tenant has no room.
    NoRoom,
    /// It is not kept, since writing failed.
    Unwritten,
    /// More was said than is kept.
    Cut,
    /// The answer still comes.
    Coming,
    /// The person stopped it.
    Stopped,
    /// Its process died.
    Lost,
    /// It broke off.
    BrokeOff,
}

impl KeptTold {
    /// In a reader's language.
    pub fn text(self, lang: Lang) -> &'static str {
        let t = PortalText::of(lang);
        match self {
            Self::Newer => t.chat_newer,
            Self::Twice => t.chat_twice,
            Self::Gone => t.chat_gone,
            Self::Long => t.chat_full,
            Self::TooLarge => t.not_kept_large,
            Self::NoRoom => t.not_kept_full,
            Self::Unwritten => t.not_kept,
            Self::Cut => t.answer_cut,
            Self::Coming => t.answer_coming,
            Self::Stopped => t.stopped,
            Self::Lost => t.answer_lost,
            Self::BrokeOff => t.broke_off,
        }
    }
}
