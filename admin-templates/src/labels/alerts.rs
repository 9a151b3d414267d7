//! Words about alerts: how things do, who is told, and what became of it.

use super::labels;
use super::{AlertKind, Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// How a model or a provider does, beside what operators set.
    ConditionWord {
        /// Nothing is wrong.
        Healthy = "healthy", Good, "Healthy", "正常";
        /// There was nothing to judge it by.
        NoCalls = "no_calls", Plain, "No recent calls", "近期无调用";
        /// Some calls fail.
        Degraded = "degraded", Warn, "Degraded", "部分失败";
        /// All keys rest.
        Cooling = "cooling", Warn, "All keys rate-limited", "密钥均被限流";
        /// It can be called for nothing.
        NoPrice = "no_price", Bad, "No price", "未定价";
        /// Nothing opens the provider.
        NoWorkingKey = "no_working_key", Bad, "No working key", "无可用密钥";
        /// What it stands on is gone.
        Retired = "retired", Bad, "Retired", "已下线";
        /// No call succeeds.
        Failing = "failing", Bad, "Failing", "全部失败";
    }
    /// What receives alerts.
    ChannelWord {
        /// Any address.
        Webhook = "webhook", Plain, "Webhook", "Webhook";
        /// A custom bot.
        Feishu = "feishu", Plain, "Feishu / Lark", "飞书";
        /// A custom robot.
        DingTalk = "dingtalk", Plain, "DingTalk", "钉钉";
        /// A group's robot.
        WeCom = "wecom", Plain, "WeCom", "企业微信";
    }
    /// A language of messages.
    LangWord {
        /// English.
        English = "en", Plain, "English", "English";
        /// Chinese.
        Chinese = "zh", Plain, "中文", "中文";
    }
    /// What became of a message.
    DeliveryWord {
        /// It is to be sent.
        Waiting = "waiting", Info, "waiting", "等待发送";
        /// It was taken.
        Sent = "sent", Good, "delivered", "已送达";
        /// It was not taken in time.
        GaveUp = "gave_up", Bad, "given up", "已放弃";
    }
    /// What happened to an alert.
    StepWord {
        /// It began.
        Begun = "begun", Bad, "New", "新告警";
        /// It is still there.
        Reminder = "reminder", Warn, "Still there", "仍未恢复";
        /// It is over.
        Resolved = "resolved", Good, "Resolved", "已恢复";
    }
    /// For how long nobody is told of an alert.
    MuteWord {
        /// An hour.
        Hour = "1h", Plain, "1 hour", "1 小时";
        /// A day.
        Day = "1d", Plain, "1 day", "1 天";
        /// Until it ends.
        Ever = "end", Plain, "Until it ends", "直到恢复";
    }
}

impl AlertKind {
    /// Whether anybody looks for it: words are there ahead of what finds their matter.
    pub const fn is_looked_for(self) -> bool {
        !matches!(self, Self::Lost | Self::SlowFirstToken | Self::QueueFull)
    }
}
