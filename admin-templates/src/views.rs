//! The list of all views: each with its name, its template, whose page it is and where.
//! Only what stands here implements `View`, so no view can escape the tests.

use askama::Template;
use shared::credits::Credits;

use crate::account::{
    ConfirmPassword, ErrorInside, ErrorPage, FirstStart, PasswordOnce, RecoveryCodes, SecondFactor,
    SecretOnce, Security, SignIn, TotpSetup,
};
use crate::admin::alerts::AlertChannelList;
use crate::admin::balances::BalancePage;
use crate::admin::catalogue::{ModelDetail, ModelList, ModelNew};
use crate::admin::dashboard::Dashboard;
use crate::admin::gateways::{GatewayList, GatewaySecret};
use crate::admin::model_lists::ProviderModelList;
use crate::admin::platform::{AuditDetail, AuditLog, Settings, SuperadminList, SystemHealth};
use crate::admin::price_import::{PriceImports, PriceReviewPage};
use crate::admin::provider_import::ProviderImportPage;
use crate::admin::provider_keys::{BulkAdd, ProviderKeyEdit};
use crate::admin::providers::{
    ProviderData, ProviderDetail, ProviderList, ProviderNew, ProviderPick,
};
use crate::admin::route_check::RouteCheckPage;
use crate::admin::tenants::{
    TenantInfo, TenantKeys, TenantLimits, TenantList, TenantMembers, TenantMoney, TenantNew,
    TenantUsage,
};
use crate::admin::usage::{CallPage, UsageLog};
use crate::catalogue::ModelChoice;
use crate::docs::ApiDocs;
use crate::end_users::{EndUserList, OwnEndUsers};
use crate::fixtures::Typical;
use crate::fixtures::maker::{Filling, Maker, Sample};
use crate::icon::Icon;
use crate::labels::{
    AdminRole, AnswerEffort, AnswerLength, BudgetPeriod, CallStatus, Capability, ChannelWord,
    Direction, ErrorKind, KeyKind, KeyLineState, Label, LangWord, LimitField, LineKind, ListTakes,
    MemberRole, MemberStatus, MuteWord, Operation, PoolKeyStatus, PriceItem, ProviderFilter, Scope,
    Severity, Speaker, Switch, TargetOrder, TenantStatus, Word,
};
use crate::narrow;
use crate::nav;
use crate::page::{Area, Page};
use crate::portal::{
    History, KeyForm, KeyList, MemberForm, MemberList, Overview, OwnCall, PortalLedger,
    PortalSettings, PortalUsage, StudioChat, StudioHistory, StudioImage,
};
use crate::search::SearchPage;
use crate::text::Text;

/// A page could not be written. It means a fault in this crate, not in what the view holds.
#[derive(Debug, thiserror::Error)]
#[error("the page `{view}` could not be written")]
pub struct RenderError {
    view: &'static str,
    #[source]
    source: askama::Error,
}

/// A page's content. The server fills the struct and calls `render`.
pub trait View: Sized + Sample + Typical {
    /// Its name in tests, the gallery and telemetry.
    const NAME: &'static str;

    /// The whole page as HTML.
    fn render(&self, page: &Page) -> Result<String, RenderError>;

    /// Empty, typical and extreme contents, each with a name.
    fn samples() -> Vec<(String, Self)> {
        let mut samples: Vec<(String, Self)> = Self::typical()
            .into_iter()
            .enumerate()
            .map(|(place, view)| (format!("typical-{}", place + 1), view))
            .collect();
        for (name, filling) in [
            ("empty", Filling::Empty),
            ("markup", Filling::Markup),
            ("address", Filling::Address),
            ("long", Filling::Long),
        ] {
            samples.push((name.to_owned(), Self::sample(&mut Maker::new(filling))));
        }
        samples
    }
}

/// A page of a sample.
#[derive(Debug)]
pub struct SamplePage {
    /// The sample's name.
    pub sample: String,
    /// The whole page as HTML.
    pub html: Result<String, RenderError>,
}

