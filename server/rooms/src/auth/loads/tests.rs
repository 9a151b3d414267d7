//! Many who come at once with one credential cause one load.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn who_comes_with_one_credential_shares_one_load_for_a_moment() {
    let (loads, asked) = (Loads::default(), Arc::new(AtomicUsize::new(0)));
    let load = || {
        let asked = asked.clone();
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            Err(DbError::Unreachable("away".to_owned()))
        }
    };
    let at = Moment::from_unix_ms;
    let all = join_all((0..100).map(|n| loads.join("aa", at(n), load))).await;
    assert!(all.iter().all(Result::is_err), "all are told");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let later = i64::try_from(POLL_TRUSTED.as_millis()).expect("short");
    let (first, second) = (
        loads.join("aa", at(0), load),
        loads.join("aa", at(later), load),
    );
    let _ = tokio::join!(first, second);
    assert_eq!(
        asked.load(Ordering::SeqCst),
        3,
        "what began long ago is old"
    );
    let _ = tokio::join!(loads.join("aa", at(0), load), loads.join("bb", at(0), load));
    assert_eq!(asked.load(Ordering::SeqCst), 5, "each for itself");
    for n in 0..5_000 {
        // Given up at once.
        drop(loads.find(&n.to_string(), at(0), load));
    }
    assert!(loads.0.lock().expect("no panic").len() <= ENTRIES_KEPT);
}
