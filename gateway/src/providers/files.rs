//! Files at addresses that tenants give, fetched for providers that take bytes alone. Only what goes to such a
//! provider is fetched; a call has so many files and bytes, and all calls together have bounded room, which is
//! taken as bytes come: whoever is slow holds little.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::try_join_all;
use outbound::{FileProblem, FileRequest, Outbound, OutboundError};
use shared::dialect::neutral::{ChatRequest, MediaKind};
use shared::dialect::pictures::{PictureMaker, PictureRequest};
use shared::dialect::{BadBody, Dialect, Head, openai_images};
use shared::fault::{Fault, FaultKind};
use shared::link::Call;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::spoken::unsaid;
use super::{Refusal, Route};

/// Files of one call; as many as a request for pictures may have.
const FILES_MAX: usize = 16;
/// Of one file: what providers take inline.
const FILE_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Of all files of a call.
const CALL_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Of all files that are held at once, by whomever.
const ROOM_BYTES: usize = 256 * 1024 * 1024;
/// Room is taken in pieces of so many bytes.
const PIECE_BYTES: usize = 4 * 1024;
/// For one file, from the name to the last byte.
const DEADLINE: Duration = Duration::from_secs(20);

/// Fetches files; one of a gateway.
#[derive(Debug)]
pub(crate) struct Files {
    outbound: Outbound,
    room: Arc<Semaphore>,
}

/// What was fetched for a call, by its addresses. The room that it takes is free again when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Fetched(HashMap<String, FetchedFile>);

#[derive(Debug)]
struct FetchedFile {
    media_type: Option<String>,
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// A file as it comes, and the room that it takes.
struct Coming<'a> {
    room: &'a Arc<Semaphore>,
    bytes: BytesMut,
    held: Option<OwnedSemaphorePermit>,
}

impl Coming<'_> {
    /// Keeps more of it, if there is room.
    fn keep(&mut self, data: &[u8]) -> bool {
        let pieces = (self.bytes.len() + data.len()).div_ceil(PIECE_BYTES);
        let held = self
            .held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(more) = u32::try_from(pieces.saturating_sub(held)) else {
            return false;
        };
        let Ok(permit) = self.room.clone().try_acquire_many_owned(more) else {
            return false;
        };
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        self.bytes.extend_from_slice(data);
        true
    }
}

impl Files {
    /// Whether files may be fetched from private networks, too.
    pub(crate) fn new(allows_private: bool) -> Self {
        Self {
            outbound: Outbound::system(allows_private),
            room: Arc::new(Semaphore::new(ROOM_BYTES / PIECE_BYTES)),
        }
    }

    async fn fetch(&self, url: String, bytes_max: usize) -> Result<(String, FetchedFile), Refusal> {
        let wanted = FileRequest {
            url: &url,
            accept: "*/*",
            deadline: DEADLINE,
            bytes_max,
        };
        let mut coming = Coming {
            room: &self.room,
            bytes: BytesMut::new(),
            held: None,
        };
        let head = self.outbound.file(&wanted, |data| coming.keep(data)).await;
        let head = head.map_err(|problem| refusal(&url, &problem))?;
        let file = FetchedFile {
            media_type: head.media_type,
            bytes: coming.bytes.freeze(),
            _room: coming.held,
        };
        Ok((url, file))
    }

    /// All of them, or the first reason why not.
    async fn fetch_all(&self, mut urls: Vec<String>) -> Result<Fetched, Refusal> {
        urls.sort_unstable();
        urls.dedup();
        if urls.len() > FILES_MAX {
            let message =
                format!("At most {FILES_MAX} files can be given by their addresses to this model.");
            return Err(unsaid(&BadBody::whole(message)));
        }
        let Some(each_max) = CALL_BYTES_MAX.checked_div(urls.len()) else {
            return Ok(Fetched::default());
        };
        let bytes_max = each_max.min(FILE_BYTES_MAX);
        let all = urls.into_iter().map(|url| self.fetch(url, bytes_max));
        Ok(Fetched(try_join_all(all).await?.into_iter().collect()))
    }
}

/// Why a file can't be had, without what the tenant may have put into the address as a proof, and without where a
/// name leads that is not on the internet.
fn refusal(url: &str, problem: &FileProblem) -> Refusal {
    let host = http::Uri::try_from(url).ok();
    let host = host
        .as_ref()
        .and_then(http::Uri::host)
        .unwrap_or("its host");
    let why = match problem {
        FileProblem::NoRoom => {
            return Fault::new(FaultKind::Internal, "too many files are being fetched").into();
        }
        FileProblem::NoAnswer(OutboundError::Closed(_)) => {
            "the host is not on the internet".to_owned()
        }
        FileProblem::NoAnswer(OutboundError::Unreachable(_)) => "no connection".to_owned(),
        FileProblem::NoAnswer(OutboundError::Broken(_)) => "the connection broke".to_owned(),
        FileProblem::NoAnswer(_)
        | FileProblem::Status(_)
        | FileProblem::Redirects
        | FileProblem::TooLarge(_)
        | FileProblem::Packed => problem.to_string(),
    };
    unsaid(&BadBody::whole(format!(
        "The file at {host} can't be fetched, which this model needs: {why}. Send it with the request instead."
    )))
}

fn wrong(what: &str) -> BadBody {
    BadBody::whole(format!("The file at an address of the request is {what}."))
}

