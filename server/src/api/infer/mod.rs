//! Inference endpoints: parse little, forward bytes.
