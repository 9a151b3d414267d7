//! Words of money: where credits come from, where they go, and what they are allowed for.

use super::{Label, Tone, Word, labels};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// Where credits come from.
    GrantKind {
        /// Paid for.
        Purchase = "purchase", Plain, "purchase", "购买";
        /// Part of a plan.
        Subscription = "subscription", Plain, "subscription", "订阅";
        /// A present.
        Gift = "gift", Plain, "gift", "赠送";
        /// From a code.
        RedeemCode = "redeem_code", Plain, "redeem code", "兑换码";
        /// By a superadmin.
        Manual = "manual", Plain, "manual", "手动";
    }
    /// What a line of the ledger does.
    EntryKind {
        /// Brings credits.
        Grant = "grant", Good, "grant", "充值";
        /// Sets credits aside.
        Hold = "hold", Info, "hold", "冻结";
        /// Charges for a call.
        Settle = "settle", Plain, "settle", "结算";
        /// Gives back what was set aside.
        Release = "release", Plain, "release", "解冻";
        /// Takes away what lapsed.
        Expire = "expire", Warn, "expire", "过期";
        /// Corrects.
        Adjust = "adjust", Warn, "adjust", "调整";
        /// Charges for a call whose hold was given back before its end was known.
        Claim = "claim", Plain, "late charge", "补扣";
    }
    /// What a line of the ledger is to people; the code is the entry's.
    LineKind {
        /// A call that was charged.
        Charge = "settle", Plain, "call", "调用";
        /// A call that was not.
        Free = "release", Plain, "not charged", "未扣费";
        /// A call whose end was known late.
        Late = "claim", Plain, "late charge", "补扣";
        /// Credits were given.
        Given = "grant", Good, "credits added", "充值";
        /// What lapsed.
        Lapsed = "expire", Warn, "expired", "过期";
        /// An operator's correction.
        Corrected = "adjust", Warn, "correction", "调整";
        /// Set aside for a call that runs.
        Reserved = "hold", Info, "reserved", "冻结";
    }
    /// What happened at a moment of a chart.
    MarkKind {
        /// A price became valid.
        Price = "price", Info, "price changed", "价格变更";
        /// A provider refused a key.
        KeyRefused = "key_refused", Bad, "key refused", "密钥被拒绝";
    }
    /// Why nothing of a grant can be spent any more.
    GrantEnd {
        /// Calls took all of it.
        Used = "used", Plain, "used up", "已用完";
        /// Its time was over.
        Expired = "expired", Warn, "expired", "已过期";
    }
    /// How long a budget lasts before it starts anew, in UTC.
    BudgetPeriod {
        /// From midnight to midnight.
        Day = "day", Plain, "per day", "每日";
        /// From the first of a month.
        Month = "month", Plain, "per month", "每月";
        /// For ever.
        Total = "total", Plain, "in total", "总计";
    }
    /// What of a price an imported list tells.
    ListTakes {
        /// The cost, of which the price is made.
        CostAndPrice = "cost_and_price", Plain, "the provider's cost; the price is the cost times the factor", "供应商成本；售价为成本乘以系数";
        /// The cost alone.
        Cost = "cost", Plain, "the provider's cost only; prices stay the same", "仅供应商成本；售价不变";
        /// The price alone.
        Price = "price", Plain, "the tenants' price only; costs stay the same", "仅租户售价；成本不变";
    }
    /// Whether a row of an imported list can be set.
    ImportState {
        /// It can.
        Ready = "ready", Good, "can be set", "可设置";
        /// It is so already.
        Unchanged = "unchanged", Plain, "no change", "无变化";
        /// Imports leave it alone.
        Pinned = "pinned", Info, "pinned", "已锁定";
        /// Somebody was faster.
        Changed = "changed", Warn, "changed since", "已被他人更改";
        /// The model is gone.
        Gone = "gone", Plain, "model removed", "模型已删除";
        /// Something would have no price.
        Missing = "missing", Bad, "price incomplete", "价格不完整";
        /// Nobody said that it was checked.
        Unconfirmed = "unconfirmed", Warn, "tick that you have checked it", "请勾选“我已核对”";
        /// It breaks a rule.
        Refused = "refused", Bad, "not a price", "价格无效";
    }
    /// What is wrong with a model of an imported list.
    ListFaultWord {
        /// No number.
        NotANumber = "not_a_number", Plain, "not a number", "不是数字";
        /// Null.
        Null = "null", Plain, "empty (null); treated as missing", "为空（null），视为未提供";
        /// Below nothing.
        Negative = "negative", Plain, "below 0", "小于 0";
        /// Too many digits.
        TooLong = "too_long", Plain, "too many digits", "位数过多";
        /// Twice.
        Twice = "twice", Plain, "listed twice", "重复出现";
        /// No name.
        BadName = "bad_name", Plain, "no usable name", "名称不可用";
        /// No object.
        NotAnObject = "not_an_object", Plain, "no object with prices", "不是价格对象";
        /// No price.
        NoPrice = "no_price", Plain, "no price that can be used here", "没有可识别的价格";
        /// An expression.
        Expression = "expression", Plain, "priced by an expression, which is not supported", "按表达式计价，无法读取";
        /// A rule of prices.
        BadPrice = "bad_price", Plain, "not a price", "价格无效";
        /// More than is read.
        TooMany = "too_many", Plain, "above the maximum size of a list", "超出列表上限";
    }
    /// Whether credits come or go.
    Direction {
        /// To the tenant.
        Give = "give", Good, "give credits", "增加额度";
        /// From the tenant.
        Take = "take", Warn, "remove credits", "扣减额度";
    }
}
