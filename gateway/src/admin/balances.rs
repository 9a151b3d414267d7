//! Balances of keys' accounts: asked for at a pace, one after the other, kept, and told. A key at or below
//! its floor is parked while a fresh reading says so; a question that brought nothing parks none.

mod reckon;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shared::clock::Moment;
use shared::db::DbError;
use shared::host::origin;
use shared::id::ProviderKeyId;
use shared::link::AdminError;
use shared::link::balance::{
    BalanceBoard, BalanceEvent, BalanceProblem, BalanceState, BalanceTerms, KeyBalance,
    ProviderBalances, VendorAmount,
};
use shared::link::events::GatewayEvent;
use shared::supervisor::Supervisor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::reckon::{Fall, fall};
use super::ProviderList;
use super::refusals::invalid;
use crate::pool::health::Shown;
use crate::pool::{PoolKey, PoolProvider};
use crate::providers::balance::{self, BalanceReading, BalanceVendor};
use crate::store::balances::{BalanceRow, BalanceWrite, Sample};
use crate::store::{KeyRow, ProviderRow, Snapshot};

/// How often it is looked whose time has come.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Keys that are asked about before the next look.
const ROUND_MAX: usize = 20;
/// Looks after which what is known of keys that are no more is forgotten.
const FORGET_EVERY: u32 = 720;
/// A reading says how it is for this long at least, however often is asked.
const FRESH_LEAST: Duration = Duration::from_secs(3_600);
/// Questions after which a reading says nothing any more.
const FRESH_QUESTIONS: u32 = 3;
/// For this long nobody asks about a key that was changed: other gateways have read the list again by then.
pub(super) const KNOWN_EVERYWHERE: Duration = Duration::from_secs(15);
/// A vendor that does not answer is asked after twice as long, and so on, at most this.
const PAUSE_MAX: Duration = Duration::from_secs(6 * 3_600);

/// Keys that are told of at once, those that somebody must look at first: an answer to a server is 1 MiB at
/// most, and a key takes some 250 bytes.
const TOLD_MAX: usize = 3_000;

/// How often balances are asked for; never where it is zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BalancePace(pub(crate) Duration);

impl BalancePace {
    /// For how long a reading counts.
    fn fresh(self) -> Duration {
        self.0.saturating_mul(FRESH_QUESTIONS).max(FRESH_LEAST)
    }

    /// Until the next question, a tenth more or less, so that gateways and keys do not ask in step.
    fn next(self, failures: i64) -> Duration {
        let doubled = u32::try_from(failures.clamp(0, 10)).unwrap_or(0);
        let span = self.0.saturating_mul(1 << doubled);
        let span = span.min(PAUSE_MAX.max(self.0));
        span / 100 * (90 + rand::random_range(0..=20))
    }
}

/// What is known of balances when a list is read.
#[derive(Debug, Default)]
pub(super) struct BalancesKnown {
    rows: HashMap<String, BalanceRow>,
    terms: HashMap<String, BalanceTerms>,
}

impl BalancesKnown {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let row = |row: &BalanceRow| (row.key_id.clone(), row.clone());
        Self {
            rows: snapshot.balances.iter().map(row).collect(),
            terms: terms_read(&snapshot.balance_terms),
        }
    }

    /// Until when a key is parked, if it is.
    pub(super) fn parked_until(
        &self,
        (provider, key): (&ProviderRow, &KeyRow),
        pace: BalancePace,
    ) -> Option<Moment> {
        let terms = self.terms.get(&provider.name).cloned().unwrap_or_default();
        let at = key.base_url.as_ref().unwrap_or(&provider.base_url);
        vendor(&terms, &provider.kind, at).filter(|_| !pace.0.is_zero())?;
        let row = self.rows.get(&key.id)?;
        let until = Moment::from_unix_ms(row.read_at?).after(pace.fresh());
        (VendorAmount::from_micros(row.amount?) <= terms.floor).then_some(until)
    }
}

fn terms_read(kept: &[(String, String)]) -> HashMap<String, BalanceTerms> {
    let read = |(provider, json): &(String, String)| {
        let terms = serde_json::from_str(json).unwrap_or_else(|error| {
            warn!(provider, %error, "the balance terms of `{provider}` can't be read: {error}");
            BalanceTerms::default()
        });
        (provider.clone(), terms)
    };
    kept.iter().map(read).collect()
}

/// Whether a vendor that an operator names is one, and may be asked about keys of `kind`.
pub(super) fn checked_vendor(terms: &BalanceTerms, kind: &str) -> Result<(), AdminError> {
    let Some(name) = terms.vendor.as_deref() else {
        return Ok(());
    };
    if balance::named(name).is_none() {
        let known = balance::vendors().join(", ");
        return Err(invalid("vendor", format!("one of {known}")));
    }
    if !balance::are_sent(kind) {
        let rule = format!("left out: keys of providers of kind {kind} are never sent themselves");
        return Err(invalid("vendor", rule));
    }
    Ok(())
}

