//! The client is the nearest hop that nobody vouches for, whoever claims otherwise.

use http::HeaderValue;

use super::*;

const CDN: &str = "203.0.113.9";

fn proxies(header: ForwardedHeader) -> TrustedProxies {
    let list = ["10.0.0.0/8", "2001:db8:ff::/48", " ", CDN].map(str::to_owned);
    TrustedProxies::parse(&list, header).expect("valid")
}

fn client(header: ForwardedHeader, peer: &str, lines: &[&[u8]]) -> String {
    let name = match header {
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        ForwardedHeader::Forwarded => FORWARDED,
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            name.clone(),
            HeaderValue::from_bytes(line).expect("a value"),
        );
    }
    let peer = peer.parse().expect("an address");
    proxies(header).client(peer, &headers).to_string()
}

#[test]
fn the_nearest_hop_that_is_not_trusted_is_the_client() {
    let many = ["10.0.0.1"; 40].join(",");
    for (peer, lines, right) in [
        ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
        // Whoever is not trusted says nothing about itself.
        ("198.51.100.1", vec!["198.51.100.7"], "198.51.100.1"),
        // What the client made up stands on the left.
        ("10.0.0.1", vec!["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", vec!["1.2.3.4", "198.51.100.7"], "198.51.100.7"),
        (
            "10.0.0.1",
            vec!["198.51.100.7, 203.0.113.9,10.3.2.1"],
            "198.51.100.7",
        ),
        ("10.0.0.1", vec!["198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", vec!["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", vec!["2001:db8::7"], "2001:db8::7"),
        (
            "::ffff:10.0.0.1",
            vec!["::ffff:198.51.100.7"],
            "198.51.100.7",
        ),
        ("2001:db8:ff::1", vec!["198.51.100.7"], "198.51.100.7"),
        // All hops are ours: the call began at the first.
        ("10.0.0.1", vec!["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        ("10.0.0.1", vec![], "10.0.0.1"),
        ("10.0.0.1", vec![""], "10.0.0.1"),
        ("10.0.0.1", vec!["unknown"], "10.0.0.1"),
        ("10.0.0.1", vec!["198.51.100.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", vec!["198.51.100.7, , 10.0.0.5"], "10.0.0.5"),
        ("10.0.0.1", vec!["198.51.100.7 10.0.0.5"], "10.0.0.1"),
        ("10.0.0.1", vec!["0x7f.1"], "10.0.0.1"),
        ("10.0.0.1", vec!["[::1"], "10.0.0.1"),
        ("10.0.0.1", vec!["fe80::1%eth0"], "10.0.0.1"),
        ("10.0.0.1", vec![many.as_str()], "10.0.0.1"),
    ] {
        let bytes: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let found = client(ForwardedHeader::XForwardedFor, peer, &bytes);
        assert_eq!(found, right, "{peer} {lines:?}");
    }
    let odd: &[u8] = b"198.51.100.7\xff";
    assert_eq!(
        client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[odd]),
        "10.0.0.1"
    );
    let long = format!("198.51.100.7{}", " ".repeat(20_000));
    let found = client(
        ForwardedHeader::XForwardedFor,
        "10.0.0.1",
        &[long.as_bytes()],
    );
    assert_eq!(found, "10.0.0.1");
}

#[test]
fn the_standard_header_is_read_where_it_is_chosen() {
    for (line, right) in [
        ("for=198.51.100.7", "198.51.100.7"),
        ("For=\"[2001:db8::7]:4711\";proto=https", "2001:db8::7"),
        ("for=1.2.3.4, for=198.51.100.7;by=10.0.0.1", "198.51.100.7"),
        ("proto=https", "10.0.0.1"),
        ("for=_hidden", "10.0.0.1"),
        ("for=198.51.100.7;for=198.51.100.8", "10.0.0.1"),
    ] {
        let found = client(ForwardedHeader::Forwarded, "10.0.0.1", &[line.as_bytes()]);
        assert_eq!(found, right, "{line}");
    }
    let headers = HeaderMap::from_iter([(X_FORWARDED_FOR, HeaderValue::from_static("1.2.3.4"))]);
    let peer = IpAddr::from([10, 0, 0, 1]);
    let chosen = proxies(ForwardedHeader::Forwarded).client(peer, &headers);
    assert_eq!(chosen, peer, "the other header is the client's own");
}

#[test]
fn what_is_no_network_and_what_is_all_of_them_is_refused() {
    for text in [
        "everybody",
        "10.0.0.0/33",
        "0.0.0.0/0",
        "::/0",
        "10.0.0.1:80",
    ] {
        let list = [text.to_owned()];
        assert!(
            TrustedProxies::parse(&list, ForwardedHeader::default()).is_err(),
            "{text}"
        );
    }
    assert!(TrustedProxies::parse(&[String::new()], ForwardedHeader::default()).is_ok());
}
