//! Words about providers: what they speak, where they run, what they are told otherwise.
//! A format that a newer gateway has stands for itself; see `Page::dialects`.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// A format in which a provider is asked.
    DialectName {
        /// OpenAI's Chat Completions.
        OpenAiChat = "openai_chat", Plain, "Chat", "对话";
        /// OpenAI's Responses.
        OpenAiResponses = "openai_responses", Plain, "Responses", "Responses 接口";
        /// Anthropic's Messages.
        AnthropicMessages = "anthropic_messages", Plain, "Messages", "Messages 接口";
        /// Google's.
        Gemini = "gemini", Plain, "Gemini", "Gemini 接口";
        /// Cohere's.
        CohereChat = "cohere_chat", Plain, "Cohere chat", "Cohere 对话";
        /// Amazon's.
        BedrockConverse = "bedrock_converse", Plain, "Bedrock Converse", "Bedrock 对话";
        /// Vectors.
        OpenAiEmbeddings = "openai_embeddings", Plain, "Embeddings", "向量";
        /// Google's vectors.
        GeminiEmbeddings = "gemini_embeddings", Plain, "Gemini embeddings", "Gemini 向量";
        /// Cohere's vectors.
        CohereEmbeddings = "cohere_embeddings", Plain, "Cohere embeddings", "Cohere 向量";
        /// Jina's vectors.
        JinaEmbeddings = "jina_embeddings", Plain, "Jina embeddings", "Jina 向量";
        /// Voyage's vectors.
        VoyageEmbeddings = "voyage_embeddings", Plain, "Voyage embeddings", "Voyage 向量";
        /// DashScope's vectors.
        DashScopeEmbeddings = "dashscope_embeddings", Plain, "DashScope embeddings", "DashScope 向量";
        /// Rankings as Jina makes them, and most others.
        JinaRerank = "jina_rerank", Plain, "Ranking", "重排序";
        /// Cohere's rankings.
        CohereRerank = "cohere_rerank", Plain, "Cohere ranking", "Cohere 重排序";
        /// Voyage's rankings.
        VoyageRerank = "voyage_rerank", Plain, "Voyage ranking", "Voyage 重排序";
        /// DashScope's rankings.
        DashScopeRerank = "dashscope_rerank", Plain, "DashScope ranking", "DashScope 重排序";
        /// Pictures.
        OpenAiImages = "openai_images", Plain, "Images", "图像";
        /// Volcengine Ark's pictures.
        ArkImages = "ark_images", Plain, "Ark images", "方舟图像";
        /// Aliyun's pictures.
        DashScopeImages = "dashscope_images", Plain, "DashScope images", "百炼图像";
        /// Ideogram's pictures.
        IdeogramImages = "ideogram_images", Plain, "Ideogram images", "Ideogram 图像";
        /// MiniMax's pictures.
        MiniMaxImages = "minimax_images", Plain, "MiniMax images", "MiniMax 图像";
        /// Recraft's pictures.
        RecraftImages = "recraft_images", Plain, "Recraft images", "Recraft 图像";
        /// Stability's pictures.
        StabilityImages = "stability_images", Plain, "Stability images", "Stability 图像";
        /// xAI's pictures.
        XaiImages = "xai_images", Plain, "xAI images", "xAI 图像";
        /// Continuations.
        OpenAiCompletions = "openai_completions", Plain, "Completions", "补全";
        /// Verdicts.
        OpenAiModerations = "openai_moderations", Plain, "Moderations", "审核";
    }
    /// Where a vendor runs.
    VendorPlace {
        /// At the vendor's.
        Hosted = "hosted", Plain, "Hosted", "云端";
        /// On the gateway's own machine.
        Here = "here", Plain, "On this machine", "本机";
        /// Wherever the operator says.
        Other = "other", Plain, "Other", "其他";
    }
    /// What came of one of many keys, or would.
    KeyLineState {
        /// It would be added.
        New = "good", Good, "new", "新增";
        /// It was added.
        Added = "added", Good, "added", "已添加";
        /// The pool has it.
        Known = "known", Plain, "already there", "已存在";
        /// A line before has it.
        Repeated = "repeated", Plain, "repeated", "重复";
        /// It breaks a rule.
        Wrong = "wrong", Bad, "not added", "未添加";
    }
    /// The only field in which a provider takes the limit of output tokens.
    LimitField {
        /// The older one.
        MaxTokens = "max_tokens", Plain, "max_tokens", "max_tokens";
        /// The one of reasoning models.
        MaxCompletionTokens = "max_completion_tokens", Plain, "max_completion_tokens", "max_completion_tokens";
    }
}
