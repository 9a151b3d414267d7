//! What is told of a model, its end and who is warned of it, and what providers list, on both databases.

use std::sync::Arc;
use std::time::Duration;

use server::catalogue::facts::{Capability, ModelFacts};
use server::catalogue::listed::KnownList;
use server::catalogue::lists::ModelLists;
use server::catalogue::retirement::Retirement;
use server::catalogue::{Catalogue, CatalogueError, Model};
use server::link::http::{HttpLink, LinkSettings};
use server::link::metrics::LinkMetrics;
use server::providers::{ProviderRef, Providers};
use server::store::catalogue::provider_lists::{KeptList, ListPlace};
use server::store::catalogue::{ModelPatch, NewModel};
use shared::clock::Moment;
use shared::id::TenantId;
use shared::link::models::ProviderModels;
use shared::link::{GatewayFleet as _, GatewayPlace, Operation};
use shared::seal::Sealer;
use shared::secret::Secret;

use super::{Room, actor, new_model, rooms};

const DAY: Duration = Duration::from_secs(86_400);

fn ends(at: Moment, successor: Option<&str>, redirect: bool) -> ModelFacts {
    ModelFacts {
        retirement: Some(Retirement {
            at,
            announced_at: Moment::default(),
            successor: successor.map(str::to_owned),
            redirect,
        }),
        ..ModelFacts::default()
    }
}

impl Room {
    async fn made(&self, id: &str, facts: ModelFacts) -> Result<(), CatalogueError> {
        let new = NewModel {
            facts,
            ..new_model(id)
        };
        self.catalogue.create_model(&actor(), new).await.map(drop)
    }

    async fn told(&self, id: &str, facts: ModelFacts) -> Result<(), CatalogueError> {
        let patch = ModelPatch {
            facts: Some(facts),
            ..ModelPatch::default()
        };
        let told = self.catalogue.update_model(&actor(), id, patch).await;
        told.map(drop)
    }

    /// A day's sum of calls of a model, as filing writes it.
    async fn used(&self, tenant: &str, model: &str, at: Moment, test: bool) {
        let starts = at.unix_ms() - at.unix_ms() % 86_400_000;
        let statement = format!(
            "INSERT INTO rollups (dimension, tenant_id, grain, starts_at, key_id, model, provider, operation, \
             test, calls, failed, canceled, credits_micros, cost_micros, input_tokens, cached_input_tokens, \
             cache_write_tokens, output_tokens, reasoning_tokens, images, media_ms, characters, attempts, \
             duration_ms, first_byte_ms, durations, first_bytes) VALUES ('call', '{tenant}', 'day', {starts}, \
             'k', '{model}', 'p', 'chat', {test}, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, '', '')"
        );
        self.db.execute(&statement).await.expect(self.name);
    }
}

#[tokio::test]
async fn facts_are_kept_and_an_end_counts_as_announced_since_it_was_planned_first() {
    for room in rooms().await {
        let begun = room.clock.now();
        let facts = ModelFacts {
            context_tokens: Some(128_000),
            capabilities: [Capability::Tools, Capability::Vision].into(),
            description: "对话模型".to_owned(),
            owner: "acme".to_owned(),
            ..ModelFacts::default()
        };
        room.made("a", facts.clone()).await.expect(room.name);
        let restarted = Catalogue::load(room.store.clone(), room.clock.clone());
        let kept = restarted.await.expect(room.name).model("a").expect("kept");
        assert_eq!(kept.facts, facts, "{}", room.name);
        assert_eq!(kept.retirement_words, None);

        room.told("a", ends(begun.after(DAY), None, false))
            .await
            .expect(room.name);
        room.clock.advance(DAY / 2);
        let later = begun.after(DAY * 9);
        room.told("a", ends(later, None, false))
            .await
            .expect(room.name);
        let model = room.catalogue.model("a").expect("there");
        let end = model.facts.retirement.as_ref().expect("an end");
        assert_eq!((end.at, end.announced_at), (later, begun), "{}", room.name);
        let since = format!("@{}", begun.unix_seconds());
        let words = model
            .retirement_words
            .as_ref()
            .map(|words| words.deprecation.clone());
        assert_eq!(words, Some(since));
        // A server of before this version writes no facts, and leaves them.
        room.db
            .execute("UPDATE models SET enabled = FALSE WHERE id = 'a'")
            .await
            .expect(room.name);
        room.catalogue.reload().await.expect(room.name);
        let kept = room.catalogue.model("a").expect("there");
        assert!(kept.facts.retirement.is_some() && !kept.enabled);
    }
}

