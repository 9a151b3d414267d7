//! What every page needs besides its own content: language, theme, who is signed in, notices.
//! Decides nothing about sessions; the server fills it.

mod amounts;
mod faults;
mod sentences;

use shared::clock::Moment;
use shared::zone::Zone;

use crate::html::{Html, escape, url_part};
use crate::labels::{Label, PersonRole};
use crate::text::Text;

pub use self::faults::fault_told;
pub(crate) use self::sentences::failed_calls;

/// What stands where nothing was measured.
const DASH: &str = r#"<span class="faint">—</span>"#;

/// A language pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// 简体中文.
    Zh,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// As in `<html lang>` and in the cookie.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// From the cookie, a form or one range of `Accept-Language`; the region is not looked at.
    pub fn from_code(code: &str) -> Option<Self> {
        let language = code.trim().split(['-', ';', '_']).next()?;
        if language.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else if language.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else {
            None
        }
    }

    /// The first language of an `Accept-Language` header that pages are written in, else English.
    pub fn accepted(header: &str) -> Self {
        header
            .split(',')
            .find_map(Self::from_code)
            .unwrap_or_default()
    }
}

/// How bright pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the device says.
    #[default]
    System,
    /// Dark letters on light.
    Light,
    /// Light letters on dark.
    Dark,
}

impl Theme {
    /// As in the cookie and in `data-theme`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the cookie or a form; anything unknown is `System`.
    pub fn from_code(code: &str) -> Self {
        match code {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// Whose pages these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The superadmin's console.
    Admin,
    /// The tenant's portal.
    Portal,
}

impl Area {
    /// How its paths begin.
    pub const fn root(self) -> &'static str {
        match self {
            Self::Admin => "/admin",
            Self::Portal => "/portal",
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their username.
    pub name: String,
    /// What they may do.
    pub role: PersonRole,
    /// Their tenant's name; `None` for superadmins.
    pub tenant: Option<String>,
}

/// A superadmin who looks at the portal as the person of the page, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedBy {
    /// Their name.
    pub superadmin: String,
    /// When the look ends.
    pub until: Moment,
}

/// What a flash says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A form was stored.
    Saved,
    /// Something was made.
    Created,
    /// Something was removed.
    Deleted,
    /// Credits were given or taken.
    Booked,
    /// A key was disabled or a person locked out.
    Disabled,
    /// A key or person may work again.
    Enabled,
    /// A test of a key went well.
    TestPassed,
    /// A test of a key went badly.
    TestFailed,
    /// The person's role does not reach that far; nothing was changed.
    NotAllowed,
    /// A part of the platform does not answer; nothing was changed.
    Unavailable,
    /// The last owner has to stay; nothing was changed.
    LastOwner,
    /// Somebody else changed it meanwhile; nothing was changed.
    Stale,
    /// A session was ended.
    SessionEnded,
    /// The sign-in is over, by choice or by time.
    SignedOut,
    /// The form's token did not fit; nothing was changed.
    FormExpired,
    /// Words of the caller's own, already in the reader's language.
    Words(String),
}

/// A message about what was just done, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// Whether it went well.
    pub good: bool,
    /// What it says.
    pub notice: Notice,
}

/// The frame of a page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The language to write.
    pub lang: Lang,
    /// The chosen brightness.
    pub theme: Theme,
    /// Console or portal.
    pub area: Area,
    /// The token every form carries in its field `csrf`.
    pub csrf: String,
    /// Path and query of this page, for marking its place and for coming back.
    pub path: String,
    /// Who is signed in; `None` before.
    pub person: Option<Person>,
    /// Messages, shown once.
    pub flash: Vec<Flash>,
    /// A line by the operator that everybody sees.
    pub announcement: Option<String>,
    /// When the page was made; ages are counted from it.
    pub now: Moment,
    /// In which time zone it tells moments and days: all of them in this one.
    pub zone: Zone,
    /// Who looks as that person; `None` where they came themselves.
    pub opened: Option<OpenedBy>,
}

impl Page {
    /// The strings of the page's language.
    pub fn text(&self) -> &'static Text {
        Text::of(self.lang)
    }

    /// What a flash says, in the page's language.
    pub fn notice<'a>(&self, notice: &'a Notice) -> &'a str {
        let t = self.text();
        match notice {
            Notice::Saved => t.notice_saved,
            Notice::Created => t.notice_created,
            Notice::Deleted => t.notice_deleted,
            Notice::Booked => t.notice_booked,
            Notice::Disabled => t.notice_disabled,
            Notice::Enabled => t.notice_enabled,
            Notice::TestPassed => t.notice_test_passed,
            Notice::TestFailed => t.notice_test_failed,
            Notice::NotAllowed => t.notice_not_allowed,
            Notice::Unavailable => t.error_unavailable,
            Notice::LastOwner => t.error_last_owner,
            Notice::Stale => t.error_stale,
            Notice::SessionEnded => t.notice_session_ended,
            Notice::SignedOut => t.notice_signed_out,
            Notice::FormExpired => t.notice_form_expired,
            Notice::Words(words) => words,
        }
    }

    /// How the area's paths begin.
    pub fn root(&self) -> &'static str {
        self.area.root()
    }

    /// The hidden field every form begins with.
    pub fn token(&self) -> Html {
        Html::from_escaped(format!(
            r#"<input type="hidden" name="csrf" value="{}">"#,
            escape(&self.csrf)
        ))
    }

    /// Tells password managers whose password a form asks for; sent along and not needed.
    pub fn whose(&self) -> Html {
        let name = self
            .person
            .as_ref()
            .map_or("", |person| person.name.as_str());
        Html::from_escaped(format!(
            r#"<input type="text" name="account" autocomplete="username" value="{}" hidden>"#,
            escape(name)
        ))
    }

    /// One part of a URL.
    pub fn url(&self, part: &str) -> String {
        url_part(part)
    }

    /// A coloured word.
    pub fn badge(&self, word: impl Label) -> Html {
        Html::from_escaped(format!(
            r#"<span class="badge badge-{}">{}</span>"#,
            word.tone().code(),
            escape(word.text(self.lang))
        ))
    }

    /// A word as plain text.
    pub fn word(&self, word: impl Label) -> &'static str {
        word.text(self.lang)
    }

    /// The path without the query. A path that a browser would read as another host becomes the
    /// area's own.
    pub fn here(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        let own = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
        if own { path } else { self.root() }
    }

    /// This page with another value of a field of its query; without the field where the value is empty.
    pub fn with(&self, name: &str, value: impl AsRef<str>) -> String {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let others = query.split('&').filter(|pair| {
            let of = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && of != name
        });
        let mut pairs: Vec<String> = others.map(str::to_owned).collect();
        if !value.as_ref().is_empty() {
            pairs.push(format!("{name}={}", url_part(value.as_ref())));
        }
        if pairs.is_empty() {
            return self.here().to_owned();
        }
        format!("{}?{}", self.here(), pairs.join("&"))
    }

    /// Whether a navigation link leads here.
    pub fn is_here(&self, href: &str) -> bool {
        let below = self.here().strip_prefix(href);
        if href == self.root() {
            return below == Some("") || below == Some("/");
        }
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The first letter of the name, for the round mark beside it.
    pub fn initial(&self) -> String {
        let name = self.person.as_ref().map(|person| person.name.as_str());
        let letter = name
            .unwrap_or_default()
            .chars()
            .find(|c| c.is_alphanumeric());
        letter.map_or_else(String::new, |c| c.to_uppercase().collect())
    }
}

#[cfg(test)]
mod tests;
