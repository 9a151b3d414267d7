//! Models with their places, and what usage of them costs.

pub mod facts;
pub mod listed;
pub mod model;
pub mod price;
pub mod price_list;
pub mod retirement;
pub mod typical;
