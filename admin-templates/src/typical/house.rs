//! Ordinary contents of superadmins, audit, settings and health.

use super::{Typical, chart, days_ago, hours, list, minutes_ago};
use crate::admin::house::{
    AuditDetail, AuditLog, AuditRow, ChangeRow, CheckRow, QueueRow, Settings, SuperadminList,
    SuperadminRow, SystemHealth,
};
use crate::chart::Unit;
use crate::form::{FieldError, Form};
use crate::parts::Fact;
use crate::words::{
    ActorKind, AdminRole, FactName, Health, Measure, MemberStatus, QueueName, SystemPart,
};

impl Typical for SuperadminList {
    fn typical() -> Vec<Self> {
        let row = |id: &str, name: &str, role, status, own| SuperadminRow {
            id: id.to_owned(),
            name: name.to_owned(),
            role,
            status,
            second_factor: role == AdminRole::Owner || role == AdminRole::Operator,
            own,
            seen_at: Some(minutes_ago(if own { 0 } else { 800 })),
            created_at: days_ago(300),
        };
        vec![Self {
            rows: vec![
                row("adm_1", "lin", AdminRole::Owner, MemberStatus::Active, true),
                row(
                    "adm_2",
                    "sofia",
                    AdminRole::Operator,
                    MemberStatus::Active,
                    false,
                ),
                row(
                    "adm_3",
                    "王会计",
                    AdminRole::Finance,
                    MemberStatus::Active,
                    false,
                ),
                row(
                    "adm_4",
                    "auditor",
                    AdminRole::ReadOnly,
                    MemberStatus::Disabled,
                    false,
                ),
            ],
            add: Form::default(),
        }]
    }
}

fn change(
    id: &str,
    kind: ActorKind,
    actor: &str,
    action: &str,
    subject: &str,
    minutes: u64,
) -> AuditRow {
    AuditRow {
        id: id.to_owned(),
        at: minutes_ago(minutes),
        actor_kind: kind,
        actor: actor.to_owned(),
        address: "192.0.2.14".to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
    }
}

impl Typical for AuditLog {
    fn typical() -> Vec<Self> {
        vec![Self {
            list: list(&[], None),
            rows: vec![
                change(
                    "aud_9",
                    ActorKind::Superadmin,
                    "lin",
                    "tenant.recharge",
                    "ten_8f2k41",
                    3,
                ),
                change(
                    "aud_8",
                    ActorKind::System,
                    "key pool",
                    "provider_key.disable",
                    "pky_4",
                    12,
                ),
                change("aud_7", ActorKind::User, "Maya", "key.rotate", "key_1", 95),
                change(
                    "aud_6",
                    ActorKind::Superadmin,
                    "sofia",
                    "model.update",
                    "deepseek-chat",
                    410,
                ),
                change(
                    "aud_5",
                    ActorKind::Key,
                    "production",
                    "key.create",
                    "key_5",
                    2_210,
                ),
            ],
        }]
    }
}

impl Typical for AuditDetail {
    fn typical() -> Vec<Self> {
        let field = |field: &str, before: Option<&str>, after: Option<&str>| ChangeRow {
            field: field.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        vec![Self {
            row: change(
                "aud_6",
                ActorKind::Superadmin,
                "sofia",
                "tenant.update",
                "ten_8f2k41",
                410,
            ),
            tenant_id: Some("ten_8f2k41".to_owned()),
            changes: vec![
                field("limits.requests_per_minute", Some("600"), Some("1200")),
                field("limits.concurrent", Some("64"), None),
                field("price_multiplier_ppm", Some("1000000"), Some("1150000")),
                field("note", None, Some("agreed on 2026-11-20")),
            ],
        }]
    }
}

impl Typical for Settings {
    fn typical() -> Vec<Self> {
        vec![Self {
            security: Form::of([
                ("idle_minutes", "30"),
                ("absolute_hours", "12"),
                ("require_second_factor", "on"),
            ]),
            retention: Form::of([
                ("usage_days", "400"),
                ("audit_days", "3"),
                ("delete_grace_days", "14"),
            ])
            .wrong("audit_days", FieldError::OutOfRange(90, 3_650)),
            announcement: Form::of([(
                "announcement",
                "周日 02:00–03:00（UTC）维护；进行中的调用不受影响。",
            )]),
            calendar: Form::of([("time_zone", "Asia/Shanghai")]),
            tenants: Form::of([
                ("credits", "20"),
                ("requests_per_minute", "600"),
                ("factor", "1"),
            ]),
        }]
    }
}

impl Typical for SystemHealth {
    fn typical() -> Vec<Self> {
        let check = |part, health, latency_ms, detail: &str| CheckRow {
            part,
            health,
            latency_ms,
            detail: detail.to_owned(),
        };
        let queue = |name, waiting, bound| QueueRow {
            name,
            waiting,
            bound,
        };
        let fact = |name, value: &str| Fact {
            name,
            value: value.to_owned(),
        };
        vec![Self {
            health: Health::Degraded,
            version: "0.1.0".to_owned(),
            started_at: days_ago(22),
            checks: vec![
                check(
                    SystemPart::Database,
                    Health::Good,
                    2,
                    "PostgreSQL 17, 14 of 32 connections",
                ),
                check(SystemPart::Cache, Health::Good, 1, "Redis 8"),
                check(
                    SystemPart::Link,
                    Health::Degraded,
                    184,
                    "sin-1, fra-1; iad-2 away",
                ),
                check(SystemPart::Storage, Health::Good, 41, ""),
            ],
            queues: vec![
                queue(QueueName::Holds, 12, 4_096),
                queue(QueueName::Settlements, 380, 4_096),
                queue(QueueName::Usage, 61, 1_024),
            ],
            facts: vec![
                fact(FactName::Replicas, "2"),
                fact(FactName::Schema, "2026-11-14-usage-rollups"),
                fact(FactName::Memory, "118 MB"),
            ],
            commits: chart(
                hours(),
                Unit::Milliseconds,
                &[(Measure::P50, 4), (Measure::P99, 11)],
            ),
        }]
    }
}
