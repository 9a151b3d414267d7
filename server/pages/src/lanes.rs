//! What is known of when a call was where, for its page: measured times of the server, times that the
//! gateway told, and between them the way, of which only the whole is measured. Draws nothing.

use admin_templates::labels::{Lane, LaneStep};
use admin_templates::lanes::LaneRow;
use server_rooms::ledger::Hold;
use server_rooms::reports::{Try, UsageRecord};
use shared::clock::Moment;
use shared::link::trail::{Cut, NextStep, Way};

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Everything.
    ByOperators,
    /// Neither gateways nor providers.
    ByTenant,
}

/// Moments of a call, in milliseconds after it came.
#[derive(Debug, PartialEq, Eq)]
struct Times {
    /// What may be spent is set aside.
    held: u64,
    /// It is on its way.
    sent: u64,
    /// It is at the gateway.
    arrived: u64,
    /// The first byte of an answer is at the gateway; 0 where none came.
    first: u64,
    /// The gateway is done.
    ended: u64,
    /// The first of an answer is here.
    heard: u64,
    /// All of it is.
    back: u64,
}

fn after(at: Moment, from: Moment) -> u64 {
    u64::try_from(at.since(from).as_millis()).unwrap_or(u64::MAX)
}

/// The server's clock tells how long all took, the gateway's how long it had it: the rest is the way, and
/// half of it is taken for the way there.
fn times(record: &UsageRecord, hold: Option<&Hold>, way: Option<&Way>) -> Times {
    let from = record.created_at;
    let held = hold.map_or(0, |hold| after(hold.created_at, from));
    let sent = way.map_or(held, |way| {
        after(Moment::from_unix_ms(way.sent_at), from).max(held)
    });
    let had = record.duration_ms;
    let whole = way.map_or(had, |way| way.end_ms.max(had));
    // Where the way broke, what the end took longer is no measure of it: the head came before.
    let head = way.map_or(0, |way| way.head_ms.saturating_sub(record.first_byte_ms));
    let both = whole.saturating_sub(had).min(match head {
        0 => u64::MAX,
        head => head,
    });
    let there = both / 2;
    let arrived = sent.saturating_add(there);
    let down = both - there;
    let first = match record.first_byte_ms {
        0 => 0,
        first => arrived.saturating_add(first.min(had)),
    };
    Times {
        held,
        sent,
        arrived,
        first,
        // A whole answer comes with its head, when the gateway has all of it.
        heard: first
            .saturating_add(down)
            .max(way.map_or(0, |way| sent.saturating_add(way.head_ms))),
        ended: arrived.saturating_add(had),
        back: sent.saturating_add(whole),
    }
}

fn row(lane: Lane, step: LaneStep, from: u64, until: u64) -> LaneRow {
    LaneRow {
        lane,
        step,
        number: 0,
        start_ms: from,
        length_ms: until.saturating_sub(from),
        about: false,
        detail: String::new(),
    }
}

fn detailed(row: LaneRow, detail: impl Into<String>) -> LaneRow {
    LaneRow {
        detail: detail.into(),
        ..row
    }
}

fn attempt(one: &Try, arrived: u64) -> LaneRow {
    let from = arrived.saturating_add(one.began_ms);
    let until = from.saturating_add(one.duration_ms);
    let step = match &one.fault {
        None => LaneStep::Answered,
        Some(_) => LaneStep::Failed,
    };
    let status = one.status.map(|status| format!("HTTP {status}"));
    let parts = [Some(one.provider.clone()), status];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    LaneRow {
        number: one.number.into(),
        ..detailed(row(Lane::Provider, step, from, until), parts.join(" · "))
    }
}

