//! Makes what crosses the link small: streams of events piece by piece, bodies as a whole.
//! zstd with a dictionary of our own. Opens nothing, sends nothing, and does not decide when it is
//! worth it.
//!
//! A stream is one zstd frame that never ends: every [`Encoder::encode`] closes a block, so that
//! the other side has the whole piece as soon as it has the bytes. The window is small because the
//! last ten events tell all that the next one repeats, and because thousands of streams are open at
//! once. zstd's `dfast` with two hash tables: `fast` with one needed twice the bytes for an event, and
//! `greedy` and `lazy` more time for the same bytes.
//!
//! Measured by `tests::figures` on two busy cores, the C optimised and the Rust not:
//! - An event of 306 bytes with a random word becomes 18.5 bytes, with an English word 17.2; the
//!   first of a stream, which carries ids that nobody can know, 84.
//! - Anthropic's text events of 120 bytes become 18. `OpenAI`'s padding (`obfuscation`) is random and
//!   costs what it must: padded events of chat become 32 bytes, of responses 35.
//! - Encoding takes 1.2 us and decoding 0.3 us while the stream's state is in the cache; with 1,000
//!   streams in turn, when it is not, 2.6 us and 1.0 us. Opening an encoder takes 14 us in memory
//!   that was used before, 36 us in fresh memory; [`Encoder::reset`] spares the difference.
//! - An encoder holds 57 KB. A decoder holds 140 KB, of which 41 KB are touched; the rest is room
//!   for blocks larger than any event.
//! - A body of 4 KB of prose becomes 1.7 KB in 28 us, one of 64 KB becomes 22 KB in 250 us, one of
//!   1 MB becomes 309 KB in 5.6 ms; decompressing takes 16 us, 108 us and 1 ms. Long bodies are
//!   work for a thread that may wait.

use std::sync::OnceLock;

use bytes::Bytes;
use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{
    CCtx, CDict, CParameter, DCtx, DDict, DParameter, InBuffer, OutBuffer, ResetDirective, Strategy,
};

/// First byte of every stream and body: the dictionary and the window the rest was made with. Both
/// ends must have the same. It changes with `dictionary.txt` and with the window, which the other
/// side also depends on, and with nothing else.
pub const VERSION: u8 = 1;

/// Most bytes that one [`Encoder::encode`] takes; a [`Decoder`] whose limit is at least this can
/// read any single piece.
pub const PIECE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What events and bodies look like, in our own words; what is likeliest stands last.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// How far back a stream looks once it is longer than that, as a power of two: 13 events of `OpenAI`.
const WINDOW_LOG: u32 = 12;
/// Entries of each of the two hash tables, as a power of two; more saved nothing.
const TABLE_LOG: u32 = 9;
/// Level of bodies; they are compressed once and cross a slow link.
const BODY_LEVEL: i32 = 3;
/// Output is taken in parts of this size from zstd; an event fits into one.
const PART_BYTES: usize = 2 * 1024;

