//! The tenant's people, for those who run it. Only owners make owners and change them, and nobody
//! changes themselves here: so an owner always stays.

pub(super) mod change;

use std::collections::{HashMap, HashSet};

use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{MemberStatus, Word};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use admin_templates::parts::MemberRow;
use admin_templates::portal::{MemberForm, MemberList};
use poem::handler;
use poem::web::{Data, Query};
use server_rooms::accounts::{Accounts, NewUser, User, UserStatus};
use server_rooms::auth::Role;
use server_rooms::auth::factors::Factors;
use server_rooms::browser_sessions::BrowserSessions;
use server_rooms::ledger::{Budget, Ledger, Spender};
use server_rooms::money::corrections::Corrections;
use server_rooms::reports::{Reports, UsageFilter};
use shared::clock::Moment;
use shared::id::{TenantId, UserId};

use self::change::must_reach;
use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData, field_error};
use super::super::session::{Confirmed, Manager, Member};
use super::super::spending;
use super::rows::{self, Asked, field};
use super::{money, unread};

const PATH: &str = "/portal/members";
/// People read at once.
const BATCH: i64 = 200;
/// Fields that are filled in again.
const FIELDS: [&str; 4] = ["username", "role", "budget", "budget_period"];

/// Somebody who runs the tenant and proved a short while ago to be the one who logged in.
type Editor = Confirmed<Member<Manager>>;

/// A page of people whose name fits, and whether more follow.
async fn found(
    accounts: &Accounts,
    tenant: &TenantId,
    asked: &Asked,
) -> Result<(Vec<User>, bool), PageError> {
    let wanted = field(asked, "q").to_lowercase();
    let wanted_rows = usize::try_from(rows::ROWS).unwrap_or(usize::MAX);
    let mut after: Option<UserId> = match field(asked, "after") {
        "" => None,
        text => Some(parsed(text)?),
    };
    let mut found = Vec::new();
    loop {
        let batch = accounts.users(tenant, after.as_ref(), BATCH).await?;
        after = batch.last().map(|user| user.id.clone());
        if after.is_none() {
            return Ok((found, false));
        }
        for user in batch {
            if user.username.to_lowercase().contains(&wanted) {
                if found.len() == wanted_rows {
                    return Ok((found, true));
                }
                found.push(user);
            }
        }
    }
}

/// What people are shown with besides themselves.
struct Beside {
    with_factor: HashSet<String>,
    seen: HashMap<String, Moment>,
    budgets: Vec<Budget>,
}

impl Beside {
    fn row(&self, user: User) -> MemberRow {
        let id = user.id.as_str();
        MemberRow {
            role: rows::role_word(user.role),
            status: match user.status {
                UserStatus::Active => MemberStatus::Active,
                UserStatus::Disabled | UserStatus::Deleted => MemberStatus::Disabled,
            },
            second_factor: self.with_factor.contains(id),
            budget: rows::budget_of(&self.budgets, &Spender::User(user.id.clone())),
            spent: shared::credits::Credits::ZERO,
            seen_at: self.seen.get(id).copied(),
            created_at: user.created_at,
            id: user.id.into_string(),
            name: user.username,
        }
    }
}

/// `GET /portal/members`
#[handler]
pub(super) async fn member_list(
    who: Member<Manager>,
    Query(asked): Query<Asked>,
    accounts: Data<&Accounts>,
    reports: Data<&Reports>,
    ledger: Data<&Ledger>,
    factors: Data<&Factors>,
) -> PageResult {
    let tenant = &who.tenant.id;
    let (users, more) = found(&accounts, tenant, &asked).await?;
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    let browsers: &BrowserSessions = who.services().browsers();
    let beside = Beside {
        with_factor: factors.owners_of_any(&ids).await?,
        seen: browsers.last_seen(&ids).await?,
        budgets: ledger.budgets(tenant).await.map_err(unread)?,
    };
    let mut rows = Vec::with_capacity(users.len());
    for user in users {
        let own = UsageFilter {
            tenant: Some(tenant.clone()),
            user: Some(user.id.clone()),
            ..UsageFilter::default()
        };
        let spent = spending::spent(&reports, own, who.here()).await?;
        let row = beside.row(user);
        rows.push(MemberRow { spent, ..row });
    }
    let list = ListState {
        filters: Form::of([("q", field(&asked, "q"))]),
        next: ids.into_iter().next_back().filter(|_| more),
        ..ListState::whole()
    };
    who.show(&MemberList { list, rows }).await
}

fn role_of(posted: &FormData) -> Result<Role, FieldProblem> {
    let role = admin_templates::labels::MemberRole::from_code(posted.text("role"));
    let role = role.ok_or(("role", FieldError::Unknown))?;
    Ok([Role::Owner, Role::Admin, Role::Member]
        .into_iter()
        .find(|known| rows::role_word(*known) == role)
        .unwrap_or(Role::Member))
}

/// `GET /portal/members/new`
#[handler]
pub(super) async fn new_member(who: Editor) -> PageResult {
    who.show(&MemberForm {
        id: None,
        name: String::new(),
        form: Form::of([("role", "member"), ("budget_period", "month")]),
    })
    .await
}

fn drafted(posted: &FormData) -> Result<NewUser, FieldProblem> {
    let username = posted.optional("username");
    let username = username.ok_or(("username", FieldError::Required))?;
    Ok(NewUser {
        username: username.to_owned(),
        password: posted.secret("password"),
        role: role_of(posted)?,
    })
}

/// `POST /portal/members/new`
#[handler]
pub(super) async fn add_member(
    who: Editor,
    posted: FormData,
    accounts: Data<&Accounts>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let read = drafted(&posted).and_then(|new| Ok((new, money::budget(&posted)?)));
    let made = match read {
        Ok((new, budget)) => {
            must_reach(&who, new.role)?;
            match accounts.create_user(&actor, tenant, new).await {
                Ok(user) => Ok((user, budget)),
                Err(error) => Err(field_error(error)?),
            }
        }
        Err(wrong) => Err(wrong),
    };
    match made {
        Ok((user, budget)) => {
            let spender = Spender::User(user.id);
            money::set_budget(&corrections, &actor, (tenant, &spender), (None, budget)).await?;
            who.done(PATH, &Notice::Created)
        }
        Err((name, error)) => {
            who.show_again(&MemberForm {
                id: None,
                name: String::new(),
                form: posted.again(&FIELDS).wrong(name, error),
            })
            .await
        }
    }
}
