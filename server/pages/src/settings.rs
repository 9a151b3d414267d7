//! The platform's settings, a form for each group.

use admin_templates::admin::platform::Settings as View;
use admin_templates::form::{FieldError, Form};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::Data;
use server_rooms::accounts::Actor;
use server_rooms::auth::roles::kind;
use server_rooms::settings::{
    Announcement, Calendar, EndUserPolicy, Retention, Security, Setting, Settings, SettingsError,
    TenantDefaults,
};
use shared::credits::Credits;

use super::error::{PageError, PageResult};
use super::form::{FieldProblem, FormData, number, ticked};
use super::page_context::PageContext;
use super::session::{Admin, Confirmed};

const PATH: &str = "/admin/settings";

/// An owner who proved a short while ago to be one.
type Editor = Confirmed<Admin<kind::EditSettings>>;

/// The page as it stands.
async fn view(settings: &Settings) -> Result<View, PageError> {
    let security: Security = settings.get().await?;
    let retention: Retention = settings.get().await?;
    let announcement: Announcement = settings.get().await?;
    let tenants: TenantDefaults = settings.get().await?;
    let calendar: Calendar = settings.get().await?;
    let end_users: EndUserPolicy = settings.get().await?;
    let (idle, absolute) = (security.idle_minutes, security.absolute_hours);
    Ok(View {
        security: Form::of([
            ("idle_minutes", idle.to_string().as_str()),
            ("absolute_hours", absolute.to_string().as_str()),
            (
                "require_second_factor",
                ticked(security.require_second_factor),
            ),
        ]),
        retention: Form::of([
            ("usage_days", retention.usage_days.to_string().as_str()),
            ("audit_days", retention.audit_days.to_string().as_str()),
            (
                "delete_grace_days",
                retention.delete_grace_days.to_string().as_str(),
            ),
        ]),
        announcement: Form::of([("announcement", announcement.text.as_str())]),
        calendar: Form::of([("time_zone", calendar.time_zone.as_str())]),
        end_users: Form::of([
            (
                "flagged_prompts",
                end_users.flagged_prompts.to_string().as_str(),
            ),
            (
                "suspended_hours",
                end_users.suspended_hours.to_string().as_str(),
            ),
        ]),
        tenants: Form::of([
            (
                "credits",
                Credits::from_micros(tenants.credits_micros)
                    .to_string()
                    .as_str(),
            ),
            (
                "requests_per_minute",
                number(tenants.requests_per_minute).as_str(),
            ),
            (
                "tokens_per_minute",
                number(tenants.tokens_per_minute).as_str(),
            ),
            (
                "factor",
                Credits::from_micros(tenants.price_multiplier_ppm)
                    .to_string()
                    .as_str(),
            ),
        ]),
    })
}

/// `GET /admin/settings`
#[handler]
pub(super) async fn settings_page(who: Admin, settings: Data<&Settings>) -> PageResult {
    who.show(&view(&settings).await?).await
}

/// Keeps a group that was read from a form, or shows the form again with what is wrong.
async fn keep<S: Setting>(
    context: &PageContext,
    actor: &Actor,
    settings: &Settings,
    read: Result<S, FieldProblem>,
    place: impl FnOnce(&mut View, FieldProblem),
) -> PageResult {
    let kept = match read {
        Ok(setting) => match settings.put(actor, &setting).await {
            Ok(()) => return context.done(PATH, &Notice::Saved),
            Err(SettingsError::Invalid { field, rule }) => {
                (field, FieldError::Words(rule.to_owned()))
            }
            Err(error @ SettingsError::Store(_)) => return Err(error.into()),
        },
        Err(wrong) => wrong,
    };
    let mut view = view(settings).await?;
    place(&mut view, kept);
    context.show_again(&view).await
}

fn needed<N: std::str::FromStr>(posted: &FormData, name: &'static str) -> Result<N, FieldProblem> {
    posted
        .text(name)
        .parse()
        .map_err(|_| (name, FieldError::NotANumber))
}

fn absent<N: std::str::FromStr>(
    posted: &FormData,
    name: &'static str,
) -> Result<Option<N>, FieldProblem> {
    posted
        .optional(name)
        .map(|_| needed(posted, name))
        .transpose()
}

/// A decimal of at most six places, in millionths.
fn millionths(posted: &FormData, name: &'static str) -> Result<i64, FieldProblem> {
    let credits: Result<Credits, _> = posted.optional(name).unwrap_or("0").parse();
    credits
        .map(Credits::micros)
        .map_err(|_| (name, FieldError::NotAnAmount))
}