/// Who is asked about keys of a provider of `kind` whose calls go to `base_url`.
fn vendor(terms: &BalanceTerms, kind: &str, base_url: &str) -> Option<&'static BalanceVendor> {
    if !terms.is_asked || !balance::are_sent(kind) {
        return None;
    }
    match &terms.vendor {
        Some(name) => balance::named(name),
        None => balance::at(base_url),
    }
}

/// How it stands with a balance.
fn state(terms: &BalanceTerms, amount: VendorAmount, fall: &Fall) -> BalanceState {
    let warns = fall.hours_left.is_some_and(|hours| {
        terms.warn_days > 0 && hours < u64::from(terms.warn_days).saturating_mul(24)
    });
    if amount <= terms.floor {
        BalanceState::Parked
    } else if terms.warn_at.is_some_and(|line| amount <= line) {
        BalanceState::Low
    } else if warns {
        BalanceState::Ending
    } else {
        BalanceState::Fine
    }
}

/// A key whose time has come.
struct Due {
    provider: Arc<PoolProvider>,
    key: Arc<PoolKey>,
    vendor: &'static BalanceVendor,
    terms: BalanceTerms,
    row: Option<BalanceRow>,
}

impl Due {
    /// What is known of it, if only that nobody asked.
    fn known(&self) -> BalanceRow {
        let whose = (self.provider.name.as_str(), self.key.id.as_str());
        let never = || BalanceRow::unknown(whose, Moment::from_unix_ms(0));
        self.row.clone().unwrap_or_else(never)
    }

    /// Who is waited for when it is asked about.
    fn host(&self) -> String {
        let base_url = self.provider.route(&self.key, "").base_url;
        origin(base_url).unwrap_or_else(|| base_url.to_owned())
    }
}

