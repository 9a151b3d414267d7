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

use self::demo::{DEMO_TENANT, add_demo, add_models};
use crate::app::StartError;
use crate::config::Config;

/// The first superadmin.
pub const SUPERADMIN: &str = "admin";
/// The person of the demo tenant.
pub const DEMO_PERSON: &str = "demo";

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
    /// Whether somebody of it is to sign in to the portal.
    pub demo_person: bool,
}

/// What a person needs after the first start; shown once and never kept.
#[derive(Debug)]
pub struct FirstStart {
    /// The superadmin's password, unless it was chosen.
    pub admin_password: Option<Secret<String>>,
    /// The demo tenant's keys.
    pub demo: Option<DemoKeys>,
}

/// The demo tenant's keys, and its person.
#[derive(Debug)]
pub struct DemoKeys {
    /// For real calls.
    pub live: Secret<String>,
    /// For the sandbox.
    pub test: Secret<String>,
    /// The password of [`DEMO_PERSON`], where there is one.
    pub person_password: Option<Secret<String>>,
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

/// Where people reach this server, as far as it knows.
fn address(config: &Config) -> String {
    match config.public_url.trim().trim_end_matches('/') {
        "" => format!("http://127.0.0.1:{}", config.port),
        address => address.to_owned(),
    }
}

/// What the first start prints, for the person at the terminal.
pub fn greeting(first: &FirstStart, config: &Config) -> String {
    let address = address(config);
    let admin = match &first.admin_password {
        Some(password) => format!(
            "password {} (the page asks for one of your own)",
            password.expose()
        ),
        None => "the password of ADMIN_PASSWORD".to_owned(),
    };
    let mut text = format!(
        "\nWaule is ready. Passwords and keys are shown this once.\n\n\
         Console      {address}/admin    user {SUPERADMIN}, {admin}\n"
    );
    let Some(demo) = &first.demo else {
        // Writing to a String can't fail.
        let _ = writeln!(text, "API docs     {address}/portal/docs\n");
        return text;
    };
    if let Some(password) = &demo.person_password {
        let _ = writeln!(
            text,
            "Portal       {address}/portal/login?tenant={DEMO_TENANT}&username={DEMO_PERSON}   tenant {DEMO_TENANT}, user {DEMO_PERSON}, password {}",
            password.expose()
        );
    }
    let (live, test) = (demo.live.expose(), demo.test.expose());
    let _ = write!(
        text,
        "API docs     {address}/portal/docs\n\
         Demo tenant  {live}   1,000 credits\n             {test}   sandbox only, free\n\n\
         Try it with curl:\n\n  \
         curl {address}/api/v1/chat/completions -H 'Authorization: Bearer {live}' \
         -d '{{\"model\":\"sandbox-chat\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n\n\
         or with Python (pip install openai):\n\n\
         from openai import OpenAI\n\
         client = OpenAI(base_url=\"{address}/api/v1\", api_key=\"{live}\")\n\
         reply = client.chat.completions.create(model=\"sandbox-chat\", messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}])\n\
         print(reply.choices[0].message.content)\n\n"
    );
    text
}

/// What a later start prints where a person is at the terminal: no secret, and what to do without one.
pub fn welcome_back(config: &Config) -> String {
    let address = address(config);
    format!(
        "\nWaule is ready. The first start printed the passwords; they are not kept and can't be shown again.\n\n\
         Console      {address}/admin    user {SUPERADMIN}, unless it was renamed\n\
         Portal       {address}/portal   new passwords: console, Tenants, Members, Reset password\n\
         API docs     {address}/portal/docs\n\n"
    )
}