impl Fetched {
    /// What of `call` lies at addresses and goes to a provider of `dialect` as bytes alone.
    pub(super) async fn of(
        call: &Call,
        dialect: &'static dyn Dialect,
        route: Route<'_>,
    ) -> Result<Self, Refusal> {
        let own = call.surface.dialect;
        // First what costs nothing: bodies that pass as they came are not looked through.
        let is_foreign = own.name() != dialect.name() && needs_bytes(dialect);
        let may_need = is_foreign && may_have_addresses(&call.body);
        let Some(files) = route.files.filter(|_| may_need) else {
            return Ok(Self::default());
        };
        let mut urls = Vec::new();
        if let (Some(task), Some(maker)) = (own.picture_task(), dialect.pictures()) {
            if !maker.takes_bytes_alone() {
                return Ok(Self::default());
            }
            let asked = call
                .body()
                .and_then(|body| openai_images::asked(task, &body));
            let mut asked = asked.map_err(|error| unsaid(&error))?;
            asked.each_given(|given| urls.extend(given.address().map(str::to_owned)));
        } else if let (Some(from), Some(into)) = (own.translator(), dialect.translator()) {
            let kinds = into.bytes_only();
            let head = Head {
                model: Some(route.model.to_owned()),
                stream: Some(call.stream),
                headers: call.headers.clone(),
            };
            let asked = from.read_request(&head, &call.body);
            let mut asked = asked.map_err(|error| unsaid(&error))?;
            each_address(&mut asked, kinds, |media| {
                urls.extend(media.address().map(str::to_owned));
            });
        }
        files.fetch_all(urls).await
    }

    /// Puts them into the request in the place of their addresses.
    pub(super) fn put_into(
        &self,
        request: &mut ChatRequest,
        kinds: &[MediaKind],
    ) -> Result<(), BadBody> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut put = Ok(());
        each_address(request, kinds, |media| {
            let Some(file) = media.address().and_then(|url| self.0.get(url)) else {
                return;
            };
            if let Err(what) = media.put(file.media_type.as_deref(), &file.bytes) {
                put = Err(wrong(what));
            }
        });
        put
    }

    /// The same of a request for pictures.
    pub(super) fn put_into_pictures(&self, request: &mut PictureRequest) -> Result<(), BadBody> {
        let mut put = Ok(());
        request.each_given(|given| {
            let Some(file) = given.address().and_then(|url| self.0.get(url)) else {
                return;
            };
            if let Err(what) = given.put(file.bytes.clone()) {
                put = Err(wrong(what));
            }
        });
        put
    }
}

/// Whether anything goes to providers of that dialect as bytes alone.
fn needs_bytes(dialect: &'static dyn Dialect) -> bool {
    let of_pictures = dialect.pictures();
    let of_chats = dialect.translator();
    of_pictures.is_some_and(PictureMaker::takes_bytes_alone)
        || of_chats.is_some_and(|into| !into.bytes_only().is_empty())
}

/// Whether any address can stand in a body: nearly none has one, and most need not be read for it.
fn may_have_addresses(body: &[u8]) -> bool {
    // As JSON may write it as well.
    let is_there = |text: &[u8]| memchr::memmem::find(body, text).is_some();
    is_there(b"://") || is_there(b":\\/\\/") || is_there(b"\\u00")
}

fn each_address(
    request: &mut ChatRequest,
    kinds: &[MediaKind],
    mut each: impl FnMut(&mut shared::dialect::neutral::Media),
) {
    request.each_medium(|media| {
        if kinds.contains(&media.kind) && media.address().is_some() {
            each(media);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_as_bytes_come_and_given_back() {
        let room = Arc::new(Semaphore::new(4));
        let coming = || Coming {
            room: &room,
            bytes: BytesMut::new(),
            held: None,
        };
        let (mut one, mut other) = (coming(), coming());
        assert!(one.keep(&[0; PIECE_BYTES]) && one.keep(&[0; 1]));
        assert_eq!(room.available_permits(), 2);
        assert!(one.keep(&[0; PIECE_BYTES - 1]));
        assert_eq!(room.available_permits(), 2);
        assert!(other.keep(&[0; 2 * PIECE_BYTES]));
        assert!(!other.keep(&[0; 1]) && !one.keep(&[0; 1]));
        drop(other);
        assert!(one.keep(&[0; 1]));
        drop(one);
        assert_eq!(room.available_permits(), 4);
    }

    #[test]
    fn a_refusal_tells_neither_proofs_nor_where_private_names_lead() {
        let url = "https://files.example/a.png?token=very-secret";
        let closed = "10.1.2.3".parse().expect("an address");
        for problem in [
            FileProblem::NoAnswer(OutboundError::Closed(closed)),
            FileProblem::NoAnswer(OutboundError::Unreachable("10.1.2.3 refused".to_owned())),
            FileProblem::NoAnswer(OutboundError::Broken("10.1.2.3".to_owned())),
            FileProblem::Status(403),
            FileProblem::TooLarge(7),
        ] {
            let refusal = refusal(url, &problem);
            let words = refusal.caller.expect("the tenant is told").message;
            assert!(words.contains("files.example"), "{words}");
            assert!(
                !words.contains("secret") && !words.contains("10.1"),
                "{words}"
            );
            assert_eq!(refusal.fault.kind, FaultKind::BadRequest);
        }
        let full = refusal(url, &FileProblem::NoRoom);
        assert_eq!((full.fault.kind, full.caller), (FaultKind::Internal, None));
    }

    #[test]
    fn bodies_without_addresses_are_not_read_for_them() {
        for (body, may) in [
            (r#"{"messages":[{"content":"hello"}]}"#, false),
            (r#"{"url":"https://x.example"}"#, true),
            (r#"{"url":"https:\/\/x.example"}"#, true),
            (r#"{"url":"https:\u002f\u002fx.example"}"#, true),
        ] {
            assert_eq!(may_have_addresses(body.as_bytes()), may, "{body}");
        }
    }
}