/// A view of the list, for tests and the gallery.
#[derive(Debug, Clone, Copy)]
pub struct ViewEntry {
    /// Its name.
    pub name: &'static str,
    /// Whose page it is.
    pub areas: &'static [Area],
    /// Where it is, below the area's root.
    pub path: &'static str,
    /// Whether somebody is signed in there.
    pub signed_in: bool,
    /// Renders each sample.
    pub pages: fn(&Page) -> Vec<SamplePage>,
}

fn pages<V: View>(page: &Page) -> Vec<SamplePage> {
    let samples = V::samples().into_iter();
    samples
        .map(|(sample, view)| SamplePage {
            sample,
            html: view.render(page),
        })
        .collect()
}

macro_rules! views {
    ($( $view:ident $name:literal $template:tt [$($area:ident),+] $path:literal $signed_in:literal; )+) => {
        $(
            const _: () = {
                #[derive(Template)]
                #[template(path = $template)]
                struct Written<'a> {
                    v: &'a $view,
                    p: &'a Page,
                    t: &'static Text,
                }

                impl View for $view {
                    const NAME: &'static str = $name;

                    fn render(&self, page: &Page) -> Result<String, RenderError> {
                        let written = Written { v: self, p: page, t: page.text() };
                        let html = written.render().map_err(|source| RenderError { view: $name, source })?;
                        Ok(narrow::fit(html, page))
                    }
                }
            };
        )+

        /// Every view there is.
        pub const VIEWS: &[ViewEntry] = &[
            $( ViewEntry {
                name: $name,
                areas: &[$(Area::$area),+],
                path: $path,
                signed_in: $signed_in,
                pages: pages::<$view>,
            }, )+
        ];
    };
}

