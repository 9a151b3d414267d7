//! What a provider does with data, as its contract says: shown and set.

use admin_templates::admin::providers::ProviderData;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::Catalogue;
use server_rooms::providers::{ProviderRef, Providers};

use super::super::super::data_policy;
use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Admin;
use super::{found, path};

async fn view(
    providers: &Providers,
    catalogue: &Catalogue,
    of: &ProviderRef,
) -> Result<ProviderData, PageError> {
    let provider = found(providers, of).await?;
    let routing = catalogue.routing();
    Ok(ProviderData {
        reference: of.to_string(),
        data: data_policy::filled_terms(routing.terms(&provider.name)),
        name: provider.name,
    })
}

/// `GET /admin/providers/{name}/data`
#[handler]
pub(in super::super) async fn data_page(
    who: Admin,
    Path(name): Path<String>,
    providers: Data<&Providers>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let view = view(&providers, &catalogue, &of).await?;
    who.show(&view).await
}

/// `POST /admin/providers/{name}/data`
#[handler]
pub(in super::super) async fn keep_data(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let mut view = view(&providers, &catalogue, &of).await?;
    match data_policy::read_terms(&posted) {
        Ok(terms) => {
            let actor = who.actor();
            let put = catalogue.put_data_terms(&actor, &view.name, &terms);
            put.await.map_err(|error| {
                tracing::error!(%error, "data terms were not kept: {error}");
                PageError::Unavailable
            })?;
            who.done(&path(&of), &Notice::Saved)
        }
        Err((field, error)) => {
            view.data = posted.again(&data_policy::TERMS).wrong(field, error);
            who.show_again(&view).await
        }
    }
}
