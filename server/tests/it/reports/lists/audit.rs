//! The audit log is filtered by each of its fields, alone and together.

use server::store::audit::{Actor, AuditFilter};
use server::store::usage::TimeRange;

use super::super::rooms;
use super::ask;
use super::tenants::names;

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_filtered_by_tenant_actor_action_subject_and_time() {
    use server::store::accounts::{TenantPatch, TenantStatus};
    for room in rooms().await {
        let (one, two) = (room.tenant("one").await, room.tenant("two").await);
        let actor = Actor {
            kind: "superadmin".to_owned(),
            id: "adm_1".to_owned(),
            name: "root".to_owned(),
            address: "127.0.0.1".to_owned(),
        };
        room.clock.advance(std::time::Duration::from_secs(10));
        let patch = TenantPatch {
            status: Some(TenantStatus::Suspended),
            ..TenantPatch::default()
        };
        let now = room.clock.now();
        room.store
            .update_tenant(&actor, &one, &patch, now)
            .await
            .expect("changed");
        let find = async |filter: AuditFilter| {
            let page = room
                .reports
                .audit_log(&filter, &ask(None, 10))
                .await
                .expect("found");
            names(&page, |entry| format!("{} {}", entry.action, entry.subject))
        };
        let none = AuditFilter::default;
        let (created_one, created_two, updated) = (
            format!("tenant.create {one}"),
            format!("tenant.create {two}"),
            format!("tenant.update {one}"),
        );
        assert_eq!(find(none()).await[0], updated, "newest first");
        assert_eq!(find(none()).await.len(), 3);
        let of_tenant = AuditFilter {
            tenant: Some(one.to_string()),
            ..none()
        };
        assert_eq!(find(of_tenant).await, [updated.as_str(), &created_one]);
        let of_actor = AuditFilter {
            actor: Some("adm_1".to_owned()),
            ..none()
        };
        assert_eq!(find(of_actor).await, [updated.as_str()]);
        let of_action = AuditFilter {
            action: Some("tenant.update".to_owned()),
            ..none()
        };
        assert_eq!(find(of_action).await, [updated.as_str()]);
        let of_kind = AuditFilter {
            action: Some("tenant.".to_owned()),
            ..none()
        };
        assert_eq!(find(of_kind).await.len(), 3);
        let part = AuditFilter {
            action: Some("ten.".to_owned()),
            ..none()
        };
        assert_eq!(find(part).await.len(), 0);
        let of_subject = AuditFilter {
            subject: Some(two.to_string()),
            ..none()
        };
        assert_eq!(find(of_subject).await, [created_two.as_str()]);
        let later = TimeRange {
            from: Some(now),
            until: None,
        };
        assert_eq!(
            find(AuditFilter {
                period: later,
                ..none()
            })
            .await,
            [updated.as_str()]
        );
        // Page by page, both ways.
        let first = room
            .reports
            .audit_log(&none(), &ask(None, 2))
            .await
            .expect("found");
        let second = room
            .reports
            .audit_log(&none(), &ask(first.next.clone(), 2))
            .await
            .expect("found");
        assert_eq!((first.rows.len(), second.rows.len()), (2, 1));
        let back = room
            .reports
            .audit_log(&none(), &ask(second.previous.clone(), 2))
            .await
            .expect("found");
        assert_eq!(back.rows, first.rows);
        room.supervisor.stop();
    }
}
