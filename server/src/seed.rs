//! The first start: a superadmin, and for newcomers a demo tenant with credits, keys and sandbox
//! models. Runs until it has finished once; the superadmin comes last and marks the end.

mod demo;

use std::fmt::Write;

use server_rooms::accounts::{AccountError, Accounts, NewSuperadmin, given_password};
use server_rooms::catalogue::Catalogue;
use server_rooms::ledger::Ledger;
use server_store::accounts::AdminRole;
use server_store::audit::Actor;
use shared::config::ConfigError;
use shared::secret::Secret;

use self::demo::{add_demo, add_models};
use crate::app::StartError;
use crate::config::Config;

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
