//! What is kept of the studio, between its pages and the room: whose it is, a turn before its call, and what
//! was kept as the pages show it. Keeps nothing itself.

use admin_templates::labels::{KeptTold, Speaker};
use admin_templates::page::{Lang, fault_told};
use admin_templates::portal::{Message, Picture};
use serde_json::{Value, json};
use server_rooms::studio::{
    Chat, ChatAnswer, ChatOpening, NewTurnKept, NotKept, PictureHead, StudioAsked, StudioPerson,
    TurnRefused,
};
use shared::id::ChatId;

use super::super::super::error::PageError;
use super::super::super::session::Member;
use super::super::studio_request::{ChatForm, ChatTurn, KeptTurn, Role};
use super::Studio;

/// Whose things.
pub(super) fn person(who: &Member) -> StudioPerson {
    StudioPerson {
        tenant: who.tenant.id.clone(),
        user: who.user.id.clone(),
    }
}

/// What is asked in the last message, with all that goes with it.
fn asked(chat: &ChatForm) -> StudioAsked {
    let last = chat.messages.last();
    StudioAsked {
        asked: last.map_or(Value::Null, |last| json!(last.content)),
        ..StudioAsked::default()
    }
}

/// Writes the message before its call is made. A page that names no turn keeps none.
pub(super) async fn open(
    who: &Member,
    studio: &Studio,
    chat: &ChatForm,
) -> Result<ChatOpening, TurnRefused> {
    let Some(kept) = &chat.kept else {
        return Ok(ChatOpening::Off);
    };
    let KeptTurn {
        conversation,
        seen,
        instead,
        again,
        answer,
        nonce,
    } = kept.clone();
    let conversation = conversation.filter(|id| !id.is_empty());
    let named = conversation.map(|id| id.parse::<ChatId>());
    let named = named.transpose().map_err(|_| TurnRefused::Gone)?;
    let new = NewTurnKept {
        chat: named,
        seen,
        instead,
        again,
        answer,
        nonce,
        model: chat.model.clone(),
        asked: asked(chat),
    };
    studio.memory.begin(&person(who), new).await
}

/// Why a turn was refused.
pub(super) fn refused_words(lang: Lang, why: TurnRefused) -> &'static str {
    let told = match why {
        TurnRefused::Newer => KeptTold::Newer,
        TurnRefused::Twice => KeptTold::Twice,
        TurnRefused::Gone => KeptTold::Gone,
        TurnRefused::Full => KeptTold::Long,
    };
    told.text(lang)
}

/// Why something is not kept.
pub(super) fn not_kept_words(lang: Lang, why: NotKept) -> &'static str {
    let told = match why {
        NotKept::TooLarge => KeptTold::TooLarge,
        NotKept::Full => KeptTold::NoRoom,
        NotKept::Unwritten => KeptTold::Unwritten,
    };
    told.text(lang)
}

/// What is said beside an answer that is not whole, or of which not all is kept.
fn note(lang: Lang, answer: &ChatAnswer) -> String {
    let mut told = ending(lang, answer);
    if answer.answered.is_cut {
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(KeptTold::Cut.text(lang));
    }
    told
}

fn ending(lang: Lang, answer: &ChatAnswer) -> String {
    if let Some(word) = &answer.answered.fault {
        return fault_told(lang, word, &answer.model);
    }
    let told = if answer.is_whole() {
        return String::new();
    } else if answer.is_coming() {
        KeptTold::Coming
    } else if answer.is_stopped() {
        KeptTold::Stopped
    } else if answer.is_lost() {
        KeptTold::Lost
    } else {
        KeptTold::BrokeOff
    };
    told.text(lang).to_owned()
}

/// A conversation as its page shows it, and as the script goes on with it: an entry for each message and each
/// answer, in one order.
pub(super) fn told(lang: Lang, chat: &Chat) -> (Vec<Message>, Value) {
    let (mut shown, mut history) = (Vec::new(), Vec::new());
    for turn in &chat.path {
        let images = turn.asked.images();
        let words = turn.asked.words();
        let mut entry = json!({"role": Role::User, "content": words, "turn": turn.place});
        if !images.is_empty() {
            entry["images"] = json!(images);
        }
        history.push(entry);
        shown.push(Message {
            speaker: Speaker::User,
            text: words,
            images,
            credits: None,
            model: String::new(),
            call: String::new(),
            reasoning: String::new(),
            note: String::new(),
        });
        for answer in &turn.answers {
            let said = &answer.answered;
            let entry =
                json!({"role": Role::Assistant, "content": said.text, "model": answer.model});
            history.push(entry);
            shown.push(Message {
                speaker: Speaker::Assistant,
                text: said.text.clone(),
                images: said.images.clone(),
                credits: answer.charged,
                model: answer.model.clone(),
                call: answer.call.clone().unwrap_or_default(),
                reasoning: said.reasoning.clone(),
                note: note(lang, answer),
            });
        }
    }
    (shown, Value::Array(history))
}

/// The conversation so far, as a call takes it: of several answers to a message the first that says something.
pub(super) fn so_far(chat: &Chat) -> Vec<ChatTurn> {
    let mut messages = Vec::new();
    for turn in &chat.path {
        messages.push(ChatTurn {
            role: Role::User,
            content: turn.asked.words(),
        });
        let mut answers = turn.answers.iter();
        let said = answers.find(|answer| !answer.answered.text.is_empty());
        messages.extend(said.map(|answer| ChatTurn {
            role: Role::Assistant,
            content: answer.answered.text.clone(),
        }));
    }
    messages
}

/// A person's conversation.
pub(super) async fn chat(who: &Member, studio: &Studio, id: &str) -> Result<Chat, PageError> {
    let found = studio.memory.chat(&person(who), id).await?;
    found.ok_or(PageError::NotFound)
}

/// Where a picture is that is kept.
pub(super) fn picture_path(id: &str) -> String {
    format!("/portal/studio/images/{id}/file")
}

/// A picture as its page shows it.
pub(super) fn picture(head: PictureHead) -> Picture {
    Picture {
        source: head
            .kind
            .map_or_else(String::new, |_| picture_path(&head.id)),
        is_file: head.is_there,
        prompt: head.prompt.prompt,
        model: head.model,
        size: head.prompt.size,
        credits: head.charged.unwrap_or_default(),
        at: head.made_at,
        call: head.call,
        id: head.id,
    }
}
