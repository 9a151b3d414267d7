//! A file that lies at an address somebody gave: fetched with a deadline for all of it, bounded in size, and
//! through a few redirects of which each is checked as the first address was. What the file is, whoever asked
//! for it finds out.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION,
    USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use url::Url;

use super::address::{Purpose, Target, UrlProblem};
use super::{HEAD_BYTES_MAX, Line, Outbound, OutboundError, broken};

/// Redirects that are followed; storages send once to a signed address, short links once more.
const REDIRECTS_MAX: usize = 3;

/// A file that is wanted.
#[derive(Debug, Clone)]
pub struct FileRequest<'a> {
    /// Where it lies.
    pub url: &'a str,
    /// What is taken (RFC 9110, 12.5.1); a server that knows nothing of it sends what it has.
    pub accept: &'static str,
    /// For everything together: names, connections, redirects, the last byte.
    pub deadline: Duration,
    /// A larger one is not read.
    pub bytes_max: usize,
}

/// What was said of a file before it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHead {
    /// Its media type without parameters, in small letters, where the server says one. It may be wrong.
    pub media_type: Option<String>,
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Nobody answered.
    #[error(transparent)]
    NoAnswer(#[from] OutboundError),
    /// The server answered with something else than the file.
    #[error("the server answers {0}")]
    Status(u16),
    /// It sends from address to address.
    #[error("it is redirected more than {REDIRECTS_MAX} times")]
    Redirects,
    /// It is larger than a file may be.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// It is packed, though nobody asked for that.
    #[error("it is sent compressed")]
    Packed,
    /// There is no room for it where it was to be kept.
    #[error("too many files are being fetched")]
    NoRoom,
}

/// Where a request leads.
enum Step {
    Here(FileHead),
    To(String),
}

fn request(target: &Target, accept: &'static str) -> Result<Request<Empty<Bytes>>, OutboundError> {
    let host = HeaderValue::from_str(&target.authority).map_err(|_| UrlProblem::Unreadable)?;
    let mut request = Request::get(&target.path)
        .body(Empty::new())
        .map_err(|_| UrlProblem::Unreadable)?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(USER_AGENT, HeaderValue::from_static("waule"));
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(request)
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let told = text(headers, &CONTENT_TYPE)?.split(';').next()?.trim();
    (!told.is_empty()).then(|| told.to_ascii_lowercase())
}

/// What an answer's head says: the file follows, or it is elsewhere.
fn read_head(
    url: &str,
    (status, headers): (StatusCode, &HeaderMap),
    bytes_max: usize,
) -> Result<Step, FileProblem> {
    if status.is_redirection() {
        let no_place = FileProblem::Status(status.as_u16());
        let place = text(headers, &LOCATION).ok_or_else(|| no_place.clone())?;
        let base = Url::parse(url).map_err(|_| no_place.clone())?;
        let mut to = base.join(place).map_err(|_| no_place)?;
        to.set_fragment(None);
        return Ok(Step::To(to.into()));
    }
    // A part of it (206) was not asked for, and 204 has none.
    if status != StatusCode::OK {
        return Err(FileProblem::Status(status.as_u16()));
    }
    let packed = text(headers, &CONTENT_ENCODING).is_some_and(|how| how != "identity");
    if packed {
        return Err(FileProblem::Packed);
    }
    let told = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if told.is_some_and(|length| length > bytes_max) {
        return Err(FileProblem::TooLarge(bytes_max));
    }
    Ok(Step::Here(FileHead {
        media_type: media_type(headers),
    }))
}

/// Asks over a connection, and hands what comes of the file to `keep`, which says whether there is room for it.
async fn ask(
    line: Box<dyn Line>,
    (request, wanted): (Request<Empty<Bytes>>, &FileRequest<'_>),
    url: &str,
    keep: &mut (impl FnMut(&[u8]) -> bool + Send),
) -> Result<Step, FileProblem> {
    let handshake = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(line));
    let (mut sender, connection) = handshake.await.map_err(broken)?;
    let asking = async move {
        let answer = sender.send_request(request).await.map_err(broken)?;
        let (head, mut incoming) = answer.into_parts();
        let step = read_head(url, (head.status, &head.headers), wanted.bytes_max)?;
        if matches!(step, Step::To(_)) {
            return Ok(step);
        }
        let mut length = 0;
        while let Some(frame) = incoming.frame().await {
            // A file that breaks off is none.
            let Ok(data) = frame.map_err(broken)?.into_data() else {
                continue;
            };
            length += data.len();
            if length > wanted.bytes_max {
                return Err(FileProblem::TooLarge(wanted.bytes_max));
            }
            if !keep(&data) {
                return Err(FileProblem::NoRoom);
            }
        }
        Ok(step)
    };
    // The connection is driven here: nothing of it is left when the deadline is over.
    match select(Box::pin(asking), Box::pin(connection)).await {
        Either::Left((step, _)) => step,
        Either::Right((_, asking)) => asking.await,
    }
}

impl Outbound {
    async fn file_patiently(
        &self,
        wanted: &FileRequest<'_>,
        mut keep: impl FnMut(&[u8]) -> bool + Send,
    ) -> Result<FileHead, FileProblem> {
        let mut url = wanted.url.to_owned();
        for _ in 0..=REDIRECTS_MAX {
            let target = self.check_for(Purpose::File, &url)?;
            let request = request(&target, wanted.accept)?;
            let line = self.dial(target).await?;
            match ask(line, (request, wanted), &url, &mut keep).await? {
                Step::Here(head) => return Ok(head),
                Step::To(next) => url = next,
            }
        }
        Err(FileProblem::Redirects)
    }

    /// Fetches a file; `keep` is handed its bytes as they come, and ends it by answering that there is no room.
    /// After an error what was kept so far is to be thrown away.
    pub async fn file(
        &self,
        wanted: &FileRequest<'_>,
        keep: impl FnMut(&[u8]) -> bool + Send,
    ) -> Result<FileHead, FileProblem> {
        let late = |_| OutboundError::TimedOut(wanted.deadline.as_secs());
        tokio::time::timeout(wanted.deadline, self.file_patiently(wanted, keep))
            .await
            .map_err(late)?
    }
}

#[cfg(test)]
mod tests;
