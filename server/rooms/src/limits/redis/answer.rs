//! What the script answers, read; whatever it does not know is refused.

use std::time::Duration;

use super::super::rate_meter::LIMIT_MAX;
use super::super::{Left, LimitInfo, LimitScope, LimitWhat, Refusal, Scopes};
use super::UNLIMITED;

pub(super) fn number(limit: Option<u64>) -> i64 {
    limit.map_or(UNLIMITED, |limit| {
        i64::try_from(limit.min(LIMIT_MAX)).unwrap_or(i64::MAX)
    })
}

/// Reads what `admit.lua` answers.
pub(super) fn read_answer(
    scopes: &Scopes<'_>,
    answer: &[i64],
) -> Result<Result<LimitInfo, Refusal>, String> {
    let odd = || format!("an odd answer of {} numbers", answer.len());
    let ([part, index, wait], lefts) = answer.split_first_chunk().ok_or_else(odd)?;
    let natural = |n: i64| u64::try_from(n).unwrap_or(0);
    let left = |limit: Option<u64>, remaining: i64, reset: i64| {
        let reset = Duration::from_millis(natural(reset));
        limit.map(|limit| Left {
            limit,
            remaining: natural(remaining),
            reset,
        })
    };
    let (lefts, rest) = lefts.as_chunks::<4>();
    if !rest.is_empty() || lefts.len() != scopes.limited().count() {
        return Err(odd());
    }
    let infos =
        scopes
            .limited()
            .zip(lefts)
            .map(
                |(scope, [requests, reset, tokens, tokens_reset])| LimitInfo {
                    requests: left(
                        scope.limits.requests_per_minute.map(u64::from),
                        *requests,
                        *reset,
                    ),
                    tokens: left(scope.limits.tokens_per_minute, *tokens, *tokens_reset),
                },
            );
    let info = infos.fold(LimitInfo::default(), LimitInfo::tighter);
    let what = match part {
        0 => return Ok(Ok(info)),
        1 => LimitWhat::Requests,
        2 => LimitWhat::Tokens,
        3 => LimitWhat::Concurrency,
        _ => return Err(odd()),
    };
    let at = usize::try_from(*index)
        .ok()
        .and_then(|index| index.checked_sub(1))
        .ok_or_else(odd)?;
    let scope: LimitScope = scopes.limited().nth(at).ok_or_else(odd)?.scope;
    Ok(Err(Refusal {
        what,
        scope,
        retry_after: Duration::from_millis(natural(*wait)),
        info,
    }))
}
