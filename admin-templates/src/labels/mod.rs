//! States, roles and kinds: closed sets of words, each with its tone and both languages.
//! A word without a translation does not compile.

mod platform;

use shared::units::Unit;

use crate::fixtures::maker::{Maker, Sample};
use crate::given::Given;
use crate::page::Lang;

pub use platform::{
    AlertKind, FactName, GatewayNews, HealthNote, Measure, QueueName, SystemPart, TypicalCall,
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
    /// What a signed-in person may do.
    PersonRole {
        /// A superadmin who may do everything.
        Owner = "owner", Info, "owner", "所有者";
        /// A superadmin who runs tenants, models and providers, not money.
        Operator = "operator", Plain, "operator", "运维";
        /// A superadmin who recharges and adjusts.
        Finance = "finance", Plain, "finance", "财务";
        /// A superadmin who only looks.
        ReadOnly = "read_only", Plain, "read-only", "只读";
        /// Owns a tenant.
        TenantOwner = "tenant_owner", Info, "owner", "所有者";
        /// Runs a tenant.
        TenantAdmin = "tenant_admin", Plain, "admin", "管理员";
        /// Uses a tenant's credits.
        Member = "member", Plain, "member", "成员";
    }
    /// Roles of superadmins, for choosing one.
    AdminRole {
        /// May do everything.
        Owner = "owner", Info, "owner", "所有者";
        /// Runs tenants, models and providers, not money.
        Operator = "operator", Plain, "operator", "运维";
        /// Recharges and adjusts.
        Finance = "finance", Plain, "finance", "财务";
        /// Only looks.
        ReadOnly = "read_only", Plain, "read-only", "只读";
    }
    /// Roles inside a tenant.
    MemberRole {
        /// May do everything in the tenant.
        Owner = "owner", Info, "owner", "所有者";
        /// Runs members and keys.
        Admin = "admin", Plain, "admin", "管理员";
        /// Uses models.
        Member = "member", Plain, "member", "成员";
    }
    /// Whether a tenant's calls are taken.
    TenantStatus {
        /// They are.
        Active = "active", Good, "active", "正常";
        /// They are refused.
        Suspended = "suspended", Warn, "suspended", "已停用";
        /// They are refused, and the tenant goes away when the grace period is over.
        Deleting = "deleting", Bad, "deleting", "待删除";
    }
    /// Whether a person may sign in.
    MemberStatus {
        /// They may.
        Active = "active", Good, "active", "正常";
        /// They may not.
        Disabled = "disabled", Bad, "disabled", "已禁用";
        /// Not for a while, after too many wrong passwords.
        Locked = "locked", Warn, "locked out", "已锁定";
    }
    /// Whether an API key is taken.
    KeyStatus {
        /// It is.
        Active = "active", Good, "active", "有效";
        /// It is, and so is the secret it had before, until its grace is over.
        Rotating = "rotating", Info, "in grace", "轮换宽限期";
        /// Its time is over.
        Expired = "expired", Warn, "expired", "已过期";
        /// It was taken back.
        Revoked = "revoked", Bad, "revoked", "已吊销";
    }
    /// What an API key spends.
    KeyKind {
        /// Credits.
        Live = "live", Plain, "live", "正式";
        /// Nothing; it reaches the sandbox only.
        Test = "test", Info, "test", "测试";
    }
    /// What an API key may do.
    Scope {
        /// Chat, embeddings and media.
        Inference = "inference", Plain, "call models", "调用模型";
        /// Read usage and the balance.
        Usage = "usage", Plain, "read usage and balance", "查看用量与余额";
        /// Make and revoke keys.
        Keys = "keys", Plain, "manage keys", "管理密钥";
    }
    /// Whether a provider's key takes calls.
    PoolKeyStatus {
        /// It does.
        Active = "active", Good, "active", "可用";
        /// Not until its cool-down is over.
        Cooling = "cooling", Warn, "cooling", "冷却中";
        /// Not until somebody enables it.
        Disabled = "disabled", Bad, "disabled", "已禁用";
    }
    /// Whether something works.
    Health {
        /// It does.
        Good = "good", Good, "healthy", "正常";
        /// Slowly, or in part.
        Degraded = "degraded", Warn, "degraded", "降级";
        /// It does not.
        Away = "away", Bad, "away", "离线";
    }
    /// Whether something is offered.
    Switch {
        /// It is.
        On = "on", Good, "enabled", "已启用";
        /// It is not.
        Off = "off", Plain, "disabled", "已停用";
    }
    /// How a call ended.
    CallStatus {
        /// It runs.
        Running = "running", Info, "running", "进行中";
        /// With an answer.
        Succeeded = "succeeded", Good, "succeeded", "成功";
        /// Without one.
        Failed = "failed", Bad, "failed", "失败";
        /// The caller went away.
        Canceled = "canceled", Plain, "canceled", "已取消";
        /// Nobody knows how.
        Unknown = "unknown", Warn, "end unknown", "结果未知";
    }
    /// What is odd about a call's counts or its charge.
    CallNote {
        /// The provider counted more than the call can bring.
        Capped = "capped", Warn, "The provider reported more than this call can bring. Its counts were cut to the most that is possible, and are estimates.", "供应商上报的用量超过本次调用可能产生的上限，已按上限截断，计数为估算值。";
        /// More was made than the call's maximum.
        Overrun = "overrun", Warn, "The provider made more than was asked for. The tenant pays at most what was asked for and held.", "供应商产出超过请求的上限；租户最多只支付所请求并已预留的部分。";
        /// It came to more than was held.
        ProviderOverrun = "provider_overrun", Warn, "The call came to more than was held for it; the platform bears the rest.", "本次调用的费用超出预留额度，超出部分由平台承担。";
        /// Its end became known when the balance was short.
        LateOutcome = "late_outcome", Warn, "How the call ended became known late, when the balance or a budget no longer covered it; the platform bears the rest.", "调用结果获知较晚，届时余额或预算已不足，差额由平台承担。";
        /// The tenant got nothing.
        NotDelivered = "not_delivered", Warn, "The answer was not delivered and the tenant was told that nothing is charged; the platform bears all of it.", "结果未送达，且已告知租户不收费，全部费用由平台承担。";
        /// The server died before the tenant got all of it.
        NotTaken = "not_taken", Warn, "The server ended before the tenant had taken all of the answer; the platform bears what was not taken.", "服务器在租户取完结果前终止，未取走部分由平台承担。";
        /// An operator decided.
        ByHand = "by_hand", Warn, "Nobody knows how the call ended. An operator decided what is charged.", "无人知晓该调用如何结束，收费由管理员决定。";
    }
    /// What a call asks for.
    Operation {
        /// A conversation.
        Chat = "chat", Plain, "chat", "对话";
        /// Vectors.
        Embedding = "embedding", Plain, "embedding", "向量";
        /// Images.
        Image = "image", Plain, "image", "图像";
        /// The continuation of a text.
        Completion = "completion", Plain, "completion", "补全";
        /// A verdict on what is in a text.
        Moderation = "moderation", Plain, "moderation", "审核";
        /// Speech from text.
        Speech = "speech", Plain, "speech", "语音合成";
        /// Text from speech.
        Transcription = "transcription", Plain, "transcription", "语音识别";
        /// Video.
        Video = "video", Plain, "video", "视频";
    }
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
    /// What a try at a provider came to.
    TryResult {
        /// An answer.
        Answered = "answered", Good, "answered", "已应答";
        /// Another key was tried next.
        NextKey = "next_key", Warn, "moved to another key", "换用其他密钥";
        /// Another target was tried next.
        NextTarget = "next_target", Warn, "moved to another target", "换用其他目标";
        /// The call ended with it.
        GaveUp = "gave_up", Bad, "gave up", "放弃";
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
    /// What a price is for.
    PriceItem {
        /// A call that produced something.
        Request = "request", Plain, "per request", "每次请求";
        /// A million input tokens.
        Input = "input", Plain, "input / million tokens", "输入 / 百万 tokens";
        /// A million input tokens from the provider's cache.
        CachedInput = "cached_input", Plain, "cached input / million tokens", "缓存输入 / 百万 tokens";
        /// A million tokens written to the provider's cache.
        CacheWrite = "cache_write", Plain, "cache write / million tokens", "缓存写入 / 百万 tokens";
        /// A million output tokens.
        Output = "output", Plain, "output / million tokens", "输出 / 百万 tokens";
        /// A million tokens written to the provider's cache for an hour or longer.
        CacheWriteLong = "cache_write_long", Plain, "long cache write / million tokens", "长期缓存写入 / 百万 tokens";
        /// A million tokens of sound in the input.
        InputAudio = "input_audio", Plain, "audio input / million tokens", "音频输入 / 百万 tokens";
        /// The same from the cache.
        CachedInputAudio = "cached_input_audio", Plain, "cached audio input / million tokens", "缓存音频输入 / 百万 tokens";
        /// A million tokens of pictures in the input.
        InputImage = "input_image", Plain, "image input / million tokens", "图像输入 / 百万 tokens";
        /// The same from the cache.
        CachedInputImage = "cached_input_image", Plain, "cached image input / million tokens", "缓存图像输入 / 百万 tokens";
        /// A million tokens of video in the input.
        InputVideo = "input_video", Plain, "video input / million tokens", "视频输入 / 百万 tokens";
        /// A million tokens of sound written.
        OutputAudio = "output_audio", Plain, "audio output / million tokens", "音频输出 / 百万 tokens";
        /// A million tokens of pictures written.
        OutputImage = "output_image", Plain, "image output / million tokens", "图像输出 / 百万 tokens";
        /// A million tokens of reasoning.
        Reasoning = "reasoning", Plain, "reasoning / million tokens", "推理 / 百万 tokens";
        /// An image.
        Image = "image", Plain, "image", "每张图像";
        /// A megapixel of pictures.
        Pixels = "pixels", Plain, "megapixel", "百万像素";
        /// A second of video.
        Video = "video", Plain, "second of video", "每秒视频";
        /// A thousand characters read aloud.
        Speech = "speech", Plain, "thousand characters", "千字符";
        /// A minute of audio.
        Audio = "audio", Plain, "minute of audio", "每分钟音频";
        /// A minute of audio that is read.
        AudioRead = "audio_read", Plain, "minute of audio input", "每分钟音频输入";
        /// A search.
        Search = "search", Plain, "search", "每次搜索";
        /// A page.
        Page = "page", Plain, "page", "每页";
        /// A second of a machine.
        Compute = "compute", Plain, "second of compute", "每秒算力";
        /// A call of the provider's tool.
        Tool = "tool", Plain, "tool call", "每次工具调用";
    }
    /// A part of a call's time.
    Phase {
        /// Who is it, and may they?
        Admit = "admit", Plain, "authenticate and limit", "鉴权与限流";
        /// Credits are set aside.
        Hold = "hold", Info, "hold credits", "预留额度";
        /// The gateway hears of it.
        Link = "link", Plain, "reach the gateway", "到达网关";
        /// The provider works.
        Wait = "wait", Warn, "wait for the first token", "等待首个 token";
        /// The answer comes.
        Stream = "stream", Good, "stream the answer", "流式返回";
        /// The charge is stored.
        Settle = "settle", Info, "settle", "结算";
    }
    /// Whether credits come or go.
    Direction {
        /// To the tenant.
        Give = "give", Good, "give credits", "增加额度";
        /// From the tenant.
        Take = "take", Warn, "take credits away", "扣减额度";
    }
    /// Who changed something.
    ActorKind {
        /// A superadmin.
        Superadmin = "superadmin", Info, "superadmin", "超级管理员";
        /// A person of a tenant.
        User = "user", Plain, "user", "用户";
        /// An API key.
        Key = "key", Plain, "API key", "API 密钥";
        /// The platform itself.
        System = "system", Plain, "system", "系统";
    }
    /// Why there is no page.
    ErrorKind {
        /// There is nothing at this path, or nothing the person may see.
        NotFound = "not_found", Plain, "There is nothing here", "页面不存在";
        /// The person's role does not reach that far.
        Forbidden = "forbidden", Warn, "Your role does not allow this", "你的角色无权执行此操作";
        /// The form was too old or not this person's.
        FormExpired = "form_expired", Warn, "This form has expired", "表单已过期";
        /// Too much at once.
        TooMany = "too_many", Warn, "Too many attempts", "尝试次数过多";
        /// A fault of the platform.
        Internal = "internal", Bad, "Something went wrong", "系统出错了";
        /// A part of the platform does not answer.
        Unavailable = "unavailable", Bad, "Briefly out of reach", "服务暂时不可用";
    }
    /// Who spoke.
    Speaker {
        /// The person.
        User = "user", Plain, "You", "我";
        /// The model.
        Assistant = "assistant", Info, "Model", "模型";
    }
}

impl CallStatus {
    /// Those by which a tenant's lists of calls are narrowed.
    pub const LISTED: &'static [Self] =
        &[Self::Running, Self::Succeeded, Self::Failed, Self::Canceled];
}

impl PriceItem {
    /// How many units prices and steps may be told of.
    pub const PERS: &'static [u64] = &[
        1, 10, 100, 1_000, 10_000, 60_000, 100_000, 1_000_000, 3_600_000,
    ];

    /// The unit itself, whatever number of them its label speaks of.
    pub fn unit_text(self, lang: impl Given<Lang>) -> &'static str {
        let lang = lang.get();
        let own = match self {
            Self::Request => ("call", "调用"),
            Self::Image => ("image", "图像"),
            Self::Pixels => ("thousand pixels", "千像素"),
            Self::Video => ("millisecond of video", "视频毫秒"),
            Self::Speech => ("character", "字符"),
            Self::Audio => ("millisecond of audio", "音频毫秒"),
            Self::AudioRead => ("millisecond of audio input", "输入音频毫秒"),
            Self::Compute => ("millisecond of compute", "算力毫秒"),
            Self::Search => ("search", "搜索"),
            Self::Page => ("page", "页"),
            Self::Tool => ("tool call", "工具调用"),
            Self::Input
            | Self::CachedInput
            | Self::CacheWrite
            | Self::CacheWriteLong
            | Self::Output
            | Self::InputAudio
            | Self::CachedInputAudio
            | Self::InputImage
            | Self::CachedInputImage
            | Self::InputVideo
            | Self::OutputAudio
            | Self::OutputImage
            | Self::Reasoning => {
                let label = self.text(lang);
                return label.split(" / ").next().unwrap_or(label);
            }
        };
        match lang {
            Lang::En => own.0,
            Lang::Zh => own.1,
        }
    }

    /// Of how many units its label speaks.
    pub fn per(self) -> u64 {
        const ONE: [PriceItem; 5] = [
            PriceItem::Request,
            PriceItem::Image,
            PriceItem::Search,
            PriceItem::Page,
            PriceItem::Tool,
        ];
        const THOUSAND: [PriceItem; 4] = [
            PriceItem::Pixels,
            PriceItem::Video,
            PriceItem::Speech,
            PriceItem::Compute,
        ];
        const MINUTE: [PriceItem; 2] = [PriceItem::Audio, PriceItem::AudioRead];
        if ONE.contains(&self) {
            1
        } else if THOUSAND.contains(&self) {
            1_000
        } else if MINUTE.contains(&self) {
            60_000
        } else {
            1_000_000
        }
    }
}

