//! What each dialect can say of a request, beside what all can: texts, pictures in base64, tools with their
//! calls and results, a schema, a maximum. Where one can't say it, the other need not keep it.

/// One row for each dialect, by the model that the law writes for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a table, and nothing follows from two of its columns"
)]
pub(super) struct Says {
    pub(super) dialect: &'static str,
    pub(super) model: &'static str,
    /// A picture at an address.
    pub(super) addresses: bool,
    /// A file of pages.
    pub(super) files: bool,
    /// Texts at which the answer ends.
    pub(super) stop: bool,
    pub(super) top_k: bool,
    /// The share of candidates, where temperature is said too.
    pub(super) top_p: bool,
    /// Seeds and penalties.
    pub(super) seed: bool,
    /// JSON by no schema.
    pub(super) any_json: bool,
    /// That the model decides whether it calls; where it can't be said, it is so.
    pub(super) auto: bool,
    /// That no tool may be called.
    pub(super) none: bool,
    /// That one tool must be called. Cohere gives the one alone, which is read as that some one must.
    pub(super) one_tool: bool,
    pub(super) parallel: bool,
    /// How much is thought, in words.
    pub(super) effort: bool,
    /// The caller's name of its user.
    pub(super) user: bool,
    /// The tier `flex`.
    pub(super) tier: bool,
    /// That a tool failed; others say it in the text.
    pub(super) failure: bool,
    /// Marks for caches, and thoughts with Anthropic's proofs.
    pub(super) anthropic: bool,
}

/// All that a dialect may be able to say.
const ALL: Says = Says {
    dialect: "",
    model: "",
    addresses: true,
    files: true,
    stop: true,
    top_k: true,
    top_p: true,
    seed: true,
    any_json: true,
    auto: true,
    none: true,
    one_tool: true,
    parallel: true,
    effort: true,
    user: true,
    tier: true,
    failure: true,
    anthropic: true,
};

pub(super) const TABLE: [Says; 6] = [
    Says {
        dialect: "openai_chat",
        model: "m",
        failure: false,
        anthropic: false,
        ..ALL
    },
    Says {
        dialect: "openai_responses",
        model: "gpt-5.6",
        stop: false,
        top_k: false,
        seed: false,
        failure: false,
        anthropic: false,
        ..ALL
    },
    Says {
        dialect: "anthropic_messages",
        model: "claude-opus-4-6",
        top_p: false,
        seed: false,
        any_json: false,
        tier: false,
        ..ALL
    },
    Says {
        dialect: "gemini",
        model: "gemini-3.8-flash",
        parallel: false,
        user: false,
        anthropic: false,
        ..ALL
    },
    Says {
        dialect: "bedrock_converse",
        model: "us.anthropic.claude-opus-4-6-v1",
        addresses: false,
        top_p: false,
        seed: false,
        any_json: false,
        none: false,
        parallel: false,
        ..ALL
    },
    Says {
        dialect: "cohere_chat",
        model: "command-a-reasoning-08-2025",
        files: false,
        auto: false,
        one_tool: false,
        parallel: false,
        effort: false,
        user: false,
        tier: false,
        failure: false,
        anthropic: false,
        ..ALL
    },
];

impl Says {
    /// What both can say.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            dialect: "both",
            model: "",
            addresses: self.addresses && other.addresses,
            files: self.files && other.files,
            stop: self.stop && other.stop,
            top_k: self.top_k && other.top_k,
            top_p: self.top_p && other.top_p,
            seed: self.seed && other.seed,
            any_json: self.any_json && other.any_json,
            auto: self.auto && other.auto,
            none: self.none && other.none,
            one_tool: self.one_tool && other.one_tool,
            parallel: self.parallel && other.parallel,
            effort: self.effort && other.effort,
            user: self.user && other.user,
            tier: self.tier && other.tier,
            failure: self.failure && other.failure,
            anthropic: self.anthropic && other.anthropic,
        }
    }
}
