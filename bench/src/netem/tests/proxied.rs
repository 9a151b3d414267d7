//! Borders in one process, by a proxy: late, cut and silenced as a real line would be, without rights.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::proxy::Proxy;
use super::super::schedule::Kind;
use super::*;

async fn pair(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

async fn start() -> (Proxy, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target: SocketAddr = listener.local_addr().unwrap();
    let proxy = Proxy::start("127.0.0.1:0", target, CALM).await.unwrap();
    (proxy, listener)
}

async fn tell(from: &mut TcpStream, to: &mut TcpStream, text: &[u8]) -> Duration {
    let begin = Instant::now();
    from.write_all(text).await.unwrap();
    let mut heard = vec![0; text.len()];
    let hearing = to.read_exact(&mut heard);
    tokio::time::timeout(PATIENCE, hearing)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard, text);
    begin.elapsed()
}

#[tokio::test]
async fn bytes_arrive_whole_and_late() {
    let (proxy, listener) = start().await;
    let (mut client, mut server) = pair(&proxy, &listener).await;
    let body: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let (mut read, mut write) = client.split();
    let mut heard = vec![0; body.len()];
    let begin = Instant::now();
    let (wrote, got) = tokio::join!(write.write_all(&body), server.read_exact(&mut heard));
    wrote.unwrap();
    got.unwrap();
    assert!(begin.elapsed() >= CALM.delay);
    assert!(heard == body, "bytes were changed");
    // And its end arrives too, in order.
    drop(server);
    assert_eq!(read.read(&mut [0; 4]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_reset_reaches_both_ends_and_new_connections_live() {
    let (proxy, listener) = start().await;
    let (mut client, mut server) = pair(&proxy, &listener).await;
    tell(&mut client, &mut server, b"before").await;
    proxy.cut(Kind::Reset);
    for stream in [&mut client, &mut server] {
        let failed = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 4])).await;
        let failed = failed.unwrap().unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::ConnectionReset);
    }
    let (mut client, mut server) = pair(&proxy, &listener).await;
    tell(&mut client, &mut server, b"after").await;
}

#[tokio::test]
async fn a_half_close_ends_the_answer_and_lets_the_client_speak() {
    let (proxy, listener) = start().await;
    let (mut client, mut server) = pair(&proxy, &listener).await;
    tell(&mut server, &mut client, b"first").await;
    proxy.cut(Kind::HalfClose);
    let ended = tokio::time::timeout(PATIENCE, client.read(&mut [0; 4])).await;
    assert_eq!(ended.unwrap().unwrap(), 0);
    tell(&mut client, &mut server, b"still here").await;
}

#[tokio::test]
async fn a_stall_delays_and_loses_nothing() {
    let (proxy, listener) = start().await;
    let (mut client, mut server) = pair(&proxy, &listener).await;
    tell(&mut client, &mut server, b"before").await;
    let length = Duration::from_millis(200);
    proxy.cut(Kind::BlackHole(length));
    let took = tell(&mut client, &mut server, b"during").await;
    // The hole began a moment before the clock of this measurement.
    assert!(took + Duration::from_millis(20) >= length, "{took:?}");
}

#[tokio::test]
async fn a_silenced_connection_moves_nothing_and_the_other_lives() {
    let (proxy, listener) = start().await;
    let (mut busy, mut busy_far) = pair(&proxy, &listener).await;
    let (mut calm, mut calm_far) = pair(&proxy, &listener).await;
    tell(&mut busy_far, &mut busy, &[1; 900]).await;
    tell(&mut calm_far, &mut calm, b"little").await;
    proxy.cut(Kind::Flow);
    busy_far.write_all(b"never heard").await.unwrap();
    tell(&mut calm_far, &mut calm, b"heard").await;
    // What was written later on the other connection has arrived, this has not.
    let silent = std::future::poll_fn(|context| {
        let mut bytes = [0; 4];
        let mut buffer = tokio::io::ReadBuf::new(&mut bytes);
        std::task::Poll::Ready(busy.poll_peek(context, &mut buffer).is_pending())
    });
    assert!(silent.await);
}
