//! The first start: a superadmin, and for newcomers a demo tenant with credits, keys and sandbox
//! models. Runs until it has finished once; the superadmin comes last and marks the end.

use std::fmt::Write;

use server_rooms::accounts::{AccountError, Accounts, NewKey, NewSuperadmin, given_password};
use server_rooms::auth::api_key;
use server_rooms::catalogue::model::WeightedTarget;
use server_rooms::catalogue::price::{ImagePrice, PlainPrice};
use server_rooms::catalogue::{Catalogue, CatalogueError};
use server_rooms::ledger::{GrantKind, Ledger, NewGrant};
use server_store::accounts::{AdminRole, ApiKeyKind, Tenant};
use server_store::audit::Actor;
use server_store::catalogue::NewModel;
use shared::config::ConfigError;
use shared::credits::Credits;
use shared::link::Operation;
use shared::secret::Secret;

use crate::app::StartError;
use crate::config::Config;

/// What the demo tenant begins with: 1,000 credits.
const DEMO_CREDITS: Credits = Credits::from_micros(1_000_000_000);
const DEMO_TENANT: &str = "demo";
/// The first superadmin.
pub const SUPERADMIN: &str = "admin";

/// What the first start works on.
#[derive(Debug)]
pub struct Seed<'a> {
    /// Tenants and people.
    pub accounts: &'a Accounts,
    /// Models.
    pub catalogue: &'a Catalogue,
    /// Money.
    pub ledger: &'a Ledger,
    /// Chosen secrets.
    pub config: &'a Config,
    /// Whether there is to be a demo tenant.
    pub demo: bool,
}

/// What a person needs after the first start; shown once and never kept.
#[derive(Debug)]
pub struct FirstStart {
    /// The superadmin's password, unless it was chosen.
    pub admin_password: Option<Secret<String>>,
    /// The demo tenant's keys.
    pub demo: Option<DemoKeys>,
}

/// The demo tenant's keys.
#[derive(Debug)]
pub struct DemoKeys {
    /// For real calls.
    pub live: Secret<String>,
    /// For the sandbox.
    pub test: Secret<String>,
}

/// Adds what is missing; `None` when the first start was finished before.
pub async fn finish_first_start(seed: Seed<'_>) -> Result<Option<FirstStart>, StartError> {
    if seed.accounts.has_superadmin().await? {
        return Ok(None);
    }
    add_models(seed.catalogue).await?;
    let demo = if seed.demo {
        Some(add_demo(&seed).await?)
    } else {
        None
    };
    let chosen = seed
        .config
        .admin_password
        .clone()
        .filter(|password| !password.expose().is_empty());
    let password = chosen.clone().unwrap_or_else(given_password);
    let first = NewSuperadmin {
        username: SUPERADMIN.to_owned(),
        password: password.clone(),
        // A password that the operator chose is their own.
        password_given: chosen.is_none(),
        role: AdminRole::Owner,
    };
    match seed
        .accounts
        .create_superadmin(&Actor::system(), first)
        .await
    {
        Ok(_) => {}
        // Another replica was first; its password is the one that counts.
        Err(AccountError::Taken(_)) => return Ok(None),
        Err(AccountError::Invalid { rule, .. }) => {
            return Err(ConfigError::Invalid(format!("ADMIN_PASSWORD must be {rule}")).into());
        }
        Err(error) => return Err(error.into()),
    }
    let admin_password = if chosen.is_some() {
        None
    } else {
        Some(password)
    };
    Ok(Some(FirstStart {
        admin_password,
        demo,
    }))
}

async fn add_demo(seed: &Seed<'_>) -> Result<DemoKeys, StartError> {
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
    Ok(DemoKeys { live, test })
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
async fn add_models(catalogue: &Catalogue) -> Result<(), CatalogueError> {
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
    ];
    for (operation, price) in Operation::ALL.into_iter().zip(prices) {
        let id = format!("sandbox-{}", operation.word());
        let target = WeightedTarget {
            provider: "sandbox".to_owned(),
            model: id.clone(),
            weight: 1,
            priority: 0,
            gateway: None,
        };
        let new = NewModel {
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

/// What the first start prints, for the person at the terminal.
pub fn greeting(first: &FirstStart, config: &Config) -> String {
    let port = config.port;
    let console = match config.public_url.trim_end_matches('/') {
        "" => format!("http://127.0.0.1:{port}/admin"),
        address => format!("{address}/admin"),
    };
    let admin = match &first.admin_password {
        Some(password) => format!(
            "password {} (the page asks for one of your own)",
            password.expose()
        ),
        None => "the password of ADMIN_PASSWORD".to_owned(),
    };
    let mut text = format!(
        "\nWaule is ready; what follows is shown this once.\n\n\
         Superadmin   {console}   user {SUPERADMIN}, {admin}\n\
         API docs     http://127.0.0.1:{port}/api/docs\n"
    );
    let Some(demo) = &first.demo else { return text };
    let (live, test) = (demo.live.expose(), demo.test.expose());
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "Demo tenant  {live}   1,000 credits\n             {test}   sandbox only, free\n\n\
         Try it with curl:\n\n  \
         curl http://127.0.0.1:{port}/api/v1/chat/completions -H 'Authorization: Bearer {live}' \
         -d '{{\"model\":\"sandbox-chat\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n\n\
         or with Python (pip install openai):\n\n\
         from openai import OpenAI\n\
         client = OpenAI(base_url=\"http://127.0.0.1:{port}/api/v1\", api_key=\"{live}\")\n\
         reply = client.chat.completions.create(model=\"sandbox-chat\", messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}])\n\
         print(reply.choices[0].message.content)\n\n"
    );
    text
}
