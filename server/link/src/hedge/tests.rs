//! A stream's rhythm is learnt from a few gaps, and late is what falls far outside it.

use super::*;

fn after(gaps: &GapEstimate, fruitless: u32) -> Option<Duration> {
    let late_at = gaps.late_at(fruitless)?;
    Some(late_at - gaps.last)
}

#[test]
fn a_rhythm_is_known_after_a_few_gaps_and_lateness_is_beyond_it() {
    let start = Instant::now();
    let mut gaps = GapEstimate::new(start);
    assert_eq!(after(&gaps, 0), None);
    for n in 1..=20 {
        gaps.beat(start + Duration::from_millis(50) * n);
    }
    let even = after(&gaps, 0).unwrap();
    assert!(even >= Duration::from_millis(349) && even < Duration::from_millis(360));
    // A provider that hands out its tokens in bursts is not late between two of them.
    let mut now = gaps.last;
    for n in 0..40 {
        now += Duration::from_millis(if n % 4 == 0 { 400 } else { 1 });
        gaps.beat(now);
    }
    assert!(after(&gaps, 0).unwrap() > Duration::from_millis(700));
    assert!(after(&gaps, 3).unwrap() > Duration::from_millis(2_700));
}
