//! A gateway that is away for longer than the server's patience, in the ways in which one is: calls are
//! given up in time, told truly and paid for what they brought; what only takes long is not given up.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use server::link::http::LinkSettings;

use super::process::{Program, free_port};
use super::proxy::{Cut, Proxy};
use super::{KEY, PRICE, expected, stream, vendor_script};
use crate::gateways::vendor::{GOOD, Vendor, answer, at_once, with_vendor};
use crate::support::joined::start_with;
use crate::support::product::{Customer, Product};
use crate::support::{Place, places, until};

const PATIENCE: Duration = Duration::from_secs(2);
/// Until then every call that nobody can answer was told so.
const TOLD_WITHIN: Duration = Duration::from_secs(4);

/// How a gateway is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    /// Its process gets no time: its kernel takes connections, and nobody speaks.
    Stopped,
    /// The path swallows what is sent, on connections that are open and on new ones.
    BlackHole,
    /// Whoever stands between has closed all connections, takes new ones and says nothing.
    Mute,
}

struct Stand {
    gateway: Program,
    proxy: Proxy,
    product: Product,
    vendor: Vendor,
    customer: Customer,
    _place: Place,
}

impl Stand {
    async fn start() -> Self {
        let [place, _] = places().await;
        let port = free_port();
        let number = port.to_string();
        let arguments = ["--gateway-port", number.as_str()];
        let folder = place.folder().to_owned();
        let mut gateway = Program::new("gateway", &folder, port, &arguments);
        gateway.start().await;
        let proxy = Proxy::before(([127, 0, 0, 1], port).into()).await;
        let urls = [format!("http://{}", proxy.address)];
        let settings = LinkSettings {
            patience: PATIENCE,
            ..LinkSettings::default()
        };
        let (product, _) = start_with(&place, &urls, settings).await;
        let (vendor, customer) = with_vendor(&product, &[KEY]).await;
        Self {
            gateway,
            proxy,
            product,
            vendor,
            customer,
            _place: place,
        }
    }

    fn go(&self, away: Away) {
        match away {
            Away::Stopped => self.gateway.signal("STOP"),
            Away::BlackHole => self.proxy.darken(Cut::Silent),
            Away::Mute => self.proxy.darken(Cut::Reset),
        }
    }

    fn come_back(&self, away: Away) {
        match away {
            Away::Stopped => self.gateway.signal("CONT"),
            Away::BlackHole | Away::Mute => self.proxy.lighten(),
        }
    }

    /// One whole answer: its status, what was told, and how long that took.
    async fn whole(&self) -> (StatusCode, String, Duration) {
        let began = Instant::now();
        let (status, told) = self.product.chat(&self.customer, "ours", "hi").await;
        (status, told.to_string(), began.elapsed())
    }

    /// One stream to its end, and how long that took.
    async fn streamed(&self) -> (Result<String, String>, Duration) {
        let began = Instant::now();
        let ended = stream(&self.product, &self.customer).await;
        (ended, began.elapsed())
    }
}

/// Calls that come while it is away, at once and when that is known, are refused in time.
async fn new_calls(stand: &Stand, away: Away) {
    for wait_ms in [100, 1_400] {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        let (whole, streamed) = tokio::join!(stand.whole(), stand.streamed());
        let (status, told, took) = whole;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{away:?} {told}");
        assert!(told.contains("Nothing was charged"), "{away:?} {told}");
        assert!(took < TOLD_WITHIN, "{away:?}: a new call took {took:?}");
        let (ended, took) = streamed;
        let refused = ended.expect_err("nobody answers");
        assert!(refused.starts_with("503"), "{away:?} {refused}");
        assert!(took < TOLD_WITHIN, "{away:?}: a new stream took {took:?}");
    }
}

