//! Words of models: what they can, and what their providers' lists say of them.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// What a model can.
    Capability {
        /// Calls functions.
        Tools = "tools", Plain, "tools", "工具调用";
        /// Reads pictures.
        Vision = "vision", Plain, "image input", "图像输入";
        /// Hears.
        AudioInput = "audio_input", Plain, "audio input", "音频输入";
        /// Speaks.
        AudioOutput = "audio_output", Plain, "audio output", "音频输出";
        /// Reads films.
        VideoInput = "video_input", Plain, "video input", "视频输入";
        /// Reads documents.
        FileInput = "file_input", Plain, "file input (PDF)", "文件输入（PDF）";
        /// Draws inside of an answer.
        ImageOutput = "image_output", Plain, "image output", "图像输出";
        /// Keeps to a schema.
        StructuredOutput = "structured_output", Plain, "structured output", "结构化输出";
        /// Thinks.
        Reasoning = "reasoning", Plain, "reasoning", "推理";
        /// Knows what came before.
        PromptCaching = "prompt_caching", Plain, "prompt caching", "提示缓存";
        /// Looks things up.
        WebSearch = "web_search", Plain, "web search", "联网搜索";
        /// Runs code.
        CodeExecution = "code_execution", Plain, "code execution", "代码执行";
        /// Answers piece by piece.
        Streaming = "streaming", Plain, "streaming", "流式输出";
    }
    /// In which order a model's targets are tried.
    TargetOrder {
        /// By their costs.
        Price = "price", Plain, "cheapest first", "成本最低者优先";
        /// By the time to the first token.
        Latency = "latency", Plain, "fastest first token", "首 Token 最快者优先";
        /// By tokens a second.
        Throughput = "throughput", Plain, "highest throughput first", "输出速度最快者优先";
    }
    /// What a provider's list says of the model that a target names.
    ListStanding {
        /// It is there.
        Listed = "listed", Good, "available", "可用";
        /// It was there.
        Gone = "gone", Bad, "removed", "已下架";
        /// It never was there.
        NotListed = "not_listed", Warn, "not in the list", "不在列表中";
        /// There is no whole list.
        Unknown = "unknown", Plain, "unknown", "未知";
    }
}
