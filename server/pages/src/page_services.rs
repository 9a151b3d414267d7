//! What the pages know of the place they are served at: its address, the keys of its forms, the
//! rooms that every page needs.

use std::sync::Arc;

use http::header::{HOST, ORIGIN};
use poem::Request;
use poem::http::StatusCode;
use server_calls::CallError;
use server_rooms::auth::form_key::FormKey;
use server_rooms::browser_sessions::BrowserSessions;
use server_rooms::settings::Settings;
use server_rooms::settings::zones::Zones;
use shared::clock::Clock;
use shared::config::ConfigError;

/// Under which address people reach the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    https: bool,
    origin: Option<String>,
    /// As it was given.
    told: Option<String>,
}

impl PublicAddress {
    /// From `PUBLIC_URL`; without one, whether browsers come over https is `https`.
    pub fn parse(text: &str, https: bool) -> Result<Self, ConfigError> {
        let text = text.trim().trim_end_matches('/');
        if text.is_empty() {
            return Ok(Self {
                https,
                origin: None,
                told: None,
            });
        }
        let wrong = || {
            ConfigError::Invalid(
                "PUBLIC_URL must be http:// or https:// and a host, without a path".to_owned(),
            )
        };
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, authority) = (uri.scheme_str(), uri.authority());
        let plain = uri.path() == "/" && uri.query().is_none();
        let (Some(scheme @ ("http" | "https")), Some(authority), true) = (scheme, authority, plain)
        else {
            return Err(wrong());
        };
        // As browsers write an origin: in lower case, without the scheme's own port.
        let host = authority.as_str().to_ascii_lowercase();
        let host = host.strip_suffix(":443").unwrap_or(&host);
        let https = scheme == "https";
        Ok(Self {
            https,
            // Plain http is for trying out, by whatever name the machine has.
            origin: https.then(|| format!("https://{host}")),
            told: Some(format!("{scheme}://{authority}").to_ascii_lowercase()),
        })
    }

    /// Whether browsers come over https.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// What browsers send as `Origin`, where one address is configured.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

/// The status that the API gives a refused call; scripts of the pages are told the same.
#[derive(Debug, Clone, Copy)]
pub struct CallStatus(pub fn(CallError) -> StatusCode);

/// What a [`PageServices`] is made of.
#[derive(Debug)]
pub struct PageServicesParts {
    /// Sessions.
    pub browsers: BrowserSessions,
    /// Settings, for the announcement.
    pub settings: Settings,
    /// In which time zone whose pages are.
    pub zones: Zones,
    /// Signs forms before a login.
    pub form_key: FormKey,
    /// Under which address people come.
    pub address: PublicAddress,
    /// Time.
    pub clock: Clock,
}

/// The place; cheap to clone.
#[derive(Debug, Clone)]
pub struct PageServices(Arc<PageServicesParts>);

impl PageServices {
    /// Of its parts.
    pub fn new(parts: PageServicesParts) -> Self {
        Self(Arc::new(parts))
    }

    pub(super) fn browsers(&self) -> &BrowserSessions {
        &self.0.browsers
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn zones(&self) -> &Zones {
        &self.0.zones
    }

    pub(super) fn form_key(&self) -> &FormKey {
        &self.0.form_key
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// `PUBLIC_URL`, where it is set.
    pub(super) fn public_url(&self) -> Option<&str> {
        self.0.address.told.as_deref()
    }

    /// Whether browsers come over https.
    pub(super) fn secure(&self) -> bool {
        self.0.address.is_https()
    }

    /// Whether a request that changes something comes from a page of this place, as far as the
    /// browser tells (Fetch metadata, and `Origin` for browsers that lack it). What is no browser
    /// tells nothing, and needs the form's token all the same.
    pub(super) fn is_own(&self, request: &Request) -> bool {
        let headers = request.headers();
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        if let Some(site) = text("sec-fetch-site")
            && site != "same-origin"
            && site != "none"
        {
            return false;
        }
        let Some(origin) = text(ORIGIN.as_str()) else {
            return true;
        };
        if let Some(own) = self.0.address.origin() {
            return origin == own;
        }
        // HTTP/2 has the host in the request's own line.
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let host = text(HOST.as_str()).or(authority).unwrap_or_default();
        let scheme = if self.secure() { "https://" } else { "http://" };
        !host.is_empty() && origin.strip_prefix(scheme) == Some(host)
    }
}
