//! What somebody says of where calls go, in the form of OpenRouter's `provider` object (its documentation,
//! "Provider Routing"): read from requests, kept for keys, tenants and models. What it does not know it
//! refuses: a field that is passed over could be one that forbids something.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::credits::Credits;

use super::terms::{self, DataDemand};

/// Names in one list at most: twice the targets of a model.
pub const NAMES_MAX: usize = 32;
/// Characters of one name.
pub const NAME_CHARS_MAX: usize = 100;
/// Models that one request names beside its own.
pub const MODELS_MAX: usize = 8;

/// By what targets are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteSort {
    /// The cheapest for the operator first.
    Price,
    /// The one that writes fastest first.
    Throughput,
    /// The one that begins soonest first.
    Latency,
}

impl RouteSort {
    /// All, in the order of forms.
    pub const ALL: [Self; 3] = [Self::Price, Self::Latency, Self::Throughput];

    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.word() == word)
    }
}

/// What a model's price may be at most, in credits: of a million tokens, of a request, of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaxPrice {
    /// A million tokens of input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Credits>,
    /// A million tokens of output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Credits>,
    /// A request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Credits>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Credits>,
}

impl MaxPrice {
    /// The lower of both, each.
    fn and(self, other: Self) -> Self {
        let least = |one: Option<Credits>, two: Option<Credits>| one.into_iter().chain(two).min();
        Self {
            prompt: least(self.prompt, other.prompt),
            completion: least(self.completion, other.completion),
            request: least(self.request, other.request),
            image: least(self.image, other.image),
        }
    }

    fn is_sound(&self) -> bool {
        let all = [self.prompt, self.completion, self.request, self.image];
        all.iter().flatten().all(|credits| !credits.is_negative())
    }
}

/// What is said of where calls go. Names of providers are in small letters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct RouteRule {
    /// Those to be tried first, in this order.
    pub order: Vec<String>,
    /// Those that may be called; all where it is absent.
    pub only: Option<BTreeSet<String>>,
    /// Those that may not.
    pub ignore: BTreeSet<String>,
    /// Whether others follow those of `order`, or the first one.
    pub allow_fallbacks: Option<bool>,
    /// How the rest is put in order.
    pub sort: Option<RouteSort>,
    /// What whoever gets the data must promise.
    pub demand: DataDemand,
    /// What the model may cost at most.
    pub max_price: MaxPrice,
    /// Whether only a provider may answer to which all that was asked can be said.
    pub require_parameters: bool,
}

impl RouteRule {
    /// Reads the JSON of a `provider` object; says what is wrong with it.
    pub fn read(json: &str) -> Result<Self, String> {
        // What is derived takes lists for objects.
        if !json.trim_start().starts_with('{') {
            return Err("it must be an object".to_owned());
        }
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// The rule that nobody satisfies.
    pub fn nobody() -> Self {
        Self {
            only: Some(BTreeSet::new()),
            ..Self::default()
        }
    }

    /// Whether it says nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Its JSON.
    pub fn json(&self) -> String {
        // Words and lists of words always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// This rule with what `later` says on top: it forbids more and demands more and never less, and what it
    /// prefers takes the place of what is preferred here.
    #[must_use]
    pub fn narrowed(&self, later: &Self) -> Self {
        let only = match (&self.only, &later.only) {
            (Some(one), Some(two)) => Some(one.intersection(two).cloned().collect()),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        };
        let order = if later.order.is_empty() {
            &self.order
        } else {
            &later.order
        };
        Self {
            order: order.clone(),
            only,
            ignore: self.ignore.union(&later.ignore).cloned().collect(),
            allow_fallbacks: later.allow_fallbacks.or(self.allow_fallbacks),
            sort: later.sort.or(self.sort),
            demand: self.demand.and(&later.demand),
            max_price: self.max_price.and(later.max_price),
            require_parameters: self.require_parameters || later.require_parameters,
        }
    }

    /// Whether a provider may be called, whatever it does with data.
    pub fn allows(&self, provider: &str) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.contains(provider)) && !self.ignore.contains(provider)
    }
}