/// What gateways and providers did.
fn overseas(tries: &[Try], way: Option<&Way>, times: &Times) -> Vec<LaneRow> {
    let is_wait = |one: &Try| one.next.as_deref() == Some(NextStep::Waited.word());
    let mut rows = Vec::new();
    for one in tries.iter().filter(|one| one.number == 0 && !is_wait(one)) {
        let gateway = one.gateway.clone().unwrap_or_default();
        let passed = row(Lane::Border, LaneStep::Passed, times.sent, times.sent);
        rows.push(detailed(passed, gateway));
    }
    if way.is_some() {
        let gateway = tries.iter().rev().find_map(|one| one.gateway.clone());
        let there = row(Lane::Border, LaneStep::There, times.sent, times.arrived);
        rows.push(LaneRow {
            about: true,
            ..detailed(there, gateway.unwrap_or_default())
        });
    }
    let asked = tries.iter().filter(|one| one.number > 0 || is_wait(one));
    if let Some(first) = asked.clone().next().filter(|first| first.began_ms > 0) {
        let until = times.arrived.saturating_add(first.began_ms);
        rows.push(row(Lane::Gateway, LaneStep::Route, times.arrived, until));
    }
    for one in asked {
        let attempt = attempt(one, times.arrived);
        rows.push(if is_wait(one) {
            LaneRow {
                lane: Lane::Gateway,
                step: LaneStep::Waited,
                ..attempt
            }
        } else {
            attempt
        });
    }
    if times.first > 0 {
        rows.push(row(
            Lane::Provider,
            LaneStep::FirstToken,
            times.first,
            times.first,
        ));
    }
    // Without a way all is measured by one clock.
    let about = way.is_some();
    rows.into_iter()
        .map(|row| LaneRow {
            about: about && row.step != LaneStep::Passed,
            ..row
        })
        .collect()
}

/// Where the way broke and was there again; tenants are told neither of gateways nor of bytes.
fn cuts(way: &Way, times: &Times, seen: Seen) -> Vec<LaneRow> {
    let lane = match seen {
        Seen::ByOperators => Lane::Border,
        Seen::ByTenant => Lane::Server,
    };
    let both = |cut: &Cut| {
        let from = times.sent.saturating_add(cut.at_ms);
        let until = from.saturating_add(cut.gap_ms);
        let byte = match seen {
            Seen::ByOperators => format!("{} B", cut.byte),
            Seen::ByTenant => String::new(),
        };
        let again = row(lane, LaneStep::Resumed, until, until);
        let again = (!cut.for_good).then(|| detailed(again, byte.clone()));
        let cut = detailed(row(lane, LaneStep::Cut, from, until), byte);
        std::iter::once(cut).chain(again)
    };
    way.cuts.iter().flat_map(both).collect()
}

/// Who had a call when. Of one that runs, was refused early, or is of an earlier version, what is known.
pub(super) fn lanes(record: &UsageRecord, hold: Option<&Hold>, seen: Seen) -> Vec<LaneRow> {
    let way = record.tries.iter().rev().find_map(|one| one.way.as_deref());
    let times = times(record, hold, way);
    let mut rows = vec![row(Lane::Tenant, LaneStep::Received, 0, 0)];
    if hold.is_some() {
        rows.push(row(Lane::Server, LaneStep::Hold, 0, times.held));
    }
    let has_ended = record.duration_ms > 0;
    match seen {
        Seen::ByOperators => rows.extend(overseas(&record.tries, way, &times)),
        Seen::ByTenant if has_ended => {
            let until = match times.first {
                0 => times.back,
                _ => times.heard,
            };
            rows.push(row(Lane::Server, LaneStep::Wait, times.sent, until));
        }
        Seen::ByTenant => {}
    }
    if times.first > 0 {
        let from = times.heard.min(times.back);
        rows.push(row(Lane::Tenant, LaneStep::Stream, from, times.back));
    }
    if let Some(way) = way {
        rows.extend(cuts(way, &times, seen));
        if seen == Seen::ByOperators && times.back > times.ended {
            rows.push(LaneRow {
                about: true,
                ..row(Lane::Border, LaneStep::Back, times.ended, times.back)
            });
        }
    }
    if let Some(closed) = hold.and_then(|hold| hold.closed_at) {
        let closed = after(closed, record.created_at);
        let from = times.back.min(closed);
        rows.push(row(Lane::Server, LaneStep::Settle, from, closed));
    }
    rows.sort_by_key(|row| row.start_ms);
    rows
}

#[cfg(test)]
mod tests;
