//! Forms of providers and their keys as the gateways take them, by the rules that they share. Pure.

use admin_templates::form::FieldError;
use server_rooms::providers::Connectors;
use shared::link::connectors::{AddressRule, ConnectorFacts, GatewayFacts, SecretRule};
use shared::link::rules::{self, Broken};
use shared::link::{NewProvider, NewProviderKey, ProviderPatch};
use shared::secret::Secret;

use super::super::super::form::{FieldProblem, FormData};
use super::super::form_errors::FormErrors;
use super::{options, terms};

/// A broken rule, beside its field.
pub(super) fn wrong(field: &'static str, broken: Broken) -> FieldProblem {
    let error = match broken {
        Broken::Missing => FieldError::Required,
        Broken::TooLong(most) => FieldError::TooLong(u64::try_from(most).unwrap_or(u64::MAX)),
        Broken::NotAWord | Broken::NotVisible | Broken::NotJson | Broken::NotOneLine => {
            FieldError::Letters
        }
        Broken::ASecret => FieldError::ASecret,
        Broken::NotAHeader => FieldError::NotAHeader,
        Broken::NotAField => FieldError::NotAField,
        Broken::NeededField => FieldError::NeededField,
        Broken::TooMany(most) => FieldError::TooMany(u64::try_from(most).unwrap_or(u64::MAX)),
        Broken::UnknownWord => FieldError::Unknown,
        Broken::NotAnAddress => FieldError::NotAnAddress,
        Broken::OutOfRange(least, most) => FieldError::OutOfRange(least.into(), most.into()),
    };
    (field, error)
}

/// What the gateway for the new provider said of its connectors; nothing where it was never reached:
/// then it decides alone.
pub(super) fn facts<'a>(gateway: &str, known: &'a [Connectors]) -> Option<&'a GatewayFacts> {
    let named = known.iter().find(|of| of.gateway == gateway);
    named.or(known.first())?.facts.as_deref()
}

/// The address that is kept, where the kind has one.
fn address(posted: &FormData, connector: Option<&ConnectorFacts>) -> Result<String, FieldProblem> {
    let typed = posted.text("base_url");
    match connector.map(|facts| facts.address) {
        Some(AddressRule::Absent) | None if typed.is_empty() => Ok(String::new()),
        _ => match rules::base_url(typed) {
            Ok(url) => Ok(url.to_owned()),
            Err(broken) => Err(wrong("base_url", broken)),
        },
    }
}

/// A new provider.
pub(super) fn drafted_provider(
    posted: &FormData,
    known: &[Connectors],
) -> Result<NewProvider, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let name = posted.text("name");
    let name = errors.take(
        rules::name(name)
            .map(|()| name)
            .map_err(|broken| wrong("name", broken)),
    );
    let (facts, kind) = (facts(posted.text("gateway"), known), posted.text("kind"));
    let connector = facts.and_then(|facts| facts.connector(kind));
    if facts.is_some() && connector.is_none() {
        errors.add("kind", FieldError::Unknown);
    }
    let base_url = errors.take(address(posted, connector));
    let options = errors.take_all(options::drafted(posted, connector));
    let new = || {
        Some(NewProvider {
            name: name?.to_owned(),
            kind: kind.to_owned(),
            base_url: base_url?,
            options: options?,
        })
    };
    let new = new();
    errors.unless(new)
}

/// A change of a provider. A form without the settings, as pages of before had it, leaves them as they are.
pub(super) fn drafted_edit(
    posted: &FormData,
    connector: Option<&ConnectorFacts>,
) -> Result<ProviderPatch, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let base_url = errors.take(address(posted, None));
    let has_settings = posted.is_ticked("settings");
    let options = has_settings.then(|| errors.take_all(options::drafted(posted, connector)));
    let patch = ProviderPatch {
        base_url,
        enabled: Some(posted.is_ticked("enabled")),
        options: options.flatten(),
    };
    errors.unless(Some(patch))
}

/// A provider's secret.
pub(super) fn secret(text: &str, rule: SecretRule) -> Result<Secret<String>, FieldProblem> {
    let text = text.trim();
    match rules::secret(text, rule) {
        Ok(()) => Ok(Secret::new(text.to_owned())),
        Err(broken) => Err(wrong("secret", broken)),
    }
}

/// A key's name.
pub(super) fn label(text: &str) -> Result<String, FieldProblem> {
    match rules::label(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(broken) => Err(wrong("label", broken)),
    }
}

/// A key's share; 1 where nothing was typed.
pub(super) fn weight(posted: &FormData) -> Result<u32, FieldProblem> {
    let Some(text) = posted.optional("weight") else {
        return Ok(1);
    };
    let weight: u32 = text
        .parse()
        .map_err(|_| ("weight", FieldError::NotANumber))?;
    match rules::weight(weight) {
        Ok(()) => Ok(weight),
        Err(broken) => Err(wrong("weight", broken)),
    }
}

/// A new key.
pub(super) fn drafted_key(
    posted: &FormData,
    rule: SecretRule,
) -> Result<NewProviderKey, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let label = errors.take(label(posted.text("label")));
    let secret = errors.take(secret(posted.secret("secret").expose(), rule));
    let weight = errors.take(weight(posted));
    let terms = errors.take_all(terms::drafted(posted));
    let new = || {
        Some(NewProviderKey {
            label: label?,
            secret: secret?,
            weight: weight?,
            terms: terms?,
        })
    };
    let new = new();
    errors.unless(new)
}

/// How a secret ends; a short one is not told.
pub(super) fn last4(secret: &str) -> String {
    /// Of a shorter one, four characters would tell too much.
    const TELLING: usize = 12;
    let chars: Vec<char> = secret.chars().collect();
    if chars.len() < TELLING {
        return String::new();
    }
    chars.iter().skip(chars.len().saturating_sub(4)).collect()
}

#[cfg(test)]
mod tests;
