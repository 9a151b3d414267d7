//! A request's body as it is meant: its `Content-Encoding` undone within a bound, without the mark
//! that some editors put before UTF-8.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use server_edge::doors::body::Gathering;
use server_edge::doors::body::budget::BodyBudget;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use crate::error::ApiError;

/// Encodings that may lie in each other; more than one is already odd.
const LAYERS_MAX: usize = 2;
/// Bytes made between two looks at what else there is to do: a core makes them in about a
/// millisecond.
const STEP_BYTES: usize = 256 * 1024;
/// 8 MiB, what every reader must be ready for (RFC 8878, 3.1.1.1.2); a larger window asks for our memory.
const ZSTD_WINDOW_LOG: u32 = 23;
/// U+FEFF in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// An encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Zstd,
}

/// The encodings of a body in the order in which they were put on.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, ApiError> {
    let mut found = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let names = value.to_str().map_err(|_| ApiError::unknown_encoding())?;
        for name in names
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase())
        {
            match name.as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => found.push(Coding::Gzip),
                "deflate" => found.push(Coding::Deflate),
                "zstd" => found.push(Coding::Zstd),
                _ => return Err(ApiError::unknown_encoding()),
            }
            if found.len() > LAYERS_MAX {
                return Err(ApiError::unknown_encoding());
            }
        }
    }
    Ok(found)
}

/// The body as it was before it was encoded, at most `bytes_max` long, and the headers as they are
/// for it. What is not encoded is not copied.
pub async fn plain(
    headers: &mut HeaderMap,
    body: Bytes,
    bytes_max: usize,
    budget: &BodyBudget,
) -> Result<Bytes, ApiError> {
    let mut body = body;
    if headers.contains_key(CONTENT_ENCODING) {
        for coding in codings(headers)?.into_iter().rev() {
            body = undone(coding, body, (bytes_max, budget)).await?;
        }
        headers.remove(CONTENT_ENCODING);
    }
    if body.starts_with(BOM) {
        body.advance(BOM.len());
    }
    Ok(body)
}

/// Takes a body for JSON where its type is not said, or said as before RFC 4627.
pub fn call_it_json(headers: &mut HeaderMap) {
    let is_json = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        let name = text.split(';').next().unwrap_or_default().trim();
        name.is_empty() || name.eq_ignore_ascii_case("text/json")
    };
    if headers.get(CONTENT_TYPE).is_none_or(is_json) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

async fn undone(
    coding: Coding,
    body: Bytes,
    bounds: (usize, &BodyBudget),
) -> Result<Bytes, ApiError> {
    if body.is_empty() {
        return Ok(body);
    }
    match coding {
        Coding::Gzip => read(MultiGzDecoder::new(body.reader()), bounds).await,
        // Meant is zlib (RFC 9110, 8.4.1.2); some clients send what is inside it alone.
        Coding::Deflate if is_zlib(&body) => read(ZlibDecoder::new(body.reader()), bounds).await,
        Coding::Deflate => read(DeflateDecoder::new(body.reader()), bounds).await,
        Coding::Zstd => {
            let zstd = Zstd::new(body).map_err(|_| ApiError::internal())?;
            read(zstd, bounds).await
        }
    }
}

/// Whether it begins as zlib does (RFC 1950, 2.2).
fn is_zlib(body: &[u8]) -> bool {
    let [method, flags, ..] = body else {
        return false;
    };
    method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
}

/// Reads to the end, step by step, so that others have their turn.
async fn read(
    mut decoder: impl Read,
    (bytes_max, budget): (usize, &BodyBudget),
) -> Result<Bytes, ApiError> {
    let mut plain = Gathering::new(budget);
    loop {
        let room = bytes_max.saturating_sub(plain.len()).saturating_add(1);
        let step = room.min(STEP_BYTES);
        plain.make_room(plain.len().saturating_add(step)).await?;
        let step = u64::try_from(step).unwrap_or(u64::MAX);
        let made = decoder.by_ref().take(step).read_to_end(plain.bytes());
        match made {
            Ok(0) => return Ok(plain.finish()),
            Ok(_) if plain.len() > bytes_max => return Err(ApiError::too_large(bytes_max)),
            Ok(_) => tokio::task::yield_now().await,
            Err(_) => {
                return Err(ApiError::bad_request(
                    "unreadable_body",
                    "The body does not match its Content-Encoding.",
                ));
            }
        }
    }
}

/// Zstandard frames, one after the other.
struct Zstd {
    context: DCtx<'static>,
    input: Bytes,
    /// Whether the last frame came to its end.
    is_whole: bool,
}

impl Zstd {
    fn new(input: Bytes) -> Result<Self, io::Error> {
        let failed = || io::Error::from(io::ErrorKind::OutOfMemory);
        let mut context = DCtx::try_create().ok_or_else(failed)?;
        let bound = DParameter::WindowLogMax(ZSTD_WINDOW_LOG);
        context.set_parameter(bound).map_err(|_| failed())?;
        Ok(Self {
            context,
            input,
            is_whole: false,
        })
    }
}

