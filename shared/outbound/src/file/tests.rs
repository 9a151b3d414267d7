//! Hostile addresses of files and hostile servers: nothing that is not on the internet is asked, however it is
//! written or reached, and what comes is bounded.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::{Names, OutboundParts};
use super::*;

const DEADLINE: Duration = Duration::from_millis(1_500);
const BYTES_MAX: usize = 100_000;

/// Addresses that are nobody's on the internet.
const CLOSED: [&str; 62] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.17.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.1.254",
    "192.168.255.255",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:192.168.0.1]",
    "[::FFFF:C0A8:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
    "[100::1]",
    "[2001::1]",
    "[2001:10::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:a9fe:a9fe::]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd12:3456:789a::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
];

/// The same in spellings that the system's lookup reads as addresses.
const SPELLED: [&str; 24] = [
    "2130706433",
    "0x7f000001",
    "0x7F000001",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "0xa9.0xfe.0xa9.0xfe",
    "169.254.43518",
    "169.16689662",
    "167772161",
    "0xa000001",
    "10.1",
    "012.0.0.1",
    "3232235521",
    "192.168.1",
    "0xc0.0xa8.1",
];

/// What is no address of a file at all.
const UNREADABLE: [&str; 58] = [
    "",
    " ",
    "/",
    "//127.0.0.1/a",
    "a.png",
    "127.0.0.1",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "FILE:///etc/shadow",
    "ftp://files.example/a.png",
    "ftps://files.example/a.png",
    "gopher://files.example:70/_x",
    "dict://files.example:2628/d",
    "ldap://files.example/",
    "tftp://files.example/a",
    "sftp://files.example/a",
    "ssh://files.example/",
    "jar:https://files.example/a!/b",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "s3://bucket/key",
    "gs://bucket/key",
    "ws://files.example/",
    "wss://files.example/",
    "http:/files.example/a",
    "http:files.example",
    "http://",
    "https://",
    "http:///a.png",
    "https://:443/",
    "http://user@files.example/",
    "http://user:word@files.example/",
    "https://files.example@127.0.0.1/",
    "https://127.0.0.1@files.example/",
    "https://files.example:80@127.0.0.1/",
    "https://files.example\\@127.0.0.1/",
    "https://files.example#@127.0.0.1/",
    "https://files.example/#a",
    "https://files.example/ a.png",
    "https://files.example/a\tb",
    "https://files.example/\r\nhost: other.example",
    "https://files.example/\0",
    "https://files.example\r\n/",
    "https://f\u{ef}les.example/",
    "https://\u{2460}27.0.0.1/",
    "https://127\u{3002}0\u{3002}0\u{3002}1/",
    "https://files.example/\u{202e}gnp.a",
    "https://files.example:22/a",
    "https://files.example:25/a",
    "https://files.example:6379/a",
    "https://files.example:9000/a",
    "https://files.example:0/a",
    "https://files.example:65536/a",
    "https://files.example:-1/a",
    "https://files.example:/a",
    "https://files.example:443:80/a",
    "https://[::1/a",
];

/// Names that lead into private networks, as whoever owns them may let them.
const LEADING_IN: [(&str, &str); 8] = [
    ("localhost", "127.0.0.1:80"),
    ("127.0.0.1.nip.example", "127.0.0.1:80"),
    ("metadata.example", "169.254.169.254:80"),
    ("metadata.google.internal", "169.254.169.254:80"),
    ("intranet.example", "10.1.2.3:80"),
    ("six.example", "[::1]:80"),
    ("mapped.example", "[::ffff:192.168.0.1]:80"),
    ("db", "172.20.0.3:80"),
];

fn wanted(url: &str) -> FileRequest<'_> {
    FileRequest {
        url,
        accept: "image/*",
        deadline: DEADLINE,
        bytes_max: BYTES_MAX,
    }
}

fn with(names: Names) -> Outbound {
    shared::tls::install_provider();
    Outbound::new(OutboundParts {
        tls: shared::tls::client_config(),
        names,
        allows_private: false,
    })
}

/// Fetches, and answers what was kept as well.
async fn fetched(outbound: &Outbound, url: &str) -> (Result<FileHead, FileProblem>, usize) {
    let (mut kept, wanted) = (0, wanted(url));
    let keep = |data: &[u8]| {
        kept += data.len();
        true
    };
    let told = outbound.file(&wanted, keep).await;
    (told, kept)
}

fn is_closed(told: &Result<FileHead, FileProblem>) -> bool {
    matches!(told, Err(FileProblem::NoAnswer(OutboundError::Closed(_))))
}

#[tokio::test]
async fn two_hundred_hostile_addresses_are_not_asked() {
    let mut tried = 0;
    let known = LEADING_IN.map(|(name, place)| {
        let place: SocketAddr = place.parse().expect("an address");
        (name.to_owned(), place)
    });
    let (system, fixed) = (with(Names::System), with(Names::Fixed(known.into())));
    let names = LEADING_IN.map(|(name, _)| name);
    let closed = CLOSED.iter().chain(&SPELLED).map(|host| (&system, host));
    for (outbound, host) in closed.chain(names.iter().map(|name| (&fixed, name))) {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}/latest/meta-data/");
            let (told, _) = fetched(outbound, &url).await;
            assert!(is_closed(&told), "{url}: {told:?}");
            tried += 1;
        }
    }
    for url in UNREADABLE {
        let (told, _) = fetched(&fixed, url).await;
        let is_refused = matches!(told, Err(FileProblem::NoAnswer(OutboundError::Url(_))));
        assert!(is_refused, "{url:?}: {told:?}");
        tried += 1;
    }
    assert!(tried >= 200, "{tried}");
}

