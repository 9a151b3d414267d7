//! Price lists of others: a file is uploaded, its rows are looked through, and those that were chosen are
//! set. What must be confirmed by itself is the catalogue's to say.

mod rows;

use std::collections::HashMap;

use admin_templates::admin::price_import::{ImportEffect, ImportedList, PriceImports};
use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::price::list::Currency;
use server_rooms::catalogue::price_import::{ImportError, ListImport, RowChoice, RowRefusal};
use server_rooms::catalogue::price_list::FILE_BYTES_MAX;
use server_rooms::catalogue::price_list::draft::{ImportTerms, Takes};
use server_rooms::catalogue::{Catalogue, CatalogueError, PriceReview};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::PriceReviewId;

use self::rows::Sent;
use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData};
use super::super::session::{Admin, Confirmed};
use super::form_errors::again;
use super::models::form::valid_from;
use super::models::{ModelRooms, draft};
use super::{Asked, providers, wanted};

/// Where lists are uploaded.
pub(in super::super) const PATH: &str = "/admin/price-imports";
/// A file, and the fields beside it.
pub(in super::super) const BYTES_MAX: usize = FILE_BYTES_MAX + 64 * 1024;

/// The fields beside the file.
const FIELDS: [&str; 6] = [
    "takes",
    "factor",
    "group",
    "currency_code",
    "currency_credits",
    "currency_as_of",
];
const DOLLAR: &str = "USD";

fn path(id: &PriceReviewId) -> String {
    format!("{PATH}/{id}")
}

/// What a dollar was worth in the price that was set last with costs in dollars.
fn dollar(catalogue: &Catalogue, now: Moment) -> Option<Currency> {
    let models = catalogue.models();
    let prices = models.iter().filter_map(|model| model.price_at(now));
    let newest = prices
        .filter(|price| {
            let currency = price.list.currency.as_ref();
            currency.is_some_and(|currency| currency.code == DOLLAR)
        })
        .max_by_key(|price| price.valid_from);
    newest.and_then(|price| price.list.currency.clone())
}

async fn page(
    catalogue: &Catalogue,
    (form, file_error): (Form, String),
) -> Result<PriceImports, PageError> {
    let reviews = catalogue.price_reviews().await?.into_iter();
    let row = |review: PriceReview| ImportedList {
        id: review.id.to_string(),
        file: review.file_name,
        author: review.author,
        created_at: review.created_at,
        applied: review.applied.is_some(),
    };
    Ok(PriceImports {
        form,
        file_error,
        lists: reviews.map(row).collect(),
    })
}

/// `GET /admin/price-imports`
#[handler]
pub(super) async fn import_page(
    who: Admin<kind::SetPrices>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let currency = dollar(&catalogue, who.now());
    let worth = currency.as_ref().map(|one| one.credits.to_string());
    let day = currency.map(|one| one.as_of).unwrap_or_default();
    let form = Form::of([
        ("takes", Takes::CostAndPrice.word()),
        ("factor", "1"),
        ("currency_code", DOLLAR),
        ("currency_credits", worth.unwrap_or_default().as_str()),
        ("currency_as_of", day.as_str()),
    ]);
    who.show(&page(&catalogue, (form, String::new())).await?)
        .await
}

fn terms(posted: &FormData) -> Result<ImportTerms, FieldProblem> {
    let amount = |name: &'static str| -> Result<Credits, FieldProblem> {
        let text = posted.optional(name).ok_or((name, FieldError::Required))?;
        text.parse().map_err(|_| (name, FieldError::NotAPrice))
    };
    let takes = Takes::from_word(posted.text("takes"));
    Ok(ImportTerms {
        takes: takes.ok_or(("takes", FieldError::Unknown))?,
        factor_ppm: amount("factor")?.micros(),
        currency: Currency {
            code: posted.text("currency_code").to_ascii_uppercase(),
            credits: amount("currency_credits")?,
            as_of: posted.text("currency_as_of").to_owned(),
        },
    })
}

/// Kinds of providers by name; none where no gateway answers.
async fn kinds(rooms: &ModelRooms) -> HashMap<String, String> {
    let known = providers::known(&rooms.providers).await.providers;
    let kinds = known
        .into_iter()
        .map(|one| (one.answer.name, one.answer.kind));
    kinds.collect()
}

