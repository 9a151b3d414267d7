//! What is told of a model: its form, and an end that is planned in it.

use std::collections::BTreeSet;

use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_edge::date::{self, Date};
use server_rooms::auth::roles::kind;
use server_rooms::catalogue::ModelPatch;
use server_rooms::catalogue::check::facts::CONTEXT_TOKENS_MAX;
use server_rooms::catalogue::facts::{Capability, ModelFacts};
use server_rooms::catalogue::retirement::Retirement;
use shared::clock::Moment;
use shared::zone::Zone;

use super::super::super::error::PageResult;
use super::super::super::form::{FieldProblem, FormData, ticked};
use super::super::super::session::Admin;
use super::super::form_errors::{FormErrors, again};
use super::{ModelRooms, field_error, form, found, path, show_wrong};

pub(super) const FIELDS: [&str; 7] = [
    "context_tokens",
    "capabilities",
    "description",
    "owner",
    "retires_at",
    "successor",
    "redirect",
];

/// The form as it stands.
pub(super) fn filled(facts: &ModelFacts, zone: &Zone) -> Form {
    let number = |n: u64| n.to_string();
    let context = facts.context_tokens.map(number).unwrap_or_default();
    let words: Vec<&str> = facts.capabilities.iter().map(|one| one.word()).collect();
    let end = facts.retirement.as_ref();
    let at = end.map(|end| date::over_text(end.at, zone));
    let successor = end.and_then(|end| end.successor.as_deref());
    Form::of([
        ("context_tokens", context.as_str()),
        ("capabilities", words.join(" ").as_str()),
        ("description", facts.description.as_str()),
        ("owner", facts.owner.as_str()),
        ("retires_at", at.as_deref().unwrap_or_default()),
        ("successor", successor.unwrap_or_default()),
        ("redirect", ticked(end.is_some_and(|end| end.redirect))),
    ])
}

fn capabilities(posted: &FormData) -> Result<BTreeSet<Capability>, FieldProblem> {
    let known = |word: &String| Capability::from_word(word);
    let read: Option<_> = posted.several("capabilities").iter().map(known).collect();
    read.ok_or(("capabilities", FieldError::Unknown))
}

/// The end; `None` where no day was typed, which is wrong beside what only an end has.
fn end(posted: &FormData, zone: &Zone) -> Result<Option<Retirement>, FieldProblem> {
    let name = "retires_at";
    let successor = posted.optional("successor").map(str::to_owned);
    let redirect = posted.is_ticked("redirect");
    let Some(text) = posted.optional(name) else {
        return if successor.is_some() || redirect {
            Err((name, FieldError::Required))
        } else {
            Ok(None)
        };
    };
    let date: Date = text.parse().map_err(|_| (name, FieldError::NotADate))?;
    let at = date.over_in(zone).ok_or((name, FieldError::NotADate))?;
    Ok(Some(Retirement {
        at,
        announced_at: Moment::default(),
        successor,
        redirect,
    }))
}

/// What was typed.
pub(super) fn facts(posted: &FormData, zone: &Zone) -> Result<ModelFacts, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let context = errors.take(form::number(
        posted,
        "context_tokens",
        (1, CONTEXT_TOKENS_MAX),
        0,
    ));
    let capabilities = errors.take(capabilities(posted));
    let retirement = errors.take(end(posted, zone));
    let read = || {
        Some(ModelFacts {
            context_tokens: context.filter(|tokens| *tokens > 0),
            capabilities: capabilities?,
            description: posted.text("description").to_owned(),
            owner: posted.text("owner").to_owned(),
            retirement: retirement?,
        })
    };
    let read = read();
    errors.unless(read)
}

/// `POST /admin/models/{id}/facts`
#[handler]
pub(in super::super) async fn keep(
    who: Admin<kind::EditModels>,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ModelRooms>,
) -> PageResult {
    let model = found(&rooms.catalogue, &id)?;
    let zone = rooms.catalogue.platform_zone().await;
    let wrong = match facts(&posted, &zone) {
        Ok(facts) => {
            let patch = ModelPatch {
                facts: Some(facts),
                ..ModelPatch::default()
            };
            match rooms.catalogue.update_model(&who.actor(), &id, patch).await {
                Ok(_) => return who.done(&path(&id), &Notice::Saved),
                Err(error) => vec![field_error(error, "description")?],
            }
        }
        Err(wrong) => wrong,
    };
    let form = again(&posted, &FIELDS, wrong);
    show_wrong(&who, &rooms, &model, |view| view.facts = form).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<ModelFacts, Vec<FieldProblem>> {
        let posted = FormData::parse(body.as_bytes()).expect("a form");
        facts(&posted, &Zone::named("Asia/Shanghai").expect("a zone"))
    }

    #[test]
    fn a_day_is_over_when_it_is_in_the_zone_and_reads_back() {
        let zone = Zone::named("Asia/Shanghai").expect("a zone");
        let facts = read("retires_at=2026-12-31&successor=b&redirect=on&capabilities=tools&capabilities=vision&context_tokens=8192")
            .expect("facts");
        let end = facts.retirement.clone().expect("an end");
        assert_eq!(date::text(end.at), "2026-12-31T16:00:00.000Z");
        let form = filled(&facts, &zone);
        for (name, value) in [
            ("retires_at", "2026-12-31"),
            ("successor", "b"),
            ("redirect", "on"),
            ("capabilities", "tools vision"),
            ("context_tokens", "8192"),
        ] {
            assert_eq!(
                form.values.get(name).map(String::as_str),
                Some(value),
                "{name}"
            );
        }
        let moment = read("retires_at=2026-12-31T08:00:00Z").expect("facts");
        let form = filled(&moment, &zone);
        let shown = form.values.get("retires_at").map(String::as_str);
        assert_eq!(shown, Some("2026-12-31T08:00:00.000Z"));
    }

    #[test]
    fn each_fault_is_told_beside_its_field() {
        for (body, field) in [
            ("context_tokens=0", "context_tokens"),
            ("context_tokens=many", "context_tokens"),
            ("capabilities=telepathy", "capabilities"),
            ("retires_at=soon", "retires_at"),
            ("retires_at=2026-02-30", "retires_at"),
            ("successor=b", "retires_at"),
            ("redirect=on", "retires_at"),
        ] {
            let wrong = read(body).expect_err(body);
            assert_eq!(wrong.first().map(|(name, _)| *name), Some(field), "{body}");
        }
        assert_eq!(read("").expect("nothing"), ModelFacts::default());
    }
}
