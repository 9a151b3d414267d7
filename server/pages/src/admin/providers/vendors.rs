//! Vendors to begin a provider with, as the gateways have them: grouped by where they run, and found by
//! what people call them. Pure.

use admin_templates::admin::providers::{VendorGroup, VendorRow};
use admin_templates::labels::{DialectName, Label, VendorPlace, Word};
use admin_templates::page::Lang;
use server_rooms::providers::Connectors;
use shared::host::Reach;
use shared::link::connectors::{ConnectorFacts, GatewayFacts, ProviderPreset};
use shared::link::options::ProviderOptions;

use super::options::spoken;

/// What a new provider begins with.
#[derive(Debug, Clone)]
pub(super) struct Beginning<'a> {
    /// What it is.
    pub(super) connector: &'a ConnectorFacts,
    /// Who; absent where a connector was chosen by itself.
    pub(super) preset: Option<&'a ProviderPreset>,
}

impl<'a> Beginning<'a> {
    /// How it differs from its kind.
    pub(super) fn options(&self) -> ProviderOptions {
        let options = self.preset.map(|preset| &preset.options);
        options.cloned().unwrap_or_default()
    }

    /// Where it runs. Who makes no keys and is not here is whoever the operator says.
    pub(super) fn place(&self) -> VendorPlace {
        match self.preset {
            Some(preset) if is_here(&preset.base_url) => VendorPlace::Here,
            Some(preset) if !preset.keys_url.is_empty() => VendorPlace::Hosted,
            Some(_) | None => VendorPlace::Other,
        }
    }

    /// As it is shown.
    pub(super) fn row(&self) -> VendorRow {
        let speaks = spoken(&self.options(), Some(self.connector));
        match self.preset {
            Some(preset) => VendorRow {
                name: preset.name.to_string(),
                label: preset.label.to_string(),
                is_connector: false,
                speaks,
                keys_url: preset.keys_url.to_string(),
                models: preset.models.join(", "),
            },
            None => VendorRow {
                name: self.connector.kind.to_string(),
                label: self.connector.label.to_string(),
                is_connector: true,
                speaks,
                keys_url: String::new(),
                models: String::new(),
            },
        }
    }

    fn of_preset(facts: &'a GatewayFacts, preset: &'a ProviderPreset) -> Option<Self> {
        let connector = facts.connector(&preset.kind)?;
        Some(Self {
            connector,
            preset: Some(preset),
        })
    }
}

fn is_here(url: &str) -> bool {
    let uri = url.parse::<poem::http::Uri>().ok();
    let host = uri.as_ref().and_then(|uri| uri.host());
    host.is_some_and(|host| Reach::of(host) == Reach::Here)
}

fn told(known: &[Connectors]) -> impl Iterator<Item = &GatewayFacts> {
    known.iter().filter_map(|of| of.facts.as_deref())
}

/// The vendor of that name.
pub(super) fn vendor<'a>(known: &'a [Connectors], name: &str) -> Option<Beginning<'a>> {
    told(known).find_map(|facts| {
        let preset = facts.presets.iter().find(|preset| preset.name == name)?;
        Beginning::of_preset(facts, preset)
    })
}

/// The connector of that word, by itself.
pub(super) fn connector<'a>(known: &'a [Connectors], kind: &str) -> Option<Beginning<'a>> {
    let connector = told(known).find_map(|facts| facts.connector(kind))?;
    Some(Beginning {
        connector,
        preset: None,
    })
}

/// Every vendor, and every connector that none of them stands for.
fn all(known: &[Connectors]) -> Vec<Beginning<'_>> {
    let mut all: Vec<Beginning<'_>> = Vec::new();
    for facts in told(known) {
        for preset in &facts.presets {
            let is_new = all
                .iter()
                .all(|one| one.preset.map(|of| &of.name) != Some(&preset.name));
            all.extend(Beginning::of_preset(facts, preset).filter(|_| is_new));
        }
    }
    for connector in told(known).flat_map(|facts| &facts.connectors) {
        if all.iter().all(|one| one.connector.kind != connector.kind) {
            all.push(Beginning {
                connector,
                preset: None,
            });
        }
    }
    all
}

/// Whether each word of what is looked for stands in what is shown of a vendor, in any language.
fn fits(row: &VendorRow, wanted: &str) -> bool {
    let mut shown = vec![&*row.name, &*row.label, &*row.models];
    for code in &row.speaks {
        match DialectName::from_code(code) {
            Some(name) => shown.extend(Lang::ALL.map(|lang| name.text(lang))),
            None => shown.push(code),
        }
    }
    let text = shown.join(" ").to_lowercase();
    let mut words = wanted.split_whitespace();
    words.all(|word| text.contains(&word.to_lowercase()))
}

/// Those that fit, by place; places without any are left out.
pub(super) fn groups(known: &[Connectors], wanted: &str) -> Vec<VendorGroup> {
    let all = all(known);
    let group = |place: &VendorPlace| {
        let here = all.iter().filter(|one| one.place() == *place);
        let rows = here.map(Beginning::row).filter(|row| fits(row, wanted));
        VendorGroup {
            place: *place,
            rows: rows.collect(),
        }
    };
    let groups = VendorPlace::ALL.iter().map(group);
    groups.filter(|group| !group.rows.is_empty()).collect()
}

#[cfg(test)]
mod tests;
