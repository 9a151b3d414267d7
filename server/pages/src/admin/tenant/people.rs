//! A tenant's people: adding them, shutting them out, giving them a new password.

use super::super::super::page_context::Here;
use std::collections::BTreeMap;

use admin_templates::account::PasswordOnce;
use admin_templates::admin::tenants::TenantMembers;
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{BudgetPeriod, MemberRole, MemberStatus};
use admin_templates::list::ListState;
use admin_templates::page::Notice;
use admin_templates::parts::{BudgetView, MemberRow};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, NewUser, Role, Tenant, User, UserChange, UserStatus};
use server_rooms::auth::factors::Factors;
use server_rooms::auth::roles::kind;
use server_rooms::browser_sessions::BrowserSessions;
use server_rooms::ledger::{AdjustError, Budget, Ledger, Spender};
use server_rooms::money::corrections::{CorrectionError, Corrections};
use server_rooms::reports::{Reports, UsageFilter};
use shared::credits::Credits;
use shared::id::random_text;
use shared::secret::Secret;

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FieldProblem, FormData, account_changed, field_error};
use super::super::super::session::{Admin, Confirmed};
use super::super::super::spending::spent;
use super::super::{Asked, booked, filters, wanted, word};
use super::{ROWS_READ, cut, found, head, path};

/// Looked through for a search.
const SEARCHED: i64 = 500;
/// Characters of `[a-z0-9]` of a password that is made for somebody: 82 bits.
const PASSWORD_CHARS: usize = 16;

/// What a list of a tenant's people is filled from.
#[derive(Debug, Clone)]
pub(in super::super) struct PeopleRooms {
    pub(in super::super) accounts: Accounts,
    pub(in super::super) browsers: BrowserSessions,
    pub(in super::super) corrections: Corrections,
    pub(in super::super) factors: Factors,
    pub(in super::super) ledger: Ledger,
    pub(in super::super) reports: Reports,
}

/// Whoever changes people's passwords proved a short while ago to be themselves.
type Editor = Confirmed<Admin<kind::EditPeople>>;

/// What a key or a person may spend, as rows show it: the budget of the shortest period.
pub(super) fn budget(budgets: &[Budget], spender: &Spender) -> Option<BudgetView> {
    let mut own: Vec<&Budget> = budgets.iter().filter(|b| b.spender == *spender).collect();
    own.sort_by_key(|budget| budget.period);
    let budget = own.first()?;
    let gone = budget.spent.micros().saturating_add(budget.held.micros());
    Some(BudgetView {
        period: word(budget.period.word(), BudgetPeriod::Total),
        limit: budget.limit,
        spent: Credits::from_micros(gone),
    })
}

/// The budgets of a tenant's keys and people.
pub(super) async fn budgets(
    corrections: &Corrections,
    tenant: &Tenant,
) -> Result<Vec<Budget>, PageError> {
    let budgets = corrections.budgets(&tenant.id).await;
    budgets.map_err(|error| match error {
        CorrectionError::Adjust(AdjustError::Ledger(error)) => booked(error),
        CorrectionError::NotFound(_) | CorrectionError::Adjust(_) => PageError::NotFound,
    })
}

async fn rows(
    rooms: &PeopleRooms,
    tenant: &Tenant,
    users: Vec<User>,
    here: Here<'_>,
) -> Result<Vec<MemberRow>, PageError> {
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    let with_factor = rooms.factors.owners_of_any(&ids).await?;
    let seen = rooms.browsers.last_seen(&ids).await?;
    let budgets = budgets(&rooms.corrections, tenant).await?;
    let mut rows = Vec::with_capacity(users.len());
    for user in users {
        let own = UsageFilter {
            tenant: Some(tenant.id.clone()),
            user: Some(user.id.clone()),
            ..UsageFilter::default()
        };
        rows.push(MemberRow {
            role: word(user.role.word(), MemberRole::Member),
            status: match user.status {
                UserStatus::Active => MemberStatus::Active,
                UserStatus::Disabled | UserStatus::Deleted => MemberStatus::Disabled,
            },
            second_factor: with_factor.contains(user.id.as_str()),
            budget: budget(&budgets, &Spender::User(user.id.clone())),
            spent: spent(&rooms.reports, own, here).await?,
            seen_at: seen.get(user.id.as_str()).copied(),
            created_at: user.created_at,
            id: user.id.into_string(),
            name: user.username,
        });
    }
    Ok(rows)
}

/// Whether a name has what is searched for.
pub(super) fn fits(name: &str, search: &str) -> bool {
    name.to_lowercase().contains(&search.to_lowercase())
}

