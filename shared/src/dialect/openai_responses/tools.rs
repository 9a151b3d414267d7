//! Which tools may be asked for: those that run at the tenant. What a provider runs itself, as searches and
//! machines for code, it bills beside the tokens, and none of that has a price here (OpenAI, "Pricing",
//! built-in tools, 2026-11).

use crate::dialect::BadBody;
use crate::dialect::fold::Folded;
use crate::dialect::walk::{Walk, unescaped};

const WHY: &str = "`tools` is not taken: only tools that run at the caller have a price here, which are `function`, \
     `custom`, `local_shell`, `apply_patch`, `shell` in a local environment, and namespaces of functions; \
     what providers run themselves, as searches, is billed on top.";
const REFERENCE: &str = "`input` is not taken: an item may refer to another by its id only where answers are kept for your tenant, \
     whose owners turn that on in its settings. Or set `store` to false in the client, which then sends the \
     items themselves.";

/// Whether every tool of a list runs at the tenant.
pub(super) fn allowed(tools: &[u8]) -> Result<(), BadBody> {
    let mut walk = Walk::new(tools);
    let is_allowed = match walk.peek() {
        Some(b'[') => list(&mut walk),
        Some(b'n') => Some(true),
        _ => None,
    };
    match is_allowed {
        Some(true) => Ok(()),
        Some(false) | None => Err(BadBody::of("tools", WHY)),
    }
}

fn list(walk: &mut Walk<'_>) -> Option<bool> {
    let mut all = true;
    walk.array(|walk| {
        if walk.peek()? != b'{' {
            all = false;
            return walk.value().map(drop);
        }
        all &= tool(walk)?;
        Some(())
    })?;
    Some(all)
}

/// Whether a tool runs at the tenant. Fields in other letters are the same to some providers.
fn tool(walk: &mut Walk<'_>) -> Option<bool> {
    let (mut kind, mut is_told_twice) = (None, false);
    let (mut is_local, mut is_elsewhere) = (false, false);
    let (mut by_client, mut by_server) = (false, false);
    let mut all_inside = true;
    walk.object(|walk, name| {
        match Folded::of(name).get() {
            b"type" => {
                is_told_twice |= kind.is_some();
                let word = walk.value()?.trim_ascii();
                let word = word.strip_prefix(b"\"").and_then(|w| w.strip_suffix(b"\""));
                kind = Some(unescaped(word.unwrap_or_default()));
            }
            b"environment" => match Folded::of(place(walk)?).get() {
                b"local" => is_local = true,
                _ => is_elsewhere = true,
            },
            b"execution" => match walk.value()? {
                b"\"client\"" => by_client = true,
                _ => by_server = true,
            },
            b"tools" if walk.peek()? == b'[' => all_inside &= list(walk)?,
            _ => drop(walk.value()?),
        }
        Some(())
    })?;
    let kind = kind.unwrap_or_default();
    let runs_here = match &*kind {
        // What a namespace holds was looked at.
        b"function" | b"custom" | b"local_shell" | b"apply_patch" | b"namespace" => true,
        b"shell" => is_local && !is_elsewhere,
        b"tool_search" => by_client && !by_server,
        _ => false,
    };
    Some(runs_here && all_inside && !is_told_twice)
}

/// The type of an environment.
fn place<'a>(walk: &mut Walk<'a>) -> Option<&'a [u8]> {
    let mut place: &[u8] = b"";
    if walk.peek()? != b'{' {
        walk.value()?;
        return Some(place);
    }
    walk.object(|walk, name| {
        let value = walk.value()?;
        if Folded::of(name).get() == b"type" && place.is_empty() {
            place = value.trim_ascii_start().strip_prefix(b"\"")?;
            place = place.strip_suffix(b"\"")?;
        }
        Some(())
    })?;
    Some(place)
}

/// Whether the items of an input bring themselves all that they say, and no tools that may not be.
pub(super) fn input_allowed(input: &[u8]) -> Result<(), BadBody> {
    let mut walk = Walk::new(input);
    if walk.peek() != Some(b'[') {
        return Ok(());
    }
    let mut wrong = None;
    let read = walk.array(|walk| {
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        let (mut has_kind, mut is_reference) = (false, false);
        walk.object(|walk, name| {
            let name = Folded::of(name);
            let value = walk.value()?;
            match name.get() {
                b"type" => {
                    has_kind |= value != b"null";
                    is_reference |= Folded::of(inside(value)).get() == b"item_reference";
                }
                b"role" => has_kind |= value != b"null",
                // Some items bring tools along.
                b"tools" => {
                    if let Err(error) = allowed(value) {
                        wrong.get_or_insert(error);
                    }
                }
                _ => {}
            }
            Some(())
        })?;
        if is_reference || !has_kind {
            wrong.get_or_insert_with(|| BadBody::of("input", REFERENCE));
        }
        Some(())
    });
    match (wrong, read) {
        (Some(wrong), _) => Err(wrong),
        (None, Some(())) => Ok(()),
        (None, None) => Err(BadBody::of("input", "`input` can't be read.")),
    }
}

fn inside(value: &[u8]) -> &[u8] {
    let inside = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inside.unwrap_or_default()
}
