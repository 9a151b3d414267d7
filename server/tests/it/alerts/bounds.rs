//! What tenants do wrong raises no alert, too many alerts stop none of the critical ones, and what is old goes.

use std::time::Duration;

use server::alerts::{AlertCondition, AlertKind, AlertStep, AlertSubject, SubjectKind};
use server::reports::rollup::Roller;
use server::store::alerts::SumsOf;
use server::store::audit::Actor;
use shared::clock::Clock;
use shared::fault::FaultKind;

use super::rounds::{Scene, failing, record, sight};
use super::start;
use crate::support::databases;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread")]
async fn what_callers_did_wrong_says_nothing_of_a_model() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let store = &scene.store;
        let mut number = 0;
        for kind in FaultKind::ALL {
            let status = if kind == FaultKind::Canceled {
                "canceled"
            } else {
                kind.word()
            };
            for _ in 0..2 {
                number += 1;
                record(&db, number, ("m", status), "").await;
            }
        }
        for status in ["succeeded", "failed"] {
            number += 1;
            record(&db, number, ("m", status), "").await;
        }
        let rolled = store.roll_usage(number, 1_000, start()).await;
        rolled.expect("added up");
        let sums = store.hour_sums(SumsOf::Models, start()).await;
        let sums = sums.expect("read")["m"];
        // Of fifteen kinds three are the caller's and one is no failure; one call failed without a word.
        assert_eq!(
            (sums.calls, sums.failed, sums.canceled),
            (26, 23, 2),
            "{}",
            db.name
        );
        let read = store.failed_calls((0, number), 100).await.expect("read");
        assert_eq!(read.calls.len(), 23, "{}", db.name);
        let named = (SumsOf::Models, "m");
        let (_, calls) = store
            .failed_since(named, start(), number)
            .await
            .expect("read");
        assert_eq!(calls, 23, "{}", db.name);
        let roller = Roller::new(store.clone(), Clock::fixed(start()));
        let differences = roller.check().await.expect("checked");
        assert_eq!(differences, Vec::<String>::new(), "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_what_is_mild_keeps_out_nothing_that_is_critical() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let mild = (0..2_500).map(|number| {
            let name = format!("m{number}");
            let subject = AlertSubject::new(SubjectKind::Model, &name);
            AlertCondition::new(AlertKind::NoPrice, subject, &name)
        });
        let mut all: Vec<AlertCondition> = mild.collect();
        for look in 0..3_u32 {
            all.push(failing(&format!("bad{look}")));
            let now = start().after(Duration::from_secs(15) * look);
            let outcome = scene.look(&sight(&all), now).await;
            let wanted = if look == 0 { 1_501 } else { 1 };
            assert_eq!(outcome.begun, wanted, "{} look {look}", db.name);
            assert_eq!(scene.on().await.len(), 1_501 + look as usize, "{}", db.name);
        }
        let told = scene.told().await;
        let told = told.iter().flat_map(|message| &message.alerts);
        let critical = told.filter(|one| one.kind == AlertKind::CallsFail.word());
        assert_eq!(critical.count(), 3, "{}", db.name);
        // Where some end there is room again.
        let rest = sight(&all[500..]);
        for minutes in [1, 12, 13] {
            let now = start().after(Duration::from_secs(60) * minutes);
            scene.look(&rest, now).await;
        }
        let on = scene.on().await;
        assert_eq!(on.len(), 1_503, "{}", db.name);
        assert!(on.iter().any(|alert| alert.subject.id == "m1999"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_is_there_already_keeps_nothing_else_from_being_written() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        scene.look(&sight(&[failing("one")]), start()).await;
        // Written by a process that knows more kinds, say; a look does not know of it.
        let copy = "UPDATE alerts SET ended_at = 1";
        db.execute(copy).await.expect("ended");
        let before = scene.store.alert_round().await.expect("read");
        let both = sight(&[failing("one"), failing("two")]);
        let plan = server::alerts::plan(&[], &both, start());
        let open = "UPDATE alerts SET ended_at = NULL";
        db.execute(open).await.expect("open");
        let round = server::store::alerts::AlertRound {
            before,
            through: before.through,
            plan: &plan,
            hits: &[],
            now: start().after(HOUR),
        };
        let written = scene.store.write_alert_round(&round).await;
        let written = written.expect("no conflict").expect("alone");
        assert_eq!(written.begun, 1, "{}", db.name);
        assert_eq!(scene.on().await.len(), 2, "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_told_as_it_is_when_a_look_is_written() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let before = scene.store.alert_round().await.expect("read");
        let actor = Actor::system();
        let off = scene.channels.switch(&actor, &scene.channel, false);
        off.await.expect("off");
        let written = scene
            .write(before, &sight(&[failing("one")]), start())
            .await;
        let written = written.expect("alone");
        assert_eq!((written.begun, written.messages), (1, 0), "{}", db.name);
        assert!(scene.told().await.is_empty(), "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_worse_ends_without_a_word() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let of = |kind| {
            let subject = AlertSubject::new(SubjectKind::Gateway, "fra-1");
            AlertCondition::new(kind, subject, "fra-1")
        };
        let (bad, worse) = (AlertKind::GatewayDegraded, AlertKind::GatewayAway);
        let at = |minutes: u32| start().after(Duration::from_secs(60) * minutes);
        for (minutes, found) in [
            (0, Some(bad)),
            (1, Some(worse)),
            (2, Some(bad)),
            (3, Some(worse)),
            (12, Some(worse)),
            (14, Some(worse)),
            (15, None),
            (26, None),
        ] {
            let found: Vec<AlertCondition> = found.into_iter().map(of).collect();
            scene.look(&sight(&found), at(minutes)).await;
        }
        let told = scene.told().await.into_iter();
        let told: Vec<(String, AlertStep)> = told
            .flat_map(|message| message.alerts)
            .map(|one| (one.kind, one.step))
            .collect();
        let wanted = [
            (bad.word().to_owned(), AlertStep::Begun),
            (worse.word().to_owned(), AlertStep::Begun),
            (worse.word().to_owned(), AlertStep::Resolved),
        ];
        assert_eq!(told, wanted, "{}", db.name);
        let open = scene.store.open_alerts().await.expect("read");
        assert!(open.is_empty(), "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sightings_tell_when_something_was_seen_first_and_go_when_they_are_old() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let store = &scene.store;
        let kind = AlertKind::Unpriced.word();
        let at = |hours: u32| start().after(HOUR * hours);
        for hours in [0, 5, 20] {
            let from = at(hours).before(HOUR * 24);
            let noted = store.note_sighting((kind, "m"), at(hours), from).await;
            noted.expect("noted");
        }
        // Another process saw it earlier than it is told of here.
        let noted = store.note_sighting((kind, "m"), at(3), start()).await;
        noted.expect("noted");
        let seen = store.sightings(kind, at(20)).await.expect("read");
        assert_eq!(seen, [("m".to_owned(), start())], "{}", db.name);
        // What was not so for a day is so for the first time again.
        let again = store.note_sighting((kind, "m"), at(60), at(36)).await;
        again.expect("noted");
        let seen = store.sightings(kind, start()).await.expect("read");
        assert_eq!(seen, [("m".to_owned(), at(60))], "{}", db.name);
        for (before, left) in [(at(60), 1), (at(61), 0)] {
            let forgotten = store.forget_alerts(start(), start(), before).await;
            forgotten.expect("forgotten");
            let seen = store.sightings(kind, start()).await.expect("read");
            assert_eq!(seen.len(), left, "{}", db.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_last_alert_is_found_and_none_of_another() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let bad = sight(&[failing("m")]);
        let at = |minutes: u32| start().after(Duration::from_secs(60) * minutes);
        scene.look(&bad, at(0)).await;
        for minutes in [5, 16] {
            scene.look(&sight(&[]), at(minutes)).await;
        }
        let subject = |id: &str| AlertSubject::new(SubjectKind::Model, id);
        let kind = AlertKind::CallsFail;
        for (kind, id, from, wanted) in [
            (kind, "m", at(0), Some(at(5))),
            (kind, "m", at(5), None),
            (kind, "other", at(0), None),
            (AlertKind::NoPrice, "m", at(0), None),
        ] {
            let subject = subject(id);
            let ended = scene.store.alert_ended_after(kind, &subject, from);
            let ended = ended.await.expect("read");
            assert_eq!(ended, wanted, "{} {kind:?} {id}", db.name);
        }
    }
}