impl Read for Zstd {
    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        if part.is_empty() {
            return Ok(0);
        }
        loop {
            if self.is_whole && self.input.is_empty() {
                return Ok(0);
            }
            let mut input = InBuffer::around(&self.input);
            let mut output = OutBuffer::around(&mut part[..]);
            let rest = self
                .context
                .decompress_stream(&mut output, &mut input)
                .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            let (taken, made) = (input.pos(), output.pos());
            self.input.advance(taken);
            self.is_whole = rest == 0;
            if made > 0 {
                return Ok(made);
            }
            if taken == 0 && !self.is_whole {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use poem::IntoResponse;

    use super::*;

    const TEXT: &[u8] =
        br#"{"model":"m","messages":[{"role":"user","content":"hello hello hello"}]}"#;
    const BOUND: usize = 1_000_000;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("finished")
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("finished")
    }

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("finished")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        let mut out = vec![0; zstd_safe::compress_bound(text.len())];
        let length = zstd_safe::compress(&mut out, text, 3).expect("compressed");
        out.truncate(length);
        out
    }

    async fn decoded(encoding: &'static str, body: Vec<u8>) -> Result<Bytes, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        let budget = BodyBudget::new(0, BOUND);
        let plain = plain(&mut headers, body.into(), BOUND, &budget).await;
        let plain = plain.map_err(|error| error.into_response().status().as_u16())?;
        assert!(!headers.contains_key(CONTENT_ENCODING), "it is plain now");
        Ok(plain)
    }

    #[tokio::test]
    async fn every_encoding_is_undone() {
        for (encoding, body) in [
            ("gzip", gzip(TEXT)),
            ("GZIP", gzip(TEXT)),
            ("x-gzip", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", deflate(TEXT)),
            ("zstd", zstd(TEXT)),
            ("identity", TEXT.to_vec()),
            ("", TEXT.to_vec()),
            ("gzip, zstd", zstd(&gzip(TEXT))),
            ("gzip, identity", gzip(TEXT)),
            ("gzip", [gzip(&TEXT[..9]), gzip(&TEXT[9..])].concat()),
            ("zstd", [zstd(&TEXT[..9]), zstd(&TEXT[9..])].concat()),
        ] {
            assert_eq!(
                decoded(encoding, body).await.as_deref(),
                Ok(TEXT),
                "{encoding}"
            );
        }
        assert_eq!(decoded("gzip", Vec::new()).await.as_deref(), Ok(&b""[..]));
    }

    #[tokio::test]
    async fn what_is_unknown_broken_or_too_large_is_refused() {
        for encoding in [
            "br",
            "compress",
            "gzip, br",
            "gzip, gzip, gzip",
            "aes128gcm",
        ] {
            assert_eq!(decoded(encoding, gzip(TEXT)).await, Err(415), "{encoding}");
        }
        let cut = |mut body: Vec<u8>| {
            body.truncate(body.len() / 2);
            body
        };
        for (encoding, body) in [
            ("gzip", TEXT.to_vec()),
            ("gzip", cut(gzip(TEXT))),
            ("deflate", cut(zlib(TEXT))),
            ("zstd", TEXT.to_vec()),
            ("zstd", cut(zstd(TEXT))),
            ("zstd", [zstd(TEXT), vec![1, 2, 3, 4, 5]].concat()),
        ] {
            assert_eq!(decoded(encoding, body).await, Err(400), "{encoding}");
        }
        let bomb = vec![b' '; 50 * BOUND];
        for (encoding, body) in [
            ("gzip", gzip(&bomb)),
            ("deflate", deflate(&bomb)),
            ("zstd", zstd(&bomb)),
            ("gzip, gzip", gzip(&gzip(&bomb))),
        ] {
            assert!(body.len() < BOUND / 4, "{encoding} makes it small");
            assert_eq!(decoded(encoding, body).await, Err(413), "{encoding}");
        }
        let fits = vec![b' '; BOUND];
        assert_eq!(
            decoded("gzip", gzip(&fits)).await.map(|plain| plain.len()),
            Ok(BOUND)
        );
    }

    #[tokio::test]
    async fn a_window_that_takes_our_memory_is_refused() {
        // A frame's head that asks for a window of 2 GiB (RFC 8878, 3.1.1.1.2).
        let head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
        assert_eq!(decoded("zstd", head.to_vec()).await, Err(400));
    }

    #[tokio::test]
    async fn the_mark_before_utf_8_is_left_out() {
        let marked = [BOM, TEXT].concat();
        assert_eq!(
            decoded("identity", marked.clone()).await.as_deref(),
            Ok(TEXT)
        );
        assert_eq!(decoded("gzip", gzip(&marked)).await.as_deref(), Ok(TEXT));
        let inside = [TEXT, BOM].concat();
        assert_eq!(
            decoded("identity", inside.clone()).await.as_deref(),
            Ok(&inside[..])
        );
    }
}
