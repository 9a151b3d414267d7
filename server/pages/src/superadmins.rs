//! The people who run the platform, for its owners to look after.

use admin_templates::account::PasswordOnce;
use admin_templates::admin::platform::{SuperadminList, SuperadminRow};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{AdminRole as RoleWord, MemberStatus, Word};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::accounts::{Accounts, NewSuperadmin, SuperadminChange};
use server_rooms::auth::factors::Factors;
use server_rooms::auth::roles::{AdminRole, Kind, kind};
use server_rooms::browser_sessions::BrowserSessions;

use super::error::{PageError, PageResult, parsed};
use super::form::{FieldProblem, FormData, account_changed, field_error};
use super::session::{Admin, Confirmed};

const PATH: &str = "/admin/superadmins";

/// An owner who proved a short while ago to be one.
type Editor = Confirmed<Admin<kind::EditSuperadmins>>;

fn role_word(role: AdminRole) -> RoleWord {
    match role {
        AdminRole::Owner => RoleWord::Owner,
        AdminRole::Operator => RoleWord::Operator,
        AdminRole::Finance => RoleWord::Finance,
        AdminRole::ReadOnly => RoleWord::ReadOnly,
    }
}

/// The list with a form for a new one.
async fn view<K: Kind>(
    who: &Admin<K>,
    accounts: &Accounts,
    factors: &Factors,
    browsers: &BrowserSessions,
    add: Form,
) -> Result<SuperadminList, PageError> {
    let all = accounts.superadmins().await?;
    let ids: Vec<String> = all.iter().map(|admin| admin.id.to_string()).collect();
    let with_factor = factors.owners_of_any(&ids).await?;
    let seen = browsers.last_seen(&ids).await?;
    let rows = all.into_iter().map(|admin| SuperadminRow {
        own: admin.id == who.admin.id,
        role: role_word(admin.role),
        status: if admin.active {
            MemberStatus::Active
        } else {
            MemberStatus::Disabled
        },
        second_factor: with_factor.contains(admin.id.as_str()),
        seen_at: seen.get(admin.id.as_str()).copied(),
        created_at: admin.created_at,
        id: admin.id.into_string(),
        name: admin.username,
    });
    Ok(SuperadminList {
        rows: rows.collect(),
        add,
    })
}

/// `GET /admin/superadmins`
#[handler]
pub(super) async fn superadmin_list(
    who: Admin,
    accounts: Data<&Accounts>,
    factors: Data<&Factors>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    // Whoever needs more is given more.
    let least = Form::of([("role", RoleWord::ReadOnly.code())]);
    let view = view(&who, &accounts, &factors, &browsers, least).await?;
    who.show(&view).await
}

fn drafted(posted: &FormData) -> Result<NewSuperadmin, FieldProblem> {
    let role = AdminRole::from_word(posted.text("role")).ok_or(("role", FieldError::Unknown))?;
    if posted.text("username").is_empty() {
        return Err(("username", FieldError::Required));
    }
    Ok(NewSuperadmin {
        username: posted.text("username").to_owned(),
        password: posted.secret("password"),
        password_given: true,
        role,
    })
}

/// `POST /admin/superadmins`
#[handler]
pub(super) async fn add_superadmin(
    who: Editor,
    posted: FormData,
    accounts: Data<&Accounts>,
    factors: Data<&Factors>,
    browsers: Data<&BrowserSessions>,
) -> PageResult {
    let made = match drafted(&posted) {
        Ok(new) => match accounts.create_superadmin(&who.actor(), new).await {
            Ok(_) => Ok(()),
            Err(error) => Err(field_error(error)?),
        },
        Err(wrong) => Err(wrong),
    };
    match made {
        Ok(()) => who.done(PATH, &Notice::Created),
        Err((field, error)) => {
            let form = posted.again(&["username", "role"]).wrong(field, error);
            let view = view(&who, &accounts, &factors, &browsers, form).await?;
            who.show_again(&view).await
        }
    }
}

/// Changes one, and says `notice` or why not.
async fn change(
    who: &Editor,
    accounts: &Accounts,
    id: &str,
    change: SuperadminChange,
    notice: &Notice,
) -> PageResult {
    let (actor, id) = (who.actor(), parsed(id)?);
    let changed = accounts.update_superadmin(&actor, &id, change).await;
    account_changed(who, changed, (PATH, notice))
}

/// `POST /admin/superadmins/{id}/role`
#[handler]
pub(super) async fn set_role(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    accounts: Data<&Accounts>,
) -> PageResult {
    let role = RoleWord::from_code(posted.text("role")).map(RoleWord::code);
    let role = role.and_then(AdminRole::from_word);
    let to = SuperadminChange {
        role: Some(role.ok_or(PageError::NotFound)?),
        ..SuperadminChange::default()
    };
    change(&who, &accounts, &id, to, &Notice::Saved).await
}

/// `POST /admin/superadmins/{id}/disable`
#[handler]
pub(super) async fn disable(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let to = SuperadminChange {
        active: Some(false),
        ..SuperadminChange::default()
    };
    change(&who, &accounts, &id, to, &Notice::Disabled).await
}

/// `POST /admin/superadmins/{id}/enable`
#[handler]
pub(super) async fn enable(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let to = SuperadminChange {
        active: Some(true),
        ..SuperadminChange::default()
    };
    change(&who, &accounts, &id, to, &Notice::Enabled).await
}

/// `POST /admin/superadmins/{id}/password`; the new password is shown this once.
#[handler]
pub(super) async fn reset_password(
    who: Editor,
    Path(id): Path<String>,
    accounts: Data<&Accounts>,
) -> PageResult {
    let id = parsed(&id)?;
    let (admin, password) = accounts.reset_superadmin(&who.actor(), &id).await?;
    who.show(&PasswordOnce {
        name: admin.username,
        password,
        tenant_id: None,
    })
    .await
}
