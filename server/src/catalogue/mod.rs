//! Room: models, their targets and prices, kept in memory and published to every replica.
