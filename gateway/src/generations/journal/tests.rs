//! The journal over folders that were left behind, spoiled, shared, full and gone.

use std::path::Path;
use std::time::Instant;

use futures_util::future::join_all;
use shared::fault::{Fault, FaultKind};
use shared::link::{Outcome, Parting};
use shared::units::{Unit, Usage};

use super::super::failure;
use super::super::register::End;
use super::super::taken::{Taking, Untaken};
use super::segment::{SEGMENT_BYTES, files};
use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn settings(folder: &Path) -> JournalSettings {
    JournalSettings {
        folder: folder.join("generations"),
        kept: 72 * HOUR,
        bytes_max: 1024 * 1024 * 1024,
        kept_least: 2 * HOUR,
    }
}

fn open_with(settings: JournalSettings, clock: &Clock, metrics: &Metrics) -> OutcomeJournal {
    let metrics = JournalMetrics::new(metrics);
    OutcomeJournal::open(settings, &BootId::random(), clock.clone(), metrics).expect("a journal")
}

fn open(folder: &Path) -> OutcomeJournal {
    open_with(settings(folder), &Clock::system(), &Metrics::default())
}

fn outcome(output_tokens: u64, detail: &str) -> Outcome {
    Outcome {
        provider: "vendor".to_owned(),
        model: "theirs".to_owned(),
        key_last4: "abcd".to_owned(),
        attempts: 1,
        failed: Vec::new(),
        usage: Usage::of([(Unit::InputToken, 9), (Unit::OutputToken, output_tokens)]),
        taken: None,
        fault: (!detail.is_empty()).then(|| Fault::new(FaultKind::Interrupted, detail)),
        first_byte_ms: 3,
        duration_ms: 4,
        made_by: None,
    }
}

/// A whole answer that nobody took yet.
fn answered(outcome: Outcome) -> Ended {
    Ended {
        content_type: crate::providers::ContentType::default(),
        dropped: Arc::default(),
        end: End::Outcome(Arc::new(outcome)),
        whole: true,
        length: 500,
        output: None,
        untaken: Some(Untaken::whole(500)),
    }
}

/// Output tokens in all, and in what was taken where that was not all.
async fn told(journal: &OutcomeJournal, id: &GenerationId) -> Option<(u64, Option<u64>)> {
    let Remembered::Ended(ended, fingerprint) = journal.find(id).await else {
        return None;
    };
    assert_eq!(fingerprint, 7);
    let shared::link::GenerationStatus::Ended { outcome } = ended.status(Parting::Abandoned) else {
        panic!("an outcome")
    };
    let taken = outcome.taken.map(|usage| usage.count(Unit::OutputToken));
    Some((outcome.usage.count(Unit::OutputToken), taken))
}

