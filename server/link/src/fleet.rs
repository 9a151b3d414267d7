//! All gateways that are known: those of the settings, which stay, and those that operators add and
//! take away while calls run. Sends nothing.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{HeaderValue, Request};
use http_body_util::Full;
use shared::clock::Clock;
use shared::config::ConfigError;
use shared::id::GenerationId;
use shared::link::{Call, GatewayPlace, Target, wire};
use shared::secret::Secret;

use super::encoded_body::BodyEncoder;
use super::http::{ATTACH_MAX, LinkSettings};
use super::nodes::{Address, Candidate, Node, order};
use super::transport::{Pool, SILENCE_MAX, Shape};

/// A gateway may notice a cut at once, and this server only when it misses signs of life; what it
/// asked for before its patience ended takes its time on the way.
const NOTICE_MAX: Duration = SILENCE_MAX.saturating_add(ATTACH_MAX);

/// The gateways.
pub(super) struct Fleet {
    fixed: Vec<Arc<Node>>,
    all: ArcSwap<Vec<Arc<Node>>>,
    settings: LinkSettings,
    /// Of the gateways of the settings.
    secret: HeaderValue,
    /// For how long gateways are to keep what this server is cut from.
    pub(super) kept: HeaderValue,
    clock: Clock,
}

impl Fleet {
    pub(super) fn new(
        urls: &[String],
        secret: HeaderValue,
        settings: LinkSettings,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let fixed = urls
            .iter()
            .map(|entry| node((Address::parse(entry)?, secret.clone()), &settings).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            all: ArcSwap::from_pointee(fixed.clone()),
            fixed,
            kept: wire::patience(settings.patience.saturating_add(NOTICE_MAX)),
            settings,
            secret,
            clock,
        })
    }

    /// How long a call waits for a link that is gone.
    pub(super) fn patience(&self) -> Duration {
        self.settings.patience
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn all(&self) -> Arc<Vec<Arc<Node>>> {
        self.all.load_full()
    }

    /// The nodes in the order they are tried for `key`.
    pub(super) fn ordered(&self, key: &str) -> Vec<Arc<Node>> {
        self.ranked(key, |_| Some(0))
    }

    /// The nodes in the order they are tried for a call: those through which its first target is
    /// reached come first, and those through which none is are left out.
    pub(super) fn for_call(&self, call: &Call) -> Vec<Arc<Node>> {
        self.for_targets(&call.generation, &call.targets)
    }

    fn for_targets(&self, generation: &GenerationId, targets: &[Target]) -> Vec<Arc<Node>> {
        if targets.iter().all(|target| target.gateway.is_none()) {
            return self.ordered(generation.as_str());
        }
        self.ranked(generation.as_str(), |place| {
            let mut targets = targets.iter();
            targets.position(|target| reaches(place, target))
        })
    }

    /// The addresses of the nodes that a call may go to, in their order. Also of the only one: others
    /// may come while the call's hold is open, and are not to be asked about it.
    pub(super) fn route(&self, generation: &GenerationId, targets: &[Target]) -> Vec<String> {
        let nodes = self.for_targets(generation, targets);
        nodes.iter().map(|node| node.place.base.clone()).collect()
    }

    /// The nodes at these addresses; all, where none is named or those named are there no more. Says too
    /// whether nobody else can be meant.
    pub(super) fn at(&self, addresses: &[String]) -> (Vec<Arc<Node>>, bool) {
        let all = self.all();
        let named = all
            .iter()
            .filter(|node| addresses.contains(&node.place.base));
        let named: Vec<Arc<Node>> = named.cloned().collect();
        let is_all = named.len() >= addresses.len();
        if named.is_empty() {
            (all.to_vec(), is_all)
        } else {
            (named, is_all)
        }
    }

    fn ranked(&self, key: &str, rank: impl Fn(&Address) -> Option<usize>) -> Vec<Arc<Node>> {
        let all = self.all.load();
        if let [only] = all.as_slice() {
            let fits = rank(&only.place).is_some();
            return fits.then(|| only.clone()).into_iter().collect();
        }
        let candidates = all.iter().enumerate().filter_map(|(at, node)| {
            Some(Candidate {
                at,
                rank: rank(&node.place)?,
                address: &node.place,
                health: &node.health,
                connected: node.pool.may_be_connected(),
            })
        });
        let places = order(key, candidates, self.clock.now());
        places
            .into_iter()
            .filter_map(|at| all.get(at).cloned())
            .collect()
    }

    /// Uses these besides the fixed ones. Calls that run go on where they are.
    pub(super) fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), ConfigError> {
        let old = self.all();
        let mut all = self.fixed.clone();
        for place in places {
            let address = Address::of(place)?;
            if all.iter().any(|node| node.place.base == address.base) {
                continue;
            }
            let secret = match &place.secret {
                Some(secret) => header(secret)?,
                None => self.secret.clone(),
            };
            let same = |node: &&Arc<Node>| node.place == address && node.secret == secret;
            if let Some(node) = old.iter().find(same) {
                all.push(node.clone());
            } else {
                let node = node((address, secret), &self.settings)?;
                node.pool.warm();
                all.push(Arc::new(node));
            }
        }
        if all.len() != old.len() || all.iter().zip(old.iter()).any(|(a, b)| !Arc::ptr_eq(a, b)) {
            self.all.store(Arc::new(all));
        }
        Ok(())
    }
}

/// Whether a target may be reached through the node at `place`.
fn reaches(place: &Address, target: &Target) -> bool {
    let wanted = target.gateway.as_deref();
    wanted.is_none_or(|wanted| place.name == wanted || place.region == wanted)
}

/// The call as the node at `place` gets it: with the targets that are reached through it.
pub(super) fn part_for(place: &Address, call: &Call) -> Option<Call> {
    if call.targets.iter().all(|target| reaches(place, target)) {
        return None;
    }
    let targets = call.targets.iter().filter(|target| reaches(place, target));
    Some(Call {
        targets: targets.cloned().collect(),
        ..call.clone()
    })
}

/// A secret as it is sent.
pub(super) fn header(secret: &Secret<String>) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_| ConfigError::Invalid("its secret must be printable ASCII".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn node(
    (place, secret): (Address, HeaderValue),
    settings: &LinkSettings,
) -> Result<Node, ConfigError> {
    let hedges = settings.hedging.covers(place.is_far);
    let packs = settings.compression.covers(place.is_far);
    let encoder = packs.then(|| BodyEncoder::new(&secret));
    let (url, shown) = (
        format!("{}{}/health", place.base, wire::PREFIX),
        secret.clone(),
    );
    let hello = move || {
        let mut request = Request::new(Full::default());
        // Checked above: it is a URL.
        *request.uri_mut() = url.parse().unwrap_or_default();
        request.headers_mut().insert(wire::SECRET, shown.clone());
        request
    };
    let shape = Shape::of(settings.connections, place.is_far);
    let pool = Pool::new(
        &place.base,
        Shape {
            patience: settings.patience,
            ..shape
        },
        settings.tls.as_ref(),
        Box::new(hello),
    )?;
    Ok(Node::new((place, secret), pool, encoder, hedges))
}

#[cfg(test)]
mod tests {
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
            bounds: None,
            answer_model: None,
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
}
