//! In which order a model's targets are tried where nobody who calls says otherwise: its form. All else that
//! is said of where the model's calls go stays.

use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::Catalogue;
use server_rooms::routing::{RouteRule, RouteSort};

use super::super::super::error::PageResult;
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::session::Admin;
use super::{ModelRooms, field_error, found, path, show_wrong};

const SORT: &str = "sort";

/// The form as it stands.
pub(super) fn filled(catalogue: &Catalogue, id: &str) -> Form {
    let routing = catalogue.routing();
    let sort = routing.of_model(id).and_then(|rule| rule.sort);
    Form::of([(SORT, sort.map_or("", RouteSort::word))])
}

/// What was chosen; by priority and weight where nothing is.
fn sort(posted: &FormData) -> Result<Option<RouteSort>, FieldProblem> {
    let known = |word| RouteSort::from_word(word).ok_or((SORT, FieldError::Unknown));
    posted.optional(SORT).map(known).transpose()
}

/// `POST /admin/models/{id}/order`
#[handler]
pub(in super::super) async fn keep(
    who: Admin<kind::EditModels>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let (field, error) = match sort(&posted) {
        Ok(sort) => {
            let kept = async {
                let known = rooms.catalogue.model_route(&id).await?;
                let rule = RouteRule { sort, ..known };
                let (catalogue, actor) = (&rooms.catalogue, who.actor());
                catalogue.put_model_route(&actor, &id, &rule).await
            };
            match kept.await {
                Ok(()) => return who.done(&path(&id), &Notice::Saved),
                Err(error) => field_error(error, SORT)?,
            }
        }
        Err(wrong) => wrong,
    };
    let form = posted.again(&[SORT]).wrong(field, error);
    show_wrong(&who, &rooms, &model, |view| view.order = form).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_is_read_and_no_other() {
        let read = |body: &str| sort(&FormData::parse(body.as_bytes()).expect("a form"));
        for (body, sort) in [
            ("", None),
            ("sort=", None),
            ("sort=price", Some(RouteSort::Price)),
            ("sort=latency", Some(RouteSort::Latency)),
            ("sort=throughput", Some(RouteSort::Throughput)),
        ] {
            assert_eq!(read(body), Ok(sort), "{body}");
        }
        assert_eq!(read("sort=luck"), Err((SORT, FieldError::Unknown)));
    }
}
