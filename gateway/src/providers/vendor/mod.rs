//! Vendors that are asked over HTTP and answer JSON or server-sent events: an attempt, its answer or its
//! refusal, what a refusal teaches, and the free questions of operators. What a vendor has of its own is its
//! door's to say, and what it speaks its dialect's.

mod answer;
mod classify;
pub(super) mod doors;
mod listing;
mod pictures;
mod question;
mod request;

use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use shared::dialect::{Dialect, Quirks, Told, told};
use shared::fault::{Fault, FaultKind};
use shared::link::connectors::ConnectorFacts;
use shared::link::models::ProviderModels;
use shared::link::{Call, CallerError, KeyTest};
use shared::surface::AnswerForm;

use self::answer::{Expected, NoAnswer};
use self::classify::classify;
use self::doors::{Asked, Door};
use self::pictures::Pictures;
use self::request::request;
use super::files::Fetched;
use super::wait::wait;
use super::words::{Secrets, cleaned};
use super::{Answer, ContentType, Patience, Provider, Refusal, Route, http as outbound};

/// Ten images of 4 MiB in base64; the longest text and the largest batch of embeddings.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// An error text is short; what is longer is not read.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// Of what a provider says of an end user that it refuses.
const BLOCKED_CHARS_MAX: usize = 300;
/// Ways to send one request: as it is, without one field, without another, with a third one moved.
const WAYS_MAX: u32 = 4;

/// A vendor behind a door.
pub(super) struct Vendor<D>(pub(super) D);

/// A refusal with what it was made of.
struct Refused {
    refusal: Refusal,
    told: Told,
}

#[async_trait]
impl<D: Door> Provider for Vendor<D> {
    fn facts(&self) -> &'static ConnectorFacts {
        self.0.facts()
    }

    async fn call(
        &self,
        call: &Call,
        route: Route<'_>,
        patience: Patience,
    ) -> Result<Answer, Refusal> {
        let dialect = doors::dialect(&self.0, call.surface, route).ok_or_else(|| {
            let what = call.surface.operation.word();
            Fault::new(FaultKind::NotFound, format!("this vendor does no {what}"))
        })?;
        let fetched = Fetched::of(call, dialect, route).await?;
        let mut quirks = route.quirks();
        let mut ways = 1;
        loop {
            let way = Way {
                call,
                dialect,
                route,
                quirks,
                fetched: &fetched,
            };
            let refused = match way.attempt(&self.0, patience).await {
                Ok(answer) => {
                    if ways > 1 {
                        route.learned.learn(route.model, quirks);
                    }
                    return Ok(answer);
                }
                Err(refused) => refused,
            };
            let Refused { refusal, told } = *refused;
            match request::otherwise(&way, &refusal.fault, &told) {
                Some(other) if ways < WAYS_MAX => {
                    quirks = other;
                    ways += 1;
                }
                _ => return Err(refusal),
            }
        }
    }

    async fn test(&self, route: Route<'_>) -> KeyTest {
        question::test(&self.0, route).await
    }

    async fn try_model(&self, route: Route<'_>) -> KeyTest {
        question::try_model(&self.0, route).await
    }

    async fn models(&self, route: Route<'_>) -> ProviderModels {
        listing::models(&self.0, route).await
    }

    fn ignored_maximum(&self, route: Route<'_>) {
        route.learned.ignored(route.base_url, route.model);
    }
}

/// One way to send a call.
#[derive(Clone, Copy)]
struct Way<'a> {
    call: &'a Call,
    /// As the vendor is asked.
    dialect: &'static dyn Dialect,
    route: Route<'a>,
    quirks: Quirks,
    /// What it has in the place of addresses.
    fetched: &'a Fetched,
}

