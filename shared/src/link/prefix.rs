//! Sends what the gateway has already by its hash: a long conversation comes again with every
//! message, and only its end is new. Holds hashes and blocks; sends nothing, and does not decide
//! what a tenant's salt is.
//!
//! A body is cut into blocks of [`BLOCK_BYTES`]. Each whole block has a hash over itself and the
//! hash before it, so one hash stands for all bytes up to there. The first is made from a salt of
//! the tenant's: one tenant's hashes say nothing about another's bodies.
//!
//! ```text
//! server                                                     gateway
//!   chain = ChainedBody::new(root, body)
//!   seen.longest_known(&chain)            -> none
//!   whole body, root ---------------------------------------> ChainedBody::new(root, body)
//!                                                             prefixes.remember(&chain)
//!   <------------------------------------------------ accepted
//!   seen.remember(&chain)
//!   ... the next message of that conversation ...
//!   seen.longest_known(&chain)            -> prefix
//!   prefix, the rest, hash of the whole, root --------------> prefixes.find(&prefix)
//!                                                             found.join(&rest, &whole)
//!   <--------------------- accepted; or unknown: nothing was started
//!   unknown: seen.forget(&chain), send the whole body
//! ```
//!
//! Why a call never gets another's body: the gateway stores a block only under the hash that it
//! computed from the block and all before it, never under one that it was told; who names a hash
//! without the content gets nothing stored. What it joins must have the hash of the whole body that
//! the server sent, over all bytes and not over the chain. The root is a pseudonym: the gateway
//! learns that two bodies are of one tenant, not whose.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};

/// Size of a block. Half of one is sent in vain at the end of what is known, and a hash is kept for
/// each.
pub const BLOCK_BYTES: usize = 4 * 1024;
/// Bodies up to this are sent whole: a packet or two less is not worth the bookkeeping.
pub const BODY_BYTES_MIN: usize = 8 * 1024;
/// What keeping a block costs besides its bytes: its places in the map and in the order of use.
const BLOCK_COST_BYTES: usize = BLOCK_BYTES + 256;

/// Stands for a salt and all bytes of a body up to the end of a block.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash([u8; 16]);

impl ChainHash {
    /// 128 bits are enough: only who knows the root can look for two blocks of the same hash, and
    /// the hash of the whole body would show them.
    fn truncated(hasher: Sha256) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize()[..16]);
        Self(short)
    }

    fn next(self, block: &[u8]) -> Self {
        Self::truncated(Sha256::new().chain_update(self.0).chain_update(block))
    }
}

/// Where a tenant's chains begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root(ChainHash);

impl Root {
    /// From the tenant's salt, which nobody outside should be able to guess.
    pub fn of(salt: &[u8]) -> Self {
        let hasher = Sha256::new().chain_update("waule: prefixes of bodies, version 1");
        Self(ChainHash::truncated(hasher.chain_update(salt)))
    }
}

/// SHA-256 of all bytes of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// Of this body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }
}

/// The beginning of a body, named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    hash: ChainHash,
    blocks: usize,
}

impl Prefix {
    /// How many bytes it stands for.
    pub fn length(&self) -> usize {
        self.blocks * BLOCK_BYTES
    }
}

/// A name in a header does not have the form of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the hash of a body, of its beginning or of a root")]
pub struct NameError;

fn from_hex<const LENGTH: usize>(text: &str) -> Result<[u8; LENGTH], NameError> {
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| NameError)?;
    Ok(bytes)
}

/// `<hash in hex>-<bytes>`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", hex::encode(self.hash.0), self.length())
    }
}

impl FromStr for Prefix {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (hash, length) = text.split_once('-').ok_or(NameError)?;
        let hash = ChainHash(from_hex(hash)?);
        let length: usize = length.parse().map_err(|_| NameError)?;
        if length == 0 || !length.is_multiple_of(BLOCK_BYTES) {
            return Err(NameError);
        }
        let blocks = length / BLOCK_BYTES;
        Ok(Self { hash, blocks })
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.0))
    }
}

