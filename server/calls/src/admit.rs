//! The step before a body is read: whether the caller may call, and has a request and a slot left.
//! Tokens are counted when the body says how many they may be.

use std::sync::Arc;

use server_rooms::auth::Principal;
use server_rooms::end_users::EndUser;
use server_rooms::limits::{Admission, Admit};
use server_store::accounts::Scope;
use shared::dialect::Asked;
use shared::id::GenerationId;

use super::{CallError, Calls, Request};

/// A call whose caller may make it, before anything is known of what they want. Dropping it frees
/// its slot.
#[derive(Debug)]
pub struct Admitted {
    pub(super) generation: GenerationId,
    pub(super) admission: Admission,
}

impl Calls {
    /// Lets a call in, or refuses it before its body is read.
    pub async fn admit(&self, principal: &Principal) -> Result<Admitted, CallError> {
        let admitted = self.admit_steps(principal).await;
        if let Err(error) = &admitted {
            self.settler.metrics().refused(error);
        }
        admitted
    }

    async fn admit_steps(&self, principal: &Principal) -> Result<Admitted, CallError> {
        if !principal.scopes.has(Scope::Inference) {
            return Err(CallError::ScopeMissing);
        }
        let generation = GenerationId::random();
        let call = Admit {
            principal,
            generation: &generation,
            tokens: 0,
        };
        let admission = self.limits.admit(call).await;
        Ok(Admitted {
            admission: admission.map_err(|exceeded| CallError::Limited(Box::new(exceeded)))?,
            generation,
        })
    }

    /// Whose question it is, unless they may not ask.
    pub(super) fn may_ask(
        &self,
        request: &Request,
        asked: &Asked,
    ) -> Result<Arc<EndUser>, CallError> {
        let word = request.end_user.as_deref().or(asked.end_user.as_deref());
        let who = self.end_users.end_user(&request.principal, word);
        match self.end_users.suspension(&who.identity) {
            Some(until) => Err(CallError::EndUserSuspended { until }),
            None => Ok(who),
        }
    }
}
