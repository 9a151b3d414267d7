//! A response's events as an HTTP body, as they come, with comments where nothing comes for a while and the last
//! event as the response is kept. Whoever leaves stops nothing.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use poem::{Body, Response};
use server_rooms::kept::{Follower, Next};
use shared::dialect::Dialect;
use shared::dialect::kept::flow::FlowEvent;

use super::super::ACCEL_BUFFERING;
use super::as_it_stands;
use crate::error::ApiError;

/// Nothing for so long is followed by a comment; see the neighbour `stream`.
const QUIET: Duration = Duration::from_secs(7);

struct Following {
    follower: Follower,
    /// What was waited for before the body began.
    first: Option<Next>,
    dialect: &'static dyn Dialect,
    is_over: bool,
}

/// Events that were asked for are not there.
pub(crate) fn missing() -> ApiError {
    let message = "The events behind this one are not kept any more: each is for an hour, and all of a response \
                   up to a size. Fetch the response without `stream`.";
    ApiError::bad_field("starting_after", message)
}

fn leaving(follower: &Follower) -> ApiError {
    let after = follower.after().map_or_else(String::new, |after| {
        format!(" with `starting_after={after}`")
    });
    ApiError::unavailable(
        format!("This server is restarting and the response continues; follow it again{after}."),
        1,
    )
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let next = match self.first.take() {
            Some(next) => Ok(next),
            None => match tokio::time::timeout(QUIET, self.follower.next()).await {
                Ok(next) => next,
                Err(_) => return self.dialect.keep_alive(),
            },
        };
        self.is_over = !matches!(next, Ok(Next::Events(_)));
        let error = match next {
            Ok(Next::Events(bytes)) => return Some(bytes),
            Ok(Next::Over(thing, number)) => {
                return number.map(|number| FlowEvent::last(as_it_stands(*thing)).bytes(number));
            }
            Ok(Next::Gone) => ApiError::not_found("response"),
            Ok(Next::Missing) => missing(),
            Ok(Next::Leaving) => leaving(&self.follower),
            Err(error) => error.into(),
        };
        Some(error.event_in(self.dialect))
    }
}

/// The body.
pub(crate) fn body(
    (follower, first): (Follower, Option<Next>),
    dialect: &'static dyn Dialect,
) -> Body {
    let following = Following {
        follower,
        first,
        dialect,
        is_over: false,
    };
    let events = futures_util::stream::unfold(following, |mut following| async {
        let next = following.next().await?;
        Some((Ok::<_, std::io::Error>(next), following))
    });
    Body::from_bytes_stream(events)
}

/// The same as an answer.
pub(super) fn response(
    follow: (Follower, Option<Next>),
    dialect: &'static dyn Dialect,
) -> Response {
    let mut response = Response::builder().body(body(follow, dialect));
    let headers = response.headers_mut();
    let events = HeaderValue::from_static("text/event-stream; charset=utf-8");
    headers.insert(CONTENT_TYPE, events);
    let passes = HeaderValue::from_static("no-cache, no-transform");
    headers.insert(CACHE_CONTROL, passes);
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
