//! What Google's Vertex AI needs beside HTTP: tokens for the key of a service account.

pub(crate) mod token;
