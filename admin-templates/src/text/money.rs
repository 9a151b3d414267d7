//! Strings about ledgers, the books behind them and what is looked for in lists.

use super::catalogue;

catalogue! {
/// Strings about money and finding.
MoneyText [] {
    line_of: "Details", "详情";
    balance_after: "Balance", "余额";
    balance_hint: "Balance counts reserved credits too, so each row's balance is the one below plus the row's amount.", "余额包含冻结额度，因此每行余额等于下一行余额加上本行金额。";
    entries_show: "Entries", "明细";
    entries_hide: "Hide entries", "收起明细";
    entries_none: "The single entries of this call are no longer found.", "未找到此调用的单笔明细。";
    owed_more: "{} of it is owed", "其中 {} 计为欠款";
    owed_less: "{} of it paid what was owed", "其中 {} 用于抵扣欠款";
    grants_spent: "Used up and expired", "已用完与已过期";
    grants_older: "Older ones", "更早的记录";
    grant_end: "Ended", "结束";
    all_lines: "All", "全部";
    events_one: "1 event meanwhile", "期间 1 个事件";
    events_several: "{} events meanwhile", "期间 {} 个事件";
    span_shown: "Only calls from", "仅显示时段";
    span_clear: "Show all times", "显示全部时段";
    total_exact: "{a} of {b}", "{a}，共 {b} 条";
    total_more: "{a} of more than {b}", "{a}，共 {b} 条以上";
    books_verified: "Books verified", "账目已核对";
    books_none: "{} differences", "{} 处差异";
    books_one: "1 difference", "1 处差异";
    books_of: "{a} accounts, {b} ledger lines", "{a} 个账户，{b} 条账目";
    books_lines: "{} ledger lines", "{} 条账目";
    books_behind: "{} lines are still to be checked", "尚有 {} 条待核对";
    books_first: "The first check of all balances is under way.", "首次账目核对正在进行。";
    books_help: "Within seconds of a change, an account is compared with its own ledger lines, its grants and its reserved credits. Every night everything is compared once more, including the charge of every call and all budgets.", "账户变动后数秒内，即与其账本明细、充值记录及冻结额度核对；每晚再做一次全面核对，包括每次调用的扣费与全部预算。";
    books_night: "Last full check:", "最近一次全面核对：";
    books_wrong: "Differences found", "账目存在差异";
    books_act: "Stop and look: run `server ledger verify`, compare with the newest backup, and do not correct balances before the cause is known.", "请立即检查：运行 `server ledger verify`，与最近的备份比对；查明原因前请勿调整余额。";
}
}
