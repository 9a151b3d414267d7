//! What a provider is sent for each recorded request of a tenant, by way of both dialects.

use std::fmt::Write;

use bytes::Bytes;
use shared::dialect::body::Body;
use shared::dialect::neutral::WriteTo;
use shared::dialect::{BadBody, Forward, Head, Maximum, Quirks};

use crate::pretty::pretty;
use crate::recorded::{Recorded, requests};
use crate::{PROVIDERS, TENANTS, room, snapshot, translator};

/// What is held for an answer at most, which the server tells the gateway.
const OUTPUT_MAX: u64 = 4_000;

/// The body for the provider and what it lacks, as the gateway makes them.
fn spoken(
    from: &str,
    into: (&str, &str),
    recorded: &Recorded,
) -> Result<(Bytes, Vec<String>), BadBody> {
    let (provider, model) = into;
    let body = Bytes::copy_from_slice(recorded.body());
    let read = Body::of(Some("application/json"), body.clone())?;
    // The server's own look at it comes first, and what it refuses nobody is sent.
    let asked = room(from).read(&recorded.head(from, "m"), &read)?;
    let quirks = Quirks {
        maximum: Maximum::MaxCompletionTokens,
        ..Quirks::default()
    };
    if from == provider {
        let to = Forward {
            model,
            asks_usage: true,
            quirks,
            end_user: None,
        };
        return Ok((room(from).forwarded(&body, to)?, Vec::new()));
    }
    let head = Head {
        model: Some(model.to_owned()),
        stream: Some(asked.stream),
        headers: Vec::new(),
    };
    let request = translator(from).read_request(&head, &body)?;
    let to = WriteTo {
        model,
        quirks,
        output_max: Some(OUTPUT_MAX),
    };
    let written = translator(provider).write_request(&request, to)?;
    Ok((written.body, written.dropped))
}

#[test]
fn every_request_becomes_what_its_provider_takes_or_is_refused_in_words() {
    for from in TENANTS {
        for into in PROVIDERS {
            let mut text = String::new();
            for recorded in requests(from) {
                let _ = writeln!(text, "=== {}", recorded.name);
                let _ = match spoken(from, into, &recorded) {
                    Err(bad) => writeln!(
                        text,
                        "refused at {}: {}",
                        bad.param.unwrap_or("-"),
                        bad.message
                    ),
                    Ok((body, dropped)) if dropped.is_empty() => {
                        writeln!(text, "{}", pretty(&body))
                    }
                    Ok((body, dropped)) => {
                        writeln!(text, "{}\ndropped: {}", pretty(&body), dropped.join(", "))
                    }
                };
                text.push('\n');
            }
            snapshot(&format!("{from}__{}", into.0), &text);
        }
    }
}
