//! Strings of the tenant's portal.

use super::catalogue;

catalogue! {
/// Strings of the portal.
PortalText [] {
    end_users_lede: "End users, as identified in your requests, who are currently not allowed to make calls. Your other end users are not affected. Contact support to lift a suspension.", "您的请求中所标识的、目前无法调用的最终用户；其他用户不受影响。如需解除请联系服务支持。";
    alert_below: "Warn when the balance is below", "余额低于此值时提醒";
    zone_hint: "Times and days on these pages and in files use this time zone, and your budget periods start in it. Use a name such as Asia/Shanghai. Leave empty for the platform's. A budget period that has begun continues to its end.", "门户页面与导出文件的时间、日期使用此时区，预算周期也按此起算。填写如 Asia/Shanghai 的名称；留空则使用平台时区；正在进行的预算周期照常结束。";
    alert_hint: "Shown on the overview. Leave empty to warn only when credits will last less than three days.", "低于此值时在概览页提醒；留空则仅在预计不足三天时提醒。";
    alerts: "When credits run low", "余额提醒";
    answer_coming: "The answer is still being written. Load the page again in a moment.", "回答仍在生成，请稍后刷新页面。";
    answer_cut: "This answer was too large to be saved whole: images or its end are missing.", "回答过大，未能完整保存：缺少图像或末尾部分。";
    answer_lost: "No answer was kept: the server stopped in the middle of it. Your calls say whether it cost anything.", "服务器中途停止，回答未能保存；是否计费请查看调用记录。";
    at_most: "Maximum cost", "最高费用";
    base_url_help: "Base URL for OpenAI clients:", "OpenAI 客户端使用的接口地址：";
    base_url_anthropic: "Base URL for Anthropic clients, which add /v1/messages themselves:", "Anthropic 客户端使用的接口地址（客户端自行追加 /v1/messages）：";
    by_member_month: "By caller, 30 days", "调用方排行（30 天）";
    by_model_month: "By model, 30 days", "模型排行（30 天）";
    charge_reckoned: "Charge breakdown", "扣费明细";
    chat_full: "This conversation is as long as one can be. Begin a new one; this one stays.", "此对话已达长度上限，请新建对话；原对话会保留。";
    chat_gone: "This conversation is not there any more. Begin a new one.", "此对话已不存在，请新建对话。";
    chat_newer: "This conversation went on in another window. Load the page again to see it, then send your message. Nothing was charged.", "此对话已在另一窗口继续，请刷新页面后再发送；本次未计费。";
    chat_twice: "This message was sent before. Load the page again to see its answer. Nothing was charged now.", "此消息已发送过，请刷新页面查看回答；本次未计费。";
    chats: "Conversations", "对话列表";
    chats_lede: "Shown only to you. An admin who resets your password could sign in as you and read them, and whoever runs this server can reach its data. Kept for", "仅向您本人显示。重置您密码的管理员能以您的身份登录查看，服务器运维方可访问其数据。保存期限：";
    chats_off: "Nothing is kept: your company turned it off, or a data policy forbids it.", "未保存任何内容：公司已关闭保存，或数据策略不允许。";
    conversation: "Conversation", "对话内容";
    broke_off: "The answer was interrupted. What was delivered may be charged; see your usage.", "回答中断，已交付部分可能扣费，请查看用量。";
    failed: "No response", "未收到回答";
    fault_unavailable: "unavailable", "暂不可用";
    key_route: "Routing", "路由规则";
    key_route_help: "Applies in addition to the rules for all your calls; it can only restrict them further.", "在约束您全部调用的规则之上进一步限制，不能放宽。";
    route_ignore: "Exclude these providers", "排除这些供应商";
    route_names_hint: "Provider names, separated by commas.", "供应商名称，以逗号分隔。";
    route_only: "Only these providers", "仅限这些供应商";
    route_order: "These providers first, in this order", "依次优先使用这些供应商";
    route_sort: "Order of other providers", "其余供应商的顺序";
    route_sort_usual: "default", "默认";
    held_before: "before the call", "调用前冻结";
    history_lede: "Your calls and what they cost.", "您的调用与费用。";
    how_many: "How many", "数量";
    key_once: "You'll see the secret once, on the next screen.", "密钥将在下一步显示一次。";
    keys_lede: "API keys are for programs. People sign in with a username and password.", "供程序使用；人员请用用户名与密码登录。";
    kind_hint: "Test keys reach only the sandbox and are not charged.", "测试密钥仅可访问沙盒，不产生费用。";
    lasts_about: "Lasts about", "预计可用";
    lasts_no_day: "Lasts less than a day", "预计不足一天";
    ledger_lede: "Every change to your credits, with the balance afterwards.", "额度的每一次变动及变动后余额。";
    make: "Generate", "生成";
    make_again: "Make again", "再次生成";
    making: "Generating…", "生成中…";
    members_lede: "People who can use these credits, and their budgets.", "使用额度的成员及其预算。";
    message: "Message", "消息";
    message_example: "Ask anything. Enter to send, Shift+Enter for a new line.", "输入消息，Enter 发送，Shift+Enter 换行";
    new_chat: "New chat", "新对话";
    forget_all: "Delete everything", "全部删除";
    forget_all_help: "All of your conversations and images in the studio are deleted, for good. Your calls and what they cost stay.", "将永久删除您在工作室的全部对话与图像；调用记录与花费保留。";
    no_chats: "No conversations yet", "还没有对话";
    no_longer_a_picture: "No picture of this one is kept", "未保存此图像";
    not_kept: "This could not be saved. It is lost when you leave this page.", "未能保存，离开此页后将丢失。";
    not_kept_full: "This is not saved: your company's storage is full. Delete conversations or images you no longer need. It is lost when you leave this page.", "未能保存：公司存储空间已满，请删除不再需要的对话或图像。离开此页后将丢失。";
    not_kept_large: "This is not saved: it is too large. It is lost when you leave this page.", "未能保存：内容过大。离开此页后将丢失。";
    older_pictures: "Older images", "更早的图像";
    thoughts: "Thoughts", "思考过程";
    no_budget_hint: "Leave empty for no budget.", "留空表示不设预算。";
    no_models: "No models are available to you yet", "暂无可用模型";
    no_pictures: "Your images will appear here", "生成的图像会显示在这里";
    no_spending: "no recent usage", "近期没有用量";
    open_studio: "Open the studio", "打开体验中心";
    per_image: "{} per image", "每张 {}";
    per_tokens: "{a} in, {b} out / million tokens", "输入 {a}，输出 {b} / 百万 Token";
    prompt_example: "A lighthouse made of paper, soft morning light", "纸做的灯塔，柔和的晨光";
    quality: "Quality", "质量";
    require_factor: "Owners and admins must use two-factor sign-in", "所有者与管理员必须启用两步验证";
    role_hint: "Admins manage members and keys; members use models.", "管理员管理成员与密钥，成员使用模型。";
    running_low: "Credits are running low.", "额度即将用尽。";
    say_something: "Ask anything. You'll see the maximum cost before you send.", "输入消息开始对话，发送前即可看到最高费用。";
    size: "Size", "尺寸";
    spent_today: "Charged today", "今日扣费";
    stop: "Stop", "停止";
    stopped: "Stopped. Only what was generated is charged.", "已停止，仅对已生成部分扣费";
    will_cost: "About", "约";
    will_cost_most: ", at most", "，最多";
}
}
