//! Credits come and go without a call: grants, corrections by operators, expiry.

use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{AdjustmentId, GrantId, TenantId};

use super::{Books, Deltas, EntryKind, minus, plus, spendable};
use crate::ledger::nouns::{Adjusted, Adjustment, Grant, GrantKind, NewGrant};
use crate::ledger::{AdjustError, GrantError};

impl Books {
    /// Gives credits; the same source key gives the same grant.
    pub fn grant(&mut self, new: &NewGrant, now: Moment) -> Result<Grant, GrantError> {
        let source = (new.tenant.clone(), new.source_key.clone());
        if let Some(known) = self.grants_by_source.get(&source) {
            let same = known.granted == new.amount
                && known.expires_at == new.expires_at
                && known.kind == new.kind;
            return if same {
                Ok(known.clone())
            } else {
                Err(GrantError::Conflict)
            };
        }
        let (grant, deltas) = self.add_grant(new, now);
        self.record(&new.tenant, EntryKind::Grant, grant.id.as_str(), deltas);
        self.grants_by_source.insert(source, grant.clone());
        Ok(grant)
    }

    /// Adds a grant; a debt is paid with it first.
    fn add_grant(&mut self, new: &NewGrant, now: Moment) -> (Grant, Deltas) {
        assert!(new.amount > Credits::ZERO, "a grant gives something");
        let account = self.account(&new.tenant);
        let micros = new.amount.micros();
        let paid = micros.min(minus(0, account.totals.debt));
        let grant = Grant {
            id: GrantId::random(),
            kind: new.kind,
            source_key: new.source_key.clone(),
            granted: new.amount,
            remaining: Credits::from_micros(minus(micros, paid)),
            expires_at: new.expires_at,
            note: new.note.clone(),
            created_at: now,
        };
        account.grants.push(grant.clone());
        account.sort();
        let place = (new.tenant.clone(), grant.id.clone());
        self.changes.grants_new.insert(place);
        let deltas = Deltas {
            grants: minus(micros, paid),
            debt: paid,
            issuance: minus(0, micros),
            ..Deltas::default()
        };
        (grant, deltas)
    }

    /// Corrects a balance; the same source key corrects once.
    pub fn adjust(&mut self, wish: &Adjustment, now: Moment) -> Result<Adjusted, AdjustError> {
        let source = (wish.tenant.clone(), wish.source_key.clone());
        if let Some(known) = self.adjusted_by_source.get(&source) {
            let (was, asked) = (&known.adjustment, wish);
            let same = was.amount == asked.amount && was.into_debt == asked.into_debt;
            return if same {
                Ok(known.clone())
            } else {
                Err(AdjustError::Conflict)
            };
        }
        let id = AdjustmentId::random();
        let deltas = if wish.amount > Credits::ZERO {
            let new = NewGrant {
                tenant: wish.tenant.clone(),
                kind: GrantKind::Manual,
                amount: wish.amount,
                // An adjustment's id is its own, so no grant has this key.
                source_key: id.to_string(),
                expires_at: None,
                note: wish.reason.clone(),
            };
            self.add_grant(&new, now).1
        } else {
            self.take_away(wish, now)?
        };
        self.record(&wish.tenant, EntryKind::Adjust, id.as_str(), deltas);
        let adjusted = Adjusted {
            id,
            adjustment: wish.clone(),
            at: now,
        };
        self.changes.adjusted.push(adjusted.clone());
        self.adjusted_by_source.insert(source, adjusted.clone());
        Ok(adjusted)
    }

    fn take_away(&mut self, wish: &Adjustment, now: Moment) -> Result<Deltas, AdjustError> {
        let micros = minus(0, wish.amount.micros());
        let account = self.account(&wish.tenant);
        let available = account.available(now);
        if available < micros && !wish.into_debt {
            return Err(AdjustError::Insufficient {
                available: Credits::from_micros(available),
            });
        }
        let taken = micros.min(available);
        for part in account.take(taken, now) {
            self.grant_changed(&wish.tenant, &part.grant);
        }
        Ok(Deltas {
            grants: minus(0, taken),
            refund: micros,
            debt: minus(taken, micros),
            ..Deltas::default()
        })
    }

    /// Lets what remains of expired grants lapse; answers how much.
    pub fn expire(&mut self, tenant: &TenantId, now: Moment) -> Credits {
        let mut sum = 0;
        let expired: Vec<(GrantId, i64)> = self
            .account(tenant)
            .grants
            .iter_mut()
            .filter(|grant| !spendable(grant, now) && grant.remaining > Credits::ZERO)
            .map(|grant| {
                let micros = std::mem::take(&mut grant.remaining).micros();
                (grant.id.clone(), micros)
            })
            .collect();
        for (grant, micros) in expired {
            sum = plus(sum, micros);
            self.grant_changed(tenant, &grant);
            let deltas = Deltas {
                grants: minus(0, micros),
                breakage: micros,
                ..Deltas::default()
            };
            self.record(tenant, EntryKind::Expire, grant.as_str(), deltas);
        }
        Credits::from_micros(sum)
    }
}
