//! What a person asks for in the studio: read from a form or from the script's JSON, written as the
//! body of a call, reckoned before it is sent, and why it was refused. Calls nothing.

pub(super) mod settings;

mod pictures;

use admin_templates::form::FieldError;
use admin_templates::page::Lang;
use admin_templates::portal::StudioModel;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server_calls::plan::{PlanInput, plan};
use server_rooms::catalogue::facts::Capability;
use server_rooms::catalogue::price::{Tariff, WorstCase};
use server_rooms::catalogue::{Catalogue, Model};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::dialect::body::Body;
use shared::dialect::{Asked, Head, Output};
use shared::link::Operation;
use shared::surface::Surface;
use shared::units::{Fact, Unit, Usage};

use self::settings::{AnswerSettings, TypedSettings};
use super::super::form::FieldProblem;

/// Multipliers are in millionths.
const PPM: i64 = 1_000_000;
/// What every maker of images offers first.
const SIZE: &str = "1024x1024";
/// Sizes that are offered where no price names one.
const SIZES: [&str; 3] = [SIZE, "1536x1024", "1024x1536"];
/// Models of this family answer with bytes and refuse to be asked for them (OpenAI, images API,
/// `response_format`).
const BYTES_ALWAYS: &str = "gpt-image";

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChatTurn {
    /// By whom.
    pub(super) role: Role,
    /// What.
    pub(super) content: String,
    /// Pictures with it, each as `data:image/…;base64,…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) images: Vec<String>,
}

impl ChatTurn {
    /// Words alone.
    pub(super) fn words(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            images: Vec::new(),
        }
    }

    /// As the `content` of a message has it: a text, or parts where there are pictures.
    pub(super) fn content(&self) -> Value {
        pictures::content(self)
    }
}

/// Where a message stands in the conversation that is kept. `seen` is how many messages were ever written in it as
/// far as the page knows; `instead` the one that is written anew, `again` the one that is asked once more, by
/// their places; `answer` the how many-th answer it is, where several models are asked at once with one `nonce`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct KeptTurn {
    /// Its id; a new one where it is absent.
    #[serde(default)]
    pub(super) conversation: Option<String>,
    #[serde(default)]
    pub(super) seen: u32,
    #[serde(default)]
    pub(super) instead: Option<u32>,
    #[serde(default)]
    pub(super) again: Option<u32>,
    #[serde(default)]
    pub(super) answer: u32,
    /// The window, a dot, and the message's number there.
    #[serde(default)]
    pub(super) nonce: Option<String>,
}

/// A conversation to be continued.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ChatForm {
    /// By which model.
    pub(super) model: String,
    /// What was said so far.
    pub(super) messages: Vec<ChatTurn>,
    /// How the answer is to be.
    #[serde(default)]
    pub(super) settings: TypedSettings,
    /// Where the last of them is kept; it is not where this is absent.
    #[serde(default)]
    pub(super) kept: Option<KeptTurn>,
}

/// Images to be made.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ImageForm {
    /// By which model.
    pub(super) model: String,
    /// Of what.
    pub(super) prompt: String,
    /// How many; one when absent.
    #[serde(default)]
    pub(super) n: Option<u64>,
    /// For example `1024x1024`.
    #[serde(default)]
    pub(super) size: Option<String>,
    /// For example `high`.
    #[serde(default)]
    pub(super) quality: Option<String>,
}

/// Either.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum StudioRequest {
    /// A conversation.
    Chat(ChatForm),
    /// Images.
    Image(ImageForm),
}

impl ChatForm {
    /// The body of the call, or the field that is out of bounds. A stream tells its tokens at its end,
    /// from which the page reckons the speed.
    pub(super) fn body(&self, catalogue: &Catalogue, stream: bool) -> Result<Bytes, FieldProblem> {
        let model = catalogue.meant(&self.model);
        let can = |what| model.as_ref().is_some_and(|model| model.facts.can(what));
        let settings = AnswerSettings::read(&self.settings)?;
        pictures::check(&self.messages, can(Capability::Vision))?;
        Ok(self.written(&settings, can(Capability::Reasoning), stream))
    }

