//! Any sequence of operations against a simple reference.

use proptest::prelude::*;
use shared::clock::Moment;
use shared::credits::Credits;
use shared::id::{BootId, GenerationId, TenantId};
use shared::zone::Zone;

use super::super::rules::Books;
use super::super::{
    GrantKind, HoldError, HoldRequest, NewGrant, SettleError, StoredSnapshot, Unknown,
};

const HOLDS: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    Grant {
        micros: i64,
        expires_in: Option<u16>,
    },
    Hold {
        slot: usize,
        micros: i64,
        least: i64,
    },
    Settle {
        slot: usize,
        micros: i64,
    },
    Release {
        slot: usize,
    },
    GiveBack {
        slot: usize,
        promised: bool,
    },
    Wait {
        ms: u16,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_i64..1_000, proptest::option::of(1_u16..500))
            .prop_map(|(micros, expires_in)| Step::Grant { micros, expires_in }),
        (0..HOLDS, 0_i64..1_500, 0_i64..1_500).prop_map(|(slot, a, b)| Step::Hold {
            slot,
            micros: a.max(b),
            least: a.min(b)
        }),
        (0..HOLDS, 0_i64..2_000).prop_map(|(slot, micros)| Step::Settle { slot, micros }),
        (0..HOLDS).prop_map(|slot| Step::Release { slot }),
        (0..HOLDS, any::<bool>()).prop_map(|(slot, promised)| Step::GiveBack { slot, promised }),
        (0_u16..300).prop_map(|ms| Step::Wait { ms }),
    ];
    prop::collection::vec(step, 1..80)
}

pub(super) fn request(
    id: &GenerationId,
    tenant: &TenantId,
    micros: i64,
    least: i64,
) -> HoldRequest {
    HoldRequest {
        id: id.clone(),
        tenant: tenant.clone(),
        amount: Credits::from_micros(micros),
        least: Credits::from_micros(least),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: BootId::from_stored("boot_test".to_owned()).into(),
        snapshot: StoredSnapshot::default(),
        deadline_at: Moment::from_unix_ms(i64::MAX),
    }
}

fn check(books: &Books, tenant: &TenantId) {
    let Some(account) = books.accounts.get(tenant) else {
        return;
    };
    let t = account.totals;
    let remaining: i64 = account.grants.iter().map(|g| g.remaining.micros()).sum();
    assert_eq!(t.grants, remaining, "grants are what remains in them");
    let open = account.holds.values();
    let held: i64 = open.clone().map(|b| b.hold.held.micros()).sum();
    assert_eq!(t.held, held, "held is the sum of open holds");
    for book in open {
        let parts: i64 = book.allocations.iter().map(|a| a.micros).sum();
        assert_eq!(
            parts,
            book.hold.held.micros(),
            "a hold is the sum of its parts"
        );
    }
    let settled: i64 = books.closed.values().map(|h| h.settled.micros()).sum();
    assert_eq!(t.revenue, settled, "revenue is what was settled");
    let folded: i64 = books.changes.entries.iter().map(|e| e.deltas.grants).sum();
    assert_eq!(t.grants, folded, "the account is the fold of its entries");
    for entry in &books.changes.entries {
        let d = entry.deltas;
        let sum =
            d.grants + d.held + d.revenue + d.breakage + d.refund + d.debt + d.loss + d.issuance;
        assert_eq!(sum, 0, "an entry sums to zero");
    }
    let numbers: Vec<i64> = books.changes.entries.iter().map(|e| e.number).collect();
    assert_eq!(
        numbers,
        (1..=t.entries).collect::<Vec<_>>(),
        "entries are numbered without gaps"
    );
}

/// A hold of a new id takes what there is, or is refused because that is too little.
fn hold_step(books: &mut Books, request: &HoldRequest, now: Moment) {
    let known = books.fresh.contains_key(&request.id);
    let account = books.accounts.get(&request.tenant);
    let available = account.map_or(0, |a| a.available(now));
    let answer = books.hold(request, now);
    if known {
        return;
    }
    match answer {
        Ok(held) => assert_eq!(held.micros(), available.min(request.amount.micros())),
        Err(HoldError::Insufficient { .. }) => assert!(available < request.least.micros()),
        Err(other) => panic!("{other}"),
    }
}

