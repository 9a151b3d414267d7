//! Looks, in rounds of which one process does each, and writes what it saw. Two that look at once write one
//! look: the row of the last look is moved on by one of them.

use std::time::Duration;

use server_rules::alerts::round::{AlertPlan, hits, plan};
use server_rules::alerts::{Alert, AlertKind, SubjectKind};
use server_store::alerts::{AlertRound, EARLIER_MAX, RoundOutcome, RoundState, SumsOf};
use shared::clock::Moment;
use shared::db::DbError;
use shared::id::AlertId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::health::hours_from;
use super::{Alerts, AlertsError};

/// A server that has just started has yet to hear from its gateways.
const FIRST: Duration = Duration::from_secs(10);
/// Between two rounds of one process.
const TICK: Duration = Duration::from_secs(8);
/// Between two looks of all processes together. A channel is told at most once a look.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// The name under which one process claims a look.
const TASK: &str = "alerts";
/// Failed calls that are read at once.
const FAILED_MAX: i64 = 5_000;
/// Records behind which a look goes on counting from here: after days of standstill, or a flood.
const RECORDS_MAX: i64 = 500_000;
/// Alerts that ended are kept for so long.
const ALERTS_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Messages that were sent are.
const MESSAGES_KEPT: Duration = Duration::from_secs(14 * 86_400);
/// What single processes saw is: nobody is told of it after a day.
const SIGHTINGS_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Between two times that old ones are deleted.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Calls that were counted for the open alerts.
struct Counted {
    through: i64,
    hits: Vec<(AlertId, u64, bool)>,
}

impl Alerts {
    /// Counts the calls that failed since the last look; what is left over is counted in the next one.
    async fn count(&self, before: RoundState, open: &[Alert]) -> Result<Counted, DbError> {
        let store = &self.0.store;
        let upto = store.usage_summed_through().await?;
        if upto <= before.through {
            // Sums that were made anew count from their beginning; numbers stay.
            let through = before.through;
            let hits = Vec::new();
            return Ok(Counted { through, hits });
        }
        let is_far = upto.saturating_sub(before.through) > RECORDS_MAX;
        let after = if is_far {
            upto.saturating_sub(RECORDS_MAX)
        } else {
            before.through
        };
        let failed = store.failed_calls((after, upto), FAILED_MAX).await?;
        let is_whole = i64::try_from(failed.calls.len()).unwrap_or(FAILED_MAX) < FAILED_MAX;
        let through = if is_whole { upto } else { failed.last };
        let counted = open.iter().filter_map(|alert| {
            let calls = hits(alert, &failed.calls);
            let is_short = is_far && alert.kind.counts_calls();
            // What was skipped once is missing for good.
            let at_least = alert.hits_at_least || is_short;
            (calls > 0 || is_short).then(|| (alert.id.clone(), calls, at_least))
        });
        Ok(Counted {
            through,
            hits: counted.collect(),
        })
    }

    /// Since when calls fail that begin to be told of, and how many did.
    async fn date(
        &self,
        plan: &mut AlertPlan,
        (now, through): (Moment, i64),
    ) -> Result<(), DbError> {
        let failing = plan
            .begin
            .iter_mut()
            .filter(|one| one.kind == AlertKind::CallsFail);
        for one in failing {
            let of = match one.subject.kind {
                SubjectKind::Model => SumsOf::Models,
                SubjectKind::Provider => SumsOf::Providers,
                SubjectKind::Key | SubjectKind::Gateway | SubjectKind::Tenant => continue,
            };
            let store = &self.0.store;
            let hours = hours_from(now);
            // Calls of before the end of the last such alert were told of with that one.
            let ended = store
                .alert_ended_after(one.kind, &one.subject, hours)
                .await?;
            let from = ended.unwrap_or(hours);
            let named = (of, one.subject.id.as_str());
            let (first, calls) = store.failed_since(named, from, through).await?;
            one.since = first;
            one.hit_calls = calls;
            // Of a provider's calls those alone are counted that it answered last; of sums that are ahead of the
            // count none are.
            one.hits_at_least = of == SumsOf::Providers
                || first.is_none()
                || i64::try_from(calls).unwrap_or(i64::MAX) >= EARLIER_MAX;
        }
        Ok(())
    }

    /// Looks once and writes what it saw; `None` where another process did meanwhile.
    pub async fn look_now(&self) -> Result<Option<RoundOutcome>, AlertsError> {
        let (store, now) = (&self.0.store, self.0.clock.now());
        self.tell_sightings(now).await?;
        // In this order: what is written must be newer than what was read.
        let before = store.alert_round().await?;
        let open = store.open_alerts().await?;
        // Boxed: it asks six places at once.
        let sight = Box::pin(self.look(now)).await?;
        let counted = self.count(before, &open).await?;
        let mut plan = plan(&open, &sight, now);
        self.date(&mut plan, (now, counted.through)).await?;
        if plan.left_out > 0 {
            let left_out = plan.left_out;
            warn!(
                left_out,
                "there is no room for {left_out} more alerts: too many are open"
            );
        }
        let round = AlertRound {
            before,
            through: counted.through,
            plan: &plan,
            hits: &counted.hits,
            now,
        };
        Ok(store.write_alert_round(&round).await?)
    }

    async fn look_if_due(&self) -> Result<Option<RoundOutcome>, AlertsError> {
        let (store, now) = (&self.0.store, self.0.clock.now());
        self.tell_sightings(now).await?;
        if !store.claim_task(TASK, LOOK_EVERY, now).await? {
            return Ok(None);
        }
        if store.claim_task("old alerts", FORGET_EVERY, now).await? {
            store
                .forget_alerts(
                    now.before(ALERTS_KEPT),
                    now.before(MESSAGES_KEPT),
                    now.before(SIGHTINGS_KEPT),
                )
                .await?;
        }
        self.look_now().await
    }

    /// Looks in rounds, of which one process does each, until told to stop.
    pub async fn look_forever(self, stop: CancellationToken) {
        let mut pause = FIRST;
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            pause = TICK;
            match stop.run_until_cancelled(self.look_if_due()).await {
                None => return,
                Some(Ok(None)) => {}
                Some(Ok(Some(seen))) => {
                    let RoundOutcome { begun, ended, .. } = seen;
                    if begun + ended > 0 {
                        info!(begun, ended, "{begun} alerts began and {ended} ended");
                    }
                }
                Some(Err(error)) => warn!(%error, "nobody looked for alerts: {error}"),
            }
        }
    }
}
