//! Calls from hold to settlement over a database of their own, and no gateway.

use std::sync::Arc;

use server_link::http::{HttpLink, LinkSettings};
use server_link::metrics::LinkMetrics;
use server_rooms::catalogue::price::{Price, PriceList, Tariff};
use server_rooms::ledger::{GrantKind, HoldState, Ledger, LedgerSettings, NewGrant};
use server_store::kept::{KeptDue, KeptEnd, KeptPlace};
use server_store::usage::UsageStatus;
use server_store::{MIGRATIONS, Store};
use shared::clock::Clock;
use shared::db::{Db, DbTarget, migrate};
use shared::id::{GenerationId, PriceId, TenantId};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;
use shared::units::{Fact, Unit, Usage};

use super::super::facts::tests::of_chat;
use super::super::kept::Keeper;
use super::super::receipt::receipt;
use super::super::settle::{CallMetrics, SettlerParts, UnknownPolicy, Verdict};
use super::*;

const NOW: Moment = Moment::from_unix_ms(1_800_000_000_000);
/// Chat tokens of ten micro-credits; images with a price for one size alone.
const PRICE: &str = r#"{"rates":[{"unit":"output_token","credits":0.00001},
    {"unit":"image","credits":0.00004,"when":{"size":"1x1"}}]}"#;

struct Scene {
    settler: Settler,
    ledger: Ledger,
    store: Store,
    metrics: Metrics,
    tenant: TenantId,
    supervisor: Supervisor,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let target = DbTarget::Sqlite(folder.path().join("server.db"));
        let db = Db::connect(&target).await.expect("connected");
        migrate::run(&db, MIGRATIONS).await.expect("migrated");
        let (clock, supervisor) = (Clock::fixed(NOW), Supervisor::new());
        let settings = LedgerSettings::default();
        let store = Store::new(db);
        let ledger = Ledger::start(store.clone(), clock.clone(), &supervisor, settings).await;
        let (ledger, tenant) = (ledger.expect("a ledger"), TenantId::random());
        let given = ledger.grant(NewGrant {
            tenant: tenant.clone(),
            kind: GrantKind::Manual,
            amount: Credits::from_micros(1_000),
            source_key: "a".to_owned(),
            expires_at: None,
            note: String::new(),
        });
        given.await.expect("given");
        let metrics = Metrics::default();
        let counters = CallMetrics::new(&metrics);
        // Nobody listens there.
        let link = HttpLink::new(
            &["http://127.0.0.1:1".to_owned()],
            &Secret::new("secret".to_owned()),
            clock.clone(),
            LinkSettings::default(),
            LinkMetrics::default(),
        );
        let settler = Settler::new(SettlerParts {
            ledger: ledger.clone(),
            link: Arc::new(link.expect("a link")),
            clock,
            supervisor: supervisor.clone(),
            metrics: counters.clone(),
            keeper: Keeper::start(None, ledger.boot(), counters, &supervisor),
            unknown: UnknownPolicy {
                release_after: std::time::Duration::ZERO,
                ask_for: std::time::Duration::ZERO,
            },
            end_users: None,
            paces: super::super::paces::Paces::default(),
        });
        Self {
            settler,
            ledger,
            store,
            metrics,
            tenant,
            supervisor,
            _folder: folder,
        }
    }

    fn facts(&self) -> CallFacts {
        let list: PriceList = serde_json::from_str(PRICE).expect("a list");
        let price = Price {
            id: PriceId::random(),
            valid_from: NOW,
            list: Tariff::new(list).expect("sound"),
        };
        CallFacts {
            generation: GenerationId::random(),
            tenant: self.tenant.clone(),
            test: false,
            created_at: NOW,
            end_user: None,
            snapshot: of_chat(price.id.clone()),
            price: Some(price),
            others: Vec::new(),
        }
    }

    fn open(&self, facts: CallFacts, receipt: Option<ReceiptSender>) -> OpenCall<Unheld> {
        self.settler.begin(facts, Admission::uncounted(), receipt)
    }

    async fn held(&self, facts: CallFacts) -> OpenCall<Held> {
        let open = self.open(facts, None).hold(terms(500)).await;
        open.expect("held").0
    }

    /// Where a call's hold stands when all that was begun is over.
    async fn state(&self, id: &GenerationId) -> Option<HoldState> {
        assert!(
            self.supervisor
                .finish(std::time::Duration::from_secs(30))
                .await
        );
        let hold = self.ledger.hold_of(id).await.expect("read");
        hold.map(|(hold, _)| hold.state)
    }

    fn counted(&self, metric: &str) -> Option<String> {
        let page = self.metrics.page();
        let mut lines = page.lines();
        let line = lines.find(|line| line.starts_with(&format!("{metric} ")));
        line.and_then(|line| line.split(' ').nth(1))
            .map(str::to_owned)
    }
}

fn terms(micros: i64) -> HoldTerms {
    HoldTerms {
        amount: Credits::from_micros(micros),
        least: Credits::from_micros(micros),
        spenders: Vec::new(),
        zone: Zone::utc(),
        deadline_at: NOW,
    }
}

