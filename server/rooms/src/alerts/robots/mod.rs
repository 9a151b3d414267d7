//! How each kind of receiver wants to be told: its addresses, its signature, its body, and what its answers
//! mean. Pure: sends nothing, and writes no words of people itself.

mod address;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use server_outbound::{OutboundAnswer, OutboundError};
use sha2::Sha256;
use shared::clock::Moment;

use super::{AlertMessage, ChannelKind};

pub use self::address::{AddressProblem, ChannelAddress};

/// Longer texts of a group's robot are cut by WeCom or refused (2,048 bytes); the others take more.
const TEXT_BYTES_MAX: usize = 2_000;
/// What an answer says in so many letters is enough for a page.
const WORDS_CHARS_MAX: usize = 300;
/// WeCom counts by the minute.
const WECOM_PAUSE: Duration = Duration::from_secs(60);
/// DingTalk silences a robot for ten minutes that sends too much.
const DINGTALK_PAUSE: Duration = Duration::from_secs(600);
/// Feishu counts by the minute too.
const FEISHU_PAUSE: Duration = Duration::from_secs(60);
/// A receiver may ask for as much patience.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// A message as it is about to be sent.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// Its id, the same at every attempt.
    pub id: &'a str,
    /// What it tells.
    pub told: &'a AlertMessage,
    /// The same in words.
    pub text: &'a str,
    /// Where links lead: the console's address; empty for none.
    pub base: &'a str,
    /// When it was written.
    pub written_at: Moment,
    /// Now: receivers compare it with their own clocks.
    pub now: Moment,
}

/// What is posted.
#[derive(Debug, Clone)]
pub struct Posting {
    /// Where.
    pub url: String,
    /// With which further headers.
    pub headers: HeaderMap,
    /// What.
    pub body: String,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Taken,
    /// It comes too soon; later it may be taken.
    TooOften(Duration),
    /// It was not taken.
    Refused,
}

/// A keyed digest in Base64.
fn signature(key: &[u8], text: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length (RFC 2104)");
    mac.update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// As much of a text as fits, cut between letters.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let dots = "…";
    let end = bytes_max.saturating_sub(dots.len());
    let end = (0..=end).rev().find(|at| text.is_char_boundary(*at));
    format!("{}{dots}", &text[..end.unwrap_or(0)])
}

/// Standard Webhooks: id, time and body are signed together.
fn webhook(address: &ChannelAddress, letter: &Letter<'_>) -> Posting {
    let links = letter.told.alerts.iter().map(|alert| {
        let mut value = serde_json::to_value(alert).unwrap_or_default();
        if !letter.base.is_empty() {
            value["url"] = json!(format!("{}/admin/{}", letter.base, alert.path));
        }
        value
    });
    let body = json!({
        "type": if letter.told.test { "alerts.test" } else { "alerts" },
        "timestamp": letter.written_at.unix_ms(),
        "data": {
            "alerts": links.collect::<Vec<Value>>(),
            "more": letter.told.more,
            "text": letter.text,
        },
    });
    let body = body.to_string();
    let seconds = letter.now.unix_seconds();
    let signed = format!("{}.{seconds}.{body}", letter.id);
    let signed = signature(&address.signing_key(), signed.as_bytes());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", letter.id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", format!("v1,{signed}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Posting {
        url: address.url.expose().clone(),
        headers,
        body,
    }
}

/// The time and the secret are the key; what is signed is empty.
fn feishu(address: &ChannelAddress, letter: &Letter<'_>) -> Posting {
    let mut body = json!({
        "msg_type": "text",
        "content": {"text": cut(letter.text, TEXT_BYTES_MAX)},
    });
    let secret = address.secret.expose();
    if !secret.is_empty() {
        let seconds = letter.now.unix_seconds();
        let key = format!("{seconds}\n{secret}");
        body["timestamp"] = json!(seconds.to_string());
        body["sign"] = json!(signature(key.as_bytes(), b""));
    }
    Posting {
        url: address.url.expose().clone(),
        headers: HeaderMap::new(),
        body: body.to_string(),
    }
}

/// A part of a query: of Base64's letters three have a meaning there.
fn in_query(text: &str) -> String {
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

/// The time and the secret are signed with the secret, in the query.
fn dingtalk(address: &ChannelAddress, letter: &Letter<'_>) -> Posting {
    let body = json!({
        "msgtype": "text",
        "text": {"content": cut(letter.text, TEXT_BYTES_MAX)},
    });
    let (mut url, secret) = (address.url.expose().clone(), address.secret.expose());
    if !secret.is_empty() {
        let ms = letter.now.unix_ms();
        let signed = signature(secret.as_bytes(), format!("{ms}\n{secret}").as_bytes());
        url = format!("{url}&timestamp={ms}&sign={}", in_query(&signed));
    }
    Posting {
        url,
        headers: HeaderMap::new(),
        body: body.to_string(),
    }
}

/// The key in the address is all there is.
fn wecom(address: &ChannelAddress, letter: &Letter<'_>) -> Posting {
    let body = json!({
        "msgtype": "text",
        "text": {"content": cut(letter.text, TEXT_BYTES_MAX)},
    });
    Posting {
        url: address.url.expose().clone(),
        headers: HeaderMap::new(),
        body: body.to_string(),
    }
}

/// What is posted to a receiver.
pub fn posting(kind: ChannelKind, address: &ChannelAddress, letter: &Letter<'_>) -> Posting {
    match kind {
        ChannelKind::Webhook => webhook(address, letter),
        ChannelKind::Feishu => feishu(address, letter),
        ChannelKind::DingTalk => dingtalk(address, letter),
        ChannelKind::WeCom => wecom(address, letter),
    }
}

/// The robot's own code in an answer of whatever status.
fn code(body: &[u8], names: &[&str]) -> Option<i64> {
    let body: Value = serde_json::from_slice(body).ok()?;
    names.iter().find_map(|name| body[name].as_i64())
}

/// What an answer means. Robots say 200 to everything: what counts is the code inside, and without one
/// nothing was taken.
pub fn verdict(kind: ChannelKind, answer: &OutboundAnswer) -> Verdict {
    let is_good = (200..300).contains(&answer.status);
    if [429, 503].contains(&answer.status) {
        let pause = answer.retry_after.unwrap_or(WECOM_PAUSE);
        return Verdict::TooOften(pause.min(RETRY_AFTER_MAX));
    }
    let (names, too_often, pause): (&[&str], &[i64], Duration) = match kind {
        ChannelKind::Webhook if is_good => return Verdict::Taken,
        ChannelKind::Webhook => return Verdict::Refused,
        ChannelKind::Feishu => (&["code"], &[11_232], FEISHU_PAUSE),
        ChannelKind::DingTalk => (&["errcode"], &[130_101, 90_018, 90_030], DINGTALK_PAUSE),
        ChannelKind::WeCom => (&["errcode"], &[45_009, 45_033], WECOM_PAUSE),
    };
    match code(&answer.body, names) {
        Some(0) if is_good => Verdict::Taken,
        Some(code) if too_often.contains(&code) => Verdict::TooOften(pause),
        Some(_) | None => Verdict::Refused,
    }
}

/// The words of an answer for a page: in one line, cut.
pub fn words(answer: &Result<OutboundAnswer, OutboundError>) -> String {
    let text = match answer {
        Err(error) => error.to_string(),
        Ok(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = line.chars().filter(|c| !c.is_control());
    letters.take(WORDS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
