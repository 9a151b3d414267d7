//! The stamped stream reads back whole, and only who asks for a stream gets one.

use super::super::stream::Reader;
use super::*;

#[tokio::test]
async fn a_stream_is_read_back_whole_with_its_stamps() {
    let epoch = Instant::now();
    let generation = Generation {
        rhythm: Rhythm {
            first: Duration::ZERO,
            between: Duration::from_millis(1),
            tokens: 5,
        },
        epoch,
        seen: Arc::new(Seen::default()),
    };
    let bytes = generation.stream().collect().await.unwrap().to_bytes();
    let now = Instant::now();
    let mut reader = Reader::new(epoch);
    reader.push(&bytes, now).unwrap();
    reader.end(5).unwrap();
    assert_eq!(reader.arrivals.len(), 5);
    for arrival in &reader.arrivals {
        assert!(arrival.delay <= now - epoch);
    }
    let event = bytes.len() / 7;
    assert!((200..=310).contains(&event), "{event} bytes an event");
}

#[test]
fn only_a_request_for_a_stream_gets_one() {
    assert!(asks_for_stream(br#"{"stream": true}"#));
    assert!(!asks_for_stream(br#"{"stream": false}"#));
    assert!(!asks_for_stream(br#"{"prompt": "\"stream\":true"}"#));
    assert!(!asks_for_stream(b"?"));
}