async fn is_told_in_time(away: Away) {
    let stand = Stand::start().await;
    // Both are under way when it goes: one has no answer yet, one has a part.
    vendor_script(&stand.vendor, 400, Duration::from_millis(50));
    let went = std::sync::OnceLock::<Instant>::new();
    let running = async {
        let ended = stand.streamed().await.0;
        (ended, went.get().expect("it went").elapsed())
    };
    let waiting = async {
        // The vendor is asked by the stream first.
        tokio::time::sleep(Duration::from_millis(600)).await;
        stand
            .vendor
            .script(KEY, vec![(Duration::from_secs(20), GOOD.into())]);
        let (status, told, _) = stand.whole().await;
        (status, told, went.get().expect("it went").elapsed())
    };
    let going = async {
        until("both are under way", Duration::from_secs(20), async || {
            stand.vendor.calls(KEY) == 2
        })
        .await;
        went.set(Instant::now()).expect("once");
        stand.go(away);
        new_calls(&stand, away).await;
    };
    let (running, waiting, ()) = tokio::join!(running, waiting, going);
    let (streamed, took) = running;
    let text = streamed.expect("it had begun");
    assert!(text.contains("\"interrupted\""), "{away:?} {text}");
    assert!(took < TOLD_WITHIN, "{away:?}: a stream took {took:?}");
    let (status, told, took) = waiting;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{away:?} {told}");
    assert!(took < TOLD_WITHIN, "{away:?}: an answer took {took:?}");
    stand.come_back(away);
    comes_back(&stand, away).await;
}

/// It serves again, nothing was sent twice, and only what was received is paid.
async fn comes_back(stand: &Stand, away: Away) {
    vendor_script(&stand.vendor, 3, Duration::ZERO);
    until("it serves again", Duration::from_secs(20), async || {
        stream(&stand.product, &stand.customer).await == Ok(expected(3))
    })
    .await;
    until("nothing is held", Duration::from_secs(60), async || {
        stand.product.balance(&stand.customer).await["held"] == 0
    })
    .await;
    let balance = stand.product.settled(&stand.customer).await;
    let used = balance["used"].as_i64().expect("credits");
    let served = i64::try_from(stand.vendor.calls(KEY)).expect("few");
    // Of the two that were under way one brought something.
    assert_eq!(used, PRICE * (served - 1), "{away:?} {balance}");
    stand.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_gateway_is_told_within_patience() {
    is_told_in_time(Away::Stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_black_hole_is_told_within_patience() {
    is_told_in_time(Away::BlackHole).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_connections_and_says_nothing_is_told_within_patience() {
    is_told_in_time(Away::Mute).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_longer_than_patience_is_waited_for_while_the_link_lives() {
    let stand = Stand::start().await;
    let good = answer("200 OK", "", GOOD);
    stand.vendor.script(KEY, vec![(PATIENCE * 3, good)]);
    let answers = join_all((0..4).map(|_| stand.whole())).await;
    for (status, told, took) in answers {
        assert_eq!(status, StatusCode::OK, "{told}");
        assert!(took >= PATIENCE * 3, "{took:?}");
    }
    // Also when the link is cut twice meanwhile, the second time later than patience after the first.
    let cutting = async {
        for _ in 0..2 {
            tokio::time::sleep(PATIENCE + Duration::from_millis(400)).await;
            stand.proxy.cut_all(Cut::Reset);
        }
    };
    let ((status, told, _), ()) = tokio::join!(stand.whole(), cutting);
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(stand.vendor.calls(KEY), 5, "once each");
    stand.product.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_only_takes_connections_leaves_the_others_time_to_be_asked() {
    let stand = Stand::start().await;
    stand
        .vendor
        .script(KEY, at_once(answer("200 OK", "", GOOD)));
    let port = stand.gateway.port().to_string();
    let mute = Proxy::before(([127, 0, 0, 1], stand.gateway.port()).into()).await;
    mute.darken(Cut::Reset);
    let [place, _] = places().await;
    let urls = [
        format!("http://{}", mute.address),
        format!("http://127.0.0.1:{port}"),
    ];
    let settings = LinkSettings {
        patience: PATIENCE,
        ..LinkSettings::default()
    };
    let (product, _) = start_with(&place, &urls, settings).await;
    let customer = product.customer("1000").await;
    let body = json!({"id": "ours", "operation": "chat", "max_output_tokens": 1000, "price": {"per_request": 1},
        "targets": [{"provider": "vendor", "model": "their-name", "weight": 1, "priority": 0}]});
    let made = product.admin(reqwest::Method::POST, "/models", Some(body));
    assert_eq!(made.await.0, StatusCode::CREATED);
    for n in 0..6 {
        let began = Instant::now();
        let (status, told) = product.chat(&customer, "ours", "hi").await;
        assert_eq!(status, StatusCode::OK, "{n} {told}");
        assert!(began.elapsed() < TOLD_WITHIN, "{n}");
    }
    product.stop().await;
    stand.product.stop().await;
}
