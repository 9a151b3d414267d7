//! Lists as JSON: objects whose fields stay text until somebody asks for a number, so that no number passes
//! through a float and a field that nobody asks for costs nothing. Knows which shape is whose.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

use super::decimal::Decimal;
use super::{ListFault, ListShape, PriceSheet, SheetError, own, public, ratios};

/// The public list's models have 60 fields at most.
const FIELDS_MAX: usize = 512;

/// The fields of an object in their order, as text.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    // Rows above the bound of models are counted one by one by who reads them.
                    if fields.len() > super::MODELS_MAX * 2 {
                        return Err(de::Error::custom("it has too many entries"));
                    }
                    fields.push((name.0, value));
                }
                Ok(fields)
            }
        }
        from.deserialize_map(Read).map(Fields)
    }
}

/// A name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        from.deserialize_str(Read).map(Name)
    }
}

impl<'a> Fields<'a> {
    /// Of a value, where it is an object.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// The first field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    }

    /// A field that is a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The first name that stands there twice, or the first beyond the bound.
    pub(super) fn odd(&self) -> Option<(&str, ListFault)> {
        let mut seen = HashSet::new();
        let twice = self.0.iter().find(|(name, _)| !seen.insert(name.as_ref()));
        if let Some((name, _)) = twice {
            return Some((name, ListFault::Twice));
        }
        let beyond = self.0.get(FIELDS_MAX);
        beyond.map(|(name, _)| (name.as_ref(), ListFault::TooMany))
    }
}

/// A value that must be a number of nothing or more.
pub(super) fn number(value: &RawValue) -> Result<Decimal, ListFault> {
    match value.get().as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Decimal::parse(value.get()),
        Some(b'n') => Err(ListFault::Null),
        _ => Err(ListFault::NotANumber),
    }
}

/// The same with `NaN` and `Infinity` as texts: Python writes them bare (`json.dump`), and one of them must
/// not make the other models unreadable.
pub(super) fn with_plain_numbers(json: &str) -> Cow<'_, str> {
    if !json.contains("NaN") && !json.contains("Infinity") {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    let (mut is_text, mut is_escaped, mut done) = (false, false, 0);
    for (at, byte) in json.bytes().enumerate() {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        is_text = byte == b'"';
        if at < done || !matches!(byte, b'N' | b'I' | b'-') {
            continue;
        }
        let rest = &json[at..];
        let word = ["NaN", "Infinity", "-Infinity"]
            .into_iter()
            .find(|word| rest.starts_with(word));
        if let Some(word) = word {
            out.push_str(&json[done..at]);
            out.push('"');
            out.push_str(word);
            out.push('"');
            done = at + word.len();
        }
    }
    out.push_str(&json[done..]);
    Cow::Owned(out)
}

fn unreadable(error: &serde_json::Error) -> SheetError {
    SheetError::Unreadable(error.to_string())
}

/// A whole file of JSON.
pub(super) fn whole(json: &str, group: Option<&str>) -> Result<PriceSheet, SheetError> {
    if json.starts_with('[') {
        let rows: Vec<&RawValue> = serde_json::from_str(json).map_err(|e| unreadable(&e))?;
        return match group {
            Some(_) => Err(SheetError::NoSuchGroup),
            None => Ok(ratios::rows(&rows, &Decimal::one())),
        };
    }
    let top: Fields<'_> = serde_json::from_str(json).map_err(|e| unreadable(&e))?;
    if top
        .get("prices")
        .is_some_and(|value| value.get().starts_with('['))
    {
        return match group {
            Some(_) => Err(SheetError::NoSuchGroup),
            None => own::json(&top),
        };
    }
    if let Some(sheet) = ratios::whole(&top, group)? {
        return Ok(sheet);
    }
    if group.is_some() {
        return Err(SheetError::NoSuchGroup);
    }
    Ok(models(ListShape::Public, &top, public::model))
}

/// An object by model, each read by `read`; a model that stands there twice is not read at all.
pub(super) fn models(
    shape: ListShape,
    top: &Fields<'_>,
    read: impl Fn(&mut PriceSheet, &str, &RawValue),
) -> PriceSheet {
    let mut sheet = PriceSheet::new(shape);
    let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
    for (name, _) in &top.0 {
        if !seen.insert(name.as_ref()) {
            twice.insert(name.as_ref());
        }
    }
    for (name, value) in &top.0 {
        if twice.contains(name.as_ref()) {
            sheet.problem(name, "", ListFault::Twice);
        } else {
            read(&mut sheet, name, value);
        }
    }
    sheet
}