impl FromStr for Root {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(Self(ChainHash(from_hex(text)?)))
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for BodyHash {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(Self(from_hex(text)?))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A body with the hashes of its blocks, computed here and nowhere else: the two always fit.
#[derive(Clone)]
pub struct ChainedBody {
    body: Bytes,
    /// One for each whole block; none for a body that is sent whole in any case.
    hashes: Vec<ChainHash>,
}

impl ChainedBody {
    /// Reads the whole body: 63 us for 64 KB, 2.4 ms for 1 MiB, measured without optimisation on a
    /// busy CPU that knows SHA. Joining takes about as long.
    pub fn new(root: Root, body: Bytes) -> Self {
        Self::extended(root.0, Vec::new(), body)
    }

    /// As [`Self::new`], where the `hashes` of the first blocks are known, the last being `from`.
    fn extended(from: ChainHash, mut hashes: Vec<ChainHash>, body: Bytes) -> Self {
        if body.len() > BODY_BYTES_MIN {
            let known = hashes.len() * BLOCK_BYTES;
            let mut hash = from;
            hashes.extend(body[known..].chunks_exact(BLOCK_BYTES).map(|block| {
                hash = hash.next(block);
                hash
            }));
        }
        Self { body, hashes }
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What follows `prefix` in this body: to be sent with it.
    pub fn rest(&self, prefix: &Prefix) -> Bytes {
        self.body.slice(prefix.length().min(self.body.len())..)
    }

    /// Every hash with its block and the hash before it, the last first.
    fn blocks_from_the_end(
        &self,
    ) -> impl Iterator<Item = (ChainHash, Option<ChainHash>, &[u8])> + '_ {
        let blocks = self.body.chunks_exact(BLOCK_BYTES).zip(&self.hashes);
        blocks.enumerate().rev().map(|(at, (block, hash))| {
            let before = at.checked_sub(1).map(|before| self.hashes[before]);
            (*hash, before, block)
        })
    }
}

impl fmt::Debug for ChainedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, hashes) = (self.body.len(), self.hashes.len());
        write!(f, "ChainedBody({bytes} bytes, {hashes} hashes)")
    }
}

/// The server's knowledge of what one gateway has. Forgets what was not used for longest.
#[derive(Debug)]
pub struct Seen {
    hashes: Recent<()>,
    hashes_max: usize,
}

impl Seen {
    /// Of a gateway that keeps `prefix_bytes` of blocks: knowing more than it does is in vain.
    pub fn new(prefix_bytes: usize) -> Self {
        Self {
            hashes: Recent::default(),
            hashes_max: prefix_bytes / BLOCK_COST_BYTES,
        }
    }

    /// The longest beginning of the body that the gateway is thought to have.
    pub fn longest_known(&self, body: &ChainedBody) -> Option<Prefix> {
        let at = body
            .hashes
            .iter()
            .rposition(|hash| self.hashes.get(hash).is_some())?;
        Some(Prefix {
            hash: body.hashes[at],
            blocks: at + 1,
        })
    }

    /// The gateway has said that it has this body, whole or joined.
    pub fn remember(&mut self, body: &ChainedBody) {
        // The end first, as the gateway does: what is near a conversation's beginning stays longest.
        for hash in body.hashes.iter().rev() {
            self.hashes.put(*hash, ());
            if self.hashes.len() > self.hashes_max {
                self.hashes.drop_oldest();
            }
        }
    }

    /// The gateway did not have it after all.
    pub fn forget(&mut self, body: &ChainedBody) {
        for hash in &body.hashes {
            self.hashes.remove(hash);
        }
    }

    /// The gateway has begun a new life and has nothing.
    pub fn clear(&mut self) {
        self.hashes = Recent::default();
    }
}

/// The gateway's store of blocks, of all tenants together. Forgets what was not used for longest.
#[derive(Debug)]
pub struct Prefixes {
    blocks: Recent<Block>,
    blocks_max: usize,
}

