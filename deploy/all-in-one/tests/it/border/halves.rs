//! Everything dies in the middle of a stream: what its tenant had been given is paid, but for the last
//! words, and nothing beyond it.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::Value;

use super::deaths::servers::server_program;
use super::deaths::{ask, by_token};
use super::process::{Program, free_port, records};
use super::{KEY, vendor_script};
use crate::gateways::vendor::with_vendor;
use crate::support::product::{Customer, Product};
use crate::support::{ADMIN_PASSWORD, Place, places, until};

/// Between two words of the vendor.
const PACE: Duration = Duration::from_millis(25);
/// How long it is read before all dies.
const READ: Duration = Duration::from_secs(3);
/// Tokens of which nobody may know beside an eighth of all: those of the half second before.
const FORGOTTEN_MAX: i64 = 20;

/// A server with its gateway inside.
pub(super) fn one_program(place: &Place, port: u16) -> Program {
    let number = port.to_string();
    let arguments = [
        ["--host", "127.0.0.1"],
        ["--port", &number],
        ["--gateway-port", "0"],
        ["--database-url", &place.database_url],
        ["--admin-password", ADMIN_PASSWORD],
        ["--recovery-seconds", "1"],
        ["--owner-silent-seconds", "2"],
    ];
    Program::new("", place.folder(), port, arguments.as_flattened())
}

/// Output tokens in what was received, as they are estimated where no vendor counts: one an event at
/// least, and one for four characters.
fn tokens(text: &str) -> i64 {
    let words = text.split("\"content\":\"").skip(1);
    let words = words.filter_map(|rest| rest.split('"').next());
    let (events, characters) = words.fold((0, 0), |(events, characters), word| {
        (events + 1, characters + word.len())
    });
    i64::try_from(characters.div_ceil(4).max(events)).expect("few")
}

/// Reads a stream for a while, kills, starts again, and compares what was received with what is paid.
async fn dies(name: &str, product: &Product, programs: &mut [Program]) {
    let (vendor, customer) = with_vendor(product, &[KEY]).await;
    by_token(product).await;
    vendor_script(&vendor, 400, PACE);
    let sent = ask(&product.http, &product.url(""), &customer.key).send();
    let mut parts = sent.await.expect("an answer").bytes_stream();
    let (begun, mut text) = (Instant::now(), String::new());
    while begun.elapsed() < READ {
        let part = parts.next().await.expect("more").expect("whole");
        text.push_str(std::str::from_utf8(&part).expect("text"));
    }
    for program in &mut *programs {
        program.kill();
    }
    // What was on its way may still be read.
    while let Some(Ok(part)) = parts.next().await {
        text.push_str(std::str::from_utf8(&part).expect("text"));
    }
    let received = tokens(&text);
    for program in programs.iter_mut().rev() {
        program.start().await;
    }
    let paid = settled(product, &customer).await;
    let least = received - received / 8 - FORGOTTEN_MAX;
    assert!(least > 0, "{name}: too little to tell: {received}");
    assert!(
        (least..=received).contains(&paid),
        "{name}: received {received}, paid {paid}"
    );
    let records = records(product, &customer, 1).await;
    assert_eq!(records.len(), 1, "{name}: {records:?}");
    assert_eq!(records[0]["output_tokens"], paid, "{name}: {records:?}");
    assert_eq!(vendor.calls(KEY), 1, "{name}: once");
}

/// What is used when nothing is held any more.
async fn settled(product: &Product, customer: &Customer) -> i64 {
    until("its hold is closed", Duration::from_secs(60), async || {
        product.balance(customer).await["held"] == 0
    })
    .await;
    let used: Value = product.balance(customer).await["used"].clone();
    used.as_i64().expect("whole credits")
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_stream_is_paid_when_the_one_process_dies() {
    for place in places().await {
        let port = free_port();
        let mut programs = [one_program(&place, port)];
        programs[0].start().await;
        let product = Product::at(port).await;
        dies(place.name, &product, &mut programs).await;
    }
}

/// A server and its gateway, started.
async fn apart(place: &Place) -> (Product, [Program; 2]) {
    let door = free_port();
    let number = door.to_string();
    let arguments = ["--gateway-port", number.as_str()];
    let gateway = Program::new("gateway", place.folder(), door, &arguments);
    let port = free_port();
    let server = server_program(place, port, &format!("http://127.0.0.1:{door}"));
    let mut programs = [server, gateway];
    for program in programs.iter_mut().rev() {
        program.start().await;
    }
    (Product::at(port).await, programs)
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_stream_is_paid_when_server_and_gateway_die() {
    for place in places().await {
        let (product, mut programs) = apart(&place).await;
        dies(place.name, &product, &mut programs).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_folder_was_emptied_does_not_say_that_a_call_never_came() {
    let [place, _] = places().await;
    let (product, mut programs) = apart(&place).await;
    let (vendor, customer) = with_vendor(&product, &[KEY]).await;
    by_token(&product).await;
    vendor_script(&vendor, 400, PACE);
    let sent = ask(&product.http, &product.url(""), &customer.key).send();
    let mut parts = sent.await.expect("an answer").bytes_stream();
    for _ in 0..10 {
        parts.next().await.expect("more").expect("whole");
    }
    for program in &mut programs {
        program.kill();
    }
    std::fs::remove_dir_all(place.folder().join("generations")).expect("its journal");
    for program in programs.iter_mut().rev() {
        program.start().await;
    }
    // Several rounds of recovery ask it.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let balance = product.balance(&customer).await;
    assert_ne!(
        balance["held"], 0,
        "nobody knows that it was free: {balance}"
    );
    assert_eq!(balance["used"], 0, "{balance}");
}
