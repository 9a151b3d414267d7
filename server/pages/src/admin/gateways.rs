//! Gateways: which there are, how they and the ways to them do, what they told; adding one, switching
//! it off and on, taking it away. Those of the settings are shown and not changed.

pub(super) mod edit;

use std::collections::HashMap;

use admin_templates::admin::gateways::{GatewayEventRow, GatewayList, GatewayRow, MeasuredWay};
use admin_templates::chart::{Chart, Columns, Series, Spark, Unit};
use admin_templates::form::Form;
use admin_templates::labels::{GatewayNews, Health, Measure, Switch};
use admin_templates::page::Page;
use poem::handler;
use poem::web::Data;
use serde_json::Value;
use server_rooms::gateways::history::{Days, GatewayDay, HistoryBucket};
use server_rooms::gateways::{Gateway, Gateways, ToldEvent};
use shared::clock::Moment;
use shared::link::{GatewayPlace, GatewayView, LinkCounts};

use self::edit::Repair;
use super::super::error::{PageError, PageResult};
use super::super::session::Admin;
use super::{length, signed, word};

const PATH: &str = "/admin/gateways";
/// Events that are shown.
const EVENTS: i64 = 50;
/// Events that are looked through for the last start of each gateway.
const EVENTS_READ: i64 = 500;

fn health(view: Option<&GatewayView>) -> Health {
    match view {
        Some(view) if view.is_well && view.answered.is_some() && !view.is_way_bad => Health::Good,
        Some(view) if view.is_well && view.answered.is_some() => Health::Degraded,
        Some(_) | None => Health::Away,
    }
}

fn place(gateway: &Gateway) -> GatewayPlace {
    let kept = gateway.kept.as_ref().map(|kept| kept.place.clone());
    let seen = gateway.view.as_ref().map(|view| GatewayPlace {
        url: view.url.clone(),
        name: view.name.clone(),
        region: view.region.clone(),
        priority: view.priority,
        secret: None,
    });
    seen.or(kept).unwrap_or(GatewayPlace {
        url: String::new(),
        name: String::new(),
        region: String::new(),
        priority: 0,
        secret: None,
    })
}

/// The last start of each gateway, by its address.
fn starts(events: &[ToldEvent]) -> HashMap<&str, Moment> {
    let mut starts = HashMap::new();
    // The newest come first.
    for told in events {
        if told.event.kind == "gateway_started" {
            let at = Moment::from_unix_ms(told.event.at);
            starts.entry(told.gateway.as_str()).or_insert(at);
        }
    }
    starts
}

/// What this process measured of the way there since it started.
fn way(view: Option<&GatewayView>) -> MeasuredWay {
    let counts = view.map_or_else(LinkCounts::default, |view| view.counts);
    MeasuredWay {
        late_ppm: view.and_then(|view| view.late_ppm).map(u64::from),
        resumed: counts.resumed,
        checked: counts.checked,
        bytes_lost: counts.bytes_lost,
    }
}

/// What an open page of gateways is told: each value with the name of its place there.
pub(super) async fn told(
    gateways: &Gateways,
    page: &Page,
    now: Moment,
) -> Result<Value, PageError> {
    let all = gateways.all().await?;
    let mut numbers = serde_json::Map::new();
    for gateway in &all {
        let row = row(gateway, None, (now, None));
        let mark = row.mark();
        for (name, text) in page.measured_way(&row).all() {
            numbers.insert(format!("{name}-{mark}"), Value::from(text));
        }
    }
    Ok(Value::Object(numbers))
}

fn row(
    gateway: &Gateway,
    day: Option<&GatewayDay>,
    (now, started): (Moment, Option<Moment>),
) -> GatewayRow {
    let (place, view) = (place(gateway), gateway.view.as_ref());
    let answered = view.and_then(|view| view.answered.as_ref());
    let happened = day.map_or_else(LinkCounts::default, |day| day.happened);
    let trips = day.iter().flat_map(|day| &day.buckets);
    let trips = trips.filter_map(|bucket| bucket.round_trip_ms).map(signed);
    let kept = gateway.kept.as_ref().map(|kept| kept.id.to_string());
    let latency = answered.map(|(_, took)| took.as_millis());
    GatewayRow {
        id: kept.unwrap_or_default(),
        name: place.name,
        region: place.region,
        priority: place.priority.into(),
        address: place.url,
        fingerprint: gateway
            .kept
            .as_ref()
            .and_then(|kept| kept.fingerprint.clone())
            .unwrap_or_default(),
        state: if view.is_some() {
            Switch::On
        } else {
            Switch::Off
        },
        health: health(view),
        version: answered.map_or_else(String::new, |(alive, _)| alive.version.clone()),
        boot_id: answered.map_or_else(String::new, |(alive, _)| alive.boot.to_string()),
        latency_ms: latency.map_or(0, |ms| u64::try_from(ms).unwrap_or(u64::MAX)),
        round_trip_ms: day.and_then(|day| day.p50_ms).unwrap_or(0),
        round_trip_p95_ms: day.and_then(|day| day.p95_ms).unwrap_or(0),
        course: Spark {
            values: trips.map(Some).collect(),
        },
        way: way(view),
        connections: view.map_or(0, |view| length(view.connections)),
        in_flight: view.map_or(0, |view| length(view.streams)),
        resumes: happened.resumed,
        joins: happened.joined,
        hedges: happened.hedged,
        hedges_won: happened.hedges_won,
        doubled: happened.doubled,
        lost: happened.lost,
        resent: happened.passed_on,
        seen_at: answered.map(|_| now).or(day.and_then(|day| day.seen_at)),
        started_at: started.filter(|_| answered.is_some()),
    }
}

