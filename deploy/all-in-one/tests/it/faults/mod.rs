//! Whose fault it is: a provider that refuses in every form, and what that may cost nobody. The fake is
//! a table: what a request shows decides what comes back.

mod answers;
pub(crate) mod fake;
mod keys;
mod probes;
mod words;
