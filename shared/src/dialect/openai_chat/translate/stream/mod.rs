//! Streams of chunks, both ways.

mod reader;
mod writer;

pub(super) use self::reader::ChunkReader;
pub(super) use self::writer::ChunkWriter;

#[cfg(test)]
pub(super) use self::tests::owned;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod write_tests;
