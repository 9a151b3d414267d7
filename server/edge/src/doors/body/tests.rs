//! Bodies stay within their size, time and shared budget, and give all of it back.

use tokio::time::sleep;

use super::*;

const BOUNDS: Bounds = Bounds {
    bytes: 1024 * 1024,
    time: Duration::from_secs(60),
};

fn upload(budget: &BodyBudget, body: Body, announced: Option<usize>) -> Upload {
    let mut request = Request::builder();
    if let Some(bytes) = announced {
        request = request.header(CONTENT_LENGTH, bytes.to_string());
    }
    Upload::of(&mut request.body(body), budget).expect("a body")
}

fn pieces(pieces: usize, bytes: usize) -> Body {
    let pieces = (0..pieces).map(move |_| Ok::<_, std::io::Error>(vec![b'x'; bytes]));
    Body::from_bytes_stream(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn a_body_keeps_its_share_until_its_last_bytes_are_gone() {
    let budget = BodyBudget::new(0, 1024 * 1024);
    let body = upload(&budget, pieces(10, 100_000), Some(1_000_000));
    let bytes = body.read(BOUNDS).await.expect("read");
    assert_eq!((bytes.len(), budget.used()), (1_000_000, 1_000_000));
    let part = bytes.slice(..10);
    drop(bytes);
    assert_eq!(budget.used(), 1_000_000);
    drop(part);
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused_and_leave_nothing_behind() {
    let budget = BodyBudget::new(4 * 1024 * 1024, 1024 * 1024);
    let mut kept = Vec::new();
    loop {
        match upload(&budget, pieces(10, 100_000), None)
            .read(BOUNDS)
            .await
        {
            Ok(bytes) => kept.push(bytes),
            Err(error) => {
                assert_eq!(error, BodyError::Busy);
                break;
            }
        }
        assert!(kept.len() < 5, "the budget holds no more");
    }
    let small = upload(&budget, pieces(1, 1_000), Some(1_000));
    let small = small.read(BOUNDS).await;
    assert!(small.is_ok(), "large ones leave room for small ones");
    drop(small);
    kept.clear();
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn bodies_that_are_too_large_or_too_slow_are_cut() {
    let budget = BodyBudget::new(0, 2 * 1024 * 1024);
    let announced = upload(&budget, pieces(1, 10), Some(1024 * 1024 + 1));
    assert_eq!(
        announced.read(BOUNDS).await,
        Err(BodyError::TooLarge(BOUNDS.bytes))
    );
    let streamed = upload(&budget, pieces(11, 100_000), None);
    assert_eq!(
        streamed.read(BOUNDS).await,
        Err(BodyError::TooLarge(BOUNDS.bytes))
    );
    let silent = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let silent = upload(&budget, Body::from_bytes_stream(silent), None);
    let short = Bounds {
        time: Duration::from_millis(200),
        ..BOUNDS
    };
    assert_eq!(silent.read(short).await, Err(BodyError::Slow));
    let trickle = futures_util::stream::unfold((), |()| async {
        sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>(vec![b'x'; 10]), ()))
    });
    let trickle = upload(&budget, Body::from_bytes_stream(trickle), None);
    assert_eq!(trickle.read(short).await, Err(BodyError::Slow));
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn a_short_rest_is_drained_and_a_long_one_is_not() {
    let budget = BodyBudget::new(0, 1024);
    assert!(upload(&budget, pieces(2, 1_000), Some(2_000)).drain().await);
    assert!(
        !upload(&budget, pieces(2, 1_000), Some(1_000_000))
            .drain()
            .await
    );
    assert!(!upload(&budget, pieces(100, 1_000), None).drain().await);
    let silent = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    assert!(
        !upload(&budget, Body::from_bytes_stream(silent), Some(10))
            .drain()
            .await
    );
    let read = upload(&budget, pieces(1, 1_000), Some(1_000));
    read.read(BOUNDS).await.expect("read");
    assert!(read.drain().await);
}