#[tokio::test]
async fn facts_and_ends_that_break_a_rule_are_refused_by_their_field() {
    for room in rooms().await {
        let at = room.clock.now().after(DAY);
        room.made("b", ModelFacts::default())
            .await
            .expect(room.name);
        let image = NewModel {
            operation: Operation::Embedding,
            max_output_tokens: 0,
            ..new_model("embedding")
        };
        let image = NewModel {
            price: None,
            ..image
        };
        let made = room.catalogue.create_model(&actor(), image).await;
        made.expect(room.name);
        room.made("a", ends(at, Some("b"), true))
            .await
            .expect(room.name);
        let facts = |change: fn(&mut ModelFacts)| {
            let mut facts = ModelFacts::default();
            change(&mut facts);
            facts
        };
        for (facts, field) in [
            (facts(|f| f.context_tokens = Some(0)), "context_tokens"),
            (
                facts(|f| f.context_tokens = Some(u64::MAX)),
                "context_tokens",
            ),
            (facts(|f| f.description = "x".repeat(501)), "description"),
            (facts(|f| f.description = "a\nb".to_owned()), "description"),
            (facts(|f| f.owner = "x".repeat(81)), "owner"),
            (ends(at, None, true), "redirect"),
            (ends(at, Some("nobody"), false), "successor"),
            (ends(at, Some("embedding"), false), "successor"),
            (ends(at, Some("b"), false), "successor"),
            (ends(at, Some("a"), false), "successor"),
        ] {
            let refused = room.told("b", facts).await;
            let Err(CatalogueError::Invalid { field: told, .. }) = refused else {
                panic!("{field}: {refused:?}");
            };
            assert_eq!(told, field, "{}", room.name);
        }
        assert!(
            room.catalogue
                .model("b")
                .expect("there")
                .successor()
                .is_none()
        );
    }
}

#[tokio::test]
async fn calls_of_an_ended_model_go_to_the_first_that_lives_and_may_be_used() {
    for room in rooms().await {
        let now = room.clock.now();
        room.made("c", ModelFacts::default())
            .await
            .expect(room.name);
        room.made("b", ends(now, Some("c"), true))
            .await
            .expect(room.name);
        room.made("a", ends(now, Some("b"), true))
            .await
            .expect(room.name);
        room.made("x", ends(now, Some("c"), false))
            .await
            .expect(room.name);
        let follow = |id: &str, only_redirects, may: fn(&Model) -> bool| {
            let model = room.catalogue.model(id).expect("there");
            let next = room.catalogue.following(&model, (now, only_redirects), may);
            next.map(|next| next.id.clone())
        };
        let c = Some("c".to_owned());
        assert_eq!(follow("a", true, |_| true), c);
        assert_eq!(follow("a", true, |model| model.id != "c"), None);
        assert_eq!(follow("x", true, |_| true), None);
        assert_eq!(follow("x", false, |_| true), c);
        assert_eq!(follow("c", false, |_| true), None);
        let deleted = room.catalogue.delete_model(&actor(), "c").await;
        deleted.expect(room.name);
        assert_eq!(follow("a", true, |_| true), None);
    }
}

#[tokio::test]
async fn whoever_used_a_model_is_warned_once_a_step_and_nobody_else() {
    for room in rooms().await {
        let now = room.clock.now();
        let at = now.after(DAY * 29);
        room.made("b", ModelFacts::default())
            .await
            .expect(room.name);
        room.made("a", ends(at, Some("b"), true))
            .await
            .expect(room.name);
        room.used("ten_1", "a", now.before(DAY * 3), false).await;
        room.used("ten_1", "a", now.before(DAY * 2), false).await;
        room.used("ten_2", "a", now.before(DAY * 40), false).await;
        room.used("ten_3", "b", now.before(DAY), false).await;
        room.used("ten_4", "a", now.before(DAY), true).await;
        let tenant = |id: &str| TenantId::from_stored(id.to_owned());
        let warn = async || room.catalogue.warn_tenants().await.expect(room.name);
        assert_eq!((warn().await, warn().await), (1, 0), "{}", room.name);
        let notices = room.catalogue.notices(&tenant("ten_1")).await;
        let notices = notices.expect(room.name);
        assert_eq!(notices.len(), 1);
        let notice = &notices[0];
        assert_eq!(
            (notice.model.as_str(), notice.warned_days, notice.days_left),
            ("a", 30, 29)
        );
        assert_eq!(notice.successor.as_deref(), Some("b"));
        for other in ["ten_2", "ten_3", "ten_4"] {
            let notices = room.catalogue.notices(&tenant(other)).await;
            assert_eq!(notices.expect(room.name), [], "{other}");
        }
        // A later step is another warning, and the newest one is shown.
        room.clock.advance(DAY * 23);
        room.used("ten_5", "a", room.clock.now(), false).await;
        assert_eq!((warn().await, warn().await), (2, 0), "{}", room.name);
        let notices = room.catalogue.notices(&tenant("ten_1")).await;
        let notices = notices.expect(room.name);
        assert_eq!((notices.len(), notices[0].warned_days), (1, 7));
        let ending = room.catalogue.ending().await.expect(room.name);
        assert_eq!((ending.len(), ending[0].tenants), (1, 2));
        // When it is over nobody is warned, and those who were see it for a while.
        room.clock.advance(DAY * 7);
        assert_eq!(warn().await, 0);
        let notices = room.catalogue.notices(&tenant("ten_1")).await;
        assert!(notices.expect(room.name)[0].is_over);
        // An end that was moved takes the old warnings away.
        let moved = room.clock.now().after(DAY * 90);
        room.told("a", ends(moved, None, false))
            .await
            .expect(room.name);
        let notices = room.catalogue.notices(&tenant("ten_1")).await;
        assert_eq!(notices.expect(room.name), []);
    }
}

