//! Cookies: their names, their flags, and how they are read and written. Knows no session.
//!
//! Over https every name has the prefix `__Host-`, with which a browser takes the cookie from this
//! host alone and sends it over https alone (RFC 6265bis, 4.1.3.2). On plain http, for trying the
//! server out, neither the prefix nor `Secure` would be kept by a browser.

use std::time::Duration;

use admin_templates::page::Area;
use http::HeaderMap;
use http::header::COOKIE;

/// Browsers keep language and theme, and what they are known by, for this long.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jar {
    /// The session of the console or the portal.
    Session(Area),
    /// A portal that a superadmin opened as one of its people; beside a session of their own there.
    Opened,
    /// By what a browser is known again after a login to the console or the portal.
    Device(Area),
    /// What forms before a login are tied to.
    Nonce,
    /// What was just done, shown once.
    Flash,
    /// The language.
    Language,
    /// The theme.
    Theme,
}

impl Jar {
    fn plain_name(self) -> &'static str {
        match self {
            Self::Session(Area::Admin) => "waule_admin",
            Self::Session(Area::Portal) => "waule_portal",
            Self::Opened => "waule_opened",
            Self::Device(Area::Admin) => "waule_admin_device",
            Self::Device(Area::Portal) => "waule_portal_device",
            Self::Nonce => "waule_visit",
            Self::Flash => "waule_flash",
            Self::Language => "waule_lang",
            Self::Theme => "waule_theme",
        }
    }

    fn name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}{}", self.plain_name())
    }

    /// What the browser sent; of two of one name, the first.
    pub(super) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(sent, _)| *sent == name)
            .map(|(_, value)| value)
    }

    fn life(self) -> Option<Duration> {
        match self {
            Self::Language | Self::Theme | Self::Device(_) => Some(YEAR),
            Self::Session(_) | Self::Opened | Self::Nonce | Self::Flash => None,
        }
    }

    /// The value of `Set-Cookie`. `value` is of `[A-Za-z0-9._-]`; `life` overrules the jar's own.
    pub(super) fn set(self, value: &str, life: Option<Duration>, secure: bool) -> String {
        let name = self.name(secure);
        let age = life
            .or(self.life())
            .map_or_else(String::new, |life| format!("; Max-Age={}", life.as_secs()));
        let secure = if secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
    }

    /// The value of `Set-Cookie` that takes it away.
    pub(super) fn clear(self, secure: bool) -> String {
        self.set("", Some(Duration::ZERO), secure)
    }
}

#[cfg(test)]
mod tests;
