//! Gateways: which there are, how they and the ways to them do, what they told; adding one, switching
//! it off and on, taking it away. Those of the settings are shown and not changed.

use std::collections::HashMap;

use admin_templates::admin::gateways::{
    GatewayChange, GatewayEventRow, GatewayList, GatewayRow, GatewaySecret,
};
use admin_templates::chart::{Chart, Series, Spark, Unit};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{GatewayNews, Health, Measure, Switch};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use serde_json::Value;
use server_rooms::auth::roles::kind;
use server_rooms::gateways::history::{Days, GatewayDay, HistoryBucket};
use server_rooms::gateways::{
    Gateway, GatewayError, GatewayPatch, Gateways, KeptGateway, ToldEvent,
};
use shared::clock::Moment;
use shared::link::{GatewayPlace, GatewayView, LinkCounts};
use shared::secret::Secret;

use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData};
use super::super::page_context::PageContext;
use super::super::session::{Admin, Confirmed};
use super::form_errors::{FormErrors, again};
use super::{length, minute, signed, word};

const PATH: &str = "/admin/gateways";
/// Events that are shown.
const EVENTS: i64 = 50;
/// Events that are looked through for the last start of each gateway.
const EVENTS_READ: i64 = 500;
/// As the API bounds them.
const URL_BYTES_MAX: usize = 500;
const NAME_BYTES_MAX: usize = 40;

type Editor = Admin<kind::EditGateways>;
type Founder = Confirmed<Admin<kind::AddGateways>>;
/// A row of the chart of repairs.
type Repair = (Measure, fn(&LinkCounts) -> u64);

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
            let reason = text("reason");
            let gap = if reason.is_empty() { "" } else { " · " };
            format!("…{}{gap}{reason}", text("last4"))
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
        detail,
    }
}

/// `HH:MM` of the moments where buckets begin.
fn labels(days: &Days) -> Vec<String> {
    days.starts.iter().copied().map(minute).collect()
}

