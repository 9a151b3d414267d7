//! What is kept of the studio, between its pages and the room: whose it is, a turn before its call, and what
//! was kept as the pages show it. Keeps nothing itself.

use admin_templates::labels::{KeptTold, Speaker};
use admin_templates::page::{Lang, fault_told};
use admin_templates::portal::{EarlierAnswer, Message, Picture};
use serde_json::{Value, json};
use server_rooms::studio::{
    Chat, ChatAnswer, ChatOpening, ChatTurnKept, NewTurnKept, NotKept, PictureHead, StudioAsked,
    StudioPerson, TurnRefused,
};
use shared::id::ChatId;

use super::super::super::error::PageError;
use super::super::super::session::Member;
use super::super::studio_request::settings::TypedSettings;
use super::super::studio_request::{ChatForm, ChatTurn, KeptTurn, Role};
use super::Studio;

/// The field of the instructions above a conversation.
const SYSTEM: &str = "system";

/// Whose things.
pub(super) fn person(who: &Member) -> StudioPerson {
    StudioPerson {
        tenant: who.tenant.id.clone(),
        user: who.user.id.clone(),
    }
}

/// What is asked in the last message, with all that goes with it: its pictures, the instructions and what else
/// was set, under the names of the form.
fn asked(chat: &ChatForm) -> StudioAsked {
    let mut set = chat.settings.clone();
    let system = set.remove(SYSTEM);
    let is_set = |(_, value): &(String, Value)| !value.is_null() && value != "";
    StudioAsked {
        asked: chat.messages.last().map_or(Value::Null, ChatTurn::content),
        system: system.and_then(|system| system.as_str().map(str::to_owned)),
        parameters: set.into_iter().filter(is_set).collect(),
    }
}

/// What was set for the last message of a conversation.
pub(super) fn settings(chat: &Chat) -> TypedSettings {
    let Some(turn) = chat.path.last() else {
        return TypedSettings::default();
    };
    let system = turn.asked.system.iter();
    let system = system.map(|system| (SYSTEM.to_owned(), json!(system)));
    let others = turn.asked.parameters.clone().into_iter();
    system.chain(others).collect()
}

/// For whom what was said is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The model.
    pub(super) model: &'a str,
    /// Whether it reads pictures.
    pub(super) sees: bool,
}

/// The answers to a message as they stand side by side, each model's newest that says something or comes, with
/// those of its own before that.
fn side_by_side(turn: &ChatTurnKept) -> Vec<(&ChatAnswer, Vec<&ChatAnswer>)> {
    let mut columns: Vec<(&ChatAnswer, Vec<&ChatAnswer>)> = Vec::new();
    for answer in &turn.answers {
        let mut all = columns.iter_mut();
        let Some((newest, earlier)) = all.find(|(other, _)| other.model == answer.model) else {
            columns.push((answer, Vec::new()));
            continue;
        };
        if says(newest) && !says(answer) && !answer.is_coming() {
            continue;
        }
        let before = std::mem::replace(newest, answer);
        if says(before) {
            earlier.push(before);
        }
    }
    columns
}

/// Whether there is anything in it.
fn says(answer: &ChatAnswer) -> bool {
    !answer.answered.text.is_empty() || !answer.answered.images.is_empty()
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
            images,
            ..Message::said(Speaker::User, words)
        });
        for (answer, earlier) in side_by_side(turn) {
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
                earlier: earlier.into_iter().map(earlier_answer).collect(),
            });
        }
    }
    (shown, Value::Array(history))
}

/// One that another of its model stands for.
fn earlier_answer(answer: &ChatAnswer) -> EarlierAnswer {
    EarlierAnswer {
        text: answer.answered.text.clone(),
        credits: answer.charged,
        call: answer.call.clone().unwrap_or_default(),
    }
}

/// The conversation so far, as a call of a model takes it: of several answers to a message its own where it gave
/// one, else the first that says something. Pictures are left out for one that reads none.
pub(super) fn so_far(chat: &Chat, reader: Reader<'_>) -> Vec<ChatTurn> {
    let mut messages = Vec::new();
    for turn in &chat.path {
        messages.push(ChatTurn {
            role: Role::User,
            content: turn.asked.words(),
            images: if reader.sees {
                turn.asked.images()
            } else {
                Vec::new()
            },
        });
        let columns = side_by_side(turn);
        let answers = || {
            let all = columns.iter().map(|(answer, _)| *answer);
            all.filter(|answer| !answer.answered.text.is_empty())
        };
        let own = answers().find(|answer| answer.model == reader.model);
        let said = own.or_else(|| answers().next());
        messages.extend(said.map(|answer| {
            let text = answer.answered.text.clone();
            ChatTurn::words(Role::Assistant, text)
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

#[cfg(test)]
mod tests;
