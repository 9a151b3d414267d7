//! Models with their places, and what usage of them costs.

pub mod model;
pub mod price;
pub mod price_list;
pub mod typical;
