//! Lists turn both ways, whatever arrives meanwhile, and filters let through exactly what they say.

mod audit;
mod tenants;

use server::reports::page::{Cursor, PageRequest};
use server::store::usage::{TimeRange, UsageRecord, UsageStatus};
use server::store::usage_log::UsageFilter;
use shared::clock::Moment;
use shared::id::{ApiKeyId, GenerationId, TenantId, UserId};
use shared::link::Operation;

use super::{HOUR_MS, Room, START_MS, micros, rooms};
use crate::support::usage_record;

fn ask(from: Option<Cursor>, rows: u32) -> PageRequest {
    PageRequest { from, rows }
}

/// Records of which some came in the same millisecond.
fn records(tenants: &[TenantId]) -> Vec<UsageRecord> {
    (0..90_i64)
        .map(|n| {
            let place = usize::try_from(n).expect("small");
            let at = Moment::from_unix_ms(START_MS + n / 3 * HOUR_MS);
            let tenant = &tenants[place % tenants.len()];
            let mut record = usage_record(&GenerationId::random(), tenant, micros(n), at);
            record.model = format!("m{}", n % 4);
            record.provider = format!("p{}", n % 3);
            record.key = (n % 2 == 0).then(|| ApiKeyId::from_stored(format!("key_{}", n % 5)));
            record.user = (n % 2 == 1).then(|| UserId::from_stored(format!("usr_{}", n % 5)));
            record.operation = if n % 7 == 0 {
                Operation::Embedding
            } else {
                Operation::Chat
            };
            record.status = match n % 6 {
                0 => UsageStatus::Failed,
                1 => UsageStatus::Canceled,
                _ => UsageStatus::Succeeded,
            };
            record
        })
        .collect()
}

fn newest_first(records: &[UsageRecord]) -> Vec<&UsageRecord> {
    let mut sorted: Vec<&UsageRecord> = records.iter().collect();
    sorted.sort_by_key(|record| (record.created_at, record.id.clone()));
    sorted.reverse();
    sorted
}

/// What a filter should let through.
type Wanted = fn(&UsageRecord, &[TenantId]) -> bool;

