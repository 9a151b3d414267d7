//! Failing nodes are left out and let back in little by little, and work spreads over the rest.

use super::health::{FAILURES_MAX, Health, RAMP, REST_MIN};
use super::*;

fn address(base: &str, priority: u8) -> Address {
    Address {
        base: base.to_owned(),
        is_far: true,
        priority,
        name: String::new(),
        region: String::new(),
    }
}

fn ordered(key: &str, nodes: &[(Address, Health)], now: Moment) -> Vec<usize> {
    let candidates = nodes
        .iter()
        .enumerate()
        .map(|(at, (address, health))| Candidate {
            at,
            rank: 0,
            address,
            health,
            connected: true,
        });
    order(key, candidates, now)
}

#[test]
fn a_node_is_left_out_after_a_few_failures_and_let_back_in_little_by_little() {
    let clock = Clock::fixed(Moment::from_unix_ms(1_000));
    let nodes: Vec<_> = ["a", "b", "c"]
        .map(|name| (address(name, 0), Health::default()))
        .into();
    let first = ordered("gen_1", &nodes, clock.now());
    assert_eq!(first, ordered("gen_1", &nodes, clock.now()));
    let health = &nodes[first[0]].1;
    for _ in 0..FAILURES_MAX {
        assert_eq!(ordered("gen_1", &nodes, clock.now()), first);
        health.failed(&clock);
    }
    let second = ordered("gen_1", &nodes, clock.now());
    assert_eq!(
        second,
        [first[1], first[2], first[0]],
        "the others keep their order"
    );
    let share = |now| {
        let keys = (0..3_000).map(|n| format!("gen_{n}"));
        keys.filter(|key| ordered(key, &nodes, now)[0] == first[0])
            .count()
    };
    assert_eq!(share(clock.now()), 0);
    clock.advance(REST_MIN + RAMP / 2);
    let half = share(clock.now());
    assert!((350..650).contains(&half), "{half}");
    clock.advance(RAMP);
    let all = share(clock.now());
    assert!((850..1_150).contains(&all), "{all}");
    health.succeeded();
    assert_eq!(ordered("gen_1", &nodes, clock.now()), first);
}

#[test]
fn generations_spread_over_the_nodes_of_the_first_priority() {
    let nodes: Vec<_> = [("a", 0), ("b", 0), ("c", 1)]
        .map(|(name, priority)| (address(name, priority), Health::default()))
        .into();
    let mut counts = [0; 3];
    for n in 0..3_000 {
        counts[ordered(&n.to_string(), &nodes, Moment::from_unix_ms(0))[0]] += 1;
    }
    assert_eq!(counts[2], 0);
    assert!(
        counts[..2]
            .iter()
            .all(|count| (1_350..1_650).contains(count))
    );
}

#[test]
fn plain_http_is_for_near_gateways_only_and_options_are_checked() {
    for url in [
        "http://127.0.0.1:9000",
        "http://[::1]:9000/",
        "https://gw.example.com",
        "http://gateway:9000",
        "http://10.0.0.7",
        "http://2130706433:9000",
        "http://localhost.:9000",
    ] {
        assert!(Address::parse(url).is_ok(), "{url}");
    }
    for url in [
        "http://gw.example.com",
        "gw.example.com",
        "ftp://x",
        "https://gw.example.com/a",
        "http://8.8.8.8",
        "http://134744072",
        "http://[::ffff:8.8.8.8]",
        "",
        "https://gw.example.com#priority=x",
        "https://gw.example.com#prioritty=1",
        "https://gw.example.com#name=A",
    ] {
        assert!(Address::parse(url).is_err(), "{url}");
    }
    let second = Address::parse("https://gw.example.com:8443/#priority=2").expect("valid");
    assert_eq!(second, address("https://gw.example.com:8443", 2));
}

#[test]
fn what_was_seen_is_told_once_and_not_all_at_once() {
    let pool = Pool::new(
        "http://127.0.0.1:1",
        super::super::transport::Shape::of(1, false),
        None,
        Box::new(|| unreachable!("nothing is opened")),
    );
    let place = (address("a", 0), HeaderValue::from_static("secret"));
    let node = Node::new(place, pool.expect("a pool"), None, false);
    for _ in 0..=SEEN_MAX {
        node.saw(GenerationId::random());
    }
    assert_eq!(node.take_seen().len(), SEEN_MAX);
    assert_eq!(node.take_seen().len(), 1);
    assert!(node.take_seen().is_empty());
}
