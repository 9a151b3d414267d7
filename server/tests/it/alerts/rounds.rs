//! Looks: exactly one of several writes, what flaps stays one, a flood is one message, and what was muted or
//! did not answer is left alone.

use std::time::Duration;

use outbound::Outbound;
use server::alerts::channels::{AlertChannels, ChannelDraft};
use server::alerts::{
    Alert, AlertCondition, AlertKind, AlertMessage, AlertSeverity, AlertSight, AlertSource,
    AlertStep, AlertSubject, ChannelFilter, ChannelKind, SubjectKind, UNTIL_IT_ENDS, hits, plan,
};
use server::store::Store;
use server::store::alerts::{AlertRound, RoundOutcome, RoundState, SumsOf};
use server::store::audit::Actor;
use shared::clock::{Clock, Moment};
use shared::id::{AlertChannelId, AlertId};

use super::{SECRET, add, channels, draft, everything, start};
use crate::support::{TestDb, databases};

const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn failing(model: &str) -> AlertCondition {
    let subject = AlertSubject::new(SubjectKind::Model, model);
    AlertCondition::new(AlertKind::CallsFail, subject, model)
}

pub(super) fn sight(conditions: &[AlertCondition]) -> AlertSight {
    AlertSight {
        conditions: conditions.to_vec(),
        ..AlertSight::default()
    }
}

/// A store with one channel that is told of everything.
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) channels: AlertChannels,
    pub(super) channel: AlertChannelId,
    pub(super) filter: ChannelFilter,
}

impl Scene {
    pub(super) async fn over(db: &TestDb) -> Self {
        let store = Store::new(db.db.clone());
        let channels = channels(&store, &Clock::fixed(start()), Outbound::system(false));
        let hook = draft(
            "hook",
            ChannelKind::Webhook,
            ("https://hooks.example/x", SECRET),
        );
        let channel = add(&channels, &hook).await;
        Self {
            store,
            channels,
            channel,
            filter: everything(),
        }
    }

    pub(super) async fn write(
        &self,
        before: RoundState,
        sight: &AlertSight,
        now: Moment,
    ) -> Option<RoundOutcome> {
        let open = self.store.open_alerts().await.expect("read");
        let plan = plan(&open, sight, now);
        let round = AlertRound {
            before,
            through: before.through,
            plan: &plan,
            hits: &[],
            now,
        };
        self.store.write_alert_round(&round).await.expect("written")
    }

    /// A look that nobody disturbs, with the channel's filter as it stands here.
    pub(super) async fn look(&self, sight: &AlertSight, now: Moment) -> RoundOutcome {
        let draft = ChannelDraft {
            filter: self.filter.clone(),
            ..draft("hook", ChannelKind::Webhook, ("", ""))
        };
        let actor = Actor::system();
        let changed = self.channels.change(&actor, &self.channel, &draft);
        changed.await.expect("changed");
        let before = self.store.alert_round().await.expect("read");
        self.write(before, sight, now).await.expect("it is alone")
    }

    pub(super) async fn on(&self) -> Vec<Alert> {
        let mut open = self.store.open_alerts().await.expect("read");
        open.retain(Alert::is_on);
        open
    }

    /// Everything the channel is to be told, the oldest first.
    pub(super) async fn told(&self) -> Vec<AlertMessage> {
        let kept = self.store.alert_messages(&self.channel, 100).await;
        let told = kept.expect("read").into_iter().rev();
        told.map(|message| message.told).collect()
    }

