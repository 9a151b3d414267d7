//! Changing one person: role, state and password, as far as the changer reaches.

use admin_templates::account::PasswordOnce;
use admin_templates::form::Form;
use admin_templates::labels::Word;
use admin_templates::page::Notice;
use admin_templates::portal::MemberForm;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{AccountError, Accounts, User, UserChange, given_password};
use server_rooms::auth::Role;
use server_rooms::ledger::{BudgetPeriod, Ledger, Spender};
use server_rooms::money::corrections::Corrections;
use shared::id::UserId;

use super::super::super::error::{PageError, PageResult, parsed};
use super::super::super::form::{FormData, account_changed};
use super::super::{money, rows};
use super::{Editor, FIELDS, PATH, role_of};

/// Refuses an admin what is an owner's alone.
pub(super) fn must_reach(who: &Editor, role: Role) -> Result<(), PageError> {
    if role == Role::Owner && who.user.role != Role::Owner {
        return Err(PageError::Forbidden);
    }
    Ok(())
}

/// Somebody of the tenant whom this person may change: not themselves.
async fn other(who: &Editor, accounts: &Accounts, id: &str) -> Result<User, PageError> {
    let id: UserId = parsed(id)?;
    let user = accounts.user(&who.tenant.id, &id).await?;
    if user.id == who.user.id {
        return Err(PageError::Forbidden);
    }
    must_reach(who, user.role)?;
    Ok(user)
}

/// `GET /portal/members/{id}`
#[handler]
pub(in super::super) async fn member_page(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
    ledger: Data<&Ledger>,
) -> PageResult {
    let user = other(&who, &accounts, &id).await?;
    let spender = Spender::User(user.id.clone());
    let budget = money::budget_now(&ledger, &who.tenant.id, &spender).await?;
    let (period, limit) = budget.unwrap_or((BudgetPeriod::Month, String::new()));
    who.show(&MemberForm {
        id: Some(user.id.into_string()),
        name: user.username,
        form: Form::of([
            ("role", rows::role_word(user.role).code()),
            ("budget", limit.as_str()),
            ("budget_period", period.word()),
        ]),
    })
    .await
}

/// `POST /portal/members/{id}`
#[handler]
pub(in super::super) async fn change_member(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    accounts: Data<&Accounts>,
    ledger: Data<&Ledger>,
    corrections: Data<&Corrections>,
) -> PageResult {
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let user = other(&who, &accounts, &id).await?;
    let read = role_of(&posted).and_then(|role| Ok((role, money::budget(&posted)?)));
    let (role, budget) = match read {
        Ok(read) => read,
        Err((name, error)) => {
            let view = MemberForm {
                id: Some(user.id.into_string()),
                name: user.username,
                form: posted.again(&FIELDS).wrong(name, error),
            };
            return who.show_again(&view).await;
        }
    };
    must_reach(&who, role)?;
    if role != user.role {
        let change = UserChange {
            role: Some(role),
            ..UserChange::default()
        };
        let changed = accounts.update_user(&actor, tenant, &user.id, change);
        match changed.await {
            Ok(_) => {}
            Err(AccountError::LastOwner) => {
                return who.go_saying(PATH, false, &Notice::LastOwner);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let spender = Spender::User(user.id);
    let before = money::budget_now(&ledger, tenant, &spender).await?;
    let before = before.map(|(period, _)| period);
    money::set_budget(&corrections, &actor, (tenant, &spender), (before, budget)).await?;
    who.done(PATH, &Notice::Saved)
}

async fn set_active(
    who: &Editor,
    accounts: &Accounts,
    id: &str,
    (active, notice): (bool, &Notice),
) -> PageResult {
    let user = other(who, accounts, id).await?;
    let change = UserChange {
        active: Some(active),
        ..UserChange::default()
    };
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let changed = accounts.update_user(&actor, tenant, &user.id, change);
    account_changed(who, changed.await, (PATH, notice))
}

/// `POST /portal/members/{id}/disable`
#[handler]
pub(in super::super) async fn disable(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    set_active(&who, &accounts, &id, (false, &Notice::Disabled)).await
}

/// `POST /portal/members/{id}/enable`
#[handler]
pub(in super::super) async fn enable(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    set_active(&who, &accounts, &id, (true, &Notice::Enabled)).await
}

/// `POST /portal/members/{id}/password`; the new password is shown this once.
#[handler]
pub(in super::super) async fn reset_password(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let user = other(&who, &accounts, &id).await?;
    let password = given_password();
    let change = UserChange {
        password: Some(password.clone()),
        ..UserChange::default()
    };
    let (actor, tenant) = (who.actor(), &who.tenant.id);
    let user = accounts
        .update_user(&actor, tenant, &user.id, change)
        .await?;
    who.show(&PasswordOnce {
        name: user.username,
        password,
        tenant_id: None,
    })
    .await
}
