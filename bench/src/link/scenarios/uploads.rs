//! Uploads on a warm but idle link: long prompts, one after the other.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::task::JoinSet;

use super::super::client::Caller;
use super::super::figures::Durations;
use super::super::stream::STREAM_MAX;
use super::super::ways::Ready;
use super::{Failures, Scene, check};
use crate::compare::admin;
use crate::failure::Outcome;
use crate::http::Call;
use crate::netem::conditions::Random;

/// An idle pause after which a kernel starts slowly again.
const UPLOAD_IDLE: Duration = Duration::from_secs(2);

const UPLOAD_BYTES: usize = 64 * 1024;

/// Before the measured uploads, so many at a time, some times over: every connection of a pool has
/// then carried one.
const UPLOADS_TO_WARM: (usize, usize) = (8, 4);

/// Uploads on a warm but idle link.
#[derive(Debug)]
pub(in super::super) struct UploadFigures {
    /// To the first byte of the answer; the provider takes no time of its own.
    pub(in super::super) took: Durations,
    pub(in super::super) failed: Failures,
}

pub(in super::super) async fn measure(
    place: &mut Scene<'_>,
    count: usize,
) -> Outcome<UploadFigures> {
    let (at_once, times) = UPLOADS_TO_WARM;
    let mut warm = JoinSet::new();
    for seed in 0..at_once as u64 {
        let mut caller = Caller::new(place.ready.route.clone());
        let call = upload_call(place.ready, seed)?;
        warm.spawn(async move {
            for _ in 0..times {
                // What fails here fails below as well, and is counted there.
                let _ = upload(&mut caller, &call).await;
            }
        });
    }
    while warm.join_next().await.is_some() {}
    let mut caller = Caller::new(place.ready.route.clone());
    let mut took = Vec::new();
    let mut failed = Failures::default();
    for number in 0..count {
        tokio::time::sleep(UPLOAD_IDLE).await;
        let call = upload_call(place.ready, 1_000 + number as u64)?;
        match upload(&mut caller, &call).await {
            Ok(time) => took.push(time),
            Err(reason) => {
                failed.add(&reason);
                caller = Caller::new(place.ready.route.clone());
            }
        }
    }
    check(place)?;
    Ok(UploadFigures {
        took: Durations::of(took),
        failed,
    })
}

async fn upload(caller: &mut Caller, call: &Call) -> Result<Duration, String> {
    let sending = async {
        let begin = Instant::now();
        let response = caller.send(call).await?;
        let took = begin.elapsed();
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        if status == 200 {
            Ok(took)
        } else {
            Err(format!("{status}: {}", crate::http::excerpt(&body)))
        }
    };
    tokio::time::timeout(STREAM_MAX, sending)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {STREAM_MAX:?}")))
}

/// A chat request of 64 KiB in all; words drawn at random, as far as compression is concerned about
/// as much work as prose.
fn upload_call(ready: &Ready, seed: u64) -> Outcome<Call> {
    let body = |content: &str| {
        serde_json::json!({
            "model": admin::MODEL, "max_tokens": 64,
            "messages": [{"role": "user", "content": content}],
        })
        .to_string()
    };
    let room = UPLOAD_BYTES.saturating_sub(body("").len());
    ready.chat.call(body(&prose(room, seed)))
}

/// `bytes` of words from a vocabulary of 4,096, so that a word is worth twelve bits.
pub(super) fn prose(bytes: usize, seed: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ka", "ri", "to", "men", "sal", "vo", "du", "pe", "lin", "ar", "os", "ter", "fi", "gu",
        "na", "ze",
    ];
    let mut random = Random(seed);
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        let word = random.next();
        for shift in [0, 4, 8] {
            let syllable = usize::try_from((word >> shift) & 15).unwrap_or_default();
            text.push_str(SYLLABLES[syllable]);
        }
        text.push(' ');
    }
    text.truncate(bytes);
    text
}
