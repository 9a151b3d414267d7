//! Several keys of a provider changed alike: those that are ticked, or all with a tag.

use admin_templates::form::FieldError;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::providers::{ProviderRef, Providers};
use server_rooms::reports::Reports;
use shared::id::ProviderKeyId;
use shared::link::key_batch::KeysChange;

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData};
use super::super::form_errors::{FormErrors, again};
use super::{Editor, field_error, form, path, terms, view};

/// The fields of the form beside the terms.
const NAMES: [&str; 3] = ["tag", "weight", "sure"];

/// The change that a form asks for, or all that is wrong with it.
fn drafted(posted: &FormData) -> Result<(KeysChange, Notice), Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let keys = posted.several("key").iter().map(|id| parsed(id));
    let keys: Result<Vec<ProviderKeyId>, PageError> = keys.collect();
    let keys = errors.take(keys.map_err(|_| ("", FieldError::Unknown)));
    let keys = keys.unwrap_or_default();
    let tag = posted.optional("tag").map(str::to_owned);
    match (&tag, keys.as_slice()) {
        (None, []) => errors.add("", FieldError::ChooseKeys),
        (Some(_), [_, ..]) => errors.add("tag", FieldError::KeysOrTag),
        _ => {}
    }
    let mut change = KeysChange {
        keys,
        tag,
        ..KeysChange::default()
    };
    let notice = match posted.text("do") {
        "enable" => {
            change.status = Some("active".to_owned());
            Notice::Enabled
        }
        "disable" => {
            change.status = Some("disabled".to_owned());
            Notice::Disabled
        }
        "delete" => {
            change.delete = true;
            if !posted.is_ticked("sure") {
                errors.add("sure", FieldError::Unsure);
            }
            Notice::Deleted
        }
        _ => {
            change.terms = errors.take_all(terms::change(posted)).unwrap_or_default();
            if posted.optional("weight").is_some() {
                change.weight = errors.take(form::weight(posted));
            } else if change.terms.is_nothing() {
                errors.add("", FieldError::NothingToChange);
            }
            Notice::Saved
        }
    };
    errors.unless(Some((change, notice)))
}

/// `POST /admin/providers/{name}/keys/batch`
#[handler]
pub(in super::super) async fn change_keys(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
    reports: Data<&Reports>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let wrong = match drafted(&posted) {
        Ok((change, notice)) => {
            // Of a tag that no key has, the form is to blame.
            let is_by_tag = change.tag.is_some();
            match providers.change_keys(&who.actor(), &of, change).await {
                Ok(_) => return who.done(&path(&of), &notice),
                Err(error) if is_by_tag && error.is_not_found() => {
                    vec![("tag", FieldError::Unknown)]
                }
                Err(error) => vec![field_error(error, "")?],
            }
        }
        Err(wrong) => wrong,
    };
    let mut view = view(&providers, &reports, &of, who.now()).await?;
    view.batch = again(&posted, &[&NAMES, &terms::CHANGES[..]].concat(), wrong);
    let chosen = posted.several("key");
    for row in &mut view.keys {
        row.is_chosen = chosen.contains(&row.id);
    }
    who.show_again(&view).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(body: &str) -> Vec<&'static str> {
        let posted = FormData::parse(body.as_bytes()).expect("a form");
        let wrong = drafted(&posted).expect_err("wrong");
        wrong.into_iter().map(|(name, _)| name).collect()
    }

    fn asked(body: &str) -> KeysChange {
        let posted = FormData::parse(body.as_bytes()).expect("a form");
        drafted(&posted).expect("a change").0
    }

    #[test]
    fn keys_are_chosen_one_way_and_something_is_done_with_them() {
        assert_eq!(blamed("do=disable"), [""]);
        assert_eq!(blamed("do=change&tag=eu"), [""], "nothing is changed");
        assert_eq!(blamed("do=delete&tag=eu"), ["sure"]);
        assert_eq!(
            blamed("do=change&tag=eu&weight=101&priority=x"),
            ["priority", "weight"]
        );
        let id = ProviderKeyId::random();
        assert_eq!(blamed(&format!("do=enable&tag=eu&key={id}")), ["tag"]);
        assert_eq!(
            blamed(&format!("do=delete&sure=on&key={id}&key=nonsense"))[0],
            ""
        );
        let change = asked(&format!("do=delete&sure=on&key={id}&weight=x"));
        assert_eq!((change.keys, change.delete), (vec![id], true));
    }

    #[test]
    fn a_form_becomes_the_change_that_it_says() {
        let change = asked("do=disable&tag=eu&weight=7");
        assert_eq!(change.status.as_deref(), Some("disabled"));
        assert_eq!((change.weight, change.delete), (None, false));
        let change = asked("do=change&tag=eu&weight=7&tokens_per_day=0");
        assert_eq!((change.weight, change.status), (Some(7), None));
        assert_eq!(change.terms.tokens_per_day, Some(0));
        assert!(asked("do=delete&tag=eu&sure=on").delete);
    }
}
