//! A tenant's usage and ledger as files.

use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use server_edge::export::{CsvFile, Excel, Reader, ledger_file, usage_file};
use server_rooms::reports::{Reports, UsageFilter};

use crate::error::ApiError;
use crate::export::UsageExportQuery;
use crate::principal::{TenantCaller, need};

/// Exports for tenants.
#[derive(Debug, Clone)]
pub struct ExportApi {
    /// The room.
    pub reports: Reports,
}

#[OpenApi(prefix_path = "/api/v1")]
impl ExportApi {
    /// Export usage records as CSV
    ///
    /// All of them, newest first; the response is streamed. Members get their own. Days and times are in
    /// the tenant's time zone, with their offset.
    #[oai(
        path = "/usage/export",
        method = "get",
        operation_id = "export_usage",
        tag = "crate::Tag::Usage"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "poem-openapi has one argument for each parameter"
    )]
    async fn usage(
        &self,
        caller: TenantCaller<need::Usage>,
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
        let query = UsageExportQuery {
            start: start.0,
            end: end.0,
            model: model.0,
            key: key.0,
            user: user.0,
            status: status.0,
            operation: operation.0,
        };
        let zone = self.reports.tenant_zone(&caller.who.tenant).await?;
        let filter = query.filter(&zone)?;
        let filter = UsageFilter {
            tenant: Some(caller.who.tenant.clone()),
            user: caller.records_of(filter.user.clone())?,
            ..filter
        };
        let pages = self.reports.export_usage(filter);
        Ok(usage_file(pages, Reader::Tenant, (bom.0, zone)))
    }

    /// Export ledger entries as CSV
    ///
    /// All of them, newest first; the response is streamed. Times are in the tenant's time zone, with their
    /// offset.
    #[oai(
        path = "/credits/export",
        method = "get",
        operation_id = "export_credit_entries",
        tag = "crate::Tag::Credits"
    )]
    async fn ledger(
        &self,
        caller: TenantCaller<need::Books>,
        /// Whether to begin with a byte order mark, which Excel wants
        bom: Query<Option<Excel>>,
    ) -> Result<CsvFile, ApiError> {
        let zone = self.reports.tenant_zone(&caller.who.tenant).await?;
        let pages = self.reports.export_ledger(caller.who.tenant.clone());
        Ok(ledger_file(pages, (bom.0, zone)))
    }
}
