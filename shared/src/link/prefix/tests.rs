//! A joined body is the original or it is unknown; memory is bounded; tenants never meet.

use proptest::prelude::*;

use super::*;

/// `length` bytes that differ from block to block and from seed to seed.
fn body_of(seed: u8, length: usize) -> Bytes {
    (0..length)
        .map(|at| seed ^ u8::try_from((at / 7 + at / BLOCK_BYTES) % 251).unwrap())
        .collect()
}

fn root(tenant: &str) -> Root {
    Root::of(tenant.as_bytes())
}

/// Sends `body` as the two sides would, over headers as text. Answers whether it was joined, and
/// what arrived.
fn send(seen: &mut Seen, gateway: &mut Prefixes, root: Root, body: &Bytes) -> (bool, Bytes) {
    let chain = ChainedBody::new(root, body.clone());
    if let Some(prefix) = seen.longest_known(&chain) {
        let named: Prefix = prefix.to_string().parse().unwrap();
        let whole: BodyHash = BodyHash::of(body).to_string().parse().unwrap();
        let found = gateway.find(&named);
        if let Some(joined) = found.and_then(|found| found.join(&chain.rest(&prefix), &whole)) {
            gateway.remember(&joined);
            seen.remember(&chain);
            return (true, joined.body().clone());
        }
        seen.forget(&chain);
    }
    let arrived = ChainedBody::new(root.to_string().parse().unwrap(), body.clone());
    gateway.remember(&arrived);
    seen.remember(&chain);
    (false, arrived.body().clone())
}

#[test]
fn the_next_message_of_a_conversation_sends_its_end_only() {
    let (mut seen, mut gateway) = (Seen::new(1 << 20), Prefixes::new(1 << 20));
    let mut body = body_of(1, 50_000);
    let mut sent = Vec::new();
    for _ in 0..4 {
        let chain = ChainedBody::new(root("a"), body.clone());
        let known = seen
            .longest_known(&chain)
            .map_or(0, |prefix| prefix.length());
        sent.push(body.len() - known);
        let (joined, arrived) = send(&mut seen, &mut gateway, root("a"), &body);
        assert_eq!((joined, &arrived), (known > 0, &body));
        // The last bytes of a request change when the next message comes.
        body = [&body[..body.len() - 2], &body_of(9, 3_000)]
            .concat()
            .into();
    }
    assert_eq!(sent[0], 50_000);
    assert!(
        sent[1..].iter().all(|sent| *sent < 3_000 + 2 * BLOCK_BYTES),
        "{sent:?}"
    );
}

#[test]
fn a_joined_body_has_the_same_hashes_as_a_whole_one() {
    let body = body_of(3, 40_000);
    let whole = ChainedBody::new(root("a"), body.clone());
    let mut gateway = Prefixes::new(1 << 20);
    gateway.remember(&ChainedBody::new(root("a"), body.slice(..20_000)));
    let prefix = Prefix {
        hash: whole.hashes[2],
        blocks: 3,
    };
    let found = gateway.find(&prefix).unwrap();
    let joined = found
        .join(&whole.rest(&prefix), &BodyHash::of(&body))
        .unwrap();
    assert_eq!((&joined.body, &joined.hashes), (&body, &whole.hashes));
}

#[test]
fn small_bodies_are_sent_whole() {
    let mut seen = Seen::new(1 << 20);
    for (length, hashes) in [(0, 0), (BODY_BYTES_MIN, 0), (BODY_BYTES_MIN + 1, 2)] {
        let chain = ChainedBody::new(root("a"), body_of(1, length));
        assert_eq!(chain.hashes.len(), hashes);
        seen.remember(&chain);
        assert_eq!(seen.longest_known(&chain).is_some(), hashes > 0);
    }
}

#[test]
fn another_tenant_never_matches() {
    let (mut seen, mut gateway) = (Seen::new(1 << 20), Prefixes::new(1 << 20));
    let body = body_of(1, 30_000);
    send(&mut seen, &mut gateway, root("a"), &body);
    let theirs = ChainedBody::new(root("b"), body.clone());
    assert_eq!(seen.longest_known(&theirs), None);
    for (at, hash) in theirs.hashes.iter().enumerate() {
        let prefix = Prefix {
            hash: *hash,
            blocks: at + 1,
        };
        assert!(gateway.find(&prefix).is_none());
    }
    assert_eq!(
        send(&mut seen, &mut gateway, root("b"), &body),
        (false, body.clone())
    );
    assert_eq!(
        send(&mut seen, &mut gateway, root("b"), &body),
        (true, body)
    );
}

#[test]
fn a_wrong_rest_or_a_wrong_length_joins_nothing() {
    let mut gateway = Prefixes::new(1 << 20);
    let body = body_of(1, 30_000);
    let chain = ChainedBody::new(root("a"), body.clone());
    gateway.remember(&chain);
    let prefix = Prefix {
        hash: chain.hashes[3],
        blocks: 4,
    };
    let whole = BodyHash::of(&body);
    let join = |gateway: &mut Prefixes, rest: &[u8]| {
        gateway.find(&prefix).unwrap().join(rest, &whole).is_some()
    };
    assert!(join(&mut gateway, &chain.rest(&prefix)));
    assert!(!join(&mut gateway, &body[prefix.length() + 1..]));
    assert!(!join(&mut gateway, b""));
    for blocks in [0, 3, 5, usize::MAX / BLOCK_BYTES] {
        assert!(gateway.find(&Prefix { blocks, ..prefix }).is_none());
    }
}

