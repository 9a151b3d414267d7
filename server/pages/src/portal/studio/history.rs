//! What is kept of a person's studio: their conversations as a list, the files of their pictures, and deleting
//! any of it. Everything here is the person's own; what is somebody else's is not there.

use admin_templates::form::Form;
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use admin_templates::portal::{KeptChatRow, StudioHistory};
use futures_util::TryStreamExt;
use poem::http::{HeaderMap, StatusCode, header};
use poem::web::{Path, Query};
use poem::{Body, Response, handler};
use server_rooms::studio::{ChatHead, PictureHead};

use super::super::super::error::{PageError, PageResult};
use super::super::super::session::Member;
use super::super::rows::{Asked, field};
use super::{Studio, memory};

/// Where the list is.
const PATH: &str = "/portal/studio";
/// Conversations of a page.
const CHATS: usize = 30;
/// Letters of a search.
const WORDS_MAX: usize = 200;

fn row(head: ChatHead) -> KeptChatRow {
    KeptChatRow {
        id: head.id,
        title: head.title,
        model: head.model,
        credits: head.charged,
        at: head.touched_at,
    }
}

/// `GET /portal/studio`
#[handler]
pub(in super::super) async fn chat_list(
    who: Member,
    studio: Studio,
    Query(asked): Query<Asked>,
) -> PageResult {
    let words: String = field(&asked, "q").trim().chars().take(WORDS_MAX).collect();
    let after = Some(field(&asked, "after")).filter(|after| !after.is_empty());
    let whose = memory::person(&who);
    let page = studio.memory.chats(&whose, (&words, after), CHATS).await?;
    let days = studio.memory.days(&who.tenant.id).await?;
    let view = StudioHistory {
        list: ListState {
            filters: Form::of([("q", words.as_str())]),
            next: page.next,
            ..ListState::whole()
        },
        rows: page.rows.into_iter().map(row).collect(),
        days: days.map(u64::from),
    };
    who.show(&view).await
}

/// `POST /portal/studio/chats/{id}/delete`
#[handler]
pub(in super::super) async fn delete_chat(
    who: Member,
    Path(id): Path<String>,
    studio: Studio,
) -> PageResult {
    let whose = memory::person(&who);
    if studio.memory.forget_chat(&whose, &id).await? {
        who.done(PATH, &Notice::Deleted)
    } else {
        Err(PageError::NotFound)
    }
}

/// `POST /portal/studio/forget`: all of theirs, conversations and images.
#[handler]
pub(in super::super) async fn forget_all(who: Member, studio: Studio) -> PageResult {
    studio.memory.forget_all(&memory::person(&who)).await?;
    who.done(PATH, &Notice::Deleted)
}

/// The name under which a picture's file is saved: plain letters alone, so that no header is broken by them.
fn file_name(picture: &PictureHead) -> String {
    let ending = picture.kind.map_or("bin", |kind| kind.ending());
    format!("{}.{ending}", picture.id)
}

/// `GET /portal/studio/images/{id}/file`, with `download` to be saved. Its kind is what its first bytes say, one of
/// a list; anything else is only ever saved.
#[handler]
pub(in super::super) async fn image_file(
    who: Member,
    Path(id): Path<String>,
    studio: Studio,
    Query(asked): Query<Asked>,
    headers: &HeaderMap,
) -> PageResult {
    let whose = memory::person(&who);
    let picture = studio.memory.picture(&whose, &id).await?;
    let picture = picture.filter(|picture| picture.is_there);
    let picture = picture.ok_or(PageError::NotFound)?;
    // What is kept never changes; the session and the picture were looked at all the same.
    let tag = format!("\"{}\"", picture.id);
    let known = headers.get(header::IF_NONE_MATCH);
    let is_known = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let answer = Response::builder()
        .header(header::ETAG, &tag)
        // In the browser of this person alone, and asked about each time: it may be deleted meanwhile.
        .header(header::CACHE_CONTROL, "private, no-cache");
    if is_known {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    let parts = studio.memory.picture_parts(&whose, &picture);
    let is_shown = picture.kind.is_some() && field(&asked, "download").is_empty();
    let place = if is_shown { "inline" } else { "attachment" };
    let kind = picture
        .kind
        .map(server_rooms::studio::PictureKind::content_type);
    Ok(answer
        .content_type(kind.unwrap_or("application/octet-stream"))
        .header(
            header::CONTENT_DISPOSITION,
            format!("{place}; filename=\"{}\"", file_name(&picture)),
        )
        .body(Body::from_bytes_stream(
            parts.map_err(std::io::Error::other),
        )))
}
