//! Messages on their way: at least once with one id, in their order, whatever receivers do and whoever dies.

use std::sync::Arc;
use std::time::Duration;

use outbound::Outbound;
use server::alerts::channels::{AlertChannels, KeptMessage, MessageState};
use server::alerts::deliver::AlertSender;
use server::alerts::{AlertMessage, ChannelKind};
use server::settings::zones::Zones;
use server::store::Store;
use server::store::audit::Actor;
use shared::clock::Clock;
use shared::id::AlertChannelId;
use shared::supervisor::Supervisor;

use super::fakes::{Role, Whim, robot, webhook};
use super::{SECRET, add, channels, draft, start};
use crate::support::{TestDb, databases};

const KEY: &str = "f19a1c2d-aaaa-bbbb-cccc-0123456789ab";

pub(super) fn sender(
    store: &Store,
    clock: &Clock,
    outbound: &Outbound,
) -> (AlertChannels, AlertSender) {
    let channels = channels(store, clock, outbound.clone());
    let zones = Zones::new(store.clone(), clock.clone());
    let base = "https://waule.example".to_owned();
    let write = Arc::new(server::pages::alert_words::write);
    let sender = AlertSender::new(channels.clone(), zones, base, write);
    (channels, sender)
}

pub(super) async fn put(store: &Store, channel: &AlertChannelId, clock: &Clock) -> String {
    let told = AlertMessage {
        test: true,
        ..AlertMessage::default()
    };
    let put = store.put_alert_message(channel, &told, clock.now()).await;
    put.expect("it waits").to_string()
}

pub(super) async fn newest(store: &Store, channel: &AlertChannelId) -> KeptMessage {
    let kept = store.alert_messages(channel, 1).await.expect("read");
    kept.into_iter().next().expect("a message")
}

/// A webhook that is told, and what it is told by.
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) channels: AlertChannels,
    pub(super) sender: AlertSender,
    pub(super) channel: AlertChannelId,
    pub(super) fake: super::fakes::Fake,
}

impl Scene {
    pub(super) async fn over(db: &TestDb) -> Self {
        let (store, clock) = (Store::new(db.db.clone()), Clock::fixed(start()));
        let (fake, url, outbound) = webhook(&clock).await;
        let (channels, sender) = sender(&store, &clock, &outbound);
        let hook = draft("hook", ChannelKind::Webhook, (&url, SECRET));
        let channel = add(&channels, &hook).await;
        Self {
            store,
            clock,
            channels,
            sender,
            channel,
            fake,
        }
    }

    pub(super) async fn send(&self) -> usize {
        self.sender.send_now().await.expect("sent")
    }

