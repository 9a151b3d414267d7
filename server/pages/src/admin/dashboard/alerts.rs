//! Alerts as rows of the first page: what was seen last, read and not looked for.

use admin_templates::admin::dashboard::AlertRow;
use admin_templates::labels::{AlertKind, Severity};
use server_rooms::alerts::{Alert, SubjectKind, UNTIL_IT_ENDS};
use shared::clock::Moment;

use super::super::word;

/// One as a row.
pub(super) fn row(alert: Alert, now: Moment) -> AlertRow {
    let (list, one, part) = alert.place();
    let path = match one {
        Some(one) => format!("{list}/{one}{part}"),
        None => format!("{list}{part}"),
    };
    let is_muted = alert.is_muted(now);
    let until = alert.muted_until.filter(|until| *until != UNTIL_IT_ENDS);
    let is_model = alert.subject.kind == SubjectKind::Model;
    let key = alert.subject.key_parts().map(|(_, key)| key.to_owned());
    let provider = alert.subject.provider().map(str::to_owned);
    // A name with slashes is no part of a path.
    let model = Some(&alert.subject.id).filter(|id| is_model && !id.contains('/'));
    AlertRow {
        id: alert.id.to_string(),
        severity: word(alert.severity.word(), Severity::Critical),
        kind: word(alert.kind.word(), AlertKind::CallsFail),
        path,
        since: alert.first_seen,
        failed_calls: alert.kind.counts_calls().then_some(alert.hit_calls),
        at_least: alert.hits_at_least,
        model: model.cloned().unwrap_or_default(),
        provider: provider.unwrap_or_default(),
        key: key.unwrap_or_default(),
        muted_until: until.filter(|_| is_muted),
        muted_by: alert.muted_by.filter(|_| is_muted).unwrap_or_default(),
        subject: alert.label,
    }
}