async fn walk(room: &Room, filter: &UsageFilter) -> Vec<GenerationId> {
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = room
            .reports
            .usage_log(filter, &ask(from, 7))
            .await
            .expect("a page");
        seen.extend(page.rows.iter().map(|record| record.id.clone()));
        from = page.next;
        if from.is_none() {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_lets_through_what_it_says_in_order_of_time() {
    for room in rooms().await {
        let tenants = [TenantId::random(), TenantId::random()];
        let all = records(&tenants);
        room.record(all.clone()).await;
        let hours = |n: i64| Some(Moment::from_unix_ms(START_MS + n * HOUR_MS));
        let none = UsageFilter::default;
        let cases: Vec<(UsageFilter, Wanted)> = vec![
            (none(), |_, _| true),
            (
                UsageFilter {
                    tenant: Some(tenants[1].clone()),
                    ..none()
                },
                |r, t| r.tenant == t[1],
            ),
            (
                UsageFilter {
                    key: Some(ApiKeyId::from_stored("key_2".to_owned())),
                    ..none()
                },
                |r, _| r.key.as_ref().is_some_and(|key| key.as_str() == "key_2"),
            ),
            (
                UsageFilter {
                    user: Some(UserId::from_stored("usr_3".to_owned())),
                    ..none()
                },
                |r, _| r.user.as_ref().is_some_and(|user| user.as_str() == "usr_3"),
            ),
            (
                UsageFilter {
                    model: Some("m1".to_owned()),
                    ..none()
                },
                |r, _| r.model == "m1",
            ),
            (
                UsageFilter {
                    provider: Some("p2".to_owned()),
                    ..none()
                },
                |r, _| r.provider == "p2",
            ),
            (
                UsageFilter {
                    status: Some(UsageStatus::Failed),
                    ..none()
                },
                |r, _| r.status == UsageStatus::Failed,
            ),
            (
                UsageFilter {
                    status: Some(UsageStatus::Succeeded),
                    ..none()
                },
                |r, _| r.status == UsageStatus::Succeeded,
            ),
            (
                UsageFilter {
                    operation: Some(Operation::Embedding),
                    ..none()
                },
                |r, _| r.operation == Operation::Embedding,
            ),
            (
                UsageFilter {
                    period: TimeRange {
                        from: hours(5),
                        until: hours(12),
                    },
                    ..none()
                },
                |r, _| (5..12).contains(&((r.created_at.unix_ms() - START_MS) / HOUR_MS)),
            ),
            (
                UsageFilter {
                    tenant: Some(tenants[0].clone()),
                    model: Some("m2".to_owned()),
                    status: Some(UsageStatus::Succeeded),
                    period: TimeRange {
                        from: hours(3),
                        until: None,
                    },
                    ..none()
                },
                |r, t| {
                    r.tenant == t[0]
                        && r.model == "m2"
                        && r.status == UsageStatus::Succeeded
                        && r.created_at.unix_ms() >= START_MS + 3 * HOUR_MS
                },
            ),
        ];
        for (filter, wanted) in cases {
            let expected: Vec<GenerationId> = newest_first(&all)
                .into_iter()
                .filter(|record| wanted(record, &tenants))
                .map(|record| record.id.clone())
                .collect();
            assert!(!expected.is_empty(), "{filter:?} would prove nothing");
            assert_eq!(
                walk(&room, &filter).await,
                expected,
                "{}: {filter:?}",
                room.db.name
            );
        }
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turning_pages_neither_skips_nor_repeats_while_records_come_in() {
    for room in rooms().await {
        let tenants = [TenantId::random()];
        let old = records(&tenants);
        room.record(old.clone()).await;
        let filter = UsageFilter {
            tenant: Some(tenants[0].clone()),
            ..UsageFilter::default()
        };
        let expected: Vec<GenerationId> = newest_first(&old)
            .into_iter()
            .map(|record| record.id.clone())
            .collect();
        let late = |n: i64| {
            let at = Moment::from_unix_ms(START_MS + 1_000 * HOUR_MS + n);
            usage_record(&GenerationId::random(), &tenants[0], micros(1), at)
        };
        let (mut seen, mut from, mut pages) = (Vec::new(), None, Vec::new());
        loop {
            let page = room
                .reports
                .usage_log(&filter, &ask(from, 8))
                .await
                .expect("a page");
            let pages_so_far = i64::try_from(pages.len()).expect("few");
            room.record([late(pages_so_far * 2), late(pages_so_far * 2 + 1)])
                .await;
            seen.extend(page.rows.iter().map(|record| record.id.clone()));
            from = page.next.clone();
            pages.push(page);
            if from.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{}", room.db.name);
        assert_eq!(pages[0].previous, None, "nothing is before the first page");
        // Back again, page by page, to what has come in since.
        let mut back = pages.pop().expect("the last page");
        while let Some(before) = pages.pop() {
            let cursor = back.previous.clone();
            back = room
                .reports
                .usage_log(&filter, &ask(cursor, 8))
                .await
                .expect("a page");
            assert_eq!(back.rows, before.rows, "{}", room.db.name);
            assert!(back.next.is_some());
        }
        let cursor = back.previous.clone();
        assert!(cursor.is_some(), "there is something newer by now");
        let newer = room
            .reports
            .usage_log(&filter, &ask(cursor, 200))
            .await
            .expect("a page");
        assert_eq!(newer.rows.len(), 24, "two came in with each of 12 pages");
        assert_eq!(newer.previous, None);
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_of_another_list_is_refused() {
    for room in rooms().await {
        let odd: Cursor = "nten_1.name"
            .parse()
            .expect("a place in the list of tenants");
        let refused = room
            .reports
            .usage_log(&UsageFilter::default(), &ask(Some(odd), 5))
            .await;
        refused.expect_err("no moment");
        room.supervisor.stop();
    }
}
