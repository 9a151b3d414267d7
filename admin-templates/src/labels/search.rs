//! Words of what a search finds.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// A kind of what is found.
    SearchKind {
        /// By its id.
        Call = "call", Plain, "Calls", "调用";
        /// A customer.
        Tenant = "tenant", Plain, "Tenants", "租户";
        /// A member of one.
        Person = "person", Plain, "Members", "成员";
        /// An API key.
        Key = "key", Plain, "API keys", "API 密钥";
        /// A model.
        Model = "model", Plain, "Models", "模型";
        /// Whoever serves it.
        Provider = "provider", Plain, "Providers", "供应商";
        /// A gateway.
        Gateway = "gateway", Plain, "Gateways", "网关";
        /// Whoever runs the platform.
        Superadmin = "superadmin", Plain, "Superadmins", "超级管理员";
        /// A kind of failure.
        Fault = "fault", Plain, "Errors", "错误类型";
        /// A page.
        Page = "page", Plain, "Pages", "页面";
    }
}
