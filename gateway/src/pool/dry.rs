//! What a pool would do with a call: the same looks as for a real one, and no part taken of anything. Draws
//! come from dice of its own, so that real draws stay as they are.

use shared::fault::FaultKind;
use shared::link::Target;
use shared::link::choice::{ChoiceQuery, ChosenKey, KeyRooms, TargetChoice, TargetState};

use super::ask::Size;
use super::choose::KeyQuery;
use super::circuit::Gate;
use super::dice::{Dice, number_of};
use super::health::{Asker, Block};
use super::{Idle, Pools};

impl Pools {
    /// What [`Pools::lease`] would answer for a call of `target` now.
    pub(crate) fn would_lease(&self, target: &Target, query: &ChoiceQuery) -> TargetChoice {
        let all = self.all();
        let Some(provider) = all.get(&target.provider) else {
            return of_state(TargetState::NoProvider);
        };
        let now = self.tools.clock.now();
        let (model, health) = (number_of(target.model.as_str()), &provider.health);
        let dice = Dice::of(now.unix_ms().unsigned_abs());
        let size = Size {
            input: query.input,
            output_max: query.output_max,
        };
        let asked = KeyQuery {
            provider,
            asker: Asker {
                caller: query.caller,
                model: &target.model,
                is_last_resort: false,
                size,
                affinity: None,
            },
            model,
            need: provider.need(model, size),
            tried: &[],
            now,
            dice: &dice,
        };
        let keys = asked.rooms();
        let told = |state| TargetChoice {
            keys,
            ..of_state(state)
        };
        if !provider.enabled {
            return told(TargetState::ProviderOff);
        }
        let waiting = |idle: Idle, down: TargetState| match idle {
            Idle::NoKey => told(TargetState::NoKey),
            Idle::Down => told(down),
            Idle::Full { wait_ms, .. } => TargetChoice {
                wait_ms: Some(wait_ms),
                reason: Some(FaultKind::RateLimited.word().to_owned()),
                ..told(TargetState::KeysRest)
            },
            Idle::Rests { wait_ms, kind } => TargetChoice {
                wait_ms: Some(wait_ms),
                reason: Some(kind.word().to_owned()),
                ..told(TargetState::KeysRest)
            },
        };
        if let Gate::Shut(until) = health.circuits.gate(model, now) {
            let idle = Idle::until(until, FaultKind::Overloaded, now);
            return TargetChoice {
                state: TargetState::CircuitOpen,
                ..waiting(idle, TargetState::HostDown)
            };
        }
        match asked.would_pick() {
            Err(idle) => waiting(idle, TargetState::HostDown),
            Ok(key) => TargetChoice {
                key: Some(ChosenKey {
                    key: key.id.clone(),
                    label: String::new(),
                    last4: key.last4.clone(),
                }),
                ..told(TargetState::Ready)
            },
        }
    }
}

fn of_state(state: TargetState) -> TargetChoice {
    TargetChoice {
        state,
        ..TargetChoice::default()
    }
}

impl KeyQuery<'_> {
    /// The keys by what keeps them from the call.
    fn rooms(&self) -> KeyRooms {
        let mut rooms = KeyRooms::default();
        for key in &self.provider.keys {
            let count = match self.block(key) {
                _ if !key.serves(self.asker.model) => &mut rooms.other_models,
                None => &mut rooms.ready,
                Some(_) if key.health.is_parked(self.now) => &mut rooms.parked,
                Some(Block::Off) => &mut rooms.off,
                Some(Block::Down) => &mut rooms.down,
                Some(Block::Full { .. }) => &mut rooms.full,
                Some(Block::Rests { .. }) => &mut rooms.resting,
            };
            *count += 1;
            rooms.all += 1;
        }
        rooms
    }
}