impl From<Unit> for PriceItem {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Request => Self::Request,
            Unit::InputToken => Self::Input,
            Unit::CachedInputToken => Self::CachedInput,
            Unit::CacheWriteToken => Self::CacheWrite,
            Unit::CacheWriteLongToken => Self::CacheWriteLong,
            Unit::InputAudioToken => Self::InputAudio,
            Unit::CachedInputAudioToken => Self::CachedInputAudio,
            Unit::InputImageToken => Self::InputImage,
            Unit::CachedInputImageToken => Self::CachedInputImage,
            Unit::InputVideoToken => Self::InputVideo,
            Unit::OutputToken => Self::Output,
            Unit::ReasoningToken => Self::Reasoning,
            Unit::OutputAudioToken => Self::OutputAudio,
            Unit::OutputImageToken => Self::OutputImage,
            Unit::Image => Self::Image,
            Unit::Kilopixel => Self::Pixels,
            Unit::VideoMs => Self::Video,
            Unit::AudioMs => Self::Audio,
            Unit::InputAudioMs => Self::AudioRead,
            Unit::Character => Self::Speech,
            Unit::Search => Self::Search,
            Unit::Page => Self::Page,
            Unit::ComputeMs => Self::Compute,
            Unit::ToolCall => Self::Tool,
        }
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
