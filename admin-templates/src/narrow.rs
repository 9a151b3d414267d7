//! What a page needs to fit a narrow window: each cell of a table knows the head of its column, and
//! filters can be put away behind a button that counts them, with a chip for each that is set. Done on
//! pages as they were written, whose texts are escaped, so that no template says it by hand; it
//! knows no view and no style.

mod filters;

use crate::page::Page;

const TABLE: &str = "<table class=\"table";
const FILTERS: &str = "<form class=\"filters\"";

/// A page whose tables and filters fit.
pub(crate) fn fit(html: String, page: &Page) -> String {
    if !html.contains(TABLE) && !html.contains(FILTERS) {
        return html;
    }
    let mut fitted = String::with_capacity(html.len() + html.len() / 8);
    let (mut rest, mut forms) = (html.as_str(), 0_usize);
    while let Some(at) = [rest.find(TABLE), rest.find(FILTERS)]
        .into_iter()
        .flatten()
        .min()
    {
        fitted.push_str(&rest[..at]);
        let found = &rest[at..];
        let is_table = found.starts_with(TABLE);
        let end = if is_table { "</table>" } else { "</form>" };
        let length = found.find(end).map_or(found.len(), |at| at + end.len());
        let (part, after) = found.split_at(length);
        if is_table {
            label(part, &mut fitted);
        } else {
            forms += 1;
            filters::put_away(part, forms, page, &mut fitted);
        }
        rest = after;
    }
    fitted.push_str(rest);
    fitted
}

/// What stands between the first `<name …>` and its end, and what comes after it. The name of a tag
/// ends with a space or with the tag.
fn part<'a>(html: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let mut from = 0;
    loop {
        let at = from + html[from..].find(&format!("<{name}"))?;
        let rest = &html[at + 1 + name.len()..];
        if !rest.starts_with([' ', '>', '\n']) {
            from = at + 1;
            continue;
        }
        let (tag, rest) = rest.split_once('>')?;
        let (inside, after) = rest.split_once(&format!("</{name}>")).unwrap_or((rest, ""));
        return Some((tag, inside, after));
    }
}

/// The value of an attribute, as it is escaped there.
fn value<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The words between tags, still escaped, with single spaces.
fn words(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for piece in html.split('<') {
        // The first piece comes before any tag.
        text.push_str(piece.split_once('>').map_or(piece, |(_, words)| words));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many columns a cell takes.
fn columns(tag: &str) -> usize {
    value(tag, "colspan")
        .and_then(|number| number.parse().ok())
        .unwrap_or(1)
}

/// The head of each column; empty where only a reader of the screen is told one.
fn heads(table: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let Some((_, mut rest, _)) = part(table, "thead") else {
        return heads;
    };
    while let Some((tag, inside, after)) = part(rest, "th") {
        let shown = if inside.contains("visually-hidden") {
            String::new()
        } else {
            words(inside).replace('"', "&quot;")
        };
        heads.extend(std::iter::repeat_n(shown, columns(tag)));
        rest = after;
    }
    heads
}

/// Gives each cell of the table's body the head of its column.
fn label(table: &str, into: &mut String) {
    let heads = heads(table);
    let Some((before, body)) = table.split_once("<tbody") else {
        return into.push_str(table);
    };
    into.push_str(before);
    into.push_str("<tbody");
    let (mut rest, mut column) = (body, 0);
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        into.push_str(before);
        let length = tag.find('>').unwrap_or(tag.len());
        let (tag, after) = tag.split_at(length);
        let name = tag[1..].split([' ', '\n']).next().unwrap_or_default();
        match name {
            "tr" => column = 0,
            // What stands in the foot has no column of its own.
            "/tbody" => {
                into.push_str(tag);
                return into.push_str(after);
            }
            "td" | "th" => {
                into.push_str(&tag[..=name.len()]);
                if let Some(head) = heads.get(column).filter(|head| !head.is_empty()) {
                    into.push_str(" data-label=\"");
                    into.push_str(head);
                    into.push('"');
                }
                column += columns(tag);
                into.push_str(&tag[1 + name.len()..]);
                rest = after;
                continue;
            }
            _ => {}
        }
        into.push_str(tag);
        rest = after;
    }
    into.push_str(rest);
}

#[cfg(test)]
mod tests;
