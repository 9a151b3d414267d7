//! Words of the platform itself: what charts measure, what alerts and checks are about.
//! A word that is missing is added here, so that it exists in every language.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// What a row of numbers in a chart measures. The tone chooses its colour; plain ones take the
    /// colours in turn.
    Measure {
        /// Credits charged.
        Charged = "charged", Plain, "charged", "已扣费";
        /// What providers take.
        Cost = "cost", Plain, "provider cost", "供应商成本";
        /// What is left.
        Margin = "margin", Plain, "margin", "毛利";
        /// Calls that succeeded.
        Succeeded = "succeeded", Plain, "succeeded", "成功";
        /// Calls that failed.
        Failed = "failed", Bad, "failed", "失败";
        /// Calls that went on with another key or target.
        MovedOn = "moved_on", Warn, "retried with another key", "换用其他密钥";
        /// Half of all lie below.
        P50 = "p50", Plain, "p50", "p50";
        /// 95 in a hundred lie below.
        P95 = "p95", Plain, "p95", "p95";
        /// 99 in a hundred lie below.
        P99 = "p99", Plain, "p99", "p99";
        /// Streams rejoined after a cut.
        Resumes = "resumes", Plain, "resumed", "续传";
        /// Second tries on another connection.
        Hedges = "hedges", Plain, "hedged", "对冲请求";
        /// Generations that were lost.
        Lost = "lost", Bad, "lost", "丢失";
        /// All that are not named.
        Others = "others", Plain, "others", "其他";
    }
    /// What an alert says; `{b}` is what it is about.
    AlertKind {
        /// A provider's key was disabled.
        KeyRefused = "key_refused", Bad, "{b}: the provider refused this key", "{b}：供应商拒绝了该密钥";
        /// Every key of a provider cools down.
        KeysCooling = "keys_cooling", Warn, "All keys of {b} are rate-limited", "{b} 的全部密钥均已触发限流";
        /// A key's account is at its floor, so that it takes no calls.
        KeyParked = "key_parked", Bad, "{b}: this key is paused because its account is empty", "{b}：账户余额不足，密钥已暂停";
        /// A key's balance is below the line of a warning.
        BalanceLow = "balance_low", Warn, "The balance of {b} is low", "{b} 余额偏低";
        /// It ends within days.
        BalanceEnding = "balance_ending", Warn, "The balance of {b} will run out soon", "{b} 余额即将用尽";
        /// A provider has no key that works.
        NoKeys = "no_keys", Bad, "{b} has no working key left", "{b} 已无可用密钥";
        /// A gateway does not answer.
        GatewayAway = "gateway_away", Bad, "The gateway {b} does not answer", "网关 {b} 无响应";
        /// A gateway answers slowly or in part.
        GatewayDegraded = "gateway_degraded", Warn, "The gateway {b} is degraded", "网关 {b} 已降级";
        /// A tenant's credits last less than a day.
        CreditsLow = "credits_low", Warn, "{b} has credits for less than a day", "{b} 的额度不足一天";
        /// A tenant has nothing left.
        CreditsOut = "credits_out", Bad, "The credits of {b} are used up", "{b} 的额度已用尽";
        /// Many calls of a model or provider fail.
        CallsFail = "calls_fail", Bad, "Many calls of {b} fail", "{b} 有大量调用失败";
        /// First tokens take long.
        SlowFirstToken = "slow_first_token", Warn, "First tokens of {b} are slow", "{b} 的首 Token 延迟过高";
        /// Generations were lost.
        Lost = "lost", Bad, "Answers were lost on the link to {b}", "与 {b} 之间的链路丢失了生成结果";
        /// A model can be called but has no price.
        NoPrice = "no_price", Warn, "The model {b} has no price", "模型 {b} 未定价";
        /// Calls had something that no rate of their price fits.
        Unpriced = "unpriced", Bad, "Calls of {b} were charged without a matching rate", "{b} 有调用缺少对应费率";
        /// A queue is nearly full.
        QueueFull = "queue_full", Warn, "The queue {b} is nearly full", "队列 {b} 即将满载";
        /// A provider has no longer what a target names.
        ModelGone = "model_gone", Bad, "The provider no longer lists {b}, which is in use", "供应商已不再提供正在使用的 {b}";
        /// A model that is offered ends soon.
        ModelEnds = "model_ends", Warn, "The model {b} will be retired", "模型 {b} 即将停用";
        /// A model that is offered has ended.
        ModelEnded = "model_ended", Warn, "The model {b} is retired but still visible", "模型 {b} 已停用但仍可见";
    }
    /// A call that is typical of an operation.
    TypicalCall {
        /// A question and its answer.
        ShortChat = "short_chat", Plain, "short chat: 1,000 in, 500 out", "短对话：输入 1,000，输出 500";
        /// With reasoning.
        Reasoning = "reasoning", Plain, "reasoning: 2,000 in, 800 out, 4,000 reasoning", "推理：输入 2,000，输出 800，推理 4,000";
        /// Most of the context comes from the cache.
        CachedContext = "cached_context", Plain, "cached context: 5,000 in, 45,000 cached, 1,000 out", "缓存上下文：输入 5,000，缓存 45,000，输出 1,000";
        /// A context beyond the usual bands.
        LongContext = "long_context", Plain, "long context: 300,000 in, 2,000 out", "长上下文：输入 300,000，输出 2,000";
        /// A text that goes on.
        Completion = "completion", Plain, "completion: 500 in, 200 out", "补全：输入 500，输出 200";
        /// One text.
        OneText = "one_text", Plain, "one text: 500 tokens", "一段文本：500 Token";
        /// A batch of texts.
        ManyTexts = "many_texts", Plain, "a batch of texts: 100,000 tokens", "批量文本：100,000 Token";
        /// A query with some documents.
        FewDocuments = "few_documents", Plain, "ranking of 20 documents: 3,200 tokens, 1 search", "20 篇文档排序：3,200 Token，1 次搜索";
        /// A query with many.
        ManyDocuments = "many_documents", Plain, "ranking of 400 documents: 128,000 tokens, 4 searches", "400 篇文档排序：128,000 Token，4 次搜索";
        /// One square image.
        SquareImage = "square_image", Plain, "image 1024x1024, standard", "图像 1024x1024，标准质量";
        /// One wide image of high quality.
        WideImage = "wide_image", Plain, "image 1536x1024, high", "图像 1536x1024，高质量";
        /// An image whose output is counted in tokens.
        ImageByToken = "image_by_token", Plain, "image 1024x1024, medium, 1,056 out", "图像 1024x1024，中等质量，输出 1,056";
    }
    /// What a gateway told.
    GatewayNews {
        /// It came up.
        Started = "gateway_started", Good, "gateway started", "网关已启动";
        /// A provider refused a key for good.
        KeyDisabled = "key_disabled", Bad, "key refused", "密钥被拒绝";
        /// A key is left alone for a while.
        KeyCooling = "key_cooling", Warn, "key cooling down", "密钥冷却中";
        /// A key serves again.
        KeyRecovered = "key_recovered", Good, "key recovered", "密钥已恢复";
        /// A key's balance passed a line.
        KeyBalance = "key_balance", Warn, "balance changed", "余额变动";
        /// Something newer than this page.
        Other = "other", Plain, "other", "其他";
    }
    /// A part of the platform that is checked.
    SystemPart {
        /// SQLite or PostgreSQL.
        Database = "database", Plain, "Database", "数据库";
        /// Redis, or the process itself.
        Cache = "cache", Plain, "Cache", "缓存";
        /// The link to the gateways.
        Link = "link", Plain, "Link to the gateways", "网关链路";
        /// Commits of holds and settlements.
        Ledger = "ledger", Plain, "Ledger", "账本";
        /// Pools of providers' keys.
        KeyPools = "key_pools", Plain, "Key pools", "密钥池";
        /// Where media lie.
        Storage = "storage", Plain, "Object storage", "对象存储";
        /// Sums per hour and day.
        Rollups = "rollups", Plain, "Usage aggregation", "用量汇总";
        /// Work that is done beside calls.
        Background = "background", Plain, "Background jobs", "后台任务";
    }
    /// A remark beside a check.
    HealthNote {
        /// It does its work without help of another process.
        InProcess = "in_process", Plain, "in this process", "进程内";
        /// It does not answer; its work goes on without it.
        Without = "without", Warn, "calls are not affected", "不影响调用";
        /// They do not answer at all.
        NoAnswer = "no_answer", Bad, "no answer", "无响应";
        /// So many answer.
        Answering = "answering", Plain, "responding", "有响应";
        /// Records that are not added up.
        Behind = "behind", Plain, "records pending: {}", "待汇总记录：{}";
        /// Calls that recovery looks after.
        Overdue = "overdue", Plain, "calls to recover: {}", "待恢复调用：{}";
        /// The clocks of servers and database differ.
        Skewed = "skewed", Warn, "a server's clock is off by", "有服务器的时钟偏差";
        /// Pools without a key that works.
        Empty = "empty", Bad, "without a working key", "没有可用密钥";
        /// Pools of which every key cools.
        Cooling = "cooling", Warn, "all keys cooling down", "冷却中";
        /// Pools that work.
        Working = "working", Plain, "working key pools: {}", "可用密钥池：{}";
    }
    /// A bounded queue.
    QueueName {
        /// Everything that waits for the ledger's writer.
        Ledger = "ledger", Plain, "Ledger queue", "账本队列";
        /// Holds that wait for a commit.
        Holds = "holds", Plain, "Holds", "冻结";
        /// Settlements that wait for a commit.
        Settlements = "settlements", Plain, "Settlements", "结算";
        /// Usage records that wait to be written.
        Usage = "usage", Plain, "Usage records", "用量记录";
        /// Entries of the audit log that wait to be written.
        Audit = "audit", Plain, "Audit entries", "审计记录";
        /// Calls that wait for a key.
        Keys = "keys", Plain, "Calls waiting for a key", "等待密钥的调用";
        /// Webhooks that wait to be sent.
        Webhooks = "webhooks", Plain, "Webhooks", "Webhook";
    }
    /// The name of a fact about the platform.
    FactName {
        /// Processes of the server.
        Replicas = "replicas", Plain, "Replicas", "副本数";
        /// The newest migration.
        Schema = "schema", Plain, "Schema", "数据库结构";
        /// Resident memory.
        Memory = "memory", Plain, "Memory", "内存";
        /// Which database, and its version.
        Database = "database", Plain, "Database", "数据库";
        /// Which cache, and its version.
        Cache = "cache", Plain, "Cache", "缓存";
        /// Where media lie.
        Storage = "storage", Plain, "Object storage", "对象存储";
        /// The name of the machine.
        Host = "host", Plain, "Host", "主机";
        /// Calls that run.
        Running = "running", Plain, "Running calls", "进行中的调用";
        /// Until when sums per hour reach.
        SummedUntil = "summed_until", Plain, "Aggregated up to", "已汇总至";
    }
}
