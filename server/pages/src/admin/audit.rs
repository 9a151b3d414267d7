//! The audit log: who changed what, from where, and how it was before. Changes nothing.

mod subject;

use shared::zone::Zone;
use std::collections::{BTreeMap, BTreeSet};

use admin_templates::admin::platform::{AuditDetail, AuditLog, AuditRow, ChangeRow};
use admin_templates::labels::ActorKind;
use poem::web::{Data, Path};
use poem::{IntoResponse, Request, handler};
use serde_json::Value;
use server_edge::date::Date;
use server_edge::export::{Excel, audit_file};
use server_rooms::accounts::{AccountError, Accounts, AuditEntry, AuditFilter};
use server_rooms::reports::{Reports, TimeRange};
use shared::id::{AuditId, TenantId};

use super::super::error::{PageError, PageResult, parsed};
use super::super::session::Admin;
use super::{Asked, filters, list_state, page_request, reports_failed, wanted, word};

/// Rows of a page.
const ROWS: u32 = 50;
const FILTERS: [&str; 5] = ["actor", "action", "subject", "from", "to"];
/// Deeper parts of what changed are shown as they are stored.
const DEPTH_MAX: usize = 4;

/// The filter of a query. Superadmins are named by their username, others by their id; an action
/// without a dot stands for all of its kind: `tenant`.
async fn filter(
    accounts: &Accounts,
    asked: &BTreeMap<String, String>,
    zone: &Zone,
) -> Result<AuditFilter, PageError> {
    let actor = match wanted(asked, "actor") {
        Some(text) => {
            let admins = accounts.superadmins().await?;
            let known = admins.iter().find(|admin| admin.username == text);
            Some(known.map_or_else(|| text.to_owned(), |admin| admin.id.to_string()))
        }
        None => None,
    };
    let action = wanted(asked, "action").map(|text| {
        let whole = text.contains('.');
        if whole {
            text.to_owned()
        } else {
            format!("{text}.")
        }
    });
    let day = |name| -> Option<Date> { wanted(asked, name).and_then(|text| text.parse().ok()) };
    Ok(AuditFilter {
        tenant: None,
        actor,
        action,
        subject: wanted(asked, "subject").map(str::to_owned),
        period: TimeRange {
            from: day("from").and_then(|date| date.start_in(zone)),
            until: day("to").and_then(|date| date.end_in(zone)),
        },
    })
}

/// Names of the tenants that entries are about; one that is gone shows its id.
async fn tenants(
    accounts: &Accounts,
    entries: &[AuditEntry],
) -> Result<BTreeMap<String, String>, PageError> {
    let ids: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| entry.tenant.as_deref())
        .collect();
    let mut names = BTreeMap::new();
    for id in ids {
        let Ok(tenant) = id.parse::<TenantId>() else {
            continue;
        };
        match accounts.tenant(&tenant).await {
            Ok(tenant) => names.insert(id.to_owned(), tenant.name),
            Err(AccountError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(names)
}

fn row(entry: &AuditEntry, tenants: &BTreeMap<String, String>) -> AuditRow {
    let of = subject::of(entry);
    let tenant_id = entry.tenant.clone().unwrap_or_default();
    AuditRow {
        subject_name: of.name,
        subject_path: of.path,
        value: of.value,
        tenant: tenants.get(&tenant_id).cloned().unwrap_or_default(),
        tenant_id,
        id: entry.id.to_string(),
        at: entry.at,
        actor_kind: word(&entry.actor.kind, ActorKind::System),
        actor: entry.actor.name.clone(),
        address: entry.actor.address.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
    }
}

/// `GET /admin/audit`
#[handler]
pub(super) async fn audit_log(
    who: Admin,
    asked: Asked,
    accounts: Data<&Accounts>,
    reports: Data<&Reports>,
) -> PageResult {
    let request = page_request(&asked, ROWS)?;
    let filter = filter(&accounts, &asked, who.here().zone).await?;
    let page = reports.audit_log(&filter, &request).await;
    let page = page.map_err(reports_failed)?;
    let list = list_state(filters(&asked, &FILTERS), &page);
    let names = tenants(&accounts, &page.rows).await?;
    let rows = page.rows.iter().map(|entry| row(entry, &names)).collect();
    who.show(&AuditLog { list, rows }).await
}

/// `GET /admin/audit.csv`; streams, as the API's exports do.
#[handler]
pub(super) async fn audit_csv(
    who: Admin,
    asked: Asked,
    request: &Request,
    accounts: Data<&Accounts>,
    reports: Data<&Reports>,
) -> PageResult {
    let filter = filter(&accounts, &asked, who.here().zone).await?;
    let excel = Excel::of_query(request.uri().query());
    Ok(audit_file(
        reports.export_audit(filter),
        (excel, who.here().zone.clone()),
    )
    .into_response())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => other.to_string(),
    }
}

/// Every field with its whole name: `limits.concurrency`.
fn flatten(value: &Value, name: &str, depth: usize, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(parts) if depth < DEPTH_MAX && !parts.is_empty() => {
            for (part, value) in parts {
                let whole = if name.is_empty() {
                    part.clone()
                } else {
                    format!("{name}.{part}")
                };
                flatten(value, &whole, depth.saturating_add(1), fields);
            }
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            fields.insert(name.to_owned(), text(other));
        }
    }
}

fn fields(json: Option<&str>) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Some(json) = json {
        // What is no JSON is shown as it stands.
        let value = serde_json::from_str(json).unwrap_or_else(|_| Value::from(json));
        flatten(&value, "", 0, &mut fields);
    }
    fields
}

fn changes(before: Option<&str>, after: Option<&str>) -> Vec<ChangeRow> {
    let (before, after) = (fields(before), fields(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| ChangeRow {
            field: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

/// `GET /admin/audit/{id}`
#[handler]
pub(super) async fn audit_entry(
    who: Admin,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
    reports: Data<&Reports>,
) -> PageResult {
    let id: AuditId = parsed(&id)?;
    let entry = reports.audit_entry(&id).await?;
    let entry = entry.ok_or(PageError::NotFound)?;
    let names = tenants(&accounts, std::slice::from_ref(&entry)).await?;
    who.show(&AuditDetail {
        row: row(&entry, &names),
        changes: changes(entry.before.as_deref(), entry.after.as_deref()),
        tenant_id: entry.tenant,
    })
    .await
}

#[cfg(test)]
mod tests;
