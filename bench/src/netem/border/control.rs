//! What may be done to a border that stands: other losses, cuts, and counting what passed.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tun_rs::SyncDevice;

use super::super::conditions::Loss;
use super::super::mover::{Counts, Shared, lock, write};
use super::super::packet::Direction;
use super::Cut;
use crate::failure::{Failure, Outcome, Step};

/// Makes the line better or worse. Clones control the same line.
#[derive(Clone)]
pub(crate) struct Control {
    pub(super) shared: Arc<Mutex<Shared>>,
    pub(super) home: Arc<SyncDevice>,
    pub(super) overseas: Arc<SyncDevice>,
}

impl Control {
    /// From now on, in both directions.
    pub(crate) fn set_loss(&self, loss: Loss) {
        lock(&self.shared).loss = loss;
    }

    /// Cuts now; gives how many connections were hit, or `None` where all are.
    pub(crate) fn cut(&self, cut: Cut) -> Outcome<Option<usize>> {
        let mut shared = lock(&self.shared);
        match cut {
            Cut::BlackHole(length) => {
                shared.hole_until = Some(Instant::now() + length);
                Ok(None)
            }
            Cut::SilentFlow => Ok(Some(shared.flows.silence_busiest().into_iter().count())),
            Cut::Reset => {
                let resets = shared.flows.reset_all();
                drop(shared);
                for (way, reset) in &resets {
                    let device = match way {
                        Direction::Out => &self.home,
                        Direction::Back => &self.overseas,
                    };
                    write(device, &reset.packet()).step(|| "a forged reset".into())?;
                }
                Ok(Some(resets.len() / 2))
            }
        }
    }

    /// Ends a black hole before its time. Cut connections stay cut.
    pub(crate) fn restore(&self) {
        lock(&self.shared).hole_until = None;
    }

    /// What went out and what came back so far.
    pub(crate) fn counts(&self) -> (Counts, Counts) {
        let shared = lock(&self.shared);
        (shared.out, shared.back)
    }

    /// An error when a direction has stopped working.
    pub(crate) fn check(&self) -> Outcome<()> {
        match &lock(&self.shared).broken {
            None => Ok(()),
            Some(reason) => Err(Failure::new(format!("the border broke: {reason}"))),
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
