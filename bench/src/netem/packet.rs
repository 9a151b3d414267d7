//! Reads the headers of TCP in IPv4 packets and forges resets. Keeps no state; `flows` does.

use std::net::{Ipv4Addr, SocketAddrV4};

const IPV4_HEADER_MIN: usize = 20;
const TCP_HEADER_MIN: usize = 20;
const TCP: u8 = 6;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Which way a packet crosses the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From home to overseas.
    Out,
    /// From overseas to home.
    Back,
}

/// One TCP connection over the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) home: SocketAddrV4,
    pub(crate) overseas: SocketAddrV4,
}

/// What the emulator wants to know of a TCP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) flow: Flow,
    /// Sequence number after this segment.
    pub(super) next: u32,
    pub(super) ack: Option<u32>,
    /// A connection begins: SYN without ACK.
    pub(super) begins: bool,
    /// This end sends no more.
    pub(super) ends: bool,
    pub(super) is_reset: bool,
}

/// `None` for anything but an unfragmented TCP packet.
pub(super) fn read(packet: &[u8], way: Direction) -> Option<Segment> {
    let first = *packet.first()?;
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < IPV4_HEADER_MIN {
        return None;
    }
    // More fragments to come, or not the first of them.
    let fragment = u16_at(packet, 6)? & 0x3fff;
    if fragment != 0 || *packet.get(9)? != TCP {
        return None;
    }
    let total = usize::from(u16_at(packet, 2)?);
    let source = Ipv4Addr::from(u32_at(packet, 12)?);
    let target = Ipv4Addr::from(u32_at(packet, 16)?);
    let tcp = packet.get(header..total)?;
    let source = SocketAddrV4::new(source, u16_at(tcp, 0)?);
    let target = SocketAddrV4::new(target, u16_at(tcp, 2)?);
    let data_offset = usize::from(*tcp.get(12)? >> 4) * 4;
    let flags = *tcp.get(13)?;
    let payload = u32::try_from(tcp.len().checked_sub(data_offset)?).ok()?;
    // SYN and FIN take a place in the sequence, as a byte does.
    let marks = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
    Some(Segment {
        flow: match way {
            Direction::Out => Flow {
                home: source,
                overseas: target,
            },
            Direction::Back => Flow {
                home: target,
                overseas: source,
            },
        },
        next: u32_at(tcp, 4)?.wrapping_add(payload).wrapping_add(marks),
        ack: (flags & ACK != 0).then(|| u32_at(tcp, 8)).flatten(),
        begins: flags & (SYN | ACK) == SYN,
        ends: flags & FIN != 0,
        is_reset: flags & RST != 0,
    })
}

/// A reset as a middlebox forges it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reset {
    pub(super) source: SocketAddrV4,
    pub(super) target: SocketAddrV4,
    /// Has to be what the target expects next, or it answers with a challenge (RFC 5961).
    pub(super) seq: u32,
    /// Has to acknowledge the SYN where the target is still connecting.
    pub(super) ack: u32,
}

impl Reset {
    pub(super) fn packet(&self) -> [u8; IPV4_HEADER_MIN + TCP_HEADER_MIN] {
        /// 40 bytes in all; do not fragment; 64 hops.
        const HEAD: [u8; 10] = [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, TCP];
        let mut packet = [0; IPV4_HEADER_MIN + TCP_HEADER_MIN];
        packet[..10].copy_from_slice(&HEAD);
        packet[12..16].copy_from_slice(&self.source.ip().octets());
        packet[16..20].copy_from_slice(&self.target.ip().octets());
        let header_sum = checksum(&[&packet[..IPV4_HEADER_MIN]]);
        packet[10..12].copy_from_slice(&header_sum.to_be_bytes());
        let tcp = &mut packet[IPV4_HEADER_MIN..];
        tcp[..2].copy_from_slice(&self.source.port().to_be_bytes());
        tcp[2..4].copy_from_slice(&self.target.port().to_be_bytes());
        tcp[4..8].copy_from_slice(&self.seq.to_be_bytes());
        tcp[8..12].copy_from_slice(&self.ack.to_be_bytes());
        tcp[12] = 5 << 4;
        tcp[13] = RST | ACK;
        let sum = tcp_checksum(&packet);
        packet[IPV4_HEADER_MIN + 16..][..2].copy_from_slice(&sum.to_be_bytes());
        packet
    }
}

/// Over the pseudo header and the segment of an IPv4 packet without options.
fn tcp_checksum(packet: &[u8]) -> u16 {
    let tcp = &packet[IPV4_HEADER_MIN..];
    let length = u16::try_from(tcp.len()).unwrap_or_default().to_be_bytes();
    checksum(&[&packet[12..20], &[0, TCP], &length, tcp])
}

/// The Internet checksum (RFC 1071) over parts of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let low = pair.get(1).copied().unwrap_or_default();
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(two.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests;
