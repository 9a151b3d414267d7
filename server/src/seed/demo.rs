//! What a demonstration starts with: a tenant with credits, keys, and models of the sandbox.

use server_rooms::accounts::{
    AccountError, Accounts, NewKey, NewUser, Role, UserChange, given_password,
};
use server_rooms::auth::api_key;
use server_rooms::catalogue::facts::ModelFacts;
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::price::{ImagePrice, PlainPrice};
use server_rooms::catalogue::{Catalogue, CatalogueError};
use server_rooms::ledger::{GrantKind, NewGrant};
use server_store::accounts::{ApiKeyKind, Tenant};
use server_store::audit::Actor;
use server_store::catalogue::NewModel;
use shared::config::ConfigError;
use shared::credits::Credits;
use shared::link::Operation;
use shared::secret::Secret;

use super::{DEMO_PERSON, DemoKeys, Seed};
use crate::app::StartError;
use crate::config::Config;

/// What the demo tenant begins with: 1,000 credits.
const DEMO_CREDITS: Credits = Credits::from_micros(1_000_000_000);

pub(super) const DEMO_TENANT: &str = "demo";
/// People of the demo tenant that are looked through after a first start that did not finish.
const PEOPLE_READ: i64 = 100;

pub(super) async fn add_demo(seed: &Seed<'_>) -> Result<DemoKeys, StartError> {
    let actor = Actor::system();
    let live = demo_key(seed.config)?;
    let tenant = demo_tenant(seed.accounts, &actor).await?;
    let grant = NewGrant {
        tenant: tenant.id.clone(),
        kind: GrantKind::Gift,
        amount: DEMO_CREDITS,
        source_key: "first start".to_owned(),
        expires_at: None,
        note: "to try things out".to_owned(),
    };
    seed.ledger.grant(grant).await?;
    let new = NewKey::plain("demo", ApiKeyKind::Live);
    match seed.accounts.keep_key(&actor, &tenant.id, new, &live).await {
        // A chosen key may be there from a first start that did not finish.
        Ok(_) | Err(AccountError::Taken(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let test = NewKey::plain("demo test", ApiKeyKind::Test);
    let (_, test) = seed.accounts.create_key(&actor, &tenant.id, test).await?;
    let person_password = if seed.demo_person {
        Some(demo_person(seed.accounts, &actor, &tenant).await?)
    } else {
        None
    };
    Ok(DemoKeys {
        live,
        test,
        person_password,
    })
}

/// Somebody who runs the demo tenant, under a new password; answers it.
async fn demo_person(
    accounts: &Accounts,
    actor: &Actor,
    tenant: &Tenant,
) -> Result<Secret<String>, AccountError> {
    let password = given_password();
    let new = NewUser {
        username: DEMO_PERSON.to_owned(),
        password: password.clone(),
        role: Role::Owner,
    };
    match accounts.create_user(actor, &tenant.id, new).await {
        Ok(_) => return Ok(password),
        Err(AccountError::Taken(_)) => {}
        Err(error) => return Err(error),
    }
    // They are there from a first start that did not finish, and their password was not shown.
    let people = accounts.users(&tenant.id, None, PEOPLE_READ).await?;
    let known = people.into_iter().find(|user| user.username == DEMO_PERSON);
    let known = known.ok_or(AccountError::NotFound("user"))?;
    let change = UserChange {
        password: Some(password.clone()),
        ..UserChange::default()
    };
    accounts
        .update_user(actor, &tenant.id, &known.id, change)
        .await?;
    Ok(password)
}

fn demo_key(config: &Config) -> Result<Secret<String>, ConfigError> {
    let chosen = config
        .demo_tenant_key
        .clone()
        .filter(|key| !key.expose().is_empty());
    let Some(key) = chosen else {
        return Ok(api_key::make(ApiKeyKind::Live));
    };
    match api_key::kind_of(key.expose()) {
        Some(ApiKeyKind::Live) => Ok(key),
        Some(ApiKeyKind::Test) | None => Err(ConfigError::Invalid(
            "DEMO_TENANT_KEY must be wk_live_ and 32 of a-z and 0-9".to_owned(),
        )),
    }
}

async fn demo_tenant(accounts: &Accounts, actor: &Actor) -> Result<Tenant, AccountError> {
    match accounts.tenant_by_name(DEMO_TENANT).await? {
        Some(tenant) => Ok(tenant),
        None => accounts.create_tenant(actor, DEMO_TENANT).await,
    }
}

/// The sandbox's models, at prices that show what prices look like.
pub(super) async fn add_models(catalogue: &Catalogue) -> Result<(), CatalogueError> {
    let milli = |thousandths: i64| Credits::from_micros(thousandths.saturating_mul(1_000));
    let prices = [
        PlainPrice {
            input_per_million: milli(2_500),
            output_per_million: milli(10_000),
            ..PlainPrice::default()
        },
        PlainPrice {
            input_per_million: milli(100),
            ..PlainPrice::default()
        },
        PlainPrice {
            per_image: vec![
                ImagePrice {
                    size: Some("256x256".to_owned()),
                    quality: None,
                    credits: milli(10),
                },
                ImagePrice {
                    size: None,
                    quality: None,
                    credits: milli(40),
                },
            ],
            ..PlainPrice::default()
        },
        PlainPrice {
            input_per_million: milli(1_500),
            output_per_million: milli(2_000),
            ..PlainPrice::default()
        },
        // Free, as OpenAI's are.
        PlainPrice::default(),
        PlainPrice {
            input_per_million: milli(50),
            ..PlainPrice::default()
        },
    ];
    for (operation, price) in Operation::ALL.into_iter().zip(prices) {
        let id = format!("sandbox-{}", operation.word());
        let target = WeightedTarget {
            provider: "sandbox".to_owned(),
            model: id.clone(),
            weight: 1,
            priority: 0,
            gateway: None,
            cost: None,
        };
        let new = NewModel {
            facts: ModelFacts::default(),
            id,
            operation,
            targets: vec![target],
            max_output_tokens: if operation.writes_text() { 4_096 } else { 0 },
            enabled: true,
            answers_public_name: false,
            is_default: false,
            price: Some(
                price
                    .list(Some(&PlainPrice::default()))
                    .or_free(operation.units().iter().copied()),
            ),
        };
        match catalogue.create_model(&Actor::system(), new).await {
            Ok(_) | Err(CatalogueError::Duplicate) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
