//! Noting in an open hold what is to be paid for it, in the transaction that makes an answer readable.
//! Moves no money.

/// The word of a hold that is open, as its column has it.
pub(crate) const HELD: &str = "held";

/// Notes `$call` in the hold `$hold` of `$tenant`, a transaction's part; answers whether it is open still.
/// A macro, as it stands in transactions of either database.
macro_rules! note_due {
    ($conn:expr, $tenant:expr, ($hold:expr, $call:expr)) => {{
        use $crate::schema::ledger_holds as holds;
        let hold = holds::table
            .find($hold.as_str())
            .filter(holds::tenant_id.eq($tenant.as_str()))
            .filter(holds::state.eq($crate::ledger::due::HELD));
        let noted = diesel::update(hold).set(holds::call.eq($call));
        noted.execute($conn).await? > 0
    }};
}
pub(crate) use note_due;
