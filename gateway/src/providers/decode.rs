//! Unpacks answers that come compressed although `identity` was asked for. Works step by step, so that
//! a small body that grows without end is noticed by whoever bounds what comes out.

use std::io::Write;

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use shared::fault::{Fault, FaultKind};

/// Packed bytes that are unpacked at once; they can become about a thousand times as many.
const STEP_BYTES: usize = 256;

/// Unpacks one body.
pub(super) struct Decoder {
    form: Form,
    /// What has come and is still packed.
    packed: Bytes,
}

enum Form {
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// Some send what RFC 9110 calls deflate, some the bare stream: the first byte tells.
    Deflate,
    Zlib(ZlibDecoder<Vec<u8>>),
    Bare(DeflateDecoder<Vec<u8>>),
}

fn invalid(what: &str) -> Fault {
    Fault::new(FaultKind::InvalidAnswer, what.to_owned())
}

impl Decoder {
    /// For the encoding that `headers` name; none where the body is plain.
    pub(super) fn for_answer(headers: &HeaderMap) -> Result<Option<Self>, Fault> {
        let Some(encoding) = headers.get(CONTENT_ENCODING) else {
            return Ok(None);
        };
        let encoding = encoding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        let form = match encoding.as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Form::Gzip(MultiGzDecoder::new(Vec::new())),
            "deflate" => Form::Deflate,
            _ => return Err(invalid("the answer is packed in a way nobody asked for")),
        };
        Ok(Some(Self {
            form,
            packed: Bytes::new(),
        }))
    }

    /// Takes what has come; the one before must be used up.
    pub(super) fn feed(&mut self, packed: Bytes) {
        assert!(
            self.packed.is_empty(),
            "the piece before must be unpacked first"
        );
        if let (Form::Deflate, Some(first)) = (&self.form, packed.first()) {
            // The low half of the first byte is 8 in the form with a header (RFC 1950, 2.2).
            self.form = if first & 0x0f == 8 {
                Form::Zlib(ZlibDecoder::new(Vec::new()))
            } else {
                Form::Bare(DeflateDecoder::new(Vec::new()))
            };
        }
        self.packed = packed;
    }

    /// The next part of what was fed; none when more must be fed.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        while !self.packed.is_empty() {
            let step = self.packed.split_to(STEP_BYTES.min(self.packed.len()));
            let unpacked = match &mut self.form {
                Form::Gzip(decoder) => {
                    pushed(decoder, &step).map(|()| std::mem::take(decoder.get_mut()))
                }
                Form::Zlib(decoder) => {
                    pushed(decoder, &step).map(|()| std::mem::take(decoder.get_mut()))
                }
                Form::Bare(decoder) => {
                    pushed(decoder, &step).map(|()| std::mem::take(decoder.get_mut()))
                }
                Form::Deflate => Ok(Vec::new()),
            };
            match unpacked {
                Ok(unpacked) if unpacked.is_empty() => {}
                Ok(unpacked) => return Ok(Some(unpacked.into())),
                Err(_) => return Err(invalid("the answer says that it is packed and is not")),
            }
        }
        Ok(None)
    }

    /// Whether the body came to its end.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        let ended = match &mut self.form {
            Form::Gzip(decoder) => decoder.try_finish(),
            Form::Zlib(decoder) => decoder.try_finish(),
            Form::Bare(decoder) => decoder.try_finish(),
            Form::Deflate => Ok(()),
        };
        ended.map_err(|_| Fault::new(FaultKind::Interrupted, "the packed answer has no end"))
    }
}

/// Hands out at once what a step brought: a stream's event must not wait for the next one.
fn pushed(decoder: &mut impl Write, step: &[u8]) -> std::io::Result<()> {
    decoder.write_all(step)?;
    decoder.flush()
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    fn decoder(encoding: &'static str) -> Result<Option<Decoder>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        Decoder::for_answer(&headers)
    }

    fn unpacked(encoding: &'static str, packed: &[u8], split: usize) -> Result<Vec<u8>, Fault> {
        let mut decoder = decoder(encoding)?.expect("packed");
        let mut all = Vec::new();
        for piece in packed.chunks(split) {
            decoder.feed(Bytes::copy_from_slice(piece));
            while let Some(part) = decoder.next()? {
                all.extend_from_slice(&part);
            }
        }
        decoder.end()?;
        Ok(all)
    }

    fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
        let level = Compression::default();
        match encoding {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
        }
        .expect("packs")
    }

    #[test]
    fn every_form_comes_out_as_it_went_in_whatever_the_pieces() {
        let plain = "data: {\"choices\":[]}\n\n".repeat(500).into_bytes();
        for (form, header) in [
            ("gzip", "gzip"),
            ("gzip", "X-GZIP"),
            ("zlib", "deflate"),
            ("bare", "deflate"),
        ] {
            let packed = packed(form, &plain);
            for split in [1, 7, 4_096] {
                let came = unpacked(header, &packed, split).expect("whole");
                assert!(came == plain, "{form} in pieces of {split}");
            }
            let cut = unpacked(header, &packed[..packed.len() - 9], 64).expect_err("cut");
            assert_eq!(cut.kind, FaultKind::Interrupted, "{form}");
        }
        assert!(decoder("identity").expect("plain").is_none());
        assert!(decoder("br").is_err());
        assert!(unpacked("gzip", b"{\"plain\":true}", 64).is_err());
    }

    #[test]
    fn an_event_comes_out_before_the_next_one_goes_in() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"data: 1\n\n").expect("written");
        encoder.flush().expect("flushed");
        let mut decoder = decoder("gzip").expect("known").expect("packed");
        decoder.feed(Bytes::copy_from_slice(encoder.get_ref()));
        let mut came = Vec::new();
        while let Some(part) = decoder.next().expect("good") {
            came.extend_from_slice(&part);
        }
        assert_eq!(came, b"data: 1\n\n");
    }

    #[test]
    fn a_bomb_comes_out_in_parts_that_can_be_counted() {
        let bomb = packed("gzip", &vec![0; 64 * 1024 * 1024]);
        let mut decoder = decoder("gzip").expect("known").expect("packed");
        decoder.feed(bomb.into());
        let first = decoder.next().expect("good").expect("something");
        assert!(first.len() < 1024 * 1024, "{} bytes at once", first.len());
    }
}
