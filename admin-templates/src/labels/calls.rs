//! Words of calls: how they went, what they were about, and what is counted of them.

use shared::units::Unit;

use super::{Label, Tone, Word, labels};
use crate::fixtures::maker::{Maker, Sample};
use crate::given::Given;
use crate::page::Lang;

labels! {
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
        Unknown = "unknown", Warn, "result unknown", "结果未知";
    }
    /// What is odd about a call's counts or its charge.
    CallNote {
        /// The provider counted more than the call can bring.
        Capped = "capped", Warn, "The provider reported more than this call can produce. Its counts were capped at the maximum and are estimates.", "供应商上报的用量超过本次调用可能产生的上限，已按上限截断，计数为估算值。";
        /// More was made than the call's maximum.
        Overrun = "overrun", Warn, "The provider produced more than requested. The tenant pays at most for what was requested and held.", "供应商产出超过请求的上限；租户最多只支付所请求并已冻结的部分。";
        /// It came to more than was held.
        ProviderOverrun = "provider_overrun", Warn, "The call cost more than was held for it; the platform covers the rest.", "本次调用的费用超出冻结额度，超出部分由平台承担。";
        /// Its end became known when the balance was short.
        LateOutcome = "late_outcome", Warn, "The result became known late, when the balance or a budget no longer covered it; the platform covers the rest.", "调用结果获知较晚，届时余额或预算已不足，差额由平台承担。";
        /// The tenant got nothing.
        NotDelivered = "not_delivered", Warn, "The answer was not delivered and the tenant was informed that nothing is charged; the platform covers all of it.", "结果未送达，且已告知租户不收费，全部费用由平台承担。";
        /// The server died before the tenant got all of it.
        NotTaken = "not_taken", Warn, "The server ended before the tenant had received all of the answer; the platform covers what was not received.", "服务器在租户接收完结果前终止，未接收部分由平台承担。";
        /// An operator decided.
        ByHand = "by_hand", Warn, "The result of this call is unknown. An operator decided what is charged.", "该调用结果未知，收费由管理员决定。";
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
        /// Documents by how well they answer a query.
        Rerank = "rerank", Plain, "ranking", "重排序";
        /// Speech from text.
        Speech = "speech", Plain, "speech", "语音合成";
        /// Text from speech.
        Transcription = "transcription", Plain, "transcription", "语音识别";
        /// Video.
        Video = "video", Plain, "video", "视频";
    }
    /// What a try at a provider came to.
    TryResult {
        /// An answer.
        Answered = "answered", Good, "answered", "已应答";
        /// Another key was tried next.
        NextKey = "next_key", Warn, "retried with another key", "换用其他密钥";
        /// Another target was tried next.
        NextTarget = "next_target", Warn, "retried with another target", "换用其他目标";
        /// Not tried yet: every key was full.
        Waited = "waited", Plain, "waited for capacity", "等待可用容量";
        /// Another gateway was asked next.
        NextGateway = "next_gateway", Warn, "retried with another gateway", "换用其他网关";
        /// The call ended with it.
        GaveUp = "gave_up", Bad, "failed", "失败";
    }
    /// What a price is for.
    PriceItem {
        /// A call that produced something.
        Request = "request", Plain, "per request", "每次请求";
        /// A million input tokens.
        Input = "input", Plain, "input / million tokens", "输入 / 百万 Token";
        /// A million input tokens from the provider's cache.
        CachedInput = "cached_input", Plain, "cached input / million tokens", "缓存输入 / 百万 Token";
        /// A million tokens written to the provider's cache.
        CacheWrite = "cache_write", Plain, "cache write / million tokens", "缓存写入 / 百万 Token";
        /// A million output tokens.
        Output = "output", Plain, "output / million tokens", "输出 / 百万 Token";
        /// A million tokens written to the provider's cache for an hour or longer.
        CacheWriteLong = "cache_write_long", Plain, "long cache write / million tokens", "长期缓存写入 / 百万 Token";
        /// A million tokens of sound in the input.
        InputAudio = "input_audio", Plain, "audio input / million tokens", "音频输入 / 百万 Token";
        /// The same from the cache.
        CachedInputAudio = "cached_input_audio", Plain, "cached audio input / million tokens", "缓存音频输入 / 百万 Token";
        /// A million tokens of pictures in the input.
        InputImage = "input_image", Plain, "image input / million tokens", "图像输入 / 百万 Token";
        /// The same from the cache.
        CachedInputImage = "cached_input_image", Plain, "cached image input / million tokens", "缓存图像输入 / 百万 Token";
        /// A million tokens of video in the input.
        InputVideo = "input_video", Plain, "video input / million tokens", "视频输入 / 百万 Token";
        /// A million tokens of sound written.
        OutputAudio = "output_audio", Plain, "audio output / million tokens", "音频输出 / 百万 Token";
        /// A million tokens of pictures written.
        OutputImage = "output_image", Plain, "image output / million tokens", "图像输出 / 百万 Token";
        /// A million tokens of reasoning.
        Reasoning = "reasoning", Plain, "reasoning / million tokens", "推理 / 百万 Token";
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
    /// Where something of a call happened, from the caller on.
    Lane {
        /// At whoever calls.
        Tenant = "tenant", Plain, "Tenant", "租户";
        /// Here.
        Server = "server", Plain, "Server", "服务器";
        /// On the way.
        Border = "border", Plain, "Border", "跨境链路";
        /// Overseas.
        Gateway = "gateway", Plain, "Gateway", "网关";
        /// At whoever answers.
        Provider = "provider", Plain, "Provider", "供应商";
    }
    /// What happened there.
    LaneStep {
        /// The request is here.
        Received = "received", Plain, "request received", "收到请求";
        /// Who is it, may they, and what is set aside.
        Hold = "hold", Info, "limits and hold", "限额检查与冻结";
        /// A gateway that did not take it.
        Passed = "passed", Warn, "gateway not available", "网关不可用";
        /// On its way there.
        There = "there", Plain, "call on its way", "请求传输";
        /// Which key?
        Route = "route", Plain, "choose a key", "选择密钥";
        /// No key had capacity.
        Waited = "waited", Warn, "wait for capacity", "等待可用容量";
        /// An attempt that failed.
        Failed = "failed", Bad, "failed attempt", "失败的尝试";
        /// The one that answered.
        Answered = "answered", Good, "attempt", "尝试";
        /// The first byte of an answer.
        FirstToken = "first_token", Good, "first token", "首个 Token";
        /// The tenant waits.
        Wait = "wait", Warn, "wait for the model", "等待模型";
        /// The answer comes.
        Stream = "stream", Good, "answer received", "接收回答";
        /// The way broke.
        Cut = "cut", Bad, "connection lost", "连接中断";
        /// And was there again.
        Resumed = "resumed", Good, "resumed without loss", "无损续传";
        /// On its way back.
        Back = "back", Plain, "answer on its way", "回答传输";
        /// The charge is stored.
        Settle = "settle", Info, "settlement", "结算";
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
