//! Conversations: a turn is written before its call is made, refused where somebody said something else in the
//! conversation meanwhile, and read again with its answers. Calls nothing.

use std::collections::HashMap;
use std::time::Duration;

use server_store::studio::{
    AnswerPlace, AnswerRow, ChatBounds, ChatRow, NewChatTurn, StudioPart, TurnBegin, TurnRow,
    states,
};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::ChatId;
use tokio::sync::oneshot;

use super::awaited::{Awaited, ROW_BYTES, bound_to};
use super::{
    NotKept, StudioAnswered, StudioAsked, StudioMemory, StudioPage, StudioPerson, cursor,
    next_word, since,
};

/// Messages of a conversation; each is read where it is opened.
const TURNS_MAX: i64 = 500;
/// Answers to one message.
const ANSWERS_MAX: i64 = 16;
/// A conversation that weighs more takes no further turn, since it is read whole, and a message or an answer has no
/// more than that.
pub(super) const CHAT_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// How long a call waits until its message is kept; then it goes on without.
const BEGIN_WITHIN: Duration = Duration::from_secs(2);
/// Letters of a word that names an attempt.
const NONCE_BYTES_MAX: usize = 64;
/// Conversations whose titles are looked through for one page of a search, and read at once.
const SEARCHED: (usize, i64) = (2_000, 200);

/// A turn that is about to be asked.
#[derive(Debug, Clone)]
pub struct NewTurnKept {
    /// The conversation; a new one where it is absent.
    pub chat: Option<ChatId>,
    /// How many messages of it the person has seen, those of other branches counted.
    pub seen: u32,
    /// The turn that is written anew.
    pub instead: Option<u32>,
    /// The turn that is asked once more.
    pub again: Option<u32>,
    /// The how many-th answer to the message, where several models are asked at once.
    pub answer: u32,
    /// Names the attempt: the window it comes from, a dot, and the message's number there; a fresh one where it is
    /// absent. What the same window sent it is taken to know.
    pub nonce: Option<String>,
    /// By which model.
    pub model: String,
    /// What is asked.
    pub asked: StudioAsked,
}

/// Why a turn may not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnRefused {
    /// Somebody said something else in the conversation meanwhile.
    Newer,
    /// This attempt was made before.
    Twice,
    /// The conversation is not there any more.
    Gone,
    /// The conversation has as much as one may have.
    Full,
}

/// What became of a turn's message.
#[derive(Debug)]
pub enum ChatOpening {
    /// It is written, and its answer is awaited.
    Awaited(Box<Awaited>),
    /// It is not kept, and why.
    Not(NotKept),
    /// Nothing of the tenant's is kept.
    Off,
}

/// A conversation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatHead {
    /// Its id.
    pub id: String,
    /// Its first words.
    pub title: String,
    /// The model that was asked last.
    pub model: String,
    /// What its answers were charged.
    pub charged: Credits,
    /// When somebody said something in it.
    pub touched_at: Moment,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatAnswer {
    /// The how many-th to its message.
    pub place: i64,
    /// By which model.
    pub model: String,
    /// One of the store's words.
    pub status: String,
    /// The call.
    pub call: Option<String>,
    /// What it was charged.
    pub charged: Option<Credits>,
    /// What was said.
    pub answered: StudioAnswered,
}

impl ChatAnswer {
    /// Whether it came to its end.
    pub fn is_whole(&self) -> bool {
        self.status == states::WHOLE
    }

    /// Whether a process works on it.
    pub fn is_coming(&self) -> bool {
        self.status == states::COMING
    }

    /// Whether the person stopped it.
    pub fn is_stopped(&self) -> bool {
        self.status == states::STOPPED
    }

    /// Whether its process died.
    pub fn is_lost(&self) -> bool {
        self.status == states::LOST
    }
}

/// A turn as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatTurnKept {
    /// The how many-th message that was ever written in the conversation.
    pub place: i64,
    /// What was asked.
    pub asked: StudioAsked,
    /// The answers.
    pub answers: Vec<ChatAnswer>,
}