/// The journal's end, waited for: its files are free.
async fn close(journal: OutcomeJournal, folder: &Path) {
    drop(journal);
    let others = files(&folder.join("generations")).expect("readable");
    for path in others {
        let file = std::fs::File::open(path).expect("there");
        let free = || file.try_lock_shared().is_ok();
        while !free() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_later_life_knows_how_it_ended_what_was_taken_and_what_died() {
    let folder = tempfile::tempdir().expect("a folder");
    let ids: Vec<_> = (0..5).map(|_| GenerationId::random()).collect();
    let first = open(folder.path());
    let made = files(&folder.path().join("generations")).expect("a folder");
    assert!(made.is_empty(), "made when needed: {made:?}");
    for id in &ids[..4] {
        first.begun(id);
    }
    first.ended(&ids[0], 7, &answered(outcome(30, ""))).await;
    first.took(&ids[0]);
    first
        .ended(&ids[1], 7, &answered(outcome(31, "broke")))
        .await;
    let failed = End::Failure(Arc::new(failure(
        Fault::new(FaultKind::NoCapacity, "none"),
        2,
    )));
    let failed = Ended::remembered(failed, false, 0, None);
    drop(first.ended(&ids[2], 7, &failed));
    // The life that wrote it knows as well, for what it has forgotten.
    assert_eq!(told(&first, &ids[0]).await, Some((30, None)));
    close(first, folder.path()).await;
    for _ in 0..2 {
        let later = open(folder.path());
        assert_eq!(
            told(&later, &ids[0]).await,
            Some((30, None)),
            "all was taken"
        );
        assert_eq!(
            told(&later, &ids[1]).await,
            Some((31, Some(0))),
            "nothing was"
        );
        let Remembered::Ended(ended, _) = later.find(&ids[2]).await else {
            panic!("it failed")
        };
        assert!(matches!(ended.end, End::Failure(_)));
        assert!(matches!(later.find(&ids[3]).await, Remembered::Begun));
        assert!(matches!(later.find(&ids[4]).await, Remembered::Nothing));
        close(later, folder.path()).await;
    }
}

/// A stream of which `taken` of `output` tokens had been taken.
fn running(output: u64, taken: u64) -> Ended {
    let mut taking = Taking::default();
    for n in 1..=output {
        taking.put_out(n * 10, n);
    }
    taking.took(taken * 10);
    Ended {
        whole: false,
        length: output * 10,
        untaken: Some(taking.come()),
        ..answered(outcome(output, "the gateway died"))
    }
}

#[tokio::test]
async fn a_later_life_knows_how_far_a_stream_had_come_that_died_with_its_gateway() {
    let folder = tempfile::tempdir().expect("a folder");
    let ids: Vec<_> = (0..3).map(|_| GenerationId::random()).collect();
    let first = open(folder.path());
    for id in &ids {
        first.begun(id);
        first.came(id, 7, &running(20, 5));
        first.came(id, 7, &running(40, 38));
    }
    // All of what came is taken, and still it had not ended.
    first.came(&ids[1], 7, &running(50, 50));
    first.ended(&ids[2], 7, &answered(outcome(60, ""))).await;
    first.took(&ids[2]);
    close(first, folder.path()).await;
    for _ in 0..2 {
        let later = open(folder.path());
        for (id, came, taken) in [(&ids[0], 40, 38), (&ids[1], 50, 50)] {
            let Remembered::Came(ended) = later.find(id).await else {
                panic!("it had come somewhere")
            };
            let status = ended.status(Parting::Abandoned);
            let shared::link::GenerationStatus::Ended { outcome } = status else {
                panic!("an outcome")
            };
            let count = |usage: &Usage| usage.count(Unit::OutputToken);
            assert_eq!(count(&outcome.usage), came);
            assert_eq!(outcome.taken.as_ref().map(count), Some(taken));
            assert!(outcome.fault.is_some(), "it is not whole");
        }
        assert_eq!(told(&later, &ids[2]).await, Some((60, None)), "it ended");
        close(later, folder.path()).await;
    }
}

#[tokio::test]
async fn a_file_is_filled_ahead_while_it_is_written_and_read_as_a_killed_life_left_it() {
    let (folder, killed) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let ids: Vec<_> = (0..3).map(|_| GenerationId::random()).collect();
    let first = open(folder.path());
    for (n, id) in (0..).zip(&ids) {
        first.ended(id, 7, &answered(outcome(n, ""))).await;
    }
    let there = || {
        let mut files = files(&folder.path().join("generations")).expect("readable");
        files.remove(0)
    };
    let left = std::fs::read(there()).expect("readable");
    assert_eq!(left.last(), Some(&0), "zeros stand behind the lines");
    std::fs::create_dir(killed.path().join("generations")).expect("a folder");
    let name = there().file_name().expect("a name").to_owned();
    std::fs::write(killed.path().join("generations").join(name), &left).expect("written");
    close(first, folder.path()).await;
    let sealed = std::fs::read(there()).expect("readable");
    assert_eq!(sealed.last(), Some(&b'\n'), "whoever ends well leaves none");
    assert!(left.starts_with(&sealed));
    for folder in [folder.path(), killed.path()] {
        let later = open(folder);
        for (n, id) in (0..).zip(&ids) {
            assert_eq!(told(&later, id).await, Some((n, Some(0))));
        }
        close(later, folder).await;
    }
}

#[tokio::test]
async fn torn_and_spoiled_lines_cost_nothing_but_themselves() {
    let folder = tempfile::tempdir().expect("a folder");
    let ids: Vec<_> = (0..9).map(|_| GenerationId::random()).collect();
    let first = open(folder.path());
    for (n, id) in (0..).zip(&ids) {
        first.ended(id, 7, &answered(outcome(n, ""))).await;
    }
    close(first, folder.path()).await;
    let path = files(&folder.path().join("generations"))
        .expect("readable")
        .remove(0);
    let whole = std::fs::read(&path).expect("readable");
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 9);
    let mut spoiled = lines[..3].concat();
    let mut flipped = lines[3].to_vec();
    flipped[40] ^= 1;
    spoiled.extend(flipped);
    spoiled.extend(b"\xff\0\n\n");
    spoiled.extend(&lines[4][..100]);
    spoiled.extend(lines[5..8].concat());
    spoiled.extend(&lines[8][..lines[8].len() - 1]);
    std::fs::write(&path, spoiled).expect("written");
    let later = open(folder.path());
    for (n, id) in (0..).zip(&ids) {
        // The sixth is glued to a torn one: its line is spoiled as well.
        let kept = ![3, 4, 5, 8].contains(&n);
        let expected = kept.then_some((n, Some(0)));
        assert_eq!(told(&later, id).await, expected, "line {n}");
    }
}

#[tokio::test]
async fn gateways_in_one_folder_leave_each_others_files_alone_while_they_live() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (open(folder.path()), open(folder.path()));
    let (id, running) = (GenerationId::random(), GenerationId::random());
    one.begun(&running);
    one.ended(&id, 7, &answered(outcome(5, ""))).await;
    assert!(
        matches!(other.find(&running).await, Remembered::Nothing),
        "it runs"
    );
    assert_eq!(
        told(&other, &id).await,
        None,
        "the other one answers for it"
    );
    close(one, folder.path()).await;
    let begun = Instant::now();
    while told(&other, &id).await != Some((5, Some(0))) {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it was taken over"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(matches!(other.find(&running).await, Remembered::Begun));
}

#[tokio::test]
async fn a_disk_that_fails_keeps_nobody_up_and_is_told_until_it_works_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let metrics = Metrics::default();
    let journal = open_with(settings(folder.path()), &Clock::system(), &metrics);
    // Where the folder should be stands a file: as root nothing else can't be written to.
    let place = folder.path().join("generations");
    std::fs::remove_dir_all(&place).expect("it has a name");
    std::fs::write(&place, "in the way").expect("written");
    let ids: Vec<_> = (0..3).map(|_| GenerationId::random()).collect();
    for id in &ids[..2] {
        let kept = journal.ended(id, 7, &answered(outcome(1, "")));
        let waited = tokio::time::timeout(Duration::from_secs(5), kept).await;
        assert!(waited.is_ok(), "it goes on");
    }
    let why = journal.broken().expect("it says so");
    assert!(why.starts_with("outcomes are not kept on disk: "), "{why}");
    assert!(
        metrics.page().contains("waule_outcomes_unwritten_total 2"),
        "{}",
        metrics.page()
    );
    std::fs::remove_file(&place).expect("removed");
    let begun = Instant::now();
    while journal.broken().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        journal.ended(&ids[2], 7, &answered(outcome(2, ""))).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(told(&journal, &ids[2]).await, Some((2, Some(0))));
}

