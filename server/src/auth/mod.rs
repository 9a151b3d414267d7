//! Authenticates a request: credentials to principal, with a cache that forgets within a second.