#[test]
fn a_gateway_that_forgot_is_found_out_and_gets_the_whole_body() {
    let (mut seen, mut gateway) = (Seen::new(1 << 20), Prefixes::new(1 << 20));
    let body = body_of(1, 30_000);
    send(&mut seen, &mut gateway, root("a"), &body);
    gateway = Prefixes::new(1 << 20);
    assert_eq!(
        send(&mut seen, &mut gateway, root("a"), &body),
        (false, body.clone())
    );
    assert_eq!(
        send(&mut seen, &mut gateway, root("a"), &body),
        (true, body.clone())
    );
    seen.clear();
    assert_eq!(
        send(&mut seen, &mut gateway, root("a"), &body),
        (false, body)
    );
}

#[test]
fn beginnings_that_are_used_outlive_those_that_are_not() {
    let room = 20 * BLOCK_COST_BYTES;
    let (mut seen, mut gateway) = (Seen::new(room), Prefixes::new(room));
    let used = body_of(1, 8 * BLOCK_BYTES);
    for seed in 2..30 {
        send(&mut seen, &mut gateway, root("a"), &used);
        send(
            &mut seen,
            &mut gateway,
            root("a"),
            &body_of(seed, 9 * BLOCK_BYTES),
        );
        assert_eq!(
            send(&mut seen, &mut gateway, root("a"), &used),
            (true, used.clone())
        );
        assert!(gateway.bytes() <= room);
    }
}

#[test]
fn a_body_larger_than_the_room_keeps_its_beginning() {
    let room = 4 * BLOCK_COST_BYTES;
    let mut gateway = Prefixes::new(room);
    let chain = ChainedBody::new(root("a"), body_of(1, 10 * BLOCK_BYTES));
    gateway.remember(&chain);
    assert!(gateway.bytes() <= room);
    let kept = |gateway: &mut Prefixes, blocks: usize| {
        let hash = chain.hashes[blocks - 1];
        gateway.find(&Prefix { hash, blocks }).is_some()
    };
    assert!(kept(&mut gateway, 4));
    assert!(!kept(&mut gateway, 5));
    let mut none = Prefixes::new(0);
    none.remember(&chain);
    assert_eq!((none.bytes(), kept(&mut none, 1)), (0, false));
}

#[test]
fn names_that_are_none_are_refused() {
    let hash = "00112233445566778899aabbccddeeff";
    for wrong in [
        "",
        "-",
        hash,
        &hash[1..],
        "zz",
        &format!("{hash}-0"),
        &format!("{hash}-4095"),
    ] {
        assert_eq!(wrong.parse::<Prefix>(), Err(NameError), "{wrong}");
    }
    for wrong in [
        format!("{hash}--4096"),
        format!("{hash}-99999999999999999999"),
        format!("{}-4096", &hash[2..]),
    ] {
        assert_eq!(wrong.parse::<Prefix>(), Err(NameError), "{wrong}");
    }
    assert_eq!(
        format!("{hash}-8192").parse::<Prefix>().unwrap().length(),
        8192
    );
    assert!("é".repeat(16).parse::<Root>().is_err());
    assert!(hash.parse::<BodyHash>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Conversations that grow, fork and lose their ends, of two tenants, through a store with room
    /// for a few of them, where the two sides have different room and the gateway is restarted.
    #[test]
    fn what_arrives_is_always_what_was_sent(
        steps in prop::collection::vec(
            (0..3_u8, any::<bool>(), 0..40_000_usize, 0..20_000_usize, 0..20_u8), 1..40,
        ),
        seen_blocks in 0..40_usize,
        gateway_blocks in 0..40_usize,
    ) {
        let room = gateway_blocks * BLOCK_COST_BYTES;
        let mut seen = Seen::new(seen_blocks * BLOCK_COST_BYTES);
        let mut gateway = Prefixes::new(room);
        for (seed, tenant, shared, own, event) in steps {
            if event == 0 {
                gateway = Prefixes::new(room);
            }
            let root = root(if tenant { "a" } else { "b" });
            let body: Bytes = [body_of(seed, shared), body_of(event, own)].concat().into();
            let (_, arrived) = send(&mut seen, &mut gateway, root, &body);
            prop_assert_eq!(arrived, body);
            prop_assert!(gateway.bytes() <= room);
            prop_assert!(seen.hashes.len() <= seen_blocks);
            prop_assert_eq!(gateway.blocks.order.len(), gateway.blocks.entries.len());
            // What is kept is never without its beginning.
            for (_, block) in gateway.blocks.entries.values() {
                if let Some(before) = block.before {
                    prop_assert!(gateway.blocks.get(&before).is_some());
                }
            }
        }
    }
}
