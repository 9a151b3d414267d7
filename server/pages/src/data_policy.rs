//! Data policies and data terms in forms: out of them and into them. Keeps nothing.

use admin_templates::form::{FieldError, Form};
use server_rooms::routing::{DataDemand, DataTerms, Retention, RouteRule, Training};

use super::form::{FieldProblem, FormData, ticked};

/// The fields of a policy.
pub(super) const POLICY: [&str; 3] = ["no_training", "zero_retention", "regions"];
/// The fields of what a provider does with data.
pub(super) const TERMS: [&str; 3] = ["never_trains", "retention_days", "region"];
/// The longest that a contract keeps anything.
const DAYS_MAX: u64 = 3_650;

/// A policy in a form.
pub(super) fn filled(demand: &DataDemand) -> Form {
    let regions = demand.regions.iter().flatten().map(String::as_str);
    let regions = regions.collect::<Vec<_>>().join(" ");
    Form::of([
        ("no_training", ticked(demand.no_training)),
        ("zero_retention", ticked(demand.zero_retention)),
        ("regions", regions.as_str()),
    ])
}

/// The rule with the policy that was posted; all else that it says stays.
pub(super) fn read(posted: &FormData, known: RouteRule) -> Result<RouteRule, FieldProblem> {
    let words = posted.text("regions").replace(',', " ").to_lowercase();
    let regions: Vec<&str> = words.split_whitespace().collect();
    let demand = DataDemand {
        no_training: posted.is_ticked("no_training"),
        zero_retention: posted.is_ticked("zero_retention"),
        regions: Some(regions.iter().map(|name| (*name).to_owned()).collect())
            .filter(|_| !regions.is_empty()),
    };
    let rule = RouteRule { demand, ..known };
    // What is kept must be readable again.
    match RouteRule::read(&rule.json()) {
        Ok(_) => Ok(rule),
        Err(_) => Err(("regions", FieldError::Letters)),
    }
}

/// What a provider does with data, in a form.
pub(super) fn filled_terms(terms: Option<&DataTerms>) -> Form {
    let terms = terms.cloned().unwrap_or_default();
    let days = match terms.retention {
        Retention::Unknown => String::new(),
        Retention::Zero => "0".to_owned(),
        Retention::Days(days) => days.to_string(),
    };
    Form::of([
        ("never_trains", ticked(terms.training == Training::Never)),
        ("retention_days", days.as_str()),
        ("region", terms.region.as_deref().unwrap_or_default()),
    ])
}

/// The terms that were posted.
pub(super) fn read_terms(posted: &FormData) -> Result<DataTerms, FieldProblem> {
    let days = posted.optional("retention_days").map(str::parse::<u32>);
    let days = days.transpose();
    let days = days.map_err(|_| ("retention_days", FieldError::NotANumber))?;
    let terms = DataTerms {
        training: if posted.is_ticked("never_trains") {
            Training::Never
        } else {
            Training::May
        },
        retention: match days {
            None => Retention::Unknown,
            Some(0) => Retention::Zero,
            Some(days) => Retention::Days(days),
        },
        region: posted.optional("region").map(str::to_lowercase),
    };
    match terms.checked() {
        Ok(()) => Ok(terms),
        Err(("retention", _)) => Err(("retention_days", FieldError::OutOfRange(0, DAYS_MAX))),
        Err(_) => Err(("region", FieldError::Letters)),
    }
}
