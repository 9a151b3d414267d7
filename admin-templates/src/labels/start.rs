//! The words of the list of what a new platform needs.

use super::labels;
use super::{Label, Tone, Word};
use crate::fixtures::maker::{Maker, Sample};
use crate::page::Lang;

labels! {
    /// What a new platform needs, in the order in which it is done.
    StartStep {
        /// Whom calls go to.
        Provider = "provider", Plain, "Add a provider and its key", "添加供应商及其密钥";
        /// What tenants call.
        Model = "model", Plain, "Add a model that uses it", "添加使用该供应商的模型";
        /// What it costs them.
        Price = "price", Plain, "Set the model's price", "设置模型价格";
        /// Who calls.
        Tenant = "tenant", Plain, "Create a tenant and give it credits", "创建租户并充值";
        /// That it works.
        Call = "call", Plain, "Make a first charged call", "完成首次计费调用";
    }
    /// How far one of them is.
    StartState {
        /// It is there.
        Done = "done", Good, "Done", "已完成";
        /// It is there for trying out: of the sandbox, or of the demo tenant.
        Demo = "demo", Info, "Demo only", "仅演示";
        /// It is missing.
        Open = "open", Plain, "To do", "待办";
    }
}

labels! {
    /// A client that people have on their desk.
    ClientName {
        /// Anthropic's, in a terminal.
        ClaudeCode = "claude-code", Plain, "Claude Code", "Claude Code";
        /// A desktop client.
        CherryStudio = "cherry-studio", Plain, "Cherry Studio", "Cherry Studio";
        /// A desktop client.
        Chatbox = "chatbox", Plain, "Chatbox", "Chatbox";
        /// An editor.
        Cursor = "cursor", Plain, "Cursor", "Cursor";
        /// An extension of editors.
        Continue = "continue", Plain, "Continue", "Continue";
        /// A page of one's own.
        OpenWebUi = "open-webui", Plain, "Open WebUI", "Open WebUI";
    }
}
