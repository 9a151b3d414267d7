//! What an entry of the audit log is about: its name, its page and the value of its sentence. Reads what
//! the entry keeps, and asks nobody.

use serde_json::Value;
use server_rooms::accounts::AuditEntry;

/// What an entry is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AuditSubject {
    /// Its name; empty where only its id is known.
    pub(super) name: String,
    /// Its page, below `/admin`.
    pub(super) path: String,
    /// An amount or a number.
    pub(super) value: String,
}

/// A field of how it is, or of how it was where it is gone.
fn field(entry: &AuditEntry, name: &str) -> String {
    let of = |json: &Option<String>| {
        let value: Value = serde_json::from_str(json.as_deref()?).ok()?;
        match value.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    };
    of(&entry.after)
        .or_else(|| of(&entry.before))
        .unwrap_or_default()
}

/// A model's page; a name with slashes is no part of a path.
fn model(id: &str) -> (String, String) {
    let path = if id.contains('/') {
        "models".to_owned()
    } else {
        format!("models/{id}")
    };
    (id.to_owned(), path)
}

pub(super) fn of(entry: &AuditEntry) -> AuditSubject {
    let subject = entry.subject.as_str();
    let below = |part: &str| match &entry.tenant {
        Some(tenant) => format!("tenants/{tenant}/{part}"),
        None => String::new(),
    };
    let (kind, verb) = entry.action.split_once('.').unwrap_or_default();
    let (name, path) = match (kind, verb) {
        ("user" | "portal", _) => (field(entry, "username"), below("members")),
        ("key", _) => (field(entry, "name"), below("keys")),
        ("superadmin", _) => (field(entry, "username"), "superadmins".to_owned()),
        ("model", _) | ("price", "pin" | "unpin") => model(subject),
        ("price", _) => model(&field(entry, "model_id")),
        ("price_review", _) => (String::new(), format!("price-imports/{subject}")),
        ("provider", _) => (subject.to_owned(), format!("providers/{subject}")),
        ("provider_key", _) => {
            let provider = subject.split('/').next().unwrap_or(subject);
            (provider.to_owned(), format!("providers/{provider}"))
        }
        ("gateway", _) => (field(entry, "name"), "gateways".to_owned()),
        ("call", _) => (String::new(), format!("usage/{subject}")),
        ("alert", _) => (field(entry, "about"), String::new()),
        ("alert_channel", _) => (field(entry, "name"), "alert-channels".to_owned()),
        ("settings", _) => (String::new(), "settings".to_owned()),
        _ => (String::new(), String::new()),
    };
    let value = match (kind, verb) {
        ("tenant", "recharge" | "adjust") => field(entry, "amount"),
        ("call", "settle") => field(entry, "charged"),
        ("budget", _) => field(entry, "limit"),
        ("login", _) => field(entry, "failures"),
        _ => String::new(),
    };
    AuditSubject { name, path, value }
}
