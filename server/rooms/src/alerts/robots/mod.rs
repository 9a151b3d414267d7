//! How each kind of receiver wants to be told: its addresses, its signature, its body, and what its answers
//! mean. Pure: sends nothing, and writes no words of people itself.

mod address;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use outbound::{OutboundAnswer, OutboundError};
use serde_json::{Value, json};
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
    /// It was not taken, and perhaps will be.
    Failed,
    /// The receiver will not take it, as long as neither is changed.
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
            "backlog": letter.told.backlog,
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

/// Where older bots of Feishu have their code. In two parts: whole it is also the name of HTTP's type, which rooms
/// know nothing of.
const OLD_FEISHU_CODE: &str = concat!("Status", "Code");

/// How one kind of robot answers.
struct Manners {
    /// Where its codes are. One that is not 0 is a refusal, whatever the others say.
    codes: &'static [&'static str],
    /// Where its words are.
    words: &'static str,
    /// Codes of what comes too soon.
    too_often: &'static [i64],
    /// And how long to wait then.
    pause: Duration,
    /// Codes that say one thing among others, and how their words begin when it comes too soon.
    too_often_in_words: &'static [(i64, &'static str)],
    /// Codes of a fault of its own.
    busy: &'static [i64],
}

impl Manners {
    const FEISHU: Self = Self {
        // Older bots have theirs alone, newer ones both, and a refusal may have 0 in the older one.
        codes: &["code", OLD_FEISHU_CODE],
        words: "msg",
        too_often: &[11_232],
        pause: FEISHU_PAUSE,
        too_often_in_words: &[(9_499, "too many request")],
        busy: &[],
    };
    const DINGTALK: Self = Self {
        codes: &["errcode"],
        words: "errmsg",
        too_often: &[130_101, 410_100, 90_018, 90_030],
        pause: DINGTALK_PAUSE,
        too_often_in_words: &[],
        busy: &[-1],
    };
    const WECOM: Self = Self {
        codes: &["errcode"],
        words: "errmsg",
        too_often: &[45_009, 45_033],
        pause: WECOM_PAUSE,
        too_often_in_words: &[],
        busy: &[-1],
    };

    /// What the body of an answer means, whatever its status; nothing where it has no code.
    fn read(&self, body: &[u8]) -> Option<Verdict> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let codes = self.codes.iter().filter_map(|name| body[name].as_i64());
        let code = codes.reduce(|one, other| if one == 0 { other } else { one })?;
        let words = body[self.words].as_str().unwrap_or_default();
        let is_soon = |(of, said): &(i64, &str)| *of == code && words.starts_with(said);
        Some(if code == 0 {
            Verdict::Taken
        } else if self.too_often.contains(&code) || self.too_often_in_words.iter().any(is_soon) {
            Verdict::TooOften(self.pause)
        } else if self.busy.contains(&code) {
            Verdict::Failed
        } else {
            Verdict::Refused
        })
    }
}

/// What an answer's status alone means: the request was wrong, or something else is.
fn of_status(status: u16) -> Verdict {
    // A request that took too long (408) or came too early (425) is not wrong, and where another address is
    // told (3xx), somebody may be working on it.
    if (400..500).contains(&status) && ![408, 425].contains(&status) {
        Verdict::Refused
    } else {
        Verdict::Failed
    }
}

/// What an answer means. Robots say 200 to everything: what counts is the code inside, and without one
/// nothing was taken.
pub fn verdict(kind: ChannelKind, answer: &OutboundAnswer) -> Verdict {
    let is_good = (200..300).contains(&answer.status);
    if [429, 503].contains(&answer.status) {
        let pause = answer.retry_after.unwrap_or(WECOM_PAUSE);
        return Verdict::TooOften(pause.min(RETRY_AFTER_MAX));
    }
    let manners = match kind {
        ChannelKind::Webhook if is_good => return Verdict::Taken,
        ChannelKind::Webhook => return of_status(answer.status),
        ChannelKind::Feishu => Manners::FEISHU,
        ChannelKind::DingTalk => Manners::DINGTALK,
        ChannelKind::WeCom => Manners::WECOM,
    };
    match manners.read(&answer.body) {
        Some(Verdict::TooOften(pause)) => Verdict::TooOften(pause),
        Some(said) if is_good => said,
        // A page of somebody between us and the robot has no code.
        None | Some(_) => of_status(answer.status),
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
