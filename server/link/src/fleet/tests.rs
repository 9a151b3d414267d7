//! Targets reach the gateways that they name and no others, while gateways come and go.

use bytes::Bytes;
use shared::id::RequestId;
use shared::link::Operation;
use shared::surface::Surface;

use super::*;

fn fleet(urls: &[&str]) -> Fleet {
    let urls: Vec<_> = urls.iter().map(|url| (*url).to_owned()).collect();
    let secret = HeaderValue::from_static("secret");
    Fleet::new(&urls, secret, LinkSettings::default(), Clock::system()).expect("a fleet")
}

fn call(gateways: &[Option<&str>]) -> Call {
    let target = |(n, gateway): (usize, Option<&str>)| Target {
        provider: format!("provider-{n}"),
        model: "m".to_owned(),
        gateway: gateway.map(str::to_owned),
        answers: None,
    };
    Call {
        generation: GenerationId::random(),
        request: RequestId::random(),
        surface: Surface::of(Operation::Chat),
        targets: gateways.iter().copied().enumerate().map(target).collect(),
        body: Bytes::new(),
        stream: false,
        show_usage: false,
        headers: Vec::new(),
        tenant: None,
        caller: 0,
        end_user: None,
        bounds: None,
        answer_model: None,
        says_all: false,
        deadline: Duration::from_secs(1),
    }
}

fn names(nodes: &[Arc<Node>]) -> Vec<&str> {
    nodes.iter().map(|node| node.place.name.as_str()).collect()
}

const THREE: [&str; 3] = [
    "https://a.example#name=a&region=us",
    "https://b.example#name=b&region=us",
    "https://c.example#name=c&region=eu",
];

#[test]
fn targets_lead_to_the_gateways_that_they_name_and_only_there() {
    let fleet = fleet(&THREE);
    for _ in 0..50 {
        let plain = fleet.for_call(&call(&[None]));
        assert_eq!(plain.len(), 3);
        let eu_first = call(&[Some("eu"), Some("b")]);
        let nodes = fleet.for_call(&eu_first);
        assert_eq!(names(&nodes), ["c", "b"]);
        let part = part_for(&nodes[1].place, &eu_first).expect("a part");
        assert_eq!(part.targets.len(), 1);
        assert_eq!(part.targets[0].provider, "provider-1");
        let mut us = names(&fleet.for_call(&call(&[Some("us")]))).join("");
        assert!(["ab", "ba"].contains(&us.as_str()), "{us}");
        us.clear();
    }
    assert!(fleet.for_call(&call(&[Some("moon")])).is_empty());
    let anywhere = call(&[None]);
    assert!(part_for(&fleet.all()[0].place, &anywhere).is_none());
}

#[test]
fn who_is_asked_for_one_that_is_gone_does_not_answer_for_it() {
    let fleet = fleet(&THREE);
    let of = |named: &[&str]| {
        let named: Vec<_> = named.iter().map(|base| (*base).to_owned()).collect();
        let (nodes, is_all) = fleet.at(&named);
        (names(&nodes).join(""), is_all)
    };
    let (b, gone) = ("https://b.example", "https://gone.example");
    assert_eq!(of(&[]), ("abc".to_owned(), true));
    assert_eq!(of(&[b]), ("b".to_owned(), true));
    assert_eq!(of(&[b, gone]), ("b".to_owned(), false));
    assert_eq!(of(&[gone]), ("abc".to_owned(), false));
}

#[tokio::test]
async fn gateways_come_and_go_while_those_of_the_settings_stay() {
    let fleet = fleet(&THREE[..1]);
    let place = |url: &str| GatewayPlace {
        url: url.to_owned(),
        name: "x".to_owned(),
        region: String::new(),
        priority: 1,
        secret: None,
    };
    fleet
        .use_gateways(&[place("https://x.example")])
        .expect("used");
    let before = fleet.all();
    assert_eq!(names(&before), ["a", "x"]);
    fleet
        .use_gateways(&[place("https://x.example"), place("https://a.example")])
        .expect("used");
    // Known ones keep their connections, and one of the settings is not there twice.
    assert!(Arc::ptr_eq(&before[1], &fleet.all()[1]));
    assert_eq!(fleet.all().len(), 2);
    assert!(fleet.use_gateways(&[place("http://x.example")]).is_err());
    assert_eq!(fleet.all().len(), 2, "nothing changed");
    let own = |secret: &str| GatewayPlace {
        secret: Some(Secret::new(secret.to_owned())),
        ..place("https://x.example")
    };
    fleet.use_gateways(&[own("its own")]).expect("used");
    let all = fleet.all();
    assert!(
        !Arc::ptr_eq(&before[1], &all[1]),
        "another secret, another node"
    );
    assert_eq!(
        (&all[0].secret, &all[1].secret),
        (
            &"secret".parse().expect("a value"),
            &"its own".parse().expect("a value")
        )
    );
    assert!(fleet.use_gateways(&[own("a\nb")]).is_err());
    fleet.use_gateways(&[]).expect("used");
    assert_eq!(names(&fleet.all()), ["a"]);
}
