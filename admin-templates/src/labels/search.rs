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
        /// Something to do.
        Action = "action", Plain, "Actions", "操作";
        /// Credits that were given, a correction, a price.
        Money = "money", Plain, "Credits and prices", "额度与价格";
        /// A page.
        Page = "page", Plain, "Pages", "页面";
    }
    /// What may be done, as people look for it; a gap is for the tenant it is done to.
    SearchAction {
        /// Of the platform.
        NewTenant = "new_tenant", Plain, "Create a tenant", "新建租户";
        /// Of the platform.
        NewModel = "new_model", Plain, "Add a model", "添加模型";
        /// Of the platform.
        NewProvider = "new_provider", Plain, "Add a provider", "添加供应商";
        /// Of the platform.
        ImportPrices = "import_prices", Plain, "Import prices", "导入价格";
        /// Of the platform.
        NewSuperadmin = "new_superadmin", Plain, "Add a superadmin", "添加超级管理员";
        /// Of the platform.
        Announce = "announce", Plain, "Write an announcement", "发布公告";
        /// Of the platform.
        ExportCalls = "export_calls", Plain, "Export all calls (CSV)", "导出全部调用（CSV）";
        /// Of a tenant.
        Recharge = "recharge", Plain, "Recharge {}", "充值 {}";
        /// Of a tenant.
        NewKey = "new_key", Plain, "Create a key for {}", "新建密钥 {}";
        /// Of a tenant.
        Limits = "limits", Plain, "Limit {}", "限制 {}";
        /// In the portal.
        OwnKey = "own_key", Plain, "Create an API key", "新建 API 密钥";
        /// In the portal.
        OwnMember = "own_member", Plain, "Add a member", "添加成员";
        /// In the portal.
        OwnLedger = "own_ledger", Plain, "Export the ledger (CSV)", "导出账本（CSV）";
        /// In the portal.
        OwnChat = "own_chat", Plain, "Start a chat", "开始对话";
        /// In the portal.
        OwnImage = "own_image", Plain, "Generate an image", "生成图像";
    }
}
