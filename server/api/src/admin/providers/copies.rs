//! Providers as they are taken elsewhere: copied, written out without any secret, and made again out of it.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::auth::roles::kind;
use server_rooms::providers::import::{
    IMPORT_KEYS_MAX, IMPORT_MAX, ImportWish, Imported, ImportedProvider, KeyImport, ProviderImport,
};
use server_rooms::providers::{ProviderExport, ProviderRef, Providers};
use shared::link::{NewProvider, NewProviderKey, ProviderKeyView};
use shared::secret::Secret;

use super::bodies::ProviderBody;
use super::options::ProviderOptionsBody;
use super::terms::KeyTermsBody;
use crate::answer::Created;
use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// A copy to be made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CopyProviderBody {
    /// The name of the copy: 1 to 40 of `a-z 0-9 -`.
    pub name: String,
}

/// A key as it is written out: never its secret, nor what its headers say. An import takes both.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ExportedKeyBody {
    /// Your name for it.
    #[oai(default)]
    pub label: String,
    /// Its secret, for an import alone: sealed at the gateway and never shown again. Of a key without it
    /// nothing is made.
    #[oai(write_only)]
    pub secret: Option<String>,
    /// The last four characters of the secret; an import does not look at it.
    #[oai(default)]
    pub last4: String,
    /// Its share, 1 to 100.
    #[oai(default = "one")]
    pub weight: u32,
    /// `active`, `cooling`, `parked` or `disabled`; an import looks whether it is `disabled`.
    #[oai(default = "active")]
    pub status: String,
    /// On what terms it is used.
    #[oai(default)]
    pub terms: KeyTermsBody,
    /// The names of its headers; an import does not look at them.
    #[oai(default)]
    pub header_names: Vec<String>,
}

fn one() -> u32 {
    1
}

fn active() -> String {
    "active".to_owned()
}

impl std::fmt::Debug for ExportedKeyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportedKeyBody")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl From<ProviderKeyView> for ExportedKeyBody {
    fn from(key: ProviderKeyView) -> Self {
        Self {
            label: key.label,
            secret: None,
            last4: key.last4,
            weight: key.weight,
            status: key.status,
            terms: key.terms.into(),
            header_names: key.header_names,
        }
    }
}

impl ExportedKeyBody {
    /// The key to be made; nothing without its secret.
    fn import(self) -> Option<KeyImport> {
        Some(KeyImport {
            enabled: self.status != "disabled",
            new: NewProviderKey {
                secret: Secret::new(self.secret?),
                label: self.label,
                weight: self.weight,
                terms: self.terms.into(),
            },
        })
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
    /// Its keys. An import makes those that have a secret.
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
        let told = body.keys.len();
        let keys = body.keys.into_iter().filter_map(ExportedKeyBody::import);
        let keys: Vec<KeyImport> = keys.collect();
        Self {
            enabled: body.enabled,
            keys_without_secret: told.saturating_sub(keys.len()),
            keys,
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
    /// `made`; `exists` where there is one of the name, whose settings are left as they are; `changed` where
    /// it got those of the file; or `refused`. Of a dry run what would come of it.
    pub outcome: String,
    /// Why it was refused.
    pub detail: Option<String>,
    /// In which settings the one that is there differs from the file: `base_url`, `enabled`, `options`.
    pub differs: Vec<String>,
    /// Keys that were added.
    pub keys_added: usize,
    /// Keys that the pool has, or that stand in the file twice; they are left out.
    pub keys_known: usize,
    /// Keys that stood in the file and need their secrets entered.
    pub keys_without_secret: usize,
}

impl From<ImportedProvider> for ImportedProviderBody {
    fn from(one: ImportedProvider) -> Self {
        let (word, detail) = match one.outcome {
            Imported::Made => ("made", None),
            Imported::Changed => ("changed", None),
            Imported::Exists => ("exists", None),
            Imported::Refused(why) => ("refused", Some(why)),
        };
        Self {
            name: one.name,
            outcome: word.to_owned(),
            detail,
            differs: one.differs.into_iter().map(str::to_owned).collect(),
            keys_added: one.keys_added,
            keys_known: one.keys_known,
            keys_without_secret: one.keys_without_secret,
        }
    }
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
    /// Copies all settings under another name at the same gateway, without the keys.
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
    /// All of them or one, with their settings and key details, without secrets and without the values of
    /// key headers.
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
    /// As an export has them, one after the other, each whole with its keys or not at all. Those whose name
    /// there is keep their settings unless `update` is said, and get the keys that they lack, so that a file
    /// may be sent again. Secrets of keys are in no export; those that are written into a file are taken.
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
        /// Only tells what would come of it
        dry_run: Query<Option<bool>>,
        /// Gives providers that are there the settings of the file
        update: Query<Option<bool>>,
        body: Json<ProviderFileBody>,
    ) -> Result<Json<ProvidersImportedBody>, ApiError> {
        let file = body.0.providers;
        if file.is_empty() || file.len() > IMPORT_MAX {
            let message = format!("`providers` must have 1 to {IMPORT_MAX} of them.");
            return Err(ApiError::bad_field("providers", message));
        }
        if file.iter().map(|one| one.keys.len()).sum::<usize>() > IMPORT_KEYS_MAX {
            let message = format!("`providers` must have {IMPORT_KEYS_MAX} keys at most.");
            return Err(ApiError::bad_field("providers", message));
        }
        let imports: Vec<ProviderImport> = file.into_iter().map(Into::into).collect();
        let wish = ImportWish {
            dry_run: dry_run.0.unwrap_or(false),
            update: update.0.unwrap_or(false),
        };
        let (actor, gateway) = (caller.actor(), gateway.0.as_deref());
        let done = self
            .providers
            .import(&actor, gateway, &imports, wish)
            .await?;
        Ok(Json(ProvidersImportedBody {
            data: done.into_iter().map(Into::into).collect(),
        }))
    }
}
