//! What calls add up to: the counts that have columns, and sums by hour, day and dimension.

pub mod buckets;
pub mod costs;
pub mod counts;
pub mod sums;
