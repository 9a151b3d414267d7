//! What is decided without waiting: prices and bills, the books of the ledger, sums of usage, who may do
//! what. Pure: asks no database, no clock and no network, so that statements and rooms may stand on it.

mod words;

pub mod access;
pub mod alerts;
pub mod billing;
pub mod catalogue;
pub mod ledger;
pub mod limits;
pub mod routing;
pub mod usage;
