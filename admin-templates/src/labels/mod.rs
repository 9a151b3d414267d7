//! States, roles and kinds: closed sets of words, each with its tone and both languages.
//! A word without a translation does not compile.

mod alerts;
mod audit;
mod calls;
mod faults;
mod kept;
mod models;
mod money;
mod people;
mod platform;
mod providers;
mod search;
mod start;
mod studio;
mod supply;

use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

pub use alerts::{ChannelWord, ConditionWord, DeliveryWord, LangWord, MuteWord, StepWord};
pub use audit::{AuditTold, NewsTold};
pub use calls::{CallNote, CallStatus, Lane, LaneStep, Operation, PriceItem, Speaker, TryResult};
pub use faults::{FaultCause, FaultName, FaultStep, FaultTold, RefusalTold};
pub use kept::KeptTold;
pub use models::{Capability, ListStanding, TargetOrder};
pub use money::{
    BudgetPeriod, Direction, EntryKind, GrantEnd, GrantKind, ImportState, LineKind, ListFaultWord,
    ListTakes, MarkKind,
};
pub use people::{
    ActorKind, AdminRole, KeyKind, KeyStatus, MemberRole, MemberStatus, PersonRole, Scope,
    SuspensionWhy, TenantStatus,
};
pub use platform::{
    AlertKind, FactName, GatewayNews, HealthNote, Measure, QueueName, SystemPart, TypicalCall,
};
pub use providers::{DialectName, KeyLineState, LimitField, VendorPlace};
pub use search::{SearchAction, SearchKind};
pub use start::{ClientName, StartState, StartStep};
pub use studio::{AnswerEffort, AnswerLength};
pub use supply::{
    BalanceTrouble, BalanceWord, ImportedState, KeyKept, NextWhy, ProviderFilter, RouteLeftOut,
    RouteState,
};

/// How a word is coloured. Colour never carries the meaning alone; the word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Plain,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// Somebody must act.
    Bad,
    /// Under way.
    Info,
}

impl Tone {
    /// The end of the badge's class.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
        }
    }
}

/// A word of a closed set.
pub trait Word: Label + Copy + Sized + 'static {
    /// Every word of the set, in the order of a drop-down list.
    const ALL: &'static [Self];
    /// As forms and queries send it.
    fn code(self) -> &'static str;
    /// The word a form sent.
    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.code() == code)
    }
}

/// A word or a reference to one, as templates pass them.
pub trait Label {
    /// Its colour.
    fn tone(&self) -> Tone;
    /// For people.
    fn text(&self, lang: Lang) -> &'static str;
}

impl<S: Label> Label for &S {
    fn tone(&self) -> Tone {
        (**self).tone()
    }

    fn text(&self, lang: Lang) -> &'static str {
        (**self).text(lang)
    }
}

/// Declares sets of words: each with its code, its tone, English and Chinese.
macro_rules! labels {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $code:literal, $tone:ident, $en:literal, $zh:literal; )+ } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[$vmeta])* $variant, )+ }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl Label for $name {
            fn tone(&self) -> Tone {
                match self { $(Self::$variant => Tone::$tone,)+ }
            }
            fn text(&self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $( (Self::$variant, Lang::En) => $en, (Self::$variant, Lang::Zh) => $zh, )+
                }
            }
        }

        impl Sample for $name {
            fn sample(maker: &mut Maker) -> Self {
                maker.one_of(Self::ALL)
            }
        }
    )+};
}

pub(crate) use labels;

labels! {
    /// Whether a provider's key takes calls.
    PoolKeyStatus {
        /// It does.
        Active = "active", Good, "active", "可用";
        /// Not until its cool-down is over.
        Cooling = "cooling", Warn, "cooling down", "冷却中";
        /// Not until somebody enables it.
        Disabled = "disabled", Bad, "disabled", "已禁用";
        /// Not until its account has more than its floor.
        Parked = "parked", Bad, "paused, no balance", "余额不足，已暂停";
    }
    /// Whether something works.
    Health {
        /// It does.
        Good = "good", Good, "healthy", "正常";
        /// Slowly, or in part.
        Degraded = "degraded", Warn, "degraded", "降级";
        /// It does not.
        Away = "away", Bad, "offline", "离线";
    }
    /// Whether something is offered.
    Switch {
        /// It is.
        On = "on", Good, "enabled", "已启用";
        /// It is not.
        Off = "off", Plain, "disabled", "已停用";
    }
    /// How much a matter presses.
    Severity {
        /// To know.
        Info = "info", Info, "note", "提示";
        /// To look at.
        Warning = "warning", Warn, "warning", "警告";
        /// To act on.
        Critical = "critical", Bad, "critical", "严重";
    }
    /// A stretch of time to look at.
    Range {
        /// By the hour.
        Day = "24h", Plain, "24 hours", "24 小时";
        /// By the hour.
        Week = "7d", Plain, "7 days", "7 天";
        /// By the day.
        Month = "30d", Plain, "30 days", "30 天";
        /// By the day.
        Quarter = "90d", Plain, "90 days", "90 天";
    }
    /// Why there is no page.
    ErrorKind {
        /// There is nothing at this path, or nothing the person may see.
        NotFound = "not_found", Plain, "Page not found", "页面不存在";
        /// The person's role does not reach that far.
        Forbidden = "forbidden", Warn, "Your role does not allow this", "您的角色无权执行此操作";
        /// A superadmin looks at a portal as somebody else, and this is not to be seen or done so.
        LookingOnly = "looking_only", Warn, "Not available while you view the portal as another person", "以成员身份查看时不可用";
        /// The form was too old or not this person's.
        FormExpired = "form_expired", Warn, "This form has expired", "表单已过期";
        /// Too much at once.
        TooMany = "too_many", Warn, "Too many attempts", "尝试次数过多";
        /// A fault of the platform.
        Internal = "internal", Bad, "Something went wrong", "系统内部错误";
        /// A part of the platform does not answer.
        Unavailable = "unavailable", Bad, "Temporarily unavailable", "服务暂时不可用";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_by_what_a_form_sends() {
        assert_eq!(EntryKind::from_code("settle"), Some(EntryKind::Settle));
        assert_eq!(EntryKind::from_code("Settle"), None);
    }
}