fn event_row(told: &ToldEvent, names: &HashMap<&str, &str>) -> GatewayEventRow {
    let body = &told.event.body;
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let kind = word(&told.event.kind, GatewayNews::Other);
    let detail = match kind {
        GatewayNews::Started => text("version").to_owned(),
        GatewayNews::KeyDisabled | GatewayNews::KeyCooling | GatewayNews::KeyRecovered => {
            text("reason").to_owned()
        }
        GatewayNews::KeyBalance => {
            let parts = ["state", "amount", "currency"];
            parts.map(text).join(" ")
        }
        GatewayNews::Other if *body == Value::Null => told.event.kind.clone(),
        GatewayNews::Other => format!("{} {body}", told.event.kind),
    };
    let gateway = told.gateway.as_str();
    GatewayEventRow {
        at: Moment::from_unix_ms(told.event.at),
        gateway: names.get(gateway).copied().unwrap_or(gateway).to_owned(),
        kind,
        provider: text("provider").to_owned(),
        last4: text("last4").to_owned(),
        detail,
    }
}

fn round_trips(days: &Days, shown: &[(String, String)]) -> Chart {
    let series = shown.iter().filter_map(|(url, name)| {
        let day = days.gateways.get(url)?;
        let ms = |bucket: &HistoryBucket| bucket.round_trip_ms.map(signed);
        Some(Series {
            name: name.as_str().into(),
            values: day.buckets.iter().map(ms).collect(),
        })
    });
    Chart {
        columns: Columns::Clock(days.starts.clone()),
        // More lines than a chart has colours tell nothing.
        series: series.take(6).collect(),
        unit: Unit::Milliseconds,
        leads_to: String::new(),
        marks: Vec::new(),
    }
}

fn repairs(days: &Days) -> Chart {
    let sum = |value: fn(&LinkCounts) -> u64| {
        let at = |place: usize| {
            let all = days.gateways.values();
            let of = all.filter_map(|day| day.buckets.get(place));
            signed(of.map(|bucket| value(&bucket.happened)).sum())
        };
        (0..days.starts.len()).map(at).map(Some).collect::<Vec<_>>()
    };
    let rows: [Repair; 3] = [
        (Measure::Resumes, |counts| counts.resumed),
        (Measure::Hedges, |counts| counts.hedged),
        (Measure::Lost, |counts| counts.lost),
    ];
    Chart {
        columns: Columns::Clock(days.starts.clone()),
        series: rows
            .map(|(name, value)| Series {
                name: name.into(),
                values: sum(value),
            })
            .into(),
        unit: Unit::Count,
        leads_to: String::new(),
        marks: Vec::new(),
    }
}

async fn view(gateways: &Gateways, now: Moment) -> Result<GatewayList, PageError> {
    let (all, events) = tokio::try_join!(gateways.all(), gateways.events(EVENTS_READ))?;
    let (days, starts) = (gateways.days(), starts(&events));
    let named = |gateway: &Gateway| {
        let place = place(gateway);
        let name = if place.name.is_empty() {
            place.url.clone()
        } else {
            place.name
        };
        (place.url, name)
    };
    let shown: Vec<(String, String)> = all.iter().map(named).collect();
    let names = shown
        .iter()
        .map(|(url, name)| (url.as_str(), name.as_str()));
    let names: HashMap<&str, &str> = names.collect();
    let rows = all.iter().map(|gateway| {
        let url = place(gateway).url;
        let started = starts.get(url.as_str()).copied();
        row(gateway, days.gateways.get(&url), (now, started))
    });
    let newest = events.iter().take(usize::try_from(EVENTS).unwrap_or(0));
    Ok(GatewayList {
        rows: rows.collect(),
        round_trips: round_trips(&days, &shown),
        repairs: repairs(&days),
        events: newest.map(|told| event_row(told, &names)).collect(),
        add: Form::of([("priority", "0")]),
        changing: None,
        // The one inside has no address, and takes no other beside it.
        open: shown.iter().all(|(url, _)| !url.is_empty()),
    })
}

/// `GET /admin/gateways`
#[handler]
pub(super) async fn gateway_list(who: Admin, gateways: Data<&Gateways>) -> PageResult {
    who.show(&view(&gateways, who.now()).await?).await
}
