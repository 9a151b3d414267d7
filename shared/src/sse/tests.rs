//! Any split of a stream gives the same events, within the budget that streams share.

use proptest::prelude::*;

use super::*;

/// Events of any form a provider may send, with one kind of line end each.
fn event() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[a-z ]{0,12}".prop_map(|text| {
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}")
        }),
        1 => Just("data: [DONE]".to_owned()),
        1 => ": [a-z]{0,8}".prop_map(|text| text),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    (prop::collection::vec(line, 1..3), end).prop_map(|(lines, end)| {
        let text = lines.join(end);
        format!("{text}{end}{end}").into_bytes()
    })
}

/// The events of a stream that arrives in these parts, what goes on of it, and its rest.
fn read<'a>(
    parts: impl Iterator<Item = &'a [u8]>,
    keep: fn(&[u8]) -> Keep,
) -> (Vec<Vec<u8>>, Vec<u8>, Bytes) {
    let (mut events, mut whole, mut out) = (Events::default(), Vec::new(), Vec::new());
    for part in parts {
        let pushed = events.push(Bytes::copy_from_slice(part), &mut out, |event| {
            whole.push(event.to_vec());
            keep(event)
        });
        pushed.expect("small events");
    }
    (whole, out.concat(), events.rest())
}

/// Each event by its length in another way.
fn mixed(event: &[u8]) -> Keep {
    match event.len() % 4 {
        0 => Keep::All,
        1 => Keep::Without(1..3),
        2 => Keep::Nothing,
        _ => Keep::Instead(Bytes::from_static(b"other")),
    }
}

fn kept(event: &[u8]) -> Vec<u8> {
    match mixed(event) {
        Keep::All => event.to_vec(),
        Keep::Without(range) => [&event[..range.start], &event[range.end..]].concat(),
        Keep::Nothing => Vec::new(),
        Keep::Instead(other) => other.to_vec(),
    }
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_events_and_the_same_output(
        events in prop::collection::vec(event(), 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let all = events.concat();
        let expected = read(std::iter::once(all.as_slice()), |_| Keep::All);
        let joined: Vec<u8> = expected.1.iter().chain(&expected.2).copied().collect();
        prop_assert_eq!(&joined, &all, "no byte is lost or changed");
        prop_assert_eq!(&expected.0.concat(), &expected.1);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
        places.extend([0, all.len()]);
        places.sort_unstable();
        let parts = || places.windows(2).map(|pair| &all[pair[0]..pair[1]]);
        prop_assert_eq!(&read(parts(), |_| Keep::All), &expected);
        prop_assert_eq!(&read(all.chunks(1), |_| Keep::All), &expected);
        let changed: Vec<u8> = expected.0.iter().flat_map(|event| kept(event)).collect();
        prop_assert_eq!(&read(parts(), mixed).1, &changed);
        prop_assert_eq!(&read(all.chunks(1), mixed).1, &changed);
    }
}

#[test]
fn events_that_came_whole_go_on_as_one_slice() {
    let (mut events, mut out) = (Events::default(), Vec::new());
    let bytes = Bytes::from_static(b"data: a\n\ndata: b\n\ndata: c\n\ndata: d");
    events
        .push(bytes.clone(), &mut out, |_| Keep::All)
        .expect("small");
    assert_eq!(out, [bytes.slice(..27)]);
    assert_eq!(out[0].as_ptr(), bytes.as_ptr(), "nothing is copied");
    assert!(!events.is_between());
}

fn of_budget(budget: &'static Budget) -> Events {
    let mut events = Events::default();
    events.budget = budget;
    events
}

#[test]
fn a_large_event_passes_and_a_larger_one_is_refused_before_it_grows() {
    let (mut events, mut out) = (Events::default(), Vec::new());
    let part = Bytes::from(vec![b'x'; EVENT_BYTES_MAX / 4]);
    for _ in 0..4 {
        assert!(events.push(part.clone(), &mut out, |_| Keep::All).is_ok());
    }
    let one_more = events.push(part, &mut out, |_| Keep::All);
    assert_eq!(one_more, Err(EventTooLarge));
    // Looked through once and not again with each part: a thousand parts are not a thousand times
    // the work.
    let mut events = Events::default();
    let line = Bytes::from(vec![b'y'; 8 * 1024]);
    for _ in 0..2_000 {
        events
            .push(line.clone(), &mut out, |_| Keep::All)
            .expect("below the bound");
    }
    let end = Bytes::from_static(b"\n\n");
    events.push(end, &mut out, |_| Keep::All).expect("its end");
    assert_eq!(out.last().map(Bytes::len), Some(2_000 * 8 * 1024 + 2));
    assert_eq!(events.kept.capacity(), 0, "the memory is given back");
}

#[test]
fn streams_share_a_budget_for_large_events_and_give_it_back() {
    static BUDGET: Budget = Budget::new(1_000_000);
    let part = Bytes::from(vec![b'x'; 700_000]);
    let mut out = Vec::new();
    let (mut first, mut second) = (of_budget(&BUDGET), of_budget(&BUDGET));
    assert!(first.push(part.clone(), &mut out, |_| Keep::All).is_ok());
    let refused = second.push(part.clone(), &mut out, |_| Keep::All);
    assert_eq!(refused, Err(EventTooLarge));
    let small = Bytes::from_static(b"data: small");
    let mut third = of_budget(&BUDGET);
    assert!(third.push(small, &mut out, |_| Keep::All).is_ok());
    first
        .push(Bytes::from_static(b"\n\n"), &mut out, |_| Keep::All)
        .expect("its end");
    let mut fourth = of_budget(&BUDGET);
    assert!(fourth.push(part, &mut out, |_| Keep::All).is_ok());
    drop(fourth);
    assert_eq!(BUDGET.taken.load(Ordering::Relaxed), 0);
}