/// What a server does with each connection: it writes these, one by one.
type Script = Vec<(Duration, Vec<u8>)>;

fn says(text: &str) -> Script {
    vec![(Duration::ZERO, text.as_bytes().to_vec())]
}

async fn serve(listener: TcpListener, script: &Script) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut read = [0; 4_096];
        let _ = stream.read(&mut read).await;
        for (pause, bytes) in script {
            tokio::time::sleep(*pause).await;
            if stream.write_all(bytes).await.is_err() {
                break;
            }
        }
        let _ = stream.shutdown().await;
    }
}

/// Fetches from a server that stands for one of the internet, and is known as `files.example`.
async fn from(script: Script) -> (Result<FileHead, FileProblem>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address");
    let outbound = with(Names::Staged(BTreeMap::from([(
        "files.example".to_owned(),
        place,
    )])));
    tokio::select! {
        told = fetched(&outbound, "http://files.example/a.png") => told,
        () = serve(listener, &script) => unreachable!("it serves for ever"),
    }
}

fn moved(place: &str) -> Script {
    says(&format!(
        "HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ))
}

#[tokio::test]
async fn a_file_comes_whole_or_not() {
    let good = "HTTP/1.1 200 OK\r\ncontent-type: Image/PNG; q=1\r\ncontent-length: 4\r\n\r\nabcd";
    let head = FileHead {
        media_type: Some("image/png".to_owned()),
    };
    assert_eq!(from(says(good)).await, (Ok(head), 4));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    let head = FileHead { media_type: None };
    assert_eq!(from(says(chunked)).await, (Ok(head), 2));
    for (script, problem) in [
        (
            says("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"),
            FileProblem::Status(404),
        ),
        (
            says("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"),
            FileProblem::Status(401),
        ),
        (says("HTTP/1.1 204 No\r\n\r\n"), FileProblem::Status(204)),
        (
            says("HTTP/1.1 206 Part\r\ncontent-length: 1\r\n\r\na"),
            FileProblem::Status(206),
        ),
        (
            says("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\na"),
            FileProblem::Packed,
        ),
        (
            says("HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\na"),
            FileProblem::TooLarge(BYTES_MAX),
        ),
    ] {
        assert_eq!(from(script).await, (Err(problem), 0));
    }
    // Its length is told by nobody.
    let flood = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned() + &"x".repeat(200_000);
    let (told, kept) = from(says(&flood)).await;
    assert_eq!(told, Err(FileProblem::TooLarge(BYTES_MAX)));
    assert!(kept <= BYTES_MAX, "{kept}");
    for cut in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nab",
        "SSH-2.0-OpenSSH\r\n",
        "",
    ] {
        let (told, _) = from(says(cut)).await;
        let is_broken = matches!(told, Err(FileProblem::NoAnswer(OutboundError::Broken(_))));
        assert!(is_broken, "{cut:?}: {told:?}");
    }
}

#[tokio::test]
async fn whoever_is_slow_has_one_deadline_for_all_of_it() {
    let hangs = vec![(Duration::from_secs(60), Vec::new())];
    let mut drips = says("HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n");
    drips.extend((0..90).map(|_| (Duration::from_millis(100), b"a".to_vec())));
    for script in [hangs, drips] {
        let began = Instant::now();
        let (told, _) = from(script).await;
        let late = OutboundError::TimedOut(DEADLINE.as_secs());
        assert_eq!(told, Err(FileProblem::NoAnswer(late)));
        assert!(began.elapsed() < DEADLINE * 2, "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn every_redirect_is_checked_as_the_first_address_was() {
    for place in [
        "http://127.0.0.1/",
        "//127.0.0.1/a",
        "http://0x7f.1/",
        "http://2130706433/",
        "https://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "//10.0.0.1/",
    ] {
        let (told, kept) = from(moved(place)).await;
        assert!(is_closed(&told), "{place}: {told:?}");
        assert_eq!(kept, 0);
    }
    for place in [
        "file:///etc/passwd",
        "ftp://files.example/a",
        "https://user@files.example/",
        "http://files.example:22/",
        "gopher://files.example/",
    ] {
        let (told, _) = from(moved(place)).await;
        let is_refused = matches!(told, Err(FileProblem::NoAnswer(OutboundError::Url(_))));
        assert!(is_refused, "{place}: {told:?}");
    }
    let (told, _) = from(moved("http://other.example/")).await;
    assert_eq!(told, Err(FileProblem::NoAnswer(OutboundError::UnknownHost)));
    for endless in ["/a.png", "a.png", "", "?again", "http://files.example/a#b"] {
        let (told, _) = from(moved(endless)).await;
        assert_eq!(told, Err(FileProblem::Redirects), "{endless}");
    }
    let nowhere = says("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(from(nowhere).await.0, Err(FileProblem::Status(302)));
}

#[tokio::test]
async fn it_ends_where_there_is_no_room() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address");
    let names = BTreeMap::from([("files.example".to_owned(), place)]);
    let outbound = with(Names::Staged(names));
    let script = says("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd");
    let wanted = wanted("http://files.example/a.png");
    tokio::select! {
        told = outbound.file(&wanted, |_| false) => assert_eq!(told, Err(FileProblem::NoRoom)),
        () = serve(listener, &script) => unreachable!("it serves for ever"),
    }
}
