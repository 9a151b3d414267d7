//! One pass over an answer: how many vectors it holds and what it counts. Keeps nothing of it.

use crate::dialect::counts::Counts;
use crate::dialect::walk::{Walk, count};
use crate::units::MEASURE_MAX;

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct VectorScan {
    /// Vectors that hold something.
    pub(super) vectors: u64,
    /// The report of usage, else what stands with each vector, as Vertex tells it.
    pub(super) counts: Counts,
}

impl VectorScan {
    /// Of a whole answer; `None` where it is no JSON object.
    pub(super) fn of(answer: &[u8]) -> Option<Self> {
        let json = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
        let (mut scan, mut told_apart) = (Self::default(), 0_u64);
        let mut walk = Walk::new(json);
        if walk.peek()? != b'{' {
            return None;
        }
        walk.object(|walk, name| match name {
            b"usageMetadata" | b"usage_metadata" => {
                scan.counts.merge(Counts::read(walk)?);
                Some(())
            }
            b"embedding" => scan.vector(walk, &mut told_apart),
            b"embeddings" if walk.peek()? == b'[' => {
                walk.array(|walk| scan.vector(walk, &mut told_apart))
            }
            _ => walk.value().map(drop),
        })?;
        if scan.counts.input == 0 {
            scan.counts.input = told_apart;
        }
        Some(scan)
    }

    fn vector(&mut self, walk: &mut Walk<'_>, told: &mut u64) -> Option<()> {
        if walk.peek()? != b'{' {
            return walk.value().map(drop);
        }
        walk.object(|walk, name| {
            if name == b"statistics" && walk.peek()? == b'{' {
                return walk.object(|walk, name| {
                    let value = walk.value()?;
                    if matches!(name, b"tokenCount" | b"token_count") {
                        *told = told.saturating_add(count(value)).min(MEASURE_MAX);
                    }
                    Some(())
                });
            }
            let value = walk.value()?;
            let inside = value.strip_prefix(b"[").unwrap_or_default();
            let is_empty = inside.trim_ascii_start().starts_with(b"]") || inside.is_empty();
            if name == b"values" && !is_empty {
                self.vectors += 1;
            }
            Some(())
        })
    }
}