/// `POST /admin/price-imports`
#[handler]
pub(super) async fn upload(
    who: Admin<kind::SetPrices>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let (wrong, file_error) = match terms(&posted) {
        Err(wrong) => (vec![wrong], String::new()),
        Ok(terms) => {
            let import = ListImport {
                file: posted.as_typed("file").to_owned(),
                file_name: posted.text("file_name").to_owned(),
                group: posted.optional("group").map(str::to_owned),
                terms,
            };
            let kinds = kinds(&rooms).await;
            let actor = who.actor();
            let read = rooms.catalogue.import_list(&actor, import, &kinds);
            match read.await {
                Ok(id) => return who.done(&path(&id), &Notice::Created),
                Err(ImportError::List(error)) => (Vec::new(), error.to_string()),
                Err(ImportError::Catalogue(CatalogueError::Invalid { field, rule })) => {
                    let wrong = match field {
                        "currency" => ("currency_code", FieldError::Currency),
                        other => (other, FieldError::Words(rule)),
                    };
                    (vec![wrong], String::new())
                }
                Err(error) => return Err(refused(error)),
            }
        }
    };
    let form = again(&posted, &FIELDS, wrong);
    who.show_again(&page(&rooms.catalogue, (form, file_error)).await?)
        .await
}

/// What no field is to blame for.
fn refused(error: ImportError) -> PageError {
    match error {
        ImportError::NoSuchReview => PageError::NotFound,
        ImportError::Catalogue(CatalogueError::Store(error)) => error.into(),
        ImportError::List(_) | ImportError::Rows(_) | ImportError::Catalogue(_) => {
            PageError::NotFound
        }
    }
}

/// `GET /admin/price-imports/{id}`
#[handler]
pub(super) async fn review_page(
    who: Admin<kind::SetPrices>,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let id: PriceReviewId = parsed(&id)?;
    let review = rooms.catalogue.price_review(&id, None).await;
    let review = review.map_err(refused)?;
    let effect = match wanted(&asked, "effect") {
        None => None,
        Some(model) => {
            let row = review.rows.iter().find(|row| row.model == model);
            let list = row.ok_or(PageError::NotFound)?.list.clone();
            let of = rooms.catalogue.model(model).ok_or(PageError::NotFound)?;
            let price_try = draft::tried(&rooms.reports, &of, list, (who.now(), true)).await?;
            Some(ImportEffect {
                model: model.to_owned(),
                price_try,
            })
        }
    };
    let mut view = rows::view(review, &Sent::default(), who.lang());
    view.effect = effect;
    who.show(&view).await
}

/// `POST /admin/price-imports/{id}`
#[handler]
pub(super) async fn apply(
    who: Confirmed<Admin<kind::SetPrices>>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let id: PriceReviewId = parsed(&id)?;
    let mut sent = Sent {
        form: posted.again(&["valid_from"]),
        taken: Some(posted.several("take").to_vec()),
        confirmed: posted.several("confirm").to_vec(),
        ..Sent::default()
    };
    let choice = |model: &String| RowChoice {
        model: model.clone(),
        is_confirmed: sent.confirmed.contains(model),
    };
    let choices: Vec<RowChoice> = posted.several("take").iter().map(choice).collect();
    match valid_from(&posted, who.here()) {
        Err((field, error)) => sent.form = sent.form.wrong(field, error),
        Ok(from) => {
            let (catalogue, actor) = (&rooms.catalogue, who.actor());
            let done = catalogue.apply_price_review(&actor, &id, (&choices, from));
            match done.await {
                Ok(_) => return who.done(&path(&id), &Notice::Saved),
                Err(ImportError::Rows(rows)) => {
                    let unconfirmed = |why: &RowRefusal| *why == RowRefusal::Unconfirmed;
                    sent.form.error = Some(if rows.iter().all(|(_, why)| unconfirmed(why)) {
                        FieldError::Words(rows::unconfirmed(who.lang()))
                    } else {
                        FieldError::Stale
                    });
                    sent.refused = rows;
                }
                Err(ImportError::Catalogue(CatalogueError::Duplicate)) => {
                    sent.form = sent.form.wrong("valid_from", FieldError::Taken);
                }
                Err(ImportError::Catalogue(CatalogueError::Invalid { field, rule })) => {
                    let field = if field == "valid_from" { field } else { "" };
                    if field.is_empty() {
                        sent.form.error = Some(FieldError::Words(rule));
                    } else {
                        sent.form = sent.form.wrong(field, FieldError::Past);
                    }
                }
                Err(error) => return Err(refused(error)),
            }
        }
    }
    let review = rooms.catalogue.price_review(&id, None).await;
    let view = rows::view(review.map_err(refused)?, &sent, who.lang());
    who.show_again(&view).await
}