/// As it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allow_fallbacks: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sort: Option<WrittenSort>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_collection: Option<DataCollection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zdr: Option<bool>,
    /// Waule's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    regions: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_price: Option<MaxPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    require_parameters: Option<bool>,
    /// Only preferred, so that nothing is promised by taking it.
    #[expect(dead_code, reason = "taken, and nothing more")]
    #[serde(default, skip_serializing)]
    preferred_min_throughput: Option<IgnoredAny>,
    #[expect(dead_code, reason = "taken, and nothing more")]
    #[serde(default, skip_serializing)]
    preferred_max_latency: Option<IgnoredAny>,
    /// Nobody knows these of any target: what asks for something is refused.
    #[serde(default, skip_serializing)]
    quantizations: Option<Vec<String>>,
    #[serde(default, skip_serializing)]
    enforce_distillable_text: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DataCollection {
    Allow,
    Deny,
}

/// A word, or an object with one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`sort` must be price, throughput or latency, or an object with one as `by`"
)]
enum WrittenSort {
    Word(RouteSort),
    Object(SortObject),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SortObject {
    by: RouteSort,
    /// `model`: each model's targets are put in order for themselves.
    #[expect(dead_code, reason = "only one word is taken, and it is the usual")]
    #[serde(default, skip_serializing)]
    partition: Option<Partition>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Partition {
    Model,
}

/// Names in small letters, few and short.
fn names<C: FromIterator<String>>(
    field: &str,
    list: Option<Vec<String>>,
) -> Result<Option<C>, String> {
    let Some(list) = list else {
        return Ok(None);
    };
    if list.len() > NAMES_MAX {
        return Err(format!("`{field}` holds more than {NAMES_MAX} names"));
    }
    let is_name = |name: &String| {
        let length = name.chars().count();
        (1..=NAME_CHARS_MAX).contains(&length) && !name.chars().any(char::is_control)
    };
    if !list.iter().all(is_name) {
        return Err(format!(
            "`{field}` must hold names of 1 to {NAME_CHARS_MAX} characters"
        ));
    }
    Ok(Some(list.iter().map(|name| name.to_lowercase()).collect()))
}

impl TryFrom<Written> for RouteRule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let is_asked = written.quantizations.is_some_and(|list| !list.is_empty());
        if is_asked {
            return Err(
                "`quantizations` are not known of any provider here; leave it out".to_owned(),
            );
        }
        if written.enforce_distillable_text == Some(true) {
            return Err("`enforce_distillable_text` is not known here; leave it out".to_owned());
        }
        let regions: Option<BTreeSet<String>> = names("regions", written.regions)?;
        if regions.iter().flatten().any(|name| !terms::is_region(name)) {
            return Err("`regions` must hold names of 1 to 40 of a-z 0-9 -".to_owned());
        }
        let max_price = written.max_price.unwrap_or_default();
        if !max_price.is_sound() {
            return Err("`max_price` must hold credits of at least 0".to_owned());
        }
        Ok(Self {
            order: names("order", written.order)?.unwrap_or_default(),
            only: names("only", written.only)?,
            ignore: names("ignore", written.ignore)?.unwrap_or_default(),
            allow_fallbacks: written.allow_fallbacks,
            sort: written.sort.map(|sort| match sort {
                WrittenSort::Word(by) | WrittenSort::Object(SortObject { by, .. }) => by,
            }),
            demand: DataDemand {
                no_training: written.data_collection == Some(DataCollection::Deny),
                zero_retention: written.zdr == Some(true),
                regions,
            },
            max_price,
            require_parameters: written.require_parameters == Some(true),
        })
    }
}

