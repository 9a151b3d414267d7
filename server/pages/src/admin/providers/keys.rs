//! Keys of a provider: added, tested, switched, replaced and deleted.

use admin_templates::admin::providers::KeyTest as TestView;
use admin_templates::form::Form;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{ProviderRef, Providers};
use server_rooms::reports::Reports;
use shared::id::ProviderKeyId;
use shared::link::{KeyTest, KeyVerdict, NewProviderKey, ProviderKeyPatch};

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::session::Admin;
use super::super::form_errors::again;
use super::form::drafted_key;
use super::{Editor, field_error, form, found, path, refused, terms, view};

pub(super) fn test_view(test: KeyTest) -> TestView {
    TestView {
        accepted: test.ok,
        can_be_told: test.verdict != KeyVerdict::Unknown,
        status: test.status,
        latency_ms: test.latency_ms,
        detail: test.detail,
    }
}

/// `POST /admin/providers/{name}/keys`
#[handler]
pub(in super::super) async fn add_key(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let rule = found(&providers, &of).await?.secret;
    let wrong = match drafted_key(&posted, rule) {
        Ok(new) => match providers.create_key(&who.actor(), &of, new).await {
            Ok(_) => return who.done(&path(&of), &Notice::Created),
            Err(error) => vec![field_error(error, "secret")?],
        },
        Err(wrong) => wrong,
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    let names = ["label", "weight", "secret", terms::HEADERS];
    view.add = again(&posted, &[&names, &terms::NAMES[..]].concat(), wrong);
    who.show_again(&view).await
}

/// `POST /admin/providers/{name}/keys/{key}/test`: the page again, with what came of it.
#[handler]
pub(in super::super) async fn test_key(
    who: Admin<kind::EditProviders>,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let (of, key): (_, ProviderKeyId) = (ProviderRef::parse(&name), parsed(&key)?);
    let model = posted.optional("model");
    let test = providers.test_key(&of, &key, model).await;
    let test = test.map_err(refused)?.answer;
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    let row = view.keys.iter_mut().find(|row| row.id == key.as_str());
    row.ok_or(PageError::NotFound)?.test = Some(test_view(test));
    who.show(&view).await
}

async fn set_status(
    who: &Admin<kind::EditProviders>,
    providers: &Providers,
    (name, key): (String, String),
    (status, notice): (&str, Notice),
) -> PageResult {
    let patch = ProviderKeyPatch {
        status: Some(status.to_owned()),
        ..ProviderKeyPatch::default()
    };
    let (of, key) = (ProviderRef::parse(&name), parsed(&key)?);
    let actor = who.actor();
    let changed = providers.update_key(&actor, (&of, &key), patch);
    changed.await.map_err(refused)?;
    who.done(&path(&of), &notice)
}

/// `POST /admin/providers/{name}/keys/{key}/disable`
#[handler]
pub(in super::super) async fn disable_key(
    who: Admin<kind::EditProviders>,
    Path(ids): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    set_status(&who, &providers, ids, ("disabled", Notice::Disabled)).await
}

/// `POST /admin/providers/{name}/keys/{key}/enable`
#[handler]
pub(in super::super) async fn enable_key(
    who: Admin<kind::EditProviders>,
    Path(ids): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    set_status(&who, &providers, ids, ("active", Notice::Enabled)).await
}

/// `POST /admin/providers/{name}/keys/{key}/delete`
#[handler]
pub(in super::super) async fn delete_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    let (of, key) = (ProviderRef::parse(&name), parsed(&key)?);
    let deleted = providers.delete_key(&who.actor(), &of, &key).await;
    deleted.map_err(refused)?;
    who.done(&path(&of), &Notice::Deleted)
}

/// Puts a key of the same name and share in a key's place; the one before ends once the new one is
/// there, so that the pool is never without.
async fn replace(
    who: &Editor,
    providers: &Providers,
    of: &ProviderRef,
    (id, posted): (&ProviderKeyId, &FormData),
) -> Result<Option<FieldProblem>, PageError> {
    let rule = found(providers, of).await?.secret;
    let keys = providers.keys(of).await.map_err(refused)?.answer;
    let old = keys.into_iter().find(|key| key.id == *id);
    let old = old.ok_or(PageError::NotFound)?;
    let new = match form::secret(posted.secret("secret").expose(), rule) {
        Ok(secret) => NewProviderKey {
            secret,
            label: old.label,
            weight: old.weight,
            // Its headers are shown to nobody: they are entered again.
            terms: old.terms,
        },
        Err(wrong) => return Ok(Some(wrong)),
    };
    let actor = who.actor();
    if let Err(error) = providers.create_key(&actor, of, new).await {
        return field_error(error, "secret").map(Some);
    }
    let deleted = providers.delete_key(&actor, of, id).await;
    deleted.map_err(refused)?;
    Ok(None)
}

/// `POST /admin/providers/{name}/keys/{key}/rotate`
#[handler]
pub(in super::super) async fn rotate_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let (of, id) = (ProviderRef::parse(&name), parsed(&key)?);
    let wrong = replace(&who, &providers, &of, (&id, &posted)).await?;
    let Some((field, error)) = wrong else {
        return who.done(&path(&of), &Notice::Saved);
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    view.rotate = Form::default().wrong(field, error);
    view.rotating = key;
    who.show_again(&view).await
}
