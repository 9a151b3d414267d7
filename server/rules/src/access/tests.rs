//! A network holds its own addresses and no others.

use super::*;

#[test]
fn networks_hold_their_addresses_and_no_others() {
    let inside = |network: &str, peer: &str| {
        Network::parse(network)
            .expect(network)
            .contains(peer.parse().expect(peer))
    };
    assert!(inside("192.0.2.0/24", "192.0.2.255"));
    assert!(!inside("192.0.2.0/24", "192.0.3.0"));
    assert!(inside("192.0.2.7", "::ffff:192.0.2.7") && inside("::ffff:192.0.2.7", "192.0.2.7"));
    assert!(inside("0.0.0.0/0", "8.8.8.8") && !inside("0.0.0.0/0", "2001:db8::1"));
    assert!(inside("2001:db8::/32", "2001:db8:1::1"));
    assert!(inside("::ffff:192.0.2.0/120", "192.0.2.9"));
    assert!(!inside("::ffff:192.0.2.0/120", "192.0.3.9"));
    let within = |inner: &str, outer: &str| {
        let read = |text| Network::parse(text).expect("a network");
        read(inner).is_within(&read(outer))
    };
    assert!(within("192.0.2.7", "192.0.2.0/24") && within("10.0.0.0/8", "10.0.0.0/8"));
    assert!(!within("192.0.2.0/23", "192.0.2.0/24") && !within("::1", "0.0.0.0/0"));
    for text in ["", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2", "a/b"] {
        assert_eq!(Network::parse(text), None, "{text}");
    }
}
