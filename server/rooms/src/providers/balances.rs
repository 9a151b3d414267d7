//! What is left on the accounts of providers' keys, as the gateways tell it, and what an operator wants done
//! about it. A gateway of an earlier version tells nothing, and is missing.

use futures_util::future::join_all;
use serde_json::{Value, json};
use server_store::audit::Actor;
use shared::link::balance::{BalanceBoard, BalanceTerms, KeyBalance, ProviderBalances};
use tracing::warn;

use super::changes::Change;
use super::{Answer, GatewayAnswer, LIST_MAX, ProviderRef, Providers, ask};

/// The balances of all databases that were reached.
#[derive(Debug, Clone, Default)]
pub struct BalanceList {
    /// By database and provider.
    pub providers: Vec<GatewayAnswer<ProviderBalances>>,
    /// Whose balances can be asked for.
    pub vendors: Vec<String>,
    /// Gateways, one of each database, that told nothing.
    pub missing: Vec<String>,
    /// Whether there are several databases, so that a provider's name alone may mean two.
    pub has_several: bool,
}

impl BalanceList {
    /// How to address one of its providers.
    pub fn address(&self, one: &GatewayAnswer<ProviderBalances>) -> ProviderRef {
        let gateway = self.has_several.then(|| one.gateway.clone());
        ProviderRef::new(&one.answer.provider, gateway)
    }

    /// Every key with its provider.
    pub fn keys(&self) -> impl Iterator<Item = (ProviderRef, &KeyBalance)> {
        self.providers.iter().flat_map(|one| {
            let of = self.address(one);
            one.answer.keys.iter().map(move |key| (of.clone(), key))
        })
    }
}

impl Providers {
    /// Of each database by itself; one that does not answer hides no other.
    pub async fn balances(&self) -> BalanceList {
        let databases = self.said.databases(self.link.provider_admins()).await;
        let asked = databases.iter().map(async |database| {
            let asking = ask(
                &database.admins,
                |admin| async move { admin.balances().await },
            );
            tokio::time::timeout(LIST_MAX, asking).await
        });
        let mut list = BalanceList {
            has_several: databases.len() > 1,
            ..BalanceList::default()
        };
        for (database, told) in databases.iter().zip(join_all(asked).await) {
            let GatewayAnswer { gateway, answer } = match told {
                Ok(Ok(told)) => told,
                Ok(Err(error)) => {
                    let gateway = database.name();
                    warn!(
                        gateway,
                        "the balances of gateway `{gateway}` are missing: {error}"
                    );
                    list.missing.push(gateway);
                    continue;
                }
                Err(_) => {
                    list.missing.push(database.name());
                    continue;
                }
            };
            let BalanceBoard { vendors, providers } = answer;
            let new = vendors.into_iter();
            let known = std::mem::take(&mut list.vendors);
            let new = new.filter(|name| !known.contains(name)).collect::<Vec<_>>();
            list.vendors = [known, new].concat();
            let each = providers.into_iter().map(|answer| GatewayAnswer {
                gateway: gateway.clone(),
                answer,
            });
            list.providers.extend(each);
        }
        list
    }

    /// Says what is to be done about the balances of a provider's keys.
    pub async fn set_balance_terms(
        &self,
        actor: &Actor,
        of: &ProviderRef,
        terms: BalanceTerms,
    ) -> Answer<()> {
        let (admins, terms) = (self.admins_of(of).await?, &terms);
        let name = of.name.as_str();
        let before = ask(&admins, |admin| async move { admin.balances().await }).await?;
        let mut before = before.answer.providers.into_iter();
        let before = before.find(|one| one.provider == name);
        let done = ask(&admins, |admin| async move {
            admin.set_balance_terms(name, terms.clone()).await
        })
        .await?;
        let change = Change {
            action: "provider.balance_terms",
            subject: name,
            gateway: &done.gateway,
            before: before.map(|one| shown(&one.terms)),
            after: Some(shown(terms)),
        };
        self.note(actor, change).await;
        Ok(())
    }
}

fn shown(terms: &BalanceTerms) -> Value {
    json!({
        "is_asked": terms.is_asked,
        "vendor": terms.vendor,
        "floor": terms.floor,
        "warn_at": terms.warn_at,
        "warn_days": terms.warn_days,
    })
}
