//! No address that is nobody's on the internet is called, however it is written.

use super::*;

#[test]
fn addresses_that_are_nobodys_on_the_internet_are_closed() {
    for closed in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.7",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ] {
        assert!(!is_public(closed.parse().expect("an address")), "{closed}");
    }
    for open in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "198.17.0.1",
        "223.255.255.1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2400:3200::1",
        "2606:4700::1111",
    ] {
        assert!(is_public(open.parse().expect("an address")), "{open}");
    }
}

#[test]
fn urls_are_read_strictly() {
    use UrlProblem as P;
    for (url, wanted) in [
        ("http://example.com/", P::NotHttps),
        ("HTTP://example.com/", P::NotHttps),
        ("file:///etc/passwd", P::Unreadable),
        ("gopher://example.com/", P::NotHttps),
        ("example.com/hook", P::Unreadable),
        ("/hook", P::Unreadable),
        ("", P::Unreadable),
        ("https://", P::Unreadable),
        ("https://user@example.com/", P::HasUser),
        ("https://user:word@example.com/", P::HasUser),
        ("https://1.1.1.1&@127.0.0.1#@x/", P::Unreadable),
        ("https://example.com\\@127.0.0.1/", P::Unreadable),
        ("https://example.com/ x", P::Unreadable),
        ("https://example.com/\r\nhost: x", P::Unreadable),
        ("https://例え.example/", P::Unreadable),
        ("https://example.com:22/", P::Port),
        ("https://example.com:99999/", P::Port),
        ("https://example.com:/", P::Port),
        ("https://[::ffff:8.8.8.8]:65536/", P::Port),
    ] {
        let read = Target::parse(url, Purpose::Hook, false);
        assert!(read.is_err(), "{url}: {read:?}");
        // The library's own words for what it can't read are all one.
        if !matches!(read, Err(P::Unreadable)) {
            assert_eq!(read, Err(wanted), "{url}");
        }
    }
    let long = format!("https://example.com/{}", "a".repeat(3_000));
    assert_eq!(
        Target::parse(&long, Purpose::Hook, false),
        Err(P::Unreadable)
    );
    let read = Target::parse("https://Example.com/a?b=c", Purpose::Hook, false).expect("a target");
    assert_eq!((read.host.as_str(), read.port), ("example.com", 443));
    assert_eq!(read.path, "/a?b=c");
    let read = Target::parse("http://[::1]:8080", Purpose::Hook, true).expect("a target");
    assert_eq!(
        (read.host.as_str(), read.port, read.is_https),
        ("::1", 8_080, false)
    );
    assert_eq!(read.path, "/");
}

#[test]
fn files_may_lie_where_the_web_has_them() {
    use UrlProblem as P;
    for (url, wanted) in [
        ("http://example.com/a.png", Ok(80)),
        ("https://example.com/a.png", Ok(443)),
        ("http://example.com:8080/", Ok(8_080)),
        ("https://example.com:8443/", Ok(8_443)),
        ("ftp://example.com/a.png", Err(P::NotHttp)),
        ("http://example.com:22/", Err(P::FilePort)),
        ("http://example.com:6379/", Err(P::FilePort)),
        ("http://example.com:/", Err(P::FilePort)),
        ("http://user@example.com/", Err(P::HasUser)),
    ] {
        let read = Target::parse(url, Purpose::File, false);
        assert_eq!(read.map(|target| target.port), wanted, "{url}");
    }
    let signed = format!("https://example.com/a.png?sign={}", "a".repeat(4_000));
    assert!(Target::parse(&signed, Purpose::File, false).is_ok());
    let long = signed.repeat(3);
    assert_eq!(
        Target::parse(&long, Purpose::File, false),
        Err(P::Unreadable)
    );
}
