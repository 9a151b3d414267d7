//! Ordinary contents of the pages about providers and gateways.

use shared::secret::Secret;

use super::{Typical, chart, days_ago, hours, known_cost, minutes_ago, owned, spark};
use crate::admin::supply::{
    BulkAdd, BulkLine, GatewayChange, GatewayEventRow, GatewayList, GatewayRow, GatewaySecret,
    KeyTest, PoolKeyRow, PresetRow, ProviderDetail, ProviderList, ProviderNew, ProviderRow,
};
use crate::chart::Unit;
use crate::form::{FieldError, Form};
use crate::words::{GatewayNews, Health, Measure, PoolKeyStatus, Switch};

impl Typical for ProviderList {
    fn typical() -> Vec<Self> {
        let row = |name: &str,
                   kind: &str,
                   base_url: &str,
                   health,
                   keys: (u64, u64, u64),
                   calls,
                   cost: &str| ProviderRow {
            name: name.to_owned(),
            reference: name.to_owned(),
            gateway: String::new(),
            kind: kind.to_owned(),
            base_url: base_url.to_owned(),
            state: if calls == 0 { Switch::Off } else { Switch::On },
            health,
            active: keys.0,
            cooling: keys.1,
            disabled: keys.2,
            in_flight: calls / 4_000,
            calls,
            course: spark(10_000, i64::try_from(keys.0).unwrap_or(1)),
            success: 9_930,
            first_token_ms: 1_740,
            cost: known_cost((cost, "0"), (calls, calls)),
        };
        vec![Self {
            rows: vec![
                row(
                    "openai",
                    "openai",
                    "https://api.openai.com/v1",
                    Health::Degraded,
                    (9, 2, 1),
                    361_004,
                    "15402.11",
                ),
                row(
                    "anthropic",
                    "anthropic",
                    "https://api.anthropic.com/v1",
                    Health::Good,
                    (6, 0, 0),
                    318_204,
                    "14477.3",
                ),
                row(
                    "deepseek",
                    "openai",
                    "https://api.deepseek.com/v1",
                    Health::Good,
                    (4, 0, 0),
                    522_840,
                    "3382.4",
                ),
                row(
                    "aliyun",
                    "openai",
                    "https://dashscope.aliyuncs.com/compatible-mode/v1",
                    Health::Good,
                    (3, 1, 0),
                    120_033,
                    "1683.92",
                ),
                row("sandbox", "sandbox", "", Health::Good, (1, 0, 0), 0, "0"),
            ],
            missing: Vec::new(),
        }]
    }
}

impl Typical for ProviderNew {
    fn typical() -> Vec<Self> {
        vec![Self {
            form: Form::of([("kind", "openai")]),
            kinds: owned(&["openai", "anthropic", "sandbox"]),
            gateways: owned(&["fra-1", "sin-1"]),
            presets: vec![PresetRow {
                name: "deepseek".to_owned(),
                label: "DeepSeek".to_owned(),
                models: "deepseek-v4-flash, deepseek-v4-pro".to_owned(),
            }],
        }]
    }
}

fn pool() -> Vec<PoolKeyRow> {
    let key = |id: &str, label: &str, last4: &str, status, calls| PoolKeyRow {
        id: id.to_owned(),
        label: label.to_owned(),
        last4: last4.to_owned(),
        weight: 10,
        status,
        reason: None,
        cooling_until: None,
        in_flight: calls / 9_000,
        calls,
        errors: calls / 700,
        spent: known_cost(("1711.3456", "402.1"), (calls - 12, calls)),
        first_token_ms: 1_720,
        created_at: days_ago(90),
        test: None,
    };
    let mut tested = key("pky_1", "team-1", "hQ2a", PoolKeyStatus::Active, 41_020);
    tested.test = Some(KeyTest {
        accepted: true,
        can_be_told: true,
        status: 200,
        latency_ms: 318,
        detail: String::new(),
    });
    let mut cooling = key("pky_3", "backup-eu", "0Pxx", PoolKeyStatus::Cooling, 20_118);
    cooling.reason = Some("429: requests per minute".to_owned());
    cooling.cooling_until = Some(minutes_ago(0).after(std::time::Duration::from_secs(42)));
    let mut disabled = key("pky_4", "team-2", "91zK", PoolKeyStatus::Disabled, 310);
    disabled.reason = Some("401: the provider says that the key was revoked".to_owned());
    disabled.test = Some(KeyTest {
        accepted: false,
        can_be_told: true,
        status: 401,
        latency_ms: 204,
        detail: "invalid_api_key".to_owned(),
    });
    let mut untold = key("pky_2", "team-1b", "t4Lw", PoolKeyStatus::Active, 39_884);
    untold.test = Some(KeyTest {
        accepted: false,
        can_be_told: false,
        status: 404,
        latency_ms: 97,
        detail: "the provider has no GET /models".to_owned(),
    });
    vec![tested, untold, cooling, disabled]
}

