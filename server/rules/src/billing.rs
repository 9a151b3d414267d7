//! What of a call is billed, whoever asks: its settlement, its detail, its receipt.

use shared::units::{Unit, Usage};

/// The word of a record whose call's end nobody knows.
pub const UNKNOWN: &str = "unknown";

/// Whether a call that ended so costs nothing: it failed before anything was produced, or nothing at all
/// came of it. Zero output is zero, a price per request included.
pub fn is_free(failed: bool, usage: &Usage) -> bool {
    usage.is_nothing() || (failed && usage.output_total() == 0 && usage.count(Unit::Image) == 0)
}

/// What is billed of a usage: no more of a unit than was asked for, and by the facts of what was asked
/// for. Billing what is billed already changes nothing.
pub fn billed(asked: &Usage, usage: &Usage) -> Usage {
    let mut billed = usage.clone();
    if usage.is_nothing() {
        return billed;
    }
    for (unit, most) in asked.measures() {
        if billed.count(unit) > most {
            billed.set(unit, most);
            billed.overrun = true;
        }
    }
    for (fact, word) in asked.facts.iter() {
        billed.facts.note(fact, word);
    }
    billed
}