impl ProviderList {
    /// Asks for balances until the process stops.
    pub(super) async fn keep_balances(self: Arc<Self>, supervisor: Supervisor) {
        if self.pace.0.is_zero() {
            return;
        }
        let stop = supervisor.stopping();
        let mut looks = 0_u32;
        loop {
            // Never dropped in the middle of a statement: what waits is the vendor's answer.
            if let Err(error) = self.ask_due(&stop).await {
                warn!(%error, "balances were not asked for: {error}");
            }
            if looks.is_multiple_of(FORGET_EVERY)
                && let Err(error) = self.store.forget_balances().await
            {
                warn!(%error, "balances of keys that are no more were not forgotten: {error}");
            }
            looks = looks.wrapping_add(1);
            let pause = tokio::time::sleep(LOOK_EVERY);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// One after the other: nobody waits for it, and a vendor is asked gently. One that does not answer is
    /// asked once in a round, so that others do not wait for it as often as it has keys.
    async fn ask_due(&self, stop: &CancellationToken) -> Result<(), DbError> {
        let mut silent: HashMap<String, BalanceProblem> = HashMap::new();
        let mut asked = 0;
        for due in self.due_balances().await? {
            if stop.is_cancelled() || asked >= ROUND_MAX {
                break;
            }
            let host = due.host();
            if let Some(problem) = silent.get(&host) {
                self.spare(&due, *problem).await?;
                continue;
            }
            asked += 1;
            let problem = self.ask_balance(due, stop).await?;
            if let Some(problem @ (BalanceProblem::Slow | BalanceProblem::Unreachable)) = problem {
                silent.insert(host, problem);
            }
        }
        Ok(())
    }

    /// Has the next question wait as if this one had brought nothing either.
    async fn spare(&self, due: &Due, problem: BalanceProblem) -> Result<(), DbError> {
        let whose = (due.provider.name.as_str(), &due.key.id);
        let at = due.row.as_ref().map(|row| row.next_at);
        let now = self.clock.now();
        let old = due.known();
        let asked_at = old.asked_at;
        let row = BalanceRow {
            asked_at,
            ..self.untold(old, problem, now)
        };
        let next = Moment::from_unix_ms(row.next_at);
        if !self.store.claim_balance(whose, at, next).await? {
            return Ok(());
        }
        let write = BalanceWrite {
            row: &row,
            claimed: row.next_at,
            news: None,
            moves: false,
            is_other_money: false,
        };
        self.store.keep_balance(write, now).await
    }

    /// Those that wait longest come first.
    async fn due_balances(&self) -> Result<Vec<Due>, DbError> {
        let all = self.pools.all();
        let kept = self.store.balance_terms().await?;
        let terms = terms_read(&kept);
        let mut asked = Vec::new();
        for provider in all.values().filter(|provider| provider.enabled) {
            let terms = terms.get(&provider.name).cloned().unwrap_or_default();
            for key in &provider.keys {
                let at = provider.route(key, "").base_url;
                let kind = &provider.connector.facts().kind;
                if let Some(vendor) = vendor(&terms, kind, at) {
                    asked.push((provider, key, vendor, terms.clone()));
                }
            }
        }
        // Most gateways have nobody to ask, and then the database has nothing to tell.
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let rows = self.store.balances().await?.into_iter();
        let mut rows: HashMap<String, BalanceRow> =
            rows.map(|row| (row.key_id.clone(), row)).collect();
        let due = asked
            .into_iter()
            .filter_map(|(provider, key, vendor, terms)| {
                let row = rows.remove(key.id.as_str());
                let is_due = row.as_ref().is_none_or(|row| row.next_at <= now.unix_ms());
                let is_off = matches!(key.health.shown(now), Shown::Off(_));
                (is_due && !is_off).then(|| Due {
                    provider: provider.clone(),
                    key: key.clone(),
                    vendor,
                    terms,
                    row,
                })
            });
        let mut due: Vec<Due> = due.collect();
        due.sort_by_key(|due| due.row.as_ref().map_or(0, |row| row.next_at));
        Ok(due)
    }

    /// Asks about one key; answers why nothing was told, if so.
    async fn ask_balance(
        &self,
        due: Due,
        stop: &CancellationToken,
    ) -> Result<Option<BalanceProblem>, DbError> {
        let whose = (due.provider.name.as_str(), &due.key.id);
        let at = due.row.as_ref().map(|row| row.next_at);
        let claimed = self.clock.now().after(self.pace.next(0));
        // Of several gateways one asks, and a crash asks no more often.
        if !self.store.claim_balance(whose, at, claimed).await? {
            return Ok(None);
        }
        let asking = due.vendor.ask(due.provider.route(&due.key, ""));
        let Some(told) = stop.run_until_cancelled(asking).await else {
            return Ok(None);
        };
        let problem = told.as_ref().err().copied();
        let now = self.clock.now();
        let samples = self.store.samples(due.key.id.as_str()).await?;
        let (row, news) = self.told(&due, told, (&samples, now));
        let before = due.row.as_ref().map(|row| row.state.as_str());
        let parked = BalanceState::Parked.word();
        let moves = row.state == parked || before == Some(parked);
        let currency_before = due.row.as_ref().and_then(|row| row.currency.as_ref());
        let write = BalanceWrite {
            row: &row,
            claimed: claimed.unix_ms(),
            news: news.as_ref(),
            moves,
            is_other_money: currency_before.is_some() && currency_before != row.currency.as_ref(),
        };
        self.store.keep_balance(write, now).await?;
        if let Some(news) = &news {
            info!("{news:?}");
            self.journal.wake_listeners();
        }
        if moves {
            self.reload().await?;
        }
        Ok(problem)
    }

    /// What is kept of an answer, and what servers are told of it.
    fn told(
        &self,
        due: &Due,
        told: Result<BalanceReading, BalanceProblem>,
        (samples, now): (&[Sample], Moment),
    ) -> (BalanceRow, Option<GatewayEvent>) {
        let old = due.known();
        let before = BalanceState::from_word(&old.state);
        let asked_at = Some(now.unix_ms());
        let reading = match told {
            Ok(reading) => reading,
            // That is an answer: an amount of before does not count any more.
            Err(BalanceProblem::Unlimited) => {
                let row = BalanceRow {
                    read_at: asked_at,
                    asked_at,
                    problem: Some(BalanceProblem::Unlimited.word().to_owned()),
                    ..BalanceRow::unknown(
                        (&due.provider.name, due.key.id.as_str()),
                        now.after(self.pace.next(0)),
                    )
                };
                return (row, None);
            }
            Err(problem) => return (self.untold(old, problem, now), None),
        };
        let last = Sample {
            at: now.unix_ms(),
            amount: reading.amount.micros(),
        };
        let same_currency = old
            .currency
            .as_deref()
            .is_none_or(|old| old == reading.currency);
        let samples = if same_currency { samples } else { &[] };
        let state = state(
            &due.terms,
            reading.amount,
            &fall(samples, last, due.terms.floor),
        );
        let is_news =
            state != before && (before, state) != (BalanceState::Unknown, BalanceState::Fine);
        let news = is_news.then(|| {
            GatewayEvent::KeyBalance(BalanceEvent {
                provider: due.provider.name.clone(),
                key: due.key.id.clone(),
                last4: due.key.last4.clone(),
                state,
                amount: reading.amount,
                currency: reading.currency.clone(),
            })
        });
        let row = BalanceRow {
            amount: Some(reading.amount.micros()),
            currency: Some(reading.currency),
            read_at: asked_at,
            asked_at,
            next_at: now.after(self.pace.next(0)).unix_ms(),
            problem: None,
            failures: 0,
            state: state.word().to_owned(),
            ..old
        };
        (row, news)
    }

    /// What is kept of a question that brought nothing.
    fn untold(&self, old: BalanceRow, problem: BalanceProblem, now: Moment) -> BalanceRow {
        let failures = old.failures.saturating_add(1);
        let state = if self.is_stale(old.read_at, now) {
            BalanceState::Unknown
        } else {
            BalanceState::from_word(&old.state)
        };
        BalanceRow {
            asked_at: Some(now.unix_ms()),
            next_at: now.after(self.pace.next(failures)).unix_ms(),
            problem: Some(problem.word().to_owned()),
            failures,
            state: state.word().to_owned(),
            ..old
        }
    }

    fn is_stale(&self, read_at: Option<i64>, now: Moment) -> bool {
        read_at.is_none_or(|at| now > Moment::from_unix_ms(at).after(self.pace.fresh()))
    }

    /// What is left on the accounts of all keys.
    pub(super) async fn board(&self) -> Result<BalanceBoard, DbError> {
        let snapshot = self.store.snapshot().await?;
        let mut samples: HashMap<String, Vec<Sample>> = HashMap::new();
        for (key, sample) in self.store.all_samples().await? {
            samples.entry(key).or_default().push(sample);
        }
        let known = BalancesKnown::of(&snapshot);
        let now = self.clock.now();
        let mut told: Vec<(usize, KeyBalance)> = Vec::new();
        let mut providers = Vec::new();
        for (place, provider) in snapshot.providers.iter().enumerate() {
            let terms = known.terms.get(&provider.name).cloned().unwrap_or_default();
            let is_asked = |at: &String| {
                !self.pace.0.is_zero() && vendor(&terms, &provider.kind, at).is_some()
            };
            let keys = snapshot.keys.iter();
            let keys = keys.filter(|key| {
                let at = key.base_url.as_ref().unwrap_or(&provider.base_url);
                key.provider == provider.name && is_asked(at)
            });
            told.extend(keys.map(|key| {
                let samples = samples.get(&key.id).map_or(&[][..], Vec::as_slice);
                let balance =
                    self.key_balance((key, known.rows.get(&key.id)), samples, (&terms, now));
                (place, balance)
            }));
            providers.push(ProviderBalances {
                provider: provider.name.clone(),
                vendor: vendor(&terms, &provider.kind, &provider.base_url)
                    .filter(|_| !self.pace.0.is_zero())
                    .map(|vendor| vendor.name.to_owned()),
                keys: Vec::new(),
                terms,
            });
        }
        if told.len() > TOLD_MAX {
            told.sort_by_key(|(_, key)| std::cmp::Reverse(key.state.urgency()));
            told.truncate(TOLD_MAX);
        }
        for (place, key) in told {
            if let Some(provider) = providers.get_mut(place) {
                provider.keys.push(key);
            }
        }
        Ok(BalanceBoard {
            vendors: balance::vendors(),
            providers,
        })
    }

    fn key_balance(
        &self,
        (key, row): (&KeyRow, Option<&BalanceRow>),
        samples: &[Sample],
        (terms, now): (&BalanceTerms, Moment),
    ) -> KeyBalance {
        let read = row.and_then(|row| Some((row.amount?, row.read_at?)));
        let mut shown = KeyBalance {
            key: ProviderKeyId::from_stored(key.id.clone()),
            label: key.label.clone(),
            last4: key.last4.clone(),
            state: BalanceState::Unknown,
            amount: None,
            currency: row.and_then(|row| row.currency.clone()),
            read_at: None,
            asked_at: row.and_then(|row| row.asked_at),
            problem: row
                .and_then(|row| row.problem.as_deref())
                .map(BalanceProblem::from_word),
            daily: None,
            hours_left: None,
        };
        let Some((amount, at)) = read else {
            return shown;
        };
        let fall = fall(samples, Sample { at, amount }, terms.floor);
        let amount = VendorAmount::from_micros(amount);
        shown.amount = Some(amount);
        shown.read_at = Some(at);
        if !self.is_stale(Some(at), now) {
            shown.state = state(terms, amount, &fall);
            shown.daily = fall.daily;
            shown.hours_left = fall.hours_left;
        }
        shown
    }
}

#[cfg(test)]
mod tests;
