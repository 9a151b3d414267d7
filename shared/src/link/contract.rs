//! The suite that every `Link` must pass. Starts nothing: it is handed a link whose gateway has
//! the sandbox provider.
