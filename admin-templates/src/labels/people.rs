//! Words of people: what they are, what they may do, and how they and their keys stand.

use super::{Label, Tone, Word, labels};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// What a signed-in person may do.
    PersonRole {
        /// A superadmin who may do everything.
        Owner = "owner", Info, "owner", "所有者";
        /// A superadmin who runs tenants, models and providers, not money.
        Operator = "operator", Plain, "operator", "运维";
        /// A superadmin who recharges and adjusts.
        Finance = "finance", Plain, "finance", "财务";
        /// A superadmin who only looks.
        ReadOnly = "read_only", Plain, "read-only", "只读";
        /// Owns a tenant.
        TenantOwner = "tenant_owner", Info, "owner", "所有者";
        /// Runs a tenant.
        TenantAdmin = "tenant_admin", Plain, "admin", "管理员";
        /// Uses a tenant's credits.
        Member = "member", Plain, "member", "成员";
    }
    /// Roles of superadmins, for choosing one.
    AdminRole {
        /// May do everything.
        Owner = "owner", Info, "owner", "所有者";
        /// Runs tenants, models and providers, not money.
        Operator = "operator", Plain, "operator", "运维";
        /// Recharges and adjusts.
        Finance = "finance", Plain, "finance", "财务";
        /// Only looks.
        ReadOnly = "read_only", Plain, "read-only", "只读";
    }
    /// Roles inside a tenant.
    MemberRole {
        /// May do everything in the tenant.
        Owner = "owner", Info, "owner", "所有者";
        /// Runs members and keys.
        Admin = "admin", Plain, "admin", "管理员";
        /// Uses models.
        Member = "member", Plain, "member", "成员";
    }
    /// Whether a tenant's calls are taken.
    TenantStatus {
        /// They are.
        Active = "active", Good, "active", "正常";
        /// They are refused.
        Suspended = "suspended", Warn, "suspended", "已停用";
        /// They are refused, and the tenant goes away when the grace period is over.
        Deleting = "deleting", Bad, "deleting", "待删除";
    }
    /// Whether a person may sign in.
    MemberStatus {
        /// They may.
        Active = "active", Good, "active", "正常";
        /// They may not.
        Disabled = "disabled", Bad, "disabled", "已禁用";
        /// Not for a while, after too many wrong passwords.
        Locked = "locked", Warn, "locked out", "已锁定";
    }
    /// Why an end user of a tenant may make no calls.
    SuspensionWhy {
        /// A provider refuses them.
        Provider = "provider", Bad, "refused by a provider", "被供应商拒绝";
        /// Too many of their prompts were refused.
        Flagged = "flagged", Warn, "too many refused prompts", "违规请求过多";
        /// An operator says so.
        Operator = "operator", Plain, "by an operator", "由管理员停用";
    }
    /// Whether an API key is taken.
    KeyStatus {
        /// It is.
        Active = "active", Good, "active", "有效";
        /// It is, and so is the secret it had before, until its grace is over.
        Rotating = "rotating", Info, "grace period", "轮换宽限期";
        /// Its time is over.
        Expired = "expired", Warn, "expired", "已过期";
        /// It was taken back.
        Revoked = "revoked", Bad, "revoked", "已吊销";
    }
    /// What an API key spends.
    KeyKind {
        /// Credits.
        Live = "live", Plain, "live", "正式";
        /// Nothing; it reaches the sandbox only.
        Test = "test", Info, "test", "测试";
    }
    /// What an API key may do.
    Scope {
        /// Chat, embeddings and media.
        Inference = "inference", Plain, "call models", "调用模型";
        /// Read usage and the balance.
        Usage = "usage", Plain, "read usage and balance", "查看用量与余额";
        /// Make and revoke keys.
        Keys = "keys", Plain, "manage keys", "管理密钥";
    }
    /// Who changed something.
    ActorKind {
        /// A superadmin.
        Superadmin = "superadmin", Info, "superadmin", "超级管理员";
        /// A person of a tenant.
        User = "user", Plain, "user", "用户";
        /// An API key.
        Key = "key", Plain, "API key", "API 密钥";
        /// The platform itself.
        System = "system", Plain, "system", "系统";
    }
}
