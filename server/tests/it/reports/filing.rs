//! Filing behind the settlement: every record once, in order, with the sums, whatever dies and however
//! many file; and where a record is found before. Each on both databases.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::SimpleAsyncConnection;
use server::reports::rollup::Roller;
use server::store::Store;
use server::store::usage::UsageRecord;
use server::store::usage_log::{LogQuery, UsageFilter};
use shared::clock::Clock;
use shared::db::Db;
use shared::id::{GenerationId, TenantId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Room, micros, rooms, start};
use crate::support::{TestDb, databases, postgres, usage_record};

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

async fn rows(db: &TestDb, text: &str) -> Vec<Row> {
    use diesel_async::RunQueryDsl;

    match &db.db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("a connection");
            diesel::sql_query(text).load(&mut conn).await.expect("read")
        }
        Db::Sqlite { readers, .. } => {
            let mut conn = readers.get().await.expect("a connection");
            let asked = diesel::sql_query(text).load(&mut *conn).await;
            asked.expect("read")
        }
    }
}

/// What is filed, in the order of filing.
async fn filed(db: &TestDb) -> Vec<Row> {
    rows(
        db,
        "SELECT id, number FROM usage_records ORDER BY number, id",
    )
    .await
}

fn records(tenant: &TenantId, count: i64) -> Vec<UsageRecord> {
    let record = |n| {
        usage_record(
            &GenerationId::random(),
            tenant,
            micros(0),
            start().after(Duration::from_millis(n)),
        )
    };
    (0..count).map(|n| record(n.unsigned_abs())).collect()
}

