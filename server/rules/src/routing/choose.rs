//! Puts a model's targets in the order in which a call tries them, and leaves out those that it may not go
//! to.

use std::cmp::Reverse;

use super::rule::{RouteRule, RouteSort};
use super::terms::DataTerms;
use crate::catalogue::model::{Model, WeightedTarget};

/// How fast a target was of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetPace {
    /// From a try's beginning to its first byte, in microseconds.
    pub first_byte_us: u64,
    /// Output tokens in a thousand seconds; absent where none were written.
    pub tokens_per_1000_s: Option<u64>,
}

/// Why a model has no target for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTarget {
    /// None of its providers may be called.
    Provider,
    /// None of those that may be called satisfies the data policy.
    DataPolicy,
}

/// The targets that a call may try, in their order: those of `order` first, then the rest as `sort` says,
/// else by priority and drawn by weight. What was not measured of late counts as the best that was, so that
/// it gets its share and is measured.
pub fn choose<'a>(
    model: &'a Model,
    rule: &RouteRule,
    terms: impl Fn(&str) -> Option<&'a DataTerms>,
    pace: impl Fn(&WeightedTarget) -> Option<TargetPace>,
    seed: u64,
) -> Result<Vec<&'a WeightedTarget>, NoTarget> {
    let mut targets = model.drawn(seed);
    targets.retain(|target| rule.allows(&target.provider));
    if targets.is_empty() {
        return Err(NoTarget::Provider);
    }
    targets.retain(|target| rule.demand.is_met(terms(&target.provider)));
    if targets.is_empty() {
        return Err(NoTarget::DataPolicy);
    }
    // Each is stable: what is alike stays in the model's own order.
    match rule.sort {
        Some(RouteSort::Price) => {
            targets.sort_by_key(|target| (target.cost.is_none(), target.cost));
        }
        Some(RouteSort::Latency) => sort_by_pace(&mut targets, |target| {
            Some(Reverse(pace(target)?.first_byte_us))
        }),
        Some(RouteSort::Throughput) => {
            sort_by_pace(&mut targets, |target| pace(target)?.tokens_per_1000_s);
        }
        None => {}
    }
    let place = |target: &WeightedTarget| {
        let found = rule.order.iter().position(|name| *name == target.provider);
        found.unwrap_or(usize::MAX)
    };
    targets.sort_by_key(|target| place(target));
    if rule.allow_fallbacks == Some(false) {
        if rule.order.is_empty() {
            targets.truncate(1);
        } else {
            targets.retain(|target| place(target) < usize::MAX);
        }
    }
    if targets.is_empty() {
        return Err(NoTarget::Provider);
    }
    Ok(targets)
}

