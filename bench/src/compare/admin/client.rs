//! The API as a superadmin uses it: log in, set up a tenant, and name the step that fails.

use serde_json::{Value, json};

use super::{ADMIN_PASSWORD, CREDITS, PROVIDER, STEP_MAX};
use crate::failure::{Failure, Outcome, Step};
use crate::http::{Call, Reply};

pub(super) struct Admin {
    pub(super) root: String,
    pub(super) header: (&'static str, String),
}

impl Admin {
    pub(super) async fn login(server: &str) -> Outcome<Self> {
        const STEP: &str = "log in as superadmin";
        let body = json!({"username": "admin", "password": ADMIN_PASSWORD}).to_string();
        let call = Call::post(&format!("{server}/admin/api/login"), body)?;
        let answer = success(STEP, &call.once(STEP_MAX).await?)?;
        let token = text(&answer, "/token", STEP)?;
        Ok(Self {
            root: format!("{server}/admin/api"),
            header: ("authorization", format!("Bearer {token}")),
        })
    }

    pub(super) async fn register_provider(&self, mock: &str) -> Outcome<()> {
        let provider = json!({"name": PROVIDER, "kind": "openai", "base_url": mock});
        self.post("register the provider", "/providers", &provider)
            .await?;
        let key = json!({"secret": "sk-mock-0123456789abcdef"});
        let path = format!("/providers/{PROVIDER}/keys");
        self.post("give the provider a key", &path, &key).await?;
        Ok(())
    }

    pub(super) async fn recharge(&self, tenant: &str) -> Outcome<()> {
        let step = "recharge the tenant";
        let amount = json!({"amount": CREDITS, "note": "bench"}).to_string();
        let call = Call::post(&format!("{}/tenants/{tenant}/recharge", self.root), amount)?
            .header("idempotency-key", "bench-recharge-1")?;
        success(step, &self.send(call).await?)?;
        Ok(())
    }

    pub(super) async fn create_key(&self, tenant: &str) -> Outcome<String> {
        let step = "create the tenant's key";
        let key = json!({"name": "bench", "kind": "live"});
        let made = self
            .post(step, &format!("/tenants/{tenant}/keys"), &key)
            .await?;
        text(&made, "/secret", step)
    }

    /// Limits stay on, as in production, but so wide that no load reaches them.
    pub(super) async fn lift_limits(&self, tenant: &str) -> Outcome<()> {
        let url = format!("{}/tenants/{tenant}", self.root);
        let wide = json!({"limits": {
            "requests_per_minute": 100_000_000,
            "tokens_per_minute": 1_000_000_000_000_u64,
            "concurrency": 100_000,
        }});
        let first = self.send(Call::patch(&url, wide.to_string())?).await?;
        if first.status < 300 {
            return Ok(());
        }
        // Such numbers may lie beyond what a field takes; none at all does too.
        let none = json!({"limits": {
            "requests_per_minute": null, "tokens_per_minute": null, "concurrency": null,
        }});
        let second = self.send(Call::patch(&url, none.to_string())?).await?;
        success("lift the tenant's limits", &second)
            .map(drop)
            .map_err(|failure| {
                let (status, body) = (first.status, first.excerpt());
                Failure::new(format!("{failure}; with large numbers: {status}: {body}"))
            })
    }

    pub(super) async fn post(&self, step: &str, path: &str, body: &Value) -> Outcome<Value> {
        let call = Call::post(&format!("{}{path}", self.root), body.to_string())?;
        success(step, &self.send(call).await?)
    }

    async fn send(&self, call: Call) -> Outcome<Reply> {
        let (name, value) = &self.header;
        call.header(name, value)?.once(STEP_MAX).await
    }
}

/// The JSON of a 2xx answer; anything else is a failure of the step.
pub(super) fn success(step: &str, reply: &Reply) -> Outcome<Value> {
    if !(200..300).contains(&reply.status) {
        return Err(Failure::new(format!(
            "{step}: {}: {}",
            reply.status,
            reply.excerpt()
        )));
    }
    if reply.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&reply.body)
        .step(|| format!("{step}: {} is not JSON: {}", reply.status, reply.excerpt()))
}

pub(super) fn text(answer: &Value, pointer: &str, step: &str) -> Outcome<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("{step}: no text at `{pointer}` in {answer}")))
}
