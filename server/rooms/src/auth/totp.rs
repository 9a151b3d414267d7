//! Codes that change with time: RFC 6238 over HMAC-SHA-1 (RFC 4226), as every authenticator app
//! speaks it. Pure; that a code works once is for `factors` to see to.

use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use rand::RngExt;
use sha1::Sha1;
use shared::clock::Moment;
use shared::secret::Secret;
use subtle::ConstantTimeEq;

/// RFC 4226, 4, R6 recommends 160 bits.
const SECRET_BYTES: usize = 20;
/// RFC 6238, 4.1: the default of every app.
const STEP_SECONDS: i64 = 30;
/// RFC 6238, 5.2: one step of delay each way, for slow fingers and clocks.
const STEPS_AROUND: i64 = 1;
/// What apps show.
const DIGITS: usize = 6;
/// RFC 4648, 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A fresh secret.
pub fn secret() -> Secret<Vec<u8>> {
    Secret::new(rand::rng().random::<[u8; SECRET_BYTES]>().to_vec())
}

/// The 31 bits of RFC 4226, 5.3, of which a code is the last digits.
fn truncated(secret: &[u8], step: i64) -> u32 {
    // Zeros are hashed where a key is too long or short, so any length is taken.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        return 0;
    };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[digest.len() - 1] & 0x0f);
    let bytes = [
        digest[offset] & 0x7f,
        digest[offset + 1],
        digest[offset + 2],
        digest[offset + 3],
    ];
    u32::from_be_bytes(bytes)
}

fn code(secret: &[u8], step: i64, digits: usize) -> String {
    let modulus = (0..digits).fold(1_u64, |product, _| product.saturating_mul(10));
    let code = u64::from(truncated(secret, step)) % modulus;
    format!("{code:0digits$}")
}

/// The code of a moment, as an app shows it.
pub fn code_at(secret: &[u8], now: Moment) -> String {
    code(secret, step_of(now), DIGITS)
}

fn step_of(now: Moment) -> i64 {
    now.unix_seconds().div_euclid(STEP_SECONDS)
}

/// The step of time whose code this is, if it is one of now or just before or after.
pub fn matching_step(secret: &[u8], typed: &str, now: Moment) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let around = step_of(now).saturating_sub(STEPS_AROUND)..=step_of(now) + STEPS_AROUND;
    // All of them are compared, so that time does not tell which.
    around.fold(None, |found, step| {
        let right = bool::from(
            code(secret, step, DIGITS)
                .as_bytes()
                .ct_eq(typed.as_bytes()),
        );
        found.or(right.then_some(step))
    })
}

/// A secret in the letters of RFC 4648, as people type it into an app.
pub fn letters(secret: &[u8]) -> String {
    let mut text = String::new();
    for chunk in secret.chunks(5) {
        let mut group = [0_u8; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let index = (bits >> (35 - place * 5)) & 31;
            text.push(char::from(BASE32[usize::try_from(index).unwrap_or(0)]));
        }
    }
    text
}

/// What the QR code says (the key URI format of authenticator apps).
pub fn uri(account: &str, secret: &[u8]) -> String {
    let mut label = String::new();
    for byte in account.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte) {
            label.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(label, "%{byte:02X}");
        }
    }
    let letters = letters(secret);
    format!(
        "otpauth://totp/Waule:{label}?secret={letters}&issuer=Waule&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
    )
}

#[cfg(test)]
mod tests;
