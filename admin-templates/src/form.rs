//! Forms: what was typed, what was wrong with it, and the fields that show both.
//! Checks nothing; the server does and fills `errors`.

mod field;

use std::collections::BTreeMap;

use askama::Template;

use self::field::{Field, Shape};
use crate::fixtures::maker::{Maker, Sample};
use crate::html::Html;
use crate::labels::PriceItem;
use crate::page::Page;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldError {
    /// It must not be empty.
    Required,
    /// It needs so many characters at least.
    TooShort(u64),
    /// It may have so many characters at most.
    TooLong(u64),
    /// It is not a number.
    NotANumber,
    /// It is not an amount of credits above zero.
    NotAnAmount,
    /// It is not an amount of credits, or below zero.
    NotAPrice,
    /// No time zone has that name.
    NotAZone,
    /// Nothing of a price was filled in.
    NoPrice,
    /// This is no condition of a rate.
    Condition(String),
    /// What a call can bring has no rate that always applies.
    Uncovered(PriceItem),
    /// Units of this family are not billed in steps.
    NoSteps,
    /// A currency without its code, its worth or its day.
    Currency,
    /// There may be so many at most.
    TooMany(u64),
    /// It is neither CSV nor JSON of a price.
    NotAPriceFile,
    /// This line of it can't be read.
    Line(u64),
    /// It is not a day or a moment.
    NotADate,
    /// It lies in the past.
    Past,
    /// It is outside of these bounds.
    OutOfRange(u64, u64),
    /// Somebody else has it.
    Taken,
    /// There is no such thing.
    Unknown,
    /// Keys that reach the sandbox only can't have it.
    NotForTest,
    /// It has letters that are not allowed.
    Letters,
    /// No provider may serve it.
    NotRouted,
    /// It is no header, or one that is not for operators.
    NotAHeader,
    /// It is no name of a field.
    NotAField,
    /// A request can't do without one of these fields.
    NeededField,
    /// It looks like a secret, and is shown.
    ASecret,
    /// It is not an address or a network.
    NotAnAddress,
    /// A name and a password that do not belong together.
    SignIn,
    /// The password or the code does not fit.
    Wrong,
    /// The two are not the same.
    Different,
    /// It is the one from before.
    Reused,
    /// Too many attempts; so many seconds to wait.
    Wait(u64),
    /// There is less than that.
    Insufficient,
    /// Whoever asks may make no calls now.
    Suspended,
    /// The last owner has to stay.
    LastOwner,
    /// Something else needs it.
    InUse,
    /// Somebody else changed it meanwhile.
    Stale,
    /// A part of the platform does not answer, so nothing was changed.
    Unavailable,
    /// The gateway is too old for it.
    Earlier,
    /// Nothing was chosen.
    ChooseKeys,
    /// Two ways to choose at once.
    KeysOrTag,
    /// All would stay as it is.
    NothingToChange,
    /// A removal that was not confirmed.
    Unsure,
    /// What was previewed is not known any more.
    DraftGone,
    /// A line with another number of columns.
    KeyColumns,
    /// A wrong line stopped all of them.
    NothingAdded,
    /// There was nothing to add.
    NothingNew,
    /// It is not the address of a bot of this kind.
    NotARobot,
    /// It can't be called.
    NotCallable,
    /// The secret has another form.
    SecretForm,
    /// No picture, or one that is too large.
    NotAPicture,
    /// The model reads no pictures.
    NoVision,
    /// Words of the caller's own, already in the reader's language.
    Words(String),
}

