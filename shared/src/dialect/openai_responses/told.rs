//! What a failure within an answer means, by the code that it names (API reference, `ResponseError`, as of
//! 2026-11).

use crate::dialect::Told;
use crate::fault::{Fault, FaultKind};

/// Codes that say whose fault it is; of others it is the provider's.
const CODES: &[(&str, FaultKind)] = &[
    ("bio_policy", FaultKind::ContentPolicy),
    ("credit_balance_exhausted", FaultKind::QuotaExhausted),
    ("empty_image_file", FaultKind::BadRequest),
    ("failed_to_download_image", FaultKind::BadRequest),
    ("image_content_policy_violation", FaultKind::ContentPolicy),
    ("image_file_not_found", FaultKind::BadRequest),
    ("image_file_too_large", FaultKind::BadRequest),
    ("image_parse_error", FaultKind::BadRequest),
    ("image_too_large", FaultKind::BadRequest),
    ("image_too_small", FaultKind::BadRequest),
    ("insufficient_quota", FaultKind::QuotaExhausted),
    ("invalid_base64_image", FaultKind::BadRequest),
    ("invalid_image", FaultKind::BadRequest),
    ("invalid_image_format", FaultKind::BadRequest),
    ("invalid_image_mode", FaultKind::BadRequest),
    ("invalid_image_url", FaultKind::BadRequest),
    ("invalid_prompt", FaultKind::ContentPolicy),
    ("misalignment_policy_violation", FaultKind::ContentPolicy),
    ("rate_limit_exceeded", FaultKind::RateLimited),
    ("unsupported_image_media_type", FaultKind::BadRequest),
];

/// The failure that a stream tells.
pub(super) fn fault(told: Option<Told>) -> Fault {
    let Some(told) = told else {
        let detail = "the provider reported an error in the stream";
        return Fault::new(FaultKind::Overloaded, detail);
    };
    let wait = told.wait;
    let code = told.code.or(told.kind).unwrap_or_default();
    let found = CODES.iter().find(|(known, _)| *known == code);
    let kind = found.map_or(FaultKind::Overloaded, |(_, kind)| *kind);
    let status = told
        .status
        .map_or(String::new(), |status| format!(" {status}"));
    let message = told.message;
    let detail = format!("the provider reported an error in the stream:{status} {code} {message}");
    Fault::new(kind, detail).with_retry_after(wait)
}