#[tokio::test]
async fn files_are_begun_anew_and_go_when_no_server_can_ask_for_them_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::fixed(Clock::system().now());
    let life = || open_with(settings(folder.path()), &clock, &Metrics::default());
    let first = life();
    let lines = usize::try_from(SEGMENT_BYTES).expect("small") / 2_048 + 100;
    let ids: Vec<_> = (0..lines).map(|_| GenerationId::random()).collect();
    let long = answered(outcome(8, &"x".repeat(2_048)));
    for part in ids.chunks(500) {
        join_all(part.iter().map(|id| first.ended(id, 7, &long))).await;
    }
    let there = || {
        files(&folder.path().join("generations"))
            .expect("readable")
            .len()
    };
    assert_eq!(there(), 2, "the first is full");
    for id in [&ids[0], &ids[lines / 2], &ids[lines - 1]] {
        assert_eq!(told(&first, id).await, Some((8, Some(0))));
    }
    close(first, folder.path()).await;
    clock.advance(71 * HOUR);
    close(life(), folder.path()).await;
    assert_eq!(there(), 2, "somebody may ask");
    clock.advance(2 * HOUR);
    close(life(), folder.path()).await;
    assert_eq!(there(), 0);
}

#[tokio::test]
async fn what_is_too_much_goes_early_but_never_while_a_server_may_ask() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::fixed(Clock::system().now());
    let small = JournalSettings {
        bytes_max: 2_000,
        ..settings(folder.path())
    };
    let id = GenerationId::random();
    for _ in 0..3 {
        let life = open_with(small.clone(), &clock, &Metrics::default());
        life.ended(&id, 7, &answered(outcome(1, &"x".repeat(600))))
            .await;
        close(life, folder.path()).await;
    }
    let there = || {
        files(&folder.path().join("generations"))
            .expect("readable")
            .len()
    };
    let life = |clock: &Clock| open_with(small.clone(), clock, &Metrics::default());
    close(life(&clock), folder.path()).await;
    assert_eq!(there(), 3);
    clock.advance(3 * HOUR);
    let last = life(&clock);
    assert_eq!(there(), 1, "the latest is within the bound");
    assert_eq!(told(&last, &id).await, Some((1, Some(0))));
}

/// Figures of this machine: `cargo test -p gateway --release journal_costs -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and checks only that syncs are shared"]
async fn what_the_journal_costs() {
    for at_once in [1, 16, 256, 2_048] {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a folder on a disk");
        let metrics = Metrics::default();
        let journal = open_with(settings(folder.path()), &Clock::system(), &metrics);
        let (journal, ended) = (&journal, &answered(outcome(300, "")));
        let rounds = (4_096 / at_once).min(400);
        let begun = Instant::now();
        let one = || async move {
            let mut waits = Vec::with_capacity(rounds);
            for _ in 0..rounds {
                let id = GenerationId::random();
                journal.begun(&id);
                let waits_from = Instant::now();
                journal.ended(&id, 7, ended).await;
                waits.push(waits_from.elapsed());
                journal.took(&id);
            }
            waits
        };
        let mut waits = join_all((0..at_once).map(|_| one())).await.concat();
        let (calls, took) = (waits.len(), begun.elapsed());
        waits.sort();
        let page = metrics.page();
        let count = page.lines().find_map(|line| {
            line.strip_prefix("waule_outcomes_commit_seconds_count ")?
                .parse::<usize>()
                .ok()
        });
        let commits = count.expect("counted");
        eprintln!(
            "{at_once:>5} at once: {:>7} calls/s, {commits} commits for {calls} calls, wait p50 {:?} p99 {:?}",
            calls as u128 * 1_000 / took.as_millis().max(1),
            waits[calls / 2],
            waits[calls * 99 / 100],
        );
        assert!(at_once < 16 || commits * 4 < calls, "they share syncs");
    }
}
