//! How far one key reaches beyond another: what is made with a key has at most what the key has. Pure.

use server_rules::access::Network;

use super::keys::{ApiKey, ApiKeyKind};

/// Whether a limit is at least as tight as the outer one.
fn within<T: PartialOrd + Copy>(inner: Option<T>, outer: Option<T>) -> bool {
    outer.is_none_or(|outer| inner.is_some_and(|inner| inner <= outer))
}

/// Whether every address of `inner` is one of `outer`; no list is every address.
fn addresses_within(inner: Option<&[String]>, outer: Option<&[String]>) -> bool {
    let Some(outer) = outer else { return true };
    let outer: Vec<Network> = outer
        .iter()
        .filter_map(|text| Network::parse(text))
        .collect();
    let is_inside = |text: &String| {
        let network = Network::parse(text);
        network.is_some_and(|network| outer.iter().any(|outer| network.is_within(outer)))
    };
    inner.is_some_and(|inner| inner.iter().all(is_inside))
}

impl ApiKey {
    /// The first field in which this key has more than `outer`.
    pub fn beyond(&self, outer: &Self) -> Option<&'static str> {
        let (limits, most) = (&self.limits, &outer.limits);
        let models = outer.allowed_models.as_ref().is_none_or(|outer| {
            let inner = self.allowed_models.as_ref();
            let has = |model: &String| outer.iter().any(|name| name.eq_ignore_ascii_case(model));
            inner.is_some_and(|inner| inner.iter().all(has))
        });
        let checks = [
            (
                "kind",
                outer.kind == ApiKeyKind::Live || self.kind == outer.kind,
            ),
            ("scopes", self.scopes.is_within(outer.scopes)),
            ("allowed_models", models),
            (
                "allowed_addresses",
                addresses_within(
                    self.allowed_addresses.as_deref(),
                    outer.allowed_addresses.as_deref(),
                ),
            ),
            ("expires_at", within(self.expires_at, outer.expires_at)),
            (
                "limits",
                within(limits.requests_per_minute, most.requests_per_minute)
                    && within(limits.tokens_per_minute, most.tokens_per_minute)
                    && within(limits.concurrency, most.concurrency),
            ),
        ];
        let broken = checks.into_iter().find(|(_, holds)| !holds);
        broken.map(|(field, _)| field)
    }
}
