//! Clients with and without the right certificates against the loop on loopback.

use poem::Request;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connection::shake_hands;
use super::*;
use crate::tls::tests::Authority;
use crate::tls::{client_config, client_config_with, server_config};

/// How long something may take on a loaded machine.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A door that answers with the scheme of the request; open until it is dropped.
struct Door {
    address: SocketAddr,
    supervisor: Supervisor,
}

impl Door {
    /// With TLS as `tls` says.
    fn open(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = bind("127.0.0.1:0".parse().unwrap(), "PORT").unwrap();
        let address = listener.local_addr().unwrap();
        let supervisor = Supervisor::new();
        let listening = Listening {
            listener,
            stop: supervisor.stopping(),
            // Longer than any test waits.
            grace: 2 * WAIT_MAX,
            tick: None,
            tls,
        };
        let inner = supervisor.clone();
        supervisor.spawn("door", async move {
            let endpoint =
                poem::endpoint::make_sync(|request: Request| request.scheme().to_string());
            serve_on_cores(listening, endpoint, &inner).await
        });
        Self {
            address,
            supervisor,
        }
    }

    /// What a client reads that asks with `config`.
    async fn ask(&self, config: ClientConfig) -> io::Result<String> {
        let asking = async {
            let stream = TcpStream::connect(self.address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            ask(connector.connect(name, stream).await?).await
        };
        tokio::time::timeout(WAIT_MAX, asking)
            .await
            .expect("an answer in time")
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.supervisor.stop();
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<String> {
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn is_answer(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhttps")
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_who_knows_it_and_by_nobody_else() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let files = ours.issue("localhost");
    let door = Door::open(Some(server_config(files.identity(), None).unwrap()));
    let knowing = client_config_with(Some(&ours.ca()), None).unwrap();
    let answer = door.ask(knowing).await.unwrap();
    assert!(is_answer(&answer), "{answer}");
    let strangers = [
        client_config(),
        client_config_with(Some(&theirs.ca()), None).unwrap(),
    ];
    for stranger in strangers {
        let error = door.ask(stranger).await.unwrap_err().to_string();
        assert!(error.starts_with("invalid peer certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let ours = Authority::new();
    let files = ours.issue("elsewhere.example");
    let door = Door::open(Some(server_config(files.identity(), None).unwrap()));
    let error = door
        .ask(client_config_with(Some(&ours.ca()), None).unwrap())
        .await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("not valid for name")
    );
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_right_authority_are_let_in() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let files = ours.issue("localhost");
    let config = server_config(files.identity(), Some(&ours.ca())).unwrap();
    let door = Door::open(Some(config));
    let with = |identity| client_config_with(Some(&ours.ca()), identity).unwrap();
    let (right, wrong) = (ours.issue("server"), theirs.issue("server"));
    // The order shows that a refusal leaves the door open for the next.
    assert!(door.ask(with(None)).await.is_err());
    assert!(is_answer(
        &door.ask(with(Some(right.identity()))).await.unwrap()
    ));
    assert!(door.ask(with(Some(wrong.identity()))).await.is_err());
    assert!(is_answer(
        &door.ask(with(Some(right.identity()))).await.unwrap()
    ));
}

#[tokio::test]
async fn http_2_is_offered_first() {
    let ours = Authority::new();
    let files = ours.issue("localhost");
    let door = Door::open(Some(server_config(files.identity(), None).unwrap()));
    let mut config = client_config_with(Some(&ours.ca()), None).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let stream = TcpStream::connect(door.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_client_that_never_ends_the_handshake_blocks_neither_others_nor_the_stop() {
    let ours = Authority::new();
    let files = ours.issue("localhost");
    let door = Door::open(Some(server_config(files.identity(), None).unwrap()));
    let mut stalled = Vec::new();
    for number in 0..20 {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        if number % 2 == 0 {
            // The beginning of a ClientHello.
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        stalled.push(stream);
    }
    let knowing = client_config_with(Some(&ours.ca()), None).unwrap();
    assert!(is_answer(&door.ask(knowing).await.unwrap()));
    assert!(
        door.supervisor.finish(WAIT_MAX).await,
        "the door did not close"
    );
    drop(stalled);
}

#[tokio::test]
async fn a_handshake_takes_a_bounded_time() {
    let ours = Authority::new();
    let files = ours.issue("localhost");
    let tls = TlsAcceptor::from(server_config(files.identity(), None).unwrap());
    let (stream, _silent) = tokio::io::duplex(1024);
    let shaking = shake_hands(stream, &tls, Duration::from_millis(20));
    let shaken = tokio::time::timeout(WAIT_MAX, shaking)
        .await
        .expect("an end");
    assert_eq!(shaken.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn without_tls_the_door_speaks_plain_http() {
    let door = Door::open(None);
    let stream = TcpStream::connect(door.address).await.unwrap();
    let answer = ask(stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhttp"));
}
