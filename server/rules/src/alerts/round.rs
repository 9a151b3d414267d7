//! What a look at the platform makes of the alerts there are: which begin, stay, fall quiet and end, and
//! which calls they hit. Pure: the look itself and the rows are others' business.

use shared::clock::Moment;
use shared::id::AlertId;

use super::{
    Alert, AlertCondition, AlertKind, AlertSeverity, AlertSource, AlertSubject, FLAP, MILD_MAX,
    OPEN_MAX, SubjectKind,
};

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertSight {
    /// What is so.
    pub conditions: Vec<AlertCondition>,
    /// What did not answer: nothing is known of its alerts, so none of them ends.
    pub silent: Vec<AlertSource>,
    /// Providers whose keys nobody told of.
    pub silent_providers: Vec<String>,
}

impl AlertSight {
    /// Whether an alert would have been found if it were still so.
    fn covers(&self, alert: &Alert) -> bool {
        let source = alert.kind.source();
        if self.silent.contains(&source) {
            return false;
        }
        let provider = alert.subject.provider();
        source != AlertSource::Keys
            || provider.is_none_or(|of| !self.silent_providers.iter().any(|silent| silent == of))
    }
}

/// What becomes of the alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertPlan {
    /// New ones.
    pub begin: Vec<AlertCondition>,
    /// Those that are so.
    pub seen: Vec<AlertId>,
    /// Of these, those that are called otherwise now.
    pub renamed: Vec<(AlertId, String)>,
    /// Those that were so until now.
    pub quiet: Vec<AlertId>,
    /// Those that have been quiet for long enough, and since when.
    pub end: Vec<(AlertId, Moment)>,
    /// The same, but nobody is told: what they were about is worse now, as another alert says.
    pub worsened: Vec<(AlertId, Moment)>,
    /// New ones for which there is no room, the mildest; they begin when there is.
    pub left_out: usize,
}

/// Of new alerts those for which there is room, what is critical first; and how many are left out.
fn with_room(mut new: Vec<AlertCondition>, open: &[Alert]) -> (Vec<AlertCondition>, usize) {
    let wanted = new.len();
    let is_mild = |kind: AlertKind| kind.severity() != AlertSeverity::Critical;
    let mut mild = open.iter().filter(|alert| is_mild(alert.kind)).count();
    let mut all = open.len();
    // Stable: those that press alike stay in their order.
    new.sort_by_key(|one| std::cmp::Reverse(one.kind.severity().rank()));
    new.retain(|one| {
        let is_mild = is_mild(one.kind);
        let fits = all < OPEN_MAX && (!is_mild || mild < MILD_MAX);
        all += usize::from(fits);
        mild += usize::from(fits && is_mild);
        fits
    });
    let left_out = wanted.saturating_sub(new.len());
    (new, left_out)
}

/// Whether another alert says that the same thing is worse.
fn is_worse(alert: &Alert, open: &[Alert], new: &[AlertCondition]) -> bool {
    let graver = alert.kind.graver();
    let told = |kind: AlertKind, subject: &AlertSubject| {
        graver.contains(&kind) && *subject == alert.subject
    };
    open.iter().any(|other| told(other.kind, &other.subject))
        || new.iter().any(|other| told(other.kind, &other.subject))
}

fn is_of(alert: &Alert, condition: &AlertCondition) -> bool {
    alert.kind == condition.kind && alert.subject == condition.subject
}

/// What a look at `now` makes of the `open` alerts.
pub fn plan(open: &[Alert], sight: &AlertSight, now: Moment) -> AlertPlan {
    let mut plan = AlertPlan::default();
    for condition in &sight.conditions {
        let known = open.iter().find(|alert| is_of(alert, condition));
        let is_new = !plan
            .begin
            .iter()
            .any(|begun| begun.kind == condition.kind && begun.subject == condition.subject);
        match known {
            Some(alert) => {
                plan.seen.push(alert.id.clone());
                if alert.label != condition.label {
                    plan.renamed
                        .push((alert.id.clone(), condition.label.clone()));
                }
            }
            None if is_new => plan.begin.push(condition.clone()),
            None => {}
        }
    }
    (plan.begin, plan.left_out) = with_room(plan.begin, open);
    for alert in open {
        let is_so = sight.conditions.iter().any(|found| is_of(alert, found));
        if is_so || !sight.covers(alert) {
            continue;
        }
        match alert.quiet_since {
            None => plan.quiet.push(alert.id.clone()),
            // It stays quiet for as long as any, so that what is now bad and now worse begins once.
            Some(since) if now.since(since) < FLAP => {}
            Some(since) if is_worse(alert, open, &plan.begin) => {
                plan.worsened.push((alert.id.clone(), since));
            }
            Some(since) => plan.end.push((alert.id.clone(), since)),
        }
    }
    plan
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCall {
    /// The model's public name.
    pub model: String,
    /// When it came.
    pub created_at: Moment,
    /// Whom it tried.
    pub tries: Vec<FailedTry>,
}

/// A try of such a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTry {
    /// The provider's name; empty where nobody was called.
    pub provider: String,
    /// How the key ends; empty where none was chosen.
    pub last4: String,
    /// The gateway; empty where it is inside the server.
    pub gateway: String,
}

impl FailedTry {
    fn is_at(&self, provider: &str) -> bool {
        match provider.split_once('@') {
            Some((name, gateway)) => self.provider == name && self.gateway == gateway,
            None => self.provider == provider,
        }
    }
}

fn is_about(call: &FailedCall, subject: &AlertSubject, last4: &str) -> bool {
    let mut tries = call.tries.iter();
    match subject.kind {
        SubjectKind::Model => call.model == subject.id,
        SubjectKind::Provider => tries.any(|one| one.is_at(&subject.id)),
        SubjectKind::Key => subject.provider().is_some_and(|provider| {
            tries.any(|one| one.is_at(provider) && !last4.is_empty() && one.last4 == last4)
        }),
        SubjectKind::Gateway => tries.any(|one| one.gateway == subject.id),
        SubjectKind::Tenant => false,
    }
}

/// How many of the `calls` an alert hit: those on its subject that came while it was there.
pub fn hits(alert: &Alert, calls: &[FailedCall]) -> u64 {
    if !alert.kind.counts_calls() {
        return 0;
    }
    let hit = |call: &&FailedCall| {
        call.created_at >= alert.first_seen && is_about(call, &alert.subject, &alert.last4)
    };
    u64::try_from(calls.iter().filter(hit).count()).unwrap_or(u64::MAX)
}