/// A settlement charges at most what was held, keeps promises and answers the same again.
fn settle_step(books: &mut Books, tenant: &TenantId, id: &GenerationId, micros: i64, now: Moment) {
    let open = books.is_open(tenant, id);
    let unknown = books.closed.get(id).and_then(|hold| hold.unknown);
    let open = open || unknown.is_some();
    let used = Credits::from_micros(micros);
    let available = books.accounts.get(tenant).map_or(0, |a| a.available(now));
    let answer = books.settle(id, tenant, used, now);
    assert!(
        !(open && answer.is_err()),
        "an open hold, and one of an unknown end, can always be settled"
    );
    if let Ok(settlement) = &answer {
        let held = books.closed[id].held.micros();
        let (charged, short) = (settlement.charged.micros(), settlement.shortfall.micros());
        assert!(charged <= held, "nobody pays more than was held");
        assert_eq!(charged + short, micros, "the rest is told");
        if unknown.is_some() {
            assert!(charged <= available, "and nobody pays what is not there");
        }
    }
    let promised = unknown.is_some_and(|unknown| unknown.promised);
    if promised {
        let charged = answer.as_ref().map_or(0, |s| s.charged.micros());
        assert_eq!(charged, 0, "a promise is kept");
    }
    if open && !promised {
        let entries = books.changes.entries.len();
        let again = books
            .settle(id, tenant, used, now)
            .expect("the same answer");
        let answer = answer.expect("settled");
        assert_eq!(again.charged, answer.charged);
        assert_eq!(again.shortfall, answer.shortfall);
        assert!(matches!(
            books.release(id, tenant, None, now),
            Err(SettleError::Closed)
        ));
        assert_eq!(
            books.changes.entries.len(),
            entries,
            "a repeated settlement changes nothing"
        );
    }
}

fn take(
    books: &mut Books,
    step: &Step,
    tenant: &TenantId,
    ids: &[GenerationId],
    now: &mut Moment,
    grants: &mut u32,
) {
    match step {
        Step::Grant { micros, expires_in } => {
            *grants += 1;
            let expires_at =
                expires_in.map(|ms| now.after(std::time::Duration::from_millis(ms.into())));
            let new = NewGrant {
                tenant: tenant.clone(),
                kind: GrantKind::Manual,
                amount: Credits::from_micros(*micros),
                source_key: format!("g{grants}"),
                expires_at,
                note: String::new(),
            };
            let first = books.grant(&new, *now).expect("a new key");
            let entries = books.changes.entries.len();
            assert_eq!(books.grant(&new, *now).expect("the same").id, first.id);
            assert_eq!(
                books.changes.entries.len(),
                entries,
                "a repeated grant changes nothing"
            );
        }
        Step::Hold {
            slot,
            micros,
            least,
        } => hold_step(books, &request(&ids[*slot], tenant, *micros, *least), *now),
        Step::Settle { slot, micros } => settle_step(books, tenant, &ids[*slot], *micros, *now),
        Step::Release { slot } => {
            let open = books.is_open(tenant, &ids[*slot]);
            let answer = books.release(&ids[*slot], tenant, None, *now);
            assert!(
                !(open && answer.is_err()),
                "an open hold can always be released"
            );
        }
        Step::GiveBack { slot, promised } => {
            let open = books.is_open(tenant, &ids[*slot]);
            let unknown = Unknown {
                ask_until: now.after(std::time::Duration::from_secs(60)),
                promised: *promised,
            };
            let answer = books.release(&ids[*slot], tenant, Some(unknown), *now);
            assert!(
                !(open && answer.is_err()),
                "an open hold can always be given back"
            );
            if open {
                assert!(books.is_unknown(tenant, &ids[*slot]));
            }
        }
        Step::Wait { ms } => *now = now.after(std::time::Duration::from_millis((*ms).into())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_sequence_of_operations_keeps_the_books_exact(steps in steps()) {
        let tenant = TenantId::from_stored("ten_a".to_owned());
        let ids: Vec<GenerationId> = (0..HOLDS).map(|n| GenerationId::from_stored(format!("gen_{n}"))).collect();
        let (mut books, mut now, mut grants) = (Books::default(), Moment::from_unix_ms(1_000), 0);
        for step in &steps {
            take(&mut books, step, &tenant, &ids, &mut now, &mut grants);
            check(&books, &tenant);
        }
    }
}
