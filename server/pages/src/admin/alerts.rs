//! What is done about an alert where it stands: telling nobody of it for a while, and being told again. Also how
//! lists show what things do beside what operators set.

use std::time::Duration;

use admin_templates::admin::alerts::ConditionView;
use admin_templates::labels::{ConditionWord, MuteWord, Word as _};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::alerts::health::Condition;
use server_rooms::alerts::{Alerts, AlertsError, MuteFor};
use server_rooms::auth::roles::kind;

use super::super::error::{PageError, PageResult, parsed};
use super::super::form::FormData;
use super::super::session::Admin;
use super::{booked, signed};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

type Muter = Admin<kind::MuteAlerts>;

fn refused(error: AlertsError) -> PageError {
    match error {
        AlertsError::NotFound => PageError::NotFound,
        AlertsError::Ledger(error) => booked(error),
        AlertsError::Store(error) => error.into(),
    }
}

/// `POST /admin/alerts/{id}/mute`
#[handler]
pub(super) async fn mute(
    who: Muter,
    Path(id): Path<String>,
    posted: FormData,
    alerts: Data<&Alerts>,
) -> PageResult {
    let id = parsed(&id)?;
    let span = match MuteWord::from_code(posted.text("span")).ok_or(PageError::NotFound)? {
        MuteWord::Hour => MuteFor::Span(HOUR),
        MuteWord::Day => MuteFor::Span(DAY),
        MuteWord::Ever => MuteFor::Ever,
    };
    let muted = alerts.mute(&who.actor(), &id, span).await;
    muted.map_err(refused)?;
    who.done("/admin", &Notice::Saved)
}

/// `POST /admin/alerts/{id}/unmute`
#[handler]
pub(super) async fn unmute(
    who: Muter,
    Path(id): Path<String>,
    alerts: Data<&Alerts>,
) -> PageResult {
    let id = parsed(&id)?;
    let heard = alerts.unmute(&who.actor(), &id).await;
    heard.map_err(refused)?;
    who.done("/admin", &Notice::Saved)
}

/// How something does, for a list.
pub(super) fn condition(of: Condition) -> ConditionView {
    let (word, success, calls) = match of {
        Condition::NoPrice => (ConditionWord::NoPrice, 0, 0),
        Condition::NoWorkingKey => (ConditionWord::NoWorkingKey, 0, 0),
        Condition::Retired => (ConditionWord::Retired, 0, 0),
        Condition::Cooling => (ConditionWord::Cooling, 0, 0),
        Condition::Failing(calls) => (ConditionWord::Failing, 0, calls),
        Condition::Degraded(success, calls) => (ConditionWord::Degraded, success, calls),
        Condition::Healthy => (ConditionWord::Healthy, 0, 0),
        Condition::NoCalls => (ConditionWord::NoCalls, 0, 0),
    };
    ConditionView {
        word,
        success: signed(success),
        calls,
    }
}
