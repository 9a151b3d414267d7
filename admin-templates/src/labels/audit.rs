//! What the audit log tells, as sentences: `{a}` did it, to `{b}`, in the tenant `{c}`, with the value `{d}`.
//! And what gateways tell: `{b}` is the provider, `{c}` the key, `{d}` more about it.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// What was done, by the action's word.
    AuditTold {
        /// `user.create`.
        UserCreate = "user.create", Plain, "{a} added the member {b} to {c}", "{a} 在 {c} 添加了成员 {b}";
        /// `user.update`.
        UserUpdate = "user.update", Plain, "{a} changed the member {b} of {c}", "{a} 修改了 {c} 的成员 {b}";
        /// `user.delete`.
        UserDelete = "user.delete", Plain, "{a} removed the member {b} from {c}", "{a} 从 {c} 移除了成员 {b}";
        /// `tenant.create`.
        TenantCreate = "tenant.create", Plain, "{a} created the tenant {c}", "{a} 创建了租户 {c}";
        /// `tenant.update`.
        TenantUpdate = "tenant.update", Plain, "{a} changed the tenant {c}", "{a} 修改了租户 {c}";
        /// `tenant.settings`.
        TenantSettings = "tenant.settings", Plain, "{a} changed the settings of {c}", "{a} 修改了 {c} 的设置";
        /// `tenant.route`.
        TenantRoute = "tenant.route", Plain, "{a} changed the routing rules of {c}", "{a} 修改了 {c} 的路由规则";
        /// `tenant.recharge`.
        TenantRecharge = "tenant.recharge", Plain, "{a} gave {c} {d}", "{a} 为 {c} 充值 {d}";
        /// `tenant.adjust`.
        TenantAdjust = "tenant.adjust", Plain, "{a} adjusted the credits of {c} by {d}", "{a} 将 {c} 的额度调整 {d}";
        /// `budget.set`.
        BudgetSet = "budget.set", Plain, "{a} set a budget of {c} to {d}", "{a} 将 {c} 的一项预算设为 {d}";
        /// `key.create`.
        KeyCreate = "key.create", Plain, "{a} created the API key {b} of {c}", "{a} 为 {c} 创建了 API 密钥 {b}";
        /// `key.update`.
        KeyUpdate = "key.update", Plain, "{a} changed the API key {b} of {c}", "{a} 修改了 {c} 的 API 密钥 {b}";
        /// `key.rotate`.
        KeyRotate = "key.rotate", Plain, "{a} rotated the API key {b} of {c}", "{a} 轮换了 {c} 的 API 密钥 {b}";
        /// `key.revoke`.
        KeyRevoke = "key.revoke", Plain, "{a} revoked the API key {b} of {c}", "{a} 吊销了 {c} 的 API 密钥 {b}";
        /// `key.route`.
        KeyRoute = "key.route", Plain, "{a} changed the routing rules of the API key {b} of {c}", "{a} 修改了 {c} 的 API 密钥 {b} 的路由规则";
        /// `superadmin.create`.
        SuperadminCreate = "superadmin.create", Plain, "{a} added the superadmin {b}", "{a} 添加了超级管理员 {b}";
        /// `superadmin.update`.
        SuperadminUpdate = "superadmin.update", Plain, "{a} changed the superadmin {b}", "{a} 修改了超级管理员 {b}";
        /// `settings.update`.
        SettingsUpdate = "settings.update", Plain, "{a} changed the platform's settings: {b}", "{a} 修改了平台设置：{b}";
        /// `session.begin`.
        SessionBegin = "session.begin", Plain, "{a} signed in", "{a} 登录";
        /// `session.end`.
        SessionEnd = "session.end", Plain, "{a} ended a session", "{a} 结束了一个会话";
        /// `session.end_others`.
        SessionEndOthers = "session.end_others", Plain, "{a} ended all other sessions", "{a} 结束了其他所有会话";
        /// `login.failed`.
        LoginFailed = "login.failed", Plain, "Failed sign-ins as {b}: {d}", "以 {b} 登录失败 {d} 次";
        /// `second_factor.on`.
        SecondFactorOn = "second_factor.on", Plain, "{a} turned two-factor sign-in on", "{a} 启用了两步验证";
        /// `second_factor.off`.
        SecondFactorOff = "second_factor.off", Plain, "{a} turned two-factor sign-in off", "{a} 关闭了两步验证";
        /// `recovery_codes.renew`.
        RecoveryCodesRenew = "recovery_codes.renew", Plain, "{a} generated new recovery codes", "{a} 重新生成了恢复码";
        /// `recovery_code.use`.
        RecoveryCodeUse = "recovery_code.use", Plain, "{a} signed in with a recovery code", "{a} 使用恢复码登录";
        /// `portal.open`.
        PortalOpen = "portal.open", Plain, "{a} opened the portal of {c} as {b}, to look", "{a} 以 {b} 的身份打开了 {c} 的门户（只读）";
        /// `portal.close`.
        PortalClose = "portal.close", Plain, "{a} closed the portal of {c} that was opened as {b}", "{a} 关闭了以 {b} 的身份打开的 {c} 门户";
        /// `provider.create`.
        ProviderCreate = "provider.create", Plain, "{a} added the provider {b}", "{a} 添加了供应商 {b}";
        /// `provider.update`.
        ProviderUpdate = "provider.update", Plain, "{a} changed the provider {b}", "{a} 修改了供应商 {b}";
        /// `provider.delete`.
        ProviderDelete = "provider.delete", Plain, "{a} removed the provider {b}", "{a} 移除了供应商 {b}";
        /// `provider.balance_terms`.
        ProviderBalanceTerms = "provider.balance_terms", Plain, "{a} changed the balance warnings of {b}", "{a} 修改了 {b} 的余额提醒";
        /// `provider.data_terms`.
        ProviderDataTerms = "provider.data_terms", Plain, "{a} changed the data terms of {b}", "{a} 修改了 {b} 的数据条款";
        /// `provider_key.create`.
        ProviderKeyCreate = "provider_key.create", Plain, "{a} added a key to {b}", "{a} 为 {b} 添加了密钥";
        /// `provider_key.update`.
        ProviderKeyUpdate = "provider_key.update", Plain, "{a} changed a key of {b}", "{a} 修改了 {b} 的密钥";
        /// `provider_key.delete`.
        ProviderKeyDelete = "provider_key.delete", Plain, "{a} removed a key of {b}", "{a} 移除了 {b} 的密钥";
        /// `provider_key.create_many`.
        ProviderKeyCreateMany = "provider_key.create_many", Plain, "{a} added several keys to {b}", "{a} 为 {b} 批量添加了密钥";
        /// `provider_key.update_many`.
        ProviderKeyUpdateMany = "provider_key.update_many", Plain, "{a} changed several keys of {b}", "{a} 批量修改了 {b} 的密钥";
        /// `provider_key.delete_many`.
        ProviderKeyDeleteMany = "provider_key.delete_many", Plain, "{a} removed several keys of {b}", "{a} 批量移除了 {b} 的密钥";
        /// `model.create`.
        ModelCreate = "model.create", Plain, "{a} added the model {b}", "{a} 添加了模型 {b}";
        /// `model.update`.
        ModelUpdate = "model.update", Plain, "{a} changed the model {b}", "{a} 修改了模型 {b}";
        /// `model.delete`.
        ModelDelete = "model.delete", Plain, "{a} removed the model {b}", "{a} 移除了模型 {b}";
        /// `model.route`.
        ModelRoute = "model.route", Plain, "{a} changed the order of targets of {b}", "{a} 修改了 {b} 的目标顺序";
        /// `model.try`.
        ModelTry = "model.try", Plain, "{a} tried the model {b}, charged to {c}", "{a} 试用了模型 {b}，由 {c} 付费";
        /// `price.create`.
        PriceCreate = "price.create", Plain, "{a} set a price for {b}", "{a} 为 {b} 设置了价格";
        /// `price.delete`.
        PriceDelete = "price.delete", Plain, "{a} withdrew a price of {b}", "{a} 撤回了 {b} 的价格";
        /// `price.pin`.
        PricePin = "price.pin", Plain, "{a} pinned the price of {b}", "{a} 锁定了 {b} 的价格";
        /// `price.unpin`.
        PriceUnpin = "price.unpin", Plain, "{a} unpinned the price of {b}", "{a} 解除了 {b} 的价格锁定";
        /// `price_review.create`.
        PriceReviewCreate = "price_review.create", Plain, "{a} uploaded a price list", "{a} 上传了价格列表";
        /// `price_review.apply`.
        PriceReviewApply = "price_review.apply", Plain, "{a} set the prices of a price list", "{a} 按价格列表设置了价格";
        /// `gateway.create`.
        GatewayCreate = "gateway.create", Plain, "{a} added the gateway {b}", "{a} 添加了网关 {b}";
        /// `gateway.update`.
        GatewayUpdate = "gateway.update", Plain, "{a} changed the gateway {b}", "{a} 修改了网关 {b}";
        /// `gateway.delete`.
        GatewayDelete = "gateway.delete", Plain, "{a} removed the gateway {b}", "{a} 移除了网关 {b}";
        /// `call.settle`.
        CallSettle = "call.settle", Plain, "{a} charged {c} {d} for the call {b}", "{a} 就调用 {b} 向 {c} 收取了 {d}";
        /// `call.release`.
        CallRelease = "call.release", Plain, "{a} decided not to charge {c} for the call {b}", "{a} 决定不就调用 {b} 向 {c} 收费";
        /// `end_user.suspend`.
        EndUserSuspend = "end_user.suspend", Plain, "{a} suspended an end user of {c}", "{a} 停用了 {c} 的一名最终用户";
        /// `end_user.lift`.
        EndUserLift = "end_user.lift", Plain, "{a} lifted the suspension of an end user of {c}", "{a} 解除了 {c} 一名最终用户的停用";
        /// `alert.mute`.
        AlertMute = "alert.mute", Plain, "{a} muted the alert on {b}", "{a} 静音了 {b} 的告警";
        /// `alert.unmute`.
        AlertUnmute = "alert.unmute", Plain, "{a} unmuted the alert on {b}", "{a} 取消了 {b} 告警的静音";
        /// `alert_channel.create`.
        AlertChannelCreate = "alert_channel.create", Plain, "{a} added the alert channel {b}", "{a} 添加了告警渠道 {b}";
        /// `alert_channel.update`.
        AlertChannelUpdate = "alert_channel.update", Plain, "{a} changed the alert channel {b}", "{a} 修改了告警渠道 {b}";
        /// `alert_channel.delete`.
        AlertChannelDelete = "alert_channel.delete", Plain, "{a} deleted the alert channel {b}", "{a} 删除了告警渠道 {b}";
        /// `other`.
        Other = "other", Plain, "{a} changed {b}", "{a} 修改了 {b}";
    }
    /// What a gateway told, by its kind.
    NewsTold {
        /// It came up.
        Started = "gateway_started", Good, "Started, version {d}", "已启动，版本 {d}";
        /// A provider refused a key for good.
        KeyDisabled = "key_disabled", Bad, "{b} refused the key {c}: {d}", "{b} 拒绝了密钥 {c}：{d}";
        /// A key is left alone for a while.
        KeyCooling = "key_cooling", Warn, "The key {c} of {b} is cooling down: {d}", "{b} 的密钥 {c} 冷却中：{d}";
        /// A key serves again.
        KeyRecovered = "key_recovered", Good, "The key {c} of {b} works again", "{b} 的密钥 {c} 已恢复";
        /// A key's balance passed a line.
        KeyBalance = "key_balance", Warn, "The balance of the key {c} of {b} is {d}", "{b} 的密钥 {c} 余额{d}";
        /// Something newer than this page.
        Other = "other", Plain, "Unknown event: {d}", "未知事件：{d}";
    }
}
