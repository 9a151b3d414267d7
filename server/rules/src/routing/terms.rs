//! What a provider does with the data of a call, as its contract says and an operator writes down; and what a
//! tenant, a key or a request demands of it. What is not known satisfies no demand.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A region's name: letters that laws and clouds use, as `eu` or `eu-west-1`.
const REGION_BYTES_MAX: usize = 40;
/// The longest that a contract keeps anything.
const DAYS_MAX: u32 = 3_650;

/// Whether a provider trains on what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Training {
    /// Nobody wrote it down.
    #[default]
    Unknown,
    /// It never does.
    Never,
    /// It may.
    May,
}

/// For how long a provider keeps what it is sent, as it is written: `zero`, `unknown`, or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Nobody wrote it down.
    #[default]
    Unknown,
    /// Not at all.
    Zero,
    /// For so many days.
    Days(u32),
}

/// What a provider does with data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataTerms {
    /// Whether it trains on it.
    pub training: Training,
    /// For how long it keeps it.
    pub retention: Retention,
    /// Where it works, in small letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl DataTerms {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The same as it may be kept; else the field that is wrong, and what it must be.
    pub fn checked(&self) -> Result<(), (&'static str, &'static str)> {
        if let Retention::Days(days) = self.retention
            && !(1..=DAYS_MAX).contains(&days)
        {
            return Err(("retention", "1 to 3650 days, or zero"));
        }
        match &self.region {
            Some(region) if !is_region(region) => Err(("region", "1 to 40 of a-z 0-9 -")),
            _ => Ok(()),
        }
    }
}

/// Whether a text names a region.
pub(super) fn is_region(text: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=REGION_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_sign)
}

/// What is demanded of whoever gets the data. Demands add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataDemand {
    /// Nobody trains on it.
    pub no_training: bool,
    /// Nobody keeps it.
    pub zero_retention: bool,
    /// It goes to one of these regions; anywhere where it is absent, and nowhere where it is empty.
    pub regions: Option<BTreeSet<String>>,
}

impl DataDemand {
    /// Whether anybody satisfies it.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether terms satisfy it; absent ones are not known.
    pub fn is_met(&self, terms: Option<&DataTerms>) -> bool {
        if self.is_nothing() {
            return true;
        }
        let Some(terms) = terms else {
            return false;
        };
        let in_region = |regions: &BTreeSet<String>| {
            let region = terms.region.as_ref();
            region.is_some_and(|region| regions.contains(region))
        };
        (!self.no_training || terms.training == Training::Never)
            && (!self.zero_retention || terms.retention == Retention::Zero)
            && self.regions.as_ref().is_none_or(in_region)
    }

    /// Both demands.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let regions = match (&self.regions, &other.regions) {
            (Some(one), Some(two)) => Some(one.intersection(two).cloned().collect()),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        };
        Self {
            no_training: self.no_training || other.no_training,
            zero_retention: self.zero_retention || other.zero_retention,
            regions,
        }
    }

    /// What [`Self::text`] wrote; words of later versions are passed over.
    pub fn of_text(text: &str) -> Self {
        let words = || text.split(' ');
        let regions = words().find_map(|word| word.strip_prefix("region:"));
        let names = |list: &str| {
            let names = list.split('|').filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        Self {
            no_training: words().any(|word| word == "no_training"),
            zero_retention: words().any(|word| word == "zero_retention"),
            regions: regions.map(names),
        }
    }

    /// As usage records and pages write it: `no_training zero_retention region:eu|us`; empty where nothing is
    /// demanded.
    pub fn text(&self) -> String {
        let mut words = Vec::new();
        if self.no_training {
            words.push("no_training".to_owned());
        }
        if self.zero_retention {
            words.push("zero_retention".to_owned());
        }
        if let Some(regions) = &self.regions {
            let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
            words.push(format!("region:{}", regions.join("|")));
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(no_training: bool, zero_retention: bool, regions: Option<&[&str]>) -> DataDemand {
        DataDemand {
            no_training,
            zero_retention,
            regions: regions.map(|list| list.iter().map(|one| (*one).to_owned()).collect()),
        }
    }

    fn terms(json: &str) -> DataTerms {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn what_is_not_known_satisfies_nothing() {
        let strict = r#"{"training":"never","retention":"zero","region":"eu"}"#;
        for (demand, json, is_met) in [
            (demand(false, false, None), "{}", true),
            (demand(true, false, None), "{}", false),
            (demand(true, false, None), r#"{"training":"may"}"#, false),
            (demand(true, false, None), r#"{"training":"never"}"#, true),
            (demand(false, true, None), r#"{"training":"never"}"#, false),
            (
                demand(false, true, None),
                r#"{"retention":{"days":1}}"#,
                false,
            ),
            (demand(false, true, None), r#"{"retention":"zero"}"#, true),
            (
                demand(false, false, Some(&["eu"])),
                r#"{"training":"never"}"#,
                false,
            ),
            (
                demand(false, false, Some(&["eu", "us"])),
                r#"{"region":"us"}"#,
                true,
            ),
            (
                demand(false, false, Some(&["eu"])),
                r#"{"region":"us"}"#,
                false,
            ),
            (demand(false, false, Some(&[])), strict, false),
            (demand(true, true, Some(&["eu"])), strict, true),
        ] {
            assert_eq!(
                demand.is_met(Some(&terms(json))),
                is_met,
                "{demand:?} {json}"
            );
            assert_eq!(demand.is_met(None), demand.is_nothing(), "{demand:?}");
            assert_eq!(DataDemand::of_text(&demand.text()), demand);
        }
    }

    #[test]
    fn demands_add_up() {
        let both =
            demand(true, false, Some(&["eu", "us"])).and(&demand(false, true, Some(&["us"])));
        assert_eq!(both, demand(true, true, Some(&["us"])));
        assert_eq!(both.text(), "no_training zero_retention region:us");
        let nowhere = demand(false, false, Some(&["eu"])).and(&demand(false, false, Some(&["us"])));
        assert_eq!(nowhere.regions, Some(BTreeSet::new()));
        assert_eq!(DataDemand::default().text(), "");
    }

    #[test]
    fn terms_are_bounded() {
        assert_eq!(
            terms(r#"{"retention":{"days":30},"region":"eu"}"#).checked(),
            Ok(())
        );
        for (json, field) in [
            (r#"{"retention":{"days":0}}"#, "retention"),
            (r#"{"retention":{"days":4000}}"#, "retention"),
            (r#"{"region":"EU"}"#, "region"),
            (r#"{"region":""}"#, "region"),
        ] {
            assert_eq!(terms(json).checked().map_err(|(name, _)| name), Err(field));
        }
        assert!(terms("{}").is_unknown());
    }
}
