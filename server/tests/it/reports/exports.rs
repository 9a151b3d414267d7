//! Exports stream whole lists, page by page, and stop when nobody reads.

use futures_util::StreamExt;
use poem::middleware::AddData;
use poem::{Endpoint, EndpointExt, Request};
use poem_openapi::OpenApiService;
use server::accounts::Accounts;
use server::api::admin::export::AdminExportApi;
use server::api::error;
use server::api::manage::export::ExportApi;
use server::store::audit::Actor;
use server::store::usage::UsageRecord;
use server::store::usage_log::UsageFilter;
use shared::clock::Moment;
use shared::db::Db;
use shared::id::{GenerationId, TenantId};

use super::{Room, START_MS, micros, rooms};
use crate::identity::as_superadmin;
use crate::support::usage_record;

fn records(tenant: &TenantId, count: i64) -> Vec<UsageRecord> {
    let one = |n: i64| {
        // Ten in each millisecond, so that pages end between records of the same moment.
        let at = Moment::from_unix_ms(START_MS + n / 10);
        usage_record(&GenerationId::random(), tenant, micros(n), at)
    };
    (0..count).map(one).collect()
}

fn of(tenant: &TenantId) -> UsageFilter {
    UsageFilter {
        tenant: Some(tenant.clone()),
        ..UsageFilter::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_record_once_and_ends() {
    for room in rooms().await {
        let (tenant, other) = (TenantId::random(), TenantId::random());
        // Two whole pages: the third must be found empty.
        let mut all = records(&tenant, 1_000);
        room.record(all.clone()).await;
        room.record(records(&other, 3)).await;
        all.sort_by_key(|record| (record.created_at, record.id.clone()));
        all.reverse();
        let pages: Vec<_> = room.reports.export_usage(of(&tenant)).collect().await;
        let told: Vec<UsageRecord> = pages
            .into_iter()
            .flat_map(|page| page.expect("a page"))
            .collect();
        assert!(told == all, "{}: {} records", room.db.name, told.len());
        room.give(&tenant, micros(7), None).await;
        let pages: Vec<_> = room.reports.export_ledger(tenant.clone()).collect().await;
        assert_eq!(pages.len(), 1);
        assert_eq!(pages[0].as_ref().expect("a page").len(), 1);
        let nothing = room.reports.export_ledger(TenantId::random()).count().await;
        assert_eq!(nothing, 0);
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_nobody_reads_on_holds_nothing() {
    for room in rooms().await {
        let tenant = TenantId::random();
        room.record(records(&tenant, 700)).await;
        let mut pages = Box::pin(room.reports.export_usage(of(&tenant)));
        let first = pages.next().await.expect("a page").expect("read");
        assert_eq!(first.len(), 500);
        assert_eq!(
            count_busy(&room),
            0,
            "{}: between pages no connection is kept",
            room.db.name
        );
        drop(pages);
        assert_eq!(count_busy(&room), 0);
        room.supervisor.stop();
    }
}

/// Connections that somebody uses now.
fn count_busy(room: &Room) -> usize {
    match &room.db.db {
        Db::Postgres(pool) => {
            let state = pool.state();
            usize::try_from(state.connections - state.idle_connections).expect("few")
        }
        Db::Sqlite { readers, .. } => readers.busy(),
    }
}

/// The routes of exports, with a superadmin's token.
struct Api<E> {
    routes: E,
    accounts: Accounts,
    admin: String,
}

async fn api(room: &Room) -> Api<impl Endpoint<Output = poem::Response>> {
    let (auth, accounts, admin) = as_superadmin(&room.store, &room.clock).await;
    let reports = room.reports.clone();
    let apis = (
        ExportApi {
            reports: reports.clone(),
        },
        AdminExportApi { reports },
    );
    let service = OpenApiService::new(apis, "exports", "0").with(AddData::new(auth));
    Api {
        routes: service.catch_all_error(error::envelope).map_to_response(),
        accounts,
        admin,
    }
}

impl<E: Endpoint<Output = poem::Response>> Api<E> {
    /// Status, content type and text of an answer.
    async fn get(&self, path: &str, token: &str) -> (u16, String, String) {
        let request = Request::builder()
            .uri(path.parse().expect("a path"))
            .header("authorization", format!("Bearer {token}"))
            .finish();
        let mut response = self.routes.get_response(request).await;
        let kind = response.content_type().unwrap_or_default().to_owned();
        let text = response.take_body().into_string().await.expect("a text");
        (response.status().as_u16(), kind, text)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_hold_what_their_reader_may_see_and_no_formula() {
    for room in rooms().await {
        let api = api(&room).await;
        let founded = api
            .accounts
            .found_tenant(&Actor::system(), "Acme", None)
            .await;
        let (tenant, key) = founded.expect("founded");
        let (key, id) = (key.expose().clone(), tenant.id.clone());
        let mut evil = usage_record(
            &GenerationId::from_stored("gen_1".to_owned()),
            &id,
            micros(0),
            Moment::from_unix_ms(START_MS),
        );
        evil.model = "=HYPERLINK(\"http://x\",\"y\")".to_owned();
        evil.provider = "@secret".to_owned();
        evil.cost = Some(micros(1_500_000));
        room.record([evil]).await;
        room.record(records(&TenantId::random(), 2)).await;
        let (status, kind, text) = api.get("/api/v1/usage/export", &key).await;
        assert_eq!(
            (status, kind.as_str()),
            (200, "text/csv; charset=utf-8"),
            "{}",
            room.db.name
        );
        insta::allow_duplicates! {
        insta::assert_snapshot!(text.replace("\r\n", "|\n"), @r#"
        created_at,id,user_id,key_id,test,operation,model,status,fault,credits,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,reasoning_tokens,images,first_byte_ms,duration_ms,estimated|
        2026-11-21T10:00:00.000Z,gen_1,,,false,chat,"'=HYPERLINK(""http://x"",""y"")",succeeded,,0,3,0,0,4,0,0,1,2,false|
        "#);
        }
        let (_, _, text) = api
            .get("/api/v1/usage/export?bom=true&status=failed", &key)
            .await;
        assert!(text.starts_with("\u{feff}created_at,"), "{text}");
        assert_eq!(text.lines().count(), 1, "only the header");
        let (status, _, _) = api.get("/api/v1/usage/export?status=odd", &key).await;
        assert_eq!(status, 400);
        room.give(&id, micros(2_500_000), None).await;
        let adjusted = server::ledger::Adjustment {
            tenant: id.clone(),
            amount: micros(-500_000),
            source_key: "taken".to_owned(),
            into_debt: false,
            operator: "root".to_owned(),
            reason: "test".to_owned(),
        };
        room.ledger.adjust(adjusted).await.expect("taken");
        let (status, _, text) = api.get("/api/v1/credits/export", &key).await;
        assert_eq!(status, 200);
        let amounts: Vec<String> = text
            .lines()
            .map(|line| line.split(',').skip(4).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            amounts,
            [
                "available_delta held_delta charged available_after held_after",
                "-0.5 0 0 2 0",
                "2.5 0 0 2.5 0"
            ]
        );
        // A superadmin sees the provider and its price, a tenant's key opens nothing there.
        let path = format!("/admin/api/tenants/{id}/usage/export");
        let (status, _, text) = api.get(&path, &api.admin).await;
        assert_eq!(status, 200);
        let line = text.lines().nth(1).expect("a line");
        assert!(line.ends_with(&format!("{id},'@secret,m,1.5,1,")), "{line}");
        assert_eq!(api.get(&path, &key).await.0, 401);
        let path = format!("/admin/api/tenants/{id}/ledger/export");
        assert_eq!(api.get(&path, &api.admin).await.2.lines().count(), 3);
        let nobody = format!("/admin/api/tenants/{}/usage/export", TenantId::random());
        assert_eq!(api.get(&nobody, &api.admin).await.0, 404);
        room.supervisor.stop();
    }
}
