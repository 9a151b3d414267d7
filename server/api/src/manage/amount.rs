//! Credits in JSON: a number with its exact decimals, never through a sum of floats.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::{Number, Value};
use shared::credits::Credits;

/// An amount of credits in a view or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount(Credits);

impl From<Credits> for Amount {
    fn from(credits: Credits) -> Self {
        Self(credits)
    }
}

impl From<Amount> for Credits {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl Type for Amount {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "number_credits".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            description: Some("Credits, with at most six decimals"),
            ..MetaSchema::new("number")
        }))
    }

    fn register(_registry: &mut Registry) {}

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

/// The longest sum that is taken: 10^9 credits.
const AMOUNT_MAX: Credits = Credits::from_micros(1_000_000_000_000_000);

/// The number's decimals without an exponent: the shortest that mean this very number.
fn digits(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_i64() && !number.is_u64() => float.to_string(),
        _ => number.to_string(),
    }
}

impl ParseFromJSON for Amount {
    /// Reads the digits as they print: a JSON number or a text with one.
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let text = match value.unwrap_or_default() {
            Value::Number(number) => digits(&number),
            Value::String(text) => text,
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(ParseError::expected_type(other));
            }
        };
        let credits: Credits = text.parse().map_err(ParseError::custom)?;
        if credits.is_negative() || credits > AMOUNT_MAX {
            return Err(ParseError::custom(format!(
                "an amount must be from 0 to {AMOUNT_MAX}"
            )));
        }
        Ok(Self(credits))
    }
}

impl ToJSON for Amount {
    /// A number where a reader with 64-bit floats gets these very decimals, else a text.
    fn to_json(&self) -> Option<Value> {
        let text = self.0.to_string();
        if let Ok(whole) = text.parse::<i64>() {
            return Some(whole.into());
        }
        let number = text.parse::<f64>().ok().and_then(Number::from_f64);
        let exact = number.filter(|number| digits(number) == text);
        Some(exact.map_or(Value::String(text), Value::Number))
    }
}

#[cfg(test)]
mod tests;
