//! Providers out of a file: what would come of it is shown first, and what was looked at comes back sealed,
//! since a file may have secrets and a secret is never filled in again.

use admin_templates::admin::provider_import::{ImportedRow, ProviderImportPage};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::ImportedState;
use poem::handler;
use poem::web::Data;
use serde::Deserialize;
use server_rooms::auth::roles::kind;
use server_rooms::providers::import::{
    IMPORT_KEYS_MAX, IMPORT_MAX, ImportWish, Imported, ImportedProvider, KeyImport, ProviderImport,
};
use server_rooms::providers::{ProviderError, ProviderRef, Providers};
use shared::link::options::ProviderOptions;
use shared::link::{KeyTerms, NewProvider, NewProviderKey};
use shared::secret::Secret;

use super::super::super::error::PageResult;
use super::super::super::form::FormData;
use super::super::super::session::Admin;
use super::super::length;
use super::{Editor, refused};

/// What is sealed for the next form must fit into one; a larger file is for the API.
const FILE_BYTES_MAX: usize = 150_000;
/// Its form has a file, which the guard of pages takes at this place.
pub(in super::super) const PATH: &str = "/admin/provider-import";
/// What a draft is sealed for; no provider may have this name.
const PLACE: &str = "import|file";

/// The file that an export is; [`ProviderImport`] has what it says. What does not matter here is taken as it
/// comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    providers: Vec<FileProvider>,
    #[serde(default, rename = "missing")]
    _missing: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileProvider {
    name: String,
    kind: String,
    #[serde(default)]
    base_url: String,
    #[serde(default = "on")]
    enabled: bool,
    #[serde(default)]
    options: Option<ProviderOptions>,
    #[serde(default, rename = "gateway")]
    _gateway: serde::de::IgnoredAny,
    #[serde(default)]
    keys: Vec<FileKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKey {
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    label: String,
    #[serde(default = "one")]
    weight: u32,
    #[serde(default)]
    status: String,
    #[serde(default)]
    terms: KeyTerms,
    #[serde(default, rename = "last4")]
    _last4: serde::de::IgnoredAny,
    #[serde(default, rename = "header_names")]
    _header_names: serde::de::IgnoredAny,
}

fn on() -> bool {
    true
}

fn one() -> u32 {
    1
}

impl From<FileProvider> for ProviderImport {
    fn from(file: FileProvider) -> Self {
        let told = file.keys.len();
        let keys = file.keys.into_iter().filter_map(|key| {
            Some(KeyImport {
                enabled: key.status != "disabled",
                new: NewProviderKey {
                    secret: Secret::new(key.secret?),
                    label: key.label,
                    weight: key.weight,
                    terms: key.terms,
                },
            })
        });
        let keys: Vec<KeyImport> = keys.collect();
        Self {
            enabled: file.enabled,
            keys_without_secret: told.saturating_sub(keys.len()),
            keys,
            new: NewProvider {
                name: file.name,
                kind: file.kind,
                base_url: file.base_url,
                options: file.options.unwrap_or_default(),
            },
        }
    }
}

/// What a file says. Of one that can't be read only the place is told: its words may be secrets.
fn read(text: &str) -> Result<Vec<ProviderImport>, FieldError> {
    if text.trim().is_empty() {
        return Err(FieldError::Required);
    }
    if text.len() > FILE_BYTES_MAX {
        return Err(FieldError::TooLong(length(FILE_BYTES_MAX)));
    }
    let file: File = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        FieldError::Words(format!("JSON: {line}:{column}"))
    })?;
    let keys: usize = file.providers.iter().map(|one| one.keys.len()).sum();
    if file.providers.is_empty() || file.providers.len() > IMPORT_MAX || keys > IMPORT_KEYS_MAX {
        return Err(FieldError::OutOfRange(1, length(IMPORT_MAX)));
    }
    Ok(file.providers.into_iter().map(Into::into).collect())
}

fn row(one: ImportedProvider, is_done: bool) -> ImportedRow {
    let differs = !one.differs.is_empty();
    let (state, detail) = match one.outcome {
        Imported::Made if is_done => (ImportedState::Made, String::new()),
        Imported::Made => (ImportedState::New, String::new()),
        Imported::Changed => (ImportedState::Changed, String::new()),
        Imported::Exists if differs => (ImportedState::Differs, String::new()),
        Imported::Exists => (ImportedState::Same, String::new()),
        Imported::Refused(why) => (ImportedState::Refused, why),
    };
    ImportedRow {
        name: one.name,
        state,
        differs: one.differs.join(", "),
        keys_added: length(one.keys_added),
        keys_known: length(one.keys_known),
        keys_without_secret: length(one.keys_without_secret),
        detail,
    }
}

fn blank(form: Form) -> ProviderImportPage {
    ProviderImportPage {
        form,
        rows: Vec::new(),
        draft: String::new(),
        is_done: false,
    }
}

/// With what is wrong with the file.
fn above(form: Form, wrong: FieldError) -> Form {
    Form {
        error: Some(wrong),
        ..form
    }
}

/// `GET /admin/provider-import`
#[handler]
pub(in super::super) async fn import_page(who: Admin<kind::EditProviders>) -> PageResult {
    who.show(&blank(Form::default())).await
}

/// `POST /admin/provider-import` with a `file`, or with the `draft` of one that was looked at and, where
/// providers that differ are to be changed, `update`.
#[handler]
pub(in super::super) async fn import_file(
    who: Editor,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let (place, actor) = (ProviderRef::new(PLACE, None), who.actor());
    let gateway = posted.optional("gateway").map(str::to_owned);
    let form = posted.again(&["gateway", "update"]);
    let drafted = posted.optional("draft");
    let text = match drafted {
        None => Secret::new(posted.as_typed("file").to_owned()),
        Some(draft) => match providers.open_draft(&actor, &place, draft) {
            Some(text) => text,
            None => {
                return who
                    .show_again(&blank(above(form, FieldError::DraftGone)))
                    .await;
            }
        },
    };
    let imports = match read(text.expose()) {
        Ok(imports) => imports,
        Err(wrong) => return who.show_again(&blank(above(form, wrong))).await,
    };
    let wish = ImportWish {
        dry_run: true,
        update: drafted.is_some() && posted.is_ticked("update"),
    };
    let import = async |wish| {
        let gateway = gateway.as_deref();
        providers.import(&actor, gateway, &imports, wish).await
    };
    let mut told = match import(wish).await {
        Ok(told) => told,
        Err(ProviderError::SayWhich(_) | ProviderError::NoSuchGateway(_)) => {
            let form = form.wrong("gateway", FieldError::Unknown);
            return who.show_again(&blank(form)).await;
        }
        Err(error) => return Err(refused(error)),
    };
    let is_refused = |one: &ImportedProvider| matches!(one.outcome, Imported::Refused(_));
    let mut view = blank(form);
    if told.iter().any(is_refused) {
        // Whoever mends the file wants to do it once.
        view.form.error = Some(FieldError::NothingAdded);
    } else if drafted.is_some() {
        let wish = ImportWish {
            dry_run: false,
            ..wish
        };
        told = import(wish).await.map_err(refused)?;
        view.is_done = true;
    } else {
        view.draft = providers.seal_draft(&actor, &place, &text);
    }
    let is_done = view.is_done;
    view.rows = told.into_iter().map(|one| row(one, is_done)).collect();
    if view.form.error.is_some() {
        return who.show_again(&view).await;
    }
    who.show(&view).await
}
