//! Addresses of receivers: which hosts and paths robots have, and what of an address may be shown. Looks no
//! name up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outbound::Outbound;
use outbound::address::Target;
use serde::{Deserialize, Serialize};
use shared::secret::Secret;

use super::super::ChannelKind;

/// Hosts, the path before the key, and the name of the key in the query where it is there.
const ROBOTS: &[(ChannelKind, &[&str], &str, Option<&str>)] = &[
    (
        ChannelKind::Feishu,
        &["open.feishu.cn", "open.larksuite.com"],
        "/open-apis/bot/v2/hook/",
        None,
    ),
    (
        ChannelKind::DingTalk,
        &["oapi.dingtalk.com"],
        "/robot/send",
        Some("access_token"),
    ),
    (
        ChannelKind::WeCom,
        &["qyapi.weixin.qq.com"],
        "/cgi-bin/webhook/send",
        Some("key"),
    ),
];
/// Characters of a robot's key.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=128;
/// How a secret of Standard Webhooks begins.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of such a secret, as the standard bounds them.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Characters of a robot's secret.
const SECRET_CHARS_MAX: usize = 200;
/// Characters at the end of a key that tell it apart.
const SHOWN_CHARS: usize = 4;

/// What is wrong with an address or its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressProblem {
    /// It can't be called: it is no URL, not https, or at a private network.
    Url,
    /// It is not the address of such a robot.
    NotARobot,
    /// The secret is needed and missing, or has another form.
    Secret,
}

/// An address with its secret.
#[derive(Debug, Clone)]
pub struct ChannelAddress {
    /// The whole URL: for robots the key is in it.
    pub url: Secret<String>,
    /// What requests are signed with; empty where robots do without.
    pub secret: Secret<String>,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct SealedAddress {
    url: String,
    secret: String,
}

fn is_key(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    KEY_CHARS.contains(&text.len()) && text.bytes().all(plain)
}

/// The key in a robot's address.
fn key(kind: ChannelKind, target: &Target) -> Option<&str> {
    let (_, hosts, path, name) = ROBOTS.iter().find(|(of, ..)| *of == kind)?;
    let is_there = target.is_https && target.port == 443 && hosts.contains(&target.host.as_str());
    let rest = target.path.strip_prefix(path).filter(|_| is_there)?;
    let key = match name {
        None => rest,
        Some(name) => rest
            .strip_prefix('?')?
            .strip_prefix(name)?
            .strip_prefix('=')?,
    };
    Some(key).filter(|key| is_key(key))
}

fn secret_bytes(secret: &str) -> Option<Vec<u8>> {
    let letters = secret.strip_prefix(SECRET_PREFIX)?;
    let bytes = STANDARD.decode(letters).ok()?;
    Some(bytes).filter(|bytes| SECRET_BYTES.contains(&bytes.len()))
}

fn is_secret(kind: ChannelKind, secret: &str) -> bool {
    match kind {
        ChannelKind::Webhook => secret_bytes(secret).is_some(),
        ChannelKind::WeCom => secret.is_empty(),
        ChannelKind::Feishu | ChannelKind::DingTalk => {
            secret.len() <= SECRET_CHARS_MAX && secret.bytes().all(|b| b.is_ascii_graphic())
        }
    }
}

impl ChannelAddress {
    /// An address that such a receiver may have; answers what may be shown of it, too.
    pub fn check(
        self,
        kind: ChannelKind,
        outbound: &Outbound,
    ) -> Result<(Self, String), AddressProblem> {
        let target = outbound
            .check(self.url.expose())
            .map_err(|_| AddressProblem::Url)?;
        let shown = if kind == ChannelKind::Webhook {
            // Paths of webhooks hold keys often enough.
            target.host.clone()
        } else {
            let key = key(kind, &target).ok_or(AddressProblem::NotARobot)?;
            let end = &key[key.len().saturating_sub(SHOWN_CHARS)..];
            format!("{} …{end}", target.host)
        };
        if !is_secret(kind, self.secret.expose()) {
            return Err(AddressProblem::Secret);
        }
        Ok((self, shown))
    }

    /// The bytes that a webhook is signed with.
    pub(super) fn signing_key(&self) -> Vec<u8> {
        let secret = self.secret.expose();
        secret_bytes(secret).unwrap_or_else(|| secret.clone().into_bytes())
    }

    /// To be sealed.
    pub(in super::super) fn to_json(&self) -> String {
        let sealed = SealedAddress {
            url: self.url.expose().clone(),
            secret: self.secret.expose().clone(),
        };
        serde_json::to_string(&sealed).unwrap_or_default()
    }

    /// As it was sealed.
    pub(in super::super) fn from_json(text: &[u8]) -> Option<Self> {
        let sealed: SealedAddress = serde_json::from_slice(text).ok()?;
        Some(Self {
            url: Secret::new(sealed.url),
            secret: Secret::new(sealed.secret),
        })
    }
}
