//! End users of tenants who may make no calls: which there are, suspending one, letting one call again.

use std::collections::HashMap;
use std::time::Duration;

use admin_templates::end_users::{EndUserList, EndUserRow};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{SuspensionWhy, Word};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{AccountError, Accounts};
use server_rooms::auth::roles::kind;
use server_rooms::end_users::{
    EndUserError, EndUsers, NewSuspension, SuspendedEndUser, SuspendedQuery,
};
use shared::clock::Moment;
use shared::id::TenantId;

use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData};
use super::super::session::Admin;
use super::form_errors::{FormErrors, again};
use super::models::trial::payer;
use super::{Asked, count, filters, reason, wanted};

const PATH: &str = "/admin/end-users";
/// Rows of a page.
const ROWS: i64 = 50;
const FILTERS: [&str; 2] = ["tenant", "all"];
const FIELDS: [&str; 4] = ["tenant", "end_user", "reason", "hours"];
/// A year.
const HOURS_MAX: u32 = 8_760;

/// Whoever changes tenants' people.
type Editor = Admin<kind::EditPeople>;

/// The place of a row in its list, as links carry it.
pub(in super::super) fn cursor(one: &SuspendedEndUser) -> String {
    format!("{}.{}", one.since.unix_ms(), one.identity)
}

/// Reads one.
pub(in super::super) fn place(text: &str) -> Result<(Moment, String), PageError> {
    let (at, identity) = text.split_once('.').ok_or(PageError::NotFound)?;
    let at = at.parse().map_err(|_| PageError::NotFound)?;
    Ok((Moment::from_unix_ms(at), identity.to_owned()))
}

/// Why, as pages say it.
pub(in super::super) fn why(one: &SuspendedEndUser) -> SuspensionWhy {
    SuspensionWhy::from_code(one.why.word()).unwrap_or(SuspensionWhy::Operator)
}

/// A page of them, and the way to the next.
async fn view(
    (end_users, accounts): (&EndUsers, &Accounts),
    asked: &Asked,
    add: Form,
) -> Result<EndUserList, PageError> {
    let tenant = wanted(asked, "tenant")
        .map(parsed::<TenantId>)
        .transpose()?;
    let after = wanted(asked, "after").map(place).transpose()?;
    let now = end_users.now();
    let query = SuspendedQuery {
        tenant: tenant.as_ref(),
        in_force_at: wanted(asked, "all").is_none().then_some(now),
        after: after.as_ref().map(|(at, id)| (*at, id.as_str())),
        limit: ROWS + 1,
    };
    let mut found = end_users.list(query).await?;
    let rows_max = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = found.len() > rows_max;
    found.truncate(rows_max);
    let next = found.last().filter(|_| has_more).map(cursor);
    let mut names: HashMap<String, String> = HashMap::new();
    for one in &found {
        let id = one.tenant.as_str();
        if !names.contains_key(id) {
            let name = match accounts.tenant(&one.tenant).await {
                Ok(tenant) => tenant.name,
                Err(AccountError::NotFound(_)) => id.to_owned(),
                Err(error) => return Err(error.into()),
            };
            names.insert(id.to_owned(), name);
        }
    }
    let rows = found.into_iter().map(|one| EndUserRow {
        tenant: super::named(&names, one.tenant.as_str()),
        shown: end_users.shown(&one).unwrap_or_default(),
        why: why(&one),
        in_force: one.is_in_force(now),
        since: one.since,
        until: one.until,
        tenant_id: one.tenant.into_string(),
        identity: one.identity,
        provider: one.provider,
        reason: one.detail,
    });
    Ok(EndUserList {
        rows: rows.collect(),
        list: ListState {
            filters: filters(asked, &FILTERS),
            next,
            ..ListState::whole()
        },
        add,
    })
}

/// `GET /admin/end-users`
#[handler]
pub(super) async fn end_user_list(
    who: Admin,
    asked: Asked,
    end_users: Data<&EndUsers>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let view = view((&end_users, &accounts), &asked, Form::default()).await?;
    who.show(&view).await
}

/// What is wrong with a suspension.
fn wrong(error: EndUserError) -> Result<FieldProblem, PageError> {
    match error {
        EndUserError::NotFound(_) => Ok(("tenant", FieldError::Unknown)),
        EndUserError::Invalid { field, rule } => Ok((field, FieldError::Words(rule.to_owned()))),
        EndUserError::Before => Ok(("end_user", FieldError::Taken)),
        EndUserError::TooMany => Ok(("", FieldError::TooMany(1_000))),
        EndUserError::Store(error) => Err(error.into()),
    }
}

/// Reads the form of somebody to suspend.
async fn drafted(
    accounts: &Accounts,
    posted: &FormData,
) -> Result<Result<NewSuspension, Vec<FieldProblem>>, PageError> {
    let mut errors = FormErrors::default();
    let tenant = match posted.optional("tenant") {
        None => Err(FieldError::Required),
        Some(text) => payer(accounts, text).await?.ok_or(FieldError::Unknown),
    };
    let tenant = errors.take(tenant.map_err(|error| ("tenant", error)));
    let word = errors.take(reason(posted, "end_user"));
    let detail = errors.take(reason(posted, "reason"));
    let hours = errors.take(count::<u32>(posted, "hours"));
    if hours.flatten().is_some_and(|hours| hours > HOURS_MAX) {
        errors.add("hours", FieldError::OutOfRange(1, HOURS_MAX.into()));
    }
    let read = tenant.zip(word).zip(detail).zip(hours);
    let new = read.map(|(((tenant, word), detail), hours)| NewSuspension {
        tenant: tenant.id,
        word,
        detail,
        span: hours.map(|hours| Duration::from_secs(u64::from(hours) * 3_600)),
    });
    Ok(errors.unless(new))
}

/// `POST /admin/end-users`
#[handler]
pub(super) async fn suspend(
    who: Editor,
    posted: FormData,
    end_users: Data<&EndUsers>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let wrong = match drafted(&accounts, &posted).await? {
        Ok(new) => match end_users.suspend_by_hand(&who.actor(), new).await {
            Ok(_) => return who.done(PATH, &Notice::Saved),
            Err(error) => vec![wrong(error)?],
        },
        Err(wrong) => wrong,
    };
    let form = again(&posted, &FIELDS, wrong);
    let nothing = poem::web::Query(std::collections::BTreeMap::new());
    let view = view((&end_users, &accounts), &nothing, form).await?;
    who.show_again(&view).await
}

/// `POST /admin/end-users/{identity}/lift`
#[handler]
pub(super) async fn lift(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    end_users: Data<&EndUsers>,
) -> PageResult {
    let tenant: TenantId = parsed(posted.text("tenant"))?;
    match end_users.lift(&who.actor(), &tenant, &id).await {
        Ok(()) => who.done(PATH, &Notice::Saved),
        Err(EndUserError::Store(error)) => Err(error.into()),
        // Lifted or over meanwhile, or never there.
        Err(
            EndUserError::NotFound(_)
            | EndUserError::Invalid { .. }
            | EndUserError::Before
            | EndUserError::TooMany,
        ) => Err(PageError::NotFound),
    }
}