    pub(super) async fn shown(&self) -> server::alerts::channels::ShownChannel {
        self.channels.all().await.expect("read").remove(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_receiver_does_its_message_comes_once_it_is_well() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        for (whim, status) in [
            (Whim::Says(500, "broken"), Some(500)),
            (Whim::Says(429, "too often"), Some(429)),
            (Whim::Says(302, ""), Some(302)),
            (Whim::Says(404, "gone"), Some(404)),
            (Whim::Closes, None),
        ] {
            let at = format!("{} {whim:?}", db.name);
            scene.clock.advance(Duration::from_secs(10));
            let id = put(&scene.store, &scene.channel, &scene.clock).await;
            scene.fake.next(&[whim]);
            assert_eq!(scene.send().await, 1, "{at}");
            let kept = newest(&scene.store, &scene.channel).await;
            assert_eq!(
                (kept.state, kept.attempts),
                (MessageState::Waiting, 1),
                "{at}"
            );
            assert_eq!(kept.http_status, status, "{at}: {}", kept.answer);
            assert!(!kept.answer.is_empty() || status == Some(302), "{at}");
            assert!(scene.shown().await.channel.failing.is_some(), "{at}");
            // Not at once, but soon.
            assert_eq!(scene.send().await, 0, "{at}");
            scene.clock.advance(Duration::from_secs(90));
            assert_eq!(scene.send().await, 1, "{at}");
            let kept = newest(&scene.store, &scene.channel).await;
            assert_eq!((kept.state, kept.attempts), (MessageState::Sent, 2), "{at}");
            assert_eq!(scene.shown().await.channel.failing, None, "{at}");
            let last = scene.fake.taken().pop().expect("it came");
            assert_eq!(last.id, id, "{at}: the same id at every attempt");
            assert_eq!(last.path, "/hook");
        }
        assert_eq!(scene.fake.taken().len(), 5, "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_in_their_order_and_at_a_robots_pace_from_two_processes() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let (_, other) = sender(&scene.store, &scene.clock, &Outbound::system(true));
        let mut ids = Vec::new();
        for _ in 0..8 {
            scene.clock.advance(Duration::from_millis(1));
            ids.push(put(&scene.store, &scene.channel, &scene.clock).await);
        }
        scene.fake.next(&[Whim::Says(
            500,
            "the first is held up, and so are all behind it",
        )]);
        for second in 0..120 {
            let before = scene.fake.asked();
            let (one, two) = tokio::join!(scene.sender.send_now(), other.send_now());
            let tried = one.expect("sent") + two.expect("sent");
            assert!(tried <= 1, "{} second {second}: {tried}", db.name);
            assert_eq!(scene.fake.asked() - before, tried);
            scene.clock.advance(Duration::from_secs(1));
        }
        let came: Vec<String> = scene.fake.taken().into_iter().map(|one| one.id).collect();
        assert_eq!(came, ids, "{}: each once, in order", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_sender_died_is_sent_by_another_with_the_same_id() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let id = put(&scene.store, &scene.channel, &scene.clock).await;
        let (now, message) = (
            scene.clock.now(),
            newest(&scene.store, &scene.channel).await,
        );
        let until = now.after(Duration::from_secs(60));
        let taken = scene.store.take_alert_message(&message, until, now);
        assert!(taken.await.expect("taken"), "{}", db.name);
        let twice = scene.store.take_alert_message(&message, until, now);
        assert!(!twice.await.expect("asked"), "one has it");
        assert_eq!(scene.send().await, 0, "{}: it is with the dead", db.name);
        scene.clock.advance(Duration::from_secs(61));
        assert_eq!(scene.send().await, 1, "{}", db.name);
        let came = scene.fake.taken();
        assert_eq!((came.len(), &came[0].id), (1, &id), "{}", db.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_message_is_given_up_and_the_channel_says_so() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        put(&scene.store, &scene.channel, &scene.clock).await;
        scene.fake.next(&vec![Whim::Says(500, "never"); 300]);
        let mut tried = 0;
        while newest(&scene.store, &scene.channel).await.state == MessageState::Waiting {
            tried += scene.send().await;
            scene.clock.advance(Duration::from_secs(600));
            assert!(tried < 200, "{}: it is tried for ever", db.name);
        }
        assert!(tried > 20, "{}: {tried}", db.name);
        let shown = scene.shown().await;
        assert!(shown.channel.gave_up_at.is_some(), "{}", db.name);
        assert_eq!(shown.messages[0].state, MessageState::GaveUp);
        assert_eq!(shown.messages[0].answer, "never");
        // What comes behind it is tried for itself.
        scene.fake.calm();
        let id = put(&scene.store, &scene.channel, &scene.clock).await;
        scene.send().await;
        assert_eq!(
            scene.fake.taken().pop().map(|one| one.id),
            Some(id),
            "{}",
            db.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_holds_up_no_other() {
    for db in databases().await {
        let (store, clock) = (Store::new(db.db.clone()), Clock::system());
        let (bad, bad_url, outbound) = webhook(&clock).await;
        let (good, good_url, _) = webhook(&clock).await;
        let (channels, sender) = sender(&store, &clock, &outbound);
        let slow = add(
            &channels,
            &draft("a", ChannelKind::Webhook, (&bad_url, SECRET)),
        )
        .await;
        let quick = add(
            &channels,
            &draft("b", ChannelKind::Webhook, (&good_url, SECRET)),
        )
        .await;
        bad.next(&[Whim::Hangs]);
        put(&store, &slow, &clock).await;
        let supervisor = Supervisor::new();
        supervisor.spawn("sending", sender.send_forever(supervisor.stopping()));
        while bad.asked() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The first hangs now; the other is told meanwhile.
        put(&store, &quick, &clock).await;
        let told = async {
            while good.taken().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(10), told).await;
        assert!(in_time.is_ok(), "{}", db.name);
        assert!(bad.taken().is_empty());
        supervisor.finish(Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_take_what_is_signed_right_and_in_time() {
    let token = "a".repeat(64);
    let feishu = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}");
    let dingtalk = format!("https://oapi.dingtalk.com/robot/send?access_token={token}");
    let wecom = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}");
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for db in databases().await {
        for (role, kind, host, url, secret) in [
            (
                Role::Feishu,
                ChannelKind::Feishu,
                "open.feishu.cn",
                &feishu,
                "SECabc",
            ),
            (
                Role::DingTalk,
                ChannelKind::DingTalk,
                "oapi.dingtalk.com",
                &dingtalk,
                "SEC/+=x",
            ),
            (
                Role::WeCom,
                ChannelKind::WeCom,
                "qyapi.weixin.qq.com",
                &wecom,
                "",
            ),
        ] {
            let at = format!("{} {role:?}", db.name);
            let (store, clock) = (Store::new(db.db.clone()), Clock::fixed(start()));
            // Its clock is its own: half an hour fast.
            let ahead = Clock::fixed(start().after(minutes(30)));
            let (fake, outbound) = robot(role, (host, secret), &ahead).await;
            let (channels, sender) = sender(&store, &clock, &outbound);
            let channel = add(&channels, &draft(host, kind, (url, secret))).await;
            put(&store, &channel, &clock).await;
            assert_eq!(sender.send_now().await.expect("sent"), 1, "{at}");
            let kept = newest(&store, &channel).await;
            assert_eq!(kept.state, MessageState::Sent, "{at}: {}", kept.answer);
            assert!(fake.taken()[0].text.contains("This is a test"), "{at}");
            // What says 200 has not taken it for that.
            for (whim, pause) in [
                (
                    Whim::Says(200, r#"{"code":9499,"errcode":93000,"msg":"no"}"#),
                    minutes(1),
                ),
                (
                    Whim::Says(200, "<html>sign in to this network</html>"),
                    minutes(1),
                ),
                (
                    Whim::Says(200, r#"{"code":11232,"errcode":45009}"#),
                    minutes(11),
                ),
                (Whim::ClosesInTheBody, minutes(1)),
            ] {
                clock.advance(minutes(1));
                put(&store, &channel, &clock).await;
                let before = fake.taken().len();
                fake.next(std::slice::from_ref(&whim));
                sender.send_now().await.expect("sent");
                let kept = newest(&store, &channel).await;
                assert_eq!(kept.state, MessageState::Waiting, "{at} {whim:?}");
                clock.advance(pause);
                ahead.advance(pause);
                sender.send_now().await.expect("sent");
                let kept = newest(&store, &channel).await;
                assert_eq!(
                    kept.state,
                    MessageState::Sent,
                    "{at} {whim:?}: {}",
                    kept.answer
                );
                assert_eq!(fake.taken().len(), before + 1, "{at} {whim:?}");
            }
            if role != Role::WeCom {
                // Two hours apart no signature is taken; when the clocks agree again, the message is.
                ahead.advance(minutes(120));
                put(&store, &channel, &clock).await;
                clock.advance(minutes(1));
                sender.send_now().await.expect("sent");
                let kept = newest(&store, &channel).await;
                assert_eq!(kept.state, MessageState::Waiting, "{at}");
                assert!(kept.answer.contains("sign"), "{at}: {}", kept.answer);
                clock.advance(minutes(120));
                sender.send_now().await.expect("sent");
                assert_eq!(
                    newest(&store, &channel).await.state,
                    MessageState::Sent,
                    "{at}"
                );
            }
            channels
                .delete(&Actor::system(), &channel)
                .await
                .expect("deleted");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_off_or_whose_secret_is_wrong_is_told_nothing() {
    for db in databases().await {
        let scene = Scene::over(&db).await;
        let (actor, store) = (Actor::system(), &scene.store);
        put(store, &scene.channel, &scene.clock).await;
        scene
            .channels
            .switch(&actor, &scene.channel, false)
            .await
            .expect("off");
        assert_eq!(scene.send().await, 0, "{}", db.name);
        assert_eq!(
            newest(store, &scene.channel).await.state,
            MessageState::GaveUp
        );
        assert!(
            scene.channels.test(&scene.channel).await.is_err(),
            "{}",
            db.name
        );
        scene
            .channels
            .switch(&actor, &scene.channel, true)
            .await
            .expect("on");
        scene.clock.advance(Duration::from_secs(10));
        // Another secret than the receiver's; the name is changed and the address given anew.
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let (_, url, _) = webhook(&scene.clock).await;
        let mut changed = draft("renamed", ChannelKind::Webhook, (&url, other));
        scene
            .channels
            .change(&actor, &scene.channel, &changed)
            .await
            .expect("changed");
        scene.channels.test(&scene.channel).await.expect("it waits");
        assert_eq!(scene.send().await, 1, "{}", db.name);
        let kept = newest(store, &scene.channel).await;
        assert_eq!(
            (kept.state, kept.http_status),
            (MessageState::Waiting, Some(401))
        );
        // Without an address the one there is stays.
        changed.url = shared::secret::Secret::new(String::new());
        "kept".clone_into(&mut changed.name);
        scene
            .channels
            .change(&actor, &scene.channel, &changed)
            .await
            .expect("changed");
        let shown = scene.shown().await.channel;
        assert_eq!(
            (shown.name.as_str(), shown.shown.as_str()),
            ("kept", "127.0.0.1")
        );
        // Nothing that is kept or noted holds the secret.
        let noted = store.audit_entries(None, 100).await.expect("read");
        let noted = format!("{noted:?} {shown:?}");
        for secret in [SECRET, other, "/hook"] {
            assert!(!noted.contains(secret), "{}: {secret}", db.name);
        }
    }
}
