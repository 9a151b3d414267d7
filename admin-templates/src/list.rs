//! Lists: what they are filtered and sorted by, and the cursors around a page.
//! Reads no rows and counts none.

use askama::Template;

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

    /// The links to the pages around this one; nothing when there are none.
    pub fn pager(&self, page: &Page) -> Html {
        let link = |name: &str, cursor: &Option<String>| {
            cursor.as_ref().map(|cursor| {
                let query = self.query(self.sort_word(), Some((name, cursor)));
                format!("{}?{query}", page.here())
            })
        };
        let previous = link("before", &self.previous);
        let next = link("after", &self.next);
        if previous.is_none() && next.is_none() {
            return Html::default();
        }
        Html::from_template(&Pager {
            previous,
            next,
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
#[template(path = "components/pager.html")]
struct Pager {
    previous: Option<String>,
    next: Option<String>,
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
