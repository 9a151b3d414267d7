//! Why calls fail, in words: a name, the cause as operators read it, what they do about it, and what
//! tenants read, who are told no provider's name. In their texts `{a}` is the model and `{b}` the provider.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// A fault's name, for a row of a list.
    FaultName {
        /// The tenant's request.
        BadRequest = "bad_request", Warn, "invalid request", "请求无效";
        /// Its content.
        ContentPolicy = "content_policy", Warn, "content refused", "内容被拒绝";
        /// Its author.
        EndUserBlocked = "end_user_blocked", Warn, "end user refused", "最终用户被拒绝";
        /// The key.
        InvalidKey = "invalid_key", Bad, "key refused", "密钥被拒绝";
        /// The account.
        QuotaExhausted = "quota_exhausted", Bad, "account out of credit", "账户余额不足";
        /// Too much.
        RateLimited = "rate_limited", Warn, "rate limited", "触发限流";
        /// A failure there.
        Overloaded = "overloaded", Bad, "provider overloaded", "供应商过载";
        /// No answer.
        Timeout = "timeout", Bad, "no answer in time", "应答超时";
        /// No connection.
        Unreachable = "unreachable", Bad, "provider unreachable", "无法连接供应商";
        /// A connection that broke.
        Interrupted = "interrupted", Bad, "answer interrupted", "应答中断";
        /// Another protocol.
        InvalidAnswer = "invalid_answer", Bad, "unreadable answer", "应答无法解析";
        /// No such model.
        NotFound = "not_found", Bad, "model not found there", "供应商无此模型";
        /// Nobody to ask.
        NoCapacity = "no_capacity", Bad, "no working key", "没有可用密钥";
        /// The caller left.
        Canceled = "canceled", Plain, "canceled by the caller", "调用方取消";
        /// Ours.
        Internal = "internal", Bad, "internal error", "系统内部错误";
        /// Not a failure of the call: a gateway that could not be asked.
        GatewayAway = "gateway_away", Warn, "gateway unreachable", "无法连接网关";
        /// Neither: a gateway that had no room.
        GatewayFull = "gateway_full", Warn, "gateway full", "网关已满";
        /// Nobody knows.
        Unknown = "unknown", Warn, "result unknown", "结果未知";
        /// Newer than this page.
        Other = "other", Bad, "other failure", "其他故障";
    }
    /// The cause as operators read it.
    FaultCause {
        /// The tenant's request.
        BadRequest = "bad_request", Warn, "{b} refused the request to {a}: the request itself is invalid.", "{b} 拒绝了对 {a} 的请求：请求本身无效。";
        /// Its content.
        ContentPolicy = "content_policy", Warn, "{b} refused the content sent to {a} under its content policy.", "{b} 按其内容政策拒绝了发给 {a} 的内容。";
        /// Its author.
        EndUserBlocked = "end_user_blocked", Warn, "{b} no longer serves this end user on {a}.", "{b} 不再为该最终用户提供 {a}。";
        /// The key.
        InvalidKey = "invalid_key", Bad, "{a} is unavailable: {b} does not accept the key.", "{a} 不可用：{b} 不接受该密钥。";
        /// The account.
        QuotaExhausted = "quota_exhausted", Bad, "{a} is unavailable: the account at {b} has no credit or quota left.", "{a} 不可用：{b} 的账户余额或配额已用尽。";
        /// Too much.
        RateLimited = "rate_limited", Warn, "{a} is busy: every usable key at {b} has reached its rate limit.", "{a} 繁忙：{b} 的可用密钥均已触发限流。";
        /// A failure there.
        Overloaded = "overloaded", Bad, "{a} failed: {b} is overloaded or answered with a server error.", "{a} 失败：{b} 过载或返回服务器错误。";
        /// No answer.
        Timeout = "timeout", Bad, "{a} failed: {b} did not answer in time.", "{a} 失败：{b} 未在时限内应答。";
        /// No connection.
        Unreachable = "unreachable", Bad, "{a} is unavailable: {b} could not be reached.", "{a} 不可用：无法连接 {b}。";
        /// A connection that broke.
        Interrupted = "interrupted", Bad, "{a} failed: the connection to {b} was interrupted during the answer.", "{a} 失败：与 {b} 的连接在应答过程中断开。";
        /// Another protocol.
        InvalidAnswer = "invalid_answer", Bad, "{a} failed: {b} sent an answer that cannot be read.", "{a} 失败：{b} 的应答无法解析。";
        /// No such model.
        NotFound = "not_found", Bad, "{a} is unavailable: {b} does not know the model or the operation.", "{a} 不可用：{b} 没有该模型或操作。";
        /// Nobody to ask.
        NoCapacity = "no_capacity", Bad, "{a} is unavailable: no working key at {b}.", "{a} 不可用：{b} 没有可用密钥。";
        /// The caller left.
        Canceled = "canceled", Plain, "The caller canceled the request to {a} before {b} had finished.", "调用方在 {b} 完成前取消了对 {a} 的请求。";
        /// Ours.
        Internal = "internal", Bad, "The call of {a} at {b} failed because of an error of the platform itself.", "在 {b} 调用 {a} 时平台自身出错。";
        /// Nobody knows.
        Unknown = "unknown", Warn, "Contact with the gateway was lost while {b} worked on {a}, so the result is unknown.", "{b} 处理 {a} 期间与网关失去联系，结果未知。";
        /// Newer than this page.
        Other = "other", Bad, "The call of {a} at {b} failed.", "在 {b} 调用 {a} 失败。";
    }
    /// What an operator does about it.
    FaultStep {
        /// The tenant's request.
        BadRequest = "bad_request", Plain, "The caller has to change the request; there is nothing to repair here.", "需由调用方修改请求，平台无需处理。";
        /// Its content.
        ContentPolicy = "content_policy", Plain, "The caller has to change the content; there is nothing to repair here.", "需由调用方修改内容，平台无需处理。";
        /// Its author.
        EndUserBlocked = "end_user_blocked", Plain, "See End users for who is suspended and why.", "请在“最终用户”中查看被停用者及原因。";
        /// The key.
        InvalidKey = "invalid_key", Plain, "Replace the key, or check it at the provider.", "请更换密钥，或在供应商处核实。";
        /// The account.
        QuotaExhausted = "quota_exhausted", Plain, "Top up the account at the provider, or add a key of another account.", "请为供应商账户充值，或添加其他账户的密钥。";
        /// Too much.
        RateLimited = "rate_limited", Plain, "Add keys, or another target for the model.", "请添加密钥，或为模型添加其他运行目标。";
        /// A failure there.
        Overloaded = "overloaded", Plain, "This usually resolves by itself. Another target keeps the model available meanwhile.", "通常会自行恢复；可添加其他运行目标以保持可用。";
        /// No answer.
        Timeout = "timeout", Plain, "This usually resolves by itself. If it repeats, test the provider and check its status page.", "通常会自行恢复；若反复出现，请测试该供应商并查看其状态页。";
        /// No connection.
        Unreachable = "unreachable", Plain, "Check the provider's address and the gateway's network.", "请检查供应商地址与网关的网络。";
        /// A connection that broke.
        Interrupted = "interrupted", Plain, "This usually resolves by itself. If it repeats, check the gateway's network.", "通常会自行恢复；若反复出现，请检查网关的网络。";
        /// Another protocol.
        InvalidAnswer = "invalid_answer", Plain, "Check that the provider's address and format are right.", "请检查供应商的地址与接口格式是否正确。";
        /// No such model.
        NotFound = "not_found", Plain, "Check the model's name in its targets.", "请检查运行目标中的模型名称。";
        /// Nobody to ask.
        NoCapacity = "no_capacity", Plain, "Add a key, or test and enable the existing ones.", "请添加密钥，或测试并启用现有密钥。";
        /// The caller left.
        Canceled = "canceled", Plain, "There is nothing to repair.", "无需处理。";
        /// Ours.
        Internal = "internal", Plain, "Search the log for this call's ID.", "请在日志中按调用编号查找。";
        /// Nobody knows.
        Unknown = "unknown", Plain, "The credits were released. The gateways are queried until the time below.", "额度已解冻；系统会在下方时间前持续向网关查询。";
        /// Newer than this page.
        Other = "other", Plain, "Search the log for this call's ID.", "请在日志中按调用编号查找。";
    }
    /// What the tenant reads: the cause without providers, and what to do.
    FaultTold {
        /// The tenant's request.
        BadRequest = "bad_request", Warn, "The request is not valid for {a}. Change it and send it again.", "该请求对 {a} 无效，请修改后重试。";
        /// Its content.
        ContentPolicy = "content_policy", Warn, "The content policy of {a} does not allow this. Rephrase it, or use another model.", "{a} 的内容政策不允许该内容，请修改表述或换用其他模型。";
        /// Its author.
        EndUserBlocked = "end_user_blocked", Warn, "{a} is no longer available to this end user. Your administrators can see the reason under End users.", "{a} 不再向该最终用户提供；管理员可在“最终用户”中查看原因。";
        /// The key.
        InvalidKey = "invalid_key", Bad, "{a} is unavailable right now. Try again later, or use another model.", "{a} 暂不可用，请稍后重试或换用其他模型。";
        /// The account.
        QuotaExhausted = "quota_exhausted", Bad, "{a} is unavailable right now. Try again later, or use another model.", "{a} 暂不可用，请稍后重试或换用其他模型。";
        /// Too much.
        RateLimited = "rate_limited", Warn, "{a} is busy. Try again in a moment, or use another model.", "{a} 繁忙，请稍候重试或换用其他模型。";
        /// A failure there.
        Overloaded = "overloaded", Bad, "{a} is overloaded. Try again in a moment, or use another model.", "{a} 过载，请稍候重试或换用其他模型。";
        /// No answer.
        Timeout = "timeout", Bad, "{a} did not answer in time. Try again, or ask for a shorter answer.", "{a} 未在时限内应答，请重试或缩短所需的回答。";
        /// No connection.
        Unreachable = "unreachable", Bad, "{a} cannot be reached right now. Try again in a moment, or use another model.", "暂时无法连接 {a}，请稍候重试或换用其他模型。";
        /// A connection that broke.
        Interrupted = "interrupted", Bad, "The answer of {a} was interrupted. Try again.", "{a} 的应答中断，请重试。";
        /// Another protocol.
        InvalidAnswer = "invalid_answer", Bad, "The answer of {a} could not be read. Try again, or use another model.", "{a} 的应答无法解析，请重试或换用其他模型。";
        /// No such model.
        NotFound = "not_found", Bad, "{a} cannot do this. Use another model, or contact support.", "{a} 不支持该请求，请换用其他模型或联系服务支持。";
        /// Nobody to ask.
        NoCapacity = "no_capacity", Bad, "{a} is unavailable right now. Try again later, or use another model.", "{a} 暂不可用，请稍后重试或换用其他模型。";
        /// The caller left.
        Canceled = "canceled", Plain, "The request to {a} was canceled before it had finished.", "对 {a} 的请求在完成前被取消。";
        /// Ours.
        Internal = "internal", Bad, "{a} failed because of an error on our side. Try again; if it repeats, contact support and quote this call.", "{a} 因系统内部错误失败，请重试；如持续出现，请联系服务支持并提供调用编号。";
        /// Nobody knows.
        Unknown = "unknown", Warn, "The result of {a} was lost. The credits were released; try again.", "{a} 的结果已丢失，额度已解冻，请重试。";
        /// Newer than this page.
        Other = "other", Bad, "The call of {a} failed. Try again; if it repeats, contact support and quote this call.", "{a} 调用失败，请重试；如持续出现，请联系服务支持并提供调用编号。";
    }
    /// Why a call was refused before any provider was asked, by the code of the API, and what to do.
    RefusalTold {
        /// The body.
        InvalidJson = "invalid_json", Warn, "The request cannot be read. Reload the page and try again.", "请求无法解析，请刷新页面后重试。";
        /// A field of it.
        InvalidValue = "invalid_value", Warn, "A value of the request is not valid for {a}. Change it and send it again.", "请求中有一项对 {a} 无效，请修改后重试。";
        /// The key.
        Scope = "scope_not_allowed", Warn, "Your access does not include calling models. Ask your administrator.", "您的权限不包含调用模型，请联系管理员。";
        /// Its author.
        EndUser = "end_user_suspended", Warn, "You are suspended because of the content of your requests. Contact your administrator.", "因请求内容违规，您已被停用，请联系管理员。";
        /// No such model.
        Model = "model_not_found", Warn, "{a} does not exist, was retired, or is not available to you. Choose another model.", "{a} 不存在、已停用或未对您开放，请选择其他模型。";
        /// No price, and whatever else is away for a while.
        Unavailable = "unavailable", Bad, "{a} is temporarily unavailable. Try again in a moment, or use another model.", "{a} 暂时不可用，请稍候重试或换用其他模型。";
        /// Nobody may serve it.
        NotAllowed = "no_allowed_provider", Warn, "Your routing rules exclude every provider of {a}. Change them, or use another model.", "您的路由规则排除了所有可提供 {a} 的服务，请修改规则或换用其他模型。";
        /// Nobody satisfies it.
        DataPolicy = "data_policy_not_met", Warn, "No provider of {a} meets your data policy. Use another model, or change the policy.", "{a} 无法满足您的数据策略，请换用其他模型或修改策略。";
        /// Its price.
        Price = "max_price_exceeded", Warn, "{a} costs more than your rules allow. Use another model, or raise the limit.", "{a} 的价格超过您的规则，请换用其他模型或提高上限。";
        /// Too many.
        Limited = "rate_limit_exceeded", Warn, "Your limit is reached. Try again in {b} s.", "已达到限额，请在 {b} 秒后重试。";
        /// The balance.
        Credits = "insufficient_credits", Warn, "Not enough credits: at least {b} needed. Top up, or ask for less.", "额度不足：至少需要 {b}，请充值或减少用量。";
        /// The call's own bound.
        MaxCost = "max_cost_too_low", Warn, "This call costs at least {b} in credits, more than its limit. Raise the limit, or ask for less.", "本次调用至少需要 {b} 额度，超过其上限，请提高上限或减少用量。";
        /// A budget.
        Budget = "budget_exceeded", Warn, "Your budget is used up: at least {b} in credits needed. Ask your administrator to raise it.", "预算不足：至少需要 {b} 额度，请联系管理员提高预算。";
    }
}