/// The greatest first.
fn sort_by_pace<K: Ord + Copy>(
    targets: &mut [&WeightedTarget],
    key: impl Fn(&WeightedTarget) -> Option<K>,
) {
    let best = targets.iter().filter_map(|target| key(target)).max();
    targets.sort_by_cached_key(|target| Reverse(key(target).or(best)));
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use shared::clock::Moment;
    use shared::link::Operation;

    use super::*;
    use crate::catalogue::facts::ModelFacts;
    use crate::catalogue::model::ModelParts;

    /// Providers `a` to `d`: one a priority, but `c` and `d`, which are drawn.
    fn model() -> Model {
        let target = |(name, priority, cost): (&str, u32, Option<u32>)| WeightedTarget {
            provider: name.to_owned(),
            model: "m".to_owned(),
            weight: 1,
            priority,
            gateway: None,
            cost,
        };
        let targets = [
            ("a", 0, Some(30)),
            ("b", 1, None),
            ("c", 2, Some(10)),
            ("d", 3, Some(20)),
        ];
        Model::new(ModelParts {
            id: "m".to_owned(),
            operation: Operation::Chat,
            targets: targets.into_iter().map(target).collect(),
            max_output_tokens: 10,
            enabled: true,
            answers_public_name: false,
            is_default: false,
            created_at: Moment::default(),
            prices: Vec::new(),
            facts: ModelFacts::default(),
        })
    }

    fn terms() -> HashMap<&'static str, DataTerms> {
        let read = |json: &str| serde_json::from_str(json).expect(json);
        HashMap::from([
            (
                "a",
                read(r#"{"training":"may","retention":"zero","region":"us"}"#),
            ),
            (
                "b",
                read(r#"{"training":"never","retention":{"days":30},"region":"eu"}"#),
            ),
            (
                "c",
                read(r#"{"training":"never","retention":"zero","region":"eu"}"#),
            ),
        ])
    }

    fn paces() -> HashMap<&'static str, TargetPace> {
        let pace = |first_byte_us, tokens| TargetPace {
            first_byte_us,
            tokens_per_1000_s: tokens,
        };
        HashMap::from([
            ("a", pace(900_000, Some(50_000))),
            ("b", pace(100_000, Some(20_000))),
            ("d", pace(500_000, None)),
        ])
    }

    fn chosen(json: &str) -> Result<String, NoTarget> {
        let (model, terms, paces) = (model(), terms(), paces());
        let rule = RouteRule::read(json).expect(json);
        let pace = |target: &WeightedTarget| paces.get(target.provider.as_str()).copied();
        // The model outlives nothing here: names are copied out.
        let of = |name: &str| terms.get(name);
        choose(&model, &rule, of, pace, 1)
            .map(|targets| targets.iter().map(|t| t.provider.as_str()).collect())
    }

    #[test]
    fn targets_are_filtered_and_put_in_order() {
        for (rule, expected) in [
            ("{}", Ok("abcd")),
            (r#"{"order":["C","nobody","b"]}"#, Ok("cbad")),
            (r#"{"order":["c"],"allow_fallbacks":false}"#, Ok("c")),
            (r#"{"order":["c","a"],"allow_fallbacks":false}"#, Ok("ca")),
            (r#"{"allow_fallbacks":false}"#, Ok("a")),
            (r#"{"sort":"price","allow_fallbacks":false}"#, Ok("c")),
            (
                r#"{"order":["nobody"],"allow_fallbacks":false}"#,
                Err(NoTarget::Provider),
            ),
            (r#"{"only":["d","b"]}"#, Ok("bd")),
            (r#"{"only":["d","b"],"ignore":["b"]}"#, Ok("d")),
            (r#"{"only":["nobody"]}"#, Err(NoTarget::Provider)),
            (r#"{"only":[]}"#, Err(NoTarget::Provider)),
            (r#"{"ignore":["a","b","c","d"]}"#, Err(NoTarget::Provider)),
            (r#"{"ignore":["a"],"order":["d"]}"#, Ok("dbc")),
            (r#"{"sort":"price"}"#, Ok("cdab")),
            (r#"{"sort":"price","order":["b"]}"#, Ok("bcda")),
            // `c` was never measured and counts as the best.
            (r#"{"sort":"latency"}"#, Ok("bcda")),
            (r#"{"sort":"throughput"}"#, Ok("acdb")),
            (r#"{"data_collection":"deny"}"#, Ok("bc")),
            (r#"{"zdr":true}"#, Ok("ac")),
            (r#"{"zdr":true,"data_collection":"deny"}"#, Ok("c")),
            (r#"{"regions":["us"]}"#, Ok("a")),
            (
                r#"{"regions":["us"],"data_collection":"deny"}"#,
                Err(NoTarget::DataPolicy),
            ),
            (r#"{"regions":["cn"]}"#, Err(NoTarget::DataPolicy)),
            // Nothing is known of `d`.
            (r#"{"only":["d"],"zdr":true}"#, Err(NoTarget::DataPolicy)),
        ] {
            let got = chosen(rule);
            assert_eq!(got.as_deref(), expected.as_deref(), "{rule}");
        }
    }
}
