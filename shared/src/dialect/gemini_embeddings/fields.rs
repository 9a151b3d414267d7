//! Reads a request in one pass: which model, how much input, and what is refused. What is not named passes;
//! Google refuses what it does not know itself.

use serde_json::value::RawValue;

use crate::dialect::asked::is_of_the_edge;
use crate::dialect::fields::{is_nothing, refused_everywhere, wrong};
use crate::dialect::gemini::fields::{is_named, model};
use crate::dialect::input::Input;
use crate::dialect::{Asked, BadBody, Head, Output};
use crate::json;
use crate::units::{Unit, Usage};

/// Contents of one call, as OpenAI's embeddings; Google takes a hundred.
pub(super) const REQUESTS_MAX: usize = 2_048;

pub(super) const CONTENT: &str = "content";
pub(super) const REQUESTS: &str = "requests";
/// Where Vertex's clients put what is said of a content.
pub(super) const CONFIG: &str = "embedContentConfig";

/// A request as far as it was read.
#[derive(Debug, Default)]
struct Reading<'a> {
    input: Input,
    content: Option<&'a RawValue>,
    requests: Option<&'a RawValue>,
    model: Option<&'a RawValue>,
    refused: Option<BadBody>,
    for_edge: bool,
}

/// Whether a value is an object.
pub(super) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// What is asked for.
pub(super) fn read(head: &Head, body: &[u8], is_batch: bool) -> Result<Asked, BadBody> {
    let mut reading = Reading::default();
    reading.each(body)?;
    if is_batch {
        let wrong = || {
            let message = format!(
                "`requests` must be an array of 1 to {REQUESTS_MAX} requests, each with a `content`."
            );
            BadBody::of(REQUESTS, message)
        };
        let requests = reading.requests.ok_or_else(wrong)?;
        let all: Vec<&RawValue> = serde_json::from_str(requests.get()).map_err(|_| wrong())?;
        let is_few = (1..=REQUESTS_MAX).contains(&all.len());
        if !is_few || !all.iter().all(|one| is_object(one)) {
            return Err(wrong());
        }
        for one in all {
            reading.content = None;
            reading.each(one.get().as_bytes())?;
            reading.content.ok_or_else(wrong)?;
        }
    } else if reading.content.is_none() {
        let message = "`content` must be a content with at least one part.";
        return Err(BadBody::of(CONTENT, message));
    }
    let mut asked = Asked::of(model(head, reading.model)?, Output::None);
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let most = reading.input.most(length);
    asked.input_estimate = reading.input.estimate().min(most);
    asked.bounds = Usage::of([(Unit::InputToken, most)]);
    asked.may_have_edge_fields = reading.for_edge;
    reading.refused.map_or(Ok(asked), Err)
}

impl<'a> Reading<'a> {
    /// Takes the fields of an object.
    fn each(&mut self, object: &'a [u8]) -> Result<(), BadBody> {
        let read = json::each_field(object, |name, value| self.take(name, value));
        read.map_err(|error| BadBody::whole(error.to_string()))
    }

    /// Takes what may stand in the config as well.
    fn config(&mut self, config: &[u8]) -> Result<(), String> {
        let read = json::each_field(config, |name, value| {
            if is_named(name, "title") {
                self.input = self.input.and(Input::of_text(value.get().as_bytes()));
            } else if [CONTENT, REQUESTS, "model"]
                .iter()
                .any(|one| is_named(name, one))
            {
                return Err(format!("`{CONFIG}` holds what does not belong into it"));
            }
            Ok(())
        });
        read.map_err(|error| error.to_string())
    }

    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), String> {
        self.for_edge |= is_of_the_edge(name);
        let json = value.get().as_bytes();
        let twice = |field: &str| Err(format!("`{field}` is given twice"));
        if is_named(name, CONTENT) {
            // One that stands there in other letters a provider may take for it.
            if name != CONTENT || self.content.is_some() {
                return twice(CONTENT);
            }
            self.content = Some(value).filter(|value| is_object(value) && !is_nothing(json));
            self.input = self.input.and(Input::of_value(json));
        } else if is_named(name, REQUESTS) {
            if name != REQUESTS || self.requests.is_some() {
                return twice(REQUESTS);
            }
            self.requests = Some(value);
        } else if is_named(name, "title") {
            self.input = self.input.and(Input::of_text(json));
        } else if is_named(name, "model") {
            // Likewise: ours is put in the place of the one that is found.
            if name != "model" {
                return twice("model");
            }
            self.model = self.model.or(Some(value));
        } else if is_named(name, CONFIG) && is_object(value) {
            self.config(json)?;
        } else if let Some((field, why)) = refused_everywhere(name)
            && !is_nothing(json)
        {
            let refused = wrong(field, why.sentence());
            self.refused.get_or_insert(refused);
        }
        Ok(())
    }
}