/// Something can't be made small, or can't be made whole again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The other side has another version of this codec.
    #[error("version {0} of the link's compression is not known here")]
    Version(u8),
    /// These bytes are not what an encoder makes.
    #[error("the compressed bytes are damaged: {0}")]
    Damaged(&'static str),
    /// More bytes than are allowed.
    #[error("more than the {limit} bytes that are allowed")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// An earlier call failed, so nobody knows what the next bytes mean.
    #[error("this stream has failed before")]
    Failed,
    /// zstd refused its settings or got no memory; says which.
    #[error("compression can't be set up: {0}")]
    Setup(&'static str),
}

/// One stream's way onto the wire. A failure ends the stream.
pub struct Encoder {
    context: CCtx<'static>,
    stage: Stage,
}

impl Encoder {
    /// For a new stream.
    pub fn new() -> Result<Self, CodecError> {
        let mut context = CCtx::try_create().ok_or(CodecError::Setup("no memory"))?;
        for parameter in [
            CParameter::WindowLog(WINDOW_LOG),
            CParameter::HashLog(TABLE_LOG),
            CParameter::ChainLog(TABLE_LOG),
            CParameter::MinMatch(5),
            CParameter::Strategy(Strategy::ZSTD_dfast),
            CParameter::ContentSizeFlag(false),
            // TLS and TCP look after damage.
            CParameter::ChecksumFlag(false),
        ] {
            context.set_parameter(parameter).map_err(setup)?;
        }
        let mut encoder = Self {
            context,
            stage: Stage::Failed,
        };
        encoder.reset()?;
        Ok(encoder)
    }

    /// Begins another stream with the memory of this one.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        self.stage = Stage::Failed;
        self.context
            .reset(ResetDirective::SessionOnly)
            .map_err(setup)?;
        // As a prefix it is indexed anew for every stream, for 10 us; a prepared dictionary would
        // bring hash tables of its own size into every stream.
        self.context.ref_prefix(DICTIONARY).map_err(setup)?;
        self.stage = Stage::New;
        Ok(())
    }

    /// Takes a piece and gives bytes from which, after all earlier ones, the whole piece can be had
    /// at once. An empty piece gives no bytes. A piece above [`PIECE_BYTES_MAX`] is refused and
    /// leaves the stream as it was.
    pub fn encode(&mut self, piece: &[u8]) -> Result<Bytes, CodecError> {
        if piece.len() > PIECE_BYTES_MAX {
            return Err(CodecError::TooLarge {
                limit: PIECE_BYTES_MAX,
            });
        }
        if piece.is_empty() {
            return Ok(Bytes::new());
        }
        let mut out = Vec::with_capacity(64);
        if self.stage.step()? {
            out.push(VERSION);
        }
        let mut input = InBuffer::around(piece);
        let mut part = [0; PART_BYTES];
        loop {
            let mut output = OutBuffer::around(&mut part[..]);
            let rest = self
                .context
                .compress_stream2(&mut output, &mut input, ZSTD_EndDirective::ZSTD_e_flush)
                .map_err(damaged)?;
            out.extend_from_slice(output.as_slice());
            if rest == 0 {
                break;
            }
        }
        self.stage = Stage::Running;
        Ok(out.into())
    }

    /// Bytes of memory this stream holds.
    pub fn memory_bytes(&self) -> usize {
        self.context.sizeof()
    }
}

/// One stream's way off the wire. A failure ends the stream.
pub struct Decoder {
    context: DCtx<'static>,
    stage: Stage,
    limit: usize,
}

impl Decoder {
    /// For a new stream of which one [`Self::decode`] yields at most `limit` bytes.
    pub fn new(limit: usize) -> Result<Self, CodecError> {
        let mut context = DCtx::try_create().ok_or(CodecError::Setup("no memory"))?;
        // A stream that asks for a larger window than ours asks for our memory.
        context
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
            .map_err(setup)?;
        let mut decoder = Self {
            context,
            stage: Stage::Failed,
            limit,
        };
        decoder.reset()?;
        Ok(decoder)
    }

    /// Begins another stream with the memory and the limit of this one.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        self.stage = Stage::Failed;
        self.context
            .reset(ResetDirective::SessionOnly)
            .map_err(setup)?;
        self.context.ref_prefix(DICTIONARY).map_err(setup)?;
        self.stage = Stage::New;
        Ok(())
    }

    /// Takes the next bytes of the wire, however they were cut, and gives all that can be told from
    /// them; that may be nothing. Wire bytes can grow a thousandfold: give them as they are read
    /// from the connection, not a whole answer at once, where the limit is to be small.
    pub fn decode(&mut self, wire: &[u8]) -> Result<Bytes, CodecError> {
        let Some((first, after)) = wire.split_first() else {
            return Ok(Bytes::new());
        };
        let wire = match (self.stage.step()?, *first) {
            (true, VERSION) => after,
            (true, other) => return Err(CodecError::Version(other)),
            (false, _) => wire,
        };
        let mut out = Vec::with_capacity(wire.len().saturating_mul(8).min(PART_BYTES));
        let mut input = InBuffer::around(wire);
        let mut part = [0; PART_BYTES];
        loop {
            let before = input.pos();
            let mut output = OutBuffer::around(&mut part[..]);
            let rest = self
                .context
                .decompress_stream(&mut output, &mut input)
                .map_err(damaged)?;
            let made = output.as_slice();
            if out.len() + made.len() > self.limit {
                return Err(CodecError::TooLarge { limit: self.limit });
            }
            out.extend_from_slice(made);
            if rest == 0 {
                return Err(CodecError::Damaged("a stream has no end"));
            }
            let full = made.len() == PART_BYTES;
            if input.pos() == wire.len() && !full {
                break;
            }
            if input.pos() == before && made.is_empty() {
                return Err(CodecError::Damaged("the bytes lead nowhere"));
            }
        }
        self.stage = Stage::Running;
        Ok(out.into())
    }

    /// Bytes of memory this stream holds; small events touch less than a third of it.
    pub fn memory_bytes(&self) -> usize {
        self.context.sizeof()
    }
}

