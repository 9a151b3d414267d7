//! What must hold on every page: well-formed, labelled, guarded, escaped, without anything inline.

use std::collections::{BTreeSet, HashSet};

use admin_templates::assets::assets;
use admin_templates::fixtures::maker::PROBE;
use admin_templates::page::{Flash, Lang, Notice, Page};
use admin_templates::views::VIEWS;

use crate::dom::{Document, Element};
use crate::pages::{self, Rendered};

/// Checks one page; each fault is a line.
fn faults(page: &Rendered) -> Vec<String> {
    let document = page.document();
    let mut faults: Vec<String> = document
        .errors
        .iter()
        .map(|error| format!("parse: {error}"))
        .collect();
    let ids = unique_ids(&document, &mut faults);
    references(&document, &ids, &mut faults);
    labels(&document, &ids, &mut faults);
    forms(&document, page, &mut faults);
    nothing_inline(&document, &mut faults);
    addresses(&document, &mut faults);
    outline(&document, page, &mut faults);
    pictures(&document, &mut faults);
    faults
}

fn unique_ids(document: &Document, faults: &mut Vec<String>) -> HashSet<String> {
    let mut ids = HashSet::new();
    for element in document.select("[id]") {
        let id = element.attr("id").unwrap_or_default();
        if id.is_empty() || id.contains(char::is_whitespace) {
            faults.push(format!("the id `{id}` is not one word"));
        }
        if !ids.insert(id.to_owned()) {
            faults.push(format!("the id `{id}` stands twice"));
        }
    }
    ids
}

fn references(document: &Document, ids: &HashSet<String>, faults: &mut Vec<String>) {
    for name in ["aria-labelledby", "aria-describedby", "for", "data-dialog"] {
        for element in document.select(&format!("[{name}]")) {
            for id in element.attr(name).unwrap_or_default().split_whitespace() {
                if !ids.contains(id) {
                    faults.push(format!("{name}=`{id}` leads nowhere"));
                }
            }
        }
    }
    for link in document.select("a[href^=#]") {
        let id = link
            .attr("href")
            .unwrap_or_default()
            .trim_start_matches('#');
        if !ids.contains(id) {
            faults.push(format!("the link to `#{id}` leads nowhere"));
        }
    }
}

fn labels(document: &Document, ids: &HashSet<String>, faults: &mut Vec<String>) {
    let labelled: HashSet<&str> = document
        .select("label[for]")
        .iter()
        .filter_map(|label| label.attr("for"))
        .collect();
    for field in document.select("input:not([type=hidden]):not([hidden]), select, textarea") {
        let id = field.attr("id").unwrap_or_default();
        if !labelled.contains(id) && field.attr("aria-label").is_none() {
            faults.push(format!("the field `{id}` has no label"));
        }
        if field.attr("name").is_none_or(str::is_empty) {
            faults.push(format!("the field `{id}` has no name"));
        }
        if field.attr("aria-invalid").is_some() && !ids.contains(&format!("{id}-error")) {
            faults.push(format!("what is wrong with `{id}` is not said"));
        }
    }
    for name in document.select("label, legend, th, summary, button") {
        let told = name
            .attr("aria-label")
            .is_some_and(|label| !label.is_empty());
        if name.words().is_empty() && !told {
            faults.push(format!("a {} says nothing", name.name()));
        }
    }
}

fn forms(document: &Document, page: &Rendered, faults: &mut Vec<String>) {
    for form in document.select("form") {
        let action = form.attr("action").unwrap_or_default();
        if !action.starts_with(page.area.root()) {
            faults.push(format!("a form is sent to `{action}`"));
        }
        let tokens = form.select("input[type=hidden][name=csrf]");
        match form.attr("method") {
            Some("post") => {
                if tokens.len() != 1 || tokens[0].attr("value") != Some("3f0c-sample-token") {
                    faults.push(format!("the form to `{action}` has not its one token"));
                }
                if form.select("button:not([type=button])").is_empty() {
                    faults.push(format!("the form to `{action}` has no button"));
                }
            }
            Some("get") => {
                if !tokens.is_empty() {
                    faults.push(format!(
                        "the token would stand in the address of `{action}`"
                    ));
                }
            }
            other => faults.push(format!("the form to `{action}` has the method {other:?}")),
        }
        if !form.select("form").is_empty() {
            faults.push(format!("a form stands inside the form to `{action}`"));
        }
    }
    for field in document.select("input[type=password][value]") {
        faults.push(format!("a password is filled in: {:?}", field.attr("name")));
    }
}

