//! A review as its page shows it: row by row, with what was ticked and what was wrong with it. Pure.

use admin_templates::admin::price_import::{ChangeLine, ImportProblem, ImportRow, PriceReviewPage};
use admin_templates::form::Form;
use admin_templates::labels::{ImportState, Label as _, ListFaultWord, PriceItem};
use admin_templates::page::Lang;
use server_rooms::catalogue::price_import::{ReviewRow, ReviewedList, RowRefusal, RowState};
use server_rooms::catalogue::price_list::ListProblem;
use server_rooms::catalogue::price_list::compare::PriceChange;
use shared::credits::Credits;
use shared::units::Unit;

use super::super::super::bills;
use super::super::{length, word};

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) form: Form,
    /// Models that were ticked; absent before anything was sent.
    pub(super) taken: Option<Vec<String>>,
    pub(super) confirmed: Vec<String>,
    pub(super) refused: Vec<(String, RowRefusal)>,
}

/// What is said where a box was not ticked.
pub(super) fn unconfirmed(lang: Lang) -> String {
    ImportState::Unconfirmed.text(lang).to_owned()
}

fn names(units: &[Unit], lang: Lang) -> String {
    let name = |unit: &Unit| PriceItem::from(*unit).text(lang);
    units.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn line(change: &PriceChange) -> ChangeLine {
    let parts = [bills::per(change.unit, change.per), change.when.clone()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    ChangeLine {
        item: change.unit.into(),
        detail: parts.join(" "),
        old: change.old,
        new: change.new,
        old_cost: change.old_cost,
        new_cost: change.new_cost,
    }
}

fn state(state: &RowState) -> ImportState {
    word(state.word(), ImportState::Refused)
}

fn problem(why: &RowRefusal, lang: Lang) -> String {
    match why {
        RowRefusal::Unconfirmed => unconfirmed(lang),
        RowRefusal::State(now) => state(now).text(lang).to_owned(),
        RowRefusal::NoSuchRow | RowRefusal::Twice => ImportState::Refused.text(lang).to_owned(),
    }
}

fn row(row: &ReviewRow, sent: &Sent, lang: Lang) -> ImportRow {
    let reason = match &row.state {
        RowState::Missing(units) => names(units, lang),
        RowState::Refused(rule) => rule.clone(),
        RowState::Ready
        | RowState::Unchanged
        | RowState::Pinned
        | RowState::Changed
        | RowState::Gone => String::new(),
    };
    let ready = row.state == RowState::Ready;
    // What must be looked at twice is never ticked beforehand.
    let taken = sent.taken.as_ref().map_or_else(
        || ready && !row.changes.needs_confirmation() && !row.changes.is_below_cost,
        |taken| taken.contains(&row.model),
    );
    let refused = sent.refused.iter().find(|(model, _)| *model == row.model);
    ImportRow {
        model: row.model.clone(),
        listed: row.listed.clone(),
        state: state(&row.state),
        ready,
        reason,
        lines: row.changes.lines.iter().map(line).collect(),
        zero: row.changes.becomes_zero,
        large: row.changes.is_large,
        below_cost: row.changes.is_below_cost,
        rounded: !row.rounded.is_empty(),
        kept: names(&row.kept, lang),
        left_out: names(&row.left_out, lang),
        unread: row.unread.join(", "),
        taken,
        confirmed: sent.confirmed.contains(&row.model),
        problem: refused.map_or_else(String::new, |(_, why)| problem(why, lang)),
    }
}

/// The page of a review.
pub(super) fn view(of: ReviewedList, sent: &Sent, lang: Lang) -> PriceReviewPage {
    let currency = &of.terms.currency;
    let problem = |one: ListProblem| ImportProblem {
        model: one.model,
        field: one.field,
        fault: word(one.fault.word(), ListFaultWord::BadPrice),
    };
    PriceReviewPage {
        id: of.review.id.to_string(),
        file: of.review.file_name,
        hash: of.review.file_hash,
        author: of.review.author,
        created_at: of.review.created_at,
        expires_at: of.review.expires_at,
        applied: of.review.applied.is_some(),
        factor: Credits::from_micros(of.terms.factor_ppm).to_string(),
        currency: format!(
            "1 {} = {} ({})",
            currency.code, currency.credits, currency.as_of
        ),
        form: sent.form.clone(),
        rows: of.rows.iter().map(|one| row(one, sent, lang)).collect(),
        effect: None,
        without: of.without,
        unmatched: of.unmatched,
        unmatched_count: length(of.unmatched_count),
        problems: of.problems.into_iter().map(problem).collect(),
        problem_count: length(of.problem_count),
    }
}
