//! A tenant's request in the words of a provider: as it is where both speak the same dialect, else
//! translated. Sends nothing.

use std::borrow::Cow;

use bytes::Bytes;
use shared::dialect::neutral::{ChatRequest, WriteTo, Written};
use shared::dialect::{BadBody, Dialect, EndUserField, Forward, Head};
use shared::fault::{Fault, FaultKind, Retry};
use shared::link::{Call, CallerError};

use super::Refusal;
use super::files::Fetched;

/// A request as it goes to a provider.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// In which dialect.
    dialect: &'static dyn Dialect,
    /// Whether that is the surface's own.
    is_own: bool,
    /// The body.
    pub(crate) body: Bytes,
    /// What that is.
    pub(crate) content_type: Cow<'static, str>,
    /// Fields of the tenant's that could not be said.
    pub(crate) dropped: Vec<String>,
    /// What a translated answer repeats of the tenant's request.
    pub(crate) repeated: Bytes,
    /// Of translated embeddings: how many vectors must come.
    pub(crate) texts: Option<usize>,
}

impl Spoken {
    /// The dialect, where it is not the surface's.
    pub(crate) fn foreign(&self) -> Option<&'static dyn Dialect> {
        (!self.is_own).then_some(self.dialect)
    }

    /// `call` in `dialect`, with what was fetched for it.
    pub(super) fn of(
        (call, fetched): (&Call, &Fetched),
        dialect: &'static dyn Dialect,
        to: Forward<'_>,
    ) -> Result<Self, Refusal> {
        let own = call.surface.dialect;
        if own.name() == dialect.name() {
            let sent = call.body().and_then(|body| own.sent(&body, to));
            let sent = sent.map_err(|error| unsaid(&error))?;
            let body = without_others(own, &sent.body, call, to).unwrap_or(sent.body);
            return Ok(Self {
                dialect,
                is_own: true,
                body,
                content_type: sent.content_type,
                dropped: Vec::new(),
                repeated: Bytes::new(),
                texts: None,
            });
        }
        let (written, texts) = translated((call, fetched), dialect, to)?;
        Ok(Self {
            dialect,
            is_own: false,
            body: written.body,
            content_type: Cow::Borrowed("application/json"),
            dropped: written.dropped,
            repeated: own.repeated(&call.body),
            texts,
        })
    }
}

/// `call` in the words of another dialect than its own; of embeddings also how many texts they are of.
fn translated(
    (call, fetched): (&Call, &Fetched),
    dialect: &'static dyn Dialect,
    to: Forward<'_>,
) -> Result<(Written, Option<usize>), Refusal> {
    let own = call.surface.dialect;
    let head = Head {
        model: Some(to.model.to_owned()),
        stream: Some(call.stream),
        headers: call.headers.clone(),
    };
    let words = write_to(call, to);
    let written = if let (Some(from), Some(into)) = (own.translator(), dialect.translator()) {
        let request = from.read_request(&head, &call.body);
        request.and_then(|mut request| {
            fetched.put_into(&mut request, into.bytes_only())?;
            let is_left_out = dialect.names_end_users() && name_end_user(&mut request, to);
            let mut written = into.write_request(&request, words)?;
            if is_left_out {
                written.dropped.push("user".to_owned());
            }
            Ok((written, None))
        })
    } else if let (Some(from), Some(into)) = (own.embeddings(), dialect.embeddings()) {
        let request = from.read_request(&head, &call.body);
        request.and_then(|request| {
            let written = into.write_request(&request, words)?;
            Ok((written, Some(request.texts.len())))
        })
    } else if let (Some(from), Some(into)) = (own.rankings(), dialect.rankings()) {
        let request = from.read_request(&head, &call.body);
        request.and_then(|request| Ok((into.write_request(&request, words)?, None)))
    } else {
        let why = format!("{} can't be said in {}", own.name(), dialect.name());
        return Err(Fault::new(FaultKind::NotFound, why).into());
    };
    written.map_err(|error| unsaid(&error))
}

/// Refuses what would leave something of the request unsaid, where its tenant wants all of it said.
pub(super) fn says_all(call: &Call, dropped: &[String]) -> Result<(), Refusal> {
    match dropped.first().filter(|_| call.says_all) {
        None => Ok(()),
        Some(field) => {
            let message = format!(
                "`{field}` can't be said to any provider that the call may go to, and all of it is to be (`require_parameters`)."
            );
            Err(unsaid(&BadBody::whole(message)))
        }
    }
}

/// Puts our name of the end user in the place of the tenant's word; tells whether a word of the tenant's is left
/// out instead, since nobody is named there.
fn name_end_user(request: &mut ChatRequest, to: Forward<'_>) -> bool {
    let Some(name) = to.end_user else {
        return false;
    };
    if to.quirks.end_user == EndUserField::Nowhere {
        return request.end_user.take().is_some();
    }
    request.end_user = Some(name.to_owned());
    false
}

fn write_to<'a>(call: &Call, to: Forward<'a>) -> WriteTo<'a> {
    WriteTo {
        model: to.model,
        quirks: to.quirks,
        output_max: call.bounds.map(|bounds| bounds.output_max),
    }
}

/// A conversation may have begun with another vendor's model, behind the same surface.
fn without_others(
    dialect: &'static dyn Dialect,
    body: &Bytes,
    call: &Call,
    to: Forward<'_>,
) -> Option<Bytes> {
    let translator = dialect.translator()?;
    translator.without_others(body, write_to(call, to))
}

/// What can't be said at this provider another target may take.
pub(super) fn unsaid(error: &BadBody) -> Refusal {
    let mut fault = Fault::new(FaultKind::BadRequest, error.message.clone());
    fault.retry = Retry::OtherKey;
    Refusal {
        fault,
        caller: Some(CallerError {
            message: error.message.clone(),
            param: error.param.map(str::to_owned),
            code: None,
        }),
    }
}
