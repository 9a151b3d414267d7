//! Where a call may go: what requests, keys, tenants and models say of providers, and what providers say of
//! the data they get. Pure; `choose` puts a model's targets in order.

mod choose;
mod rule;
mod terms;

pub use self::choose::{NoTarget, TargetPace, choose};
pub use self::rule::{MODELS_MAX, MaxPrice, NAME_CHARS_MAX, NAMES_MAX, RouteRule, RouteSort};
pub use self::terms::{DataDemand, DataTerms, Retention, Training};
