//! Tenants are found by the beginning of a name or an id, with their money.

use server::reports::page::{Cursor, Paged};
use shared::clock::Moment;
use shared::id::GenerationId;

use super::super::{HOUR_MS, START_MS, micros, rooms};
use super::ask;
use crate::support::usage_record;

pub(super) fn names<T>(page: &Paged<T>, name: impl Fn(&T) -> String) -> Vec<String> {
    page.rows.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_found_by_the_beginning_of_name_or_id_with_their_money() {
    for room in rooms().await {
        let mut ids = Vec::new();
        for name in [
            "acme",
            "Acme Labs",
            "ACME_2",
            "Beta",
            "模型公司",
            "acm%",
            "Zoë",
        ] {
            ids.push(room.tenant(name).await);
        }
        room.give(&ids[1], micros(700), None).await;
        room.give(
            &ids[1],
            micros(50),
            Some(Moment::from_unix_ms(START_MS + 1)),
        )
        .await;
        let at = |days: i64| Moment::from_unix_ms(START_MS - days * 24 * HOUR_MS);
        let spent = [(0, 5), (29, 7), (30, 1_000)].map(|(days, credits)| {
            usage_record(&GenerationId::random(), &ids[1], micros(credits), at(days))
        });
        room.record(spent).await;
        room.add_up().await;
        // The short grant expires.
        room.clock.advance(std::time::Duration::from_millis(5));
        let find = async |search: &str, from: Option<Cursor>, rows: u32| {
            room.reports
                .tenants(search, &ask(from, rows))
                .await
                .expect("found")
        };
        let name = |line: &server::reports::directory::TenantLine| line.tenant.name.clone();
        let found = find("aCmE", None, 10).await;
        assert_eq!(
            names(&found, name),
            ["acme", "Acme Labs", "ACME_2"],
            "{}",
            room.db.name
        );
        assert_eq!((found.next, found.previous), (None, None));
        let labs = &found.rows[1];
        assert_eq!(
            (labs.balance.available, labs.balance.expired),
            (micros(700), micros(50))
        );
        assert_eq!(labs.spent_30d, micros(12), "30 days, today included");
        assert_eq!(names(&find("acm%", None, 10).await, name), ["acm%"]);
        assert_eq!(names(&find(" 模", None, 10).await, name), ["模型公司"]);
        assert_eq!(names(&find("zo", None, 10).await, name), ["Zoë"]);
        assert_eq!(
            find("labs", None, 10).await.rows,
            Vec::new(),
            "only beginnings"
        );
        let by_id = find(ids[3].as_str(), None, 10).await;
        assert_eq!(names(&by_id, name), ["Beta"]);
        assert_eq!(find("ten_", None, 10).await.rows.len(), 7);
        // Both ways, by name and by id.
        for search in ["ac", "", "ten_"] {
            let whole = names(&find(search, None, 10).await, name);
            let first = find(search, None, 2).await;
            let second = find(search, first.next.clone(), 2).await;
            assert_eq!(
                names(&first, name),
                whole[..2],
                "{}: `{search}`",
                room.db.name
            );
            assert_eq!(
                names(&second, name),
                whole[2..4],
                "{}: `{search}`",
                room.db.name
            );
            let back = find(search, second.previous.clone(), 2).await;
            assert_eq!(
                names(&back, name),
                whole[..2],
                "{}: `{search}`",
                room.db.name
            );
            assert_eq!(back.previous, None);
        }
        room.supervisor.stop();
    }
}