fn outcome(facts: &CallFacts, usage: Usage) -> Outcome {
    let ended = failure(Fault::new(FaultKind::Internal, ""));
    Outcome {
        usage,
        fault: None,
        ..facts.nothing_produced(&ended, NOW)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_before_it_is_sent_is_released() {
    let scene = Scene::new().await;
    let (never, refused, held) = (scene.facts(), scene.facts(), scene.facts());
    let ids = [&never, &refused, &held].map(|facts| facts.generation.clone());
    drop(scene.open(never, None));
    let too_much = scene.open(refused, None).hold(terms(1_001)).await;
    assert!(matches!(too_much, Err(HoldError::Insufficient { .. })));
    drop(scene.held(held).await);
    assert_eq!(scene.state(&ids[0]).await, None);
    assert_eq!(scene.state(&ids[1]).await, Some(HoldState::Refused));
    assert_eq!(scene.state(&ids[2]).await, Some(HoldState::Released));
    assert_eq!(scene.counted("waule_calls_running").as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_settled_and_its_charge_told_to_who_waits() {
    let scene = Scene::new().await;
    let (facts, (sender, receipt)) = (scene.facts(), receipt());
    let id = facts.generation.clone();
    let outcome = outcome(&facts, Usage::of([(Unit::OutputToken, 7)]));
    let open = scene.open(facts, Some(sender)).hold(terms(500)).await;
    let (open, held) = open.expect("held");
    assert_eq!(held.micros(), 500);
    let sent: OpenCall<Sent> = open.into_stage(Left::Sent { begun: false });
    sent.begun().ended(outcome).wait().await;
    let told = receipt.settled().await.expect("settled");
    assert_eq!(
        (told.charged.micros(), told.status),
        (70, UsageStatus::Succeeded)
    );
    assert_eq!(scene.state(&id).await, Some(HoldState::Settled));
    let balance = scene.ledger.balance(&scene.tenant).await.expect("read");
    assert_eq!(balance.available.micros(), 930);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_charge_that_nobody_knows_is_not_kept_waiting() {
    let scene = Scene::new().await;
    let (facts, (sender, receipt)) = (scene.facts(), receipt());
    let open = scene.open(facts, Some(sender)).hold(terms(500)).await;
    let sent: OpenCall<Sent> = open
        .expect("held")
        .0
        .into_stage(Left::Sent { begun: false });
    sent.not_delivered();
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), receipt.settled()).await;
    assert_eq!(told.expect("in time"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_kept_is_charged_also_where_nobody_learned_of_it() {
    let scene = Scene::new().await;
    let mut facts = scene.facts();
    facts.snapshot.detached = true;
    let id = facts.generation.clone();
    let sent: OpenCall<Sent> = scene
        .held(facts.clone())
        .await
        .into_stage(Left::Sent { begun: false });
    let outcome = outcome(&facts, Usage::of([(Unit::OutputToken, 7)]));
    let due = facts.due(&outcome).expect("it is paid for");
    // The commit whose answer was lost.
    let place = KeptPlace {
        tenant: &scene.tenant,
        parent: "",
        id: "resp_1",
    };
    let end = KeptEnd {
        status: "completed",
        sealed: None,
        names: &[],
        due: Some(KeptDue {
            hold: &due.hold,
            call: due.call.as_str(),
        }),
    };
    let kept = scene.store.end_kept(place, end, None).await;
    kept.expect("committed");
    sent.not_delivered();
    assert_eq!(scene.state(&id).await, Some(HoldState::Settled));
    let balance = scene.ledger.balance(&scene.tenant).await.expect("read");
    assert_eq!(balance.available.micros(), 930);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_without_a_rate_is_counted_once_however_often_it_is_written() {
    let scene = Scene::new().await;
    let facts = scene.facts();
    let open = scene.held(facts.clone()).await;
    let mut usage = Usage::of([(Unit::OutputToken, 1), (Unit::Image, 1)]);
    usage.facts.note(Fact::Size, "2x2");
    let outcome = outcome(&facts, usage);
    let verdict = Verdict::ended(outcome.clone());
    let sent: OpenCall<Sent> = open.into_stage(Left::Sent { begun: false });
    sent.ended(outcome).wait().await;
    // As where the answer of a commit was lost.
    let writing = verdict.reckon(&facts);
    let again = scene
        .settler
        .write(&facts, &writing)
        .await
        .expect("written");
    assert_eq!(
        again.map(|again| again.charged.micros()),
        Some(50),
        "the dearest image"
    );
    let counted = scene.counted("waule_unpriced_measures_total");
    assert_eq!(counted.as_deref(), Some("1"));
    let told = scene.settler.metrics().unpriced_since(facts.created_at);
    assert_eq!(told, [(facts.snapshot.model.clone(), facts.created_at)]);
    let later = facts.created_at.after(std::time::Duration::from_secs(1));
    assert_eq!(scene.settler.metrics().unpriced_since(later), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_which_more_was_told_or_made_than_asked_for_are_counted() {
    let scene = Scene::new().await;
    let facts = scene.facts();
    let open = scene.held(facts.clone()).await;
    let mut usage = Usage::of([(Unit::OutputToken, 60)]);
    (usage.capped, usage.overrun) = (true, true);
    let sent: OpenCall<Sent> = open.into_stage(Left::Sent { begun: false });
    sent.ended(outcome(&facts, usage)).wait().await;
    for what in ["capped", "overrun"] {
        let metric = format!("waule_calls_odd_total{{what=\"{what}\"}}");
        assert_eq!(scene.counted(&metric).as_deref(), Some("1"), "{what}");
    }
    let lost = "waule_loss_microcredits_total{reason=\"provider_overrun\"}";
    assert_eq!(scene.counted(lost).as_deref(), Some("100"));
}
