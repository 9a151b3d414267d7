//! Where a key's calls go: what people of the tenant say of it, on top of what binds all their calls. It
//! forbids and demands more and never less. What the form doesn't show stays.

use std::collections::BTreeSet;

use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, ApiKey, Scopes};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::{Ledger, Spender};
use server_rooms::routing::{NAME_CHARS_MAX, NAMES_MAX, RouteRule, RouteSort};

use super::super::super::data_policy;
use super::super::super::error::{PageError, PageResult};
use super::super::super::form::{FieldProblem, FormData};
use super::super::money;
use super::change::{key_form, open_key};
use super::{Editor, PATH, draft};

/// What the form has beside the policy.
const OWN: [&str; 4] = ["only", "ignore", "order", "sort"];

/// What is said of a key, in a form.
pub(super) fn filled(rule: &RouteRule) -> Form {
    let list = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<&str> = names.map(String::as_str).collect();
        names.join(", ")
    };
    let only = list(&mut rule.only.iter().flatten());
    let (ignore, order) = (list(&mut rule.ignore.iter()), list(&mut rule.order.iter()));
    let mut form = data_policy::filled(&rule.demand);
    let own = Form::of([
        ("only", only.as_str()),
        ("ignore", ignore.as_str()),
        ("order", order.as_str()),
        ("sort", rule.sort.map_or("", RouteSort::word)),
    ]);
    form.values.extend(own.values);
    form
}

/// The form of a key as it stands.
pub(super) async fn of_key(
    who: &Editor,
    accounts: &Accounts,
    key: &ApiKey,
) -> Result<Form, PageError> {
    let rule = accounts.key_route(&who.tenant.id, &key.id).await?;
    Ok(filled(&rule))
}

/// Names in small letters, parted by commas.
fn names(posted: &FormData, field: &'static str) -> Result<Vec<String>, FieldProblem> {
    let parts = posted.text(field).split([',', '\u{ff0c}']).map(str::trim);
    let names: Vec<String> = parts
        .filter(|name| !name.is_empty())
        .map(str::to_lowercase)
        .collect();
    let most = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    if names.len() > NAMES_MAX {
        return Err((field, FieldError::OutOfRange(0, most(NAMES_MAX))));
    }
    for name in &names {
        if name.chars().count() > NAME_CHARS_MAX {
            return Err((field, FieldError::TooLong(most(NAME_CHARS_MAX))));
        }
        if name.chars().any(char::is_control) {
            return Err((field, FieldError::Letters));
        }
    }
    Ok(names)
}

/// The rule that was posted, over the one that stands.
fn read(posted: &FormData, known: RouteRule) -> Result<RouteRule, FieldProblem> {
    let only: BTreeSet<String> = names(posted, "only")?.into_iter().collect();
    let word = posted.optional("sort");
    let sort = word.map(|word| RouteSort::from_word(word).ok_or(("sort", FieldError::Unknown)));
    let rule = RouteRule {
        only: Some(only).filter(|only| !only.is_empty()),
        ignore: names(posted, "ignore")?.into_iter().collect(),
        order: names(posted, "order")?,
        sort: sort.transpose()?,
        ..known
    };
    data_policy::read(posted, rule)
}

/// `POST /portal/keys/{id}/route`
#[handler]
pub(in super::super) async fn keep_route(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    accounts: Data<&Accounts>,
    catalogue: Data<&Catalogue>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let key = open_key(&who, &accounts, &id).await?;
    let known = accounts.key_route(tenant, &key.id).await?;
    match read(&posted, known) {
        Ok(rule) => {
            let place = (tenant, &key.id, Scopes::ALL);
            accounts.put_key_route(&actor, place, &rule).await?;
            who.done(PATH, &Notice::Saved)
        }
        Err((field, error)) => {
            let fields = [&OWN[..], &data_policy::POLICY].concat();
            let route = posted.again(&fields).wrong(field, error);
            let spender = Spender::Key(key.id.clone());
            let budget = money::budget_now(&ledger, tenant, &spender).await?;
            let forms = (draft::filled(&key, budget, who.here().zone), route);
            who.show_again(&key_form(&catalogue, key, forms)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(body: &str) -> FormData {
        FormData::parse(body.as_bytes()).expect("a form")
    }

    #[test]
    fn what_is_typed_is_read_and_shown_again_and_the_rest_stays() {
        let known = RouteRule::read(r#"{"require_parameters":true,"only":["old"]}"#);
        let known = known.expect("a rule");
        let body = "only=North%2C+south%EF%BC%8C&ignore=far&order=south%2Cnorth&sort=latency\
                    &no_training=on&regions=eu";
        let rule = read(&posted(body), known).expect("a rule");
        let wanted = RouteRule::read(
            r#"{"only":["north","south"],"ignore":["far"],"order":["south","north"],"sort":"latency",
                "data_collection":"deny","regions":["eu"],"require_parameters":true}"#,
        );
        assert_eq!(rule, wanted.expect("a rule"));
        let form = filled(&rule);
        for (name, value) in [
            ("only", "north, south"),
            ("ignore", "far"),
            ("order", "south, north"),
            ("sort", "latency"),
            ("no_training", "on"),
            ("regions", "eu"),
        ] {
            assert!(form.is(name, value), "{name}: {form:?}");
        }
        let empty = read(&posted(""), rule).expect("a rule");
        let wanted = RouteRule::read(r#"{"require_parameters":true}"#);
        assert_eq!(empty, wanted.expect("a rule"));
    }

    #[test]
    fn each_fault_is_told_beside_its_field() {
        let many = vec!["a"; NAMES_MAX + 1].join(",");
        let long = "a".repeat(NAME_CHARS_MAX + 1);
        for (body, field) in [
            (format!("only={many}"), "only"),
            (format!("ignore={long}"), "ignore"),
            ("order=a%01b".to_owned(), "order"),
            ("sort=luck".to_owned(), "sort"),
            ("regions=e_u".to_owned(), "regions"),
        ] {
            let wrong = read(&posted(&body), RouteRule::default()).expect_err(&body);
            assert_eq!(wrong.0, field, "{body}");
        }
    }
}