    fn written(&self, settings: &AnswerSettings, thinks: bool, stream: bool) -> Bytes {
        let system = settings.system();
        let system = system.map(|content| json!({"role": "system", "content": content}));
        let said = self.messages.iter().map(pictures::message);
        let messages: Vec<Value> = system.into_iter().chain(said).collect();
        let mut body = json!({"model": self.model, "messages": messages, "stream": stream});
        if stream {
            body["stream_options"] = json!({"include_usage": true});
        }
        settings.write(&mut body, thinks);
        body.to_string().into()
    }
}

impl ImageForm {
    /// The body of the call. No page asks another host for anything, so the images come as bytes.
    pub(super) fn body(&self, catalogue: &Catalogue) -> Bytes {
        let mut body =
            json!({"model": self.model, "prompt": self.prompt, "n": self.n.unwrap_or(1)});
        let given = [("size", &self.size), ("quality", &self.quality)];
        for (name, value) in given {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                body[name] = Value::String(value.clone());
            }
        }
        let by_itself = catalogue.model(&self.model).is_some_and(|model| {
            let mut targets = model.targets.iter();
            targets.any(|target| target.model.contains(BYTES_ALWAYS))
        });
        if !by_itself {
            body["response_format"] = Value::String("b64_json".to_owned());
        }
        body.to_string().into()
    }
}

/// Tokens of an answer of a page of text; most are shorter.
const USUAL_ANSWER: u64 = 500;

/// What sending costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    /// A word for a word.
    pub(super) least: Credits,
    /// With an answer of a usual length, rounded.
    pub(super) about: Credits,
    /// As much as is held.
    pub(super) most: Credits,
}

impl StudioRequest {
    fn operation(&self) -> Operation {
        match self {
            Self::Chat(_) => Operation::Chat,
            Self::Image(_) => Operation::Image,
        }
    }

    /// What it costs at least, with a usual answer, and at most: as much as would be held.
    pub(super) fn estimate(
        &self,
        catalogue: &Catalogue,
        multiplier_ppm: i64,
        now: Moment,
    ) -> Result<Estimate, FieldError> {
        let operation = self.operation();
        let body = match self {
            Self::Chat(form) => form.body(catalogue, true).map_err(|(_, error)| error)?,
            Self::Image(form) => form.body(catalogue),
        };
        let dialect = Surface::of(operation).dialect;
        let asked = dialect.read(&Head::default(), &Body::Json(body));
        let asked = asked.map_err(|error| FieldError::Words(error.message))?;
        let model = catalogue.model(&asked.model);
        let model = model.filter(|model| model.enabled && model.operation == operation);
        let model = model.ok_or(FieldError::Unknown)?;
        let price = model.price_at(now).ok_or(FieldError::Unavailable)?;
        let reckoned = |asked: &Asked| {
            let input = PlanInput {
                asked,
                model_output_max: model.max_output_tokens,
                price: &price.list,
                at: now,
                multiplier_ppm,
            };
            let found = plan(input).ok_or(FieldError::Insufficient)?;
            Ok(found.amount)
        };
        let most = reckoned(&asked)?;
        let (least, about) = match asked.output {
            // An answer of a word to a word; a hold's least is of an answer that helps.
            Output::UpTo(bound) => {
                let mut short = asked.clone();
                let usual = bound.map_or(USUAL_ANSWER, |bound| bound.min(USUAL_ANSWER));
                short.output = Output::UpTo(Some(usual));
                let about = reckoned(&short)?;
                short.output = Output::UpTo(Some(1));
                short.bounds.set(Unit::InputToken, 0);
                (reckoned(&short)?, two_digits(about).min(most))
            }
            Output::None | Output::OfModel => (most, most),
        };
        Ok(Estimate { least, about, most })
    }
}

