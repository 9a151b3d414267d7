//! Many keys of a provider at once: a line for each, added one after the other.

use admin_templates::admin::providers::{BulkAdd, BulkLine};
use admin_templates::form::{FieldError, Form};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{GatewayAnswer, ProviderRef, Providers};
use shared::link::connectors::SecretRule;
use shared::link::{KeyTerms, NewProviderKey, rules};

use super::super::super::error::PageResult;
use super::super::super::form::FormData;
use super::super::super::session::Admin;
use super::super::length;
use super::{Editor, form, found};

/// Lines of a bulk at most; each is a call over the link.
const BULK_MAX: usize = 200;

fn bulk_view(of: &ProviderRef, form: Form) -> BulkAdd {
    BulkAdd {
        provider: of.name.clone(),
        reference: of.to_string(),
        form,
        results: Vec::new(),
    }
}

/// `GET /admin/providers/{name}/keys/bulk`
#[handler]
pub(in super::super) async fn bulk_page(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    found(&providers, &of).await?;
    let form = Form::of([("weight", "1"), ("test", "on")]);
    who.show(&bulk_view(&of, form)).await
}

/// How the keys of a bulk are added.
struct Bulk {
    of: ProviderRef,
    rule: SecretRule,
    weight: u32,
    tests: bool,
}

/// Adds the key of one line, and tries it.
async fn bulk_line(who: &Editor, providers: &Providers, bulk: &Bulk, line: &str) -> (bool, String) {
    let (secret, label) = rules::first_secret(line, bulk.rule);
    let new = match (form::secret(secret, bulk.rule), form::label(label)) {
        (Ok(secret), Ok(label)) => NewProviderKey {
            secret,
            label,
            weight: bulk.weight,
            terms: KeyTerms::default(),
        },
        (Err((_, error)), _) | (_, Err((_, error))) => {
            return (false, error.text(&who.page().await));
        }
    };
    let actor = who.actor();
    let made = match providers.create_key(&actor, &bulk.of, new).await {
        Ok(made) => made.answer,
        Err(error) => return (false, error.to_string()),
    };
    if !bulk.tests {
        return (true, String::new());
    }
    match providers.test_key(&bulk.of, &made.id, None).await {
        Ok(GatewayAnswer { answer: test, .. }) if test.ok => {
            (true, format!("{} ms", test.latency_ms))
        }
        Ok(GatewayAnswer { answer: test, .. }) => (true, test.detail),
        Err(error) => (true, error.to_string()),
    }
}

/// `POST /admin/providers/{name}/keys/bulk`
#[handler]
pub(in super::super) async fn bulk_add(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let rule = found(&providers, &of).await?.secret;
    let typed = posted.secret("secrets");
    let lines = typed.expose().lines().map(str::trim).enumerate();
    let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| !line.is_empty()).collect();
    let filled = posted.again(&["weight", "test"]);
    let weight = form::weight(&posted);
    let wrong = match (&weight, lines.len()) {
        (Err(wrong), _) => Some(wrong.clone()),
        (Ok(_), 0) => Some(("secrets", FieldError::Required)),
        (Ok(_), many) if many > BULK_MAX => {
            Some(("secrets", FieldError::OutOfRange(1, length(BULK_MAX))))
        }
        (Ok(_), _) => None,
    };
    if let Some((field, error)) = wrong {
        let view = bulk_view(&of, filled.wrong(field, error));
        return who.show_again(&view).await;
    }
    let mut view = bulk_view(&of, filled);
    let bulk = Bulk {
        of,
        rule,
        weight: weight.unwrap_or(1),
        tests: posted.is_ticked("test"),
    };
    for (place, line) in lines {
        let (added, detail) = bulk_line(&who, &providers, &bulk, line).await;
        let (secret, _) = rules::first_secret(line, bulk.rule);
        view.results.push(BulkLine {
            number: length(place).saturating_add(1),
            last4: form::last4(secret),
            added,
            detail,
        });
    }
    who.show(&view).await
}
