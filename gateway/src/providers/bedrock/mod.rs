//! What Amazon Bedrock's transport needs beside HTTP: signatures of requests and frames of streams. The
//! format of its requests and answers is `shared::dialect::bedrock_converse`.

pub(crate) mod frames;
pub(crate) mod sigv4;
