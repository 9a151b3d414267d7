//! `Failure`: the one sentence a person reads when a step did not work. Leaves printing to `main`.

use std::fmt;

pub(crate) type Outcome<T> = Result<T, Failure>;

/// Says which step failed and what came back.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Puts the step in front of the cause.
pub(crate) trait Step<T> {
    fn step(self, step: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> Step<T> for Result<T, E> {
    fn step(self, step: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|cause| Failure::new(format!("{}: {cause}", step())))
    }
}
