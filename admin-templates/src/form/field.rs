//! One field of a form: what it looks like, what may be typed, and what was wrong.

use askama::Template;
use shared::units::Unit;

use super::Form;
use crate::given::Given;
use crate::html::Html;
use crate::labels::{AlertKind, Label as _, PriceItem, Word};
use crate::page::Page;

/// The sample's entry that answers for every name; no real field is named so.
const ANY: &str = "*";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape<'a> {
    Input(&'a str),
    Area,
    Tick,
    Choice,
    Several,
}

/// A choice of a field.
#[derive(Debug, Clone)]
struct Choice {
    /// What is sent.
    value: String,
    /// What is shown.
    text: String,
}

/// A field that is being described; printing it needs the page, see `show`.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    form: &'a Form,
    shape: Shape<'a>,
    name: &'a str,
    label: &'a str,
    hint: &'a str,
    example: &'a str,
    prefix: String,
    auto: &'a str,
    unit: &'a str,
    required: bool,
    focus: bool,
    mono: bool,
    suggest: &'a str,
    offers: &'a str,
    choices: Vec<Choice>,
}

impl<'a> Field<'a> {
    pub(super) fn new(form: &'a Form, shape: Shape<'a>, name: &'a str, label: &'a str) -> Self {
        Self {
            form,
            shape,
            name,
            label,
            hint: "",
            example: "",
            prefix: String::new(),
            auto: "off",
            unit: "",
            required: false,
            focus: false,
            mono: false,
            suggest: "",
            offers: "",
            choices: Vec::new(),
        }
    }

    /// It must not be empty.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The first one to type into.
    #[must_use]
    pub fn focus(mut self) -> Self {
        self.focus = true;
        self
    }

    /// The first one to type into, but where another one is.
    #[must_use]
    pub fn focus_unless(mut self, other: impl Given<bool>) -> Self {
        self.focus = !other.get();
        self
    }

    /// Letters of equal width.
    #[must_use]
    pub fn mono(mut self) -> Self {
        self.mono = true;
        self
    }

    /// The id of a list of what may be meant.
    #[must_use]
    pub fn suggest(mut self, list: &'a str) -> Self {
        self.suggest = list;
        self
    }

    /// Where a script asks what may be meant while somebody types: a path with its query, up to what was typed.
    #[must_use]
    pub fn offers(mut self, path: &'a str) -> Self {
        self.offers = path;
        self
    }

    /// A line below that helps.
    #[must_use]
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// What stands in it while it is empty; the label says what it is for.
    #[must_use]
    pub fn example(mut self, example: &'a str) -> Self {
        self.example = example;
        self
    }

    /// What the number counts, behind the field.
    #[must_use]
    pub fn unit(mut self, unit: &'a str) -> Self {
        self.unit = unit;
        self
    }

    /// What the browser may fill in, as in HTML's `autocomplete`.
    #[must_use]
    pub fn auto(mut self, auto: &'a str) -> Self {
        self.auto = auto;
        self
    }

    /// Makes the id unique where a page has several forms with the same field.
    #[must_use]
    pub fn within(mut self, prefix: impl AsRef<str>) -> Self {
        prefix.as_ref().clone_into(&mut self.prefix);
        self
    }

    /// Every word of a set, as the choices.
    #[must_use]
    pub fn words<W: Word>(mut self, page: &Page, words: &[W]) -> Self {
        self.choices.extend(words.iter().map(|word| Choice {
            value: word.code().to_owned(),
            text: word.text(page.lang).to_owned(),
        }));
        self
    }

    /// An empty choice before the others.
    #[must_use]
    pub fn or_none(mut self, text: &str) -> Self {
        let choice = Choice {
            value: String::new(),
            text: text.to_owned(),
        };
        self.choices.insert(0, choice);
        self
    }

    /// Every unit that can be priced, as the choices.
    #[must_use]
    pub fn units(mut self, page: &Page) -> Self {
        self.choices.extend(Unit::all().map(|unit| Choice {
            value: unit.to_string(),
            text: PriceItem::from(unit).unit_text(page.lang).to_owned(),
        }));
        self
    }

    /// Whole numbers, as the choices.
    #[must_use]
    pub fn numbers(mut self, page: &Page, numbers: &[u64]) -> Self {
        self.choices.extend(numbers.iter().map(|number| Choice {
            value: number.to_string(),
            text: page.count(*number),
        }));
        self
    }

    /// Kinds of alerts that there can be, as the choices.
    #[must_use]
    pub fn alert_kinds(mut self, page: &Page) -> Self {
        let kinds = AlertKind::ALL.iter().filter(|kind| kind.is_looked_for());
        self.choices.extend(kinds.map(|kind| Choice {
            value: kind.code().to_owned(),
            text: kind.text(page.lang).replace("{b}", "…"),
        }));
        self
    }

    /// Formats by their codes, as the choices.
    #[must_use]
    pub fn dialects(mut self, page: &Page, codes: &[String]) -> Self {
        self.choices.extend(codes.iter().map(|code| Choice {
            value: code.clone(),
            text: page.dialect(code),
        }));
        self
    }

    /// Names, as the choices.
    #[must_use]
    pub fn choices(mut self, names: &[String]) -> Self {
        self.choices.extend(names.iter().map(|name| Choice {
            value: name.clone(),
            text: name.clone(),
        }));
        self
    }

    /// As markup.
    pub fn show(&self, page: &Page) -> Html {
        let id = if self.prefix.is_empty() {
            format!("f-{}", self.name)
        } else {
            format!("f-{}-{}", self.prefix, self.name)
        };
        let error = self
            .form
            .errors
            .get(self.name)
            .or(self.form.errors.get(ANY));
        Html::from_template(&FieldHtml {
            f: self,
            id: &id,
            error: error.map(|error| error.text(page)),
            optional: page.text().optional,
        })
    }

    fn value(&self) -> &str {
        let values = &self.form.values;
        let value = values.get(self.name).or(values.get(ANY));
        value.map_or("", String::as_str)
    }

    fn is_chosen(&self, choice: &str) -> bool {
        self.value() == choice
    }

    fn is_ticked(&self, choice: &str) -> bool {
        self.value().split(' ').any(|ticked| ticked == choice)
    }

    fn is_secret(&self) -> bool {
        self.shape == Shape::Input("password")
    }

    fn is_number(&self) -> bool {
        self.shape == Shape::Input("number") || self.shape == Shape::Input("decimal")
    }

    /// The input's type; amounts are text with a number pad, because browsers round `number`.
    fn kind(&self) -> &str {
        match self.shape {
            Shape::Input("decimal") | Shape::Area | Shape::Choice | Shape::Several => "text",
            Shape::Input(kind) => kind,
            Shape::Tick => "checkbox",
        }
    }
}

#[derive(Template)]
#[template(path = "components/field.html")]
struct FieldHtml<'a> {
    f: &'a Field<'a>,
    id: &'a str,
    pub(super) error: Option<String>,
    optional: &'static str,
}