views! {
    SignIn "sign-in" "account/sign_in.html" [Admin, Portal] "/login" false;
    SecondFactor "second-factor" "account/second_factor.html" [Admin, Portal] "/login/second" false;
    FirstStart "first-start" "account/first_start.html" [Admin] "/setup" false;
    ConfirmPassword "confirm-password" "account/confirm.html" [Admin, Portal] "/confirm" true;
    Security "security" "account/security.html" [Admin, Portal] "/security" true;
    TotpSetup "totp-setup" "account/totp.html" [Admin, Portal] "/security/totp" true;
    RecoveryCodes "recovery-codes" "account/recovery.html" [Admin, Portal] "/security/recovery" true;
    SecretOnce "secret-once" "account/secret.html" [Admin, Portal] "/keys/new" true;
    PasswordOnce "password-once" "account/password.html" [Admin, Portal] "/members/mem_1/password" true;
    ErrorPage "error" "account/error.html" [Admin, Portal] "/nowhere" false;
    ErrorInside "error-inside" "account/error_inside.html" [Admin, Portal] "/nowhere" true;
    SearchPage "search" "account/search.html" [Admin, Portal] "/search?q=north" true;
    Dashboard "dashboard" "admin/dashboard.html" [Admin] "" true;
    TenantList "tenants" "admin/tenants.html" [Admin] "/tenants" true;
    TenantNew "tenant-new" "admin/tenant_new.html" [Admin] "/tenants/new" true;
    TenantInfo "tenant" "admin/tenant_info.html" [Admin] "/tenants/ten_1" true;
    TenantMembers "tenant-members" "admin/tenant_members.html" [Admin] "/tenants/ten_1/members" true;
    TenantKeys "tenant-keys" "admin/tenant_keys.html" [Admin] "/tenants/ten_1/keys" true;
    TenantUsage "tenant-usage" "admin/tenant_usage.html" [Admin] "/tenants/ten_1/usage" true;
    TenantMoney "tenant-money" "admin/tenant_money.html" [Admin] "/tenants/ten_1/money" true;
    TenantLimits "tenant-limits" "admin/tenant_limits.html" [Admin] "/tenants/ten_1/limits" true;
    ModelList "models" "admin/models.html" [Admin] "/models" true;
    ModelNew "model-new" "admin/model_new.html" [Admin] "/models/new" true;
    ModelDetail "model" "admin/model.html" [Admin] "/models/gpt-5" true;
    PriceImports "price-imports" "admin/price_imports.html" [Admin] "/price-imports" true;
    PriceReviewPage "price-review" "admin/price_review.html" [Admin] "/price-imports/prv_1" true;
    ProviderList "providers" "admin/providers.html" [Admin] "/providers" true;
    ProviderPick "provider-pick" "admin/provider_pick.html" [Admin] "/providers/new" true;
    ProviderNew "provider-new" "admin/provider_new.html" [Admin] "/providers/new?vendor=deepseek" true;
    ProviderDetail "provider" "admin/provider.html" [Admin] "/providers/openai" true;
    ProviderKeyEdit "provider-key" "admin/provider_key.html" [Admin] "/providers/openai/keys/pky_1/edit" true;
    BalancePage "balances" "admin/balances.html" [Admin] "/balances" true;
    RouteCheckPage "route-check" "admin/route_check.html" [Admin] "/models/gpt-5/route" true;
    ProviderModelList "provider-models" "admin/provider_models.html" [Admin] "/providers/openai/models" true;
    ProviderData "provider_data" "admin/provider_data.html" [Admin] "/providers/openai/data" true;
    ProviderImportPage "provider-import" "admin/provider_import.html" [Admin] "/provider-import" true;
    BulkAdd "bulk-add" "admin/bulk.html" [Admin] "/providers/openai/keys/bulk" true;
    GatewayList "gateways" "admin/gateways.html" [Admin] "/gateways" true;
    GatewaySecret "gateway-secret" "admin/gateway_secret.html" [Admin] "/gateways/gw_1/secret" true;
    UsageLog "usage" "admin/usage.html" [Admin] "/usage" true;
    CallPage "call" "admin/call.html" [Admin] "/usage/gen_1" true;
    SuperadminList "superadmins" "admin/superadmins.html" [Admin] "/superadmins" true;
    EndUserList "end-users" "admin/end_users.html" [Admin] "/end-users" true;
    ApiDocs "api-docs" "portal/docs.html" [Admin, Portal] "/docs" true;
    ModelChoice "model-choice" "portal/models.html" [Portal] "/models" true;
    OwnEndUsers "own-end-users" "portal/end_users.html" [Portal] "/end-users" true;
    AuditLog "audit" "admin/audit.html" [Admin] "/audit" true;
    AuditDetail "audit-entry" "admin/audit_entry.html" [Admin] "/audit/aud_1" true;
    AlertChannelList "alert-channels" "admin/alert_channels.html" [Admin] "/alert-channels" true;
    Settings "settings" "admin/settings.html" [Admin] "/settings" true;
    SystemHealth "health" "admin/health.html" [Admin] "/health" true;
    Overview "overview" "portal/overview.html" [Portal] "" true;
    MemberList "members" "portal/members.html" [Portal] "/members" true;
    MemberForm "member" "portal/member.html" [Portal] "/members/new" true;
    KeyList "keys" "portal/keys.html" [Portal] "/keys" true;
    KeyForm "key" "portal/key.html" [Portal] "/keys/new" true;
    PortalUsage "own-usage" "portal/usage.html" [Portal] "/usage" true;
    OwnCall "own-call" "portal/call.html" [Portal] "/usage/gen_1" true;
    PortalLedger "ledger" "portal/ledger.html" [Portal] "/ledger" true;
    PortalSettings "own-settings" "portal/settings.html" [Portal] "/settings" true;
    StudioChat "studio-chat" "portal/chat.html" [Portal] "/studio/chat" true;
    StudioHistory "studio-history" "portal/studio.html" [Portal] "/studio" true;
    StudioImage "studio-image" "portal/image.html" [Portal] "/studio/images" true;
    History "history" "portal/history.html" [Portal] "/history" true;
}
