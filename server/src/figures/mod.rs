//! Room: the figures behind the pages: dashboards, a tenant's overview, logs, one call's whole story,
//! exports. `rollup` keeps the sums they stand on; `store` holds the statements. Only reads, but for
//! the sums; speaks no HTTP and writes no page.

pub mod buckets;
pub mod rollup;
pub mod span;
pub mod sums;
