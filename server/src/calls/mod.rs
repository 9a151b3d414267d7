//! Room: one inference call from principal to settlement, in named steps.