fn round_trips(days: &Days, shown: &[(String, String)]) -> Chart {
    let series = shown.iter().filter_map(|(url, name)| {
        let day = days.gateways.get(url)?;
        let ms = |bucket: &HistoryBucket| signed(bucket.round_trip_ms.unwrap_or(0));
        Some(Series {
            name: name.as_str().into(),
            values: day.buckets.iter().map(ms).map(Some).collect(),
        })
    });
    Chart {
        labels: labels(days),
        // More lines than a chart has colours tell nothing.
        series: series.take(6).collect(),
        unit: Unit::Milliseconds,
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
        labels: labels(days),
        series: rows
            .map(|(name, value)| Series {
                name: name.into(),
                values: sum(value),
            })
            .into(),
        unit: Unit::Count,
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

async fn show_wrong(
    who: &PageContext,
    gateways: &Gateways,
    fill: impl FnOnce(&mut GatewayList),
) -> PageResult {
    let mut view = view(gateways, who.now()).await?;
    fill(&mut view);
    who.show_again(&view).await
}

fn refused(error: GatewayError) -> Result<FieldProblem, PageError> {
    match error {
        GatewayError::NotFound => Err(PageError::NotFound),
        GatewayError::Taken => Ok(("url", FieldError::Taken)),
        GatewayError::Invalid(why) => Ok(("url", FieldError::Words(why))),
        GatewayError::Secret(why) => Ok(("secret", FieldError::Words(why.to_owned()))),
        GatewayError::Store(error) => Err(error.into()),
    }
}

fn url(posted: &FormData) -> Result<String, FieldProblem> {
    let url = posted.text("url").trim_end_matches('/');
    let web = url.starts_with("https://") || url.starts_with("http://");
    if url.is_empty() {
        Err(("url", FieldError::Required))
    } else if url.len() > URL_BYTES_MAX {
        Err(("url", FieldError::TooLong(length(URL_BYTES_MAX))))
    } else if !web || !url.bytes().all(|b| b.is_ascii_graphic()) {
        Err(("url", FieldError::NotAnAddress))
    } else {
        Ok(url.to_owned())
    }
}

fn name(posted: &FormData, field: &'static str) -> Result<String, FieldProblem> {
    let name = posted.text(field);
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.len() > NAME_BYTES_MAX {
        Err((field, FieldError::TooLong(length(NAME_BYTES_MAX))))
    } else if name.bytes().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err((field, FieldError::Letters))
    }
}

fn priority(posted: &FormData) -> Result<u8, FieldProblem> {
    let text = posted.optional("priority").unwrap_or("0");
    let number: u64 = text
        .parse()
        .map_err(|_| ("priority", FieldError::NotANumber))?;
    let range = ("priority", FieldError::OutOfRange(0, u8::MAX.into()));
    u8::try_from(number).map_err(|_| range)
}

/// Name, region and priority.
fn manner(posted: &FormData, errors: &mut FormErrors) -> Option<(String, String, u8)> {
    let name = errors.take(self::name(posted, "name"));
    let region = errors.take(self::name(posted, "region"));
    let priority = errors.take(priority(posted));
    Some((name?, region?, priority?))
}

/// The page that shows a secret.
fn once((kept, secret): (KeptGateway, Secret<String>)) -> GatewaySecret {
    GatewaySecret {
        name: kept.place.url,
        fingerprint: kept.fingerprint.unwrap_or_default(),
        secret,
    }
}

/// `POST /admin/gateways/{id}/secret`
#[handler]
pub(super) async fn rotate_secret(
    who: Founder,
    Path(id): Path<String>,
    posted: FormData,
    gateways: Data<&Gateways>,
) -> PageResult {
    let id = parsed(&id)?;
    let secret = Some(posted.secret("secret")).filter(|secret| !secret.expose().is_empty());
    let actor = who.actor();
    let rotated = gateways.rotate_secret(&actor, &id, secret);
    match rotated.await {
        Ok(made) => who.show(&once(made)).await,
        Err(error) => {
            let (_, error) = refused(error)?;
            show_wrong(&who, &gateways, |view| view.add.error = Some(error)).await
        }
    }
}

/// `POST /admin/gateways`
#[handler]
pub(super) async fn add(who: Founder, posted: FormData, gateways: Data<&Gateways>) -> PageResult {
    let mut errors = FormErrors::default();
    let (url, manner) = (errors.take(url(&posted)), manner(&posted, &mut errors));
    let wrong = match errors.unless(url.zip(manner)) {
        Ok((url, (name, region, priority))) => {
            let place = GatewayPlace {
                url,
                name,
                region,
                priority,
                secret: Some(posted.secret("secret")).filter(|secret| !secret.expose().is_empty()),
            };
            match gateways.add(&who.actor(), place).await {
                Ok(made) => return who.show(&once(made)).await,
                Err(error) => vec![refused(error)?],
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &["url", "name", "region", "priority"], wrong);
    show_wrong(&who, &gateways, |view| view.add = form).await
}

/// `POST /admin/gateways/{id}/edit`
#[handler]
pub(super) async fn edit(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    gateways: Data<&Gateways>,
) -> PageResult {
    let gateway = parsed(&id)?;
    let mut errors = FormErrors::default();
    let manner = manner(&posted, &mut errors);
    let wrong = match errors.unless(manner) {
        Ok((name, region, priority)) => {
            let patch = GatewayPatch {
                name: Some(name),
                region: Some(region),
                priority: Some(priority),
                is_active: None,
            };
            match gateways.change(&who.actor(), &gateway, patch).await {
                Ok(_) => return who.done(PATH, &Notice::Saved),
                Err(error) => vec![refused(error)?],
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &["name", "region", "priority"], wrong);
    let change = GatewayChange { id, form };
    show_wrong(&who, &gateways, |view| view.changing = Some(change)).await
}

async fn switch(who: &Editor, gateways: &Gateways, id: &str, on: bool) -> PageResult {
    let id = parsed(id)?;
    let patch = GatewayPatch {
        is_active: Some(on),
        ..GatewayPatch::default()
    };
    match gateways.change(&who.actor(), &id, patch).await {
        Ok(_) if on => who.done(PATH, &Notice::Enabled),
        Ok(_) => who.done(PATH, &Notice::Disabled),
        Err(error) => {
            let (_, error) = refused(error)?;
            show_wrong(who, gateways, |view| view.add.error = Some(error)).await
        }
    }
}

/// `POST /admin/gateways/{id}/enable`
#[handler]
pub(super) async fn enable(
    who: Editor,
    Path(id): Path<String>,
    gateways: Data<&Gateways>,
) -> PageResult {
    switch(&who, &gateways, &id, true).await
}

/// `POST /admin/gateways/{id}/disable`
#[handler]
pub(super) async fn disable(
    who: Editor,
    Path(id): Path<String>,
    gateways: Data<&Gateways>,
) -> PageResult {
    switch(&who, &gateways, &id, false).await
}

/// `POST /admin/gateways/{id}/delete`
#[handler]
pub(super) async fn delete(
    who: Editor,
    Path(id): Path<String>,
    gateways: Data<&Gateways>,
) -> PageResult {
    let id = parsed(&id)?;
    match gateways.remove(&who.actor(), &id).await {
        Ok(()) => who.done(PATH, &Notice::Deleted),
        Err(error) => {
            refused(error)?;
            who.go_saying(PATH, false, &Notice::Stale)
        }
    }
}
