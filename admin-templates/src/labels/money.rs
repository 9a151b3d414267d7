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
        Grant = "grant", Good, "grant", "入账";
        /// Sets credits aside.
        Hold = "hold", Info, "hold", "预留";
        /// Charges for a call.
        Settle = "settle", Plain, "settle", "结算";
        /// Gives back what was set aside.
        Release = "release", Plain, "release", "释放";
        /// Takes away what lapsed.
        Expire = "expire", Warn, "expire", "过期";
        /// Corrects.
        Adjust = "adjust", Warn, "adjust", "调整";
        /// Charges for a call whose hold was given back before its end was known.
        Claim = "claim", Plain, "late charge", "补扣";
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
    /// Whether credits come or go.
    Direction {
        /// To the tenant.
        Give = "give", Good, "give credits", "增加额度";
        /// From the tenant.
        Take = "take", Warn, "take credits away", "扣减额度";
    }
}
