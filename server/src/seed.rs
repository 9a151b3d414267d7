//! The first start: a superadmin, and for newcomers a demo tenant with credits, keys and sandbox
//! models. Runs until it has finished once; the superadmin comes last and marks the end.

use shared::credits::Credits;
use shared::link::Operation;
use shared::secret::Secret;

/// What the demo tenant begins with.
const DEMO_CREDITS: Credits = Credits::from_micros(1_000_000_000);
/// The demo tenant's name.
const DEMO_TENANT: &str = "demo";
/// Characters of a generated password: 103 bits.
const PASSWORD_CHARS: usize = 20;