async fn view(
    rooms: &PeopleRooms,
    tenant: &Tenant,
    asked: &BTreeMap<String, String>,
    here: Here<'_>,
) -> Result<TenantMembers, PageError> {
    let mut list = ListState {
        filters: filters(asked, &["q"]),
        ..ListState::whole()
    };
    let users = if let Some(search) = wanted(asked, "q") {
        let mut users = rooms.accounts.users(&tenant.id, None, SEARCHED).await?;
        users.retain(|user| fits(&user.username, search));
        users
    } else {
        let after = wanted(asked, "after").map(parsed).transpose()?;
        let found = rooms.accounts.users(&tenant.id, after.as_ref(), ROWS_READ);
        let mut users = found.await?;
        list.next = cut(&mut users, |user| user.id.to_string());
        users
    };
    Ok(TenantMembers {
        head: head(&rooms.ledger, tenant).await?,
        list,
        rows: self::rows(rooms, tenant, users, here).await?,
        add: Form::of([("role", "member")]),
    })
}

/// `GET /admin/tenants/{id}/members`
#[handler]
pub(in super::super) async fn member_list(
    who: Admin,
    Path(id): Path<String>,
    asked: Asked,
    rooms: Data<&PeopleRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let view = view(&rooms, &tenant, &asked, who.here()).await?;
    who.show(&view).await
}

fn drafted(posted: &FormData) -> Result<NewUser, FieldProblem> {
    let role = Role::from_word(posted.text("role")).ok_or(("role", FieldError::Unknown))?;
    if posted.text("username").is_empty() {
        return Err(("username", FieldError::Required));
    }
    Ok(NewUser {
        username: posted.text("username").to_owned(),
        password: posted.secret("password"),
        role,
    })
}

/// `POST /admin/tenants/{id}/members`
#[handler]
pub(in super::super) async fn add_member(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&PeopleRooms>,
) -> PageResult {
    let tenant = found(&rooms.accounts, &id).await?;
    let actor = who.actor();
    let made = match drafted(&posted) {
        Ok(new) => {
            let made = rooms.accounts.create_user(&actor, &tenant.id, new);
            match made.await {
                Ok(_) => Ok(()),
                Err(error) => Err(field_error(error)?),
            }
        }
        Err(wrong) => Err(wrong),
    };
    let Err((field, error)) = made else {
        return who.done(&path(&tenant, "/members"), &Notice::Created);
    };
    let mut view = view(&rooms, &tenant, &BTreeMap::new(), who.here()).await?;
    view.add = posted.again(&["username", "role"]).wrong(field, error);
    who.show_again(&view).await
}

async fn set_active(
    who: &Admin<kind::EditPeople>,
    accounts: &Accounts,
    (id, member): (String, String),
    active: bool,
) -> PageResult {
    let tenant = found(accounts, &id).await?;
    let change = UserChange {
        active: Some(active),
        ..UserChange::default()
    };
    let (actor, member) = (who.actor(), parsed(&member)?);
    let changed = accounts.update_user(&actor, &tenant.id, &member, change);
    let notice = if active {
        Notice::Enabled
    } else {
        Notice::Disabled
    };
    account_changed(who, changed.await, (&path(&tenant, "/members"), &notice))
}

/// `POST /admin/tenants/{id}/members/{member}/disable`
#[handler]
pub(in super::super) async fn disable(
    who: Admin<kind::EditPeople>,
    Path(ids): Path<(String, String)>,
    accounts: Data<&Accounts>,
) -> PageResult {
    set_active(&who, &accounts, ids, false).await
}

/// `POST /admin/tenants/{id}/members/{member}/enable`
#[handler]
pub(in super::super) async fn enable(
    who: Admin<kind::EditPeople>,
    Path(ids): Path<(String, String)>,
    accounts: Data<&Accounts>,
) -> PageResult {
    set_active(&who, &accounts, ids, true).await
}

/// `POST /admin/tenants/{id}/members/{member}/password`; the new one is shown this once.
#[handler]
pub(in super::super) async fn reset(
    who: Editor,
    Path((id, member)): Path<(String, String)>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let tenant = found(&accounts, &id).await?;
    let password = Secret::new(random_text(PASSWORD_CHARS));
    let change = UserChange {
        password: Some(password.clone()),
        ..UserChange::default()
    };
    let (actor, member) = (who.actor(), parsed(&member)?);
    let changed = accounts.update_user(&actor, &tenant.id, &member, change);
    let user = changed.await?;
    who.show(&PasswordOnce {
        name: user.username,
        password,
        tenant_id: Some(tenant.id.into_string()),
    })
    .await
}
