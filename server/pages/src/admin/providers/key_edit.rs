//! One key of a provider: its name, its share and its terms.

use admin_templates::admin::provider_keys::ProviderKeyEdit;
use admin_templates::form::Form;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{ProviderRef, Providers};
use shared::id::ProviderKeyId;
use shared::link::connectors::SecretRule;
use shared::link::{ProviderKeyPatch, ProviderKeyView};

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::session::Admin;
use super::super::form_errors::{FormErrors, again};
use super::{Editor, field_error, form, found, path, refused, terms};

async fn key_of(
    providers: &Providers,
    of: &ProviderRef,
    id: &str,
) -> Result<ProviderKeyView, PageError> {
    let id: ProviderKeyId = parsed(id)?;
    let keys = providers.keys(of).await.map_err(refused)?.answer;
    let key = keys.into_iter().find(|key| key.id == id);
    key.ok_or(PageError::NotFound)
}

fn edit_view(of: &ProviderRef, key: ProviderKeyView, form: Form) -> ProviderKeyEdit {
    ProviderKeyEdit {
        provider: of.name.clone(),
        reference: of.to_string(),
        id: key.id.into_string(),
        last4: key.last4,
        form,
        header_names: key.header_names,
    }
}

/// `GET /admin/providers/{name}/keys/{key}/edit`
#[handler]
pub(in super::super) async fn key_page(
    who: Admin<kind::EditProviders>,
    Path((name, key)): Path<(String, String)>,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let key = key_of(&providers, &of, &key).await?;
    let weight = key.weight.to_string();
    let mut form = Form::of([("label", key.label.as_str()), ("weight", &weight)]);
    let values = terms::values(&key.terms).map(|(name, value)| (name.to_owned(), value));
    form.values.extend(values);
    who.show(&edit_view(&of, key, form)).await
}

/// A change of a key, or all that is wrong with it.
fn drafted(posted: &FormData, rule: SecretRule) -> Result<ProviderKeyPatch, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let label = errors.take(form::label(posted.text("label")));
    let weight = errors.take(form::weight(posted));
    let terms = errors.take_all(terms::drafted(posted));
    let typed = posted.secret("secret");
    let secret = match typed.expose().trim() {
        "" => None,
        text => errors.take(form::secret(text, rule)),
    };
    let patch = ProviderKeyPatch {
        status: None,
        weight,
        label,
        secret,
        terms,
    };
    errors.unless(Some(patch))
}

/// `POST /admin/providers/{name}/keys/{key}/edit`
#[handler]
pub(in super::super) async fn edit_key(
    who: Editor,
    Path((name, key)): Path<(String, String)>,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let rule = found(&providers, &of).await?.secret;
    let key = key_of(&providers, &of, &key).await?;
    let wrong = match drafted(&posted, rule) {
        Ok(patch) => {
            let actor = who.actor();
            let changed = providers.update_key(&actor, (&of, &key.id), patch);
            match changed.await {
                Ok(_) => return who.done(&path(&of), &Notice::Saved),
                Err(error) => vec![field_error(error, "secret")?],
            }
        }
        Err(wrong) => wrong,
    };
    let names = ["label", "weight", "secret", "drop_headers", terms::HEADERS];
    let form = again(&posted, &[&names, &terms::NAMES[..]].concat(), wrong);
    who.show_again(&edit_view(&of, key, form)).await
}
