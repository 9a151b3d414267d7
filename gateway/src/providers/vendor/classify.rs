//! What a refusal means: by the provider's code and words first, by the status last. A table, so that
//! each row can be tested; the first row that matches decides.

mod rows;

use shared::dialect::Told;
use shared::fault::{Fault, FaultKind, FaultOf, Retry, Scope};

use FaultKind as K;

use self::rows::{ROWS, Row, Words};

/// Fields that hold our name of the end user.
const PERSON: [&str; 4] = ["safety_identifier", "user", "user_id", "metadata.user_id"];

/// The fault that `told` is; `status` is that of the answer.
pub(super) fn classify(status: u16, told: &Told) -> Fault {
    let code = lower(told.code.as_deref());
    let kind_word = lower(told.kind.as_deref());
    let message = told.message.to_lowercase();
    // A success that is an error says its status itself, where it does.
    let status = match told.status {
        Some(inner) if status < 400 => inner,
        _ => status,
    };
    // A sentence about a field of the request may quote what the tenant wrote.
    let is_about_field =
        matches!(status, 400 | 422) && told.param.as_deref().is_some_and(|param| param != "model");
    // But for our name of the end user, which no tenant wrote.
    let may_be_said = |row: &Row| {
        let names_person = || told.param.as_deref().is_some_and(|p| PERSON.contains(&p));
        !is_about_field || (row.kind == K::EndUserBlocked && names_person())
    };
    let matches = |row: &&Row| {
        let is_code = |code: &str| !code.is_empty() && row.codes.contains(&code);
        let has_all = |words: &Words| words.iter().all(|word| message.contains(word));
        (row.statuses.is_empty() || row.statuses.contains(&status))
            && (is_code(&code)
                || is_code(&kind_word)
                || (may_be_said(row) && row.phrases.iter().any(has_all)))
    };
    let detail = format!("status {status}, type `{kind_word}`, code `{code}`");
    let mut fault = match ROWS.iter().find(matches) {
        Some(row) => {
            let mut fault = Fault::new(row.kind, detail).reaching(row.scope);
            fault.retry = row.retry.unwrap_or(fault.retry);
            fault
        }
        None => by_status(status, told, detail),
    };
    if matches!(
        fault.kind,
        K::BadRequest | K::ContentPolicy | K::EndUserBlocked
    ) {
        fault.fault_of = FaultOf::Caller;
    }
    fault.with_status(status)
}

/// The fault that an error in the middle of a stream is, where that says more than `kind`, which its dialect
/// made of it. That the stream began proves that its key and its model were good, whatever words tell.
/// What would rest a key is believed by its code or its status: the words may quote what a tenant wrote.
pub(super) fn in_stream(kind: FaultKind, told: &Told) -> Option<Fault> {
    let mut known = classify(200, told);
    if rests_keys(known.kind) {
        let unworded = classify(
            200,
            &Told {
                message: String::new(),
                ..told.clone()
            },
        );
        if unworded.kind != known.kind {
            known = Some(unworded).filter(|fault| rests_keys(fault.kind))?;
        }
    }
    let known = known.with_retry_after(told.wait);
    let says_more = match known.kind {
        K::EndUserBlocked => true,
        K::ContentPolicy => matches!(kind, K::Overloaded | K::BadRequest),
        K::BadRequest | K::QuotaExhausted | K::RateLimited => kind == K::Overloaded,
        K::InvalidKey
        | K::NotFound
        | K::Overloaded
        | K::Timeout
        | K::Unreachable
        | K::Interrupted
        | K::InvalidAnswer
        | K::NoCapacity
        | K::Canceled
        | K::Internal => false,
    };
    says_more.then_some(Fault {
        upstream_status: told.status,
        ..known
    })
}

fn rests_keys(kind: FaultKind) -> bool {
    matches!(kind, K::QuotaExhausted | K::RateLimited)
}

fn lower(word: Option<&str>) -> String {
    word.unwrap_or_default().to_ascii_lowercase()
}

/// What a status means where nothing else is known.
#[expect(
    clippy::match_same_arms,
    reason = "a row a status, with the reason of each"
)]
fn by_status(status: u16, told: &Told, detail: String) -> Fault {
    let has_words = !told.message.is_empty();
    let names_field = told.param.is_some() || told.code.is_some();
    let (kind, scope, retry) = match status {
        // Not said to be the key: it is asked for, and nothing else changes.
        401 => (K::InvalidKey, Scope::Request, Retry::OtherKey),
        402 => (K::QuotaExhausted, Scope::Account, Retry::OtherKey),
        403 if has_words => (K::BadRequest, Scope::Request, Retry::OtherKey),
        403 => (K::InvalidKey, Scope::Request, Retry::OtherKey),
        404 if names_field => (K::BadRequest, Scope::Request, Retry::OtherKey),
        // No such page: the address is wrong, or the operation is not offered.
        404 => (K::NotFound, Scope::Provider, Retry::OtherKey),
        // This operation is not offered; others may be.
        405 | 501 => (K::NotFound, Scope::Request, Retry::OtherKey),
        408 | 504 => (K::Timeout, Scope::Provider, Retry::No),
        429 => (K::RateLimited, Scope::Key, Retry::OtherKey),
        // Said by balancers that gave up before the work was started.
        498 | 499 => (K::Overloaded, Scope::Provider, Retry::OtherKey),
        400..=499 => (K::BadRequest, Scope::Request, Retry::No),
        // An error that came as a success says that nothing was made.
        200..=299 | 500..=599 => (K::Overloaded, Scope::Provider, Retry::OtherKey),
        _ => (K::InvalidAnswer, Scope::Provider, Retry::No),
    };
    let mut fault = Fault::new(kind, detail).reaching(scope);
    fault.retry = retry;
    fault
}

#[cfg(test)]
mod tests;