fn security_of(posted: &FormData) -> Result<Security, FieldProblem> {
    Ok(Security {
        idle_minutes: needed(posted, "idle_minutes")?,
        absolute_hours: needed(posted, "absolute_hours")?,
        require_second_factor: posted.is_ticked("require_second_factor"),
    })
}

/// `POST /admin/settings/security`
#[handler]
pub(super) async fn keep_security(
    who: Editor,
    posted: FormData,
    settings: Data<&Settings>,
) -> PageResult {
    let names = ["idle_minutes", "absolute_hours", "require_second_factor"];
    let place = |view: &mut View, (field, error): FieldProblem| {
        view.security = posted.again(&names).wrong(field, error);
    };
    let read = security_of(&posted);
    keep(&who, &who.actor(), &settings, read, place).await
}

fn retention_of(posted: &FormData) -> Result<Retention, FieldProblem> {
    Ok(Retention {
        usage_days: needed(posted, "usage_days")?,
        audit_days: needed(posted, "audit_days")?,
        delete_grace_days: needed(posted, "delete_grace_days")?,
    })
}

/// `POST /admin/settings/retention`
#[handler]
pub(super) async fn keep_retention(
    who: Editor,
    posted: FormData,
    settings: Data<&Settings>,
) -> PageResult {
    let names = ["usage_days", "audit_days", "delete_grace_days"];
    let place = |view: &mut View, (field, error): FieldProblem| {
        view.retention = posted.again(&names).wrong(field, error);
    };
    let read = retention_of(&posted);
    keep(&who, &who.actor(), &settings, read, place).await
}

/// `POST /admin/settings/announcement`
#[handler]
pub(super) async fn keep_announcement(
    who: Admin<kind::Announce>,
    posted: FormData,
    settings: Data<&Settings>,
) -> PageResult {
    let place = |view: &mut View, (field, error): FieldProblem| {
        view.announcement = posted.again(&["announcement"]).wrong(field, error);
    };
    let read = Ok(Announcement {
        text: posted.text("announcement").to_owned(),
    });
    keep(&who, &who.actor(), &settings, read, place).await
}

/// `POST /admin/settings/calendar`
#[handler]
pub(super) async fn keep_calendar(
    who: Editor,
    posted: FormData,
    settings: Data<&Settings>,
) -> PageResult {
    let place = |view: &mut View, (field, _): FieldProblem| {
        let form = posted.again(&["time_zone"]);
        view.calendar = form.wrong(field, FieldError::NotAZone);
    };
    let read = Ok(Calendar {
        time_zone: posted.text("time_zone").trim().to_owned(),
    });
    keep(&who, &who.actor(), &settings, read, place).await
}

fn end_users_of(posted: &FormData) -> Result<EndUserPolicy, FieldProblem> {
    Ok(EndUserPolicy {
        flagged_prompts: needed(posted, "flagged_prompts")?,
        suspended_hours: needed(posted, "suspended_hours")?,
    })
}

/// `POST /admin/settings/end-users`
#[handler]
pub(super) async fn keep_end_users(
    who: Editor,
    posted: FormData,
    settings: Data<&Settings>,
) -> PageResult {
    let names = ["flagged_prompts", "suspended_hours"];
    let place = |view: &mut View, (field, error): FieldProblem| {
        view.end_users = posted.again(&names).wrong(field, error);
    };
    let read = end_users_of(&posted);
    keep(&who, &who.actor(), &settings, read, place).await
}

/// `POST /admin/settings/tenants`
#[handler]
pub(super) async fn keep_tenants(
    who: Editor,
    posted: FormData,
    settings: Data<&Settings>,
) -> PageResult {
    let names = [
        "credits",
        "requests_per_minute",
        "tokens_per_minute",
        "factor",
    ];
    let place = |view: &mut View, (field, error): FieldProblem| {
        view.tenants = posted.again(&names).wrong(field, error);
    };
    let now: TenantDefaults = settings.get().await?;
    let read = (|| {
        Ok(TenantDefaults {
            credits_micros: millionths(&posted, "credits")?,
            requests_per_minute: absent(&posted, "requests_per_minute")?,
            tokens_per_minute: absent(&posted, "tokens_per_minute")?,
            price_multiplier_ppm: millionths(&posted, "factor")?,
            ..now
        })
    })();
    keep(&who, &who.actor(), &settings, read, place).await
}
