//! A silence is told after a second, and a busy runtime does not blame its peers.

use super::*;

const LOOK: Duration = LOOK_EVERY;

fn look(heard: &mut Quiet, slept_ms: u64) {
    heard.looked(7, Duration::from_millis(slept_ms), LOOK);
}

#[test]
fn silence_is_told_after_a_second_by_a_runtime_that_has_time() {
    let mut heard = Quiet::default();
    look(&mut heard, 100);
    let looks = (1..10_000).find(|_| {
        look(&mut heard, 101);
        heard.is_beyond(SILENCE_MAX)
    });
    assert_eq!(looks, Some(11));
    heard.looked(8, LOOK, LOOK);
    assert!(!heard.is_beyond(SILENCE_MAX), "a sign ends it");
}

#[test]
fn silences_that_end_by_themselves_are_waited_for_the_next_time() {
    let alarms = FalseAlarms::default();
    assert_eq!(alarms.beyond(SILENCE_MAX), SILENCE_MAX);
    alarms.learn(Duration::from_millis(2_000));
    assert_eq!(alarms.beyond(SILENCE_MAX), Duration::from_millis(3_000));
    alarms.learn(Duration::from_millis(1_200));
    assert_eq!(alarms.beyond(SILENCE_MAX), Duration::from_millis(2_250));
    alarms.learn(Duration::from_secs(3_600));
    assert_eq!(alarms.beyond(SILENCE_MAX), LEARNED_MAX);
}

#[test]
fn a_runtime_without_time_takes_its_own_silence_for_nobodys() {
    let mut heard = Quiet::default();
    look(&mut heard, 100);
    // Five seconds in which it came to nothing.
    look(&mut heard, 5_000);
    assert!(heard.span <= LOOK);
    assert!(!heard.is_beyond(Duration::ZERO));
    // It counts again when looks come in time, several in a row.
    for _ in 0..IN_TIME_MIN {
        assert!(!heard.is_beyond(Duration::ZERO));
        look(&mut heard, 100);
    }
    assert!(heard.is_beyond(Duration::ZERO));
    // One that is late every other time never tells.
    for _ in 0..1_000 {
        look(&mut heard, 100);
        look(&mut heard, 400);
        assert!(!heard.is_beyond(SILENCE_MAX));
    }
}
