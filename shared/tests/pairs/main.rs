//! Every dialect of a tenant with every dialect of a provider: what becomes of recorded requests, answers and
//! streams, and what there and back keeps. The snapshots are what a provider or a tenant is sent.

mod fold;
mod laws;
mod pretty;
mod recorded;
mod requests;
mod streams;

use shared::dialect::neutral::Translator;
use shared::dialect::{self, Dialect};

/// Dialects of surfaces.
const TENANTS: [&str; 4] = [
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
];

/// Dialects of providers, each with a model that one of them has.
const PROVIDERS: [(&str, &str); 6] = [
    ("openai_chat", "gpt-5.6"),
    ("openai_responses", "gpt-5.6"),
    ("anthropic_messages", "claude-opus-4-6"),
    ("gemini", "gemini-3.8-flash"),
    ("bedrock_converse", "us.anthropic.claude-opus-4-6-v1"),
    ("cohere_chat", "command-a-reasoning-08-2025"),
];

fn room(name: &str) -> &'static dyn Dialect {
    dialect::named(name).unwrap_or_else(|| panic!("there is no dialect `{name}`"))
}

fn translator(name: &str) -> &'static dyn Translator {
    let found = room(name).translator();
    found.unwrap_or_else(|| panic!("`{name}` is not translated"))
}

/// Compares with the file of that name, or writes it.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true
    }, {
        insta::assert_snapshot!(name, text);
    });
}
