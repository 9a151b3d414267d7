//! The request that goes to a provider: the tenant's bytes with the provider's name for the model, kept
//! nowhere there, and without thoughts that their maker does not know there.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::MAX_OUTPUT_TOKENS;
use super::scan::{ScannedItem, ScannedKind};
use crate::dialect::fields::{SAFETY_IDENTIFIER, USER};
use crate::dialect::neutral::{Signature, SignatureFormat};
use crate::dialect::openai::request::end_user;
use crate::dialect::walk::{Walk, unescaped};
use crate::dialect::{BadBody, Forward, Maxima};
use crate::json::{self, Edit};

const ENCRYPTED: &str = "reasoning.encrypted_content";

/// The body with the maximum of output tokens set to `tokens`.
pub(super) fn with_maximum(body: &Bytes, maxima: &Maxima, tokens: u64) -> Bytes {
    let json = tokens.to_string();
    let edit = match maxima.kept_and_others() {
        None => Edit::insert(body, MAX_OUTPUT_TOKENS, &json),
        Some((kept, _)) => Edit::replace(kept, json),
    };
    json::apply(body, vec![edit])
}

/// The tenant's bytes for a provider. OpenAI keeps every response for 30 days unless it is told not to
/// (API reference, `store`, 2026-11); what is kept for a tenant is kept by the server and never there. What
/// was thought then comes back only in its encrypted form, which is asked for where the request is one for a
/// model that thinks: others refuse to be asked.
pub(super) fn forwarded(body: &Bytes, to: Forward<'_>) -> Result<Bytes, BadBody> {
    let names = [
        "model",
        "store",
        "include",
        "reasoning",
        "input",
        USER,
        SAFETY_IDENTIFIER,
    ];
    let [name, store, include, reasoning, input, user, safety] =
        json::fields(body, names).map_err(|error| BadBody::whole(error.to_string()))?;
    let model = serde_json::Value::from(to.model).to_string();
    let mut edits = Vec::with_capacity(4);
    match name {
        Some(old) => edits.push(Edit::replace(json::span(body, old), model)),
        None => edits.push(Edit::insert(body, "model", &model)),
    }
    match store {
        Some(old) if old.get() == "false" => {}
        Some(old) => edits.push(Edit::replace(json::span(body, old), "false".to_owned())),
        None => edits.push(Edit::insert(body, "store", "false")),
    }
    let thinks = reasoning.is_some_and(|reasoning| reasoning.get().starts_with('{'));
    // Who says `false` says what else it wants, too.
    let says_no = store.is_some_and(|store| store.get() == "false");
    if thinks && !says_no {
        edits.extend(asks_thoughts(body, include));
    }
    let given = [(USER, user), (SAFETY_IDENTIFIER, safety)];
    edits.extend(end_user(body, &given, to, Some(SAFETY_IDENTIFIER)));
    if let Some(input) = input
        && let Some(json) = without_thoughts(input.get())
    {
        edits.push(Edit::replace(json::span(body, input), json));
    }
    Ok(json::apply(body, edits))
}

/// Lets the answer bring its thoughts along.
fn asks_thoughts(body: &Bytes, include: Option<&RawValue>) -> Option<Edit> {
    let Some(old) = include else {
        let json = format!("[\"{ENCRYPTED}\"]");
        return Some(Edit::insert(body, "include", &json));
    };
    let mut words: Vec<Cow<'_, str>> = serde_json::from_str(old.get()).ok()?;
    if words.iter().any(|word| word == ENCRYPTED) {
        return None;
    }
    words.push(ENCRYPTED.into());
    let json = serde_json::to_string(&words).ok()?;
    Some(Edit::replace(json::span(body, old), json))
}

/// The items of `input` without thoughts that can't be read where they go: those of another vendor, and
/// those that come without what was thought, since nothing is kept there. `None` where all may stay.
fn without_thoughts(input: &str) -> Option<String> {
    const WORD: &[u8] = b"\"reasoning\"";
    if !input.starts_with('[') || memchr::memmem::find(input.as_bytes(), WORD).is_none() {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut is_whole = true;
    let mut walk = Walk::new(input.as_bytes());
    walk.array(|walk| {
        let json = walk.value()?;
        if ScannedItem::of(json).is_some_and(|item| is_foreign(&item)) {
            is_whole = false;
        } else {
            kept.push(std::str::from_utf8(json).ok()?);
        }
        Some(())
    })?;
    (!is_whole).then(|| format!("[{}]", kept.join(",")))
}

fn is_foreign(item: &ScannedItem<'_>) -> bool {
    if item.kind != ScannedKind::Reasoning {
        return false;
    }
    if item.encrypted.is_empty() {
        return true;
    }
    let text = unescaped(item.encrypted);
    let home = Some(SignatureFormat::OpenAi);
    let signature = Signature::read_in(home, &String::from_utf8_lossy(&text));
    signature.is_none_or(|signature| signature.format != SignatureFormat::OpenAi)
}
