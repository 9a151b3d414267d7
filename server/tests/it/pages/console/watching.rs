//! What an operator looks at: the audit log, and the calls that run.

mod live;

use poem::http::{Method, StatusCode};
use serde_json::json;

use self::live::link;
use super::super::{PASSWORD, Place, Start, places};

async fn tenant(place: &Place, token: &str, name: &str) -> String {
    let body = json!({"name": name});
    let made = place
        .api(Method::POST, "/admin/api/tenants", token, &body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let start = made.body.find("\"ten_").expect("an id") + 1;
    let rest = &made.body[start..];
    rest[..rest.find('"').expect("an end")].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_who_changed_what_and_how_it_was() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        let id = tenant(&place, &token, "<b>Acme").await;
        let mut owner = place.owner().await;
        let path = format!("/admin/tenants/{id}");
        owner.get(&path).await;
        let named = owner
            .post(&format!("{path}/rename"), &[("name", "Other")])
            .await;
        assert_eq!(named.status, StatusCode::SEE_OTHER, "{}", named.body);

        let log = owner
            .get(&format!(
                "/admin/audit?subject={id}&actor=admin&action=tenant"
            ))
            .await;
        assert_eq!(log.status, StatusCode::OK, "{}", log.body);
        assert_eq!(
            log.body.matches("/admin/audit/aud_").count(),
            2,
            "{}",
            log.body
        );
        for none in [
            "actor=nobody",
            "action=model",
            "to=2020-01-01",
            "action=tenant.gone",
        ] {
            let log = owner
                .get(&format!("/admin/audit?subject={id}&{none}"))
                .await;
            assert!(
                !log.body.contains("/admin/audit/aud_"),
                "{none}: {}",
                log.body
            );
        }
        // The newest comes first.
        let at = log.body.find("/admin/audit/aud_").expect("an entry");
        let entry: String = log.body[at..].chars().take_while(|c| *c != '"').collect();
        let entry = owner.get(&entry).await;
        assert_eq!(entry.status, StatusCode::OK, "{}", entry.body);
        for text in ["tenant.update", "&lt;b&gt;Acme", "Other", &id] {
            let escaped = text.replace("&lt;", "&#60;").replace("&gt;", "&#62;");
            let is_there = entry.body.contains(text) || entry.body.contains(&escaped);
            assert!(is_there, "{text}: {}", entry.body);
        }
        assert!(!entry.body.contains("<b>Acme"));
        let missing = owner.get("/admin/audit/aud_nobody").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);

        for number in 0..55 {
            tenant(&place, &token, &format!("t{number}")).await;
        }
        let first = owner.get("/admin/audit?action=tenant").await;
        let next = link(&first.body, "after=").expect("a next page");
        let second = owner.get(&next).await;
        assert!(second.body.contains(&id), "the oldest are behind");
        let back = link(&second.body, "before=").expect("a way back");
        let back = owner.get(&back).await;
        let rows = |body: &str| body.matches("/admin/audit/aud_").count();
        assert_eq!((rows(&first.body), rows(&back.body)), (50, 50));
        assert_eq!(
            owner.get("/admin/audit?after=x").await.status,
            StatusCode::NOT_FOUND
        );
        let file = owner.get("/admin/audit.csv?action=tenant").await;
        assert!(file.header("content-type").starts_with("text/csv"));
        assert_eq!(file.body.lines().count(), 58, "a header and every entry");
        place.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_page_tells_what_answers_and_what_does_not() {
    for (place, _db) in places(Start::default()).await {
        let token = place.token("admin", PASSWORD).await;
        // Something the ledger commits, so that there is a course of it.
        let id = tenant(&place, &token, "Acme").await;
        let mut owner = place.owner().await;
        let money = owner.get(&format!("/admin/tenants/{id}/money")).await;
        let once = money.field("once").expect("a key").to_owned();
        let wish = [("once", once.as_str()), ("amount", "5"), ("note", "")];
        let path = format!("/admin/tenants/{id}/recharge");
        let paid = owner.post(&path, &wish).await;
        assert_eq!(paid.status, StatusCode::SEE_OTHER, "{}", paid.body);

        let page = owner.get("/admin/health").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let database = if place.name == "sqlite" {
            "SQLite 3"
        } else {
            "PostgreSQL 1"
        };
        for text in [
            database,
            // Nobody listens at the only gateway.
            "0 / 1 responding",
            "records pending: ",
            "calls to recover: 0",
            "0 <span class=\"faint\">/ 4,096",
            "MiB",
        ] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
        assert!(page.body.contains("p99"), "the course of commits");
        place.end().await;
    }
}
