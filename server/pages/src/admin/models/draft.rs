//! A price that is being written: rows come and go, files are read in, and what the price would do is
//! shown, before anything is saved. Works without a script: each button sends the whole table.

use admin_templates::admin::prices::{Earned as EarnedView, PriceTry, Repriced, TypicalRow};
use admin_templates::labels::TypicalCall as CallWord;
use poem::web::{Data, Path};
use poem::{Response, handler};
use shared::clock::Moment;
use shared::credits::Credits;

use super::super::super::bills::known_cost;
use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Admin;
use super::super::{reports_failed, word};
use super::rates::Draft;
use super::{ModelRooms, found, view};
use server_edge::csv::{self, Cell};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::price::text::COLUMNS;
use server_rooms::catalogue::price::{PriceList, Tariff};
use server_rooms::catalogue::typical::{TypicalCall, typical};
use server_rooms::catalogue::{Catalogue, Model, check};
use server_rooms::reports::Reports;
use server_rooms::reports::reprice::{Earned, Repricing};

/// A list price.
const PLAIN_PPM: i64 = 1_000_000;

fn typical_row(
    now: Option<&Tariff>,
    new: &Tariff,
    (call, at): (&TypicalCall, Moment),
) -> TypicalRow {
    let charge = |tariff: &Tariff| tariff.charge(&call.usage, at, PLAIN_PPM);
    let (credits, cost) = (charge(new), new.cost(&call.usage, at));
    let margin = credits.zip(cost).map(|(credits, cost)| {
        Credits::from_micros(credits.micros().saturating_sub(cost.micros()))
    });
    TypicalRow {
        call: word(call.word, CallWord::ShortChat),
        now: now.and_then(charge),
        credits,
        cost,
        margin,
    }
}

fn earned(earned: &Earned, calls: u64) -> EarnedView {
    EarnedView {
        credits: earned.credits,
        cost: known_cost(&earned.cost, calls),
    }
}

fn repriced(of: &Repricing) -> Repriced {
    let calls = of.calls.saturating_sub(of.left_out);
    Repriced {
        from: of.from,
        until: of.until,
        calls: of.calls,
        is_sample: of.is_sample,
        was: earned(&of.was, calls),
        would: earned(&of.would, calls),
        dearer: of.dearer,
        cheaper: of.cheaper,
        unpriced: of.unpriced,
        left_out: of.left_out,
    }
}

/// What a price would do; with the last 30 days where that was asked for.
pub(in super::super) async fn tried(
    reports: &Reports,
    model: &Model,
    list: PriceList,
    (now, with_usage): (Moment, bool),
) -> Result<PriceTry, PageError> {
    let tariff = check::tariff(model.operation, list).map_err(|_| PageError::Internal)?;
    let current = model.price_at(now).map(|price| &price.list);
    let calls = typical(model.operation);
    let rows = calls
        .iter()
        .map(|call| typical_row(current, &tariff, (call, now)));
    let usage = if with_usage {
        let repricing = reports.reprice(&model.id, &tariff).await;
        Some(repriced(&repricing.map_err(reports_failed)?))
    } else {
        None
    };
    Ok(PriceTry {
        typical: rows.collect(),
        repriced: usage,
    })
}

/// `POST /admin/models/{id}/prices/draft`; saves nothing.
#[handler]
pub(in super::super) async fn draft(
    who: Admin<kind::SetPrices>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let mut draft = Draft::posted(&posted);
    let mut shown = None;
    match posted.text("do") {
        "add" => draft.add_row(),
        "import" => draft.import(),
        wish @ ("preview" | "reprice") => {
            if let Some(list) = draft.read(model.operation) {
                let how = (who.now(), wish == "reprice");
                shown = Some(tried(&rooms.reports, &model, list, how).await?);
            }
        }
        other => {
            let number = other.strip_prefix("remove-").ok_or(PageError::NotFound)?;
            draft.remove_row(number);
        }
    }
    let wrong = draft.has_errors();
    let mut page = view::view(&rooms, &model, who.now()).await?;
    (page.price, page.price_try) = (draft.table(true), shown);
    if wrong {
        who.show_again(&page).await
    } else {
        who.show(&page).await
    }
}

fn file(name: &str, kind: &str, text: String) -> Response {
    Response::builder()
        .content_type(kind)
        .header(
            "content-disposition",
            format!("attachment; filename=\"{name}\""),
        )
        .body(text)
}

fn current(catalogue: &Catalogue, id: &str, now: Moment) -> Result<PriceList, PageError> {
    let model = found(catalogue, id)?;
    let price = model.price_at(now).ok_or(PageError::NotFound)?;
    Ok((*price.list).clone())
}

/// `GET /admin/models/{id}/prices.csv`: the price that is valid now.
#[handler]
pub(in super::super) async fn price_csv(
    who: Admin,
    Path(id): Path<String>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let list = current(&catalogue, &id, who.now())?;
    let mut out = String::new();
    csv::line(&mut out, &COLUMNS.map(Cell::Own));
    for row in list.rows() {
        let cells: Vec<Cell<'_>> = row.iter().map(|cell| Cell::Own(cell)).collect();
        csv::line(&mut out, &cells);
    }
    Ok(file("price.csv", "text/csv; charset=utf-8", out))
}

/// `GET /admin/models/{id}/prices.json`: the price that is valid now.
#[handler]
pub(in super::super) async fn price_json(
    who: Admin,
    Path(id): Path<String>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let list = current(&catalogue, &id, who.now())?;
    let text = serde_json::to_string_pretty(&list).map_err(|_| PageError::Internal)?;
    Ok(file("price.json", "application/json", text))
}
