//! What the facts of a model must look like before they are stored, and what may follow a model's end. Pure;
//! names the field and the rule.

use server_rules::catalogue::facts::ModelFacts;
use server_rules::catalogue::model::Model;
use server_rules::catalogue::retirement::{BadSuccessor, CHAIN_MAX, Retirement, chain};
use shared::link::Operation;

use super::{Checked, OUTPUT_TOKENS_MAX, rule};

/// Ten times the largest window of 2026.
pub const CONTEXT_TOKENS_MAX: u64 = 100_000_000;
/// A sentence or two.
pub const DESCRIPTION_CHARS_MAX: usize = 500;
/// A company's name.
pub const OWNER_CHARS_MAX: usize = 80;

fn is_line(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max && !text.chars().any(char::is_control)
}

/// What is told of a model, its end apart.
pub(in crate::catalogue) fn facts(facts: &ModelFacts) -> Checked {
    const { assert!(OUTPUT_TOKENS_MAX <= CONTEXT_TOKENS_MAX) };
    let holds = facts
        .context_tokens
        .is_none_or(|tokens| (1..=CONTEXT_TOKENS_MAX).contains(&tokens));
    rule(
        holds,
        "context_tokens",
        format!("a number from 1 to {CONTEXT_TOKENS_MAX}"),
    )?;
    rule(
        is_line(&facts.description, DESCRIPTION_CHARS_MAX),
        "description",
        format!("at most {DESCRIPTION_CHARS_MAX} characters on one line"),
    )?;
    rule(
        is_line(&facts.owner, OWNER_CHARS_MAX),
        "owner",
        format!("at most {OWNER_CHARS_MAX} characters on one line"),
    )
}

/// The end of a model, whose successors `find` knows.
pub(in crate::catalogue) fn retirement(
    (model, operation): (&str, Operation),
    retirement: &Retirement,
    find: impl Fn(&str) -> Option<std::sync::Arc<Model>>,
) -> Checked {
    rule(
        !retirement.redirect || retirement.successor.is_some(),
        "redirect",
        "false where there is no successor",
    )?;
    let Some(successor) = &retirement.successor else {
        return Ok(());
    };
    let found = find(successor);
    // Its own name is told as a circle below, also where the model is not there yet.
    let is_itself = successor == model;
    let holds = is_itself || found.is_some_and(|found| found.operation == operation);
    rule(
        holds,
        "successor",
        "the name of a model for the same operation",
    )?;
    let next = |id: &str| find(id)?.successor().map(str::to_owned);
    match chain(model, successor, next) {
        Ok(()) => Ok(()),
        Err(BadSuccessor::Circle) => rule(
            false,
            "successor",
            "a model whose own successors don't lead back here",
        ),
        Err(BadSuccessor::TooMany) => rule(
            false,
            "successor",
            format!("a model with fewer than {CHAIN_MAX} successors in a row"),
        ),
    }
}
