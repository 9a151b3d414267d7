//! What a vendor says it has: its list of models, read page by page, whoever's form it has. Costs nothing.
//! A vendor may send what it likes: bytes, pages, names and time are bounded, and what is no name is counted.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use shared::dialect::told;
use shared::link::Operation;
use shared::link::models::{NAME_BYTES_MAX, NAMES_BYTES_MAX, NAMES_MAX, ProviderModels};
use shared::surface::Surface;

use super::ERROR_BYTES_MAX;
use super::doors::{self, Asked, Door};
use super::question::sent;
use crate::providers::words::{Secrets, cleaned};
use crate::providers::{Route, http as outbound};

/// Of a page; the longest list of November 2026, with prices and descriptions, has half of it.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Anthropic's and Google's pages have up to 1,000 entries, and fewer where that is not asked for.
const PAGES_MAX: usize = 20;
/// Less than the server waits for an operator's question.
const LIST_WITHIN: Duration = Duration::from_secs(20);
/// Between two pieces of a page.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// What Google's API writes before a model's name.
const RESOURCE: &str = "models/";
/// A page's mark is somebody else's text in our request.
const MARK_BYTES_MAX: usize = 1_024;

/// The models of the vendor; why there are none stands in its `failure`.
pub(super) async fn models(door: &impl Door, route: Route<'_>) -> ProviderModels {
    let Some(path) = door.list(route) else {
        return failed("this kind of provider has no list of models that can be asked for");
    };
    let asking = pages(door, route, &path);
    let asked = tokio::time::timeout(LIST_WITHIN, asking).await;
    asked.unwrap_or_else(|_| failed("the list did not come in time"))
}

fn failed(why: impl Into<String>) -> ProviderModels {
    ProviderModels {
        failure: why.into(),
        ..ProviderModels::default()
    }
}

async fn pages(door: &impl Door, route: Route<'_>, path: &str) -> ProviderModels {
    let mut read = Reading::default();
    let mut mark: Option<Mark> = None;
    for _ in 0..PAGES_MAX {
        let path = match &mark {
            None => Cow::Borrowed(path),
            Some(mark) => Cow::Owned(mark.behind(path)),
        };
        let page = match page(door, route, &path).await {
            Ok(page) => page,
            // A part of a list would say that the rest is gone.
            Err(why) => return failed(why),
        };
        read.take(&page);
        let next = page.next();
        if next.is_none() || read.models.cut {
            return read.models;
        }
        if next == mark {
            break;
        }
        mark = next;
    }
    read.models.cut = true;
    read.models
}

async fn page(door: &impl Door, route: Route<'_>, path: &str) -> Result<Page, String> {
    let asked = Asked {
        method: Method::GET,
        path: Cow::Borrowed(path),
        stream: false,
        body: Bytes::new(),
        // Some want to be told its version with every request.
        dialect: doors::dialect(door, Surface::of(Operation::Chat), route),
        content_type: "application/json",
        headers: &[],
    };
    let secrets = Secrets::of(route);
    let head = sent(door, route, &asked, secrets).await;
    let head = head.map_err(|(_, detail)| detail)?;
    let status = head.status.as_u16();
    if !head.status.is_success() {
        let body = outbound::beginning(head.body, ERROR_BYTES_MAX, SILENCE_MAX).await;
        let words = cleaned(&told::refusal(&body).message, secrets);
        return Err(if words.is_empty() {
            format!("the provider answered {status}")
        } else {
            format!("the provider answered {status}: {words}")
        });
    }
    let body = outbound::whole(Vec::new(), head.body, PAGE_BYTES_MAX, SILENCE_MAX).await;
    let body = body.map_err(|fault| cleaned(&fault.detail, secrets))?;
    if let Some(told) = told::error_in(&body) {
        let words = cleaned(&told.message, secrets);
        return Err(format!("the provider answered {status}: {words}"));
    }
    Page::read(&body).ok_or_else(|| format!("the provider answered {status} and no list"))
}

/// Where the next page begins, in the words of its vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    field: &'static str,
    value: String,
}

impl Mark {
    fn behind(&self, path: &str) -> String {
        let joined = if path.contains('?') { '&' } else { '?' };
        format!("{path}{joined}{}={}", self.field, escaped(&self.value))
    }
}

