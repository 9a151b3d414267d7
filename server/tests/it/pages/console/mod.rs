//! The console's own pages: what superadmins see and do there, journey by journey.

mod alerts;
mod gateways;
mod models;
mod price_import;
mod providers;
mod tenants;
mod unknown;
mod watching;

/// What a reader sees of a page: its text without tags.
pub(super) fn text(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut inside = false;
    for letter in body.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    text
}