impl Way<'_> {
    /// Whether the vendor speaks the tenant's dialect.
    fn is_own(&self) -> bool {
        self.call.surface.dialect.name() == self.dialect.name()
    }

    /// Headers of the tenant's request that the vendor understands.
    fn headers(&self) -> &[(String, String)] {
        if self.is_own() {
            &self.call.headers
        } else {
            &[]
        }
    }

    /// Whether we ask for the usage of a stream, and the tenant does not.
    fn adds_usage(&self) -> bool {
        self.call.stream && !(self.is_own() && self.call.show_usage)
    }

    async fn attempt(&self, door: &impl Door, patience: Patience) -> Result<Answer, Box<Refused>> {
        let Self {
            call,
            dialect,
            route,
            quirks,
            fetched: _,
        } = *self;
        if let Some(pictures) = Pictures::of(self) {
            return pictures.attempt(self, door, patience).await;
        }
        let spoken = request::spoken(door, self, quirks)?;
        let asked = Asked {
            method: Method::POST,
            path: door.path(call.surface, dialect, route, call.stream),
            stream: call.stream,
            body: spoken.body.clone(),
            content_type: &spoken.content_type,
            dialect: Some(dialect),
            headers: self.headers(),
        };
        let request = request(door, &asked, route).await?;
        let head = outbound::send(request, patience.first_byte).await?;
        route.hear(&head.headers);
        let status = head.status.as_u16();
        if head.status == StatusCode::UNAUTHORIZED {
            door.refused(route);
        }
        if !head.status.is_success() {
            let body = outbound::beginning(head.body, ERROR_BYTES_MAX, patience.silence).await;
            return Err(self.refused(status, &head.headers, told::refusal(&body)));
        }
        let expected = Expected {
            dialect,
            bytes_max: ANSWER_BYTES_MAX,
            silence: patience.silence,
        };
        let answer = if call.stream {
            answer::streamed(head.body.through(door.unframed()), expected).await
        } else {
            // What providers say of JSON is not believed; of sounds and pictures only they know.
            let is_binary = call.surface.answer == AnswerForm::Binary;
            let told = head.headers.get(CONTENT_TYPE).filter(|_| is_binary);
            let told = told.and_then(|value| value.to_str().ok());
            let content_type = told.map(|value| ContentType::Owned(value.to_owned()));
            answer::whole(head.body, content_type, expected).await
        };
        match answer {
            Ok(answer) => Ok(answer.in_dialect(spoken)),
            Err(NoAnswer::Told(told)) => Err(self.refused(status, &head.headers, *told)),
            Err(NoAnswer::Fault(fault)) => Err(fault.with_status(status).into()),
        }
    }

    fn refused(&self, status: u16, headers: &HeaderMap, mut told: Told) -> Box<Refused> {
        told.code = told.code.or_else(|| error_type(headers));
        let mut fault = classify(status, &told).with_retry_after(wait(headers, &told));
        let secrets = Secrets {
            key: self.route.key.expose(),
            headers: self.route.headers,
            base_url: self.route.base_url,
            body: &self.call.body,
        };
        let clean = |text: &str| cleaned(text, secrets);
        if fault.kind == FaultKind::EndUserBlocked {
            let names_person = self.call.end_user.is_some();
            fault = blocked(fault, &clean(&told.message), names_person);
        }
        let for_tenant = matches!(fault.kind, FaultKind::BadRequest | FaultKind::ContentPolicy);
        let caller = for_tenant.then(|| CallerError {
            message: clean(&told.message),
            param: told.param.as_deref().map(clean),
            code: told.code.as_deref().map(clean),
        });
        Box::new(Refused {
            refusal: Refusal { fault, caller },
            told,
        })
    }
}

/// What it says of an end user, with the provider's words for the operator. A server that named nobody
/// knows neither whom it is about nor the kind of fault: to it the content is refused.
fn blocked(fault: Fault, words: &str, names_person: bool) -> Fault {
    if !names_person {
        let other = Fault::new(FaultKind::ContentPolicy, fault.detail);
        return Fault {
            upstream_status: fault.upstream_status,
            ..other
        };
    }
    let words: String = words.chars().take(BLOCKED_CHARS_MAX).collect();
    Fault {
        detail: format!("{}: {words}", fault.detail),
        ..fault
    }
}

/// The fault that an error in the middle of a stream from `route` is: what its dialect makes of it, or what
/// the words of all vendors say. `names_person` where the server said whose question it is.
pub(crate) fn in_stream(fault: Fault, told: &Told, route: Route<'_>, names_person: bool) -> Fault {
    let Some(known) = classify::in_stream(fault.kind, told) else {
        return fault;
    };
    let secrets = Secrets {
        key: route.key.expose(),
        headers: route.headers,
        base_url: route.base_url,
        body: b"",
    };
    let words = cleaned(&told.message, secrets);
    if known.kind == FaultKind::EndUserBlocked {
        return blocked(known, &words, names_person);
    }
    Fault {
        detail: format!("in the stream: {}: {words}", known.detail),
        ..known
    }
}

/// The kind of an error where Amazon tells it: in a header, with what is of no use behind a colon.
fn error_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-amzn-errortype")?.to_str().ok()?;
    let word = value.split(':').next()?.rsplit('#').next()?;
    (1..=100).contains(&word.len()).then(|| word.to_owned())
}

impl From<Refusal> for Box<Refused> {
    fn from(refusal: Refusal) -> Self {
        Self::new(Refused {
            refusal,
            told: Told::default(),
        })
    }
}

impl From<Fault> for Box<Refused> {
    fn from(fault: Fault) -> Self {
        Refusal::from(fault).into()
    }
}