/// Where a stream stands; failed until a call has ended well, so that no error can be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Running,
    Failed,
}

impl Stage {
    /// Begins a call: whether it is the first.
    fn step(&mut self) -> Result<bool, CodecError> {
        match std::mem::replace(self, Self::Failed) {
            Self::New => Ok(true),
            Self::Running => Ok(false),
            Self::Failed => Err(CodecError::Failed),
        }
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encoder({:?})", self.stage)
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({:?}, at most {})", self.stage, self.limit)
    }
}

/// A whole body made small; [`decompress`] makes it whole again.
pub fn compress(body: &[u8]) -> Result<Bytes, CodecError> {
    static PREPARED: OnceLock<Option<CDict<'static>>> = OnceLock::new();
    let dictionary = PREPARED
        .get_or_init(|| CDict::try_create(DICTIONARY, BODY_LEVEL))
        .as_ref()
        .ok_or(CodecError::Setup("no memory"))?;
    let mut context = CCtx::try_create().ok_or(CodecError::Setup("no memory"))?;
    let mut wire = vec![0; 1 + zstd_safe::compress_bound(body.len())];
    wire[0] = VERSION;
    let length = context
        .compress_using_cdict(&mut wire[1..], body, dictionary)
        .map_err(damaged)?;
    wire.truncate(1 + length);
    wire.shrink_to_fit();
    Ok(wire.into())
}

/// The body that [`compress`] was given, if it has at most `limit` bytes.
pub fn decompress(wire: &[u8], limit: usize) -> Result<Bytes, CodecError> {
    static PREPARED: OnceLock<Option<DDict<'static>>> = OnceLock::new();
    let (version, frame) = wire
        .split_first()
        .ok_or(CodecError::Damaged("there is nothing"))?;
    if *version != VERSION {
        return Err(CodecError::Version(*version));
    }
    let length = zstd_safe::get_frame_content_size(frame)
        .ok()
        .flatten()
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(CodecError::Damaged("it does not say its length"))?;
    if length > limit {
        return Err(CodecError::TooLarge { limit });
    }
    // One frame and nothing behind it, or a second frame could bring other bytes.
    if zstd_safe::find_frame_compressed_size(frame).map_err(damaged)? != frame.len() {
        return Err(CodecError::Damaged("it does not end with its frame"));
    }
    let dictionary = PREPARED
        .get_or_init(|| DDict::try_create(DICTIONARY))
        .as_ref()
        .ok_or(CodecError::Setup("no memory"))?;
    let mut context = DCtx::try_create().ok_or(CodecError::Setup("no memory"))?;
    let mut body = Vec::new();
    body.try_reserve_exact(length)
        .map_err(|_| CodecError::Setup("no memory"))?;
    context
        .decompress_using_ddict(&mut body, frame, dictionary)
        .map_err(damaged)?;
    if body.len() != length {
        return Err(CodecError::Damaged("it says a wrong length"));
    }
    Ok(body.into())
}

fn damaged(code: usize) -> CodecError {
    CodecError::Damaged(zstd_safe::get_error_name(code))
}

fn setup(code: usize) -> CodecError {
    CodecError::Setup(zstd_safe::get_error_name(code))
}

#[cfg(test)]
mod tests;