/// An amount rounded up to its first two digits: more would promise what nobody knows.
fn two_digits(amount: Credits) -> Credits {
    let micros = amount.micros();
    let mut size: i64 = 1;
    while micros / size >= 100 {
        size = size.saturating_mul(10);
    }
    let rounded = micros.saturating_add(size - 1) / size;
    Credits::from_micros(rounded.saturating_mul(size))
}

/// Models that can be called now, with what they are for and cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelPicker<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// What the tenant's prices are multiplied by, in millionths.
    pub(super) multiplier_ppm: i64,
    pub(super) now: Moment,
    pub(super) lang: Lang,
}

impl ModelPicker<'_> {
    /// Of an operation, in order of name.
    pub(super) fn models(&self, operation: Operation) -> Vec<StudioModel> {
        let all = self.catalogue.models();
        let fit = all
            .iter()
            .filter(|model| model.enabled && model.operation == operation)
            .filter(|model| !model.is_retired(self.now));
        let mut shown: Vec<StudioModel> = fit.filter_map(|model| self.shown(model)).collect();
        shown.sort_by(|a, b| a.id.cmp(&b.id));
        shown
    }

    fn shown(&self, model: &Model) -> Option<StudioModel> {
        let abilities = model.facts.capabilities.iter().map(|one| one.word());
        Some(self.priced(model)?.able(abilities))
    }

    fn priced(&self, model: &Model) -> Option<StudioModel> {
        let list = &model.price_at(self.now)?.list;
        let by_image = self.worst(list, Unit::Image)?;
        if model.operation == Operation::Image && by_image > Credits::ZERO {
            return Some(StudioModel::by_image(&model.id, by_image, self.lang));
        }
        let both = (
            self.million(list, Unit::InputToken)?,
            self.million(list, Unit::OutputToken)?,
        );
        Some(StudioModel::by_tokens(&model.id, both, self.lang))
    }

    /// One of a unit, as an image of the size that is offered first.
    fn worst(&self, list: &Tariff, unit: Unit) -> Option<Credits> {
        let mut bounds = Usage::of([(unit, 1)]);
        bounds.facts.note(Fact::Size, SIZE);
        let case = WorstCase {
            bounds: &bounds,
            open: &[],
            at: self.now,
        };
        list.worst_case(case, self.multiplier_ppm)
    }

    /// A million tokens of a short conversation.
    fn million(&self, list: &Tariff, unit: Unit) -> Option<Credits> {
        let one = Usage::of([(unit, 1)]);
        let bill = list.bill(&one, self.now, PPM)?;
        let line = bill.lines.iter().find(|line| line.unit == unit)?;
        let per = i64::try_from(line.per).ok()?;
        let million = line.price.scaled_up(PPM, per)?;
        million.scaled_up(self.multiplier_ppm, PPM)
    }

    /// Sizes and qualities that prices name; some sizes where they name none.
    pub(super) fn sizes_and_qualities(&self) -> (Vec<String>, Vec<String>) {
        let all = self.catalogue.models();
        let images = all
            .iter()
            .filter(|model| model.enabled && model.operation == Operation::Image);
        let (mut sizes, mut qualities) = (Vec::new(), Vec::new());
        for price in images.filter_map(|model| model.price_at(self.now)) {
            let rates = price.list.rates.iter();
            for rate in rates.filter(|rate| rate.unit == Unit::Image) {
                let facts = &rate.when.facts;
                keep(&mut sizes, facts.get(&Fact::Size));
                keep(&mut qualities, facts.get(&Fact::Quality));
            }
        }
        if sizes.is_empty() {
            sizes = SIZES.map(str::to_owned).into();
        }
        (sizes, qualities)
    }
}

fn keep(kept: &mut Vec<String>, words: Option<&Vec<String>>) {
    for word in words.into_iter().flatten() {
        if !kept.contains(word) {
            kept.push(word.clone());
        }
    }
}

#[cfg(test)]
mod tests;