fn nothing_inline(document: &Document, faults: &mut Vec<String>) {
    for element in document.select("*") {
        for (name, _) in element.attrs() {
            if name.starts_with("on") || name == "style" || name == "srcdoc" {
                faults.push(format!("a {} has `{name}`", element.name()));
            }
        }
        match element.name() {
            "style" | "iframe" | "object" | "embed" | "base" | "probe-x" => {
                faults.push(format!("there is a {}", element.name()));
            }
            "script"
                if element.attr("src") != Some(&assets().js.path)
                    || !element.words().is_empty() =>
            {
                faults.push("there is a script of the page's own".to_owned());
            }
            _ => (),
        }
    }
}

/// A link to somebody else's page: it opens beside this one, which it learns nothing of.
fn leads_away(element: Element<'_>, address: &str) -> bool {
    let rel = element.attr("rel").unwrap_or_default();
    element.name() == "a"
        && address.starts_with("https://")
        && element.attr("target") == Some("_blank")
        && rel == "noopener noreferrer"
}

/// No page asks another host for anything, and only links that say so lead to one.
fn addresses(document: &Document, faults: &mut Vec<String>) {
    for name in [
        "href",
        "src",
        "action",
        "formaction",
        "data-live-source",
        "data-offers",
        "data-chat",
        "data-estimate",
        "data-images",
    ] {
        for element in document.select(&format!("[{name}]")) {
            let address = element.attr(name).unwrap_or_default();
            let own = address.starts_with('/')
                && !address.starts_with("//")
                && !address.starts_with("/\\");
            if !own && !address.starts_with('#') && !leads_away(element, address) {
                faults.push(format!("{name}=`{address}` is not a path of our own"));
            }
        }
    }
}

fn outline(document: &Document, page: &Rendered, faults: &mut Vec<String>) {
    let html = document.select("html");
    if html[0].attr("lang") != Some(page.lang.code()) {
        faults.push("the page does not say its language".to_owned());
    }
    if document.select("h1").len() != 1 {
        faults.push("there is not one h1".to_owned());
    }
    if !document.select("h3, h4, h5, h6").is_empty() {
        faults.push("headings go deeper than two".to_owned());
    }
    if document
        .select("title")
        .first()
        .is_none_or(|title| !title.words().ends_with("· Waule"))
    {
        faults.push("the title does not name the product".to_owned());
    }
    if document.select("main#content").len() != 1 {
        faults.push("there is not one main part".to_owned());
    }
    for head in document.select("th:not([scope])") {
        faults.push(format!("the head `{}` has no scope", head.words()));
    }
}

fn pictures(document: &Document, faults: &mut Vec<String>) {
    for picture in document.select("img:not([alt])") {
        faults.push(format!("an image has no words: {:?}", picture.attr("src")));
    }
    for drawing in document.select("svg") {
        let hidden = drawing.attr("aria-hidden") == Some("true");
        let titled = !drawing.select("title").is_empty();
        let told = match drawing.attr("role") {
            Some("img") => titled && drawing.select("a").is_empty(),
            // What leads somewhere is no picture: it has a name, and each of its links has one.
            Some("group") => {
                titled
                    && drawing.attr("aria-label").is_some()
                    && drawing
                        .select("a")
                        .into_iter()
                        .all(|link| link.attr("aria-label").is_some())
            }
            _ => false,
        };
        if hidden == told {
            faults.push("a drawing is neither hidden nor told".to_owned());
        }
    }
}

#[test]
fn every_page_is_sound() {
    let mut report = Vec::new();
    let pages = pages::all();
    assert!(
        pages.len() > 550,
        "only {} pages were looked at",
        pages.len()
    );
    for page in pages {
        let found: BTreeSet<String> = faults(page).into_iter().collect();
        report.extend(
            found
                .into_iter()
                .map(|fault| format!("{}: {fault}", page.name())),
        );
    }
    assert!(
        report.is_empty(),
        "{} faults:\n{}",
        report.len(),
        report.join("\n")
    );
}

/// The probe would be an element if it were not escaped; here it must come out as text or value.
#[test]
fn hostile_text_comes_out_as_text() {
    let mut seen = 0;
    for page in pages::all().iter().filter(|page| page.sample == "markup") {
        assert!(
            !page.html.contains("<probe-x"),
            "{} lets markup through",
            page.name()
        );
        let document = page.document();
        let in_text = document.text().contains(PROBE);
        let in_values = document
            .select("[value], [data-copy]")
            .iter()
            .any(|element| {
                let texts = [element.attr("value"), element.attr("data-copy")];
                texts.iter().flatten().any(|text| text.contains(PROBE))
            });
        seen += usize::from(in_text || in_values);
    }
    // All but the pages that show no text of anybody's.
    assert!(seen >= 100, "only {seen} pages showed the probe");
}

