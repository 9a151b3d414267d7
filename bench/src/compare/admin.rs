//! Prepares a gateway or a server through its admin API, and reads the tenant's balance. Leaves
//! starting processes to `targets`; every failure names the step with status and body.

mod client;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::client::{Admin, success, text};
use super::processes::Stage;
use crate::failure::{Failure, Outcome};
use crate::http::Call;
use crate::load::chat_body;

pub(crate) const ADMIN_PASSWORD: &str = "Bench-only-password-4711";
/// Guards nothing but processes on loopback that live for minutes.
pub(crate) const INTERNAL_SECRET: &str = "bench-only-internal-secret-8d1f0c72b6";
pub(crate) const MODEL: &str = "mock-chat";
const PROVIDER: &str = "mock";
const CREDITS: i64 = 1_000_000;
pub(crate) const GRANTED_MICROS: i64 = CREDITS * 1_000_000;
/// Password hashing on a busy machine is the slowest step.
const STEP_MAX: Duration = Duration::from_secs(15);
/// A catalogue change reaches every part well within this.
const FIRST_CALL_MAX: Duration = Duration::from_secs(10);

/// Price of one call, in millionths of a credit: 0.001 credits a request, tokens free.
pub(crate) const PRICE_MICROS: i64 = 1_000;

/// A tenant that can pay for every call of the comparison.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    server: String,
    pub(crate) key: String,
}

/// What the tenant has, in millionths of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) used: i64,
}

/// Registers the mock with a gateway that runs alone.
pub(crate) async fn prepare_gateway(gateway: &str, mock: &str) -> Outcome<()> {
    let admin = Admin {
        root: format!("{gateway}/internal/admin"),
        header: ("x-internal-secret", INTERNAL_SECRET.to_owned()),
    };
    admin.register_provider(mock).await
}

/// Registers provider, model, price and tenant with a server.
pub(crate) async fn prepare_server(server: &str, mock: &str) -> Outcome<Account> {
    let admin = Admin::login(server).await?;
    admin.register_provider(mock).await?;
    let free = json!({"per_request": 0, "input_per_million": 0, "output_per_million": 0});
    let mut price = free.clone();
    price["per_request"] = json!(0.001);
    price["cost"] = free;
    admin
        .post(
            "register the model",
            "/models",
            &json!({
                "id": MODEL, "operation": "chat", "enabled": true, "max_output_tokens": 1024,
                "targets": [
                    {"provider": PROVIDER, "model": MODEL, "weight": 1, "priority": 0}
                ],
                "price": price,
            }),
        )
        .await?;
    let made = admin
        .post("create the tenant", "/tenants", &json!({"name": "bench"}))
        .await?;
    let tenant = text(&made, "/tenant/id", "create the tenant")?;
    admin.recharge(&tenant).await?;
    admin.lift_limits(&tenant).await?;
    // A key may come with the tenant; otherwise one is made.
    let key = match made.pointer("/key").and_then(Value::as_str) {
        Some(key) => key.to_owned(),
        None => admin.create_key(&tenant).await?,
    };
    Ok(Account {
        server: server.to_owned(),
        key,
    })
}

impl Account {
    pub(crate) fn authorise(&self, call: Call) -> Outcome<Call> {
        call.header("authorization", &format!("Bearer {}", self.key))
    }

    pub(crate) async fn balance(&self) -> Outcome<Balance> {
        const STEP: &str = "read the balance";
        let call = Call::get(&format!("{}/api/v1/credits/balance", self.server))?;
        let body = success(STEP, &self.authorise(call)?.once(STEP_MAX).await?)?;
        let read = |name: &str| {
            body.get(name)
                .and_then(credits_micros)
                .ok_or_else(|| Failure::new(format!("{STEP}: no amount `{name}` in {body}")))
        };
        Ok(Balance {
            available: read("available")?,
            held: read("held")?,
            used: read("used")?,
        })
    }
}

/// Calls until the first success, so that a load never meets a half-known model. Gives how many
/// calls succeeded, because they are charged too.
pub(crate) async fn first_success(stage: &mut Stage, call: &Call) -> Outcome<u64> {
    let deadline = Instant::now() + FIRST_CALL_MAX;
    loop {
        let reply = call.once(STEP_MAX).await?;
        if reply.status == 200 {
            return Ok(1);
        }
        stage.check()?;
        if Instant::now() > deadline {
            let (status, body) = (reply.status, reply.excerpt());
            return Err(Failure::new(format!(
                "first call, {call}: {status}: {body}"
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) fn json_body() -> String {
    chat_body(MODEL, false)
}

pub(crate) fn stream_body() -> String {
    chat_body(MODEL, true)
}

/// `x-waule-targets` of a call that goes to the gateway directly.
pub(crate) fn targets_header() -> String {
    json!([{"provider": PROVIDER, "model": MODEL}]).to_string()
}

/// Reads decimal credits, sent as a number or as text, without passing through a float.
fn credits_micros(value: &Value) -> Option<i64> {
    const DECIMALS: usize = 6;
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let significant = fraction.trim_end_matches('0');
    if whole.is_empty() || significant.len() > DECIMALS {
        return None;
    }
    let micros: i64 = format!("{whole}{significant:0<DECIMALS$}").parse().ok()?;
    Some(sign * micros)
}

#[cfg(test)]
mod tests;
