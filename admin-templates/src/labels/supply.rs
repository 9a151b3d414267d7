//! Words about what keys' accounts hold, where calls would go, and why a call went on as it did.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// How it stands with the balance of a key's account.
    BalanceWord {
        /// Nobody told, or long ago.
        Unknown = "unknown", Plain, "unknown", "未知";
        /// There is enough.
        Fine = "fine", Good, "enough", "充足";
        /// Below the line of a warning.
        Low = "low", Warn, "low", "偏低";
        /// It ends within days.
        Ending = "ending", Warn, "running out soon", "即将用尽";
        /// The key takes no calls until there is more.
        Parked = "parked", Bad, "paused", "余额不足，已暂停";
    }
    /// Providers to filter a list by.
    ProviderFilter {
        /// It answers.
        Good = "good", Good, "healthy", "正常";
        /// Slowly, or in part.
        Degraded = "degraded", Warn, "degraded", "降级";
        /// It does not.
        Away = "away", Bad, "offline", "离线";
        /// Switched off.
        Off = "off", Plain, "disabled", "已停用";
        /// A key of it has no balance, or soon.
        LowBalance = "low_balance", Warn, "low balance", "余额不足";
    }
    /// Why a vendor's answer told no balance.
    BalanceTrouble {
        /// Not to this key.
        Refused = "refused", Plain, "The vendor does not report it to this key.", "供应商不向该密钥提供余额。";
        /// No such question.
        Absent = "absent", Plain, "The vendor has no balance query at this address.", "该地址没有余额查询接口。";
        /// A failure.
        Failed = "failed", Plain, "The vendor returned an error.", "供应商返回错误。";
        /// No connection.
        Unreachable = "unreachable", Plain, "The vendor could not be reached.", "无法连接供应商。";
        /// No whole answer in time.
        Slow = "slow", Plain, "The vendor did not answer in time.", "供应商未在时限内应答。";
        /// Another form.
        Unreadable = "unreadable", Plain, "The vendor's answer could not be read.", "无法解析供应商的应答。";
        /// Nothing that could end.
        Unlimited = "unlimited", Plain, "This key has no limit.", "该密钥没有额度上限。";
        /// Another one.
        Other = "other", Plain, "The balance could not be read.", "无法读取余额。";
    }
    /// What a gateway would do with a target.
    RouteState {
        /// A key would take the call.
        Ready = "ready", Good, "ready", "可用";
        /// No such provider.
        NoProvider = "no_provider", Bad, "provider not found", "供应商不存在";
        /// Switched off.
        ProviderOff = "provider_off", Bad, "provider disabled", "供应商已停用";
        /// It failed too often.
        CircuitOpen = "circuit_open", Warn, "provider failed too often and is paused", "供应商故障过多，暂停使用";
        /// No connection.
        HostDown = "host_down", Bad, "host not responding", "主机无响应";
        /// They rest.
        KeysRest = "keys_rest", Warn, "all keys cooling down or at their limits", "密钥均在冷却或已满";
        /// None of them.
        NoKey = "no_key", Bad, "no usable key", "没有可用密钥";
        /// The gateway is away.
        NoAnswer = "no_answer", Plain, "the gateway did not respond", "网关未应答";
        /// It is of an earlier version.
        TooOld = "too_old", Plain, "the gateway's version does not support this", "网关版本过旧，无法回答";
        /// Another one.
        Other = "other", Plain, "other", "其他";
    }
    /// What comes of a provider of a file.
    ImportedState {
        /// There is none of its name.
        New = "new", Good, "new", "新增";
        /// It was made.
        Made = "made", Good, "added", "已新增";
        /// The one that is there has other settings.
        Differs = "differs", Warn, "differs", "有差异";
        /// It got the file's settings.
        Changed = "changed", Good, "changed", "已更新";
        /// The one that is there is like it.
        Same = "same", Plain, "no change", "无变化";
        /// It breaks a rule.
        Refused = "refused", Bad, "refused", "被拒绝";
    }
    /// Why a call may not go to a target.
    RouteLeftOut {
        /// The model's, the tenant's.
        Rule = "rule", Warn, "excluded by a rule", "被路由规则排除";
        /// It does otherwise with data than is demanded.
        DataPolicy = "data_policy", Warn, "data policy not met", "不符合数据策略";
    }
    /// What keeps a key from a call.
    KeyKept {
        /// A fault.
        Resting = "resting", Plain, "cooling down", "冷却中";
        /// Its own limits.
        Full = "full", Plain, "at its limit", "已达限额";
        /// No balance.
        Parked = "parked", Plain, "paused, no balance", "余额不足";
        /// Switched off.
        Off = "off", Plain, "disabled", "已禁用";
        /// It is for others.
        OtherModels = "other_models", Plain, "for other models", "限其他模型";
        /// Its host.
        Down = "down", Plain, "host down", "主机无响应";
    }
    /// Why a call went on as it did after a try that failed.
    NextWhy {
        /// The same target.
        OtherKey = "other_key", Plain, "Another key of this provider is tried: the fault concerns only this key.", "换用该供应商的其他密钥：此故障仅涉及该密钥。";
        /// No connection.
        HostDown = "host_down", Plain, "The host did not respond; another key would not help.", "主机无响应，更换密钥也无法解决。";
        /// Not in this format.
        CannotSay = "cannot_say", Plain, "The request can't be expressed in this provider's format.", "该请求无法用此供应商的格式表达。";
        /// As many as there are.
        TriesUsed = "tries_used", Plain, "The maximum number of keys of this provider per call was tried.", "该供应商的密钥尝试次数已达上限。";
        /// No time.
        TimeUsed = "time_used", Plain, "Too little of the call's time was left for another attempt here.", "剩余时间不足以在此重试。";
        /// None left.
        NoOtherKey = "no_other_key", Plain, "No other key of this provider can serve the call.", "该供应商没有其他密钥可承接。";
        /// They rest.
        KeysRest = "keys_rest", Plain, "The other keys of this provider are cooling down.", "该供应商的其他密钥正在冷却。";
        /// For room.
        Waited = "waited", Plain, "All keys were at their limits; the call waited here and nothing was sent.", "所有密钥均已达到限制，调用在此等待，尚未发送。";
        /// Too many.
        RetriesUsed = "retries_used", Plain, "Too many recent retries at this provider.", "该供应商近期重试过多。";
        /// Nobody was called yet.
        OtherGateway = "other_gateway", Plain, "Another gateway was used; no provider was called from here.", "改由其他网关处理；此网关未调用供应商。";
        /// Nothing cures it.
        Final = "final", Plain, "No other key or target would help.", "更换密钥或目标均无法解决。";
    }
}
