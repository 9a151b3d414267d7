//! The console's own pages: what superadmins see and do there, journey by journey.

mod gateways;
mod models;
mod tenants;
mod watching;