#[tokio::test]
async fn one_of_several_servers_does_a_task_and_again_when_it_is_due() {
    for room in rooms().await {
        let now = room.clock.now();
        let claim = async |at: Moment| room.store.claim_task("t", DAY, at).await.expect(room.name);
        let (one, other) = tokio::join!(claim(now), claim(now));
        assert!(one ^ other, "{}", room.name);
        assert!(!claim(now.after(DAY / 2)).await);
        assert!(claim(now.after(DAY)).await);
        assert!(!claim(now.after(DAY)).await);
        assert!(room.store.claim_task("u", DAY, now).await.expect(room.name));
    }
}

#[tokio::test]
async fn what_a_provider_told_is_kept_a_row_a_provider() {
    for room in rooms().await {
        let place = |gateway: &str| ListPlace {
            gateway: gateway.to_owned(),
            provider: "p".to_owned(),
        };
        let told = ProviderModels {
            names: vec!["m1".to_owned(), "<b>".to_owned()],
            ..ProviderModels::default()
        };
        let list = KnownList::default().after(&told).expect("a list");
        let mut kept = KeptList {
            place: place(""),
            asked_at: room.clock.now(),
            listed_at: Some(room.clock.now()),
            failure: None,
            list,
        };
        assert_eq!(
            room.store.provider_list(&place("")).await.expect(room.name),
            None
        );
        room.store.keep_provider_list(&kept).await.expect(room.name);
        kept.failure = Some("no answer".to_owned());
        room.store.keep_provider_list(&kept).await.expect(room.name);
        let read = room.store.provider_list(&place("")).await.expect(room.name);
        assert_eq!(read.as_ref(), Some(&kept), "{}", room.name);
        kept.place = place("eu");
        room.store.keep_provider_list(&kept).await.expect(room.name);
        assert_eq!(room.store.provider_lists().await.expect(room.name).len(), 2);
    }
}

#[tokio::test]
async fn a_target_that_is_pinned_to_another_gateway_is_not_compared() {
    let gateway = |name: &str, region: &str, port: u16| GatewayPlace {
        url: format!("http://127.0.0.1:{port}"),
        name: name.to_owned(),
        region: region.to_owned(),
        priority: 1,
        secret: None,
    };
    for room in rooms().await {
        let secret = Secret::new("a secret of more than thirty-two bytes!!".to_owned());
        // Nobody listens there, and nobody is asked.
        let link = HttpLink::new(
            &[],
            &secret,
            room.clock.clone(),
            LinkSettings::default(),
            LinkMetrics::default(),
        );
        let link = link.expect("a link");
        link.use_gateways(&[gateway("a", "us", 1), gateway("b", "eu", 2)])
            .expect("gateways");
        let sealer = Sealer::new(&secret);
        let (store, clock) = (room.store.clone(), room.clock.clone());
        let providers = Providers::new(Arc::new(link), store.clone(), clock.clone(), sealer);
        let lists = ModelLists::new(room.catalogue.clone(), providers, (store, clock));
        for pinned in [
            None,
            Some("a"),
            Some("b"),
            Some("us"),
            Some("eu"),
            Some("gone"),
        ] {
            let mut new = new_model(&format!("m-{}", pinned.unwrap_or("any")));
            new.targets.truncate(1);
            "p".clone_into(&mut new.targets[0].provider);
            new.targets[0].gateway = pinned.map(str::to_owned);
            let made = room.catalogue.create_model(&actor(), new).await;
            made.expect(room.name);
        }
        let told = |name: &str| ProviderModels {
            names: vec![name.to_owned()],
            ..ProviderModels::default()
        };
        let before = KnownList::default().after(&told("m1")).expect("a list");
        // `a`'s provider has it no longer.
        let list = before.after(&told("m2")).expect("a list");
        for (gateway, gone) in [
            ("a", vec!["m-a", "m-any", "m-us"]),
            ("b", vec!["m-any", "m-b", "m-eu"]),
            ("", vec!["m-a", "m-any", "m-b", "m-eu", "m-gone", "m-us"]),
            ("nobody", vec!["m-any"]),
        ] {
            let kept = KeptList {
                place: ListPlace {
                    gateway: gateway.to_owned(),
                    provider: "p".to_owned(),
                },
                asked_at: room.clock.now(),
                listed_at: Some(room.clock.now()),
                failure: None,
                list: list.clone(),
            };
            room.store.keep_provider_list(&kept).await.expect(room.name);
            let of = ProviderRef::new("p", Some(gateway.to_owned()));
            let compared = lists.of(&of).await.expect(room.name);
            let mut told: Vec<_> = compared.gone().map(|one| one.model.as_str()).collect();
            told.sort_unstable();
            assert_eq!(told, gone, "{} {gateway}", room.name);
        }
    }
}