impl FieldError {
    /// For people.
    pub fn text(&self, page: &Page) -> String {
        let t = page.text();
        let with = |pattern: &str, number: u64| pattern.replace("{}", &number.to_string());
        match self {
            Self::Required => t.error_required.to_owned(),
            Self::TooShort(least) => with(t.error_too_short, *least),
            Self::TooLong(most) => with(t.error_too_long, *most),
            Self::NotANumber => t.error_not_a_number.to_owned(),
            Self::NotAnAmount => t.error_not_an_amount.to_owned(),
            Self::NotAZone => t.error_not_a_zone.to_owned(),
            Self::NotAPrice => t.error_not_a_price.to_owned(),
            Self::NoPrice => t.a.price_empty.to_owned(),
            Self::Condition(part) => t.a.error_condition.replace("{}", part),
            Self::Uncovered(item) => t.a.error_uncovered.replace("{}", item.unit_text(page.lang)),
            Self::NoSteps => t.a.error_no_steps.to_owned(),
            Self::Currency => t.a.error_currency.to_owned(),
            Self::TooMany(most) => with(t.a.error_too_many, *most),
            Self::NotAPriceFile => t.a.error_price_file.to_owned(),
            Self::Line(number) => with(t.error_line, *number),
            Self::NotADate => t.error_not_a_date.to_owned(),
            Self::Past => t.error_past.to_owned(),
            Self::OutOfRange(least, most) => t
                .error_out_of_range
                .replace("{a}", &least.to_string())
                .replace("{b}", &most.to_string()),
            Self::Taken => t.error_taken.to_owned(),
            Self::Unknown => t.error_unknown.to_owned(),
            Self::NotForTest => t.error_not_for_test.to_owned(),
            Self::Letters => t.error_letters.to_owned(),
            Self::NotRouted => t.error_not_routed.to_owned(),
            Self::NotAHeader => t.a.error_header.to_owned(),
            Self::NotAField => t.a.error_field.to_owned(),
            Self::NeededField => t.a.error_needed_field.to_owned(),
            Self::ASecret => t.a.error_a_secret.to_owned(),
            Self::NotAnAddress => t.error_not_an_address.to_owned(),
            Self::SignIn if page.is_portal() => t.error_sign_in_tenant.to_owned(),
            Self::SignIn => t.error_sign_in.to_owned(),
            Self::Wrong => t.error_wrong.to_owned(),
            Self::Different => t.error_different.to_owned(),
            Self::Reused => t.error_reused.to_owned(),
            Self::Wait(seconds) => {
                let wait = page.span(page.seconds(*seconds));
                t.error_wait.replace("{}", &wait)
            }
            Self::Insufficient => t.error_insufficient.to_owned(),
            Self::Suspended => t.error_suspended.to_owned(),
            Self::LastOwner => t.error_last_owner.to_owned(),
            Self::InUse => t.error_in_use.to_owned(),
            Self::Stale => t.error_stale.to_owned(),
            Self::Unavailable => t.error_unavailable.to_owned(),
            Self::Earlier => t.a.gateway_earlier.to_owned(),
            Self::ChooseKeys => t.a.batch_none.to_owned(),
            Self::KeysOrTag => t.a.batch_both.to_owned(),
            Self::NothingToChange => t.a.batch_nothing.to_owned(),
            Self::Unsure => t.a.batch_unsure.to_owned(),
            Self::DraftGone => t.a.draft_gone.to_owned(),
            Self::NothingAdded => t.a.preview_keys_wrong.to_owned(),
            Self::NothingNew => t.a.preview_keys_none.to_owned(),
            Self::KeyColumns => t.a.line_columns.to_owned(),
            Self::NotARobot => t.a.channel_address_robot.to_owned(),
            Self::NotCallable => t.a.channel_address_url.to_owned(),
            Self::SecretForm => t.a.channel_secret_wrong.to_owned(),
            Self::NotAPicture => t.u.picture_kind.to_owned(),
            Self::NoVision => t.u.no_vision.to_owned(),
            Self::Words(words) => words.clone(),
        }
    }
}

/// A form as it was sent, or as it is at first.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// By the field's name. Check boxes are `on` or absent; several choices are joined by spaces.
    /// Passwords and codes are never filled in again.
    pub values: BTreeMap<String, String>,
    /// By the field's name.
    pub errors: BTreeMap<String, FieldError>,
    /// What is wrong with the form as a whole.
    pub error: Option<FieldError>,
}

impl Form {
    /// With these values and no errors.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            values: values.into_iter().map(owned).collect(),
            ..Self::default()
        }
    }

    /// Adds what is wrong with a field.
    #[must_use]
    pub fn wrong(mut self, name: &str, error: FieldError) -> Self {
        self.errors.insert(name.to_owned(), error);
        self
    }

    /// Whether there is something to put right; its dialog is then open.
    pub fn has_errors(&self) -> bool {
        self.error.is_some() || !self.errors.is_empty()
    }

    /// Whether a field has this value.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values.get(name).is_some_and(|now| now == value)
    }

    /// What is wrong with the form as a whole, as a message above it.
    pub fn alert(&self, page: &Page) -> Html {
        let Some(error) = &self.error else {
            return Html::default();
        };
        let text = error.text(page);
        Html::from_template(&Alert { text: &text })
    }

    /// A field of one line: `kind` is an input's type.
    pub fn input<'a>(&'a self, kind: &'a str, name: &'a str, label: &'a str) -> Field<'a> {
        Field::new(self, Shape::Input(kind), name, label)
    }

    /// A field of one line for text.
    pub fn line<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        self.input("text", name, label)
    }

    /// A field of several lines.
    pub fn area<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::new(self, Shape::Area, name, label)
    }

    /// A box to tick.
    pub fn tick<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::new(self, Shape::Tick, name, label)
    }

    /// A choice of one; add the choices with `words` or `choices`.
    pub fn choice<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::new(self, Shape::Choice, name, label)
    }

    /// A choice of several, as boxes to tick of the same name.
    pub fn several<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field::new(self, Shape::Several, name, label)
    }
}

impl Sample for Form {
    /// A form whose every field that the view asks for has the made text as value and as error.
    fn sample(maker: &mut Maker) -> Self {
        let text = maker.text();
        if text.is_empty() {
            return Self::default();
        }
        // `*` answers for every name; see `value` and `error_of`.
        Self {
            values: BTreeMap::from([("*".to_owned(), text.clone())]),
            errors: BTreeMap::from([("*".to_owned(), FieldError::Words(text.clone()))]),
            error: Some(FieldError::Words(text)),
        }
    }
}

#[derive(Template)]
#[template(path = "components/alert.html")]
struct Alert<'a> {
    text: &'a str,
}

#[cfg(test)]
mod tests;