    async fn steps(&self) -> Vec<AlertStep> {
        let told = self.told().await.into_iter();
        told.flat_map(|message| message.alerts)
            .map(|one| one.step)
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_flaps_stays_one_and_ends_once() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let (bad, good) = (sight(&[failing("kimi-k2")]), sight(&[]));
        let at = |minutes: u32| start().after(MINUTE * minutes);
        assert_eq!(scene.look(&bad, at(0)).await.begun, 1);
        let first = scene.on().await.remove(0);
        assert_eq!(first.first_seen, at(0), "{}", db.name);
        for minutes in [1, 9, 10] {
            scene.look(&good, at(minutes)).await;
            assert_eq!(scene.on().await, [], "{}", db.name);
        }
        // It comes back within ten minutes of the first look that missed it.
        assert_eq!(scene.look(&bad, at(10)).await, RoundOutcome::default());
        let again = scene.on().await.remove(0);
        assert_eq!(
            (again.id, again.first_seen),
            (first.id.clone(), first.first_seen)
        );
        assert_eq!(scene.steps().await, [AlertStep::Begun]);
        scene.look(&good, at(20)).await;
        assert_eq!(scene.look(&good, at(29)).await.ended, 0);
        assert_eq!(scene.look(&good, at(30)).await.ended, 1);
        assert_eq!(scene.steps().await, [AlertStep::Begun, AlertStep::Resolved]);
        let last = scene.told().await.pop().expect("a message");
        assert_eq!(
            last.alerts[0].until,
            Some(at(20).unix_ms()),
            "when it was missed first"
        );
        // After its end it is another.
        assert_eq!(scene.look(&bad, at(31)).await.begun, 1);
        assert_ne!(scene.on().await[0].id, first.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_that_look_at_once_one_writes_and_one_message_waits() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        for n in 0..12_u32 {
            let (before, now) = (
                scene.store.alert_round().await.expect("read"),
                start().after(MINUTE * (n + 1)),
            );
            let bad = sight(&[failing(&format!("model-{n}"))]);
            let looks = (0..4).map(|_| scene.write(before, &bad, now));
            let outcomes = futures_util::future::join_all(looks).await;
            let written: Vec<_> = outcomes.into_iter().flatten().collect();
            assert_eq!(written.len(), 1, "{}: {written:?}", db.name);
            assert_eq!((written[0].begun, written[0].messages), (1, 1));
        }
        // The others fell quiet one after the other, and ended ten minutes later.
        let begun = scene.steps().await;
        let begun = begun.iter().filter(|step| **step == AlertStep::Begun);
        assert_eq!(begun.count(), 12, "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_one_message_and_the_filter_bounds_it() {
    for db in databases().await {
        let mut scene = Scene::over(&db).await;
        let many: Vec<_> = (0..130).map(|n| failing(&format!("m{n}"))).collect();
        let mut all = sight(&many);
        let subject = AlertSubject::new(SubjectKind::Model, "cheap");
        all.conditions
            .insert(0, AlertCondition::new(AlertKind::NoPrice, subject, "cheap"));
        let seen = scene.look(&all, start()).await;
        assert_eq!((seen.begun, seen.messages), (131, 1), "{}", db.name);
        let told = scene.told().await.remove(0);
        assert_eq!((told.alerts.len(), told.more), (100, 31));
        let is_critical = |word: &str| word == AlertSeverity::Critical.word();
        assert!(told.alerts.iter().all(|one| is_critical(&one.severity)));
        scene.filter.kinds = vec![AlertKind::NoKeys];
        let other = sight(&[failing("other")]);
        assert_eq!(scene.look(&other, start().after(MINUTE)).await.messages, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_critical_is_told_again_by_the_hour_until_it_is_quiet() {
    for db in databases().await {
        let mut scene = Scene::over(&db).await;
        scene.filter.remind_hours = 4;
        let bad = sight(&[failing("kimi-k2")]);
        let hours = [0, 1, 3, 4, 5, 7, 8, 9, 21];
        for hour in hours {
            scene.look(&bad, start().after(MINUTE * 60 * hour)).await;
        }
        // At 4, at 8, and once for all that nobody looked at until 21.
        let reminders = [AlertStep::Begun]
            .into_iter()
            .chain([AlertStep::Reminder; 3]);
        assert_eq!(
            scene.steps().await,
            reminders.collect::<Vec<_>>(),
            "{}",
            db.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_what_is_muted_and_it_is_written_down_who_did() {
    for db in databases().await {
        let mut scene = Scene::over(&db).await;
        scene.filter.remind_hours = 1;
        let bad = sight(&[failing("kimi-k2")]);
        scene.look(&bad, start()).await;
        let id = scene.on().await[0].id.clone();
        let (store, actor) = (&scene.store, Actor::system());
        let until = start().after(MINUTE * 150);
        assert!(
            store
                .mute_alert(&actor, &id, Some(until), start())
                .await
                .expect("muted")
        );
        for hour in [1, 2] {
            scene.look(&bad, start().after(MINUTE * 60 * hour)).await;
        }
        assert_eq!(scene.steps().await, [AlertStep::Begun], "{}", db.name);
        scene.look(&bad, start().after(MINUTE * 180)).await;
        assert_eq!(scene.steps().await.len(), 2, "its time is over");
        assert!(
            store
                .mute_alert(&actor, &id, Some(UNTIL_IT_ENDS), start())
                .await
                .expect("muted")
        );
        scene.look(&bad, start().after(MINUTE * 60 * 90)).await;
        scene
            .look(&sight(&[]), start().after(MINUTE * 60 * 91))
            .await;
        scene
            .look(&sight(&[]), start().after(MINUTE * 60 * 92))
            .await;
        assert_eq!(
            scene.steps().await.len(),
            2,
            "{}: not even its end",
            db.name
        );
        // It has ended, so there is nothing to mute.
        assert!(
            !store
                .mute_alert(&actor, &id, None, start())
                .await
                .expect("asked")
        );
        let nobody = AlertId::random();
        assert!(
            !store
                .mute_alert(&actor, &nobody, None, start())
                .await
                .expect("asked")
        );
        let mut noted = store.audit_entries(None, 100).await.expect("read");
        noted.retain(|entry| entry.subject == id.to_string());
        assert_eq!(noted.len(), 2, "{}", db.name);
        assert!(noted.iter().all(|entry| entry.action == "alert.mute"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_answer_ends_nothing() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let keys = |of: &str| {
            let subject = AlertSubject::new(SubjectKind::Provider, of);
            AlertCondition::new(AlertKind::NoKeys, subject, of)
        };
        scene
            .look(&sight(&[keys("one"), keys("two"), failing("m")]), start())
            .await;
        let silent = AlertSight {
            silent_providers: vec!["one".to_owned()],
            silent: vec![AlertSource::Calls],
            ..AlertSight::default()
        };
        for minutes in [1, 20] {
            scene.look(&silent, start().after(MINUTE * minutes)).await;
        }
        let left = scene.on().await.into_iter().map(|alert| alert.subject.id);
        let mut left: Vec<_> = left.collect();
        left.sort();
        assert_eq!(
            left,
            ["m", "one"],
            "{}: `two` alone was looked for",
            db.name
        );
    }
}

/// A record of a call, as filing leaves it, with its number; of a call that failed a status is its fault's word.
pub(super) async fn record(db: &TestDb, number: i64, (model, status): (&str, &str), tries: &str) {
    let (status, fault) = match status {
        "succeeded" | "failed" | "canceled" => (status, "NULL".to_owned()),
        fault => ("failed", format!("'{fault}'")),
    };
    let (id, at) = (format!("gen_{number}"), super::START_MS + number);
    let sql = format!(
        "INSERT INTO usage_records (id, tenant_id, test, operation, model, provider, provider_model, input_tokens, \
         cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, images, media_ms, characters, \
         estimated, credits_micros, cost_micros, status, attempts, first_byte_ms, duration_ms, created_at, \
         loss_micros, tries, number, fault) \
         VALUES ('{id}', 'ten_1', FALSE, 'chat', '{model}', '', '', 0, 0, 0, 0, 0, 0, 0, 0, FALSE, 0, 0, \
         '{status}', 1, 0, 1, {at}, 0, '{tries}', {number}, {fault})"
    );
    db.execute(&sql).await.expect("a record");
}

#[tokio::test(flavor = "multi_thread")]
async fn hit_calls_are_counted_once_each_by_model_provider_and_key() {
    for db in databases().await {
        let store = Store::new(db.db.clone());
        let tried = |provider: &str, last4: &str| {
            format!(r#"[{{"number":1,"provider":"{provider}","key_last4":"{last4}"}}]"#)
        };
        for number in 1..=10 {
            let status = if number % 2 == 0 {
                "failed"
            } else {
                "succeeded"
            };
            let last4 = if number % 4 == 0 { "aaaa" } else { "bbbb" };
            record(&db, number, ("kimi-k2", status), &tried("moonshot", last4)).await;
        }
        record(&db, 11, ("other", "failed"), &tried("moonshot", "aaaa")).await;
        record(&db, 12, ("kimi-k2", "failed"), "").await;
        let alert = |kind, subject, last4: &str| Alert {
            id: AlertId::random(),
            kind,
            subject,
            label: String::new(),
            last4: last4.to_owned(),
            severity: AlertSeverity::Critical,
            first_seen: start(),
            last_seen: start(),
            quiet_since: None,
            ended_at: None,
            hit_calls: 0,
            hits_at_least: false,
            muted_until: None,
            muted_by: None,
        };
        let model = AlertSubject::new(SubjectKind::Model, "kimi-k2");
        let provider = AlertSubject::new(SubjectKind::Provider, "moonshot");
        let elsewhere = AlertSubject::new(SubjectKind::Provider, "moonshot@tokyo");
        let key = AlertSubject::key("moonshot", "pkey_1");
        let read = store.failed_calls((0, 12), 100).await.expect("read");
        assert_eq!((read.calls.len(), read.last), (7, 12), "{}", db.name);
        for (kind, subject, last4, wanted) in [
            (AlertKind::CallsFail, &model, "", 6),
            (AlertKind::NoKeys, &provider, "", 6),
            (AlertKind::NoKeys, &elsewhere, "", 0),
            (AlertKind::KeyRefused, &key, "aaaa", 3),
            (AlertKind::KeyRefused, &key, "", 0),
            // What no call can hit counts none.
            (AlertKind::NoPrice, &model, "", 0),
        ] {
            let counted = hits(&alert(kind, subject.clone(), last4), &read.calls);
            assert_eq!(counted, wanted, "{} {kind:?} {subject:?}", db.name);
        }
        // In two parts they are the same calls.
        let first = store.failed_calls((0, 12), 4).await.expect("read");
        let second = store
            .failed_calls((first.last, 12), 100)
            .await
            .expect("read");
        let both = [first.calls, second.calls].concat();
        assert_eq!(both, read.calls, "{}", db.name);
        let since = store
            .failed_since((SumsOf::Models, "kimi-k2"), start(), 10)
            .await
            .expect("read");
        let second = Moment::from_unix_ms(super::START_MS + 2);
        assert_eq!(since, (Some(second), 5), "{}", db.name);
    }
}
