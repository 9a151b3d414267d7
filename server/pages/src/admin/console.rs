//! What the pages are built from, taken apart once: each handler is then given its own rooms and
//! no others. Asks no room anything.

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, Response, Route};
use server_calls::Calls;
use server_rooms::accounts::Accounts;
use server_rooms::alerts::Alerts;
use server_rooms::alerts::channels::AlertChannels;
use server_rooms::auth::factors::Factors;
use server_rooms::browser_sessions::BrowserSessions;
use server_rooms::catalogue::Catalogue;
use server_rooms::catalogue::lists::ModelLists;
use server_rooms::end_users::EndUsers;
use server_rooms::gateways::Gateways;
use server_rooms::health::HealthCheck;
use server_rooms::ledger::Ledger;
use server_rooms::money::corrections::Corrections;
use server_rooms::money::recharge::Recharges;
use server_rooms::providers::Providers;
use server_rooms::reports::Reports;
use server_rooms::reports::history::UsageHistory;
use server_rooms::settings::Settings;
use server_rooms::studio::StudioMemory;

use super::super::docs::ApiDocument;
use super::super::page_services::CallStatus;
use super::super::search::SearchRooms;
use super::alert_channels::ChannelRooms;
use super::dashboard::DashboardRooms;
use super::models::ModelRooms;
use super::models::trial::TrialRooms;
use super::tenant::TenantRooms;
use super::tenant::keys::KeyRooms;
use super::tenant::limits::LimitRooms;
use super::tenant::people::PeopleRooms;
use super::tenants::FoundingRooms;
use super::usage::CallRooms;

/// The rooms of all pages, the portal's too.
#[derive(Debug)]
pub struct Console {
    /// Tenants and people.
    pub accounts: Accounts,
    /// What somebody should look at.
    pub alerts: Alerts,
    /// Where alerts are sent to.
    pub alert_channels: AlertChannels,
    /// Whether messages of these have links.
    pub has_links: bool,
    /// Sessions of browsers.
    pub browsers: BrowserSessions,
    /// What a refused call is told.
    pub call_status: CallStatus,
    /// Calls, for trials and the studio.
    pub calls: Calls,
    /// Models and prices.
    pub catalogue: Catalogue,
    /// What providers say they have.
    pub model_lists: ModelLists,
    /// Corrections and budgets.
    pub corrections: Corrections,
    /// Who may not call.
    pub end_users: EndUsers,
    /// What the API's documentation is made of.
    pub document: ApiDocument,
    /// Second factors.
    pub factors: Factors,
    /// Names and places of gateways.
    pub gateways: Gateways,
    /// How the platform's parts do.
    pub health: HealthCheck,
    /// Usage records.
    pub history: UsageHistory,
    /// Money.
    pub ledger: Ledger,
    /// Providers at the gateways.
    pub providers: Providers,
    /// Giving money.
    pub recharges: Recharges,
    /// Lists and sums.
    pub reports: Reports,
    /// Settings of the platform.
    pub settings: Settings,
    /// What people did in the studio.
    pub studio: StudioMemory,
}

impl Console {
    /// Puts before the pages what their handlers ask for as `Data<&…>`.
    pub(in super::super) fn supply(self, pages: Route) -> impl Endpoint<Output = Response> {
        let pages = self.supply_models(self.supply_tenants(pages));
        pages
            .data(DashboardRooms {
                alerts: self.alerts.clone(),
                accounts: self.accounts.clone(),
                catalogue: self.catalogue.clone(),
                gateways: self.gateways.clone(),
                ledger: self.ledger.clone(),
                providers: self.providers.clone(),
                reports: self.reports.clone(),
                settings: self.settings.clone(),
            })
            .data(SearchRooms {
                accounts: self.accounts.clone(),
                catalogue: self.catalogue.clone(),
                gateways: self.gateways.clone(),
                ledger: self.ledger.clone(),
                providers: self.providers.clone(),
                reports: self.reports.clone(),
            })
            .data(ChannelRooms {
                channels: self.alert_channels,
                has_links: self.has_links,
            })
            .data(self.alerts)
            .data(CallRooms {
                accounts: self.accounts.clone(),
                ledger: self.ledger.clone(),
                reports: self.reports.clone(),
            })
            .boxed()
            .data(self.accounts)
            .data(self.browsers)
            .data(self.call_status)
            .data(self.calls)
            .data(self.catalogue)
            .data(self.model_lists)
            .data(self.corrections)
            .data(self.document)
            .data(self.end_users)
            .boxed()
            .data(self.factors)
            .data(self.gateways)
            .data(self.health)
            .data(self.history)
            .data(self.ledger)
            .data(self.providers)
            .data(self.recharges)
            .data(self.reports)
            .data(self.settings)
            .data(self.studio)
    }

    // Boxed now and then: each `data` wraps the future of a request once more.
    fn supply_tenants(&self, pages: Route) -> BoxEndpoint<'static, Response> {
        pages
            .data(FoundingRooms {
                accounts: self.accounts.clone(),
                catalogue: self.catalogue.clone(),
                recharges: self.recharges.clone(),
                settings: self.settings.clone(),
            })
            .data(TenantRooms {
                accounts: self.accounts.clone(),
                ledger: self.ledger.clone(),
                reports: self.reports.clone(),
                settings: self.settings.clone(),
            })
            .data(KeyRooms {
                accounts: self.accounts.clone(),
                catalogue: self.catalogue.clone(),
                corrections: self.corrections.clone(),
                ledger: self.ledger.clone(),
                reports: self.reports.clone(),
            })
            .data(LimitRooms {
                accounts: self.accounts.clone(),
                catalogue: self.catalogue.clone(),
                ledger: self.ledger.clone(),
            })
            .data(PeopleRooms {
                accounts: self.accounts.clone(),
                browsers: self.browsers.clone(),
                corrections: self.corrections.clone(),
                factors: self.factors.clone(),
                ledger: self.ledger.clone(),
                reports: self.reports.clone(),
            })
            .boxed()
    }

    fn supply_models(
        &self,
        pages: BoxEndpoint<'static, Response>,
    ) -> BoxEndpoint<'static, Response> {
        let model = ModelRooms {
            catalogue: self.catalogue.clone(),
            providers: self.providers.clone(),
            reports: self.reports.clone(),
        };
        let trial = TrialRooms {
            accounts: self.accounts.clone(),
            calls: self.calls.clone(),
            model: model.clone(),
        };
        pages.data(model).data(trial).boxed()
    }
}
