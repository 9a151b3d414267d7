//! Lists: what they are filtered and sorted by, and the cursors around a page.
//! Reads no rows and counts none.

use askama::Template;
use shared::clock::Moment;

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::html::{Html, url_part};
use crate::page::Page;
use crate::text::Text;

sampled! {
    /// What a list is sorted by.
    pub struct Sort {
        /// The column's name in the query; the view's documentation lists them.
        pub key: String,
        /// Largest or newest first.
        pub descending: bool,
    }

    /// Which rows of how many a page shows.
    pub struct ListPlace {
        /// The number of its first row, from 1.
        pub first: u64,
        /// How many rows it has.
        pub rows: u64,
        /// How many there are in all, as far as they were counted.
        pub total: u64,
        /// Whether these are all.
        pub exact: bool,
    }

    /// How a list is looked at. In the query: the filters by their own names, `sort` (`name` or
    /// `-name`), and `after` or `before` with a cursor.
    pub struct ListState {
        /// The filters' values.
        pub filters: Form,
        /// The order, where it is not the list's own.
        pub sort: Option<Sort>,
        /// The cursor of the page after this one.
        pub next: Option<String>,
        /// The cursor of the page before this one.
        pub previous: Option<String>,
        /// Which rows these are; nothing where nobody counted.
        pub place: Option<ListPlace>,
    }
}

impl ListState {
    /// Without filters and other pages.
    pub fn whole() -> Self {
        Self {
            filters: Form::default(),
            sort: None,
            next: None,
            previous: None,
            place: None,
        }
    }

    /// Whether any filter is set; an empty list then says that nothing fits.
    pub fn is_filtered(&self) -> bool {
        self.filters.values.values().any(|value| !value.is_empty())
    }

    fn sort_word(&self) -> Option<String> {
        let sort = self.sort.as_ref()?;
        let sign = if sort.descending { "-" } else { "" };
        Some(format!("{sign}{}", sort.key))
    }

    /// The query with the filters, an order and perhaps a cursor.
    fn query(&self, sort: Option<String>, cursor: Option<(&str, &str)>) -> String {
        let set = self.filters.values.iter();
        let mut pairs: Vec<String> = set
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{}={}", url_part(name), url_part(value)))
            .collect();
        if let Some(sort) = sort {
            pairs.push(format!("sort={}", url_part(&sort)));
        }
        if let Some((name, cursor)) = cursor {
            pairs.push(format!("{name}={}", url_part(cursor)));
        }
        pairs.join("&")
    }

    /// The query of this list without a cursor, for an export link.
    pub fn query_here(&self) -> String {
        self.query(self.sort_word(), None)
    }

    /// A column's head that sorts: first up, then down.
    pub(crate) fn head(&self, key: &str, label: &str, class: &str, page: &Page) -> Html {
        let now = self.sort.as_ref().filter(|sort| sort.key == key);
        let descending = now.map(|sort| sort.descending);
        let word = if descending == Some(false) {
            format!("-{key}")
        } else {
            key.to_owned()
        };
        Html::from_template(&Head {
            href: format!("{}?{}", page.here(), self.query(Some(word), None)),
            label,
            class,
            descending,
        })
    }

    /// The head of the column of moments, of a list whose own order is newest first and which can be read from
    /// its oldest row.
    pub(crate) fn time_head(&self, page: &Page) -> Html {
        let oldest_first = self.sort.as_ref().is_some_and(|sort| sort.key == "time");
        let other = (!oldest_first).then(|| "time".to_owned());
        Html::from_template(&Head {
            href: format!("{}?{}", page.here(), self.query(other, None)),
            label: page.text().time,
            class: "",
            descending: Some(!oldest_first),
        })
    }

    /// The links to the pages around this one; nothing when there are none.
    pub fn pager(&self, page: &Page) -> Html {
        // Rows before the page that a link leads to, so that it can tell its place.
        let before = |next: bool| {
            let place = self.place.as_ref()?;
            let shown = place.first.saturating_sub(1);
            Some(if next {
                shown.saturating_add(place.rows)
            } else {
                shown.saturating_sub(place.rows)
            })
        };
        let link = |name: &str, cursor: &Option<String>, at: Option<u64>| {
            cursor.as_ref().map(|cursor| {
                let query = self.query(self.sort_word(), Some((name, cursor)));
                let at = at.map_or_else(String::new, |at| format!("&at={at}"));
                format!("{}?{query}{at}", page.here())
            })
        };
        let previous = link("before", &self.previous, before(false));
        let next = link("after", &self.next, before(true));
        let place = self.place_told(page);
        if previous.is_none() && next.is_none() && place.is_empty() {
            return Html::default();
        }
        Html::from_template(&Pager {
            previous,
            next,
            place,
            t: page.text(),
        })
    }

    /// Which rows of how many are shown: `1–50 of 3,000`.
    fn place_told(&self, page: &Page) -> String {
        let Some(place) = self.place.as_ref().filter(|place| place.rows > 0) else {
            return String::new();
        };
        let last = place.first.saturating_add(place.rows - 1);
        let shown = format!("{}–{}", page.count(place.first), page.count(last));
        let t = page.text();
        // What was not counted to its end is more than what is shown.
        let words = if place.exact {
            t.m.total_exact
        } else {
            t.m.total_more
        };
        let total = page.count(place.total.max(last));
        words.replace("{a}", &shown).replace("{b}", &total)
    }

    /// The stretch of time that a chart's column led to, with the way back to all of it; a hidden field, so that
    /// other filters keep it. The filter is called `span` and has two moments, `from-until`.
    pub fn span(&self, page: &Page) -> Html {
        let span = self.filters.values.get("span");
        let moments = span.and_then(|span| {
            let (from, until) = span.split_once('-')?;
            let moment = |text: &str| text.parse().ok().map(Moment::from_unix_ms);
            Some((span.as_str(), moment(from)?, moment(until)?))
        });
        let Some((span, from, until)) = moments else {
            return Html::default();
        };
        Html::from_template(&SpanRow {
            span,
            from: page.when(from),
            until: page.when(until),
            href: page.with("span", ""),
            t: page.text(),
        })
    }

    /// The way back to the whole list; nothing when no filter is set.
    pub fn clear(&self, page: &Page) -> Html {
        if !self.is_filtered() {
            return Html::default();
        }
        Html::from_template(&Clear {
            href: page.here(),
            t: page.text(),
        })
    }

    /// The order as a hidden field, so that filtering keeps it.
    pub fn sort_field(&self) -> Html {
        Html::from_template(&Hidden {
            name: "sort",
            value: self.sort_word().unwrap_or_default(),
        })
    }
}

#[derive(Template)]
#[template(path = "components/sort_head.html")]
struct Head<'a> {
    href: String,
    label: &'a str,
    class: &'a str,
    descending: Option<bool>,
}

#[derive(Template)]
#[template(
    source = r#"<a class="button quiet" href="{{ href }}">{{ t.clear }}</a>"#,
    ext = "html"
)]
struct Clear<'a> {
    href: &'a str,
    t: &'static Text,
}

#[derive(Template)]
#[template(path = "components/span.html")]
struct SpanRow<'a> {
    span: &'a str,
    from: Html,
    until: Html,
    href: String,
    t: &'static Text,
}

#[derive(Template)]
#[template(path = "components/pager.html")]
struct Pager {
    previous: Option<String>,
    next: Option<String>,
    place: String,
    t: &'static Text,
}

#[derive(Template)]
#[template(
    source = r#"{% if !value.is_empty() %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endif %}"#,
    ext = "html"
)]
struct Hidden {
    name: &'static str,
    value: String,
}
