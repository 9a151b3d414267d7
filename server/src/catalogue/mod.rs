//! Room: models, their targets and prices, kept in memory and published to every replica.
//! Holds no SQL; `price` and `model` are its pure parts.

pub mod model;
pub mod price;

pub use self::model::Model;
