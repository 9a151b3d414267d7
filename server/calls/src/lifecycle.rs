//! What the planned end of a model does to a call: which model takes it afterwards, and what its answer says
//! of the end until then.

use std::sync::Arc;

use server_rooms::auth::Principal;
use server_rooms::catalogue::Model;
use server_rules::catalogue::retirement::RetirementWords;

use super::{CallError, Calls};

/// What an answer says of its model's end.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Of the model that served, where an end is planned.
    pub words: Option<Arc<RetirementWords>>,
    /// Whether the caller may hear what follows it.
    pub shows_successor: bool,
    /// Where another model served than was asked for.
    pub redirected: Option<RedirectedModel>,
}

/// A model whose end is over and that another one serves for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectedModel {
    /// What was asked for.
    pub from: String,
    /// What served.
    pub to: String,
}

impl std::fmt::Display for RedirectedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

/// Whether a caller sees and may call a model.
pub(super) fn allowed(principal: &Principal, model: &Model) -> bool {
    model.enabled && principal.may_use(&model.id)
}

impl Calls {
    /// The model that takes calls for `model`: itself until its end is over, and then what follows it where
    /// calls are sent on. Nobody is sent to a model that the caller may not use, nor told of it.
    pub(super) fn serving(
        &self,
        principal: &Principal,
        model: Arc<Model>,
    ) -> Result<Arc<Model>, CallError> {
        let now = self.clock.now();
        if !model.is_retired(now) {
            return Ok(model);
        }
        let may = |next: &Model| allowed(principal, next);
        if let Some(next) = self.catalogue.following(&model, (now, true), may) {
            return Ok(next);
        }
        let next = self.catalogue.following(&model, (now, false), may);
        let end = model.facts.retirement.as_ref();
        Err(CallError::ModelRetired {
            model: model.id.clone(),
            at: end.map_or(now, |end| end.at),
            successor: next.map(|next| next.id.clone()),
        })
    }

    /// What is to be said of `model`, which serves a call for a model called `name`.
    pub(super) fn lifecycle(&self, principal: &Principal, name: &str, model: &Model) -> Lifecycle {
        let is_other = !name.is_empty() && *name != *model.id;
        let meant = is_other.then(|| self.catalogue.meant(name)).flatten();
        let redirected = meant
            .filter(|meant| {
                let is_sent_on = || {
                    let serving = self.serving(principal, meant.clone());
                    serving.is_ok_and(|serving| serving.id == model.id)
                };
                meant.id != model.id && allowed(principal, meant) && is_sent_on()
            })
            .map(|meant| RedirectedModel {
                from: meant.id.clone(),
                to: model.id.clone(),
            });
        let successor = model.successor().and_then(|id| self.catalogue.model(id));
        Lifecycle {
            words: model.retirement_words.clone(),
            shows_successor: successor.is_some_and(|next| allowed(principal, &next)),
            redirected,
        }
    }
}
