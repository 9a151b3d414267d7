//! One call in detail: hold, grants, charge line by line, whoever asks and however it ended.

use std::time::Duration;

use server::catalogue::facts::ModelFacts;
use server::catalogue::price::{ImagePrice, PlainPrice};
use server::ledger::{HoldRequest, HoldState};
use server::reports::call_detail::Charge;
use server::store::audit::Actor;
use server::store::catalogue::NewModel;
use server::store::usage::{Try, UsageRecord, UsageStatus};
use shared::id::{GenerationId, PriceId, TenantId};
use shared::link::Operation;
use shared::units::{Fact, Unit, Usage};
use shared::zone::Zone;

use super::{Room, micros, rooms, start};
use crate::support::usage_record;

async fn price(room: &Room) -> PriceId {
    let items = PlainPrice {
        per_request: micros(10),
        input_per_million: micros(2_500_001),
        output_per_million: micros(10_000_000),
        ..PlainPrice::default()
    };
    let cost = PlainPrice {
        input_per_million: micros(1_000_000),
        ..PlainPrice::default()
    };
    let new = NewModel {
        facts: ModelFacts::default(),
        id: "m".to_owned(),
        operation: Operation::Chat,
        targets: Vec::new(),
        max_output_tokens: 100,
        enabled: true,
        answers_public_name: false,
        is_default: false,
        price: Some(items.list(Some(&cost))),
    };
    room.store
        .create_model(&Actor::system(), &new, start())
        .await
        .expect("made");
    let mut models = room.store.catalogue().await.expect("read");
    let model = models.remove(0).expect("a model");
    let price = model.price_at(room.clock.now()).expect("a price");
    price.id.clone()
}

fn hold(room: &Room, tenant: &TenantId, price: &PriceId, amount: i64) -> HoldRequest {
    let call = format!(
        r#"{{"user":null,"key":null,"operation":"chat","model":"m","price":"{price}","multiplier_ppm":1500000,"image":null,"provider":"p"}}"#
    );
    HoldRequest {
        id: GenerationId::random(),
        tenant: tenant.clone(),
        amount: micros(amount),
        least: micros(amount),
        spenders: Vec::new(),
        zone: Zone::utc(),
        owner: room.ledger.boot().clone().into(),
        snapshot: call.into(),
        deadline_at: room.clock.now().after(Duration::from_secs(60)),
    }
}

