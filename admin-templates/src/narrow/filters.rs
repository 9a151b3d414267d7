//! A form of filters behind a button, and what is set as chips that take it back. It reads the form as
//! it was written and knows nothing of what is filtered.

use askama::Template;

use super::{part, value, words};
use crate::html::{Html, url_part};
use crate::icon::Icon;
use crate::page::Page;
use crate::text::Text;

/// A field as it stands in the form, its texts unescaped.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
    /// What a chip says; empty for what nobody chose.
    told: String,
    /// Whether anybody sees it.
    shown: bool,
}

/// A filter that is set, and where it is not.
struct Chip {
    told: String,
    href: String,
}

#[derive(Template)]
#[template(path = "components/filters_bar.html")]
struct Bar {
    id: String,
    set: usize,
    chips: Vec<Chip>,
    t: &'static Text,
}

#[derive(Template)]
#[template(path = "components/filters_head.html")]
struct Head {
    id: String,
    t: &'static Text,
}

/// What an escaped text says. The templates' own escapes are numbers; what they stand for is no markup.
fn plain(escaped: &str) -> String {
    let mut text = escaped.to_owned();
    for (number, name) in [
        ("&#60;", "&lt;"),
        ("&#62;", "&gt;"),
        ("&#34;", "&quot;"),
        ("&#38;", "&amp;"),
    ] {
        text = text.replace(number, name);
    }
    Html::from_escaped(text).text()
}

/// What is chosen of a select: its value, and its text.
fn chosen(options: &str) -> (String, String) {
    let mut rest = options;
    while let Some((tag, text, after)) = part(rest, "option") {
        if tag.ends_with(" selected") {
            return (
                plain(value(tag, "value").unwrap_or_default()),
                plain(&words(text)),
            );
        }
        rest = after;
    }
    (String::new(), String::new())
}

/// The fields of a form in their order; what a label says belongs to the field after it.
fn fields(form: &str) -> Vec<Field> {
    let (mut fields, mut label, mut rest) = (Vec::new(), String::new(), form);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let Some((tag, after)) = rest.split_once('>') else {
            break;
        };
        let name = plain(value(tag, "name").unwrap_or_default());
        let kind = tag.split([' ', '\n']).next().unwrap_or_default();
        match kind {
            "label" => {
                let (inside, _) = after.split_once("</label>").unwrap_or((after, ""));
                let (inside, _) = inside
                    .split_once("<span class=\"optional\"")
                    .unwrap_or((inside, ""));
                label = plain(&words(inside));
            }
            "select" if !name.is_empty() => {
                let (options, _) = after.split_once("</select>").unwrap_or((after, ""));
                let (value, shown) = chosen(options);
                fields.push(Field {
                    told: format!("{label}: {shown}"),
                    name,
                    value,
                    shown: true,
                });
            }
            "input" if !name.is_empty() => {
                let given = plain(value(tag, "value").unwrap_or_default());
                let (value, told) = match value(tag, "type") {
                    Some("hidden") => (given, String::new()),
                    Some("checkbox") if tag.ends_with(" checked") => (given, label.clone()),
                    Some("checkbox") => (String::new(), String::new()),
                    _ => (given.clone(), format!("{label}: {given}")),
                };
                let shown = self::value(tag, "type") != Some("hidden");
                fields.push(Field {
                    name,
                    value,
                    told,
                    shown,
                });
            }
            _ => {}
        }
        rest = after;
    }
    fields
}

/// Where a field is not set and all others are as they were.
fn without(action: &str, fields: &[Field], left_out: usize) -> String {
    let kept = fields.iter().enumerate();
    let pairs: Vec<String> = kept
        .filter(|(place, field)| *place != left_out && !field.value.is_empty())
        .map(|(_, field)| format!("{}={}", url_part(&field.name), url_part(&field.value)))
        .collect();
    if pairs.is_empty() {
        return action.to_owned();
    }
    format!("{action}?{}", pairs.join("&"))
}

/// Writes the form with what puts it away and takes its filters back.
pub(super) fn put_away(form: &str, number: usize, page: &Page, into: &mut String) {
    let Some((tag, inside)) = form.split_once('>') else {
        return into.push_str(form);
    };
    let action = plain(value(tag, "action").unwrap_or_default());
    let fields = fields(inside);
    // One field is no more than the button that would hide it.
    if fields.iter().filter(|field| field.shown).count() < 2 {
        return into.push_str(form);
    }
    let chips: Vec<Chip> = (0..fields.len())
        .filter(|place| !fields[*place].value.is_empty() && !fields[*place].told.is_empty())
        .map(|place| Chip {
            told: fields[place].told.clone(),
            href: without(&action, &fields, place),
        })
        .collect();
    let (id, t) = (format!("filters-{number}"), page.text());
    let bar = Html::from_template(&Bar {
        id: id.clone(),
        set: chips.len(),
        chips,
        t,
    });
    // Some have a name of their own.
    let name = match value(tag, "aria-label") {
        Some(_) => format!(" id=\"{id}\" popover>"),
        None => format!(" id=\"{id}\" popover aria-label=\"{}\">", t.r.filters),
    };
    let head = Html::from_template(&Head { id, t });
    for piece in [&bar.to_string(), tag, &name, &head.to_string(), inside] {
        into.push_str(piece);
    }
}