async fn listed(room: &Room) -> Vec<UsageRecord> {
    let ask = LogQuery {
        newest_first: true,
        behind: None,
        limit: 10_000,
    };
    let found = room.store.usage_log(&UsageFilter::default(), ask).await;
    found.expect("read")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_read_by_its_id_at_once_and_listed_when_it_is_filed() {
    for room in rooms().await {
        let (name, tenant) = (room.db.name, TenantId::random());
        let record = records(&tenant, 1).remove(0);
        room.put(vec![record.clone()]).await;
        let by_id = async || room.store.usage_record(&record.id).await.expect("read");
        assert_eq!(by_id().await.as_ref(), Some(&record), "{name}");
        assert!(listed(&room).await.is_empty(), "{name}: not filed yet");
        assert!(room.store.usage_waits().await.expect("read"), "{name}");
        let books = room.ledger.verify().await.expect("checked");
        assert_eq!(books, Vec::<String>::new(), "{name}: what waits counts");
        room.file().await;
        assert_eq!(by_id().await.as_ref(), Some(&record), "{name}");
        assert_eq!(
            listed(&room).await,
            [record],
            "{name}: nothing is changed on the way"
        );
        assert!(!room.store.usage_waits().await.expect("read"), "{name}");
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_filed_in_the_order_of_their_ids_and_without_gaps() {
    for room in rooms().await {
        let (name, tenant) = (room.db.name, TenantId::random());
        room.put(records(&tenant, 700)).await;
        room.file().await;
        let first = filed(&room.db).await;
        room.put(records(&tenant, 300)).await;
        room.file().await;
        let all = filed(&room.db).await;
        assert_eq!(
            all[..700],
            first[..],
            "{name}: what is filed stays where it is"
        );
        let numbers: Vec<i64> = all.iter().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=1_000).collect::<Vec<i64>>(), "{name}");
        for part in [&all[..700], &all[700..]] {
            assert!(part.is_sorted_by(|one, two| one.id < two.id), "{name}");
        }
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_file_while_others_settle_and_read_file_each_record_once() {
    for room in rooms().await {
        let (name, tenant) = (room.db.name, TenantId::random());
        let stop = CancellationToken::new();
        let mut filing = JoinSet::new();
        for _ in 0..2 {
            let roller = Roller::new(Store::new(room.db.db.clone()), Clock::system());
            filing.spawn(roller.run_forever(stop.clone()));
        }
        let all = records(&tenant, 600);
        let mut writing = JoinSet::new();
        for record in all.clone() {
            let (ledger, store) = (room.ledger.clone(), room.store.clone());
            writing.spawn(async move {
                let id = record.id.clone();
                ledger.record(record).await.expect("recorded");
                // From then on it is found, also in the moment it is moved.
                for _ in 0..5 {
                    assert!(
                        store.usage_record(&id).await.expect("read").is_some(),
                        "{id}"
                    );
                }
            });
        }
        writing.join_all().await;
        let waits = async || room.store.usage_waits().await.expect("read");
        let end = tokio::time::Instant::now() + PATIENCE;
        while waits().await {
            assert!(
                tokio::time::Instant::now() < end,
                "{name}: it waits for ever"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
        filing.join_all().await;
        assert_eq!(listed(&room).await.len(), all.len(), "{name}");
        room.sums_are_exact().await;
        let state = room.store.rollup_state().await.expect("read");
        assert_eq!(state.through, 600, "{name}: filing itself adds up");
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_written_again_after_it_was_filed_counts_once() {
    for room in rooms().await {
        let (name, tenant) = (room.db.name, TenantId::random());
        let all = records(&tenant, 3);
        room.put(all.clone()).await;
        room.file().await;
        // The middle one again, before one that is new.
        let mut again = vec![all[1].clone()];
        again.extend(records(&tenant, 1));
        room.put(again).await;
        room.file().await;
        assert_eq!(listed(&room).await.len(), 4, "{name}");
        room.sums_are_exact().await;
        let calls = rows(&room.db, "SELECT dimension AS id, calls AS number FROM rollups WHERE dimension = 'all' AND grain = 'day'").await;
        assert_eq!(calls.iter().map(|row| row.number).sum::<i64>(), 4, "{name}");
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_half_way_moves_nothing() {
    const BREAK: [(&str, &str); 2] = [
        (
            "sqlite",
            "CREATE TRIGGER broken BEFORE INSERT ON rollups BEGIN SELECT RAISE(ABORT, 'broken'); END",
        ),
        (
            "postgres",
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$; \
             CREATE TRIGGER broken BEFORE INSERT ON rollups FOR EACH ROW EXECUTE FUNCTION broken()",
        ),
    ];
    for room in rooms().await {
        let (name, tenant) = (room.db.name, TenantId::random());
        room.put(records(&tenant, 5)).await;
        let (_, damage) = BREAK
            .into_iter()
            .find(|(of, _)| *of == name)
            .expect("known");
        room.db.execute(damage).await.expect("broken");
        let mut roller = Roller::new(room.store.clone(), Clock::system());
        roller.catch_up(PATIENCE).await.expect_err("broken");
        assert!(listed(&room).await.is_empty(), "{name}");
        assert!(room.store.usage_waits().await.expect("read"), "{name}");
        let on = if name == "postgres" {
            " ON rollups"
        } else {
            ""
        };
        let mend = format!("DROP TRIGGER broken{on}");
        room.db.execute(&mend).await.expect("mended");
        room.file().await;
        assert_eq!(listed(&room).await.len(), 5, "{name}");
        room.sums_are_exact().await;
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filing_goes_on_while_sums_are_made_anew() {
    for db in databases().await {
        let room = Room::over(db).await;
        let (name, tenant) = (room.db.name, TenantId::random());
        room.put(records(&tenant, 300)).await;
        room.file().await;
        // As a process that makes the sums anew leaves them when it dies at once.
        let gone = "DELETE FROM rollups; UPDATE rollup_state SET through = 0";
        room.db.execute(gone).await.expect("reset");
        room.put(records(&tenant, 50)).await;
        room.file().await;
        assert_eq!(listed(&room).await.len(), 350, "{name}");
        room.sums_are_exact().await;
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_slow_server_of_an_earlier_version_is_not_passed_over() {
    let room = Room::over(postgres().await).await;
    let tenant = TenantId::random();
    let Db::Postgres(pool) = &room.db.db else {
        panic!("it is PostgreSQL");
    };
    let mut slow = pool.dedicated_connection().await.expect("a connection");
    // It writes its record where lists look, with the next number, and does not commit yet.
    let text = "BEGIN; INSERT INTO ledger_writers (boot, batch, seen_at) VALUES ('boot_old', 1, 1); \
        INSERT INTO usage_records (id, tenant_id, test, operation, model, provider, provider_model, input_tokens, \
        cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, images, media_ms, characters, \
        estimated, credits_micros, cost_micros, status, attempts, first_byte_ms, duration_ms, created_at) \
        VALUES ('gen_old', 'ten_old', FALSE, 'chat', 'm', 'p', 'm', 1, 0, 0, 1, 0, 0, 0, 0, FALSE, 0, 0, \
        'succeeded', 1, 1, 1, 1795255200000)";
    slow.batch_execute(text).await.expect("begun");
    room.put(records(&tenant, 5)).await;
    let mut roller = Roller::new(room.store.clone(), Clock::system());
    let level = roller.catch_up(Duration::from_millis(300)).await;
    assert!(!level.expect("filed"), "sums wait for the smaller number");
    assert_eq!(listed(&room).await.len(), 5, "lists do not wait");
    slow.batch_execute("COMMIT").await.expect("committed");
    room.file().await;
    assert_eq!(listed(&room).await.len(), 6);
    room.sums_are_exact().await;
    room.supervisor.stop();
}
