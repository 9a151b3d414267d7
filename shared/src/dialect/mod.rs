//! Wire formats of providers and tenants, each in one pure place. Sends nothing and knows no money.

pub mod told;
