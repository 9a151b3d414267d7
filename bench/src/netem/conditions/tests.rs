//! Loss has the asked fraction and length, seeds repeat themselves, and jitter keeps the order.

use super::*;

const PLAIN: Conditions = Conditions {
    delay: Duration::from_millis(100),
    jitter: Duration::ZERO,
    loss: Loss::NONE,
    bits_per_second: None,
    queue_bytes: None,
    seed: 7,
};

fn runs(loss: Loss, packets: u32) -> (u32, u32) {
    let now = Instant::now();
    let mut line = Line::new(PLAIN, now);
    let (mut lost, mut begun, mut last) = (0, 0, false);
    for _ in 0..packets {
        let this = line.admit(now, 100, loss) == Fate::Lost;
        lost += u32::from(this);
        begun += u32::from(this && !last);
        last = this;
    }
    (lost, begun)
}

#[test]
fn independent_loss_has_the_asked_fraction() {
    let (lost, runs) = runs(Loss::independent(0.05), 100_000);
    // Three sigma of 100,000 draws are 207.
    assert!((4_793..=5_207).contains(&lost), "{lost}");
    let mean_run = f64::from(lost) / f64::from(runs);
    assert!(mean_run < 1.1, "{mean_run}");
}

#[test]
fn burst_loss_has_the_asked_fraction_and_length() {
    let loss = Loss {
        fraction: 0.02,
        burst: 4.0,
    };
    let (lost, runs) = runs(loss, 400_000);
    let fraction = f64::from(lost) / 400_000.0;
    assert!((0.018..=0.022).contains(&fraction), "{fraction}");
    let mean_run = f64::from(lost) / f64::from(runs);
    assert!((3.7..=4.3).contains(&mean_run), "{mean_run}");
}

#[test]
fn the_same_seed_gives_the_same_fates() {
    let now = Instant::now();
    let fates = |seed| {
        let mut line = Line::new(Conditions { seed, ..PLAIN }, now);
        let fate = |_| line.admit(now, 100, Loss::independent(0.3)) == Fate::Lost;
        (0..200).map(fate).collect::<Vec<_>>()
    };
    assert_eq!(fates(1), fates(1));
    assert_ne!(fates(1), fates(2));
}

#[test]
fn a_full_queue_refuses_and_an_idle_line_delays_by_the_time_of_sending() {
    let now = Instant::now();
    // 8 Mbit/s send 1,000 bytes in one millisecond.
    let mut line = Line::new(
        Conditions {
            bits_per_second: Some(8_000_000),
            queue_bytes: Some(2_500),
            ..PLAIN
        },
        now,
    );
    let ms = Duration::from_millis;
    assert_eq!(line.admit(now, 1_000, Loss::NONE), Fate::Due(now + ms(101)));
    assert_eq!(line.admit(now, 1_000, Loss::NONE), Fate::Due(now + ms(102)));
    assert_eq!(line.admit(now, 1_000, Loss::NONE), Fate::QueueFull);
    let later = now + ms(10);
    assert_eq!(
        line.admit(later, 1_000, Loss::NONE),
        Fate::Due(later + ms(101))
    );
}

#[test]
fn jitter_stays_in_bounds_and_keeps_the_order() {
    let now = Instant::now();
    let jitter = Duration::from_millis(30);
    let mut line = Line::new(Conditions { jitter, ..PLAIN }, now);
    let mut last = now;
    for step in 0..1_000 {
        let at = now + Duration::from_millis(step);
        let Fate::Due(due) = line.admit(at, 100, Loss::NONE) else {
            panic!("lost without loss");
        };
        assert!(due >= last);
        assert!(due >= at + PLAIN.delay);
        assert!(due < at + PLAIN.delay + jitter);
        last = due;
    }
}
