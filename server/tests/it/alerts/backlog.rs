//! What a receiver refuses for good holds up nothing behind it, and what piled up comes as one message; whoever
//! switches a channel changes nothing else of it.

use std::time::Duration;

use outbound::Outbound;
use server::alerts::channels::{ChannelDraft, MessageState};
use server::alerts::{AlertMessage, AlertStep, ChannelFilter, ChannelKind, ToldAlert};
use server::store::audit::Actor;

use super::deliver::{Scene, newest, put, sender};
use super::fakes::Whim;
use super::{draft, everything};
use crate::support::databases;

/// A message that one alert begins, or that it is over.
fn told(id: &str, step: AlertStep) -> AlertMessage {
    let alert = ToldAlert {
        step,
        id: format!("alt_{id}").parse().expect("an id"),
        kind: "no_keys".to_owned(),
        severity: "critical".to_owned(),
        subject_kind: "provider".to_owned(),
        subject: id.to_owned(),
        label: id.to_owned(),
        path: "providers".to_owned(),
        since: super::START_MS,
        until: None,
        failed_calls: None,
        at_least: false,
    };
    AlertMessage {
        alerts: vec![alert],
        ..AlertMessage::default()
    }
}

impl Scene {
    async fn tell(&self, id: &str, step: AlertStep) -> String {
        self.clock.advance(Duration::from_secs(15));
        let (told, now) = (told(id, step), self.clock.now());
        let put = self.store.put_alert_message(&self.channel, &told, now);
        put.await.expect("it waits").to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_three_times_is_given_up_and_the_next_comes() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        for status in [400, 401, 404, 410, 422] {
            let at = format!("{} {status}", db.name);
            scene.clock.advance(Duration::from_secs(10));
            let poison = put(&scene.store, &scene.channel, &scene.clock).await;
            scene.clock.advance(Duration::from_millis(1));
            let behind = put(&scene.store, &scene.channel, &scene.clock).await;
            let before = scene.fake.asked();
            // What fails in between for another reason counts as nothing.
            let refused = Whim::Says(status, "I never take this");
            let broken = Whim::Says(500, "broken");
            let whims = [refused.clone(), broken, refused.clone(), refused];
            scene.fake.next(&whims);
            let mut minutes = 0;
            while scene.fake.taken().iter().all(|one| one.id != behind) {
                scene.send().await;
                scene.clock.advance(Duration::from_secs(60));
                minutes += 1;
                assert!(minutes < 15, "{at}: what is behind it waits");
            }
            assert_eq!(scene.fake.asked() - before, 5, "{at}");
            let kept = scene.store.alert_messages(&scene.channel, 2).await;
            let kept = kept.expect("read").pop().expect("the first of both");
            assert_eq!(kept.id.to_string(), poison, "{at}");
            assert_eq!(
                (kept.state, kept.attempts, kept.refusals),
                (MessageState::GaveUp, 4, 3),
                "{at}"
            );
            assert_eq!(kept.http_status, Some(status), "{at}");
            assert!(scene.shown().await.channel.gave_up_at.is_some(), "{at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_piled_up_while_a_channel_was_away_is_one_message() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        scene.fake.next(&vec![Whim::Says(500, "away"); 100]);
        let first = scene.tell("p0", AlertStep::Begun).await;
        assert_eq!(scene.send().await, 1, "{}", db.name);
        for number in 1..=7 {
            scene.tell(&format!("p{number}"), AlertStep::Begun).await;
            scene.send().await;
        }
        scene.tell("p1", AlertStep::Resolved).await;
        // Somebody tries the channel meanwhile; a test is a message of its own.
        scene.clock.advance(Duration::from_secs(15));
        let test = put(&scene.store, &scene.channel, &scene.clock).await;
        scene.tell("p9", AlertStep::Begun).await;
        scene.fake.calm();
        for _ in 0..20 {
            scene.clock.advance(Duration::from_secs(300));
            scene.send().await;
        }
        let came = scene.fake.taken();
        let texts: Vec<&str> = came.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(came.len(), 4, "{}: {texts:?}", db.name);
        // What was tried keeps its id and its words.
        assert_eq!(came[0].id, first, "{}", db.name);
        assert!(texts[0].starts_with("Waule · 1 alert\n"), "{texts:?}");
        let head = "Waule · 7 alerts while the channel was unavailable\n";
        assert!(texts[1].starts_with(head), "{}: {}", db.name, texts[1]);
        assert_eq!(texts[1].matches("p1").count(), 1, "as it stands at last");
        assert_eq!(texts[1].matches("[Resolved").count(), 1, "{}", texts[1]);
        assert_eq!(came[2].id, test, "{}", db.name);
        assert!(texts[3].contains("p9"), "{}", db.name);
        let left = scene.store.channels_with_messages().await.expect("read");
        assert!(left.is_empty(), "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_merge_at_once_nothing_is_lost_and_nothing_comes_twice() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let (_, other) = sender(&scene.store, &scene.clock, &Outbound::system(true));
        let mut wanted = Vec::new();
        for round in 0..12 {
            for number in 0..3 {
                let id = format!("p{round}x{number}");
                scene.tell(&id, AlertStep::Begun).await;
                wanted.push(id);
            }
            let (one, two) = tokio::join!(scene.sender.send_now(), other.send_now());
            let tried = one.expect("sent") + two.expect("sent");
            assert!(tried <= 1, "{} round {round}: {tried}", db.name);
        }
        for _ in 0..40 {
            scene.clock.advance(Duration::from_secs(10));
            scene.send().await;
        }
        let came = scene.fake.taken();
        for id in wanted {
            let told = came.iter().filter(|one| {
                let mut words = one.text.split_whitespace();
                words.any(|word| word == id)
            });
            assert_eq!(told.count(), 1, "{} {id}", db.name);
        }
        assert!(came.len() < 30, "{}: {}", db.name, came.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_and_a_form_undo_nothing_of_each_other() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let actor = Actor::system();
        let sealed = scene.shown().await.channel.sealed;
        for round in 0..20_u32 {
            let on = round % 2 == 1;
            let changed = ChannelDraft {
                filter: ChannelFilter {
                    remind_hours: round,
                    ..everything()
                },
                ..draft(&format!("hook {round}"), ChannelKind::Webhook, ("", ""))
            };
            let (switched, saved) = tokio::join!(
                scene.channels.switch(&actor, &scene.channel, on),
                scene.channels.change(&actor, &scene.channel, &changed),
            );
            switched.expect("switched");
            saved.expect("saved");
            let shown = scene.shown().await.channel;
            assert_eq!(
                (shown.enabled, shown.name, shown.filter.remind_hours),
                (on, format!("hook {round}"), round),
                "{} round {round}",
                db.name
            );
            assert_eq!(shown.sealed, sealed, "{}", db.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_channel_that_was_off_is_not_sent_when_it_is_on_again() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let actor = Actor::system();
        let off = scene.channels.switch(&actor, &scene.channel, false).await;
        off.expect("off");
        // Written by a look that began before.
        scene.tell("late", AlertStep::Begun).await;
        let on = scene.channels.switch(&actor, &scene.channel, true).await;
        on.expect("on");
        assert_eq!(scene.send().await, 0, "{}", db.name);
        let kept = newest(&scene.store, &scene.channel).await;
        assert_eq!(kept.state, MessageState::GaveUp, "{}", db.name);
        // Switching on what is on gives up nothing.
        scene.tell("new", AlertStep::Begun).await;
        let on = scene.channels.switch(&actor, &scene.channel, true).await;
        on.expect("on");
        assert_eq!(scene.send().await, 1, "{}", db.name);
    }
}
