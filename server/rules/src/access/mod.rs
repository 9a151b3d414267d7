//! Who asks, with everything a call needs to know of them.

mod scopes;

use std::net::IpAddr;
use std::sync::Arc;

use shared::clock::Moment;
use shared::id::{ApiKeyId, TenantId, UserId};
use shared::zone::Zone;

pub use self::scopes::{Scope, Scopes};
use crate::limits::LimitSettings;
use crate::routing::RouteRule;
use crate::words;

words! {
    /// What a user may do inside the tenant.
    Role {
        /// Everything.
        Owner = "owner",
        /// Manages people, keys and spend.
        Admin = "admin",
        /// Uses the models.
        Member = "member",
    }
}

/// A caller of `/api/v1`, from the cache; the hot path asks no database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who pays.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// The person, with a session.
    pub user: Option<UserId>,
    /// The person's name.
    pub username: Option<String>,
    /// The key, with a key.
    pub key: Option<ApiKeyId>,
    /// The key's name.
    pub key_name: Option<String>,
    /// What the key may do; people may do all that their role may.
    pub scopes: Scopes,
    /// The person's role; a key counts as an owner for reading and calling.
    pub role: Role,
    /// Made with a `wk_test_` key.
    pub test: bool,
    /// What prices are multiplied by, in millionths.
    pub price_multiplier_ppm: i64,
    /// Over all of the tenant.
    pub tenant_limits: LimitSettings,
    /// Of the key alone.
    pub key_limits: LimitSettings,
    /// The models it may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
    /// Where the tenant's days begin, if not where the platform's do.
    pub zone: Option<Zone>,
    /// The key that made the key.
    pub parent: Option<Parent>,
    /// When the secret that was shown ends.
    pub ends_at: Option<Moment>,
    /// What is said of where its calls go: of the tenant, of the key, of the key that made the key; absent
    /// where nothing is.
    pub route: Option<Arc<RouteRule>>,
    /// For how many days the tenant's answers are kept, where they are.
    pub keep_days: Option<u32>,
}

impl Principal {
    /// Whether it may use the model of that name, which is ASCII. Lists are written by people: case
    /// does not count.
    pub fn may_use(&self, model: &str) -> bool {
        let allowed = self.allowed_models.as_ref();
        allowed.is_none_or(|names| names.iter().any(|name| name.eq_ignore_ascii_case(model)))
    }
}

/// A key that made another one, which counts against its limits and budgets too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub key: ApiKeyId,
    /// Its own limits.
    pub limits: LimitSettings,
}

/// An address or a network, as `192.0.2.7` or `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads either form.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let whole: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(whole), |bits| bits.parse().ok())?;
        if bits > whole {
            return None;
        }
        // A network of mapped addresses is one of IPv4.
        let (address, bits) = match (address.to_canonical(), bits.checked_sub(96)) {
            (mapped @ IpAddr::V4(_), Some(bits)) if address.is_ipv6() => (mapped, bits),
            _ => (address, bits),
        };
        Some(Self { address, bits })
    }

    /// Whether every address of its family is inside.
    pub fn is_everything(&self) -> bool {
        self.bits == 0
    }

    /// Whether everything inside is inside `outer` as well.
    pub fn is_within(&self, outer: &Self) -> bool {
        outer.bits <= self.bits && outer.contains(self.address)
    }

    /// Whether `peer` is in one of the networks of `list`; without a list every one is.
    pub fn allow(list: Option<&[String]>, peer: IpAddr) -> bool {
        list.is_none_or(|list| {
            list.iter()
                .filter_map(|text| Self::parse(text))
                .any(|network| network.contains(peer))
        })
    }

    /// Whether `peer` is inside; addresses of the two families never match.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let mask = u32::MAX
                    .checked_shl(32_u32.saturating_sub(bits))
                    .unwrap_or(0);
                a.to_bits() & mask == b.to_bits() & mask
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let mask = u128::MAX
                    .checked_shl(128_u32.saturating_sub(bits))
                    .unwrap_or(0);
                a.to_bits() & mask == b.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests;
