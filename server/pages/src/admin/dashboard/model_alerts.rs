//! What of the catalogue somebody should look at ahead: models that end or have ended, and such as stand on
//! what their provider no longer lists.

use admin_templates::admin::dashboard::AlertRow;
use admin_templates::labels::{AlertKind, Severity};
use server_rooms::catalogue::lists::ComparedList;
use server_rooms::catalogue::retirement::EndingModel;
use shared::clock::Moment;

use super::super::super::error::PageError;
use super::DashboardRooms;

fn ending(one: &EndingModel, now: Moment) -> AlertRow {
    let end = &one.retirement;
    let kind = if end.is_over(now) {
        AlertKind::ModelEnded
    } else {
        AlertKind::ModelEnds
    };
    let next = end.successor.as_deref();
    let next = next.map(|next| format!(" → {next}")).unwrap_or_default();
    let id = &one.model.id;
    AlertRow {
        severity: Severity::Warning,
        kind,
        subject: format!("{id}{next} · {}", one.tenants),
        // A name with slashes is no part of a path.
        path: if id.contains('/') {
            "models".to_owned()
        } else {
            format!("models/{id}")
        },
        since: end.announced_at,
    }
}

fn gone(list: &ComparedList) -> impl Iterator<Item = AlertRow> {
    let since = list.kept.as_ref().and_then(|kept| kept.listed_at);
    list.gone().map(move |target| AlertRow {
        severity: Severity::Critical,
        kind: AlertKind::ModelGone,
        subject: format!("{} · {}", target.model, target.provider_model),
        path: format!("providers/{}/models", list.of),
        since: since.unwrap_or_default(),
    })
}

/// All of them.
pub(super) async fn alerts(
    rooms: &DashboardRooms,
    now: Moment,
) -> Result<Vec<AlertRow>, PageError> {
    let (ends, lists) = tokio::join!(rooms.catalogue.ending(), rooms.model_lists.known());
    let mut alerts: Vec<AlertRow> = ends?.iter().map(|one| ending(one, now)).collect();
    alerts.extend(lists?.iter().flat_map(gone));
    Ok(alerts)
}
