//! The API's documentation as pages of the product: `/portal/docs` for whoever comes, with what tenants
//! call, and `/admin/docs` for superadmins, with everything. Made of the API's own document, so that a route
//! can't be forgotten; holds no route itself.

pub(crate) mod calls;
pub(crate) mod routes;
mod schema;

use std::sync::Arc;

use admin_templates::docs::ApiDocs;
use poem::web::Data;
use poem::{Request, handler};
use serde_json::Value;
use server_rooms::browser_sessions::Person;
use server_rooms::catalogue::{Catalogue, Model};
use shared::link::Operation;

use self::routes::{DocsInput, ExampleModels};
use super::error::PageResult;
use super::page_context::PageContext;
use super::session::Admin;

/// The API's document, as the API serves it.
#[derive(Debug, Clone)]
pub struct ApiDocument(Arc<Value>);

impl ApiDocument {
    /// Of its text; a text that is none has no routes.
    pub fn new(text: &str) -> Self {
        Self(Arc::new(serde_json::from_str(text).unwrap_or_default()))
    }
}

/// The first model of each kind that `may` be used; the sandbox's where there is none.
pub(super) fn example_models(catalogue: &Catalogue, may: impl Fn(&Model) -> bool) -> ExampleModels {
    let models = catalogue.models();
    let of = |operation: Operation| {
        let mut fitting = models
            .iter()
            .filter(|model| model.enabled && model.operation == operation && may(model));
        let word = operation.word();
        fitting
            .next()
            .map_or_else(|| format!("sandbox-{word}"), |model| model.id.clone())
    };
    ExampleModels {
        chat: of(Operation::Chat),
        completion: of(Operation::Completion),
        embedding: of(Operation::Embedding),
        image: of(Operation::Image),
        moderation: of(Operation::Moderation),
    }
}

fn view(
    context: &PageContext,
    request: &Request,
    (document, catalogue): (&ApiDocument, &Catalogue),
    with_admin: bool,
) -> ApiDocs {
    let person = context.browser().map(|browser| &browser.person);
    // Which models there are is told to those alone who have a session.
    let may = |model: &Model| match person {
        None => false,
        Some(Person::User(_, tenant)) => {
            let list = tenant.allowed_models.as_ref();
            list.is_none_or(|allowed| allowed.contains(&model.id))
        }
        Some(Person::Superadmin(_)) => true,
    };
    let base = context.client_base(request);
    let models = example_models(catalogue, may);
    let groups = routes::groups(DocsInput {
        document: &document.0,
        base: &base,
        models: &models,
        with_admin,
    });
    ApiDocs {
        base_url: base,
        with_admin,
        groups,
    }
}

/// `GET /portal/docs`; nobody has to sign in for it.
#[handler]
pub(super) async fn portal_docs(
    context: PageContext,
    request: &Request,
    document: Data<&ApiDocument>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let view = view(&context, request, (&document, &catalogue), false);
    context.show_unreflected(&view).await
}

/// `GET /admin/docs`
#[handler]
pub(super) async fn admin_docs(
    who: Admin,
    request: &Request,
    document: Data<&ApiDocument>,
    catalogue: Data<&Catalogue>,
) -> PageResult {
    let view = view(&who, request, (&document, &catalogue), true);
    who.show_unreflected(&view).await
}
