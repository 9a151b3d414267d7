//! A plan schedules exactly its calls and none after its end, and absurd plans are refused.

use super::*;

fn plan(warmup: Duration, measured: Duration) -> Plan {
    let call = Call::get("http://127.0.0.1:9/").unwrap();
    Plan {
        call,
        connections: 1,
        threads: 1,
        warmup,
        measured,
        per_second: None,
        pids: Vec::new(),
    }
}

#[tokio::test]
async fn a_constant_rate_schedules_exactly_rate_times_seconds() {
    let due = Due::scheduled(&plan(Duration::ZERO, Duration::from_millis(50)), 1_000).unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    let mut times = Vec::new();
    while let Some(at) = due.next(end).await {
        times.push(at);
    }
    assert_eq!(times.len(), 50);
    assert!(
        times
            .windows(2)
            .all(|pair| pair[1] - pair[0] == Duration::from_millis(1))
    );
    assert_eq!(due.left(), 0);
}

#[tokio::test]
async fn nothing_begins_after_the_end() {
    assert_eq!(Due::WhenFree.next(Instant::now()).await, None);
}

#[test]
fn absurd_schedules_are_refused() {
    let hour = plan(Duration::ZERO, Duration::from_hours(1));
    assert!(Due::scheduled(&hour, 0).is_err());
    assert!(Due::scheduled(&hour, u32::MAX).is_err());
}

#[test]
fn a_run_against_nothing_ends_with_a_sentence() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut plan = plan(Duration::ZERO, Duration::from_secs(1));
    plan.call = Call::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let failure = run(&plan).unwrap_err().to_string();
    assert!(
        failure.contains("nothing listens on 127.0.0.1"),
        "{failure}"
    );
}
