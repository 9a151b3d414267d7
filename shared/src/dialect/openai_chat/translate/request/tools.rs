//! Reads the functions that a model may call, and which of them it must.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::raw::Raw;
use super::Given;
use super::messages::cache;
use crate::dialect::BadBody;
use crate::dialect::neutral::{Json, Tool, ToolChoice};

/// `tools` and `tool_choice`, and their older forms `functions` and `function_call`.
pub(super) fn read(given: &Given<'_>) -> Result<(Vec<Tool>, Option<ToolChoice>), BadBody> {
    let mut tools = Vec::new();
    if let Some(list) = given.get("tools") {
        list.try_each(|at, entry| {
            tools.push(tool(at, entry)?);
            Ok::<(), BadBody>(())
        })?;
    }
    if let Some(list) = given.get("functions") {
        list.try_each(|_, entry| {
            tools.push(function("functions", entry)?);
            Ok::<(), BadBody>(())
        })?;
    }
    let mut choice = match given.get("tool_choice") {
        Some(raw) => Some(tool_choice(raw, &mut tools)?),
        None => None,
    };
    if let (None, Some(raw)) = (&choice, given.get("function_call")) {
        choice = Some(match raw.words().as_deref() {
            Some("none") => ToolChoice::None,
            Some("auto") => ToolChoice::Auto,
            _ => named(raw, "function_call")?,
        });
    }
    Ok((tools, choice))
}

fn tool(at: usize, entry: Raw<'_>) -> Result<Tool, BadBody> {
    let [kind, held] = entry.pick(["type", "function"]);
    let kind = kind.and_then(Raw::words);
    if let Some(kind) = kind.filter(|kind| kind != "function") {
        let kind: String = kind.chars().take(40).collect();
        let message = format!(
            "`tools[{at}]`: a tool of the type `{kind}` can't be offered to the model's provider; \
             only functions can."
        );
        return Err(BadBody::of("tools", message));
    }
    let mut tool = function("tools", held.unwrap_or(entry))?;
    tool.cache = cache(entry).or(tool.cache);
    Ok(tool)
}

fn function(field: &'static str, held: Raw<'_>) -> Result<Tool, BadBody> {
    let [name, description, parameters, strict] =
        held.pick(["name", "description", "parameters", "strict"]);
    let missing = || BadBody::of(field, format!("A function of `{field}` has no `name`."));
    let name = name.and_then(Raw::words).ok_or_else(missing)?;
    let parameters = match parameters {
        None => None,
        Some(schema) => {
            let json = schema.is_object().then(|| Json::of(schema.json()));
            let wrong = || {
                let message = format!("The parameters of `{name}` must be a JSON schema.");
                BadBody::of(field, message)
            };
            Some(json.flatten().ok_or_else(wrong)?)
        }
    };
    Ok(Tool {
        description: description.and_then(Raw::words).map(Cow::into_owned),
        parameters,
        strict: strict.and_then(Raw::flag),
        cache: cache(held),
        name: name.into_owned(),
    })
}

/// A choice may leave some of the tools out.
fn tool_choice(raw: Raw<'_>, tools: &mut Vec<Tool>) -> Result<ToolChoice, BadBody> {
    const NAME: &str = "tool_choice";
    let kind = if raw.is_text() {
        raw.text()
    } else {
        raw.get("type").and_then(Raw::text)
    };
    Ok(match kind.as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        // `any` is Mistral's and Anthropic's word.
        Some("required" | "any") => ToolChoice::Required,
        Some("function") => named(raw.get("function").unwrap_or(raw), NAME)?,
        Some("tool") => named(raw, NAME)?,
        Some("allowed_tools") => {
            let held = raw.get("allowed_tools").unwrap_or(raw);
            let [mode, list] = held.pick(["mode", "tools"]);
            let mut names = HashSet::new();
            if let Some(list) = list {
                list.try_each(|_, entry| {
                    if let ToolChoice::Function(name) =
                        named(entry.get("function").unwrap_or(entry), NAME)?
                    {
                        names.insert(name);
                    }
                    Ok::<(), BadBody>(())
                })?;
            }
            tools.retain(|tool| names.contains(&tool.name));
            match mode.and_then(Raw::text).as_deref() {
                Some("required") => ToolChoice::Required,
                _ => ToolChoice::Auto,
            }
        }
        _ => {
            let message = "`tool_choice` must be none, auto, required or name a function.";
            return Err(BadBody::of(NAME, message));
        }
    })
}

fn named(held: Raw<'_>, field: &'static str) -> Result<ToolChoice, BadBody> {
    let name = held.get("name").and_then(Raw::words);
    let name = name.ok_or_else(|| BadBody::of(field, format!("`{field}` names no function.")))?;
    Ok(ToolChoice::Function(name.into_owned()))
}
