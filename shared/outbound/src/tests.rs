//! Hostile receivers: what hangs, floods, breaks off, redirects or stands where it should not.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const DEADLINE: Duration = Duration::from_millis(1_500);

fn post(url: String) -> OutboundPost {
    OutboundPost {
        url,
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{}"),
        deadline: DEADLINE,
        answer_bytes_max: 64,
    }
}

/// What a receiver does with a connection whose request it has read.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Answers(&'static str),
    Hangs,
    HangsInTheBody,
    Floods,
    Closes,
}

async fn serve(listener: TcpListener, manner: Manner) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut read = [0; 4_096];
        let _ = stream.read(&mut read).await;
        match manner {
            Manner::Answers(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
            }
            Manner::Hangs => tokio::time::sleep(Duration::from_secs(60)).await,
            Manner::HangsInTheBody => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
                    .await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            Manner::Floods => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
                let _ = stream.write_all(head.as_bytes()).await;
                let piece = vec![b'x'; 64 * 1024];
                while stream.write_all(&piece).await.is_ok() {}
            }
            Manner::Closes => {}
        }
    }
}

/// Posts to a receiver of that manner on this machine.
async fn told(manner: Manner) -> Result<OutboundAnswer, OutboundError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address");
    let url = format!("http://{place}/hook");
    let asking = async move { Outbound::system(true).post(&post(url)).await };
    tokio::select! {
        told = asking => told,
        () = serve(listener, manner) => unreachable!("it serves for ever"),
    }
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let began = Instant::now();
    let answer = told(Manner::Answers(
        "HTTP/1.1 429 Too Many\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nno",
    ));
    let answer = answer.await.expect("an answer");
    assert_eq!(
        (answer.status, answer.retry_after),
        (429, Some(Duration::from_secs(7)))
    );
    assert_eq!((&answer.body[..], answer.is_cut), (&b"no"[..], false));
    let flood = told(Manner::Floods).await.expect("an answer");
    assert_eq!((flood.body.len(), flood.is_cut), (64, true));
    let cut = told(Manner::Answers(
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
    ))
    .await;
    // The connection stays open in this one until the receiver is dropped.
    assert!(cut.is_ok_and(|answer| answer.is_cut && answer.status == 200));
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    for (manner, wanted) in [
        (Manner::Hangs, OutboundError::TimedOut(1)),
        (Manner::HangsInTheBody, OutboundError::TimedOut(1)),
    ] {
        let began = Instant::now();
        assert_eq!(told(manner).await, Err(wanted), "{manner:?}");
        assert!(began.elapsed() < DEADLINE * 2);
    }
    for manner in [Manner::Closes, Manner::Answers("SSH-2.0-OpenSSH\r\n")] {
        let told = told(manner).await;
        assert!(
            matches!(told, Err(OutboundError::Broken(_))),
            "{manner:?}: {told:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let answer = told(Manner::Answers(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\n\
         content-length: 0\r\n\r\n",
    ));
    assert_eq!(answer.await.map(|answer| answer.status), Ok(302));
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_network_is_not_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address");
    let known = BTreeMap::from([("evil.example".to_owned(), place)]);
    let outbound = Outbound::new(OutboundParts {
        tls: shared::tls::client_config(),
        names: Names::Fixed(known),
        allows_private: false,
    });
    let told = outbound
        .post(&post("https://evil.example/hook".to_owned()))
        .await;
    assert_eq!(told, Err(OutboundError::Closed(place.ip())));
    let unknown = outbound
        .post(&post("https://other.example/".to_owned()))
        .await;
    assert_eq!(unknown, Err(OutboundError::UnknownHost));
    for closed in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
    ] {
        let told = outbound.post(&post(closed.to_owned())).await;
        assert!(
            matches!(told, Err(OutboundError::Closed(_))),
            "{closed}: {told:?}"
        );
    }
    let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err(), "somebody was called");
}

#[tokio::test]
async fn spellings_of_an_address_are_checked_as_the_address() {
    // Names that the system's own lookup reads as addresses of this machine.
    for spelled in [
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://localhost/",
    ] {
        let told = Outbound::system(false)
            .post(&post(spelled.to_owned()))
            .await;
        let is_closed = matches!(
            told,
            Err(OutboundError::Closed(_) | OutboundError::UnknownHost)
        );
        assert!(is_closed, "{spelled}: {told:?}");
    }
}

#[tokio::test]
async fn the_certificate_must_be_of_the_name_that_was_asked_for() {
    let made = rcgen::generate_simple_self_signed(vec!["right.example".to_owned()]).expect("made");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .expect("a key");
    shared::tls::install_provider();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let tls = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address");
    let names = ["right.example", "wrong.example"].map(|name| (name.to_owned(), place));
    let outbound = Outbound::new(OutboundParts {
        tls,
        names: Names::Fixed(BTreeMap::from(names)),
        allows_private: true,
    });
    let serving = async {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut read = [0; 4_096];
            let _ = stream.read(&mut read).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    };
    let asking = async {
        let right = outbound
            .post(&post("https://right.example/".to_owned()))
            .await;
        assert_eq!(right.map(|answer| answer.status), Ok(204));
        let wrong = outbound
            .post(&post("https://wrong.example/".to_owned()))
            .await;
        assert!(
            matches!(wrong, Err(OutboundError::Unreachable(_))),
            "{wrong:?}"
        );
    };
    tokio::select! {
        () = asking => {}
        () = serving => unreachable!("it serves for ever"),
    }
}
