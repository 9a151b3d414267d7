//! A new model: its form, filled in by what a provider or a price list says of it where a link brings that.

use admin_templates::admin::catalogue::ModelNew;
use admin_templates::form::Form;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::Data;
use server_rooms::auth::roles::{Action, kind};
use server_rooms::catalogue::check::ID_BYTES_MAX;
use server_rooms::catalogue::lists::ModelLists;
use server_rooms::catalogue::price_import::{ImportError, ListedOffer};
use server_rooms::catalogue::{Catalogue, CatalogueError, NewModel};
use server_rooms::providers::Providers;
use shared::id::PriceReviewId;

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::FormData;
use super::super::super::session::{Admin, Confirmed};
use super::super::form_errors::again;
use super::super::{Asked, filters, wanted};
use super::{facts, field_error, form, path, provider_names, rates};

/// What a link to a new model may bring.
const PREFILLED: [&str; 3] = ["provider", "model", "id"];
/// Providers that list a model are told as long as somebody reads them.
const LISTED_BY_MAX: usize = 20;

/// A name without whose it is in front, and without what the catalogue does not take.
fn id(listed: &str) -> String {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || "._:-".contains(c) {
            c
        } else {
            '-'
        }
    };
    last_part(listed)
        .chars()
        .map(allowed)
        .take(ID_BYTES_MAX)
        .collect()
}

fn last_part(listed: &str) -> &str {
    listed.rsplit('/').next().unwrap_or(listed)
}

/// Providers whose own list has a model under a name of a price list, each with that name there: the whole
/// one, or the part behind whose it is.
async fn listed_by(lists: &ModelLists, listed: &str) -> Result<Vec<(String, String)>, PageError> {
    let known = lists.known().await?;
    let names = [listed, last_part(listed)];
    let found = known.into_iter().filter_map(|compared| {
        let has = &compared.kept.as_ref()?.list.names;
        let name = names.iter().find(|name| has.contains(**name))?;
        Some((compared.of.name.clone(), (*name).to_owned()))
    });
    let mut found: Vec<(String, String)> = found.take(LISTED_BY_MAX).collect();
    // Several gateways may have a provider of one name.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What the review that a link names says of a model.
async fn offered(
    catalogue: &Catalogue,
    (review, listed): (&str, &str),
) -> Result<ListedOffer, PageError> {
    let review: PriceReviewId = parsed(review)?;
    match catalogue.listed_offer(&review, listed).await {
        Ok(offer) => Ok(offer),
        Err(ImportError::Catalogue(CatalogueError::Store(error))) => Err(error.into()),
        Err(
            ImportError::NoSuchReview
            | ImportError::List(_)
            | ImportError::Rows(_)
            | ImportError::Catalogue(_),
        ) => Err(PageError::NotFound),
    }
}

/// The form with what a list says filled in.
fn fill(values: &mut Form, listed: &str, offer: &ListedOffer) {
    let traits = &offer.traits;
    let number = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let words = traits.facts.capabilities.iter().map(|one| one.word());
    let words: Vec<&str> = words.collect();
    let operation = traits
        .operation
        .map_or("chat", |operation| operation.word());
    let told = [
        ("id", id(listed)),
        ("operation", operation.to_owned()),
        ("model", last_part(listed).to_owned()),
        ("max_output_tokens", number(traits.max_output_tokens)),
        ("context_tokens", number(traits.facts.context_tokens)),
        ("capabilities", words.join(" ")),
    ];
    let told = told.map(|(name, value)| (name.to_owned(), value));
    values.values.extend(told);
}

/// `GET /admin/models/new`, with `provider`, `model` and `id`, or with the `review` of a price list and the
/// name that is `listed` there.
#[handler]
pub(in super::super) async fn new_model(
    who: Admin<kind::EditModels>,
    asked: Asked,
    catalogue: Data<&Catalogue>,
    providers: Data<&Providers>,
    lists: Data<&ModelLists>,
) -> PageResult {
    let mut form = Form::of([("operation", "chat"), ("enabled", "on")]);
    let mut draft = rates::Draft::starting(None);
    let mut by = Vec::new();
    if let Some(of) = wanted(&asked, "review").zip(wanted(&asked, "listed")) {
        who.must_be_able_to(Action::SetPrices)?;
        let offer = offered(&catalogue, of).await?;
        fill(&mut form, of.1, &offer);
        by = listed_by(&lists, of.1).await?;
        if let Some((provider, model)) = by.first() {
            let there = [("provider", provider), ("model", model)];
            let there = there.map(|(name, value)| (name.to_owned(), value.clone()));
            form.values.extend(there);
        }
        if !offer.list.rates.is_empty() {
            draft = rates::Draft::of(&offer.list);
        }
    }
    // The page of a provider's models leads here with these filled in.
    form.values.extend(filters(&asked, &PREFILLED).values);
    who.show(&ModelNew {
        form,
        price: draft.table(true),
        providers: provider_names(&catalogue, &providers).await,
        listed_by: by.into_iter().map(|(provider, _)| provider).collect(),
    })
    .await
}

/// `POST /admin/models/new`; a price is finance's to set.
#[handler]
pub(in super::super) async fn add_model(
    who: Confirmed<Admin<kind::EditModels>>,
    posted: FormData,
    catalogue: Data<&Catalogue>,
    providers: Data<&Providers>,
) -> PageResult {
    let mut draft = rates::Draft::posted(&posted);
    let price = if draft.is_blank() {
        None
    } else {
        who.must_be_able_to(Action::SetPrices)?;
        let operation = form::operation(&posted).ok();
        operation.and_then(|operation| draft.read(operation))
    };
    let zone = catalogue.platform_zone().await;
    let wrong = match form::model(&posted, &zone) {
        Ok(_) if draft.has_errors() => Vec::new(),
        Ok(new) => {
            let new = NewModel { price, ..new };
            match catalogue.create_model(&who.actor(), new).await {
                Ok(made) => return who.done(&path(&made.id), &Notice::Created),
                Err(error) => vec![field_error(error, "id")?],
            }
        }
        Err(wrong) => wrong,
    };
    let names = [
        &["id", "operation"][..],
        &form::TARGET,
        &form::EDIT,
        &facts::FIELDS,
    ];
    who.show_again(&ModelNew {
        form: again(&posted, &names.concat(), wrong),
        price: draft.table(true),
        providers: provider_names(&catalogue, &providers).await,
        listed_by: Vec::new(),
    })
    .await
}