/// 1,001 input and 7 output tokens: 10 + 2,502.501001 + 70 micro-credits, times 1.5, rounded up.
fn record(ask: &HoldRequest, price: &PriceId) -> UsageRecord {
    let mut record = usage_record(&ask.id, &ask.tenant, micros(3_874), start());
    record.usage = Usage::of([(Unit::InputToken, 1_001), (Unit::OutputToken, 7)]);
    record.price = Some(price.clone());
    record.cost = Some(micros(1_001));
    record.attempts = 2;
    record.tries = vec![Try {
        number: 2,
        provider: "p".to_owned(),
        model: "m".to_owned(),
        key_last4: "ab12".to_owned(),
        fault: None,
        began_ms: 40,
        duration_ms: 460,
        demanded: None,
        next: None,
        region: None,
        status: None,
        gateway: Some("near".to_owned()),
        way: None,
    }];
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_told_line_by_line_and_adds_up() {
    for room in rooms().await {
        let (tenant, price) = (room.tenant("Acme").await, price(&room).await);
        room.give(
            &tenant,
            micros(3_000),
            Some(start().after(Duration::from_secs(999))),
        )
        .await;
        room.give(&tenant, micros(50_000), None).await;
        let ask = hold(&room, &tenant, &price, 5_000);
        room.ledger.hold(ask.clone()).await.expect("held");
        let running = room
            .reports
            .call_detail(&ask.id, None)
            .await
            .expect("read")
            .expect("a detail");
        assert_eq!(
            (running.charge, running.record),
            (Charge::Open, None),
            "{}",
            room.db.name
        );
        let written = record(&ask, &price);
        room.ledger
            .settle(&ask.id, &tenant, written.credits, written.clone())
            .await
            .expect("settled");
        let detail = room
            .reports
            .call_detail(&ask.id, Some(&tenant))
            .await
            .expect("read")
            .expect("a detail");
        let Charge::Lines(bill) = &detail.charge else {
            panic!("{:?}", detail.charge);
        };
        let lines: Vec<String> = bill
            .lines
            .iter()
            .map(|line| format!("{} {} {}", line.unit, line.count, line.amount))
            .collect();
        assert_eq!(
            lines,
            [
                "request 1 0.00001",
                "input_token 1001 0.002502501001",
                "output_token 7 0.00007"
            ]
        );
        assert_eq!(bill.total, micros(3_874));
        let Charge::Lines(cost) = &detail.cost else {
            panic!("{:?}", detail.cost);
        };
        assert_eq!(cost.total, micros(1_001));
        assert!(detail.adds_up, "{}", room.db.name);
        assert_eq!(detail.record, Some(written), "the tries too");
        let held = detail.hold.expect("a hold");
        assert_eq!(
            (held.hold.state, held.hold.settled),
            (HoldState::Settled, micros(3_874))
        );
        let took: Vec<i64> = held
            .took
            .iter()
            .map(|(_, credits)| credits.micros())
            .collect();
        assert_eq!(took, [3_000, 2_000], "what expires first was taken first");
        let foreign = room
            .reports
            .call_detail(&ask.id, Some(&TenantId::random()))
            .await
            .expect("read");
        assert_eq!(foreign, None);
        // A price outlives its end: what was charged with it stays told.
        room.store
            .delete_price(&Actor::system(), &price, start())
            .await
            .expect("deleted");
        let told = room
            .reports
            .call_detail(&ask.id, None)
            .await
            .expect("read")
            .expect("a detail");
        assert!(matches!(told.charge, Charge::Lines(_)));
        assert!(told.price.is_some());
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_does_not_follow_from_its_price_is_found_out() {
    for room in rooms().await {
        let (tenant, price) = (room.tenant("Acme").await, price(&room).await);
        room.give(&tenant, micros(50_000), None).await;
        let ask = hold(&room, &tenant, &price, 5_000);
        room.ledger.hold(ask.clone()).await.expect("held");
        let mut written = record(&ask, &price);
        written.credits = micros(3_875);
        room.ledger
            .settle(&ask.id, &tenant, written.credits, written)
            .await
            .expect("settled");
        let detail = room
            .reports
            .call_detail(&ask.id, None)
            .await
            .expect("read")
            .expect("a detail");
        assert!(!detail.adds_up, "{}", room.db.name);
        room.supervisor.stop();
    }
}

/// The id of a price of 40 micro-credits for small images and 90 for others.
async fn image_price(room: &Room) -> PriceId {
    let image = |size: Option<&str>, credits| ImagePrice {
        size: size.map(str::to_owned),
        quality: None,
        credits: micros(credits),
    };
    let items = PlainPrice {
        per_image: vec![image(Some("1024x1024"), 40), image(None, 90)],
        ..PlainPrice::default()
    };
    let new = NewModel {
        facts: ModelFacts::default(),
        id: "i".to_owned(),
        operation: Operation::Image,
        targets: Vec::new(),
        max_output_tokens: 0,
        enabled: true,
        answers_public_name: false,
        is_default: false,
        price: Some(items.list(None)),
    };
    let actor = Actor::system();
    let made = room.store.create_model(&actor, &new, start());
    made.await.expect("made");
    let models = room.store.catalogue().await.expect("read");
    let mut models = models.into_iter().filter_map(Result::ok);
    let model = models.find(|model| model.id == "i").expect("a model");
    model.prices[0].id.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_calls_story_is_the_same_from_new_records_and_from_old() {
    for room in rooms().await {
        let (tenant, price) = (room.tenant("Acme").await, image_price(&room).await);
        room.give(&tenant, micros(50_000), None).await;
        // As versions before kept it: in the hold's words, and in the record what the provider told.
        let old = format!(
            r#"{{"user":null,"key":null,"operation":"image","model":"i","price":"{price}","multiplier_ppm":1000000,
            "image":{{"n":2,"size":"1024x1024","quality":null}},"provider":"p"}}"#
        );
        let mut billed = Usage::of([(Unit::Image, 2)]);
        billed.facts.note(Fact::Size, "1024x1024");
        let told = Usage::of([(Unit::Image, 3)]);
        for (is_new, usage) in [(false, told), (true, billed.clone())] {
            let ask = HoldRequest {
                snapshot: old.clone().into(),
                ..hold(&room, &tenant, &price, 500)
            };
            room.ledger.hold(ask.clone()).await.expect("held");
            let mut written = usage_record(&ask.id, &tenant, micros(80), start());
            (written.usage, written.operation) = (usage, Operation::Image);
            written.price = Some(price.clone());
            let settling = room.ledger.settle(&ask.id, &tenant, micros(80), written);
            settling.await.expect("settled");
            let detail = room.reports.call_detail(&ask.id, None).await.expect("read");
            let detail = detail.expect("a detail");
            let Charge::Lines(bill) = &detail.charge else {
                panic!("{:?}", detail.charge);
            };
            let line = (bill.lines[0].unit, bill.lines[0].count, bill.total);
            assert_eq!(line, (Unit::Image, 2, micros(80)), "{}", room.db.name);
            assert!(detail.adds_up, "{}", room.db.name);
            // What `/api/v1/usage` shows of a new one is what the lines say.
            let shown = detail.record.expect("a record").usage;
            assert_eq!(shown == billed, is_new, "{}", room.db.name);
        }
        room.supervisor.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_a_charge_say_why() {
    for room in rooms().await {
        let (tenant, price) = (room.tenant("Acme").await, price(&room).await);
        room.give(&tenant, micros(5_000), None).await;
        let charge = async |id: &GenerationId| {
            let detail = room
                .reports
                .call_detail(id, None)
                .await
                .expect("read")
                .expect("a detail");
            assert!(detail.adds_up);
            detail.charge
        };
        let refused = hold(&room, &tenant, &price, 5_001);
        room.ledger
            .hold(refused.clone())
            .await
            .expect_err("too much");
        assert_eq!(
            charge(&refused.id).await,
            Charge::Refused,
            "{}",
            room.db.name
        );
        let failed = hold(&room, &tenant, &price, 100);
        room.ledger.hold(failed.clone()).await.expect("held");
        let mut written = record(&failed, &price);
        (written.usage, written.credits, written.cost) =
            (Usage::default(), micros(0), Some(micros(0)));
        (written.status, written.fault) = (UsageStatus::Failed, Some("timeout".to_owned()));
        room.ledger
            .release(&failed.id, &tenant, Some(written))
            .await
            .expect("released");
        assert_eq!(charge(&failed.id).await, Charge::NothingProduced);
        let released = hold(&room, &tenant, &price, 100);
        room.ledger.hold(released.clone()).await.expect("held");
        room.ledger
            .release(&released.id, &tenant, None)
            .await
            .expect("released");
        assert_eq!(charge(&released.id).await, Charge::Released);
        let mut test = usage_record(&GenerationId::random(), &tenant, micros(0), start());
        test.test = true;
        room.record([test.clone()]).await;
        assert_eq!(charge(&test.id).await, Charge::Test);
        let nobody = room
            .reports
            .call_detail(&GenerationId::random(), None)
            .await
            .expect("read");
        assert_eq!(nobody, None);
        room.supervisor.stop();
    }
}
