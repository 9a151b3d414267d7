//! Every sample of every view as a page, and which one it is.

use std::sync::LazyLock;

use admin_templates::page::{Area, Lang, Page, Theme};
use admin_templates::views::{VIEWS, ViewEntry};

use crate::dom::Document;

/// A page that was rendered.
pub(crate) struct Rendered {
    pub(crate) entry: &'static ViewEntry,
    pub(crate) area: Area,
    pub(crate) lang: Lang,
    pub(crate) sample: String,
    pub(crate) html: String,
}

impl Rendered {
    /// For messages of failing tests.
    pub(crate) fn name(&self) -> String {
        let (root, view) = (self.area.root(), self.entry.name);
        format!("{root} {view}, {}, {}", self.sample, self.lang.code())
    }

    pub(crate) fn document(&self) -> Document {
        Document::read(&self.html)
    }
}

/// Samples of one view in one language, with the frame changed by `frame`.
pub(crate) fn of(
    entry: &'static ViewEntry,
    area: Area,
    lang: Lang,
    frame: impl Fn(&mut Page),
) -> Vec<Rendered> {
    let mut page = Page::sample(entry, area, lang, Theme::System);
    frame(&mut page);
    let samples = (entry.pages)(&page).into_iter();
    samples
        .map(|made| Rendered {
            entry,
            area,
            lang,
            html: made.html.expect("every sample can be written"),
            sample: made.sample,
        })
        .collect()
}

static ALL: LazyLock<Vec<Rendered>> = LazyLock::new(|| {
    let mut pages = Vec::new();
    for entry in VIEWS {
        for area in entry.areas {
            for lang in Lang::ALL {
                pages.extend(of(entry, *area, lang, |_| ()));
            }
        }
    }
    pages
});

/// Every sample of every view in every language.
pub(crate) fn all() -> &'static [Rendered] {
    &ALL
}
