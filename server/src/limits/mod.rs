//! Room: requests, tokens and concurrency per key and tenant.