/// As a part of a query: what is not unreserved as its bytes (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A page, in whichever of the forms there are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    /// OpenAI's and Anthropic's, and whoever is compatible.
    #[serde(deserialize_with = "entries")]
    data: Option<Entries>,
    /// Google's, Cohere's and Ollama's.
    #[serde(deserialize_with = "entries")]
    models: Option<Entries>,
    /// Anthropic's: whether more follow the last one.
    #[serde(deserialize_with = "any")]
    has_more: Value,
    #[serde(deserialize_with = "any")]
    last_id: Value,
    /// Google's.
    #[serde(rename = "nextPageToken", deserialize_with = "any")]
    next_token: Value,
    /// Cohere's.
    #[serde(deserialize_with = "any")]
    next_page_token: Value,
}

impl Page {
    /// Out of a body; `None` where it has no list.
    fn read(body: &[u8]) -> Option<Self> {
        if body.trim_ascii_start().first() == Some(&b'[') {
            // Together's has nothing around it.
            let mut reader = serde_json::Deserializer::from_slice(body);
            let data = entries(&mut reader).ok()?;
            return Some(Self {
                data,
                ..Self::default()
            });
        }
        let page: Self = serde_json::from_slice(body).ok()?;
        (page.data.is_some() || page.models.is_some()).then_some(page)
    }

    /// Whether it says that there is more, and not where.
    fn is_cut(&self) -> bool {
        let marks = [&self.next_token, &self.next_page_token];
        let is_more = |mark: &Value| !matches!(mark, Value::Null) && mark.as_str() != Some("");
        let says_more = self.has_more == Value::Bool(true) || marks.into_iter().any(is_more);
        says_more && self.next().is_none()
    }

    fn next(&self) -> Option<Mark> {
        let mark = |field, value: &Value| {
            let value = value.as_str()?;
            let is_sound = (1..=MARK_BYTES_MAX).contains(&value.len());
            is_sound.then(|| Mark {
                field,
                value: value.to_owned(),
            })
        };
        if self.has_more == Value::Bool(true) {
            return mark("after_id", &self.last_id);
        }
        mark("pageToken", &self.next_token).or_else(|| mark("page_token", &self.next_page_token))
    }

    fn entries(&self) -> impl Iterator<Item = &Entries> {
        self.data.iter().chain(&self.models)
    }
}

/// What a list holds, as far as it is read.
#[derive(Debug, Default)]
struct Entries {
    /// In their order; `None` for what has no name.
    names: Vec<Option<String>>,
    /// Whether there were more.
    cut: bool,
}

/// An array of entries; `None` where it is something else.
fn entries<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Entries>, D::Error> {
    from.deserialize_any(List)
}

fn any<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    Value::deserialize(from)
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Option<Entries>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of models")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut read = Entries::default();
        // One more than is kept tells that there are more.
        while read.names.len() < NAMES_MAX {
            let Some(entry) = list.next_element::<Value>()? else {
                return Ok(Some(read));
            };
            read.names.push(name(&entry));
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            read.cut = true;
        }
        Ok(Some(read))
    }
}

/// What an entry calls its model.
fn name(entry: &Value) -> Option<String> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    let named = || {
        let name = text("name")?;
        Some(name.strip_prefix(RESOURCE).unwrap_or(name))
    };
    let found = text("id").or_else(named).or_else(|| entry.as_str());
    found.map(str::to_owned)
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    models: ProviderModels,
    seen: HashSet<String>,
    bytes: usize,
}

impl Reading {
    fn take(&mut self, page: &Page) {
        // A page without its mark is no whole list: the rest would count as gone.
        self.models.cut |= page.is_cut();
        for entries in page.entries() {
            self.models.cut |= entries.cut;
            for name in &entries.names {
                self.add(name.as_deref());
            }
        }
    }

    fn add(&mut self, name: Option<&str>) {
        let sound = |name: &&str| {
            (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
        };
        let Some(name) = name.filter(sound) else {
            self.models.odd = self.models.odd.saturating_add(1);
            return;
        };
        if self.seen.contains(name) {
            return;
        }
        let bytes = self.bytes.saturating_add(name.len());
        if self.models.names.len() >= NAMES_MAX || bytes > NAMES_BYTES_MAX {
            self.models.cut = true;
            return;
        }
        self.bytes = bytes;
        self.seen.insert(name.to_owned());
        self.models.names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests;
