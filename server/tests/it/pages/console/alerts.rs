//! Alerts on the first page and their channels: read from rows, muted by those who may, added by owners, and
//! no address that was typed comes back.

use poem::http::{Method, StatusCode};
use serde_json::json;
use server::alerts::AlertKind;
use server::reports::costs::KnownCost;
use server::store::Store;
use server::store::rollups::{Top, TopTenants};
use shared::credits::Credits;

use super::super::portal::people::tenant;
use super::super::{PASSWORD, Place, Start, places, superadmin};

const CHANNELS: &str = "/admin/alert-channels";
const KEY: &str = "f19a1c2d-aaaa-bbbb-cccc-0123456789ab";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A model that is offered without a price.
async fn unpriced(place: &Place) {
    let token = place.token("admin", PASSWORD).await;
    let body = json!({
        "id": "kimi-k2", "operation": "chat", "enabled": true,
        "targets": [{"provider": "moonshot", "model": "kimi-k2"}],
    });
    let made = place
        .api(Method::POST, "/admin/api/models", &token, &body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

/// The path of the mute form of the alert that says this.
fn mute_path(page: &str, about: &str) -> String {
    let row = page.split("alert-row").find(|row| row.contains(about));
    let row = row.unwrap_or_else(|| panic!("no alert about {about}: {page}"));
    let path = row.split("action=\"").find(|part| part.contains("/mute\""));
    let path = path.and_then(|part| part.split('"').next());
    path.expect("a form").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_read_from_rows_and_muted_by_those_who_may() {
    for (place, _db) in places(Start::default()).await {
        unpriced(&place).await;
        let mut owner = place.owner().await;
        let page = owner.get("/admin").await;
        assert!(
            !page.body.contains("alert-row"),
            "{}: nobody looked yet",
            place.name
        );
        assert!(place.server.look_for_alerts().await.expect("looked"));
        let page = owner.get("/admin").await.body;
        assert!(page.contains("has no price"), "{page}");
        assert!(
            page.contains("does not answer"),
            "{}: the gateway is away",
            place.name
        );
        assert!(page.contains("since <time"), "{page}");
        // A second look finds the same, and tells it once.
        place.clock.advance(std::time::Duration::from_secs(60));
        assert!(place.server.look_for_alerts().await.expect("looked"));
        let page = owner.get("/admin").await.body;
        assert_eq!(page.matches("has no price").count(), 1, "{}", place.name);

        let mute = mute_path(&page, "has no price");
        let token = place.token("admin", PASSWORD).await;
        superadmin(&place, &token, "looker", "read_only").await;
        let mut looker = place.admin("looker", PASSWORD).await;
        let seen = looker.get("/admin").await.body;
        assert!(
            seen.contains("has no price") && !seen.contains("/mute\""),
            "{seen}"
        );
        let refused = looker.post(&mute, &[("span", "1h")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", place.name);
        for odd in ["", "2h", "forever"] {
            let answer = owner.post(&mute, &[("span", odd)]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{odd}");
        }
        for (span, said) in [("1h", "Muted by admin until"), ("end", "Muted by admin")] {
            let muted = owner.post(&mute, &[("span", span)]).await;
            assert_eq!(muted.location(), "/admin", "{}", muted.body);
            let page = owner.get("/admin").await.body;
            assert!(page.contains(said), "{span}: {page}");
            let unmute = mute.replace("/mute", "/unmute");
            assert!(page.contains(&unmute), "{page}");
            owner.post(&unmute, &[]).await;
            let page = owner.get("/admin").await.body;
            assert!(!page.contains("Muted by"), "{page}");
        }
        let audit = owner.get("/admin/audit").await.body;
        assert!(audit.contains("muted the alert on"), "{audit}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ill_is_not_green_in_the_list() {
    for (place, db) in places(Start::default()).await {
        unpriced(&place).await;
        let mut owner = place.owner().await;
        let page = owner.get("/admin/models").await.body;
        assert!(page.contains("badge badge-bad condition"), "{page}");
        assert!(!page.contains("badge badge-good\">enabled"), "{page}");
        owner.get("/admin/models/kimi-k2").await;
        let price = [
            ("unit-0", "input_token"),
            ("credits-0", "1"),
            ("unit-1", "output_token"),
            ("credits-1", "2"),
        ];
        let set = owner.post("/admin/models/kimi-k2/prices", &price).await;
        assert_eq!(set.location(), "/admin/models/kimi-k2", "{}", set.body);
        let page = owner.get("/admin/models").await.body;
        assert!(page.contains("No recent calls"), "{page}");
        // Sums of this hour: none of 41 calls succeeded.
        let hour = place.clock.now().unix_ms() / 3_600_000 * 3_600_000;
        let columns = "dimension, tenant_id, grain, starts_at, key_id, model, provider, operation, test, calls, \
             failed, canceled, credits_micros, cost_micros, input_tokens, cached_input_tokens, cache_write_tokens, \
             output_tokens, reasoning_tokens, images, media_ms, characters, attempts, duration_ms, first_byte_ms, \
             durations, first_bytes";
        let sums = format!(
            "INSERT INTO rollups ({columns}) VALUES ('model', '', 'hour', {hour}, '', 'kimi-k2', '', '', FALSE, 41, \
             41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, '', '')"
        );
        db.execute(&sums).await.expect("sums");
        let page = owner.get("/admin/models").await.body;
        assert!(
            page.contains("Failing · 0% of 41 calls succeeded"),
            "{page}"
        );
        assert!(place.server.look_for_alerts().await.expect("looked"));
        let page = owner.get("/admin").await.body;
        assert!(
            page.contains("Many calls of") && page.contains("calls failed"),
            "{page}"
        );
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_add_channels_and_nobody_sees_their_addresses_again() {
    for (place, db) in places(Start::default()).await {
        let mut owner = place.owner().await;
        let page = owner.get(CHANNELS).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(page.body.contains("PUBLIC_URL is not set"), "{}", page.body);
        let wecom = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}");
        let form = |kind: &'static str, url: &str, secret: &'static str| {
            vec![
                ("name", "night shift".to_owned()),
                ("kind", kind.to_owned()),
                ("url", url.to_owned()),
                ("secret", secret.to_owned()),
                ("severity", "warning".to_owned()),
                ("lang", "zh".to_owned()),
                ("remind_hours", "4".to_owned()),
            ]
        };
        let sent =
            |form: &[(&'static str, String)]| -> Vec<(&'static str, String)> { form.to_vec() };
        for (kind, url, secret, field) in [
            ("wecom", "", "", "url"),
            (
                "wecom",
                "https://evil.example/cgi-bin/webhook/send?key=0123456789abcdef",
                "",
                "url",
            ),
            ("webhook", "http://hooks.example/x", SECRET, "url"),
            ("webhook", "https://127.0.0.1/x", SECRET, "url"),
            ("webhook", "https://hooks.example/x", "short", "secret"),
            ("mail", "https://hooks.example/x", "", "kind"),
        ] {
            let fields = sent(&form(kind, url, secret));
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let again = owner.post(CHANNELS, &fields).await;
            assert_eq!(
                again.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{kind} {url}"
            );
            let error = format!("id=\"f-add-{field}-error\"");
            assert!(again.body.contains(&error), "{kind} {url}: {}", again.body);
            let is_told = !url.is_empty() && again.body.contains(url);
            assert!(!is_told, "{kind} {url} came back");
        }
        let fields = form("wecom", &wecom, "");
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let added = owner.post(CHANNELS, &fields).await;
        assert_eq!(added.location(), CHANNELS, "{}", added.body);
        let again = owner.post(CHANNELS, &fields).await;
        assert!(again.body.contains("f-add-name-error"), "the name is taken");
        let page = owner.get(CHANNELS).await.body;
        assert!(page.contains("qyapi.weixin.qq.com …89ab"), "{page}");
        assert!(!page.contains(KEY), "{page}");

        let store = Store::new(db.db.clone());
        let channel = store.alert_channels().await.expect("read").remove(0);
        let at = |verb: &str| format!("{CHANNELS}/{}/{verb}", channel.id);
        let renamed = [
            ("name", "day shift"),
            ("severity", "critical"),
            ("lang", "en"),
        ];
        let changed = owner.post(&at("edit"), &renamed).await;
        assert_eq!(changed.location(), CHANNELS, "{}", changed.body);
        let kept = store.alert_channels().await.expect("read").remove(0);
        assert_eq!(
            (kept.name.as_str(), &kept.sealed),
            ("day shift", &channel.sealed)
        );
        owner.post(&at("test"), &[]).await;
        let page = owner.get(CHANNELS).await.body;
        assert!(page.contains("waiting"), "{page}");
        owner.post(&at("disable"), &[]).await;
        let page = owner.get(CHANNELS).await.body;
        assert!(page.contains("given up"), "{page}");
        let deleted = owner.post(&at("delete"), &[]).await;
        assert_eq!(deleted.location(), CHANNELS);
        assert!(store.alert_channels().await.expect("read").is_empty());
        let audit = owner.get("/admin/audit").await.body;
        assert!(audit.contains("added the alert channel"), "{audit}");
        assert!(!audit.contains(KEY), "{audit}");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_those_that_spend_most_is_told_of_when_nothing_is_left() {
    for (place, db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let (id, ..) = tenant(&place, &token, "Acme").await;
        let store = Store::new(db.db.clone());
        let spender = Top {
            name: id,
            calls: 70,
            failed: 0,
            canceled: 0,
            credits: Credits::from_micros(70_000_000),
            cost: KnownCost::default(),
        };
        let tops = TopTenants {
            tenants: vec![spender],
            at: place.clock.now(),
        };
        // As a task found them in the background; a look finds none itself.
        let kept = store.keep_top_tenants("7d", &tops).await;
        kept.expect("kept");
        assert!(place.server.look_for_alerts().await.expect("looked"));
        let open = store.open_alerts().await.expect("read");
        let of = |kind| open.iter().find(|alert| alert.kind == kind);
        let alert = of(AlertKind::CreditsOut).or(of(AlertKind::CreditsLow));
        let told = alert.map(|alert| alert.label.as_str());
        assert_eq!(told, Some("Acme"), "{}: {open:?}", place.name);
        place.end().await;
    }
}
