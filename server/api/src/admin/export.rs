//! A tenant's usage and ledger as files, for superadmins.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use server_edge::export::{CsvFile, Excel, Reader, ledger_file, usage_file};
use server_rooms::reports::{Reports, UsageFilter};

use super::tenant_of;
use crate::error::ApiError;
use crate::export::UsageExportQuery;
use crate::principal::SuperadminCaller;

/// Exports for superadmins.
#[derive(Debug, Clone)]
pub struct AdminExportApi {
    /// The room.
    pub reports: Reports,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Tenants")]
impl AdminExportApi {
    /// Export a tenant's usage records as CSV
    ///
    /// Newest first, with providers and their cost; the response is streamed. Days and times are in the
    /// platform's time zone, with their offset.
    #[oai(
        path = "/tenants/:id/usage/export",
        method = "get",
        operation_id = "admin_export_usage"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "poem-openapi has one argument for each parameter"
    )]
    async fn usage(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        /// The first day (2026-11-01) or moment (RFC 3339)
        #[oai(name = "startDate")]
        start: Query<Option<String>>,
        /// The last day, which is included, or moment
        #[oai(name = "endDate")]
        end: Query<Option<String>>,
        /// Only of this model
        model: Query<Option<String>>,
        /// Only with this key
        key: Query<Option<String>>,
        /// Only by this person
        user: Query<Option<String>>,
        /// Only `succeeded`, `failed` or `canceled`
        status: Query<Option<String>>,
        /// Only `chat`, `embedding` or `image`
        operation: Query<Option<String>>,
        /// Whether to begin with a byte order mark, which Excel wants
        bom: Query<Option<Excel>>,
    ) -> Result<CsvFile, ApiError> {
        let tenant = tenant_of(&id.0)?;
        let query = UsageExportQuery {
            start: start.0,
            end: end.0,
            model: model.0,
            key: key.0,
            user: user.0,
            status: status.0,
            operation: operation.0,
        };
        let zone = self.reports.platform_zone().await;
        let filter = query.filter(&zone)?;
        self.reports.require_tenant(&tenant).await?;
        let pages = self.reports.export_usage(UsageFilter {
            tenant: Some(tenant),
            ..filter
        });
        Ok(usage_file(pages, Reader::Superadmin, (bom.0, zone)))
    }

    /// Export a tenant's ledger as CSV
    ///
    /// Newest first; the response is streamed. Times are in the platform's time zone, with their offset.
    #[oai(
        path = "/tenants/:id/ledger/export",
        method = "get",
        operation_id = "admin_export_ledger"
    )]
    async fn ledger(
        &self,
        _caller: SuperadminCaller,
        id: Path<String>,
        /// Whether to begin with a byte order mark, which Excel wants
        bom: Query<Option<Excel>>,
    ) -> Result<CsvFile, ApiError> {
        let tenant = tenant_of(&id.0)?;
        self.reports.require_tenant(&tenant).await?;
        let pages = self.reports.export_ledger(tenant);
        let zone = self.reports.platform_zone().await;
        Ok(ledger_file(pages, (bom.0, zone)))
    }
}
