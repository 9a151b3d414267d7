//! Calls that run now, and the figures that follow them on an open dashboard: server-sent events.
//! A call runs for as long as credits are set aside for it; test calls set none aside and are not seen.

use std::time::Duration;

use admin_templates::admin::dashboard::LiveCall;
use admin_templates::labels::{Label as _, Operation, Range as RangeWord};
use admin_templates::page::Page;
use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use poem::http::header;
use poem::web::Data;
use poem::{Body, Response, handler};
use serde_json::{Value, json};
use server_rooms::gateways::Gateways;
use server_rooms::ledger::{Hold, Ledger};
use server_rooms::reports::span::Span;
use server_rooms::reports::sums::Sums;
use server_rooms::reports::{ReportScope, Reports};

use super::super::error::{PageError, PageResult};
use super::super::page_context::PageContext;
use super::super::session::Admin;
use super::{Asked, booked, gateways, named, range, success, word};

/// Calls that are listed; the rest are counted.
const CALLS: i64 = 20;
/// Between two looks at the calls.
const PACE: Duration = Duration::from_secs(2);
/// Sums change less often than calls: they are added up every fifth look.
const LOOKS_A_SUM: u32 = 5;
/// Then the browser comes again, and with it the question whether it still may.
const LOOKS: u32 = 15;

fn live_call(hold: Hold) -> LiveCall {
    // What can't be read is shown by what it holds.
    let kept = hold.snapshot.read();
    let operation = kept.as_ref().map_or("", |kept| kept.operation.word());
    LiveCall {
        operation: word(operation, Operation::Chat),
        model: kept
            .as_ref()
            .map_or_else(String::new, |kept| kept.model.clone()),
        provider: kept.map_or_else(String::new, |kept| kept.provider),
        id: hold.id.to_string(),
        tenant: hold.tenant.to_string(),
        held: hold.held,
        at: hold.created_at,
    }
}

/// The newest calls that run, and how many there are in all.
pub(super) async fn running(
    ledger: &Ledger,
    reports: &Reports,
) -> Result<(Vec<LiveCall>, u64), PageError> {
    let (holds, all) = ledger.running(CALLS).await.map_err(booked)?;
    let mut calls: Vec<LiveCall> = holds.into_iter().map(live_call).collect();
    let ids = calls.iter().map(|call| call.tenant.as_str());
    let names = reports.tenant_names(ids).await?;
    for call in &mut calls {
        call.tenant = named(&names, &call.tenant);
    }
    Ok((calls, all))
}

fn shown(page: &Page, call: &LiveCall) -> Value {
    json!({
        "id": call.id,
        "since": page.ago(call.at).text(),
        "tenant": call.tenant,
        "model": call.model,
        "provider": call.provider,
        "operation": call.operation.text(page.lang),
        "held": page.money(call.held).text(),
    })
}

/// What an open dashboard follows.
struct Feed {
    ledger: Ledger,
    reports: Reports,
    context: PageContext,
    page: Page,
    span: Span,
    looks: u32,
    sums: Sums,
}

impl Feed {
    async fn look(&mut self) -> Result<String, PageError> {
        self.page.now = self.context.now();
        if self.looks.is_multiple_of(LOOKS_A_SUM) {
            let totals = self.reports.totals(&ReportScope::Platform, self.span);
            self.sums = totals.await?;
        }
        let (calls, all) = running(&self.ledger, &self.reports).await?;
        let (page, sums) = (&self.page, &self.sums);
        let numbers = json!({
            "live_count": page.count(all),
            "calls": page.count(sums.calls),
            "credits": page.about(sums.credits).text(),
            "success": page.rate(success(sums), sums.calls).text(),
        });
        let calls: Vec<Value> = calls.iter().map(|call| shown(page, call)).collect();
        let calls = Value::from(calls);
        Ok(format!(
            "event: numbers\ndata: {numbers}\n\nevent: calls\ndata: {calls}\n\n"
        ))
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.looks >= LOOKS {
            return None;
        }
        if self.looks > 0 {
            tokio::time::sleep(PACE).await;
        }
        // A look that failed was logged; the next one may find the database again.
        let told = self
            .look()
            .await
            .unwrap_or_else(|_| ": away\n\n".to_owned());
        let first = if self.looks == 0 {
            "retry: 1000\n\n"
        } else {
            ""
        };
        self.looks = self.looks.saturating_add(1);
        Some(Bytes::from(format!("{first}{told}")))
    }

    fn events(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        unfold(self, async |mut feed| {
            let bytes = feed.next().await?;
            Some((Ok(bytes), feed))
        })
    }
}

/// What an open page of gateways follows.
struct WayFeed {
    gateways: Gateways,
    context: PageContext,
    page: Page,
    looks: u32,
}

impl WayFeed {
    async fn next(&mut self) -> Option<Bytes> {
        if self.looks >= LOOKS {
            return None;
        }
        if self.looks > 0 {
            tokio::time::sleep(PACE).await;
        }
        let told = gateways::told(&self.gateways, &self.page, self.context.now()).await;
        // A look that failed was logged; the next one may find the database again.
        let told = told.map_or_else(
            |_| ": no answer\n\n".to_owned(),
            |numbers| format!("event: numbers\ndata: {numbers}\n\n"),
        );
        self.looks = self.looks.saturating_add(1);
        Some(Bytes::from(told))
    }

    fn events(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
        unfold(self, async |mut feed| {
            let bytes = feed.next().await?;
            Some((Ok(bytes), feed))
        })
    }
}

/// `GET /admin/live`; with `of=gateways` the numbers of the ways to them.
#[handler]
pub(super) async fn live(
    who: Admin,
    asked: Asked,
    ledger: Data<&Ledger>,
    reports: Data<&Reports>,
    gateways: Data<&Gateways>,
) -> PageResult {
    if asked.get("of").is_some_and(|of| of == "gateways") {
        let context: PageContext = (*who).clone();
        let feed = WayFeed {
            gateways: gateways.clone(),
            page: context.page().await,
            context,
            looks: 0,
        };
        return Ok(stream(Body::from_bytes_stream(feed.events())));
    }
    let (_, span) = range(&asked, RangeWord::Day);
    let context: PageContext = (*who).clone();
    let feed = Feed {
        ledger: ledger.clone(),
        reports: reports.clone(),
        page: context.page().await,
        context,
        span,
        looks: 0,
        sums: Sums::default(),
    };
    Ok(stream(Body::from_bytes_stream(feed.events())))
}

fn stream(body: Body) -> Response {
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        // Tells nginx not to gather events (nginx, `proxy_buffering`).
        .header("x-accel-buffering", "no")
        .body(body)
}
