//! How a page says why a call failed: operators read the cause with its provider and get the way to
//! mend it, tenants the cause without and what they can do. Knows no call.

use askama::Template;
use shared::credits::Credits;

use super::{Lang, Page};
use crate::given::Given;
use crate::html::{Html, escape, url_part};
use crate::labels::{FaultCause, FaultName, FaultStep, FaultTold, Label, Word};

/// Where an operator mends a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Keys,
    Targets,
    EndUsers,
    Nowhere,
}

fn place(name: FaultName) -> Place {
    match name {
        FaultName::InvalidKey
        | FaultName::QuotaExhausted
        | FaultName::RateLimited
        | FaultName::Overloaded
        | FaultName::Timeout
        | FaultName::Unreachable
        | FaultName::Interrupted
        | FaultName::InvalidAnswer
        | FaultName::NoCapacity => Place::Keys,
        FaultName::NotFound => Place::Targets,
        FaultName::EndUserBlocked => Place::EndUsers,
        FaultName::BadRequest
        | FaultName::ContentPolicy
        | FaultName::Canceled
        | FaultName::Internal
        | FaultName::GatewayAway
        | FaultName::GatewayFull
        | FaultName::Unknown
        | FaultName::Other => Place::Nowhere,
    }
}

/// Whether tenants read only that the model is unavailable: the reason is the platform's own matter.
fn is_ours(name: FaultName) -> bool {
    matches!(
        name,
        FaultName::InvalidKey
            | FaultName::QuotaExhausted
            | FaultName::NoCapacity
            | FaultName::NotFound
            | FaultName::Unreachable
            | FaultName::Overloaded
    )
}

fn filled(text: &str, model: &str, provider: &str) -> String {
    // The model last: its name is the tenant's to choose, and may hold a gap.
    text.replace("{b}", provider).replace("{a}", model)
}

/// What a tenant reads of a fault, by its word.
pub fn fault_told(lang: Lang, word: &str, model: &str) -> String {
    let told = FaultTold::from_code(word).unwrap_or(FaultTold::Other);
    filled(told.text(lang), model, "")
}

#[derive(Template)]
#[template(path = "parts/fault.html")]
struct Fault<'a> {
    cause: String,
    charged: &'static str,
    step: &'static str,
    href: String,
    label: String,
    word: &'a str,
}

impl Page {
    /// A fault's name. Operators, who search by it, see its word small beside it.
    pub fn fault_name(&self, word: impl AsRef<str>) -> Html {
        let word = word.as_ref();
        let name = FaultName::from_code(word).unwrap_or(FaultName::Other);
        if self.is_portal() {
            let text = if is_ours(name) {
                self.text().u.fault_unavailable
            } else {
                name.text(self.lang)
            };
            return Html::from_escaped(format!(r#"<span class="faint">{}</span>"#, escape(text)));
        }
        Html::from_escaped(format!(
            r#"{} <code class="faint">{}</code>"#,
            escape(name.text(self.lang)),
            escape(word)
        ))
    }

    /// Why a key rests or is off: a fault's name, or the words that were kept.
    pub fn key_reason(&self, reason: impl AsRef<str>) -> Html {
        let reason = reason.as_ref();
        match FaultName::from_code(reason) {
            Some(_) => self.fault_name(reason),
            None => Html::from_escaped(escape(reason)),
        }
    }

    fn way(&self, name: FaultName, model: &str, provider: &str) -> (String, String) {
        let t = self.text();
        let targets = || {
            // A name with slashes is no part of a path.
            let href = if model.contains('/') {
                "/admin/models".to_owned()
            } else {
                format!("/admin/models/{}", url_part(model))
            };
            (href, filled(t.a.fault_targets, model, provider))
        };
        match place(name) {
            Place::Keys if provider.is_empty() => targets(),
            Place::Keys => (
                format!("/admin/providers/{}#pool-title", url_part(provider)),
                filled(t.a.fault_keys, model, provider),
            ),
            Place::Targets => targets(),
            Place::EndUsers => ("/admin/end-users".to_owned(), t.nav_end_users.to_owned()),
            Place::Nowhere => (String::new(), String::new()),
        }
    }

    /// Why a call failed, whether it was charged, and what to do.
    pub fn fault(
        &self,
        word: impl AsRef<str>,
        model: &str,
        provider: &str,
        charged: impl Given<Credits>,
    ) -> Html {
        let (word, t) = (word.as_ref(), self.text());
        let is_free = charged.get() == Credits::ZERO;
        let charged = if is_free {
            t.fault_free
        } else {
            t.fault_charged
        };
        if self.is_portal() {
            return Html::from_template(&Fault {
                cause: fault_told(self.lang, word, model),
                charged,
                step: "",
                href: String::new(),
                label: String::new(),
                word: "",
            });
        }
        let name = FaultName::from_code(word).unwrap_or(FaultName::Other);
        let (href, label) = self.way(name, model, provider);
        let cause = FaultCause::from_code(word).unwrap_or(FaultCause::Other);
        let step = FaultStep::from_code(word).unwrap_or(FaultStep::Other);
        let whose = if provider.is_empty() {
            t.a.fault_providers
        } else {
            provider
        };
        Html::from_template(&Fault {
            cause: filled(cause.text(self.lang), model, whose),
            charged,
            step: step.text(self.lang),
            href,
            label,
            word,
        })
    }
}

#[cfg(test)]
mod tests;
