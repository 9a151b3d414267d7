//! A host counts as near or far by what it is, and an origin has one spelling.

use super::*;

#[test]
fn hosts_count_as_what_they_are() {
    for host in [
        "127.0.0.1",
        "127.9.9.9",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0X7F.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "0x0",
        "[::1]",
        "::1",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "256",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "127.0.0.1.",
    ] {
        assert_eq!(Reach::of(host), Reach::Here, "{host}");
    }
    for host in [
        "10.0.0.7",
        "192.168.1.1",
        "172.16.0.1",
        "10.1",
        "167772161",
        "0xa.0.0.1",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "gateway",
        "gateway.",
        "my-gateway_2",
    ] {
        assert_eq!(Reach::of(host), Reach::Near, "{host}");
    }
    for host in [
        "8.8.8.8",
        "134744072",
        "0x08080808",
        "010.8.8.8",
        "8.8",
        "[2001:db8::1]",
        "[::ffff:8.8.8.8]",
        "gw.example.com",
        "example.com.",
        "1.2.3.4.5",
        "4294967296",
        "127.0.0.256",
        "0x7g",
        "",
        ".",
        "169.254.169.254",
        "127.0.0.1.example.com",
        "1.2.3.08",
        "[fe80::1]",
        "[127.0.0.1]",
        "a%00b",
    ] {
        assert_eq!(Reach::of(host), Reach::Far, "{host}");
    }
}

#[test]
fn an_origin_has_one_spelling() {
    let same = [
        "https://Api.Example.com/v1",
        "https://api.example.com:443/other",
        "HTTPS://api.example.com.",
    ];
    for url in same {
        assert_eq!(
            origin(url).as_deref(),
            Some("https://api.example.com:443"),
            "{url}"
        );
    }
    for url in [
        "http://api.example.com/v1",
        "https://api.example.com:8443",
        "https://api.example.org",
        "https://api.example.com.evil.example",
    ] {
        assert_ne!(origin(url), origin(same[0]), "{url}");
    }
    assert_eq!(origin("api.example.com"), None);
}
