//! What people do to a balance, each with its audit entry: give credits, correct, set budgets, and resolve
//! calls whose end nobody knows. The ledger decides and writes.

pub mod corrections;
pub mod recharge;
pub mod unknown;