/// A conversation with what was said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    /// As lists have it.
    pub head: ChatHead,
    /// How many messages were ever written in it.
    pub turns: u32,
    /// The turns that are shown: from the first one to the newest, without other branches.
    pub path: Vec<ChatTurnKept>,
}

/// To what the seal of a title is bound.
fn title_bound(who: &StudioPerson, chat: &str) -> String {
    format!("studio:{}:{chat}:title", who.tenant)
}

/// And that of a message.
fn turn_bound(who: &StudioPerson, chat: &str, nonce: &str) -> String {
    format!("studio:{}:{chat}:asked:{nonce}", who.tenant)
}

/// Whether a word names an attempt.
fn is_nonce(word: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.';
    !word.is_empty() && word.len() <= NONCE_BYTES_MAX && word.bytes().all(is_plain)
}

/// Where a new turn goes.
struct TurnWriting {
    who: StudioPerson,
    since: Moment,
    chat: String,
    nonce: String,
    title: Vec<u8>,
    sealed: Vec<u8>,
    weight: i64,
    new: NewTurnKept,
}

impl StudioMemory {
    /// Writes a person's message before its call is made, and that its answer is awaited. Where it can't be kept,
    /// or not soon, the call goes on without; it is refused alone where the conversation went another way.
    pub async fn begin(
        &self,
        who: &StudioPerson,
        new: NewTurnKept,
    ) -> Result<ChatOpening, TurnRefused> {
        if i64::from(new.answer) >= ANSWERS_MAX {
            return Err(TurnRefused::Full);
        }
        // What begins has nothing that could be written anew; the row of such a conversation would stay empty.
        if new.seen == 0 && (new.again.is_some() || new.instead.is_some()) {
            return Err(TurnRefused::Gone);
        }
        let this = self.clone();
        let who = who.clone();
        let (done, told) = oneshot::channel();
        let work = async move {
            let begun = this.write_turn(who, new).await;
            // Whoever waited has gone on without.
            if let Err(Ok(ChatOpening::Awaited(late))) = done.send(begun) {
                late.undo().await;
            }
        };
        drop(self.0.supervisor.spawn("studio turn", work));
        match tokio::time::timeout(BEGIN_WITHIN, told).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(_)) | Err(_) => Ok(ChatOpening::Not(NotKept::Unwritten)),
        }
    }

    async fn write_turn(
        &self,
        who: StudioPerson,
        new: NewTurnKept,
    ) -> Result<ChatOpening, TurnRefused> {
        let not = |why: NotKept| Ok(ChatOpening::Not(why));
        let days = match self.days(&who.tenant).await {
            Ok(Some(days)) => days,
            Ok(None) => return Ok(ChatOpening::Off),
            Err(error) => return not(error.into()),
        };
        let writing = self.turn_writing(who, new, since(self.now(), Some(days)));
        let keeping = &self.0.keeping;
        if writing.sealed.len() > self.item_bytes() {
            return not(NotKept::TooLarge);
        }
        let tenant = &writing.who.tenant;
        if let Err(error) = keeping.take_room(tenant, writing.weight).await {
            return not(error.into());
        }
        let (turn, answer) = match self.begin_turn(&writing).await {
            Ok(TurnBegin::Here(turn, answer)) => (turn, answer),
            Ok(TurnBegin::Newer) => return Err(TurnRefused::Newer),
            Ok(TurnBegin::Gone) => return Err(TurnRefused::Gone),
            Ok(TurnBegin::Full) => return Err(TurnRefused::Full),
            // Two attempts of one name at once.
            Ok(TurnBegin::Twice) | Err(DbError::Duplicate(_)) => return Err(TurnRefused::Twice),
            Err(error) => return not(error.into()),
        };
        let place = (writing.who.tenant.clone(), writing.chat);
        let awaited = Awaited::new(self.clone(), place, (turn, answer));
        Ok(ChatOpening::Awaited(Box::new(awaited)))
    }

    fn turn_writing(&self, who: StudioPerson, new: NewTurnKept, since: Moment) -> TurnWriting {
        let chat = new.chat.clone().unwrap_or_else(ChatId::random);
        let chat = chat.into_string();
        let nonce = new.nonce.clone().filter(|nonce| is_nonce(nonce));
        let nonce = nonce.unwrap_or_else(|| shared::id::random_text(24));
        let keeping = &self.0.keeping;
        let title = new.asked.title();
        let title = keeping.seal_bytes(&title_bound(&who, &chat), title.as_bytes());
        let text = serde_json::to_vec(&new.asked).unwrap_or_default();
        let sealed = keeping.seal_bytes(&turn_bound(&who, &chat, &nonce), &text);
        let weight = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
        TurnWriting {
            weight: weight.saturating_add(ROW_BYTES),
            who,
            since,
            chat,
            nonce,
            title,
            sealed,
            new,
        }
    }

    /// Bytes of a message, and of an answer.
    pub(super) fn item_bytes(&self) -> usize {
        let most = usize::try_from(CHAT_BYTES_MAX).unwrap_or(usize::MAX);
        self.0.keeping.bounds().item_bytes.min(most)
    }

    async fn begin_turn(&self, writing: &TurnWriting) -> Result<TurnBegin, DbError> {
        let new = &writing.new;
        let at = writing.who.at(&writing.chat);
        let model = new.model.replace('\0', "");
        let turn = NewChatTurn {
            nonce: &writing.nonce,
            title: &writing.title,
            model: &model,
            seen: i64::from(new.seen),
            instead: new.instead.map(i64::from),
            again: new.again.map(i64::from),
            answer: i64::from(new.answer),
            asked: (&writing.sealed, writing.weight),
            boot: self.0.keeping.boot(),
        };
        let bounds = ChatBounds {
            turns: TURNS_MAX,
            answers: ANSWERS_MAX,
            bytes: CHAT_BYTES_MAX,
            since: writing.since,
        };
        self.store().begin_turn(at, turn, bounds, self.now()).await
    }

    fn head(&self, who: &StudioPerson, row: ChatRow) -> Result<ChatHead, DbError> {
        let bound = title_bound(who, &row.id);
        let title = self.0.keeping.open_bytes(&bound, &row.title)?;
        Ok(ChatHead {
            title: String::from_utf8_lossy(&title).into_owned(),
            id: row.id,
            model: row.model,
            charged: Credits::from_micros(row.charged_micros),
            touched_at: Moment::from_unix_ms(row.touched_at),
        })
    }

    /// A page of a person's conversations, the one that was touched last first; with `words` those alone whose
    /// titles have them, whatever the case. Titles are sealed, so they are opened and looked through, some
    /// thousands for one page at most.
    pub async fn chats(
        &self,
        who: &StudioPerson,
        (words, after): (&str, Option<&str>),
        limit: usize,
    ) -> Result<StudioPage<ChatHead>, DbError> {
        let since = self.since(&who.tenant).await?;
        let words = words.to_lowercase();
        let _turn = if words.is_empty() {
            None
        } else {
            Some(self.reading().await?)
        };
        let mut behind = after.and_then(cursor).map(|(at, id)| (at, id.to_owned()));
        let (mut rows, mut looked) = (Vec::new(), 0_usize);
        loop {
            let part = StudioPart {
                tenant: &who.tenant,
                user: &who.user,
                since,
                after: behind.as_ref().map(|(at, id)| (*at, id.as_str())),
                limit: SEARCHED.1,
            };
            let found = self.store().studio_chats(part).await?;
            let is_last = i64::try_from(found.len()).is_ok_and(|found| found < SEARCHED.1);
            for row in found {
                if rows.len() >= limit || looked >= SEARCHED.0 {
                    let next = behind.map(|(at, id)| next_word(at, &id));
                    return Ok(StudioPage { rows, next });
                }
                looked = looked.saturating_add(1);
                behind = Some((row.touched_at, row.id.clone()));
                let head = self.head(who, row)?;
                if words.is_empty() || head.title.to_lowercase().contains(&words) {
                    rows.push(head);
                }
            }
            if is_last {
                return Ok(StudioPage { rows, next: None });
            }
        }
    }

    /// A person's conversation with what was said in it; `None` where it is not there, or not theirs.
    pub async fn chat(&self, who: &StudioPerson, id: &str) -> Result<Option<Chat>, DbError> {
        let since = self.since(&who.tenant).await?;
        if id.contains('\0') {
            return Ok(None);
        }
        let Some(row) = self.store().studio_chat(who.at(id), since).await? else {
            return Ok(None);
        };
        let _turn = self.reading().await?;
        let head = self.head(who, row)?;
        let turns = self.store().studio_turns(&who.tenant, id).await?;
        let mut answers: HashMap<i64, Vec<ChatAnswer>> = HashMap::new();
        for row in self.store().studio_answers(&who.tenant, id).await? {
            let turn = row.turn;
            answers
                .entry(turn)
                .or_default()
                .push(self.answer(who, row)?);
        }
        let count = turns.last().map_or(0, |last| last.place.saturating_add(1));
        let mut path = Vec::new();
        for row in shown(turns) {
            let bound = turn_bound(who, id, &row.nonce);
            let text = self.0.keeping.open_bytes(&bound, &row.sealed)?;
            path.push(ChatTurnKept {
                place: row.place,
                asked: read(&bound, &text)?,
                answers: answers.remove(&row.place).unwrap_or_default(),
            });
        }
        Ok(Some(Chat {
            head,
            turns: u32::try_from(count).unwrap_or(u32::MAX),
            path,
        }))
    }

    fn answer(&self, who: &StudioPerson, row: AnswerRow) -> Result<ChatAnswer, DbError> {
        let bound = bound_to(AnswerPlace {
            tenant: &who.tenant,
            chat: &row.chat_id,
            turn: row.turn,
            place: row.place,
        });
        let answered = match &row.sealed {
            Some(sealed) => read(&bound, &self.0.keeping.open_bytes(&bound, sealed)?)?,
            None => StudioAnswered::default(),
        };
        Ok(ChatAnswer {
            place: row.place,
            model: row.model,
            status: row.status,
            call: row.call_id,
            charged: row.charged_micros.map(Credits::from_micros),
            answered,
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(place: &str, text: &[u8]) -> Result<T, DbError> {
    serde_json::from_slice(text)
        .map_err(|why| DbError::Damaged(format!("`{place}` is not readable: {why}")))
}

/// The turns from the first one to the newest, without other branches.
fn shown(turns: Vec<TurnRow>) -> Vec<TurnRow> {
    let mut wanted = turns.last().map(|last| last.place);
    let mut path: Vec<TurnRow> = turns
        .into_iter()
        .rev()
        .filter(|turn| {
            let is_on = wanted == Some(turn.place);
            if is_on {
                wanted = turn.follows;
            }
            is_on
        })
        .collect();
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(place: i64, follows: Option<i64>) -> TurnRow {
        TurnRow {
            tenant_id: String::new(),
            chat_id: String::new(),
            place,
            follows,
            nonce: String::new(),
            created_at: 0,
            bytes: 0,
            sealed: Vec::new(),
        }
    }

    #[test]
    fn the_newest_branch_is_shown() {
        /// A turn's place, and the place of the one that it follows.
        type Turn = (i64, Option<i64>);
        let cases: &[(&[Turn], &[i64])] = &[
            (&[], &[]),
            (&[(0, None), (1, Some(0)), (2, Some(1))], &[0, 1, 2]),
            // The second message was written anew, and answered on.
            (
                &[(0, None), (1, Some(0)), (2, Some(0)), (3, Some(2))],
                &[0, 2, 3],
            ),
            // The first one was.
            (&[(0, None), (1, Some(0)), (2, None)], &[2]),
            // A turn that is not there ends the path.
            (&[(3, Some(2))], &[3]),
        ];
        for (turns, path) in cases {
            let turns = turns.iter().map(|(place, follows)| turn(*place, *follows));
            let places: Vec<i64> = shown(turns.collect()).iter().map(|t| t.place).collect();
            assert_eq!(places, *path);
        }
    }
}
