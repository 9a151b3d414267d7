//! A new provider: first who it is, then its form. Both are links and forms, so that no script is needed.

use std::collections::BTreeMap;

use admin_templates::admin::providers::{ProviderNew, ProviderPick};
use admin_templates::form::Form;
use admin_templates::labels::VendorPlace;
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Query};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{Connectors, ProviderRef, Providers};
use shared::link::connectors::AddressRule;

use super::super::super::error::PageResult;
use super::super::super::form::FormData;
use super::super::super::session::Admin;
use super::super::form_errors::again;
use super::super::{filters, wanted};
use super::form::drafted_provider;
use super::vendors::{self, Beginning};
use super::{field_error, options, path};

/// What the form has beside the settings.
const NAMES: [&str; 4] = ["name", "kind", "base_url", "gateway"];

/// The form, with what the gateways say of their connectors.
fn new_view(form: Form, begin: Option<&Beginning<'_>>, known: &[Connectors]) -> ProviderNew {
    let connector = begin.map(|begin| begin.connector);
    let own = begin.map(Beginning::options).unwrap_or_default();
    let mut settings = options::settings(&form, &own, connector);
    // Whoever chose none of the vendors came for these.
    settings.is_open |= begin.is_some_and(|begin| begin.place() == VendorPlace::Other);
    let gateways = match known {
        [] | [_] => Vec::new(),
        several => several.iter().map(|of| of.gateway.clone()).collect(),
    };
    ProviderNew {
        form,
        vendor: begin.map(Beginning::row),
        kind: connector.map_or_else(String::new, |facts| facts.kind.to_string()),
        has_address: connector.is_none_or(|facts| facts.address == AddressRule::Needed),
        gateways,
        settings,
    }
}

/// The form as it is at first. The address of whoever the operator says is theirs to type.
fn begun(begin: &Beginning<'_>) -> Form {
    let known = begin.preset.filter(|_| begin.place() != VendorPlace::Other);
    let mut form = known.map_or_else(Form::default, |preset| {
        Form::of([("name", &*preset.name), ("base_url", &*preset.base_url)])
    });
    options::fill(&mut form, &begin.options(), Some(begin.connector));
    form
}

/// `GET /admin/providers/new`
#[handler]
pub(in super::super) async fn new_provider(
    who: Admin<kind::EditProviders>,
    Query(asked): Query<BTreeMap<String, String>>,
    providers: Data<&Providers>,
) -> PageResult {
    let known = providers.connectors().await;
    let vendor = wanted(&asked, "vendor").and_then(|name| vendors::vendor(&known, name));
    let kind = wanted(&asked, "kind").and_then(|kind| vendors::connector(&known, kind));
    if let Some(begin) = vendor.or(kind) {
        let view = new_view(begun(&begin), Some(&begin), &known);
        return who.show(&view).await;
    }
    if known.iter().all(|of| of.facts.is_none()) {
        // Nobody said what there is, so there is nothing to choose from.
        return who.show(&new_view(Form::default(), None, &known)).await;
    }
    let groups = vendors::groups(&known, wanted(&asked, "q").unwrap_or_default());
    let list = ListState {
        filters: filters(&asked, &["q"]),
        ..ListState::whole()
    };
    who.show(&ProviderPick { list, groups }).await
}

/// `POST /admin/providers/new`
#[handler]
pub(in super::super) async fn add_provider(
    who: Admin<kind::EditProviders>,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let known = providers.connectors().await;
    let gateway = posted.optional("gateway");
    let wrong = match drafted_provider(&posted, &known) {
        Ok(new) => match providers.create(&who.actor(), gateway, new).await {
            Ok(made) => {
                let of = ProviderRef::new(&made.answer.name, gateway.map(str::to_owned));
                return who.done(&path(&of), &Notice::Created);
            }
            Err(error) => vec![field_error(error, "name")?],
        },
        Err(wrong) => wrong,
    };
    let kind = posted.text("kind");
    let vendor = vendors::vendor(&known, posted.text("vendor"));
    // A vendor's name does not make another kind of it.
    let vendor = vendor.filter(|begin| begin.connector.kind == kind);
    let begin = vendor.or_else(|| vendors::connector(&known, kind));
    // A kind that is not typed has no field to stand beside.
    let names = NAMES
        .iter()
        .filter(|name| begin.is_none() || **name != "kind");
    let names: Vec<&str> = names.chain(&options::NAMES).copied().collect();
    let form = again(&posted, &names, wrong);
    let view = new_view(form, begin.as_ref(), &known);
    who.show_again(&view).await
}
