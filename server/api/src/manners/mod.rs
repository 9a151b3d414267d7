//! What the HTTP face forgives and tells before a route is chosen: addresses as clients write them,
//! bodies as they send them, browsers of other places, which methods a path knows. Holds no route.

pub mod address;
pub mod body;
pub mod cors;
pub mod methods;
pub mod plain;