struct Block {
    before: Option<ChainHash>,
    /// A copy: a slice would keep its whole body.
    bytes: Bytes,
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block(after {:?})", self.before)
    }
}

impl Prefixes {
    /// Keeps blocks in at most `bytes_max` bytes of memory.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            blocks: Recent::default(),
            blocks_max: bytes_max / BLOCK_COST_BYTES,
        }
    }

    /// Keeps the body's whole blocks; those of an earlier message are kept once.
    pub fn remember(&mut self, body: &ChainedBody) {
        // From the end to the beginning, here and in `find`: a block is always used later than those
        // behind it, so these are forgotten before it, and what is kept is never without its beginning.
        for (hash, before, bytes) in body.blocks_from_the_end() {
            if self.blocks.touch(&hash).is_none() {
                let bytes = Bytes::copy_from_slice(bytes);
                self.blocks.put(hash, Block { before, bytes });
            }
            if self.blocks.len() > self.blocks_max {
                self.blocks.drop_oldest();
            }
        }
    }

    /// The blocks of a prefix; `None` when not all are here.
    pub fn find(&mut self, prefix: &Prefix) -> Option<Found> {
        // Asked before walking, so that an invented length allocates nothing.
        self.blocks.get(&prefix.hash)?;
        if prefix.blocks > self.blocks.len() {
            return None;
        }
        let mut blocks = Vec::with_capacity(prefix.blocks);
        let mut next = Some(prefix.hash);
        while let Some(hash) = next {
            if blocks.len() == prefix.blocks {
                return None;
            }
            let block = self.blocks.touch(&hash)?;
            next = block.before;
            blocks.push((hash, block.bytes.clone()));
        }
        let complete = blocks.len() == prefix.blocks;
        blocks.reverse();
        complete.then_some(Found { blocks })
    }

    /// Memory that is used, in bytes.
    pub fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK_COST_BYTES
    }
}

/// What [`Prefixes::find`] found: to be joined where no lock is held.
pub struct Found {
    blocks: Vec<(ChainHash, Bytes)>,
}

impl Found {
    /// The whole body, if it is the one that the sender means; ready to be remembered.
    pub fn join(self, rest: &[u8], whole: &BodyHash) -> Option<ChainedBody> {
        let mut body = BytesMut::with_capacity(self.blocks.len() * BLOCK_BYTES + rest.len());
        let mut hashes = Vec::with_capacity(self.blocks.len() + rest.len() / BLOCK_BYTES);
        for (hash, block) in &self.blocks {
            body.extend_from_slice(block);
            hashes.push(*hash);
        }
        body.extend_from_slice(rest);
        if BodyHash::of(&body) != *whole {
            return None;
        }
        let from = *hashes.last()?;
        Some(ChainedBody::extended(from, hashes, body.freeze()))
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({} blocks)", self.blocks.len())
    }
}

/// A map that knows the order of last use. Who fills it bounds it.
#[derive(Debug)]
struct Recent<V> {
    entries: HashMap<ChainHash, (u64, V)>,
    order: BTreeMap<u64, ChainHash>,
    uses: u64,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
        }
    }
}

impl<V> Recent<V> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    /// Looks without using.
    fn get(&self, hash: &ChainHash) -> Option<&V> {
        self.entries.get(hash).map(|(_, value)| value)
    }

    /// Makes it the last that was used.
    fn touch(&mut self, hash: &ChainHash) -> Option<&V> {
        let (used, value) = self.entries.get_mut(hash)?;
        self.order.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.order.insert(self.uses, *hash);
        Some(value)
    }

    fn put(&mut self, hash: ChainHash, value: V) {
        self.uses += 1;
        self.order.insert(self.uses, hash);
        if let Some((used, _)) = self.entries.insert(hash, (self.uses, value)) {
            self.order.remove(&used);
        }
    }

    fn remove(&mut self, hash: &ChainHash) {
        if let Some((used, _)) = self.entries.remove(hash) {
            self.order.remove(&used);
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, hash)) = self.order.pop_first() {
            self.entries.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests;