impl Typical for ProviderDetail {
    fn typical() -> Vec<Self> {
        vec![Self {
            name: "openai".to_owned(),
            reference: "openai@fra-1".to_owned(),
            gateway: "fra-1".to_owned(),
            kind: "openai".to_owned(),
            state: Switch::On,
            health: Health::Degraded,
            in_flight: 90,
            calls: 361_004,
            success: 9_930,
            cost: known_cost(("15402.11", "3010.5"), (360_004, 361_004)),
            traffic: chart(
                hours(),
                Unit::Count,
                &[
                    (Measure::Succeeded, 14_900),
                    (Measure::MovedOn, 700),
                    (Measure::Failed, 240),
                ],
            ),
            edit: Form::of([("base_url", "https://api.openai.com/v1"), ("enabled", "on")]),
            keys: pool(),
            add: Form::of([("weight", "1")]),
            rotate: Form::default(),
            rotating: String::new(),
        }]
    }
}

impl Typical for BulkAdd {
    fn typical() -> Vec<Self> {
        let line = |number, last4: &str, detail: &str| BulkLine {
            number,
            last4: last4.to_owned(),
            added: detail.is_empty(),
            detail: detail.to_owned(),
        };
        let at_first = Self {
            provider: "openai".to_owned(),
            reference: "openai".to_owned(),
            form: Form::of([("weight", "1"), ("test", "on")]),
            results: Vec::new(),
        };
        let mut sent = at_first.clone();
        sent.form = sent.form.wrong("weight", FieldError::OutOfRange(1, 100));
        sent.results = vec![
            line(1, "7Ga1", ""),
            line(2, "mm20", ""),
            line(3, "x0x0", "401: invalid_api_key"),
            line(4, "7Ga1", "stands in the pool already"),
        ];
        vec![at_first, sent]
    }
}

impl Typical for GatewaySecret {
    fn typical() -> Vec<Self> {
        vec![Self {
            name: "https://fra-1.gw.example.com:9443".to_owned(),
            fingerprint: "5f0c19d2a7be".to_owned(),
            secret: Secret::new("2f7c0a9be1d84c65a3f19b7e02d8c41f".to_owned()),
        }]
    }
}

fn gateway(name: &str, state: Switch, health: Health, (trip, seen): (u64, u64)) -> GatewayRow {
    GatewayRow {
        id: if name == "sin-1" {
            String::new()
        } else {
            format!("gw_{name}")
        },
        name: name.to_owned(),
        region: name.split('-').next().unwrap_or_default().to_owned(),
        priority: 0,
        address: format!("https://{name}.gw.example.com:9443"),
        fingerprint: if name == "sin-1" { "" } else { "5f0c19d2a7be" }.to_owned(),
        state,
        health,
        version: if trip > 0 { "0.1.0" } else { "" }.to_owned(),
        boot_id: if trip > 0 { "boot_71c0de" } else { "" }.to_owned(),
        latency_ms: trip + trip / 9,
        round_trip_ms: trip,
        round_trip_p95_ms: trip * 2,
        course: spark(i64::try_from(trip).unwrap_or(0), 3),
        connections: 8,
        in_flight: 148,
        resumes: 212,
        joins: 31,
        hedges: 96,
        hedges_won: 41,
        doubled: 1_204,
        lost: 0,
        resent: 3,
        seen_at: Some(minutes_ago(seen)),
        started_at: (trip > 0).then(|| days_ago(22)),
    }
}

impl Typical for GatewayList {
    fn typical() -> Vec<Self> {
        let told = |minutes, kind, provider: &str, detail: &str| GatewayEventRow {
            at: minutes_ago(minutes),
            gateway: "fra-1".to_owned(),
            kind,
            provider: provider.to_owned(),
            detail: detail.to_owned(),
        };
        let busy = Self {
            rows: vec![
                gateway("sin-1", Switch::On, Health::Good, (182, 0)),
                gateway("fra-1", Switch::On, Health::Degraded, (241, 0)),
                gateway("iad-2", Switch::On, Health::Away, (0, 37)),
                gateway("nrt-1", Switch::Off, Health::Away, (0, 9_000)),
            ],
            round_trips: chart(
                hours(),
                Unit::Milliseconds,
                &[("sin-1", 182), ("fra-1", 241)],
            ),
            repairs: chart(
                hours(),
                Unit::Count,
                &[
                    (Measure::Resumes, 14),
                    (Measure::Hedges, 6),
                    (Measure::Lost, 0),
                ],
            ),
            events: vec![
                told(4, GatewayNews::KeyRecovered, "openai", "…hQ2a"),
                told(6, GatewayNews::KeyCooling, "openai", "…hQ2a · rate_limited"),
                told(31_000, GatewayNews::Started, "", "0.1.0"),
            ],
            add: Form::of([("priority", "0")]),
            changing: None,
            open: true,
        };
        let mut wrong = busy.clone();
        wrong.changing = Some(GatewayChange {
            id: "gw_fra-1".to_owned(),
            form: Form::of([("name", "Frankfurt 1"), ("priority", "0")])
                .wrong("name", FieldError::Letters),
        });
        vec![busy, wrong]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_shows_every_state() {
        let states: Vec<PoolKeyStatus> = pool().iter().map(|key| key.status).collect();
        assert!(states.contains(&PoolKeyStatus::Active));
        assert!(states.contains(&PoolKeyStatus::Cooling));
        assert!(states.contains(&PoolKeyStatus::Disabled));
    }
}
