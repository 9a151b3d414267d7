//! Wire formats of providers and tenants, each in one pure place. Sends nothing and knows no money.

mod counts;
mod event;
pub mod fields;
mod fold;
pub mod images;
pub mod input;
pub mod meter;
mod scan;
pub mod told;
mod walk;
mod weight;
pub mod whole;
