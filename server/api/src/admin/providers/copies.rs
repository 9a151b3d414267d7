//! Providers as they are taken elsewhere: copied, written out without any secret, and made again out of it.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{Imported, ProviderExport, ProviderImport, ProviderRef, Providers};
use shared::link::{NewProvider, ProviderKeyView};

use super::bodies::ProviderBody;
use super::options::ProviderOptionsBody;
use super::terms::KeyTermsBody;
use crate::answer::Created;
use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Providers of one import at most; a gateway has no more.
const IMPORT_MAX: usize = 200;

/// A copy to be made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CopyProviderBody {
    /// The name of the copy: 1 to 40 of `a-z 0-9 -`.
    pub name: String,
}

/// A key as it is written out: never its secret, nor what its headers say.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ExportedKeyBody {
    /// Your name for it.
    pub label: String,
    /// The last four characters of the secret.
    pub last4: String,
    /// Its share.
    pub weight: u32,
    /// `active`, `cooling` or `disabled`.
    pub status: String,
    /// On what terms it is used.
    pub terms: KeyTermsBody,
    /// The names of its headers.
    #[oai(default)]
    pub header_names: Vec<String>,
}

impl From<ProviderKeyView> for ExportedKeyBody {
    fn from(key: ProviderKeyView) -> Self {
        Self {
            label: key.label,
            last4: key.last4,
            weight: key.weight,
            status: key.status,
            terms: key.terms.into(),
            header_names: key.header_names,
        }
    }
}

/// A provider as it is written out.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ExportedProviderBody {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub kind: String,
    /// Where it answers.
    #[oai(default)]
    pub base_url: String,
    /// Whether it takes calls.
    #[oai(default = "on")]
    pub enabled: bool,
    /// How it differs from its kind.
    pub options: Option<ProviderOptionsBody>,
    /// The gateway that had it; an import does not look at it.
    pub gateway: Option<String>,
    /// Its keys. An import does not make them, since their secrets are not here.
    #[oai(default)]
    pub keys: Vec<ExportedKeyBody>,
}

fn on() -> bool {
    true
}

impl From<ProviderExport> for ExportedProviderBody {
    fn from(export: ProviderExport) -> Self {
        let view = export.provider;
        Self {
            name: view.name,
            kind: view.kind,
            base_url: view.base_url,
            enabled: view.enabled,
            options: Some(view.options.into()),
            gateway: Some(export.gateway),
            keys: export.keys.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ExportedProviderBody> for ProviderImport {
    fn from(body: ExportedProviderBody) -> Self {
        Self {
            enabled: body.enabled,
            new: NewProvider {
                name: body.name,
                kind: body.kind,
                base_url: body.base_url,
                options: body.options.map(Into::into).unwrap_or_default(),
            },
        }
    }
}

/// Providers, written out; `POST /import/providers` takes it as it is.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ProviderFileBody {
    /// The providers.
    pub providers: Vec<ExportedProviderBody>,
    /// Gateways that did not answer, so that their providers are missing.
    #[oai(default)]
    pub missing: Vec<String>,
}

/// What came of one provider of an import.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ImportedProviderBody {
    /// Its name.
    pub name: String,
    /// `made`, `exists` where there is one of the name, which was left as it is, or `refused`.
    pub outcome: String,
    /// Why it was refused.
    pub detail: Option<String>,
    /// Keys that stood in the file and need their secrets entered.
    pub keys_without_secret: usize,
}

/// What came of an import.
#[derive(Debug, Clone, Object)]
pub struct ProvidersImportedBody {
    /// One for each provider, in their order.
    pub data: Vec<ImportedProviderBody>,
}

/// Copies of providers for the superadmin.
#[derive(Debug, Clone)]
pub struct ProviderCopiesApi {
    /// The gateway's providers.
    pub providers: Providers,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl ProviderCopiesApi {
    /// Copy a provider
    ///
    /// With all of its settings, under another name at the same gateway, and without its keys.
    #[oai(
        path = "/providers/:name/copy",
        method = "post",
        operation_id = "admin_copy_provider"
    )]
    async fn copy(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<CopyProviderBody>,
    ) -> Result<Created<ProviderBody>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let (actor, name) = (caller.actor(), &body.0.name);
        let made = self.providers.copy(&actor, &of, name).await?;
        Ok(Created::Made(Json(made.into())))
    }

    /// Export providers
    ///
    /// All of them, or one, with their settings and what is told of their keys: no secret, and not what
    /// keys' headers say.
    #[oai(
        path = "/export/providers",
        method = "get",
        operation_id = "admin_export_providers"
    )]
    async fn export(
        &self,
        _caller: SuperadminCaller,
        /// One of them only
        name: Query<Option<String>>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
    ) -> Result<Json<ProviderFileBody>, ApiError> {
        let (exports, missing) = match name.0 {
            Some(name) => {
                let of = ProviderRef::new(name, gateway.0);
                (vec![self.providers.export(&of).await?], Vec::new())
            }
            None => self.providers.export_all().await?,
        };
        Ok(Json(ProviderFileBody {
            providers: exports.into_iter().map(Into::into).collect(),
            missing,
        }))
    }

    /// Import providers
    ///
    /// As an export has them, one after the other. Those whose name there is stay as they are, so that a file
    /// may be sent again. Keys are not made, since their secrets are not in it.
    #[oai(
        path = "/import/providers",
        method = "post",
        operation_id = "admin_import_providers"
    )]
    async fn import(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        /// The gateway to make them at, by its name or its host and port; needed where the gateways have
        /// several databases.
        gateway: Query<Option<String>>,
        body: Json<ProviderFileBody>,
    ) -> Result<Json<ProvidersImportedBody>, ApiError> {
        let file = body.0.providers;
        if file.is_empty() || file.len() > IMPORT_MAX {
            let message = format!("`providers` must have 1 to {IMPORT_MAX} of them.");
            return Err(ApiError::bad_field("providers", message));
        }
        let told: Vec<(String, usize)> = file
            .iter()
            .map(|one| (one.name.clone(), one.keys.len()))
            .collect();
        let imports = file.into_iter().map(Into::into).collect();
        let actor = caller.actor();
        let gateway = gateway.0.as_deref();
        let outcomes = self.providers.import(&actor, gateway, imports).await?;
        let data = told.into_iter().zip(outcomes);
        let data = data.map(|((name, keys), outcome)| {
            let (word, detail) = match outcome {
                Imported::Made(_) => ("made", None),
                Imported::Exists => ("exists", None),
                Imported::Refused(error) => ("refused", Some(error.to_string())),
            };
            ImportedProviderBody {
                name,
                outcome: word.to_owned(),
                detail,
                keys_without_secret: keys,
            }
        });
        Ok(Json(ProvidersImportedBody {
            data: data.collect(),
        }))
    }
}