/// The frame around every page has texts too.
#[test]
fn the_frame_escapes_its_texts() {
    let hostile = |page: &mut Page| {
        page.csrf = PROBE.to_owned();
        page.path = format!("{}/{PROBE}?x={PROBE}", page.root());
        page.announcement = Some(PROBE.to_owned());
        let notice = Notice::Words(PROBE.to_owned());
        page.flash = vec![Flash {
            good: false,
            notice,
        }];
        if let Some(person) = &mut page.person {
            person.name = PROBE.to_owned();
            person.tenant = Some(PROBE.to_owned());
        }
    };
    for entry in VIEWS {
        for area in entry.areas {
            for page in pages::of(entry, *area, Lang::En, hostile).iter().take(1) {
                let document = page.document();
                let parsed = &document.errors;
                assert!(parsed.is_empty(), "{}: {parsed:?}", page.name());
                assert!(document.select("probe-x").is_empty(), "{}", page.name());
                let alert = document.select(".alert-info");
                assert!(alert[0].words().contains(PROBE), "{}", page.name());
            }
        }
    }
}

/// The check itself must find what it is for.
#[test]
fn a_faulty_page_is_found_out() {
    let sound = &pages::all()[0];
    let with = |extra: &str| {
        faults(&Rendered {
            html: sound.html.replace("</main>", &format!("{extra}</main>")),
            sample: String::new(),
            ..*sound
        })
    };
    assert_eq!(with(""), Vec::<String>::new());
    for extra in [
        "<p style='x'>",
        "<a href='javascript:x'>x</a>",
        "<img src='https://elsewhere.example/x' alt=''>",
        "<form method='post' action='/admin/x'><button>x</button></form>",
        "<input name='x'>",
        "<p id='content'>",
        "<script>x</script>",
        "<button onclick='x'>x</button>",
        "<probe-x>",
        "<svg></svg>",
        "<label for='nowhere'>x</label>",
        "</section>",
    ] {
        assert!(!with(extra).is_empty(), "`{extra}` was not found out");
    }
}

/// Latin words that are right on a Chinese page.
const LATIN: &[&str] = &[
    "waule",
    "internal",
    "secret",
    "api",
    "tokens",
    "token",
    "csv",
    "http",
    "https",
    "utc",
    "webhook",
    "openai",
    "anthropic",
    "example",
    "com",
    "qr",
    "max",
    "text",
    "svg",
    "sqlite",
    "switch",
    "english",
    "to",
    "en",
    // A spreadsheet, and a time zone as the tables name it.
    "excel",
    "asia",
    "shanghai",
    // The conditions of a rate, as they are written, and a file of it.
    "tier",
    "flex",
    "size",
    "context",
    "over",
    "hours",
    "sat",
    "sun",
    "json",
    "pdf",
    // Formats, headers and fields of requests, by their names.
    "responses",
    "messages",
    "azure",
    "bearer",
    "authorization",
    "key",
    "goog",
    "google",
    "openapi",
    "stream",
    "options",
    "completion",
    // A setting of the environment, and how secrets of webhooks are written.
    "public",
    "url",
    "whsec",
    "base",
    // Of a product's name.
    "new",
];

/// A Chinese page without anybody's content has no English left on it.
#[test]
fn chinese_pages_are_chinese() {
    let mut left = BTreeSet::new();
    let unnamed = |page: &mut Page| {
        if let Some(person) = &mut page.person {
            person.name = "林".to_owned();
            person.tenant = None;
        }
    };
    for entry in VIEWS {
        for area in entry.areas {
            for page in pages::of(entry, *area, Lang::Zh, unnamed) {
                if page.sample == "empty" {
                    let body = page.document();
                    let mut text = body.select("body")[0].text(" ");
                    for example in body.select("pre") {
                        text = text.replace(&example.text(" "), "");
                    }
                    let words = text.split(|c: char| !c.is_ascii_alphabetic());
                    left.extend(
                        words
                            .filter(|word| word.len() > 2)
                            .filter(|word| !LATIN.contains(&word.to_lowercase().as_str()))
                            .map(|word| format!("{}: {word}", entry.name)),
                    );
                }
            }
        }
    }
    assert!(left.is_empty(), "English on Chinese pages: {left:#?}");
}
