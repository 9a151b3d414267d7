//! A provider as it is taken elsewhere: copied under another name, or written out without any secret.

use admin_templates::page::Notice;
use poem::web::{Data, Path};
use poem::{Response, handler};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{ProviderExport, ProviderRef, Providers};
use server_rooms::reports::Reports;
use shared::link::rules;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::FormData;
use super::super::super::session::Admin;
use super::super::form_errors::again;
use super::{field_error, form, path, refused, view};

/// `POST /admin/providers/{name}/copy`
#[handler]
pub(in super::super) async fn copy(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let name = posted.text("name");
    let wrong = match rules::name(name) {
        Err(broken) => vec![form::wrong("name", broken)],
        Ok(()) => match providers.copy(&who.actor(), &of, name).await {
            Ok(made) => {
                let made = ProviderRef::new(&made.answer.name, of.gateway.clone());
                return who.done(&path(&made), &Notice::Created);
            }
            Err(error) => vec![field_error(error, "name")?],
        },
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    view.copy = again(&posted, &["name"], wrong);
    who.show_again(&view).await
}

fn file(name: &str, exports: &[ProviderExport], missing: &[String]) -> Result<Response, PageError> {
    let file = ProviderExport::file(exports, missing);
    let text = serde_json::to_string_pretty(&file).map_err(|_| PageError::Internal)?;
    Ok(Response::builder()
        .content_type("application/json; charset=utf-8")
        .header(
            "content-disposition",
            format!("attachment; filename=\"{name}.json\""),
        )
        .body(text))
}

/// `GET /admin/providers/{name}/export.json`
#[handler]
pub(in super::super) async fn export(
    _who: Admin,
    Path(name): Path<String>,
    providers: Data<&Providers>,
) -> Result<Response, PageError> {
    let of = ProviderRef::parse(&name);
    let export = providers.export(&of).await.map_err(refused)?;
    // A provider's name has no letter that a file's must not have.
    file(&export.provider.name.clone(), &[export], &[])
}

/// `GET /admin/providers/export.json`
#[handler]
pub(in super::super) async fn export_all(
    _who: Admin,
    providers: Data<&Providers>,
) -> Result<Response, PageError> {
    let (exports, missing) = providers.export_all().await.map_err(refused)?;
    file("providers", &exports, &missing)
}
