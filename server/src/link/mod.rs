//! Chooses the link: gateways over HTTP, or the one handed in.
