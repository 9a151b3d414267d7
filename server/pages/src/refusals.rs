//! Why a call from a page was refused or failed, in its reader's language: the cause, that nothing was
//! charged, and what to do. Knows no page, and tells tenants nothing of providers.

use admin_templates::labels::{Label as _, RefusalTold};
use admin_templates::page::{Lang, fault_told};
use admin_templates::text::Text;
use server_calls::CallError;
use shared::fault::FaultKind;
use shared::link::Failure;

/// The words of a refusal, and what fills their second gap.
fn refusal(error: &CallError) -> Option<(RefusalTold, String)> {
    let plain = |told| Some((told, String::new()));
    match error {
        CallError::Failed(_) => None,
        CallError::Body(body) => {
            if body.param.is_some() {
                plain(RefusalTold::InvalidValue)
            } else {
                plain(RefusalTold::InvalidJson)
            }
        }
        CallError::WrongOperation { .. } | CallError::TooLarge => plain(RefusalTold::InvalidValue),
        CallError::ScopeMissing => plain(RefusalTold::Scope),
        CallError::EndUserSuspended { .. } => plain(RefusalTold::EndUser),
        CallError::ModelNotFound(_) | CallError::ModelRetired { .. } => plain(RefusalTold::Model),
        CallError::NoPrice(_) | CallError::Ledger(_) | CallError::Link(_) | CallError::Stopping => {
            plain(RefusalTold::Unavailable)
        }
        CallError::NoProvider(_) => plain(RefusalTold::NotAllowed),
        CallError::DataPolicy(_) => plain(RefusalTold::DataPolicy),
        CallError::TooDear(_) => plain(RefusalTold::Price),
        CallError::Limited(exceeded) => {
            let seconds = exceeded.retry_after.as_millis().div_ceil(1_000).max(1);
            Some((RefusalTold::Limited, seconds.to_string()))
        }
        CallError::InsufficientCredits { required, .. } => {
            Some((RefusalTold::Credits, required.to_string()))
        }
        CallError::MaxCostTooLow { least, .. } => Some((RefusalTold::MaxCost, least.to_string())),
        CallError::OverBudget { required, .. } => Some((RefusalTold::Budget, required.to_string())),
    }
}

/// The provider's own cleaned words, where they are about the request and not about the provider.
fn own_words(failure: &Failure) -> Option<&str> {
    let kind = failure.fault.kind;
    if !matches!(kind, FaultKind::BadRequest | FaultKind::ContentPolicy) {
        return None;
    }
    let told = failure.caller.as_ref()?;
    Some(told.message.as_str()).filter(|words| !words.is_empty())
}

/// As the tenant reads it.
pub(super) fn told(error: &CallError, lang: Lang, model: &str) -> String {
    let free = Text::of(lang).fault_free();
    let (cause, detail) = match (error, refusal(error)) {
        (CallError::Failed(failure), _) => (
            fault_told(lang, failure.fault.word(), model),
            own_words(failure.as_ref()),
        ),
        (CallError::Body(body), Some((words, _))) => (
            words.text(lang).replace("{a}", model),
            Some(body.message.as_str()),
        ),
        (_, Some((words, gap))) => {
            let text = words.text(lang).replace("{b}", &gap);
            (text.replace("{a}", model), None)
        }
        // Whatever is no failure of a call is a refusal.
        (_, None) => (fault_told(lang, "", model), None),
    };
    let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
    format!("{cause}{detail} {free}")
}

#[cfg(test)]
mod tests {
    use admin_templates::labels::Word;
    use server_calls::CallError;
    use shared::fault::{Fault, FaultKind};

    use super::*;

    fn failed(kind: FaultKind) -> CallError {
        CallError::Failed(Box::new(Failure {
            fault: Fault::new(kind, "sk-secret at moonshot"),
            provider: Some("moonshot".to_owned()),
            caller: None,
            attempts: 1,
            failed: Vec::new(),
            made_by: None,
        }))
    }

    #[test]
    fn every_failure_is_told_without_code_provider_or_detail() {
        for lang in Lang::ALL {
            for kind in FaultKind::ALL {
                let text = told(&failed(kind), lang, "kimi-k2");
                assert!(text.contains(Text::of(lang).fault_free()), "{text}");
                for secret in ["moonshot", "sk-secret", "{a}", "{b}", "_"] {
                    assert!(!text.contains(secret), "{kind:?}: {text}");
                }
            }
        }
    }

    #[test]
    fn refusals_say_what_is_needed() {
        let name = || "kimi-k2".to_owned();
        let errors = [
            CallError::ScopeMissing,
            CallError::EndUserSuspended { until: None },
            CallError::ModelNotFound(name()),
            CallError::NoPrice(name()),
            CallError::NoProvider(name()),
            CallError::DataPolicy(name()),
            CallError::TooDear(name()),
            CallError::TooLarge,
            CallError::Stopping,
            CallError::InsufficientCredits {
                available: "1".parse().expect("credits"),
                required: "2.5".parse().expect("credits"),
            },
        ];
        for lang in Lang::ALL {
            for error in &errors {
                let text = told(error, lang, "kimi-k2");
                assert!(!text.contains('{') && !text.contains('_'), "{text}");
                assert_eq!(lang == Lang::En, text.is_ascii(), "{text}");
            }
        }
        let last = errors.last().expect("one");
        assert!(told(last, Lang::En, "m").contains("2.5"));
        assert!(RefusalTold::ALL.len() > errors.len());
    }
}
