//! Strings of what rows and lists offer, and of the questions before something is taken away.

use super::catalogue;

catalogue! {
/// Strings of rows, menus, filters and questions.
RowText [] {
    account_menu: "Account:", "账户：";
    channel_off: "Alerts are no longer sent there. You can enable it again.", "不再向该渠道发送告警；之后可重新启用。";
    channel_remove: "The channel and its secret are deleted permanently.", "该渠道及其密钥将被永久删除。";
    chat_delete: "The conversation is deleted permanently. Its calls and their charges stay in your usage.", "该对话将被永久删除；调用与扣费记录仍会保留。";
    filters: "Filters", "筛选条件";
    gateway_off: "No new calls are sent to it. Running calls finish normally. You can enable it again.", "不再向其发送新调用，进行中的调用照常结束；之后可重新启用。";
    gateway_remove: "It is removed from the list together with its secret. Running calls finish normally.", "将其及其密钥从列表中移除，进行中的调用照常结束。";
    key_disable: "Calls use the provider's other keys. You can enable it again.", "调用将改用该供应商的其他密钥；之后可重新启用。";
    key_remove: "The gateway deletes its secret permanently. Usage records are kept.", "网关将永久删除该密钥；用量记录会保留。";
    lift: "Their calls are accepted again at once.", "其调用将立即恢复。";
    more_actions: "More actions:", "更多操作：";
    picture_delete: "The image is deleted permanently. The call and its charge stay in your usage.", "该图像将被永久删除；调用与扣费记录仍会保留。";
    price_withdraw: "The scheduled price never takes effect. The one before it continues.", "该计划价格不会生效，继续沿用之前的价格。";
    remove_filter: "Remove filter:", "移除筛选条件：";
    superadmin_disable: "They are signed out at once and cannot sign in until they are enabled again.", "该管理员将立即退出登录，重新启用前无法登录。";
    target_remove: "Calls to this model no longer go there. Running calls finish normally.", "该模型的调用不再发往此处，进行中的调用照常结束。";
}
}