impl From<RouteRule> for Written {
    fn from(rule: RouteRule) -> Self {
        let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>();
        Self {
            order: (!rule.order.is_empty()).then_some(rule.order),
            only: rule.only.map(list),
            ignore: (!rule.ignore.is_empty()).then(|| list(rule.ignore)),
            allow_fallbacks: rule.allow_fallbacks,
            sort: rule.sort.map(WrittenSort::Word),
            data_collection: rule.demand.no_training.then_some(DataCollection::Deny),
            zdr: rule.demand.zero_retention.then_some(true),
            regions: rule.demand.regions.map(list),
            max_price: (rule.max_price != MaxPrice::default()).then_some(rule.max_price),
            require_parameters: rule.require_parameters.then_some(true),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> RouteRule {
        RouteRule::read(json).expect(json)
    }

    #[test]
    fn what_openrouters_clients_send_is_read_and_comes_back() {
        for (sent, kept) in [
            ("{}", "{}"),
            (
                r#"{"order":["Azure","OpenAI"]}"#,
                r#"{"order":["azure","openai"]}"#,
            ),
            (
                r#"{"only":["b","A","b"],"ignore":[],"allow_fallbacks":false}"#,
                r#"{"only":["a","b"],"allow_fallbacks":false}"#,
            ),
            (r#"{"sort":"throughput"}"#, r#"{"sort":"throughput"}"#),
            (
                r#"{"sort":{"by":"latency","partition":"model"}}"#,
                r#"{"sort":"latency"}"#,
            ),
            (r#"{"data_collection":"allow","zdr":false}"#, "{}"),
            (
                r#"{"data_collection":"deny","zdr":true,"regions":["eu"]}"#,
                r#"{"data_collection":"deny","zdr":true,"regions":["eu"]}"#,
            ),
            (
                r#"{"max_price":{"prompt":1,"completion":"2.5"}}"#,
                r#"{"max_price":{"prompt":1,"completion":2.5}}"#,
            ),
            (
                r#"{"require_parameters":true,"quantizations":[],"preferred_max_latency":{"p90":3}}"#,
                r#"{"require_parameters":true}"#,
            ),
            (
                r#"{"order":null,"sort":null,"zdr":null,"max_price":null}"#,
                "{}",
            ),
        ] {
            let read = rule(sent);
            assert_eq!(read.json(), kept, "{sent}");
            assert_eq!(rule(kept), read, "{kept}");
        }
        assert!(rule("{}").is_nothing());
    }

    #[test]
    fn what_is_wrong_too_much_or_not_known_is_refused() {
        let many = format!(r#"{{"ignore":{:?}}}"#, vec!["x"; 1_000]);
        let long = format!(r#"{{"only":["{}"]}}"#, "x".repeat(101));
        let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for json in [
            "[]",
            "null",
            "1",
            r#"{"order":"a"}"#,
            r#"{"order":[1]}"#,
            r#"{"order":[["a"]]}"#,
            r#"{"order":["a"],"order":["b"]}"#,
            r#"{"only":[""]}"#,
            r#"{"only":["a\u0000"]}"#,
            r#"{"allow_fallbacks":"no"}"#,
            r#"{"sort":"cheapest"}"#,
            r#"{"sort":{"by":"price","partition":"none"}}"#,
            r#"{"sort":{}}"#,
            r#"{"data_collection":"perhaps"}"#,
            r#"{"zdr":1}"#,
            r#"{"regions":["E U"]}"#,
            r#"{"max_price":{"prompt":-1}}"#,
            r#"{"max_price":{"audio":1}}"#,
            r#"{"max_price":5}"#,
            r#"{"quantizations":["fp8"]}"#,
            r#"{"enforce_distillable_text":true}"#,
            r#"{"anything":1}"#,
            &many,
            &long,
            &nested,
        ] {
            let shown: String = json.chars().take(60).collect();
            assert!(RouteRule::read(json).is_err(), "{shown}");
        }
    }

    #[test]
    fn a_later_rule_narrows_and_never_widens() {
        let key = rule(
            r#"{"only":["a","b"],"ignore":["x"],"zdr":true,"max_price":{"prompt":2},"sort":"price"}"#,
        );
        for (request, expected) in [
            (
                "{}",
                r#"{"only":["a","b"],"ignore":["x"],"sort":"price","zdr":true,"max_price":{"prompt":2}}"#,
            ),
            (
                r#"{"only":["b","c"],"zdr":false,"data_collection":"deny","max_price":{"prompt":9}}"#,
                r#"{"only":["b"],"ignore":["x"],"sort":"price","data_collection":"deny","zdr":true,"max_price":{"prompt":2}}"#,
            ),
            (
                r#"{"only":["c"],"ignore":[],"sort":"latency","order":["c"]}"#,
                r#"{"order":["c"],"only":[],"ignore":["x"],"sort":"latency","zdr":true,"max_price":{"prompt":2}}"#,
            ),
        ] {
            assert_eq!(key.narrowed(&rule(request)), rule(expected), "{request}");
        }
        let none = rule(r#"{"only":["a"]}"#).narrowed(&rule(r#"{"only":["b"]}"#));
        assert!(!none.allows("a") && !none.allows("b"));
    }
}
